//! DaemonSets: one pod on the one simulated node.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::outcome::{Context, Outcome, Write, delete, is_deleting, number, of_kind, text};
use crate::template::{is_active, is_ready, pod};
use crate::{history, revision};

const REVISION_LABEL: &str = "controller-revision-hash";

/// Takes the next step for a DaemonSet.
pub fn reconcile(object: &Value, owned: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let hash = revision::name_of(&object["spec"]["template"]);
    let generation = manifest::generation(object).to_string();
    let annotations = json!({"deprecated.daemonset.template.generation": generation});
    history::keep(object, owned, (&hash, REVISION_LABEL), &annotations, &[], &mut outcome);
    let wanted = usize::from(fits(object, context.node));
    let pods = of_kind(owned, "Pod");
    let is_updated = |pod: &Value| manifest::label(pod, REVISION_LABEL) == Some(hash.as_str());
    let by_hand = text(object, "/spec/updateStrategy/type") == "OnDelete";
    let mut kept: Vec<&Value> = Vec::new();
    for pod in pods.iter().copied().filter(|pod| !is_deleting(pod)) {
        if !is_active(pod) || kept.len() == wanted || (!by_hand && !is_updated(pod)) {
            outcome.write(delete(pod));
        } else {
            kept.push(pod);
        }
    }
    if kept.len() < wanted && pods.iter().all(|pod| !is_active(pod)) {
        let labels = [(REVISION_LABEL, hash.as_str()), ("pod-template-generation", &generation)];
        let mut made = pod(object, None, &labels);
        made["spec"]["nodeName"] = context.node.into();
        outcome.write(Write::Create(made));
    }
    let ready = kept.iter().filter(|pod| is_ready(pod)).count();
    let updated = kept.iter().filter(|pod| is_updated(pod)).count();
    let mut status = json!({
        "currentNumberScheduled": kept.len(),
        "desiredNumberScheduled": wanted,
        "numberMisscheduled": 0,
        "numberReady": ready,
        "observedGeneration": manifest::generation(object),
    });
    for (field, count) in [
        ("updatedNumberScheduled", updated),
        ("numberAvailable", ready),
        ("numberUnavailable", wanted - ready),
    ] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    outcome.status(object, status);
    outcome
}

/// Whether the node answers the pod's node selector: it has no labels but its name and system.
fn fits(object: &Value, node: &str) -> bool {
    let selector = object.pointer("/spec/template/spec/nodeSelector").and_then(Value::as_object);
    number(object, "/metadata/generation", 1) > 0
        && selector.into_iter().flatten().all(|(key, value)| match key.as_str() {
            "kubernetes.io/os" => value == "linux",
            "kubernetes.io/arch" => value == "amd64",
            "kubernetes.io/hostname" => value == node,
            _ => false,
        })
}
