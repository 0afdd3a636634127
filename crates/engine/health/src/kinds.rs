//! The built-in rules, one file a kind. Their messages are part of what users' tools compare.

use serde_json::Value;

use crate::assess::Health;

mod api_service;
mod autoscaler;
mod claim;
mod daemon_set;
mod deployment;
mod ingress;
mod job;
mod pod;
mod replica_set;
mod service;
mod stateful_set;
mod workflow;

type Rule = fn(&Value) -> Health;

/// Group, kind, the versions that are known (empty: all), the word that says so where another one
/// is met, and the rule.
const RULES: &[(&str, &str, &[&str], &str, Rule)] = &[
    ("apps", "Deployment", &["v1"], "Deployment", deployment::assess),
    ("apps", "StatefulSet", &["v1"], "StatefulSet", stateful_set::assess),
    ("apps", "ReplicaSet", &["v1"], "ReplicaSet", replica_set::assess),
    ("apps", "DaemonSet", &["v1"], "DaemonSet", daemon_set::assess),
    ("", "Pod", &["v1"], "Pod", pod::assess),
    ("", "Service", &["v1"], "Service", service::assess),
    ("", "PersistentVolumeClaim", &["v1"], "PersistentVolumeClaim", claim::assess),
    ("batch", "Job", &["v1"], "Job", job::assess),
    ("extensions", "Ingress", &[], "", ingress::assess),
    ("networking.k8s.io", "Ingress", &[], "", ingress::assess),
    ("autoscaling", "HorizontalPodAutoscaler", &["v1", "v2"], "HPA", autoscaler::assess),
    ("apiregistration.k8s.io", "APIService", &["v1", "v1beta1"], "APIService", api_service::assess),
    ("argoproj.io", "Workflow", &[], "", workflow::assess),
];

/// Judges an object of a built-in kind.
pub(crate) fn assess(object: &Value) -> Option<Health> {
    let gvk = manifest::gvk(object);
    let (.., versions, word, rule) =
        RULES.iter().find(|(group, kind, ..)| *group == gvk.group && *kind == gvk.kind)?;
    if versions.is_empty() || versions.contains(&gvk.version.as_str()) {
        return Some(rule(object));
    }
    let manifest::Gvk { group, version, kind } = gvk;
    Some(Health::failed(format!("unsupported {word} GVK: {group}/{version}, Kind={kind}")))
}
