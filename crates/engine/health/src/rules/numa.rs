//! Numaflow's pipelines, and Numaplane, which rolls them out.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, int, lookup, text};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, unknown};

const FLOW: &str = "numaflow.numaproj.io";
const PLANE: &str = "numaplane.numaproj.io";

pub(super) const RULES: &[Entry] = &[
    (FLOW, "InterStepBufferService", Rule::Code(buffer)),
    (FLOW, "MonoVertex", Rule::Code(running)),
    (FLOW, "Pipeline", Rule::Code(running)),
    (FLOW, "Vertex", Rule::Code(vertex)),
    (PLANE, "ISBServiceRollout", Rule::Code(rollout)),
    (PLANE, "MonoVertexRollout", Rule::Code(rollout)),
    (PLANE, "NumaflowControllerRollout", Rule::Code(rollout)),
    (PLANE, "PipelineRollout", Rule::Code(rollout)),
];

/// What speaks before the parts: no news yet, a failed upgrade, a phase that is the end.
fn before_parts(object: &Value) -> Option<Health> {
    let kind = text(object, "/kind");
    if lookup(object, "/status").is_none()
        || int(object, "/status/observedGeneration") != manifest::generation(object)
    {
        return Some(progressing(format!("Waiting for {kind} status")));
    }
    let upgraded = manifest::label(object, "numaplane.numaproj.io/progressive-result-state");
    if upgraded == Some("failed") && kind != "Vertex" {
        return Some(degraded("Failed progressive upgrade"));
    }
    (text(object, "/status/phase") == "Failed").then(|| degraded(text(object, "/status/message")))
}

/// The first part that is not well.
fn ailing(object: &Value) -> Option<&Value> {
    conditions(object).find(|condition| text(condition, "/status") == "False")
}

/// What the phase says where all parts are well.
fn by_phase(object: &Value, paused: &[&str]) -> Health {
    let kind = text(object, "/kind");
    match text(object, "/status/phase") {
        "Running" => healthy(format!("{kind} is healthy")),
        phase if paused.contains(&phase) => healthy(format!("{kind} is paused")),
        phase @ "Deleting" => progressing(format!("{kind} is {}", phase.to_lowercase())),
        _ => progressing(format!("Waiting for {kind} status")),
    }
}

fn running(object: &Value) -> Health {
    let paused: &[&str] = match text(object, "/kind") {
        "Pipeline" => &["Paused", "Pausing"],
        _ => &["Paused"],
    };
    before_parts(object).unwrap_or_else(|| match ailing(object) {
        Some(_) => degraded("Subresources are unhealthy"),
        None => by_phase(object, paused),
    })
}

fn vertex(vertex: &Value) -> Health {
    before_parts(vertex).unwrap_or_else(|| match ailing(vertex) {
        Some(part) => degraded(text(part, "/message")),
        None => by_phase(vertex, &["Paused"]),
    })
}

/// A buffer's parts may still come up: their reason says so.
fn buffer(buffer: &Value) -> Health {
    before_parts(buffer).unwrap_or_else(|| match ailing(buffer) {
        Some(part) if text(part, "/reason") == "Progressing" => progressing(text(part, "/message")),
        Some(part) => degraded(text(part, "/message")),
        None => by_phase(buffer, &[]),
    })
}

fn rollout(rollout: &Value) -> Health {
    if lookup(rollout, "/status").is_none()
        || int(rollout, "/status/observedGeneration") != manifest::generation(rollout)
    {
        return progressing("Not yet reconciled");
    }
    match text(rollout, "/status/phase") {
        "Pending" => return progressing("Update in progress"),
        "Failed" => return degraded(text(rollout, "/status/message")),
        _ => {}
    }
    let of = |kind: &str, status: &str| {
        condition(rollout, kind).filter(|met| text(met, "/status") == status)
    };
    let kind = text(rollout, "/kind");
    if kind != "NumaflowControllerRollout" && of("ProgressiveUpgradeSucceeded", "False").is_some() {
        return degraded("Progressive upgrade failed");
    }
    if !text(rollout, "/status/upgradeInProgress").is_empty() {
        return progressing("Update in progress");
    }
    if let Some(deployed) = of("ChildResourceDeployed", "False") {
        return degraded(text(deployed, "/message"));
    }
    // What a child's failure is called, its pause, and what is said where nothing is known of it.
    let (failed, paused, unsure) = match kind {
        "ISBServiceRollout" => ("ISBSvcFailed", "", "Unknown status"),
        "MonoVertexRollout" => {
            ("MonoVertexFailed", "MonoVertexPausingOrPaused", "Unknown MonoVertex status")
        }
        "PipelineRollout" => {
            ("PipelineFailed", "PipelinePausingOrPaused", "Unknown Pipeline status")
        }
        _ => ("", "", "Unknown status"),
    };
    let child = condition(rollout, "ChildResourcesHealthy")
        .map(|child| (text(child, "/status"), text(child, "/reason"), text(child, "/message")));
    match (child, of(paused, "True")) {
        (Some(("False", reason, message)), _)
            if reason == failed || (failed.is_empty() && reason != "Progressing") =>
        {
            degraded(message)
        }
        (Some(("False", "Progressing", _)), _) => progressing("Child Progressing"),
        (_, Some(pause)) => healthy(text(pause, "/message")),
        (Some(("True", ..)), None) => healthy("Healthy"),
        (_, None) => unknown(unsure),
    }
}
