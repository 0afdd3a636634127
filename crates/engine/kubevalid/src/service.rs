//! Services.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::meta;
use crate::names;

const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
/// Seconds of affinity at most: a day.
const AFFINITY_S_MAX: i64 = 86_400;

pub fn validate(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let kind = spec.at("type").text();
    let headless = is_headless(&spec);
    if let Some(old) = &old {
        unchanged(&spec, &old.at("spec"), errors);
    }
    hints(&object, errors);
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
    let old_spec = old.as_ref().map(|old| old.at("spec"));
    if kind != "ExternalName" {
        cluster_addresses(&spec, old_spec.as_ref(), errors);
    }
    outside_addresses(&spec, old_spec.as_ref(), errors);
    let kind_at = spec.at("type");
    if kind.is_empty() {
        errors.push(kind_at.required(""));
    } else {
        kind_at.one_of(&["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], errors);
    }
    ports_as_a_whole(&spec, kind, errors);
    source_ranges(&object, old.as_ref(), kind, errors);
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
    match (checks_health(spec), health.number().unwrap_or(0)) {
        (false, 0) => {}
        (false, _) => errors.push(health.invalid(
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
        )),
        (true, 0) => errors.push(health.required("")),
        (true, port) => health.named(names::port_number(port), errors),
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

/// Two annotations say the same thing, the older one too.
fn hints(object: &At<'_>, errors: &mut Vec<FieldError>) {
    const OLDER: &str = "service.kubernetes.io/topology-aware-hints";
    let annotations = object.to(&["metadata", "annotations"]);
    let mode = annotations.key("service.kubernetes.io/topology-mode");
    let older = annotations.key(OLDER);
    if mode.is_set() && older.is_set() && mode.value != older.value {
        let words = format!("must match annotations[{OLDER}] when both are specified");
        errors.push(mode.invalid(words));
    }
}

/// Addresses that were let in stay, whatever would be said of them today.
fn outside_addresses(spec: &At<'_>, old: Option<&At<'_>>, errors: &mut Vec<FieldError>) {
    let known: Vec<&str> = old.iter().flat_map(|old| texts(&old.at("externalIPs"))).collect();
    for address in spec.at("externalIPs").items() {
        let mut refusals = match known.contains(&address.text()) {
            true => Vec::new(),
            false => names::address(address.text()),
        };
        if refusals.is_empty() {
            refusals = names::outside_address(address.text());
        }
        address.named(refusals, errors);
    }
}

fn source_ranges(object: &At<'_>, old: Option<&At<'_>>, kind: &str, errors: &mut Vec<FieldError>) {
    const ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    let spec = object.at("spec");
    fn annotation<'a>(object: &At<'a>) -> At<'a> {
        object.to(&["metadata", "annotations"]).key(ANNOTATION)
    }
    let written = annotation(object);
    let ranges = spec.at("loadBalancerSourceRanges");
    let path = match ranges.is_empty() {
        true if !written.is_set() => return,
        true => written.path.clone(),
        false => spec.child("LoadBalancerSourceRanges"),
    };
    if kind != "LoadBalancer" {
        let words = "may only be used when `type` is 'LoadBalancer'";
        errors.push(FieldError::forbidden(path.clone(), words));
    }
    let mut look = |path: &str, range: &str| {
        let refused = names::block_refusal(range);
        errors.extend(refused.map(|words| FieldError::invalid(path, range, words)));
    };
    if ranges.is_empty() {
        let text = written.text().trim();
        if !text.is_empty() && old.map(annotation).is_none_or(|old| old.value != written.value) {
            text.split(',').for_each(|range| look(&path, range.trim()));
        }
        return;
    }
    let before = old.map(|old| old.to(&["spec", "loadBalancerSourceRanges"]));
    let known: Vec<&str> = before.iter().flat_map(texts).map(str::trim).collect();
    for (index, range) in texts(&ranges).map(str::trim).enumerate() {
        if !known.contains(&range) {
            look(&format!("{path}[{index}]"), range);
        }
    }
}

/// How a service's cluster address, its addresses and their families fit together.
pub fn cluster_addresses(spec: &At<'_>, old: Option<&At<'_>>, errors: &mut Vec<FieldError>) {
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
    families(spec, errors);
    let mut all_good = true;
    let known: Vec<&str> = old.iter().flat_map(|old| texts(&old.at("clusterIPs"))).collect();
    for (index, address) in addresses.items().enumerate() {
        if index == 0 && address.text() == "None" {
            if addresses.items().count() > 1 {
                all_good = false;
                errors.push(addresses.invalid("'None' must be the first and only value"));
            }
            continue;
        }
        if !known.contains(&address.text()) {
            let refusals = names::address(address.text());
            all_good &= refusals.is_empty();
            address.named(refusals, errors);
        }
    }
    if addresses.items().count() > 2 {
        errors.push(addresses.invalid("may only hold up to 2 values"));
    }
    if all_good {
        of_their_families(spec, errors);
    }
}

fn texts<'a>(list: &At<'a>) -> impl Iterator<Item = &'a str> + use<'a> {
    list.items().map(|item| item.text())
}

fn families(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for family in spec.at("ipFamilies").items() {
        if !["IPv4", "IPv6"].contains(&family.text()) {
            errors.push(family.unsupported(&["IPv4", "IPv6"]));
        }
        if !seen.insert(family.text()) {
            errors.push(family.duplicate());
        }
    }
    let policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
    spec.at("ipFamilyPolicy").one_of(&policies, errors);
}

/// Addresses are one of each family at most, and of the families that are said.
fn of_their_families(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let addresses = spec.at("clusterIPs");
    let parsed: Vec<_> = texts(&addresses).map(names::parsed_address).collect();
    let is_six = |address: &Option<std::net::IpAddr>| address.is_some_and(|ip| ip.is_ipv6());
    if parsed.len() > 1 && (parsed.iter().all(is_six) || !parsed.iter().any(is_six)) {
        errors.push(addresses.invalid("may specify no more than one IP for each IP family"));
    }
    if is_headless(spec) {
        return;
    }
    let families = spec.at("ipFamilies");
    for (index, (address, family)) in addresses.items().zip(families.items()).enumerate() {
        let fits = match family.text() {
            "IPv4" => !is_six(&parsed[index]),
            "IPv6" => is_six(&parsed[index]),
            _ => true,
        };
        if !fits {
            let words = format!(
                "expected an {} value as indicated by `ipFamilies[{index}]`",
                family.text()
            );
            errors.push(address.invalid(words));
        }
    }
}

fn is_headless(spec: &At<'_>) -> bool {
    texts(&spec.at("clusterIPs")).eq(["None"])
}

/// What stays once it is set, as long as the type needs it.
fn unchanged(spec: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let needs = |at: &At<'_>| at.at("type").text() != "ExternalName";
    if needs(spec) && needs(old) {
        if !(is_headless(spec) && is_headless(old)) {
            addresses_stay(spec, old, errors);
        }
        if !is_headless(spec) && !is_headless(old) {
            families_stay(spec, old, errors);
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
    let port = |at: &At<'_>| at.at("healthCheckNodePort").number().unwrap_or(0);
    if checks_health(spec) && checks_health(old) && port(spec) != port(old) {
        errors.push(spec.at("healthCheckNodePort").forbidden("field is immutable"));
    }
}

const CHANGED: &str = "may not change once set";

fn addresses_stay(spec: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let list = spec.at("clusterIPs");
    let wrong = |index: usize, words: &str| {
        FieldError::invalid(format!("{}[{index}]", list.path), list.value.clone(), words)
    };
    let (now, before): (Vec<&str>, Vec<&str>) =
        (texts(&list).collect(), texts(&old.at("clusterIPs")).collect());
    if now.len() == before.len() {
        let others = now.iter().zip(&before).enumerate().filter(|(_, (now, had))| now != had);
        errors.extend(others.map(|(index, _)| wrong(index, CHANGED)));
        return;
    }
    if now.is_empty() {
        errors.push(wrong(0, "primary clusterIP can not be unset"));
    }
    if let (Some(now), Some(before)) = (now.first(), before.first())
        && now != before
    {
        errors.push(wrong(0, CHANGED));
    }
    if now.len() == 1 && before.len() > 1 {
        must_be_single(spec, "clusterIP", errors);
    }
}

fn families_stay(spec: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let list = spec.at("ipFamilies");
    let wrong = |shown: &str, words: &str| {
        FieldError::invalid(format!("{}[0]", list.path), spec.at(shown).value.clone(), words)
    };
    let (now, before): (Vec<&str>, Vec<&str>) =
        (texts(&list).collect(), texts(&old.at("ipFamilies")).collect());
    if now.len() == before.len() {
        let others = now.iter().zip(&before).filter(|(now, had)| now != had);
        errors.extend(others.map(|_| wrong("ipFamilies", CHANGED)));
        return;
    }
    let fewer = now.len() < before.len();
    if fewer && spec.at("clusterIPs").is_empty() {
        errors.push(wrong("ipFamilies", "primary ipFamily can not be unset"));
    }
    if let (Some(now), Some(before)) = (now.first(), before.first())
        && now != before
    {
        // It is the addresses that are shown.
        errors.push(wrong("clusterIPs", CHANGED));
    }
    if fewer && now.len() == 1 {
        must_be_single(spec, "ipFamily", errors);
    }
}

fn must_be_single(spec: &At<'_>, released: &str, errors: &mut Vec<FieldError>) {
    let policy = spec.at("ipFamilyPolicy");
    if policy.text() != "SingleStack" {
        errors.push(policy.invalid(format!(
            "must be set to 'SingleStack' when releasing the secondary {released}"
        )));
    }
}

fn checks_health(spec: &At<'_>) -> bool {
    spec.at("type").text() == "LoadBalancer" && spec.at("externalTrafficPolicy").text() == "Local"
}
