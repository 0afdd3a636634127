//! Deployments: a ReplicaSet a template, and the way from one to the next.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::outcome::{
    Condition, Context, LastUpdate, Outcome, Write, conditions, controlled_by, delete, number,
    of_kind, remaining, set_condition, text, time,
};
use crate::revision;

const HASH_LABEL: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// Takes the next step for a Deployment.
pub fn reconcile(object: &Value, owned: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let sets = of_kind(owned, "ReplicaSet");
    let current = sets.iter().copied().find(|set| has_template_of(set, object));
    let old: Vec<&Value> =
        sets.iter().copied().filter(|set| !current.is_some_and(|new| same(new, set))).collect();
    let paused = object.pointer("/spec/paused").and_then(Value::as_bool).unwrap_or(false);
    let wanted = number(object, "/spec/replicas", 1);

    let highest = sets.iter().map(|set| revision_of(set)).max().unwrap_or(0);
    match current {
        None if !paused => {
            let starting = starting_replicas(object, &old, wanted);
            outcome.write(Write::Create(new_set(object, starting, highest + 1)));
        }
        None => {}
        Some(new) => {
            let newest_old = old.iter().map(|set| revision_of(set)).max().unwrap_or(0);
            let number =
                if revision_of(new) > newest_old { revision_of(new) } else { newest_old + 1 };
            annotate_revision(object, &mut outcome, number);
            if revision_of(new) == number {
                scale(object, new, &old, wanted, paused, &mut outcome);
            } else {
                let mut renumbered = (*new).clone();
                manifest::set_annotation(&mut renumbered, REVISION, &number.to_string());
                outcome.write(Write::Update(renumbered));
            }
            clean_up(object, &old, &mut outcome);
        }
    }
    let status = status(object, current, &sets, wanted, context, &mut outcome);
    outcome.status(object, status);
    outcome
}

fn same(a: &Value, b: &Value) -> bool {
    manifest::uid(a) == manifest::uid(b)
}

fn revision_of(set: &Value) -> i64 {
    manifest::annotation(set, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn has_template_of(set: &Value, deployment: &Value) -> bool {
    let mut template = set["spec"]["template"].clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH_LABEL);
    }
    let without_hash = |template: &Value| {
        let mut template = template.clone();
        // An empty label map and none at all are the same template.
        if template.pointer("/metadata/labels").is_some_and(|labels| labels == &json!({})) {
            template["metadata"].as_object_mut().map(|metadata| metadata.remove("labels"));
        }
        template
    };
    without_hash(&template) == without_hash(&deployment["spec"]["template"])
}

/// How many pods may run besides, and how many may be missing, while a template is replaced.
fn allowances(object: &Value, wanted: i64) -> (i64, i64) {
    if text(object, "/spec/strategy/type") == "Recreate" {
        return (0, wanted);
    }
    let share = |field: &str, round_up: bool| {
        let value = object.pointer(&format!("/spec/strategy/rollingUpdate/{field}"));
        match value {
            Some(Value::String(text)) => {
                let percent: i64 = text.trim_end_matches('%').parse().unwrap_or(25);
                let product = wanted * percent;
                if round_up { (product + 99) / 100 } else { product / 100 }
            }
            Some(value) => value.as_i64().unwrap_or(0),
            None if round_up => (wanted * 25 + 99) / 100,
            None => wanted * 25 / 100,
        }
    };
    let (surge, missing) = (share("maxSurge", true), share("maxUnavailable", false));
    // Both zero would never move.
    if surge == 0 && missing == 0 { (0, 1) } else { (surge, missing) }
}

fn replicas(set: &Value) -> i64 {
    number(set, "/spec/replicas", 0)
}

fn running(set: &Value) -> i64 {
    number(set, "/status/replicas", 0)
}

fn starting_replicas(object: &Value, old: &[&Value], wanted: i64) -> i64 {
    let (surge, _) = allowances(object, wanted);
    let total: i64 = old.iter().map(|set| replicas(set).max(running(set))).sum();
    if text(object, "/spec/strategy/type") == "Recreate" && total > 0 {
        return 0;
    }
    (wanted + surge - total).clamp(0, wanted)
}

fn new_set(object: &Value, replicas: i64, number: i64) -> Value {
    let mut template = object["spec"]["template"].clone();
    let hash = revision::name_of(&template);
    let labelled = template
        .as_object_mut()
        .map(|template| template.entry("metadata").or_insert_with(|| json!({})))
        .and_then(Value::as_object_mut)
        .map(|metadata| metadata.entry("labels").or_insert_with(|| json!({})))
        .and_then(Value::as_object_mut);
    if let Some(labels) = labelled {
        labels.insert(HASH_LABEL.into(), hash.clone().into());
    }
    let mut selector = object["spec"]["selector"].clone();
    if let Some(labels) = selector.get_mut("matchLabels").and_then(Value::as_object_mut) {
        labels.insert(HASH_LABEL.into(), hash.clone().into());
    } else {
        selector["matchLabels"] = json!({HASH_LABEL: hash});
    }
    let wanted = crate::outcome::number(object, "/spec/replicas", 1);
    let (surge, _) = allowances(object, wanted);
    let mut annotations: Map<String, Value> = manifest::annotations(object)
        .into_iter()
        .flatten()
        .filter(|(key, _)| {
            !matches!(key.as_str(), "kubectl.kubernetes.io/last-applied-configuration" | REVISION)
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    annotations.insert(REVISION.into(), number.to_string().into());
    annotations
        .insert("deployment.kubernetes.io/desired-replicas".into(), wanted.to_string().into());
    annotations.insert(
        "deployment.kubernetes.io/max-replicas".into(),
        (wanted + surge).to_string().into(),
    );
    let mut set = json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": format!("{}-{hash}", manifest::name(object)),
            "namespace": manifest::namespace(object),
            "labels": template.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({})),
            "annotations": annotations,
            "ownerReferences": controlled_by(object),
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    if let Some(seconds) = object.pointer("/spec/minReadySeconds") {
        set["spec"]["minReadySeconds"] = seconds.clone();
    }
    set
}

fn annotate_revision(object: &Value, outcome: &mut Outcome, number: i64) {
    if revision_of(object) != number {
        let mut annotated = object.clone();
        manifest::set_annotation(&mut annotated, REVISION, &number.to_string());
        outcome.write(Write::Update(annotated));
    }
}

fn resize(set: &Value, to: i64, outcome: &mut Outcome) {
    if replicas(set) != to {
        let mut resized = set.clone();
        resized["spec"]["replicas"] = to.into();
        outcome.write(Write::Update(resized));
    }
}

fn scale(
    object: &Value,
    new: &Value,
    old: &[&Value],
    wanted: i64,
    paused: bool,
    outcome: &mut Outcome,
) {
    let (surge, missing) = allowances(object, wanted);
    let old_total: i64 = old.iter().map(|set| replicas(set)).sum();
    if old_total == 0 && old.iter().all(|set| running(set) == 0) {
        resize(new, wanted, outcome);
        return;
    }
    if paused {
        return;
    }
    if text(object, "/spec/strategy/type") == "Recreate" {
        for set in old {
            resize(set, 0, outcome);
        }
        return;
    }
    let room = (wanted + surge - old_total - replicas(new)).max(0);
    let grown = (replicas(new) + room).min(wanted);
    resize(new, grown, outcome);

    // Unready old pods are worth nothing; ready ones may go as the new ones come. A status may
    // lag behind its set's size, so neither alone says how many there are.
    let available = |set: &Value| number(set, "/status/availableReplicas", 0).min(replicas(set));
    let enough = wanted - missing;
    let mut may_go = old_total + grown - enough - (grown - available(new));
    let mut ready_may_go =
        available(new) + old.iter().map(|set| available(set)).sum::<i64>() - enough;
    for set in old {
        let unready = (replicas(set) - available(set)).min(may_go).max(0);
        may_go -= unready;
        let going = available(set).min(may_go).min(ready_may_go).max(0);
        may_go -= going;
        ready_may_go -= going;
        resize(set, replicas(set) - unready - going, outcome);
    }
}

fn clean_up(object: &Value, old: &[&Value], outcome: &mut Outcome) {
    let limit = usize::try_from(number(object, "/spec/revisionHistoryLimit", 10)).unwrap_or(0);
    let mut empty: Vec<&&Value> =
        old.iter().filter(|set| replicas(set) == 0 && running(set) == 0).collect();
    empty.sort_by_key(|set| revision_of(set));
    for set in empty.iter().take(empty.len().saturating_sub(limit)) {
        outcome.write(delete(set));
    }
}

fn status(
    object: &Value,
    current: Option<&Value>,
    sets: &[&Value],
    wanted: i64,
    context: &Context<'_>,
    outcome: &mut Outcome,
) -> Value {
    let sum =
        |field: &str| sets.iter().map(|set| number(set, &format!("/status/{field}"), 0)).sum();
    let (total, ready, available): (i64, i64, i64) =
        (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
    let updated = current.map_or(0, running);
    let asked: i64 = sets.iter().map(|set| replicas(set)).sum();
    let unavailable = (asked.max(wanted) - available).max(0);

    let mut list = conditions(object);
    let (_, missing) = allowances(object, wanted);
    let enough = available >= wanted - missing;
    set_condition(
        &mut list,
        &Condition {
            kind: "Available",
            status: if enough { "True" } else { "False" },
            reason: if enough { "MinimumReplicasAvailable" } else { "MinimumReplicasUnavailable" },
            message: format!(
                "Deployment {} minimum availability.",
                if enough { "has" } else { "does not have" }
            ),
        },
        context.now,
        LastUpdate::Changed,
    );
    let complete = current.is_some()
        && updated == wanted
        && total == wanted
        && available == wanted
        && manifest::generation(object) > 0;
    let paused = object.pointer("/spec/paused").and_then(Value::as_bool).unwrap_or(false);
    let set_name = current.map_or("", manifest::name);
    let known = list.iter().find(|known| text(known, "/type") == "Progressing").cloned();
    let progressed = number(object, "/status/updatedReplicas", 0) != updated
        || number(object, "/status/availableReplicas", 0) != available
        || number(object, "/status/replicas", 0) != total;
    let deadline = Duration::from_secs(
        u64::try_from(number(object, "/spec/progressDeadlineSeconds", 600)).unwrap_or(600),
    );
    let progressing = if paused {
        Some(("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()))
    } else if complete {
        let message = format!("ReplicaSet \"{set_name}\" has successfully progressed.");
        Some(("True", "NewReplicaSetAvailable", message))
    } else if current.is_none() {
        None
    } else {
        let since = known
            .as_ref()
            .filter(|known| text(known, "/reason") != "NewReplicaSetAvailable" && !progressed)
            .and_then(|known| time(known, "/lastUpdateTime"))
            .unwrap_or(context.now);
        let gave_up = known
            .as_ref()
            .is_some_and(|known| text(known, "/reason") == "ProgressDeadlineExceeded");
        let left = remaining(since, deadline, context.now);
        match left.filter(|_| progressed || !gave_up) {
            Some(left) => {
                outcome.again(left);
                let message = format!("ReplicaSet \"{set_name}\" is progressing.");
                Some(("True", "ReplicaSetUpdated", message))
            }
            None => {
                let message = format!("ReplicaSet \"{set_name}\" has timed out progressing.");
                Some(("False", "ProgressDeadlineExceeded", message))
            }
        }
    };
    if let Some((state, reason, message)) = progressing {
        // A step forward starts the deadline anew.
        let moved = progressed && reason == "ReplicaSetUpdated";
        let updates = if moved { LastUpdate::Now } else { LastUpdate::Changed };
        let condition = Condition { kind: "Progressing", status: state, reason, message };
        set_condition(&mut list, &condition, context.now, updates);
    }

    let mut status = json!({
        "observedGeneration": manifest::generation(object),
        "conditions": list,
    });
    let counts = [
        ("replicas", total),
        ("updatedReplicas", updated),
        ("readyReplicas", ready),
        ("availableReplicas", available),
        ("unavailableReplicas", unavailable),
    ];
    for (field, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        status[field] = count.into();
    }
    status
}
