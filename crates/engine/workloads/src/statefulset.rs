//! StatefulSets: pods by number, one after the other.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::outcome::{Context, Outcome, Write, delete, is_deleting, number, of_kind, text};
use crate::template::{is_ready, phase, pod};
use crate::{history, revision};

const REVISION_LABEL: &str = "controller-revision-hash";

/// Takes the next step for a StatefulSet.
pub fn reconcile(object: &Value, owned: &[Arc<Value>], _: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let name = manifest::name(object);
    let hash = revision::name_of(&object["spec"]["template"]);
    let update_revision = format!("{name}-{hash}");
    let current_revision = match text(object, "/status/currentRevision") {
        "" => update_revision.clone(),
        known => known.to_owned(),
    };
    let wanted = number(object, "/spec/replicas", 1);
    let first = number(object, "/spec/ordinals/start", 0);
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition", 0);
    let pods = of_kind(owned, "Pod");
    let numbered = |ordinal: i64| {
        let pod_name = format!("{name}-{ordinal}");
        pods.iter().copied().find(|pod| manifest::name(pod) == pod_name)
    };
    let is_updated =
        |pod: &Value| manifest::label(pod, REVISION_LABEL) == Some(update_revision.as_str());

    let annotations = object.pointer("/metadata/annotations").cloned().unwrap_or_default();
    let label = (hash.as_str(), "controller.kubernetes.io/hash");
    history::keep(object, owned, label, &annotations, &[&current_revision], &mut outcome);
    step(
        object,
        &mut outcome,
        &Plan {
            ordinals: (first..first + wanted).collect(),
            partition,
            parallel: text(object, "/spec/podManagementPolicy") == "Parallel",
            by_hand: text(object, "/spec/updateStrategy/type") == "OnDelete",
            pods: &pods,
            numbered: &numbered,
            is_updated: &is_updated,
            update_revision: &update_revision,
        },
    );

    let alive: Vec<&Value> = pods.iter().copied().filter(|pod| !is_deleting(pod)).collect();
    let ready = alive.iter().filter(|pod| is_ready(pod)).count();
    let updated = alive.iter().filter(|pod| is_updated(pod)).count();
    let count = i64::try_from(alive.len()).unwrap_or(i64::MAX);
    let done = count == wanted && updated == alive.len() && ready == alive.len();
    let current_revision = if done { update_revision.clone() } else { current_revision };
    let current = alive
        .iter()
        .filter(|pod| manifest::label(pod, REVISION_LABEL) == Some(current_revision.as_str()))
        .count();
    let mut status = json!({
        "observedGeneration": manifest::generation(object),
        "replicas": alive.len(),
        "availableReplicas": ready,
        "currentRevision": current_revision,
        "updateRevision": update_revision,
        "collisionCount": 0,
    });
    for (field, count) in
        [("readyReplicas", ready), ("currentReplicas", current), ("updatedReplicas", updated)]
    {
        if count > 0 {
            status[field] = count.into();
        }
    }
    outcome.status(object, status);
    outcome
}

struct Plan<'a> {
    ordinals: Vec<i64>,
    /// Ordinals below it keep their revision.
    partition: i64,
    parallel: bool,
    by_hand: bool,
    pods: &'a [&'a Value],
    numbered: &'a dyn Fn(i64) -> Option<&'a Value>,
    is_updated: &'a dyn Fn(&Value) -> bool,
    update_revision: &'a str,
}

fn step(object: &Value, outcome: &mut Outcome, plan: &Plan<'_>) {
    for ordinal in &plan.ordinals {
        match (plan.numbered)(*ordinal) {
            None => {
                create(object, *ordinal, plan.update_revision, outcome);
                if !plan.parallel {
                    return;
                }
            }
            Some(pod) if matches!(phase(pod), "Failed" | "Succeeded") && !is_deleting(pod) => {
                outcome.write(delete(pod));
                return;
            }
            Some(pod) if !plan.parallel && (is_deleting(pod) || !is_ready(pod)) => return,
            Some(_) => {}
        }
    }
    // Too many: the highest number goes first, one at a time.
    let last = plan.ordinals.last().copied().unwrap_or(-1);
    let mut surplus: Vec<&Value> = plan
        .pods
        .iter()
        .copied()
        .filter(|pod| ordinal_of(pod).is_none_or(|at| at > last))
        .collect();
    surplus.sort_by_key(|pod| std::cmp::Reverse(ordinal_of(pod)));
    if let Some(pod) = surplus.first() {
        for pod in if plan.parallel { surplus.as_slice() } else { std::slice::from_ref(pod) } {
            if !is_deleting(pod) {
                outcome.write(delete(pod));
            }
        }
        return;
    }
    if plan.by_hand {
        return;
    }
    for ordinal in plan.ordinals.iter().rev().filter(|ordinal| **ordinal >= plan.partition) {
        let Some(pod) = (plan.numbered)(*ordinal) else { return };
        if is_deleting(pod) {
            return;
        }
        if !(plan.is_updated)(pod) {
            outcome.write(delete(pod));
            return;
        }
        if !is_ready(pod) {
            return;
        }
    }
}

fn ordinal_of(pod: &Value) -> Option<i64> {
    manifest::name(pod).rsplit_once('-')?.1.parse().ok()
}

fn create(object: &Value, ordinal: i64, revision: &str, outcome: &mut Outcome) {
    let name = format!("{}-{ordinal}", manifest::name(object));
    let ordinal = ordinal.to_string();
    let labels = [
        (REVISION_LABEL, revision),
        ("statefulset.kubernetes.io/pod-name", name.as_str()),
        ("apps.kubernetes.io/pod-index", ordinal.as_str()),
    ];
    let mut made = pod(object, Some(&name), &labels);
    made["spec"]["hostname"] = name.as_str().into();
    if let Some(service) = object.pointer("/spec/serviceName") {
        made["spec"]["subdomain"] = service.clone();
    }
    let claims = object.pointer("/spec/volumeClaimTemplates").and_then(Value::as_array);
    for template in claims.into_iter().flatten() {
        let volume = manifest::name(template);
        let claim_name = format!("{volume}-{name}");
        let mut claim = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": claim_name, "namespace": manifest::namespace(object)},
            "spec": template["spec"],
        });
        for field in ["labels", "annotations"] {
            if let Some(value) = template.pointer(&format!("/metadata/{field}")) {
                claim["metadata"][field] = value.clone();
            }
        }
        let selected = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
        for (key, value) in selected.into_iter().flatten() {
            manifest::set_label(&mut claim, key, value.as_str().unwrap_or(""));
        }
        outcome.write(Write::Create(claim));
        let source = json!({
            "name": volume,
            "persistentVolumeClaim": {"claimName": claim_name},
        });
        if let Some(spec) = made["spec"].as_object_mut() {
            let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
            if let Some(list) = volumes.as_array_mut() {
                list.retain(|known| text(known, "/name") != volume);
                list.push(source);
            }
        }
    }
    outcome.write(Write::Create(made));
}
