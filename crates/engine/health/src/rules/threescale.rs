//! 3scale API management: the product itself, and the objects that it keeps in step.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, text};
use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::steps::{Step, first};
use crate::verdicts::{degraded, healthy, progressing, suspended};

const GROUP: &str = "capabilities.3scale.net";

pub(super) const RULES: &[Entry] = &[
    ("apps.3scale.net", "APIManager", Rule::Code(api_manager)),
    (GROUP, "ActiveDoc", Rule::Code(capability)),
    (GROUP, "Application", Rule::Code(application)),
    (GROUP, "ApplicationAuth", Rule::Code(capability)),
    (GROUP, "Backend", Rule::Code(capability)),
    (GROUP, "CustomPolicyDefinition", Rule::Code(capability)),
    (GROUP, "DeveloperAccount", Rule::Code(capability)),
    (GROUP, "DeveloperUser", Rule::Code(capability)),
    (GROUP, "OpenAPI", Rule::Code(capability)),
    (GROUP, "Product", Rule::Code(capability)),
    (GROUP, "ProxyConfigPromote", Rule::Code(capability)),
    (GROUP, "Tenant", Rule::Code(application)),
];

fn api_manager(manager: &Value) -> Health {
    const STEPS: &[Step] = &[
        (Is("Available", "True"), Healthy, "3scale APIManager is available"),
        (Otherwise, Progressing, "Waiting for 3scale APIManager status..."),
    ];
    match condition(manager, "Available") {
        Some(available)
            if text(available, "/status") == "False" && !text(available, "/reason").is_empty() =>
        {
            let reason = text(available, "/reason");
            degraded(format!("3scale APIManager is degraded: {reason}"))
        }
        _ => first(STEPS, manager).expect("the last step fits everything"),
    }
}

/// The conditions that tell of failure, and what is said where they give no message.
const FAILURES: [(&str, &str); 3] = [
    ("Failed", "synchronization failed"),
    ("Invalid", "configuration is invalid"),
    ("Orphan", "references non-existing resources"),
];

fn capability(object: &Value) -> Health {
    let kind = text(object, "/kind");
    let of = |kind: &str| condition(object, kind).filter(|met| text(met, "/status") == "True");
    for (failure, otherwise) in FAILURES {
        if let Some(failed) = of(failure) {
            let message = text(failed, "/message");
            return degraded(if message.is_empty() {
                format!("3scale {kind} {otherwise}")
            } else {
                message.to_owned()
            });
        }
    }
    if let Some(waiting) = of("Waiting") {
        return suspended(text(waiting, "/message"));
    }
    if of("Ready").is_some() {
        healthy(format!("3scale {kind} is ready"))
    } else if of("Synced").is_some() {
        healthy(format!("3scale {kind} is synced"))
    } else {
        progressing(format!("Waiting for 3scale {kind} status..."))
    }
}

/// The kinds for which a `Ready` that is False is the only word of failure.
fn application(object: &Value) -> Health {
    if text(object, "/status/state") == "suspended" {
        return suspended("3scale Application is suspended");
    }
    match condition(object, "Ready") {
        Some(ready) if text(ready, "/status") == "False" => degraded(text(ready, "/message")),
        _ => capability(object),
    }
}
