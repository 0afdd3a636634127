use crd::HealthStatusCode::{Healthy, Progressing};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{int, int_where_set, is_behind, text};

pub(super) fn assess(set: &Value) -> Health {
    if int(set, "/status/observedGeneration") == 0 || is_behind(set) {
        return Health::new(Progressing, "Waiting for statefulset spec update to be observed...");
    }
    let wanted = int_where_set(set, "/spec/replicas");
    let ready = int(set, "/status/readyReplicas");
    let updated = int(set, "/status/updatedReplicas");
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        return Health::new(
            Progressing,
            format!("Waiting for {} pods to be ready...", wanted - ready),
        );
    }
    let rolling = set.pointer("/spec/updateStrategy/rollingUpdate").is_some_and(Value::is_object);
    match text(set, "/spec/updateStrategy/type") {
        "RollingUpdate" if rolling => partitioned(set, wanted, updated),
        "OnDelete" => Health::new(Healthy, format!("statefulset has {ready} ready pods")),
        _ => rolled(set, updated),
    }
}

/// Pods below the partition stay as they are.
fn partitioned(set: &Value, wanted: Option<i64>, updated: i64) -> Health {
    let partition = int_where_set(set, "/spec/updateStrategy/rollingUpdate/partition");
    match wanted.zip(partition).map(|(wanted, partition)| wanted - partition) {
        Some(new) if updated < new => Health::new(
            Progressing,
            format!(
                "Waiting for partitioned roll out to finish: {updated} out of {new} new pods have \
                 been updated..."
            ),
        ),
        _ => Health::new(
            Healthy,
            format!("partitioned roll out complete: {updated} new pods have been updated..."),
        ),
    }
}

fn rolled(set: &Value, updated: i64) -> Health {
    let new = text(set, "/status/updateRevision");
    let current = text(set, "/status/currentRevision");
    if new != current {
        return Health::new(
            Progressing,
            format!(
                "waiting for statefulset rolling update to complete {updated} pods at revision \
                 {new}..."
            ),
        );
    }
    let pods = int(set, "/status/currentReplicas");
    Health::new(
        Healthy,
        format!("statefulset rolling update complete {pods} pods at revision {current}..."),
    )
}
