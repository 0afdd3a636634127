//! What is said of pods that are taken: fields that do nothing, values that mean something else.

use std::collections::BTreeMap;

use kubetypes::quantity::Quantity;

use crate::cursor::At;
use crate::names;

/// Labels of nodes that have other names now.
const OLD_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", r#"deprecated since v1.14; use "kubernetes.io/arch" instead"#),
    ("beta.kubernetes.io/os", r#"deprecated since v1.14; use "kubernetes.io/os" instead"#),
    (
        "failure-domain.beta.kubernetes.io/region",
        r#"deprecated since v1.17; use "topology.kubernetes.io/region" instead"#,
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        r#"deprecated since v1.17; use "topology.kubernetes.io/zone" instead"#,
    ),
    (
        "beta.kubernetes.io/instance-type",
        r#"deprecated since v1.17; use "node.kubernetes.io/instance-type" instead"#,
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
    ("node-role.kubernetes.io/master", r#"use "node-role.kubernetes.io/control-plane" instead"#),
];

const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        r#"non-functional in v1.16+; use the "priorityClassName" field instead"#,
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        r#"non-functional in v1.11+; use the "sysctls" field instead"#,
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        r#"non-functional in v1.11+; use the "sysctls" field instead"#,
    ),
];

/// Volumes by their field, and how the server calls it.
const OLD_VOLUMES: [(&str, &str, &str); 9] = [
    (
        "photonPersistentDisk",
        "photonPersistentDisk",
        "deprecated in v1.11, non-functional in v1.16+",
    ),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

/// What is said of a label of nodes that has another name now.
pub fn old_label(key: &str) -> Option<&'static str> {
    OLD_LABELS.iter().find(|(known, _)| *known == key).map(|(_, words)| *words)
}

/// What is said of a pod, or of the template of pods at `pod`.
pub fn of_pod(pod: &At<'_>, is_template: bool, said: &mut Vec<String>) {
    let spec = pod.at("spec");
    nodes(&spec, said);
    let annotations = pod.to(&["metadata", "annotations"]);
    for (key, words) in OLD_ANNOTATIONS {
        let at = annotations.key(key);
        if at.is_set() {
            said.push(format!("{}: {words}", at.path));
        }
    }
    volumes(&spec.at("volumes"), said);
    crate::pod::overlaps::of_volumes(&spec.at("volumes"), said);
    twice(&spec.at("hostAliases"), "ip", said);
    twice(&spec.at("imagePullSecrets"), "name", said);
    for secret in spec.at("imagePullSecrets").items() {
        let name = secret.at("name");
        if name.is_empty() {
            said.push(format!("{}: invalid empty name \"\"", name.path));
        }
    }
    whole_bytes(&spec.at("overhead"), said);
    security(pod, &annotations, is_template, said);
    ports(&spec, said);
    let grace = spec.at("terminationGracePeriodSeconds");
    if grace.number().is_some_and(|seconds| seconds < 0) {
        said.push(format!(
            "{}: must be >= 0; negative values are invalid and will be treated as 1",
            grace.path
        ));
    }
    for kind in ["podAffinity", "podAntiAffinity"] {
        let affinity = spec.to(&["affinity", kind]);
        for term in affinity.at("requiredDuringSchedulingIgnoredDuringExecution").items() {
            no_selector(&term.at("labelSelector"), said);
        }
        for term in affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items() {
            no_selector(&term.to(&["podAffinityTerm", "labelSelector"]), said);
        }
    }
    for server in spec.to(&["dnsConfig", "nameservers"]).items() {
        address(&server, said);
    }
    for alias in spec.at("hostAliases").items() {
        address(&alias.at("ip"), said);
    }
}

fn no_selector(at: &At<'_>, said: &mut Vec<String>) {
    if !at.is_set() {
        said.push(format!("{}: a null labelSelector results in matching no pod", at.path));
    }
}

fn nodes(spec: &At<'_>, said: &mut Vec<String>) {
    let chosen = spec.at("nodeSelector");
    for (key, _) in chosen.entries() {
        if let Some(words) = old_label(key) {
            said.push(format!("{}: {words}", chosen.key(key).path));
        }
    }
    let affinity = spec.to(&["affinity", "nodeAffinity"]);
    let required = affinity.at("requiredDuringSchedulingIgnoredDuringExecution");
    for term in required.at("nodeSelectorTerms").items() {
        node_term(&term, false, said);
    }
    for term in affinity.at("preferredDuringSchedulingIgnoredDuringExecution").items() {
        node_term(&term.at("preference"), true, said);
    }
    for spread in spec.at("topologySpreadConstraints").items() {
        let key = spread.at("topologyKey");
        if let Some(words) = old_label(key.text()) {
            said.push(format!("{}: {} is {words}", key.path, key.text()));
        }
        no_selector(&spread.at("labelSelector"), said);
    }
}

/// What is said of a term that chooses nodes.
pub fn node_term(term: &At<'_>, values_too: bool, said: &mut Vec<String>) {
    for expression in term.at("matchExpressions").items() {
        let key = expression.at("key");
        if let Some(words) = old_label(key.text()) {
            said.push(format!("{}: {} is {words}", key.path, key.text()));
        }
        for value in expression.at("values").items().filter(|_| values_too) {
            for words in names::label_value(value.text()) {
                said.push(format!("{}: {} is invalid, {words}", value.path, value.text()));
            }
        }
    }
}

fn volumes(volumes: &At<'_>, said: &mut Vec<String>) {
    for volume in volumes.items() {
        for (field, shown, words) in OLD_VOLUMES {
            if volume.at(field).is_set() {
                said.push(format!("{}: {words}", volume.child(shown)));
            }
            // A claim made for the pod is looked at in its place.
            if field == "glusterfs" {
                let claim = volume.to(&["ephemeral", "volumeClaimTemplate", "spec"]);
                claim_spec(&claim, said);
            }
        }
    }
}

/// What is said of a claim's spec: sizes are whole bytes.
pub fn claim_spec(spec: &At<'_>, said: &mut Vec<String>) {
    for list in ["requests", "limits"] {
        whole(&spec.to(&["resources", list]).key("storage"), said);
    }
}

fn whole(at: &At<'_>, said: &mut Vec<String>) {
    let Ok(size) = Quantity::parse(at.text()) else { return };
    if at.is_set() && size.milli_value() % 1000 != 0 {
        said.push(format!(
            "{}: fractional byte value {} is invalid, must be an integer",
            at.path,
            manifest::field::quote(at.text())
        ));
    }
}

fn whole_bytes(list: &At<'_>, said: &mut Vec<String>) {
    for resource in ["memory", "ephemeral-storage"] {
        whole(&list.key(resource), said);
    }
}

fn twice(list: &At<'_>, field: &str, said: &mut Vec<String>) {
    let mut seen = Vec::new();
    for item in list.items() {
        let at = item.at(field);
        if seen.contains(&at.text()) {
            said.push(format!("{}: duplicate {field} \"{}\"", at.path, at.text()));
        } else {
            seen.push(at.text());
        }
    }
}

/// All containers, in the order in which the server goes through them.
fn containers<'a>(spec: &At<'a>) -> Vec<At<'a>> {
    ["initContainers", "containers", "ephemeralContainers"]
        .iter()
        .flat_map(|list| spec.at(list).items())
        .collect()
}

fn security(pod: &At<'_>, annotations: &At<'_>, is_template: bool, said: &mut Vec<String>) {
    const INSTEAD: &str = r#"non-functional in v1.27+; use the "seccompProfile" field instead"#;
    let spec = pod.at("spec");
    let of_pod = annotations.key("seccomp.security.alpha.kubernetes.io/pod");
    if of_pod.is_set() && !spec.to(&["securityContext", "seccompProfile"]).is_set() {
        said.push(format!("{}: {INSTEAD}", of_pod.path));
    }
    for container in containers(&spec) {
        let name = container.at("name").text();
        let own =
            annotations.key(&format!("container.seccomp.security.alpha.kubernetes.io/{name}"));
        if own.is_set() && !container.to(&["securityContext", "seccompProfile"]).is_set() {
            said.push(format!("{}: {INSTEAD}", own.path));
        }
        let own =
            annotations.key(&format!("container.apparmor.security.beta.kubernetes.io/{name}"));
        let field = container.to(&["securityContext", "appArmorProfile"]);
        let for_all = spec.to(&["securityContext", "appArmorProfile"]);
        if is_template
            && own.is_set()
            && !field.is_set()
            && !(for_all.is_set() && same_profile(&for_all, own.text()))
        {
            said.push(format!(
                "{}: deprecated since v1.30; use the \"appArmorProfile\" field instead",
                own.path
            ));
        }
        for list in ["limits", "requests"] {
            whole(&container.to(&["resources", list]).key("memory"), said);
        }
        for list in ["limits", "requests"] {
            whole(&container.to(&["resources", list]).key("ephemeral-storage"), said);
        }
        hidden_variables(&container.at("env"), said);
    }
}

fn same_profile(field: &At<'_>, annotation: &str) -> bool {
    match annotation {
        "runtime/default" => field.at("type").text() == "RuntimeDefault",
        "unconfined" => field.at("type").text() == "Unconfined",
        other => other.strip_prefix("localhost/").is_some_and(|profile| {
            field.at("type").text() == "Localhost" && field.at("localhostProfile").text() == profile
        }),
    }
}

fn hidden_variables(list: &At<'_>, said: &mut Vec<String>) {
    let mut seen = Vec::new();
    for variable in list.items() {
        let name = variable.at("name").text();
        if !seen.contains(&name) {
            seen.push(name);
            continue;
        }
        let reference = format!("$({name})");
        let value = variable.at("value").text();
        let hides =
            variable.at("valueFrom").is_set() || value == reference || !value.contains(&reference);
        if hides {
            said.push(format!("{}: hides previous definition of \"{name}\", which may be dropped when using apply", variable.path));
        }
    }
}

fn ports(spec: &At<'_>, said: &mut Vec<String>) {
    let mut all: BTreeMap<String, Vec<At<'_>>> = BTreeMap::new();
    let (mut of_names, mut by_name) = (Vec::new(), BTreeMap::new());
    for port in containers(spec).iter().flat_map(|container| container.at("ports").items()) {
        let number = |field: &str| port.at(field).number().unwrap_or(0);
        let (ip, host) = (port.at("hostIP").text(), number("hostPort"));
        let protocol = port.at("protocol").text();
        if !ip.is_empty() && host == 0 {
            said.push(format!(
                "{}: hostIP set without hostPort: {{Name:{} HostPort:0 ContainerPort:{} Protocol:{protocol} HostIP:{ip}}}",
                port.path,
                port.at("name").text(),
                number("containerPort"),
            ));
        }
        let others = all.entry(format!("{}/{protocol}", number("containerPort"))).or_default();
        for other in others.iter() {
            let other_host = other.at("hostPort").number().unwrap_or(0);
            let other_ip = other.at("hostIP").text();
            let how = if ip == other_ip && host == other_host {
                "duplicate port definition"
            } else if host == 0 || other_host == 0 {
                "overlapping port definition"
            } else if host == other_host && ip.is_empty() != other_ip.is_empty() {
                "dangerously ambiguous port definition"
            } else {
                continue;
            };
            said.push(format!("{}: {how} with {}", port.path, other.path));
        }
        others.push(port.clone());
        let name = port.at("name").text();
        if name.is_empty() {
            continue;
        }
        match by_name.get(name) {
            Some(first) => of_names.push(format!("{}: duplicate port name \"{name}\" with {first}, services and probes that select ports by name will use {first}", port.path)),
            None => drop(by_name.insert(name, port.path.clone())),
        }
    }
    said.extend(of_names);
}

/// What is said of an address that has another form.
pub fn address(at: &At<'_>, said: &mut Vec<String>) {
    let text = at.text();
    let quoted = manifest::field::quote(text);
    match text.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => {}
        Ok(std::net::IpAddr::V6(v6)) => match v6.to_ipv4_mapped() {
            Some(v4) => said.push(format!(
                "{}: non-standard IP address {quoted} is invalid: use \"{v4}\"",
                at.path
            )),
            None if v6.to_string() != text => said.push(format!(
                "{}: IPv6 address {quoted} should be in RFC 5952 canonical format (\"{v6}\")",
                at.path
            )),
            None => {}
        },
        Err(_) => {
            if let Some(v4) = names::with_leading_zeros(text) {
                said.push(format!(
                    "{}: non-standard IP address {quoted} is invalid: use \"{v4}\"",
                    at.path
                ));
            }
        }
    }
}

/// What is said of a block of addresses that has another form.
pub fn block(at: &At<'_>, said: &mut Vec<String>) {
    let text = at.text();
    let Some((address, bits)) = names::block(text) else { return };
    let quoted = manifest::field::quote(text);
    let first = names::first_of(address, bits);
    if first != address {
        let length = if address.is_ipv4() { 32 } else { 128 };
        said.push(format!(
            "{}: CIDR value {quoted} is ambiguous in this context (should be \"{first}/{bits}\" or \"{address}/{length}\"?)",
            at.path
        ));
    } else if address.is_ipv6() && format!("{address}/{bits}") != text {
        said.push(format!("{}: IPv6 CIDR value {quoted} should be in RFC 5952 canonical format (\"{address}/{bits}\")", at.path));
    }
}
