//! Argo Rollouts' Rollout, of every version since 0.5.

use serde_json::Value;

use super::{Kind, Run};
use crate::edit::{holds, items, remove, set};
use crate::error::ActionError;
use crate::offer::{Action, Call};

pub(super) const KINDS: &[Kind] = &[Kind {
    group: "argoproj.io",
    kind: "Rollout",
    offers,
    actions: &[
        ("abort", Run::Patch(abort)),
        ("pause", Run::Patch(pause)),
        ("promote-full", Run::Patch(promote_full)),
        ("restart", Run::Patch(restart)),
        ("resume", Run::Patch(resume)),
        ("retry", Run::Patch(retry)),
        ("skip-current-step", Run::Patch(skip_current_step)),
    ],
}];

fn offers(rollout: &Value) -> Vec<Action> {
    let paused = holds(rollout, "/spec/paused");
    let waits = match rollout.pointer("/status/pauseConditions") {
        Some(Value::Array(conditions)) => !conditions.is_empty(),
        _ => paused,
    };
    let aborted = holds(rollout, "/status/abort");
    let done = is_fully_promoted(rollout);
    let blue_green = rollout.pointer("/spec/strategy/blueGreen").is_some();
    // Before 1.0 nobody could promote a blue-green rollout but by resuming it.
    let can_promote = !done && (!blue_green || is_since_1_0(rollout));
    let at_step = has_steps(rollout) && current_step(rollout) != Some(step_count(rollout));
    vec![
        Action::named("restart").shown_as("Restart Pods"),
        Action::named("resume").disabled_if(!waits),
        Action::named("abort").disabled_if(done || aborted),
        Action::named("retry").disabled_if(done || !aborted),
        Action::named("promote-full").disabled_if(!can_promote),
        Action::named("skip-current-step").disabled_if(!at_step),
        Action::named("pause").disabled_if(paused || done || aborted),
    ]
}

/// Whether the replica set that serves is the one that is wanted. Where there is neither yet,
/// nothing is rolled out.
fn is_fully_promoted(rollout: &Value) -> bool {
    let hash = |pointer: &str| rollout.pointer(pointer).filter(|hash| !hash.is_null());
    hash("/status/stableRS") == hash("/status/currentPodHash")
}

/// Before 1.0 the generation that was seen was a hash, which is no number, or a number greater
/// than any generation of this object.
fn is_since_1_0(rollout: &Value) -> bool {
    let observed = match rollout.pointer("/status/observedGeneration") {
        Some(Value::String(text)) => text.parse::<f64>().ok(),
        Some(number) => number.as_f64(),
        None => None,
    };
    let generation = rollout.pointer("/metadata/generation").and_then(Value::as_f64);
    observed.is_some_and(|observed| observed <= generation.unwrap_or(0.0))
}

fn has_steps(rollout: &Value) -> bool {
    rollout.pointer("/spec/strategy/canary/steps").is_some_and(Value::is_array)
}

fn step_count(rollout: &Value) -> usize {
    items(rollout, "/spec/strategy/canary/steps").count()
}

fn current_step(rollout: &Value) -> Option<usize> {
    let index = rollout.pointer("/status/currentStepIndex").and_then(Value::as_u64)?;
    usize::try_from(index).ok()
}

fn abort(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(rollout, &["status", "abort"], true);
    Ok(())
}

fn pause(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(rollout, &["spec", "paused"], true);
    Ok(())
}

fn restart(rollout: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    set(rollout, &["spec", "restartAt"], call.time());
    Ok(())
}

fn resume(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    go_on(rollout);
    if holds(rollout, "/spec/paused") {
        set(rollout, &["spec", "paused"], false);
    }
    Ok(())
}

/// Takes away what the rollout waits for.
fn go_on(rollout: &mut Value) {
    if items(rollout, "/status/pauseConditions").next().is_some() {
        remove(rollout, &["status", "pauseConditions"]);
    }
}

fn retry(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    remove(rollout, &["status", "abort"]);
    Ok(())
}

/// Since 1.0 the controller does it when told; before, all steps of a canary were called done, and
/// a blue-green rollout could only be resumed.
fn promote_full(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    if is_since_1_0(rollout) {
        set(rollout, &["status", "promoteFull"], true);
        return Ok(());
    }
    if rollout.pointer("/spec/strategy/canary").is_none() {
        let words = "a rollout without a canary is promoted by resuming it";
        return Err(ActionError::Refused(words.to_owned()));
    }
    remove(rollout, &["status", "abort"]);
    if has_steps(rollout) && holds(rollout, "/status") {
        let steps = step_count(rollout);
        set(rollout, &["status", "currentStepIndex"], steps);
    }
    Ok(())
}

fn skip_current_step(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    let at = current_step(rollout).unwrap_or(0);
    if at < step_count(rollout) && holds(rollout, "/status") {
        go_on(rollout);
        set(rollout, &["status", "currentStepIndex"], at + 1);
    }
    Ok(())
}
