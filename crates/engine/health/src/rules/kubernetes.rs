//! Kinds of Kubernetes itself that are judged by what their status says.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, items, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

pub(super) const RULES: &[Entry] = &[
    ("apiextensions.k8s.io", "CustomResourceDefinition", Rule::Code(definition)),
    ("batch", "CronJob", Rule::Code(cron_job)),
    ("policy", "PodDisruptionBudget", Rule::Code(disruption_budget)),
    ("snapshot.storage.k8s.io", "VolumeSnapshot", Rule::Steps(SNAPSHOT)),
    ("snapshot.storage.k8s.io", "VolumeSnapshotContent", Rule::Steps(SNAPSHOT)),
    ("networking.gke.io", "ManagedCertificate", Rule::Code(managed_certificate)),
];

fn definition(definition: &Value) -> Health {
    if conditions(definition).next().is_none() {
        return progressing("Status conditions not found");
    }
    let of = |kind: &str, status: &str| {
        condition(definition, kind).filter(|met| text(met, "/status") == status)
    };
    if let Some(names) = of("NamesAccepted", "False") {
        let why = text(names, "/message");
        return degraded(format!("CRD names have not been accepted: {why}"));
    }
    if let Some(terminating) = of("Terminating", "True") {
        return progressing(format!("CRD is terminating: {}", text(terminating, "/message")));
    }
    match condition(definition, "Established") {
        Some(established) if text(established, "/status") == "True" => {}
        Some(established) if text(established, "/reason") == "Installing" => {
            return progressing("CRD is being installed");
        }
        Some(_) | None => return degraded("CRD is not established"),
    }
    if let Some(violations) = of("NonStructuralSchema", "True") {
        return degraded(format!("Schema violations found: {}", text(violations, "/message")));
    }
    healthy("CRD is healthy")
}

/// A CronJob is well unless its last finished run is known to have failed: times in RFC 3339 in
/// UTC order as texts.
fn cron_job(job: &Value) -> Health {
    if job.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        return healthy("CronJob is Suspended");
    }
    if lookup(job, "/status").is_none() {
        return progressing("Waiting for CronJob");
    }
    let running = lookup(job, "/status/active").and_then(Value::as_array);
    if running.is_some_and(|jobs| !jobs.is_empty()) {
        return healthy("The job is running. Its last execution may not have been successful");
    }
    let scheduled = text(job, "/status/lastScheduleTime");
    let succeeded = text(job, "/status/lastSuccessfulTime");
    if scheduled.is_empty() {
        healthy("CronJob has not been scheduled yet")
    } else if succeeded.is_empty() {
        healthy("The CronJob never completed successfully. It may not be healthy")
    } else if succeeded >= scheduled {
        healthy("CronJob has completed its last execution successfully")
    } else {
        degraded("CronJob has not completed its last execution successfully")
    }
}

/// Too few pods to allow a disruption is what a budget is for; that it allows none for another
/// reason is not.
fn disruption_budget(budget: &Value) -> Health {
    let words = |of: &Value| format!("PodDisruptionBudget has {}", text(of, "/reason"));
    let refuses =
        |of: &&Value| text(of, "/status") == "False" && text(of, "/reason") != "InsufficientPods";
    match (conditions(budget).find(refuses), conditions(budget).next()) {
        (Some(refused), _) => degraded(words(refused)),
        (None, Some(first)) => healthy(words(first)),
        (None, None) => progressing("Waiting for status"),
    }
}

const SNAPSHOT: &[Step] = &[
    (At("/status/readyToUse", &["true"]), Healthy, "Ready to use"),
    (Present("/status/error/message"), Degraded, "{/status/error/message}"),
    (Otherwise, Progressing, "Waiting for status"),
];

/// One domain that failed is enough; otherwise the certificate speaks for all.
fn managed_certificate(certificate: &Value) -> Health {
    let mut domains = items(certificate, "/status/domainStatus");
    if domains.any(|domain| text(domain, "/status").starts_with("Failed")) {
        return degraded("At least one certificate has failed to be provisioned");
    }
    if text(certificate, "/status/certificateStatus") == "Active" {
        return healthy("All certificates are active");
    }
    progressing("At least one certificate is still being provisioned")
}
