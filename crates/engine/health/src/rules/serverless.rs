//! Functions and services that scale to zero: Knative, KServe, OpenFaaS, Spin, Camel K.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{
    condition, conditions, find_is, int, int_where_set, last_condition, lookup, text,
};
use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::steps::{Step, listed};
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("operator.knative.dev", "KnativeEventing", Rule::Code(knative_operator)),
    ("operator.knative.dev", "KnativeServing", Rule::Code(knative_operator)),
    ("serving.knative.dev", "Service", Rule::Code(knative_service)),
    ("serving.kserve.io", "InferenceService", Rule::Code(inference_service)),
    ("openfaas.com", "Function", Rule::Code(function)),
    ("core.spinkube.dev", "SpinApp", Rule::Code(spin_app)),
    ("camel.apache.org", "Integration", Rule::Code(integration)),
];

fn knative_operator(object: &Value) -> Health {
    let kind = text(object, "/kind");
    if conditions(object).next().is_none() {
        return progressing(format!("Waiting for {kind}"));
    }
    let mut message = String::new();
    for (number, of) in conditions(object).enumerate() {
        let (kind, status) = (text(of, "/type"), text(of, "/status"));
        message.push_str(&format!("{}: {kind} | {status}\n", number + 1));
    }
    let of = |wanted: &[&str]| conditions(object).any(|of| wanted.contains(&text(of, "/status")));
    let ready = condition(object, "Ready").map_or("", |ready| text(ready, "/status"));
    if conditions(object).all(|of| text(of, "/status") == "True") && ready == "True" {
        healthy(format!("{kind} is healthy."))
    } else if of(&["Unknown", "False"]) {
        progressing(message)
    } else {
        degraded(message)
    }
}

fn knative_service(service: &Value) -> Health {
    if conditions(service).next().is_none() {
        return progressing("Waiting for Service");
    }
    let mut message = String::new();
    for of in conditions(service).filter(|of| text(of, "/status") != "True") {
        let (kind, status) = (text(of, "/type"), text(of, "/status"));
        let (reason, why) = (text(of, "/reason"), text(of, "/message"));
        message.push_str(&format!("{kind} is {status}, since {reason}. {why}\n"));
    }
    let of = |status: &str| conditions(service).any(|of| text(of, "/status") == status);
    if of("False") {
        degraded(message)
    } else if of("Unknown") {
        progressing(message)
    } else {
        healthy("Knative Service is healthy.")
    }
}

fn inference_service(service: &Value) -> Health {
    let stopped = condition(service, "Stopped").filter(|of| text(of, "/status") == "True");
    if stopped.is_some() {
        return suspended("InferenceService is Stopped");
    }
    let transition = text(service, "/status/modelStatus/transitionStatus");
    let listed = || conditions(service).filter(|of| text(of, "/type") != "Stopped");
    if listed().next().is_none() {
        return progressing("Waiting for InferenceService to report status...");
    }
    let mut parts = Vec::new();
    parts.push(match transition {
        "" => String::new(),
        transition => format!("0: transitionStatus | {transition}"),
    });
    for (number, of) in listed().enumerate() {
        let mut words = format!("{}: {} | {}", number + 1, text(of, "/type"), text(of, "/status"));
        for more in [text(of, "/reason"), text(of, "/message")] {
            if !more.is_empty() {
                words.push_str(&format!(" | {more}"));
            }
        }
        parts.push(words);
    }
    let message = parts.join(" | ");
    let failed = matches!(transition, "BlockedByFailedLoad" | "InvalidSpec");
    if failed {
        return degraded(message);
    }
    let of = |status: &str| listed().any(|of| text(of, "/status") == status);
    if transition == "InProgress" {
        return progressing(message);
    }
    if of("False") {
        degraded(message)
    } else if of("Unknown") {
        progressing(message)
    } else {
        healthy("InferenceService is healthy.")
    }
}

fn function(function: &Value) -> Health {
    let of = |kind: &str| condition(function, kind);
    let holds = |kind: &str| of(kind).filter(|met| text(met, "/status") == "True");
    if let Some(stalled) = holds("Stalled") {
        return degraded(text(stalled, "/message"));
    }
    let Some(ready) = of("Ready") else {
        return match holds("Reconciling") {
            Some(reconciling) => progressing(text(reconciling, "/message")),
            None => progressing("Waiting for Function to be reconciled"),
        };
    };
    let scaled_to_zero = of("Healthy").is_some_and(|met| text(met, "/status") == "False")
        && int(function, "/status/availableReplicas") == 0;
    match text(ready, "/status") {
        "True" if scaled_to_zero => suspended("No replicas available"),
        "True" => healthy(text(ready, "/message")),
        "False" => degraded(text(ready, "/message")),
        _ => progressing(text(ready, "/message")),
    }
}

/// An app reports the conditions of the Deployment under it.
fn spin_app(app: &Value) -> Health {
    const STUCK: &[Step] =
        &[(Because("Progressing", "False", &["ProgressDeadlineExceeded"]), Degraded, "{message}")];
    if lookup(app, "/status").is_none() {
        return progressing("Waiting for status to be available");
    }
    if let Some(health) = listed(STUCK, app) {
        return health;
    }
    let ready = int(app, "/status/readyReplicas");
    let wanted = int_where_set(app, "/spec/replicas").unwrap_or(1);
    match last_condition(app, "Available") {
        Some(available) if text(available, "/status") == "True" && ready >= wanted => {
            if let Some(busy) = find_is(app, "Progressing", "True") {
                return progressing(text(busy, "/message"));
            }
            healthy(format!("Application is healthy with {ready}/{wanted} replicas ready"))
        }
        Some(available) if text(available, "/status") == "True" => {
            progressing(format!("Waiting for replicas to be ready ({ready}/{wanted})"))
        }
        available => degraded(available.map_or("", |one| text(one, "/message"))),
    }
}

fn integration(integration: &Value) -> Health {
    let ready = condition(integration, "Ready");
    let status = ready.map_or("", |ready| text(ready, "/status"));
    match (text(integration, "/status/phase"), status) {
        ("Running", "True") => healthy(""),
        ("Error", _) => degraded(ready.map_or("", |ready| text(ready, "/message"))),
        _ => progressing("Waiting for Integration"),
    }
}
