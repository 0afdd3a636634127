//! Operators with one or two actions each: Strimzi, External Secrets, MariaDB, Percona.

use serde_json::Value;

use super::{Kind, Run, resume, suspend};
use crate::edit::{annotate, holds, set, text};
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
        offers: external_secret,
        actions: &[("refresh", Run::Patch(force_sync))],
    },
    Kind {
        group: "external-secrets.io",
        kind: "PushSecret",
        offers: |push| vec![Action::named("push").disabled_if(is_done_once(push))],
        actions: &[("push", Run::Patch(force_sync))],
    },
    Kind {
        group: "k8s.mariadb.com",
        kind: "MariaDB",
        offers: mariadb,
        actions: &[("suspend", Run::Patch(suspend)), ("resume", Run::Patch(resume))],
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

/// A secret that follows changes of its own is refreshed whatever its interval says.
fn external_secret(secret: &Value) -> Vec<Action> {
    let follows = text(secret, "/spec/refreshPolicy") == "OnChange";
    vec![Action::named("refresh").disabled_if(is_done_once(secret) && !follows)]
}

/// An interval of zero: the operator does it once and never again, also when it is asked.
fn is_done_once(secret: &Value) -> bool {
    match secret.pointer("/spec/refreshInterval") {
        Some(Value::String(interval)) => {
            let unit = interval.strip_prefix('0');
            unit.is_some_and(|unit| {
                matches!(unit, "" | "ns" | "us" | "µs" | "ms" | "s" | "m" | "h")
            })
        }
        Some(number) => number.as_f64() == Some(0.0),
        None => false,
    }
}

/// The operator acts on any new value.
fn force_sync(secret: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    annotate(secret, "force-sync", &call.time());
    Ok(())
}

/// Only what can be done now is offered.
fn mariadb(database: &Value) -> Vec<Action> {
    vec![if database.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        Action::named("resume").icon("fa fa-fw fa-play").shown_as("Resume")
    } else {
        Action::named("suspend").icon("fa fa-fw fa-pause").shown_as("Suspend")
    }]
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
