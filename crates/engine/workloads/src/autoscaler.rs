//! HorizontalPodAutoscalers: they keep their target within its bounds, and see no load.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::outcome::{
    Condition, Context, LastUpdate, Outcome, Write, conditions, number, set_condition, text,
};

/// Brings the target of an autoscaler within its bounds, and says that nothing more is needed.
pub fn reconcile(object: &Value, _: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let mut all = conditions(object);
    let mut tell = |kind: &str, status: &str, reason: &str, message: String| {
        let condition = Condition { kind, status, reason, message };
        set_condition(&mut all, &condition, context.now, LastUpdate::None);
    };
    let Some(target) = context.neighbours.first() else {
        let (kind, name) =
            (text(object, "/spec/scaleTargetRef/kind"), text(object, "/spec/scaleTargetRef/name"));
        let message = format!(
            "the HPA controller was unable to get the target's current scale: {kind} {name:?} not found"
        );
        tell("AbleToScale", "False", "FailedGetScale", message);
        let mut status = object.get("status").cloned().unwrap_or_else(|| json!({}));
        status["conditions"] = json!(all);
        for field in ["currentReplicas", "desiredReplicas"] {
            status[field] = json!(number(object, &format!("/status/{field}"), 0));
        }
        outcome.status(object, status);
        return outcome;
    };
    let wanted = number(target, "/spec/replicas", 1);
    let bounded = wanted.clamp(number(object, "/spec/minReplicas", 1), i64::MAX).min(number(
        object,
        "/spec/maxReplicas",
        i64::MAX,
    ));
    let desired = if wanted == 0 { 0 } else { bounded };
    let message = "recommended size matches current size".to_owned();
    tell("AbleToScale", "True", "ReadyForNewScale", message);
    if wanted == 0 {
        let message = "scaling is disabled since the replica count of the target is zero";
        tell("ScalingActive", "False", "ScalingDisabled", message.to_owned());
    } else {
        let message = "this cluster is simulated: every load is as it should be".to_owned();
        tell("ScalingActive", "True", "ValidMetricFound", message);
        let message = "the desired count is within the acceptable range".to_owned();
        tell("ScalingLimited", "False", "DesiredWithinRange", message);
    }
    if desired != wanted {
        let mut scaled = Value::clone(target);
        scaled["spec"]["replicas"] = json!(desired);
        outcome.write(Write::Update(scaled));
    }
    let mut status = object.get("status").cloned().unwrap_or_else(|| json!({}));
    status["conditions"] = json!(all);
    status["currentReplicas"] = json!(number(target, "/status/replicas", 0));
    status["desiredReplicas"] = json!(desired);
    if manifest::generation(object) > 0 {
        status["observedGeneration"] = json!(manifest::generation(object));
    }
    outcome.status(object, status);
    outcome
}
