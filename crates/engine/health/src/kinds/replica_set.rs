use crd::HealthStatusCode::{Degraded, Healthy, Progressing};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, int, int_where_set, is_behind, text};

pub(super) fn assess(set: &Value) -> Health {
    let waiting =
        |what: String| Health::new(Progressing, format!("Waiting for rollout to finish: {what}"));
    if is_behind(set) {
        return waiting("observed replica set generation less than desired generation".into());
    }
    if let Some(failure) = condition(set, "ReplicaFailure")
        && text(failure, "/status") == "True"
    {
        return Health::new(Degraded, text(failure, "/message"));
    }
    let available = int(set, "/status/availableReplicas");
    match int_where_set(set, "/spec/replicas") {
        Some(wanted) if available < wanted => {
            waiting(format!("{available} out of {wanted} new replicas are available..."))
        }
        _ => Health::new(Healthy, ""),
    }
}
