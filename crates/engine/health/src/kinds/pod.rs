use crd::HealthStatusCode::{Degraded, Healthy, Progressing, Unknown};
use crd::keys;
use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, int, items, text};

pub(super) fn assess(pod: &Value) -> Health {
    let lives_on = lives_on(pod);
    // A hook's pod whose image cannot be pulled may still run later: it is not lost yet.
    if lives_on && let Some(messages) = stuck(pod) {
        return Health::new(Degraded, messages);
    }
    let message = text(pod, "/status/message");
    match text(pod, "/status/phase") {
        "Pending" => Health::new(Progressing, message),
        "Succeeded" => Health::new(Healthy, message),
        "Failed" if message.is_empty() => Health::new(Degraded, failure(pod)),
        "Failed" => Health::new(Degraded, message),
        "Running" if lives_on => Health::new(running(pod), message),
        "Running" if ends(pod) => Health::new(Progressing, message),
        _ => Health::new(Unknown, message),
    }
}

/// Whether the pod is meant to run for ever. An annotation says so of others than hooks.
fn lives_on(pod: &Value) -> bool {
    let ignored = manifest::annotation(pod, keys::IGNORE_RESTART_POLICY) == Some("true");
    text(pod, "/spec/restartPolicy") == "Always" || ignored && !is_hook(pod)
}

fn ends(pod: &Value) -> bool {
    matches!(text(pod, "/spec/restartPolicy"), "OnFailure" | "Never")
}

/// The messages of containers that wait because something is wrong.
fn stuck(pod: &Value) -> Option<String> {
    let messages: Vec<&str> = items(pod, "/status/containerStatuses")
        .filter(|container| {
            let reason = text(container, "/state/waiting/reason");
            reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff")
        })
        .map(|container| text(container, "/state/waiting/message"))
        .collect();
    (!messages.is_empty()).then(|| messages.join(", "))
}

/// Why a pod failed that does not say it itself: the first container that does.
fn failure(pod: &Value) -> String {
    let containers =
        items(pod, "/status/initContainerStatuses").chain(items(pod, "/status/containerStatuses"));
    containers.map(failure_of).find(|why| !why.is_empty()).unwrap_or_default()
}

fn failure_of(container: &Value) -> String {
    let message = text(container, "/state/terminated/message");
    if !message.is_empty() {
        return message.to_owned();
    }
    let reason = text(container, "/state/terminated/reason");
    if reason == "OOMKilled" {
        return reason.to_owned();
    }
    match int(container, "/state/terminated/exitCode") {
        0 => String::new(),
        code => {
            format!("container \"{}\" failed with exit code {code}", text(container, "/name"))
        }
    }
}

fn running(pod: &Value) -> crd::HealthStatusCode {
    let ready = condition(pod, "Ready").is_some_and(|ready| text(ready, "/status") == "True");
    let restarted = items(pod, "/status/containerStatuses")
        .any(|container| container.pointer("/lastState/terminated").is_some_and(Value::is_object));
    match (ready, restarted) {
        (true, _) => Healthy,
        (false, true) => Degraded,
        (false, false) => Progressing,
    }
}

/// Whether the sync runs the object as a hook.
fn is_hook(object: &Value) -> bool {
    const PHASES: [&str; 5] = ["PreSync", "Sync", "PostSync", "SyncFail", "Skip"];
    match manifest::annotation(object, keys::HOOK) {
        Some(words) => {
            let mut phases: Vec<&str> =
                words.split(',').map(str::trim).filter(|word| PHASES.contains(word)).collect();
            phases.dedup();
            phases != ["Skip"]
        }
        None => manifest::annotation(object, keys::HELM_HOOK)
            .is_some_and(|words| words != "crd-install"),
    }
}
