//! Argo Rollouts' Rollout, of every version since 0.5.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{
    conditions, has_conditions, holds, int, int_where_set, items, lookup, text, word,
};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("argoproj.io", "Rollout", Rule::Code(rollout)),
    ("spot.io", "SpotDeployment", Rule::Code(spot_deployment)),
];

fn rollout(rollout: &Value) -> Health {
    if !is_observed(rollout) || !is_workload_observed(rollout) {
        return progressing("Waiting for rollout spec update to be observed");
    }
    let message = text(rollout, "/status/message");
    match text(rollout, "/status/phase") {
        "Healthy" => return healthy(message),
        "Progressing" => return progressing(message),
        "Paused" => return suspended(message),
        "Degraded" => return degraded(message),
        _ => {}
    }
    // What follows is what controllers before 1.0 report.
    if let Some(health) = failed(rollout) {
        return health;
    }
    let paused = holds(rollout, "/spec/paused")
        || items(rollout, "/status/pauseConditions").next().is_some();
    if paused {
        return suspended("Rollout is paused");
    }
    if text(rollout, "/status/currentPodHash").is_empty() {
        return progressing("Waiting for rollout to finish: status has not been reconciled.");
    }
    if let Some(health) = replicas(rollout) {
        return health;
    }
    if lookup(rollout, "/spec/strategy/blueGreen").is_some() {
        blue_green(rollout)
    } else {
        canary(rollout)
    }
}

/// Conditions that end a rollout, whatever else is reported.
fn failed(rollout: &Value) -> Option<Health> {
    conditions(rollout).find_map(|condition| {
        let ends = matches!(
            (text(condition, "/type"), text(condition, "/reason")),
            ("InvalidSpec", _) | ("Progressing", "RolloutAborted" | "ProgressDeadlineExceeded")
        );
        ends.then(|| degraded(text(condition, "/message")))
    })
}

/// Before 1.0 the generation that was seen was a hash: a text that is no number, or a number
/// greater than any generation of this object, is such a hash, and is believed.
fn is_observed(rollout: &Value) -> bool {
    if lookup(rollout, "/status").is_none() {
        return false;
    }
    let generation = manifest::generation(rollout);
    let observed = lookup(rollout, "/status/observedGeneration").map(word);
    match observed.and_then(|observed| observed.parse::<i64>().ok()) {
        Some(observed) => observed >= generation,
        None => true,
    }
}

/// Where the pods are described by another object, that one's generation counts too.
fn is_workload_observed(rollout: &Value) -> bool {
    if lookup(rollout, "/spec/workloadRef").is_none() {
        return true;
    }
    let wanted = manifest::annotation(rollout, "rollout.argoproj.io/workload-generation")
        .and_then(|number| number.parse::<i64>().ok());
    let seen = lookup(rollout, "/status/workloadObservedGeneration")
        .map(word)
        .and_then(|number| number.parse::<i64>().ok());
    match (wanted, seen) {
        (Some(wanted), Some(seen)) => wanted == seen,
        _ => true,
    }
}

fn replicas(rollout: &Value) -> Option<Health> {
    let desired = int_where_set(rollout, "/spec/replicas").unwrap_or(1);
    let all = int(rollout, "/status/replicas");
    let updated = int(rollout, "/status/updatedReplicas");
    let waits = |what: &str| Some(progressing(format!("Waiting for roll out to finish: {what}")));
    if updated < desired {
        waits("More replicas need to be updated")
    } else if int(rollout, "/status/availableReplicas") < updated {
        waits("updated replicas are still becoming available")
    } else if lookup(rollout, "/spec/strategy/canary").is_some() && all > updated {
        // Blue-green keeps its old replicas for a while after all is done.
        waits("old replicas are pending termination")
    } else {
        None
    }
}

fn blue_green(rollout: &Value) -> Health {
    let active = [
        text(rollout, "/status/blueGreen/activeSelector"),
        text(rollout, "/status/activeSelector"),
    ]
    .into_iter()
    .find(|hash| !hash.is_empty());
    if active == Some(text(rollout, "/status/currentPodHash")) {
        healthy("")
    } else {
        progressing(
            "Waiting for roll out to finish: the rollout is not serving traffic from the active \
             service",
        )
    }
}

fn canary(rollout: &Value) -> Health {
    // The name of the stable one moved in 0.8.
    let stable = [text(rollout, "/status/stableRS"), text(rollout, "/status/canary/stableRS")]
        .into_iter()
        .find(|hash| !hash.is_empty());
    if stable == Some(text(rollout, "/status/currentPodHash")) {
        healthy("")
    } else {
        progressing("Waiting for rollout to finish steps")
    }
}

/// Spot's Rollout look-alike: it is well unless a condition or its phase says otherwise.
fn spot_deployment(deployment: &Value) -> Health {
    if !has_conditions(deployment) {
        return progressing("Waiting for rollout to finish: status has not been reconciled.");
    }
    if let Some(health) = failed(deployment) {
        return health;
    }
    match text(deployment, "/status/phase") {
        "Progressing" => progressing("Waiting for rollout to finish steps"),
        _ => healthy(""),
    }
}
