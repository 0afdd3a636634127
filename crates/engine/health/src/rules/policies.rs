//! Policies: Open Cluster Management's and Kyverno's.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, holds, int, int_where_set, items, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

const GROUP: &str = "policy.open-cluster-management.io";

pub(super) const RULES: &[Entry] = &[
    (GROUP, "CertificatePolicy", Rule::Steps(CERTIFICATE)),
    (GROUP, "ConfigurationPolicy", Rule::Code(configuration)),
    (GROUP, "OperatorPolicy", Rule::Code(operator)),
    (GROUP, "Policy", Rule::Code(policy)),
    ("kyverno.io", "Policy", Rule::Code(kyverno)),
];

const WAITING: &str = "Waiting for the status to be reported";
const OUTDATED: &str = "Waiting for the status to be updated";

const CERTIFICATE: &[Step] = &[
    (Absent("/status/compliant"), Progressing, WAITING),
    (
        At("/status/compliant", &["Compliant"]),
        Healthy,
        "All certificates found comply with the policy",
    ),
    (Otherwise, Degraded, "At least once certificate does not comply with the policy"),
];

fn configuration(policy: &Value) -> Health {
    if lookup(policy, "/status").is_none() {
        return progressing(WAITING);
    }
    if int(policy, "/status/lastEvaluatedGeneration") != manifest::generation(policy) {
        return progressing(OUTDATED);
    }
    if lookup(policy, "/status/compliancyDetails").is_none() {
        return progressing("Waiting for compliance");
    }
    let details: Vec<String> = items(policy, "/status/compliancyDetails")
        .flat_map(|detail| items(detail, "/conditions"))
        .map(|of| format!("{} - {}", text(of, "/type"), text(of, "/message")))
        .collect();
    judged(policy, details.join("; "))
}

fn judged(policy: &Value, message: String) -> Health {
    match text(policy, "/status/compliant") {
        "Compliant" => healthy(message),
        "NonCompliant" => degraded(message),
        _ => progressing(WAITING),
    }
}

/// Older releases report no generation.
fn operator(policy: &Value) -> Health {
    if lookup(policy, "/status")
        .is_none_or(|status| status.as_object().is_some_and(|of| of.is_empty()))
    {
        return progressing(WAITING);
    }
    let observed = int_where_set(policy, "/status/observedGeneration");
    if observed.is_some_and(|observed| observed != manifest::generation(policy)) {
        return progressing(OUTDATED);
    }
    match condition(policy, "Compliant") {
        Some(compliant) if text(compliant, "/status") == "True" => {
            healthy(text(compliant, "/message"))
        }
        Some(compliant) => degraded(text(compliant, "/message")),
        None => progressing("Waiting for the compliance condition"),
    }
}

/// On the hub a policy sums up clusters; its copy in a cluster's namespace sums up templates.
fn policy(policy: &Value) -> Health {
    if holds(policy, "/spec/disabled") {
        return healthy("Policy is disabled");
    }
    if lookup(policy, "/status").is_none() {
        return progressing(WAITING);
    }
    let root = manifest::label(policy, "policy.open-cluster-management.io/root-policy").is_none();
    let compliant = text(policy, "/status/compliant");
    if compliant.is_empty() {
        let placed = lookup(policy, "/status/placement").is_some();
        let listed = items(policy, "/status/status").next().is_some();
        return if root && placed && !listed {
            healthy("No clusters match this policy")
        } else {
            progressing(WAITING)
        };
    }
    let failing = |pointer: &str, name: &str| {
        let names: Vec<&str> = items(policy, pointer)
            .filter(|one| text(one, "/compliant") != "Compliant")
            .map(|one| text(one, name))
            .collect();
        names.join(", ")
    };
    match (compliant, root) {
        ("Compliant", true) => healthy("All clusters are compliant"),
        ("Compliant", false) => healthy("All templates are compliant"),
        ("NonCompliant", true) => degraded(format!(
            "NonCompliant clusters: {}",
            failing("/status/status", "/clustername")
        )),
        ("NonCompliant", false) => degraded(format!(
            "NonCompliant templates: {}",
            failing("/status/details", "/templateMeta/name")
        )),
        _ => progressing(WAITING),
    }
}

fn kyverno(policy: &Value) -> Health {
    let ready = |of: &&Value| {
        let told = ["/type", "/status", "/reason", "/message"].map(|pointer| text(of, pointer));
        told == ["Ready", "True", "Succeeded", "Ready"]
    };
    match conditions(policy).find(ready) {
        Some(_) => healthy("Policy is ready"),
        None => progressing("Waiting for Policy to be ready"),
    }
}
