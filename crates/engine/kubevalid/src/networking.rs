//! Ingresses and their classes, network policies, endpoint slices.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::devices::fits;
use crate::meta;
use crate::names;
use crate::selector;

/// How much a slice of endpoints may hold.
const ENDPOINTS_MAX: u64 = 1000;
/// Addresses of one endpoint.
const ADDRESSES_MAX: u64 = 100;
/// Labels of an endpoint's place.
const TOPOLOGY_MAX: u64 = 16;
/// Zones, or nodes, that one endpoint is for.
const HINTS_MAX: u64 = 8;

pub fn ingress(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    if spec.at("rules").is_empty() && !spec.at("defaultBackend").is_set() {
        let mut error = spec.invalid("either `defaultBackend` or `rules` must be specified");
        error.value = Some(spec.at("rules").value.clone());
        errors.push(error);
    }
    if spec.at("defaultBackend").is_set() {
        backend(&spec.at("defaultBackend"), errors);
    }
    for rule in spec.at("rules").items() {
        let host = rule.at("host");
        if !host.is_empty() {
            if names::parsed_address(host.text()).is_some() {
                errors.push(host.invalid("must be a DNS name, not an IP address"));
            }
            if host.text().contains('*') {
                host.named(names::wildcard_subdomain(host.text()), errors);
            } else {
                host.named(names::subdomain(host.text(), false), errors);
            }
        }
        let http = rule.at("http");
        if !http.is_set() {
            continue;
        }
        if http.at("paths").is_empty() {
            errors.push(http.at("paths").required(""));
        }
        for path in http.at("paths").items() {
            ingress_path(&path, errors);
        }
    }
    for tls in spec.at("tls").items() {
        for host in tls.at("hosts").items() {
            let rule = match host.text().contains('*') {
                true => names::wildcard_subdomain(host.text()),
                false => names::subdomain(host.text(), false),
            };
            host.named(rule, errors);
        }
        let secret = tls.at("secretName");
        if !secret.is_empty() {
            secret.named(names::subdomain(secret.text(), false), errors);
        }
    }
    let class = spec.at("ingressClassName");
    if class.is_set() {
        class.named(names::subdomain(class.text(), false), errors);
    }
}

fn ingress_path(path: &At<'_>, errors: &mut Vec<FieldError>) {
    let (text, kind) = (path.at("path"), path.at("pathType"));
    match kind.text() {
        "" if !kind.is_set() => {
            errors.push(kind.required("pathType must be specified"));
            return;
        }
        "Exact" | "Prefix" => {
            if !text.text().starts_with('/') {
                let value = text.text();
                errors.push(FieldError::invalid(
                    text.path.clone(),
                    value,
                    "must be an absolute path",
                ));
            } else {
                for part in ["//", "/./", "/../", "%2f", "%2F"] {
                    if text.text().contains(part) {
                        errors.push(text.invalid(format!("must not contain '{part}'")));
                    }
                }
                for end in ["/..", "/."] {
                    if text.text().ends_with(end) {
                        errors.push(text.invalid(format!("cannot end with '{end}'")));
                    }
                }
            }
        }
        "ImplementationSpecific" => {
            if !text.is_empty() && !text.text().starts_with('/') {
                errors.push(text.invalid("must be an absolute path"));
            }
        }
        _ => errors.push(kind.unsupported(&["Exact", "ImplementationSpecific", "Prefix"])),
    }
    backend(&path.at("backend"), errors);
}

fn backend(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (service, resource) = (at.at("service"), at.at("resource"));
    let wrong = |words: &str| FieldError::invalid(at.path.clone(), "", words);
    match (service.is_set(), resource.is_set()) {
        (true, true) => errors.push(wrong("cannot set both resource and service backends")),
        (false, false) => errors.push(wrong("resource or service backend is required")),
        (false, true) => reference(&resource, errors),
        (true, false) => {
            let name = service.at("name");
            if name.is_empty() {
                errors.push(name.required(""));
            } else {
                name.named(names::label(name.text(), false), errors);
            }
            let (port_name, number) =
                (service.to(&["port", "name"]), service.to(&["port", "number"]));
            let numbered = number.number().unwrap_or(0) != 0;
            match (port_name.is_empty(), numbered) {
                (false, true) => errors.push(wrong("cannot set both port name & port number")),
                (false, false) => port_name.named(names::port_name(port_name.text()), errors),
                (true, true) => {
                    number.named(names::port_number(number.number().unwrap_or(0)), errors);
                }
                (true, false) => {
                    errors.push(FieldError::required(
                        at.path.clone(),
                        "port name or number is required",
                    ));
                }
            }
        }
    }
}

/// An object of any kind.
fn reference(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let group = at.at("apiGroup");
    if group.is_set() {
        group.named(names::subdomain(group.text(), false), errors);
    }
    for at in [at.at("kind"), at.at("name")] {
        match at.is_empty() {
            true => errors.push(at.required("")),
            false => at.named(names::path_segment(at.text(), false), errors),
        }
    }
}

/// A controller's name, in bytes.
const CONTROLLER_BYTES_MAX: u64 = 250;

pub fn ingress_class(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let controller = spec.at("controller");
    if let Some(old) = &old
        && controller.text() != old.to(&["spec", "controller"]).text()
    {
        let words = "field is immutable";
        errors.push(FieldError::invalid(controller.path.clone(), controller.text(), words));
    }
    if old.is_some() {
        return;
    }
    if controller.is_empty() {
        errors.push(controller.required(""));
    } else {
        if controller.text().len() as u64 > CONTROLLER_BYTES_MAX {
            errors.push(FieldError::too_long(controller.path.clone(), CONTROLLER_BYTES_MAX));
        }
        names::domain_path(&controller, errors);
    }
    let parameters = spec.at("parameters");
    if parameters.is_set() {
        reference(&parameters, errors);
        let (scope, namespace) = (parameters.at("scope"), parameters.at("namespace"));
        match scope.text() {
            _ if !scope.is_set() => errors.push(scope.required("")),
            "Namespace" if !namespace.is_set() => {
                errors.push(namespace.required("`parameters.scope` is set to 'Namespace'"));
            }
            "Namespace" => namespace.named(names::label(namespace.text(), false), errors),
            "Cluster" if namespace.is_set() => {
                errors.push(namespace.forbidden("`parameters.scope` is set to 'Cluster'"));
            }
            _ => scope.one_of(&["Cluster", "Namespace"], errors),
        }
    }
}

pub fn network_policy(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    selector::validate(&spec.at("podSelector"), errors);
    for (rules, peers) in [("ingress", "from"), ("egress", "to")] {
        for rule in spec.at(rules).items() {
            for port in rule.at("ports").items() {
                policy_port(&port, errors);
            }
            for peer in rule.at(peers).items() {
                policy_peer(&peer, errors);
            }
        }
    }
    let kinds = spec.at("policyTypes");
    if kinds.items().count() > 2 {
        errors.push(kinds.invalid("may not specify more than two policyTypes"));
        return;
    }
    for kind in kinds.items() {
        if !["Ingress", "Egress"].contains(&kind.text()) {
            errors.push(kind.unsupported(&["Ingress", "Egress"]));
        }
    }
}

fn policy_port(port: &At<'_>, errors: &mut Vec<FieldError>) {
    port.at("protocol").one_of(&["TCP", "UDP", "SCTP"], errors);
    let (first, last) = (port.at("port"), port.at("endPort"));
    match (first.value, last.number()) {
        (Value::Number(number), end) => {
            let number = number.as_i64().unwrap_or(0);
            first.named(names::port_number(number), errors);
            if let Some(end) = end {
                if end < number {
                    let words = "must be greater than or equal to `port`";
                    errors.push(FieldError::invalid(last.path.clone(), number, words));
                }
                last.named(names::port_number(end), errors);
            }
        }
        (Value::String(text), end) => {
            if end.is_some() {
                errors.push(last.invalid("may not be specified when `port` is non-numeric"));
            }
            first.named(names::port_name(text), errors);
        }
        (_, Some(_)) => {
            errors.push(last.invalid("may not be specified when `port` is not specified"))
        }
        (_, None) => {}
    }
}

fn policy_peer(peer: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut peers = 0;
    for field in ["podSelector", "namespaceSelector"] {
        let at = peer.at(field);
        if at.is_set() {
            peers += 1;
            selector::validate(&at, errors);
        }
    }
    let block = peer.at("ipBlock");
    if block.is_set() {
        ip_block(&block, errors);
        if peers > 0 {
            errors.push(peer.forbidden("may not specify both ipBlock and another peer"));
        }
        peers += 1;
    }
    if peers == 0 {
        errors.push(peer.required("must specify a peer"));
    }
}

fn ip_block(block: &At<'_>, errors: &mut Vec<FieldError>) {
    let outer = block.at("cidr");
    if outer.is_empty() {
        errors.push(outer.required(""));
        return;
    }
    errors.extend(names::block_refusal(outer.text()).map(|words| outer.invalid(words)));
    let Some((address, bits)) = names::block(outer.text()) else { return };
    for except in block.at("except").items() {
        errors.extend(names::block_refusal(except.text()).map(|words| except.invalid(words)));
        let Some((inner, inner_bits)) = names::block(except.text()) else { continue };
        if inner_bits <= bits || !within(inner, address, bits) {
            errors.push(except.invalid("must be a strict subset of `cidr`"));
        }
    }
}

fn within(inner: std::net::IpAddr, outer: std::net::IpAddr, bits: u8) -> bool {
    use std::net::IpAddr::{V4, V6};
    match (inner, outer) {
        (V4(a), V4(b)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            u32::from(a) & mask == u32::from(b) & mask
        }
        (V6(a), V6(b)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            u128::from(a) & mask == u128::from(b) & mask
        }
        _ => false,
    }
}

pub fn endpoint_slice(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let kind = object.at("addressType");
    if kind.is_empty() {
        errors.push(kind.required(""));
    } else {
        kind.one_of(&["FQDN", "IPv4", "IPv6"], errors);
    }
    let mut seen = BTreeSet::new();
    for port in object.at("ports").items() {
        let name = port.at("name");
        if !name.is_empty() {
            name.named(names::label(name.text(), false), errors);
        }
        if !seen.insert(name.text()) {
            errors.push(name.duplicate());
        }
        let protocol = port.at("protocol");
        if protocol.is_set() {
            protocol.one_of(&["SCTP", "TCP", "UDP"], errors);
        } else {
            errors.push(protocol.required(""));
        }
        let app = port.at("appProtocol");
        if app.is_set() {
            app.named(names::qualified(app.text()), errors);
        }
    }
    let same = old.as_ref().is_some_and(|old| object.at("endpoints").is_as(&old.at("endpoints")));
    if !same {
        endpoints(&object, kind.text(), errors);
    }
    if let Some(old) = old {
        kind.unchanged(&old.at("addressType"), errors);
    }
}

fn endpoints(object: &At<'_>, kind: &str, errors: &mut Vec<FieldError>) {
    let list = object.at("endpoints");
    if !fits(&list, ENDPOINTS_MAX, errors) {
        return;
    }
    for endpoint in list.items() {
        let addresses = endpoint.at("addresses");
        if addresses.is_empty() {
            errors.push(addresses.required("must contain at least 1 address"));
        }
        fits(&addresses, ADDRESSES_MAX, errors);
        addresses.items().for_each(|address| endpoint_address(&address, &addresses, kind, errors));
        let node = endpoint.at("nodeName");
        if node.is_set() {
            node.named(names::subdomain(node.text(), false), errors);
        }
        let topology = endpoint.at("deprecatedTopology");
        let count = topology.entries().count() as u64;
        if count > TOPOLOGY_MAX {
            errors.push(FieldError::too_many(topology.path.clone(), count, TOPOLOGY_MAX));
        }
        meta::labels(&topology, errors);
        let host = endpoint.at("hostname");
        if host.is_set() {
            host.named(names::label(host.text(), false), errors);
        }
        let hints = endpoint.at("hints");
        if hinted(&hints.at("forZones"), names::label_value, errors) {
            hinted(&hints.at("forNodes"), |text| names::subdomain(text, false), errors);
        }
    }
}

/// Addresses of no known sort are not looked at.
fn endpoint_address(address: &At<'_>, all: &At<'_>, kind: &str, errors: &mut Vec<FieldError>) {
    let text = address.text();
    let refusals = match kind {
        "IPv4" => names::address(text),
        "IPv6" => names::address_refusals(text),
        "FQDN" => return full_name(address, errors),
        _ => return,
    };
    if !refusals.is_empty() {
        return address.named(refusals, errors);
    }
    if text.contains(':') != (kind == "IPv6") {
        let words = format!("must be an {kind} address");
        errors.push(FieldError::invalid(all.path.clone(), text, words));
    }
    address.named(names::outside_address(text), errors);
}

/// A domain of two segments at least, with or without a dot at its end.
fn full_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.is_empty() {
        return errors.push(at.required(""));
    }
    let name = at.text().strip_suffix('.').unwrap_or(at.text());
    let refusals = names::subdomain(name, false);
    let too_long = name.split('.').find_map(|segment| {
        let refusals = names::label(segment, false);
        (!refusals.is_empty()).then(|| (segment, refusals.join(",")))
    });
    let (shown, words) = match too_long {
        _ if !refusals.is_empty() => (name, refusals.join(",")),
        _ if !name.contains('.') => {
            (name, "should be a domain with at least two segments separated by dots".to_owned())
        }
        Some(segment) => segment,
        None => return,
    };
    errors.push(FieldError::invalid(at.path.clone(), shown, words));
}

/// What an endpoint is for; answers whether there are not too many.
fn hinted(list: &At<'_>, rule: fn(&str) -> Vec<String>, errors: &mut Vec<FieldError>) -> bool {
    if !fits(list, HINTS_MAX, errors) {
        return false;
    }
    let mut seen = BTreeSet::new();
    for name in list.items().map(|hint| hint.at("name")) {
        let text = name.text();
        if !seen.insert(text) {
            errors.push(FieldError::duplicate(name.path.clone(), text));
        }
        let refusals = rule(text).into_iter();
        errors.extend(refusals.map(|words| FieldError::invalid(name.path.clone(), text, words)));
    }
    true
}
