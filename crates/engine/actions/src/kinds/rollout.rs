//! Argo Rollouts' Rollout, of every version since 0.5.

use serde_json::Value;

use super::{Kind, Run};
use crate::edit::{holds, items, remove, set, text};
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
    let waits = items(rollout, "/status/pauseConditions").next().is_some();
    let aborted = holds(rollout, "/status/abort");
    let done = is_fully_promoted(rollout);
    let blue_green = rollout.pointer("/spec/strategy/blueGreen").is_some();
    // Before 1.0 nobody could promote a blue-green rollout but by resuming it.
    let can_promote = !done && (!blue_green || is_since_1_0(rollout));
    let steps = step_count(rollout);
    let at_step = steps > 0 && current_step(rollout) < steps;
    vec![
        Action::named("restart").shown_as("Restart Pods"),
        Action::named("resume").disabled_if(!paused && !waits),
        Action::named("abort").disabled_if(done || aborted),
        Action::named("retry").disabled_if(!aborted),
        Action::named("promote-full").disabled_if(!can_promote),
        Action::named("skip-current-step").disabled_if(!at_step),
        Action::named("pause").disabled_if(paused || done || aborted),
    ]
}

/// The replica set that serves when nothing is rolled out; it moved in 0.8.
fn stable(rollout: &Value) -> &str {
    match text(rollout, "/status/stableRS") {
        "" => text(rollout, "/status/canary/stableRS"),
        stable => stable,
    }
}

fn is_fully_promoted(rollout: &Value) -> bool {
    let stable = stable(rollout);
    !stable.is_empty() && stable == text(rollout, "/status/currentPodHash")
}

/// Before 1.0 the generation that was seen was a hash, which is no number, or a number greater
/// than any generation of this object.
fn is_since_1_0(rollout: &Value) -> bool {
    let observed = match rollout.pointer("/status/observedGeneration") {
        Some(Value::String(text)) => text.parse::<i64>().ok(),
        Some(number) => number.as_i64(),
        None => None,
    };
    observed.is_some_and(|observed| observed <= manifest::generation(rollout))
}

fn step_count(rollout: &Value) -> usize {
    items(rollout, "/spec/strategy/canary/steps").count()
}

fn current_step(rollout: &Value) -> usize {
    let index = rollout.pointer("/status/currentStepIndex").and_then(Value::as_u64);
    index.and_then(|index| usize::try_from(index).ok()).unwrap_or(0)
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
    remove(rollout, &["status", "pauseConditions"]);
    if holds(rollout, "/spec/paused") {
        set(rollout, &["spec", "paused"], false);
    }
    Ok(())
}

fn retry(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    remove(rollout, &["status", "abort"]);
    Ok(())
}

/// Since 1.0 the controller does it when told; before, all steps were called done.
fn promote_full(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    if is_since_1_0(rollout) {
        set(rollout, &["status", "promoteFull"], true);
        return Ok(());
    }
    remove(rollout, &["status", "abort"]);
    remove(rollout, &["status", "pauseConditions"]);
    let steps = step_count(rollout);
    if steps > 0 {
        set(rollout, &["status", "currentStepIndex"], steps);
    }
    Ok(())
}

fn skip_current_step(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    let steps = step_count(rollout);
    let at = current_step(rollout);
    remove(rollout, &["status", "pauseConditions"]);
    if at < steps {
        set(rollout, &["status", "currentStepIndex"], at + 1);
    }
    Ok(())
}
