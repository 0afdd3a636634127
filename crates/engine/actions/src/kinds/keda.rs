//! KEDA: annotations pause a scaler, at the replicas there are or at a number.

use serde_json::Value;

use super::{Kind, Run, invalid_number, whole_number};
use crate::edit::{annotate, remove_annotation};
use crate::error::ActionError;
use crate::offer::{Action, Call};

const PAUSED: &str = "autoscaling.keda.sh/paused";
const PAUSED_REPLICAS: &str = "autoscaling.keda.sh/paused-replicas";

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: "keda.sh",
        kind: "ScaledJob",
        offers: scaled_job,
        actions: &[("pause", Run::Patch(pause)), ("resume", Run::Patch(unpause))],
    },
    Kind {
        group: "keda.sh",
        kind: "ScaledObject",
        offers: scaled_object,
        actions: &[
            ("pause", Run::Patch(pause)),
            ("paused-replicas", Run::Patch(pause_at)),
            ("resume", Run::Patch(resume)),
        ],
    },
];

fn is_paused(object: &Value) -> bool {
    manifest::annotation(object, PAUSED) == Some("true")
}

fn offers(stopped: bool) -> (Action, Action) {
    (
        Action::named("pause").icon("fa fa-fw fa-pause-circle").disabled_if(stopped),
        Action::named("resume").icon("fa fa-fw fa-play-circle").disabled_if(!stopped),
    )
}

fn scaled_job(job: &Value) -> Vec<Action> {
    let (pause, resume) = offers(is_paused(job));
    vec![pause, resume]
}

fn scaled_object(object: &Value) -> Vec<Action> {
    let paused = is_paused(object);
    let at_number = manifest::annotation(object, PAUSED_REPLICAS).is_some();
    let (pause, resume) = offers(paused || at_number);
    let pause_at = Action::named("paused-replicas")
        .icon("fa fa-fw fa-pause-circle")
        .asks("replicas", "0")
        .disabled_if(paused);
    vec![pause, pause_at, resume]
}

fn pause(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(object, PAUSED, "true");
    Ok(())
}

fn pause_at(object: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    let Some(given) = call.parameters.get("replicas") else {
        return Err(ActionError::Refused("replicas parameter is required".to_owned()));
    };
    let replicas = whole_number(given)
        .filter(|replicas| *replicas >= 0)
        .ok_or_else(|| invalid_number(given, " (must be >= 0)"))?;
    annotate(object, PAUSED_REPLICAS, &replicas.to_string());
    Ok(())
}

fn unpause(job: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    remove_annotation(job, PAUSED);
    Ok(())
}

fn resume(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    remove_annotation(object, PAUSED);
    remove_annotation(object, PAUSED_REPLICAS);
    Ok(())
}
