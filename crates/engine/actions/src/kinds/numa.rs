//! Numaflow's pipelines, and Numaplane, which rolls them out.
//!
//! A pipeline is paused by its desired phase. It comes back fast, with the replicas that it had,
//! or slowly, from few; an annotation in a rollout says which ways are allowed ("fast",
//! "slow, fast"; slowly where nothing is said). What a rollout made is paused by the rollout.

use serde_json::Value;

use super::{Kind, Run};
use crate::edit::{annotate, items, remove, set, text};
use crate::error::ActionError;
use crate::offer::{Action, Call};

const FLOW: &str = "numaflow.numaproj.io";
const PLANE: &str = "numaplane.numaproj.io";
const ALLOWED: &str = "numaflow.numaproj.io/allowed-resume-strategies";
const STRATEGY: &str = "numaflow.numaproj.io/resume-strategy";
const DATA_LOSS: &str = "numaplane.numaproj.io/allow-data-loss";
const PROMOTE: &str = "numaplane.numaproj.io/force-promote";
const DELETE: &str = "numaplane.numaproj.io/marked-for-deletion";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: FLOW,
        kind: "InterStepBufferService",
        offers: |buffer| vec![force_promote_offer(buffer)],
        actions: &[("force-promote", Run::Patch(force_promote))],
    },
    Kind {
        group: FLOW,
        kind: "MonoVertex",
        offers: mono_vertex,
        actions: &[
            ("pause", Run::Patch(pause)),
            ("unpause-gradual", Run::Patch(unpause_vertex_gradually)),
            ("unpause-fast", Run::Patch(unpause_vertex_fast)),
            ("force-promote", Run::Patch(force_promote)),
        ],
    },
    Kind {
        group: FLOW,
        kind: "Pipeline",
        offers: pipeline,
        actions: &[
            ("pause", Run::Patch(pause)),
            ("unpause-gradual", Run::Patch(unpause_pipeline_gradually)),
            ("unpause-fast", Run::Patch(unpause_pipeline_fast)),
            ("force-promote", Run::Patch(force_promote)),
            ("delete", Run::Patch(mark_for_deletion)),
        ],
    },
    Kind {
        group: PLANE,
        kind: "MonoVertexRollout",
        offers: |rollout| rollout_offers(rollout, "monoVertex"),
        actions: &[
            ("pause", Run::Patch(pause_vertex_rollout)),
            ("unpause-gradual", Run::Patch(resume_vertex_rollout_gradually)),
            ("unpause-fast", Run::Patch(resume_vertex_rollout_fast)),
        ],
    },
    Kind {
        group: PLANE,
        kind: "PipelineRollout",
        offers: pipeline_rollout,
        actions: &[
            ("pause", Run::Patch(pause_pipeline_rollout)),
            ("unpause-gradual", Run::Patch(resume_pipeline_rollout_gradually)),
            ("unpause-fast", Run::Patch(resume_pipeline_rollout_fast)),
            ("allow-data-loss", Run::Patch(allow_data_loss)),
            ("disallow-data-loss", Run::Patch(disallow_data_loss)),
        ],
    },
];

/// What pausing and the two ways back look like, given whether it is paused and which ways are
/// allowed.
fn pausing(paused: bool, allowed: &str) -> Vec<Action> {
    let (slowly, fast) = match allowed {
        "fast" => (false, true),
        "slow, fast" => (true, true),
        _ => (true, false),
    };
    let play = |name: &str| Action::named(name).icon("fa-solid fa-fw fa-play");
    vec![
        Action::named("pause").icon("fa-solid fa-fw fa-pause").disabled_if(paused),
        play("unpause-gradual").shown_as("Unpause (gradual)").disabled_if(!(paused && slowly)),
        play("unpause-fast").shown_as("Unpause (fast)").disabled_if(!(paused && fast)),
    ]
}

/// An upgrade that is still being watched can be called good.
fn force_promote_offer(object: &Value) -> Action {
    let upgrades = matches!(upgrade_state(object), Some("in-progress" | "trial"));
    let told = manifest::label(object, PROMOTE) == Some("true");
    Action::named("force-promote").icon("fa-solid fa-fw fa-forward").disabled_if(!upgrades || told)
}

fn upgrade_state(object: &Value) -> Option<&str> {
    manifest::label(object, "numaplane.numaproj.io/upgrade-state")
}

/// What can be done to a vertex or a pipeline, given whether somebody else pauses it.
fn flow(object: &Value, ruled: bool) -> Vec<Action> {
    let paused = text(object, "/spec/lifecycle/desiredPhase") == "Paused";
    let mut all = pausing(paused, "");
    if ruled {
        all = all.into_iter().map(|action| action.disabled_if(true)).collect();
    }
    all.push(force_promote_offer(object).shown_as("Force Promote"));
    all
}

fn is_made_by(object: &Value, kind: &str) -> bool {
    items(object, "/metadata/ownerReferences").any(|owner| text(owner, "/kind") == kind)
}

fn mono_vertex(vertex: &Value) -> Vec<Action> {
    flow(vertex, is_made_by(vertex, "MonoVertexRollout"))
}

/// An upgrade's old pipeline can be deleted when it is no longer needed; one that should have
/// been gone long ago is left to people by its rollout.
fn pipeline(pipeline: &Value) -> Vec<Action> {
    let state = upgrade_state(pipeline);
    let expired = state == Some("recyclable-expired");
    let mut all = flow(pipeline, is_made_by(pipeline, "PipelineRollout") && !expired);
    all.push(
        Action::named("delete")
            .icon("fa-solid fa-fw fa-trash")
            .shown_as("Delete")
            .disabled_if(!expired && state != Some("recyclable")),
    );
    all
}

fn rollout_offers(rollout: &Value, child: &str) -> Vec<Action> {
    let at = |rest: &str| text(rollout, &format!("/spec/{child}/{rest}"));
    let key = ALLOWED.replace('/', "~1");
    let allowed = at(&format!("metadata/annotations/{key}"));
    pausing(at("spec/lifecycle/desiredPhase") == "Paused", allowed)
}

/// Data may be lost only where an upgrade waits for a pipeline to run dry.
fn pipeline_rollout(rollout: &Value) -> Vec<Action> {
    let mut all = rollout_offers(rollout, "pipeline");
    let draining = text(rollout, "/status/upgradeInProgress") == "PipelinePauseAndDrain";
    let allowed = manifest::annotation(rollout, DATA_LOSS) == Some("true");
    all.push(
        Action::named("allow-data-loss")
            .icon("fa-solid fa-fw fa-unlock")
            .shown_as("Allow (Possible) Data Loss")
            .disabled_if(!draining),
    );
    all.push(
        Action::named("disallow-data-loss")
            .icon("fa-solid fa-fw fa-lock")
            .shown_as("Disallow Data Loss")
            .disabled_if(!allowed),
    );
    all
}

fn force_promote(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(object, &["metadata", "labels", PROMOTE], "true");
    Ok(())
}

fn mark_for_deletion(pipeline: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(pipeline, DELETE, "true");
    Ok(())
}

const PHASE: [&str; 3] = ["spec", "lifecycle", "desiredPhase"];

fn pause(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(object, &PHASE, "Paused");
    Ok(())
}

/// Without a number of replicas a vertex starts from the fewest it may have.
fn unpause_vertex_gradually(vertex: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    remove(vertex, &["spec", "replicas"]);
    set(vertex, &PHASE, "Running");
    Ok(())
}

fn unpause_vertex_fast(vertex: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(vertex, &PHASE, "Running");
    Ok(())
}

fn unpause_pipeline_gradually(pipeline: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(pipeline, STRATEGY, "slow");
    set(pipeline, &PHASE, "Running");
    Ok(())
}

fn unpause_pipeline_fast(pipeline: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(pipeline, STRATEGY, "fast");
    set(pipeline, &PHASE, "Running");
    Ok(())
}

fn set_rollout(rollout: &mut Value, child: &str, phase: &str) {
    set(rollout, &["spec", child, "spec", "lifecycle", "desiredPhase"], phase);
}

fn resume_rollout(rollout: &mut Value, child: &str, fast: bool) {
    set_rollout(rollout, child, "Running");
    set(rollout, &["spec", "strategy", "pauseResume", "fastResume"], fast);
}

fn pause_vertex_rollout(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set_rollout(rollout, "monoVertex", "Paused");
    Ok(())
}

fn resume_vertex_rollout_gradually(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    resume_rollout(rollout, "monoVertex", false);
    Ok(())
}

fn resume_vertex_rollout_fast(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    resume_rollout(rollout, "monoVertex", true);
    Ok(())
}

fn pause_pipeline_rollout(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set_rollout(rollout, "pipeline", "Paused");
    Ok(())
}

fn resume_pipeline_rollout_gradually(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    resume_rollout(rollout, "pipeline", false);
    Ok(())
}

fn resume_pipeline_rollout_fast(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    resume_rollout(rollout, "pipeline", true);
    Ok(())
}

fn allow_data_loss(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(rollout, DATA_LOSS, "true");
    Ok(())
}

fn disallow_data_loss(rollout: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(rollout, DATA_LOSS, "false");
    Ok(())
}
