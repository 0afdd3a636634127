//! Operators with one or two actions each: Strimzi, External Secrets, Percona.

use serde_json::Value;

use super::{Kind, Run};
use crate::edit::{annotate, holds, set};
use crate::error::ActionError;
use crate::offer::{Action, Call};

pub(super) const KINDS: &[Kind] = &[
    Kind {
        group: "core.strimzi.io",
        kind: "StrimziPodSet",
        offers: pod_set,
        actions: &[("rolling-update", Run::Patch(rolling_update))],
    },
    Kind {
        group: "external-secrets.io",
        kind: "ExternalSecret",
        offers: |_| vec![Action::named("refresh")],
        actions: &[("refresh", Run::Patch(force_sync))],
    },
    Kind {
        group: "external-secrets.io",
        kind: "PushSecret",
        offers: |_| vec![Action::named("push")],
        actions: &[("push", Run::Patch(force_sync))],
    },
    Kind {
        group: "psmdb.percona.com",
        kind: "PerconaServerMongoDB",
        offers: mongodb,
        actions: &[("pause", Run::Patch(pause)), ("unpause", Run::Patch(unpause))],
    },
];

const ROLL: &str = "strimzi.io/manual-rolling-update";

fn pod_set(set: &Value) -> Vec<Action> {
    let rolls = manifest::annotation(set, ROLL) == Some("true");
    vec![Action::named("rolling-update").disabled_if(rolls)]
}

fn rolling_update(set: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(set, ROLL, "true");
    Ok(())
}

/// The operator acts on any new value.
fn force_sync(secret: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    annotate(secret, "force-sync", &call.time());
    Ok(())
}

fn mongodb(cluster: &Value) -> Vec<Action> {
    let paused = holds(cluster, "/spec/pause");
    vec![
        Action::named("pause").icon("fa fa-fw fa-pause-circle").disabled_if(paused),
        Action::named("unpause").icon("fa fa-fw fa-play-circle").disabled_if(!paused),
    ]
}

fn pause(cluster: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(cluster, &["spec", "pause"], true);
    Ok(())
}

fn unpause(cluster: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(cluster, &["spec", "pause"], false);
    Ok(())
}
