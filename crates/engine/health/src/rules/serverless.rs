//! Functions and services that scale to zero: Knative, KServe, OpenFaaS, Spin, Camel K.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{
    any_is, condition, conditions, find_is, has_conditions, int, int_where_set, last_condition,
    lookup, text, word,
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
    ("camel.apache.org", "Integration", Rule::Steps(INTEGRATION)),
];

/// An operator is well when what it needs is reported and holds, whatever else is reported.
fn knative_operator(object: &Value) -> Health {
    let kind = text(object, "/kind");
    if !has_conditions(object) {
        return progressing(format!("Waiting for {kind}"));
    }
    let needed: &[&str] = match kind {
        "KnativeServing" => {
            &["DependenciesInstalled", "DeploymentsAvailable", "InstallSucceeded", "Ready"]
        }
        _ => &["InstallSucceeded", "Ready"],
    };
    let mut message = String::new();
    for (number, of) in conditions(object).enumerate() {
        let (kind, status) = (text(of, "/type"), text(of, "/status"));
        message.push_str(&format!("{}: {kind} | {status}\n", number + 1));
    }
    let unsure = |of: &Value| matches!(text(of, "/status"), "Unknown" | "False");
    if needed.iter().all(|of_type| any_is(object, of_type, "True")) {
        healthy(format!("{kind} is healthy."))
    } else if conditions(object).any(unsure) {
        progressing(message)
    } else {
        degraded(message)
    }
}

/// All three that Knative reports must hold, and nothing else be against it.
fn knative_service(service: &Value) -> Health {
    const NEEDED: [&str; 3] = ["ConfigurationsReady", "Ready", "RoutesReady"];
    if !has_conditions(service) {
        return progressing("Waiting for status update.");
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
    } else if of("Unknown") || !NEEDED.iter().all(|needed| any_is(service, needed, "True")) {
        progressing(message)
    } else {
        healthy("Knative Service is healthy.")
    }
}

/// Whether a model could be loaded says the model's own state; what is not ready yet may become
/// so. The message lists what is not as it should be, numbered as it is reported.
fn inference_service(service: &Value) -> Health {
    if any_is(service, "Stopped", "True") {
        return suspended("InferenceService is Stopped");
    }
    if !has_conditions(service) {
        return progressing("Waiting for InferenceService to report status...");
    }
    let transition = lookup(service, "/status/modelStatus/transitionStatus").map(word);
    let transition = transition.as_deref().filter(|transition| *transition != "UpToDate");
    let mut parts = vec![match transition {
        None => String::new(),
        Some(transition) => format!("0: transitionStatus | {transition}"),
    }];
    let not_ready = |of: &&Value| {
        text(of, "/status") == "Unknown"
            || (text(of, "/status") == "False" && text(of, "/type") != "Stopped")
    };
    for (number, of) in conditions(service).enumerate().filter(|(_, of)| not_ready(of)) {
        if text(of, "/type") == "Stopped" {
            continue;
        }
        let mut words = format!("{}: {} | {}", number + 1, text(of, "/type"), text(of, "/status"));
        for more in [text(of, "/reason"), text(of, "/message")] {
            if !more.is_empty() {
                words.push_str(&format!(" | {more}"));
            }
        }
        parts.push(words);
    }
    let message = parts.join(" | ");
    match transition {
        Some("InProgress") => progressing(message),
        Some(_) => degraded(message),
        None if conditions(service).any(|of| not_ready(&of)) => progressing(message),
        None => healthy("InferenceService is healthy."),
    }
}

fn function(function: &Value) -> Health {
    let ready = condition(function, "Ready");
    let says = ready.map_or("", |ready| text(ready, "/message"));
    match ready.map(|ready| text(ready, "/status")) {
        Some("True") if int(function, "/status/replicas") == 0 => {
            suspended("No replicas available")
        }
        Some("True") => healthy(says),
        Some("False") => degraded(says),
        _ => match find_is(function, "Stalled", "True") {
            Some(stalled) => degraded(text(stalled, "/message")),
            None => progressing("Waiting for Function"),
        },
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

const INTEGRATION: &[Step] = &[
    (Is("Ready", "True"), Healthy, "{message}"),
    (Is("Ready", "False"), Degraded, "{message}"),
    (Otherwise, Progressing, "Waiting for Integration"),
];
