//! Metrics, traces, dashboards and scaling by them.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, find_is, int_where_set, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("coralogix.com", "Alert", Rule::Listed(CORALOGIX)),
    ("coralogix.com", "RecordingRuleGroupSet", Rule::Listed(CORALOGIX)),
    ("datadoghq.com", "DatadogMetric", Rule::Code(datadog_metric)),
    ("jaegertracing.io", "Jaeger", Rule::Steps(JAEGER)),
    ("keda.sh", "ScaledJob", Rule::Code(scaled_job)),
    ("keda.sh", "ScaledObject", Rule::Code(scaled_object)),
    ("kiali.io", "Kiali", Rule::Listed(KIALI)),
    ("monitoring.coreos.com", "Prometheus", Rule::Code(prometheus)),
    ("opentelemetry.io", "OpenTelemetryCollector", Rule::Code(collector)),
    ("operator.victoriametrics.com", "*", Rule::Code(victoria_metrics)),
];

const CORALOGIX: &[Step] = &[
    (Is("RemoteSynced", "True"), Healthy, "Resource is ready"),
    (Is("RemoteSynced", "False"), Degraded, "{message}"),
    (Otherwise, Progressing, "Waiting for status to be updated"),
];

/// An error that is reported comes first, wherever it stands.
fn datadog_metric(metric: &Value) -> Health {
    let or = |message: &str, otherwise: &str| {
        if message.is_empty() { otherwise.to_owned() } else { message.to_owned() }
    };
    if let Some(error) = find_is(metric, "Error", "True") {
        let message = or(text(error, "/message"), "DatadogMetric reported an error");
        return degraded(match text(error, "/reason") {
            "" => message,
            reason => format!("{reason}: {message}"),
        });
    }
    match find_is(metric, "Valid", "False") {
        Some(invalid) => degraded(or(text(invalid, "/message"), "DatadogMetric is not valid")),
        None => healthy("DatadogMetric is healthy"),
    }
}

const JAEGER: &[Step] = &[
    (At("/status/phase", &["Running"]), Healthy, "Jaeger is Running"),
    (At("/status/phase", &["Failed"]), Degraded, "Jaeger Failed For Some Reason"),
    (Otherwise, Progressing, "Waiting for Jaeger"),
];

/// A job of which it is unknown whether it is ready is taken for one that is not.
fn scaled_job(job: &Value) -> Health {
    scaled(job, &[("Ready", "False"), ("Ready", "Unknown")], "Waiting for ScaledJob")
}

fn scaled_object(object: &Value) -> Health {
    let trouble = [("Ready", "False"), ("Fallback", "True")];
    scaled(object, &trouble, "Creating HorizontalPodAutoscaler Object")
}

/// Trouble comes first, then a pause, which only one that is ready can make; the words are those
/// of the last condition that says any of it.
fn scaled(scaler: &Value, trouble: &[(&str, &str)], waits: &str) -> Health {
    let (mut ready, mut troubled, mut paused, mut words) = (false, false, false, "");
    for of in conditions(scaler) {
        match (text(of, "/type"), text(of, "/status")) {
            ("Ready", "True") => ready = true,
            said if trouble.contains(&said) => troubled = true,
            ("Paused", "True") => paused = true,
            _ => continue,
        }
        words = text(of, "/message");
    }
    match (troubled, ready, paused) {
        (true, _, _) => degraded(words),
        (false, true, true) => suspended(words),
        (false, true, false) => healthy(words),
        (false, false, _) => progressing(waits),
    }
}

/// An operator made with Ansible: how its last run ended; while it runs nothing is known.
const KIALI: &[Step] = &[
    (Is("Failure", "True"), Degraded, "{message}"),
    (Because("Running", "True", &["Running"]), Progressing, "{message}"),
    (Is("Successful", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Waiting for Kiali"),
];

/// Whether it can be used decides, whatever else the operator says of its own work.
fn prometheus(prometheus: &Value) -> Health {
    let says = |of: &Value| {
        let message = text(of, "/message");
        if message.is_empty() { text(of, "/reason").to_owned() } else { message.to_owned() }
    };
    match condition(prometheus, "Available") {
        None => progressing("Waiting for initialization"),
        Some(of) if text(of, "/status") == "True" => healthy("All instances are available"),
        Some(of) if text(of, "/reason") == "SomePodsNotReady" => progressing(says(of)),
        Some(of) => degraded(says(of)),
    }
}

fn collector(collector: &Value) -> Health {
    let mode = text(collector, "/spec/mode");
    if lookup(collector, "/status").is_none() {
        return progressing("Waiting for OpenTelemetry Collector status");
    }
    if mode == "sidecar" {
        return healthy("Collector is running in sidecar mode");
    }
    let scale = text(collector, "/status/scale/statusReplicas");
    let counts = scale.split_once('/').and_then(|(ready, wanted)| {
        Some((ready.parse::<u64>().ok()?, wanted.parse::<u64>().ok()?))
    });
    match counts {
        None if scale.is_empty() => progressing("Scale status not available"),
        None => progressing(format!("Unable to parse replica status: {scale}")),
        Some((0, 0)) if mode == "daemonset" => healthy("DaemonSet has no eligible nodes (0/0)"),
        Some((0, _)) => degraded("No replicas are ready"),
        Some((ready, wanted)) if ready != wanted => progressing("Replicas are starting up"),
        Some(_) => healthy("All replicas are ready"),
    }
}

fn victoria_metrics(object: &Value) -> Health {
    let observed = int_where_set(object, "/status/observedGeneration");
    if lookup(object, "/status").is_none()
        || observed.is_some_and(|observed| observed != manifest::generation(object))
    {
        return progressing("Waiting for the operator to reconcile");
    }
    let reason = text(object, "/status/reason");
    match text(object, "/status/updateStatus") {
        "operational" => healthy("All components are operational"),
        "expanding" => progressing("Reconciliation in progress"),
        "paused" => suspended("Reconciliation is paused"),
        "failed" if reason.is_empty() => degraded("Reconciliation failed"),
        "failed" => degraded(reason),
        _ => progressing("Waiting for the operator to report status"),
    }
}
