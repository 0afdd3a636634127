//! ReplicaSets: as many pods as are asked for.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::outcome::{Context, Outcome, Write, delete, number, of_kind, text};
use crate::template::{is_active, is_ready, pod};

/// Takes the next step for a ReplicaSet.
pub fn reconcile(object: &Value, owned: &[Arc<Value>], _: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut pods: Vec<&Value> =
        of_kind(owned, "Pod").into_iter().filter(|pod| is_active(pod)).collect();
    let wanted = usize::try_from(number(object, "/spec/replicas", 1)).unwrap_or(0);
    for _ in pods.len()..wanted {
        outcome.write(Write::Create(pod(object, None, &[])));
    }
    // What is not ready goes first, then what is newest.
    pods.sort_by(|a, b| {
        let newer =
            text(b, "/metadata/creationTimestamp").cmp(text(a, "/metadata/creationTimestamp"));
        is_ready(a).cmp(&is_ready(b)).then(newer)
    });
    for surplus in pods.iter().take(pods.len().saturating_sub(wanted)) {
        outcome.write(delete(surplus));
    }
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let mut status = json!({
        "replicas": pods.len(),
        "observedGeneration": manifest::generation(object),
    });
    if !pods.is_empty() {
        status["fullyLabeledReplicas"] = pods.len().into();
    }
    if ready > 0 {
        status["readyReplicas"] = ready.into();
        status["availableReplicas"] = ready.into();
    }
    outcome.status(object, status);
    outcome
}
