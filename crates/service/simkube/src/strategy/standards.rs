//! What the admission plugin PodSecurity does: pods keep to the standard that their namespace's labels
//! name.

use std::collections::BTreeMap;

use podsecurity::{Level, Policy, reasons, told, violations};
use serde_json::Value;

use crate::api::problem::{Cause, Problem};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

/// Pods that are looked at when a namespace's standard changes.
const PODS_MAX: usize = 3000;

/// Refuses a pod that breaks its namespace's standard, and warns of one, or of a template, that would.
///
/// # Errors
///
/// 403 with everything that is broken; 422 for a namespace whose labels say nothing.
pub fn admit(
    cluster: &Cluster,
    kind: &Kind,
    subresource: &str,
    old: Option<&Value>,
    new: &Value,
) -> Result<Vec<String>, Problem> {
    if kind.is("", "Namespace") && subresource.is_empty() {
        return namespace(cluster, old, new);
    }
    let is_pod = kind.is("", "Pod");
    if is_pod {
        let passes = ["binding", "eviction", "status"].contains(&subresource);
        if passes || old.is_some_and(|old| !changes_a_container(old, new)) {
            return Ok(Vec::new());
        }
    }
    let template = match template_of(kind) {
        None => return Ok(Vec::new()),
        Some(_) if !is_pod && !subresource.is_empty() => return Ok(Vec::new()),
        Some("") => Some(new),
        Some(path) => new.pointer(path),
    };
    let Some(pod) = template.filter(|template| template.is_object()) else {
        return Ok(Vec::new());
    };
    let namespace = meta::text(new, "namespace");
    let Some(found) = cluster.store.get("/namespaces", namespace) else { return Ok(Vec::new()) };
    // Hardly any namespace names one, and every write of a workload comes here.
    if !found.meta.labels.iter().any(|(name, _)| name.starts_with(podsecurity::LABELS)) {
        return Ok(Vec::new());
    }
    let found = found.value();
    let (policy, _bad) = Policy::of(found["metadata"]["labels"].as_object());
    if is_pod {
        let broken = violations(policy.enforce, pod);
        if !broken.is_empty() {
            let why = format!("violates PodSecurity \"{}\": {}", policy.enforce, told(&broken));
            return Err(Problem::forbidden(kind, meta::text(new, "name"), &why));
        }
    }
    let broken = violations(policy.warn, pod);
    let warning = format!("would violate PodSecurity \"{}\": {}", policy.warn, told(&broken));
    Ok(if broken.is_empty() { Vec::new() } else { vec![warning] })
}

/// Where an object's pods are described; `""`: it is a pod.
fn template_of(kind: &Kind) -> Option<&'static str> {
    if !kind.built_in() {
        return None;
    }
    match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => Some(""),
        ("", "PodTemplate") => Some("/template"),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => Some("/spec/template"),
        ("batch", "CronJob") => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

/// Whether an update brings an image or a container: all else that may change is not looked at.
fn changes_a_container(old: &Value, new: &Value) -> bool {
    let list =
        |pod: &Value, field: &str| pod["spec"][field].as_array().cloned().unwrap_or_default();
    let in_order = ["containers", "initContainers"].into_iter().any(|field| {
        let (old, new) = (list(old, field), list(new, field));
        old.len() != new.len()
            || old.iter().zip(&new).any(|(old, new)| old["image"] != new["image"])
    });
    let before = list(old, "ephemeralContainers");
    in_order
        || list(new, "ephemeralContainers").iter().any(|added| {
            let known = before.iter().find(|known| known["name"] == added["name"]);
            known.is_none_or(|known| known["image"] != added["image"])
        })
}

fn namespace(cluster: &Cluster, old: Option<&Value>, new: &Value) -> Result<Vec<String>, Problem> {
    let read = |object: &Value| Policy::of(object["metadata"]["labels"].as_object());
    let (policy, bad) = read(new);
    let before = old.map(read);
    let name = meta::text(new, "name");
    if !bad.is_empty() && before.as_ref().is_none_or(|(_, known)| *known != bad) {
        let causes: Vec<Cause> = bad
            .iter()
            .map(|bad| {
                let field = format!("metadata.labels[{}]", bad.name);
                let said = format!("Invalid value: {:?}: {}", bad.value, bad.must);
                meta::cause("FieldValueInvalid", &field, &said)
            })
            .collect();
        return Err(Problem::invalid("", "Namespace", name, &causes));
    }
    let Some((before, _)) = before else { return Ok(Vec::new()) };
    let (was, is) = (before.enforce, policy.enforce);
    let looser = was.minor == is.minor && is.level <= was.level;
    if was == is || is.level == Level::Privileged || looser {
        return Ok(Vec::new());
    }
    let prefix = format!("{name}/");
    let pods = cluster.store.list("/pods", &prefix, None, 0, None);
    let pods = pods.map(|page| page.entries).unwrap_or_default();
    let mut warnings = Vec::new();
    if pods.len() > PODS_MAX {
        warnings.push(format!(
            "new PodSecurity enforce level only checked against the first {PODS_MAX} of {} existing pods",
            pods.len()
        ));
    }
    // What is broken, by whom; pods come in the order of their names.
    let mut broken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, entry) in pods.iter().take(PODS_MAX) {
        let pod = entry.value();
        let found = violations(is, &pod);
        if !found.is_empty() {
            broken.entry(reasons(&found)).or_default().push(meta::text(&pod, "name").to_owned());
        }
    }
    if !broken.is_empty() {
        warnings.push(format!(
            "existing pods in namespace \"{name}\" violate the new PodSecurity enforce level \"{is}\""
        ));
    }
    let mut named: Vec<String> = broken
        .iter()
        .map(|(reasons, names)| match names.as_slice() {
            [one] => format!("{one}: {reasons}"),
            [first, _] => format!("{first} (and 1 other pod): {reasons}"),
            all => format!("{} (and {} other pods): {reasons}", all[0], all.len() - 1),
        })
        .collect();
    named.sort();
    warnings.extend(named);
    Ok(warnings)
}
