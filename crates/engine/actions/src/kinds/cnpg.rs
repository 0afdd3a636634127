//! CloudNativePG's clusters.

use serde_json::Value;

use super::{Kind, Run};
use crate::edit::{annotate, items, remove_annotation, set, text};
use crate::error::ActionError;
use crate::offer::{Action, Call};

const RECONCILIATION: &str = "cnpg.io/reconciliationLoop";

pub(super) const KINDS: &[Kind] = &[Kind {
    group: "postgresql.cnpg.io",
    kind: "Cluster",
    offers: cluster,
    actions: &[
        ("promote", Run::Patch(promote)),
        ("reload", Run::Patch(reload)),
        ("restart", Run::Patch(restart)),
        ("resume", Run::Patch(resume)),
        ("suspend", Run::Patch(suspend)),
    ],
}];

fn cluster(cluster: &Value) -> Vec<Action> {
    let suspended = manifest::annotation(cluster, RECONCILIATION) == Some("disabled");
    let alone = healthy_replicas(cluster).next().is_none();
    vec![
        Action::named("reload")
            .icon("fa fa-fw fa-rotate-right")
            .shown_as("Reload all Configurations"),
        Action::named("restart").icon("fa fa-fw fa-recycle").shown_as("Restart Pods"),
        Action::named("promote")
            .icon("fa fa-fw fa-angles-up")
            .shown_as("Promote Replica to Primary")
            .asks("instance", "any")
            .disabled_if(alone),
        Action::named("suspend")
            .icon("fa-regular fa-circle-pause")
            .shown_as("Suspend Reconciliation")
            .disabled_if(suspended),
        Action::named("resume")
            .icon("fa-regular fa-circle-play")
            .shown_as("Resume Reconciliation")
            .disabled_if(!suspended),
    ]
}

/// The instances that could become primary.
fn healthy_replicas(cluster: &Value) -> impl Iterator<Item = &str> {
    let primary = text(cluster, "/status/currentPrimary");
    items(cluster, "/status/instancesStatus/healthy")
        .filter_map(Value::as_str)
        .filter(move |name| *name != primary)
}

/// As `kubectl cnpg promote` does it. An instance is named whole, by its number, or `any`.
fn promote(cluster: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    let wanted = call.parameter("instance");
    let numbered = format!("{}-{wanted}", manifest::name(cluster));
    let chosen = healthy_replicas(cluster)
        .find(|name| wanted == "any" || *name == wanted || *name == numbered)
        .map(str::to_owned)
        .ok_or_else(|| {
            ActionError::Refused(format!(
                "Could not find a healthy instance matching the criteria: {wanted}"
            ))
        })?;
    let time = call.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    set(cluster, &["status", "targetPrimary"], chosen.as_str());
    set(cluster, &["status", "targetPrimaryTimestamp"], time);
    set(cluster, &["status", "phase"], "Switchover in progress");
    set(cluster, &["status", "phaseReason"], format!("Switching over to {chosen}"));
    Ok(())
}

fn reload(cluster: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    annotate(cluster, "cnpg.io/reloadedAt", &call.time());
    Ok(())
}

fn restart(cluster: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    annotate(cluster, "kubectl.kubernetes.io/restartedAt", &call.time());
    Ok(())
}

fn suspend(cluster: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    annotate(cluster, RECONCILIATION, "disabled");
    Ok(())
}

fn resume(cluster: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    remove_annotation(cluster, RECONCILIATION);
    Ok(())
}
