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
    let alone = healthy(cluster).nth(1).is_none();
    let reconciliation = if manifest::annotation(cluster, RECONCILIATION) == Some("disabled") {
        Action::named("resume").icon("fa fa-fw fa-play").shown_as("Resume Reconciliation")
    } else {
        Action::named("suspend").icon("fa fa-fw fa-pause").shown_as("Suspend Reconciliation")
    };
    vec![
        Action::named("reload")
            .icon("fa fa-fw fa-rotate-right")
            .shown_as("Reload all Configuration"),
        Action::named("restart").icon("fa fa-fw fa-recycle").shown_as("Rollout restart Cluster"),
        Action::named("promote")
            .icon("fa fa-fw fa-angles-up")
            .shown_as("Promote Replica to Primary")
            .asks("instance", "any")
            .disabled_if(alone),
        reconciliation,
    ]
}

/// The instances that could be primary; one of them is, as a rule.
fn healthy(cluster: &Value) -> impl Iterator<Item = &str> {
    items(cluster, "/status/instancesStatus/healthy").filter_map(Value::as_str)
}

/// The instance that comes after the primary, the first one after the last.
fn next_to_primary(cluster: &Value) -> Option<&str> {
    let primary = text(cluster, "/status/currentPrimary");
    healthy(cluster).skip_while(|name| *name != primary).nth(1).or_else(|| healthy(cluster).next())
}

/// As `kubectl cnpg promote` does it. An instance is named whole, by its number, or `any`.
fn promote(cluster: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    let wanted = call.parameter("instance");
    let numbered = format!("{}-{wanted}", manifest::name(cluster));
    let named = |name: &&str| *name == wanted || *name == numbered;
    let chosen = match wanted {
        "any" => next_to_primary(cluster),
        _ => healthy(cluster).find(named),
    };
    let chosen = chosen.map(str::to_owned).ok_or_else(|| {
        ActionError::Refused(format!(
            "Could not find a healthy instance matching the criteria: {wanted}"
        ))
    })?;
    set(cluster, &["status", "targetPrimary"], chosen.as_str());
    set(cluster, &["status", "targetPrimaryTimestamp"], call.time());
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
