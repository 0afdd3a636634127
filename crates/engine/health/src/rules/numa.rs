//! Numaflow's pipelines, and Numaplane, which rolls them out.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, int, lookup, text};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing};

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

/// What speaks before the parts: no news yet, a failed upgrade, the phase.
fn before_parts(object: &Value) -> Option<Health> {
    let kind = text(object, "/kind");
    if lookup(object, "/status").is_none()
        || int(object, "/status/observedGeneration") != manifest::generation(object)
    {
        return Some(progressing(format!("Waiting for {kind} status")));
    }
    if manifest::label(object, "numaplane.numaproj.io/progressive-result-state") == Some("failed") {
        return Some(degraded("Failed progressive upgrade"));
    }
    match text(object, "/status/phase") {
        "Failed" => {
            let message = text(object, "/status/message");
            Some(degraded(if message.is_empty() {
                format!("{kind} failed")
            } else {
                message.into()
            }))
        }
        "Paused" => Some(healthy(format!("{kind} is paused"))),
        phase @ ("Pausing" | "Deleting") => {
            Some(progressing(format!("{kind} is {}", phase.to_lowercase())))
        }
        "" | "Unknown" | "Pending" | "New" => {
            Some(progressing(format!("Waiting for {kind} status")))
        }
        _ => None,
    }
}

/// The first part that is not well.
fn ailing(object: &Value) -> Option<&Value> {
    conditions(object).find(|condition| text(condition, "/status") != "True")
}

fn running(object: &Value) -> Health {
    before_parts(object).unwrap_or_else(|| match ailing(object) {
        Some(_) => degraded("Subresources are unhealthy"),
        None => healthy(format!("{} is healthy", text(object, "/kind"))),
    })
}

fn vertex(vertex: &Value) -> Health {
    before_parts(vertex).unwrap_or_else(|| match ailing(vertex) {
        Some(part) => degraded(text(part, "/message")),
        None => healthy("Vertex is healthy"),
    })
}

/// A buffer's parts may still come up: their reason says so.
fn buffer(buffer: &Value) -> Health {
    before_parts(buffer).unwrap_or_else(|| match ailing(buffer) {
        Some(part) if text(part, "/reason") == "Progressing" => progressing(text(part, "/message")),
        Some(part) => degraded(text(part, "/message")),
        None => healthy("InterStepBufferService is healthy"),
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
    if of("ProgressiveUpgradeSucceeded", "False").is_some() {
        return degraded("Progressive upgrade failed");
    }
    if let Some(deployed) = of("ChildResourceDeployed", "False") {
        return degraded(text(deployed, "/message"));
    }
    let pause = ["PipelinePausingOrPaused", "MonoVertexPausingOrPaused"]
        .iter()
        .find_map(|kind| of(kind, "True"));
    if let Some(pause) = pause {
        return match text(pause, "/reason") {
            reason if reason.ends_with("Paused") => healthy(text(pause, "/message")),
            _ => progressing(text(pause, "/message")),
        };
    }
    match condition(rollout, "ChildResourcesHealthy") {
        Some(child) if text(child, "/status") == "True" => healthy("Healthy"),
        Some(child) if text(child, "/reason") == "Progressing" => progressing("Child Progressing"),
        Some(child) if text(child, "/status") == "False" => degraded(text(child, "/message")),
        Some(child) => progressing(text(child, "/message")),
        None => progressing("Progressing"),
    }
}
