use crd::HealthStatusCode::{Degraded, Healthy, Progressing, Suspended};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, int, int_where_set, is_behind, text};

pub(super) fn assess(deployment: &Value) -> Health {
    if deployment.pointer("/spec/paused") == Some(&Value::Bool(true)) {
        return Health::new(Suspended, "Deployment is paused");
    }
    let waiting =
        |what: String| Health::new(Progressing, format!("Waiting for rollout to finish: {what}"));
    if is_behind(deployment) {
        return waiting("observed deployment generation less than desired generation".into());
    }
    let progressing = condition(deployment, "Progressing");
    if progressing.is_some_and(|found| text(found, "/reason") == "ProgressDeadlineExceeded") {
        let name = manifest::name(deployment);
        return Health::new(
            Degraded,
            format!("Deployment \"{name}\" exceeded its progress deadline"),
        );
    }
    let all = int(deployment, "/status/replicas");
    let updated = int(deployment, "/status/updatedReplicas");
    let available = int(deployment, "/status/availableReplicas");
    match int_where_set(deployment, "/spec/replicas") {
        Some(wanted) if updated < wanted => {
            waiting(format!("{updated} out of {wanted} new replicas have been updated..."))
        }
        _ if all > updated => {
            waiting(format!("{} old replicas are pending termination...", all - updated))
        }
        _ if available < updated => {
            waiting(format!("{available} of {updated} updated replicas are available..."))
        }
        _ => Health::new(Healthy, ""),
    }
}
