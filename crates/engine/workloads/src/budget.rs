//! PodDisruptionBudgets: how many of the pods that they name may go.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::outcome::{
    Condition, Context, LastUpdate, Outcome, conditions, is_deleting, number, set_condition,
};
use crate::template::{is_active, is_ready};

/// Counts the pods of a budget.
///
/// As upstream, a share of the pods, and how many may be missing, are counted from what those who
/// control the pods want; a number of pods from those that are there.
pub fn reconcile(object: &Value, _: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let pods: Vec<&Value> = context
        .neighbours
        .iter()
        .map(Arc::as_ref)
        .filter(|pod| manifest::kind(pod) == "Pod" && is_active(pod) && is_named(object, pod))
        .collect();
    let healthy = pods.iter().filter(|pod| is_ready(pod) && !is_deleting(pod)).count() as i64;
    let (expected, desired) = match counts(object, &pods, context.neighbours) {
        Ok(counts) => counts,
        Err(problem) => {
            let mut status = object.get("status").cloned().unwrap_or_else(|| json!({}));
            for (field, value) in [
                ("currentHealthy", 0),
                ("desiredHealthy", 0),
                ("expectedPods", 0),
                ("disruptionsAllowed", 0),
            ] {
                if status.get(field).is_none() || field == "disruptionsAllowed" {
                    status[field] = json!(value);
                }
            }
            status["conditions"] = told(object, "False", "SyncFailed", &problem, context);
            status["observedGeneration"] = json!(manifest::generation(object));
            outcome.status(object, status);
            return outcome;
        }
    };
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let (is_allowed, reason) = match allowed {
        0 => ("False", "InsufficientPods"),
        _ => ("True", "SufficientPods"),
    };
    outcome.status(
        object,
        json!({
            "conditions": told(object, is_allowed, reason, "", context),
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": manifest::generation(object),
        }),
    );
    outcome
}

fn told(object: &Value, status: &str, reason: &str, message: &str, context: &Context<'_>) -> Value {
    let mut all = conditions(object);
    let condition =
        Condition { kind: "DisruptionAllowed", status, reason, message: message.to_owned() };
    set_condition(&mut all, &condition, context.now, LastUpdate::None);
    for condition in all.iter_mut().filter(|one| one["type"] == "DisruptionAllowed") {
        condition["observedGeneration"] = json!(manifest::generation(object));
    }
    json!(all)
}

/// Whether a budget's selector names a pod; none at all names none.
fn is_named(budget: &Value, pod: &Value) -> bool {
    budget["spec"]["selector"].is_object()
        && kubevalid::selects(&budget["spec"]["selector"], &pod["metadata"]["labels"])
}

/// How many pods there should be, and how many must be healthy.
fn counts(
    budget: &Value,
    pods: &[&Value],
    neighbours: &[Arc<Value>],
) -> Result<(i64, i64), String> {
    let (most_missing, least) =
        (&budget["spec"]["maxUnavailable"], &budget["spec"]["minAvailable"]);
    if !most_missing.is_null() {
        let expected = wanted(pods, neighbours)?;
        return Ok((expected, (expected - part_of(most_missing, expected)).max(0)));
    }
    if least.is_string() {
        let expected = wanted(pods, neighbours)?;
        return Ok((expected, part_of(least, expected)));
    }
    let there = pods.len() as i64;
    Ok((there, least.as_i64().unwrap_or(0)))
}

/// A number, or a share of `whole` that is rounded up.
fn part_of(value: &Value, whole: i64) -> i64 {
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    (whole * percent.unwrap_or(0) + 99) / 100
}

/// How many pods those want who control these: each is asked once, a Deployment for its
/// ReplicaSets.
fn wanted(pods: &[&Value], neighbours: &[Arc<Value>]) -> Result<i64, String> {
    let by_uid = |uid: &str| neighbours.iter().find(|one| manifest::uid(one) == uid);
    let controller = |object: &Value| {
        manifest::owner_references(object).into_iter().find(|owner| owner.controller)
    };
    let mut wants: BTreeMap<String, i64> = BTreeMap::new();
    for pod in pods {
        let name = manifest::name(pod);
        let owner = controller(pod);
        let owner = owner.ok_or_else(|| format!("found no controller ref for pod {name:?}"))?;
        let found =
            by_uid(&owner.uid).ok_or_else(|| format!("found no controllers for pod {name:?}"))?;
        let above = controller(found).and_then(|above| by_uid(&above.uid)).unwrap_or(found);
        wants.insert(manifest::uid(above).to_owned(), number(above, "/spec/replicas", 1));
    }
    Ok(wants.values().sum())
}
