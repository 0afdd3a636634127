//! Services.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cursor::At;
use crate::meta;
use crate::names;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
/// Seconds of affinity at most: a day.
const AFFINITY_S_MAX: i64 = 86_400;

pub fn validate(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let kind = spec.at("type").text();
    let headless = spec.at("clusterIP").text() == "None";
    if let Some(old) = &old {
        unchanged(&spec, &old.at("spec"), errors);
    }
    if spec.at("ports").is_empty() && !headless && kind != "ExternalName" {
        errors.push(spec.at("ports").required(""));
    }
    match kind {
        "ExternalName" => {
            for field in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                let at = spec.at(field);
                if !at.is_empty() {
                    errors.push(at.forbidden("may not be set for ExternalName services"));
                }
            }
            let name = spec.at("externalName");
            let text = name.text().strip_suffix('.').unwrap_or(name.text());
            if text.is_empty() {
                errors.push(name.required(""));
            } else {
                name.named(names::subdomain(text, false), errors);
            }
        }
        "NodePort" | "LoadBalancer" if headless => {
            let at = spec.at("clusterIPs").path;
            let words = format!("may not be set to 'None' for {kind} services");
            errors.push(FieldError::invalid(format!("{at}[0]"), "None", words));
        }
        _ => {}
    }
    let several = spec.at("ports").items().count() > 1;
    let mut port_names = BTreeSet::new();
    for port in spec.at("ports").items() {
        check_port(&port, several, &mut port_names, errors);
    }
    meta::labels(&spec.at("selector"), errors);
    let affinity = spec.at("sessionAffinity");
    if affinity.is_empty() {
        errors.push(affinity.required(""));
    } else {
        affinity.one_of(&["ClientIP", "None"], errors);
    }
    let client = spec.to(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
    match affinity.text() {
        "ClientIP"
            if client.number().is_some_and(|seconds| !(1..=AFFINITY_S_MAX).contains(&seconds)) =>
        {
            errors.push(
                client.invalid(format!("must be greater than 0 and less than {AFFINITY_S_MAX}")),
            );
        }
        "None" if spec.at("sessionAffinityConfig").is_set() && client.is_set() => {
            let at = spec.at("sessionAffinityConfig");
            let words = "must not be set when session affinity is None";
            errors.push(FieldError::forbidden(at.path, words));
        }
        _ => {}
    }
    if kind != "ExternalName" {
        cluster_addresses(&spec, errors);
    }
    for address in spec.at("externalIPs").items() {
        address.named(names::outside_address(address.text()), errors);
    }
    let kind_at = spec.at("type");
    if kind.is_empty() {
        errors.push(kind_at.required(""));
    } else {
        kind_at.one_of(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], errors);
    }
    ports_as_a_whole(&spec, kind, errors);
    source_ranges(&object, kind, errors);
    let allocate = spec.at("allocateLoadBalancerNodePorts");
    if kind == "LoadBalancer" && !allocate.is_set() {
        errors.push(allocate.required(""));
    } else if kind != "LoadBalancer" && allocate.is_set() {
        errors.push(allocate.forbidden("may only be used when `type` is 'LoadBalancer'"));
    }
    let class = spec.at("loadBalancerClass");
    if class.is_set() {
        if kind == "LoadBalancer" {
            class.named(names::qualified(class.text()), errors);
        } else {
            errors.push(class.forbidden("may only be used when `type` is 'LoadBalancer'"));
        }
    }
    let distribution = spec.at("trafficDistribution");
    distribution.one_of(&["PreferClose", "PreferSameZone", "PreferSameNode"], errors);
    traffic_policies(&spec, kind, errors);
}

fn is_outside(spec: &At<'_>, kind: &str) -> bool {
    matches!(kind, "LoadBalancer" | "NodePort")
        || (kind == "ClusterIP" && !spec.at("externalIPs").is_empty())
}

fn traffic_policies(spec: &At<'_>, kind: &str, errors: &mut Vec<FieldError>) {
    let outside = spec.at("externalTrafficPolicy");
    if is_outside(spec, kind) {
        if !outside.is_set() {
            errors.push(outside.required(""));
        }
        outside.one_of(&["Cluster", "Local"], errors);
    } else if !outside.is_empty() {
        errors.push(outside.invalid("may only be set for externally-accessible services"));
    }
    let health = spec.at("healthCheckNodePort");
    let needs = kind == "LoadBalancer" && outside.text() == "Local";
    if !needs && health.number().is_some_and(|port| port != 0) {
        errors.push(health.invalid(
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        ));
    }
    let inside = spec.at("internalTrafficPolicy");
    inside.one_of(&["Cluster", "Local"], errors);
}

fn check_port<'a>(
    port: &At<'a>,
    several: bool,
    port_names: &mut BTreeSet<&'a str>,
    errors: &mut Vec<FieldError>,
) {
    let name = port.at("name");
    if several && name.is_empty() {
        errors.push(name.required(""));
    } else if !name.is_empty() {
        name.named(names::label(name.text(), false), errors);
        if !port_names.insert(name.text()) {
            errors.push(name.duplicate());
        }
    }
    let number = port.at("port");
    number.named(names::port_number(number.number().unwrap_or(0)), errors);
    let protocol = port.at("protocol");
    if protocol.is_empty() {
        errors.push(protocol.required(""));
    } else {
        protocol.one_of(&PROTOCOLS, errors);
    }
    port_or_name(&port.at("targetPort"), errors);
    let application = port.at("appProtocol");
    if application.is_set() {
        application.named(names::qualified(application.text()), errors);
    }
}

/// A port by number or by name.
pub fn port_or_name(at: &At<'_>, errors: &mut Vec<FieldError>) {
    match at.value {
        Value::String(text) => at.named(names::port_name(text), errors),
        Value::Number(number) => {
            at.named(names::port_number(number.as_i64().unwrap_or(0)), errors);
        }
        _ => {}
    }
}

fn ports_as_a_whole(spec: &At<'_>, kind: &str, errors: &mut Vec<FieldError>) {
    if kind == "ClusterIP" {
        for port in spec.at("ports").items() {
            let node = port.at("nodePort");
            if node.number().is_some_and(|port| port != 0) {
                errors.push(node.forbidden("may not be used when `type` is 'ClusterIP'"));
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut seen_node = BTreeSet::new();
    for port in spec.at("ports").items() {
        let protocol = port.at("protocol").text();
        let number = port.at("port").number().unwrap_or(0);
        let node = port.at("nodePort").number().unwrap_or(0);
        if node != 0 && !seen_node.insert((protocol, node)) {
            errors.push(port.at("nodePort").duplicate());
        }
        if !seen.insert((protocol, number)) {
            let shown = format!(
                r#"{{"Name":"","Protocol":"{protocol}","AppProtocol":null,"Port":{number},"TargetPort":0,"NodePort":0}}"#
            );
            errors.push(port.duplicate().showing(shown));
        }
    }
}

fn source_ranges(object: &At<'_>, kind: &str, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let ranges = spec.at("loadBalancerSourceRanges");
    let path = spec.child("LoadBalancerSourceRanges");
    if ranges.is_empty() {
        return;
    }
    if kind != "LoadBalancer" {
        let words = "may only be used when `type` is 'LoadBalancer'";
        errors.push(FieldError::forbidden(path.clone(), words));
    }
    for (index, range) in ranges.items().enumerate() {
        if names::block(range.text().trim()).is_none() {
            errors.push(FieldError::invalid(
                format!("{path}[{index}]"),
                range.value.clone(),
                names::NO_BLOCK,
            ));
        }
    }
}

fn cluster_addresses(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let policy = spec.at("ipFamilyPolicy");
    let (address, addresses) = (spec.at("clusterIP"), spec.at("clusterIPs"));
    match (address.is_empty(), addresses.items().next()) {
        (true, Some(_)) => {
            errors.push(addresses.invalid("must be empty when `clusterIP` is not specified"));
        }
        (false, Some(first)) if first.text() != address.text() => {
            errors.push(addresses.invalid("first value must match `clusterIP`"));
        }
        (false, None) => errors.push(addresses.required("")),
        _ => {}
    }
    let families = spec.at("ipFamilies");
    let mut seen = BTreeSet::new();
    for family in families.items() {
        if !["IPv4", "IPv6"].contains(&family.text()) {
            errors.push(family.unsupported(&["IPv4", "IPv6"]));
        }
        if !seen.insert(family.text()) {
            errors.push(family.duplicate());
        }
    }
    policy.one_of(&["PreferDualStack", "RequireDualStack", "SingleStack"], errors);
    let mut first = true;
    let mut all_good = true;
    for address in addresses.items() {
        if std::mem::take(&mut first) {
            match address.text() {
                "" => {
                    if addresses.items().count() > 1 {
                        errors.push(address.required(""));
                    }
                    continue;
                }
                "None" => continue,
                _ => {}
            }
        }
        let refusals = names::address(address.text());
        all_good &= refusals.is_empty();
        address.named(refusals, errors);
    }
    if !all_good {
        return;
    }
    for (address, family) in addresses.items().zip(families.items()) {
        let Ok(parsed) = address.text().parse::<std::net::IpAddr>() else { continue };
        if !["IPv4", "IPv6"].contains(&family.text()) {
            continue;
        }
        let expected = if parsed.is_ipv4() { "IPv4" } else { "IPv6" };
        if family.text() != expected {
            errors.push(address.invalid(format!(
                "expected an {} value as indicated by `ipFamilies[0]`",
                family.text()
            )));
        }
    }
}

/// What stays once it is set, as long as the type needs it.
fn unchanged(spec: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let kind = |at: &At<'_>| at.at("type").text() != "ExternalName";
    if kind(spec) && kind(old) {
        let (new, before) = (spec.to(&["clusterIPs"]), old.at("clusterIPs"));
        let first = |at: &At<'_>| at.items().next().map(|at| at.text().to_owned());
        if let Some(known) = first(&before).filter(|known| !known.is_empty())
            && first(&new).is_some_and(|now| now != known)
        {
            errors.push(FieldError::invalid(
                format!("{}[0]", new.path),
                json!(new.value),
                "may not change once set",
            ));
        }
    }
    let (class, known) = (spec.at("loadBalancerClass"), old.at("loadBalancerClass"));
    let balanced = |at: &At<'_>| at.at("type").text() == "LoadBalancer";
    if balanced(spec) && balanced(old) && class.value != known.value {
        errors.push(class.invalid("may not change once set"));
    }
    // Updates are asked twice.
    if class.is_set() {
        match balanced(spec) {
            true => class.named(names::qualified(class.text()), errors),
            false => {
                errors.push(class.forbidden("may only be used when `type` is 'LoadBalancer'"));
            }
        }
    }
}
