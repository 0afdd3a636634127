use crd::HealthStatusCode::{Healthy, Progressing};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{int, is_behind, text};

pub(super) fn assess(set: &Value) -> Health {
    if is_behind(set) {
        return Health::new(
            Progressing,
            "Waiting for rollout to finish: observed daemon set generation less than desired \
             generation",
        );
    }
    let wanted = int(set, "/status/desiredNumberScheduled");
    let updated = int(set, "/status/updatedNumberScheduled");
    let available = int(set, "/status/numberAvailable");
    if text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return Health::new(
            Healthy,
            format!("daemon set {updated} out of {wanted} new pods have been updated"),
        );
    }
    let waiting = |what: String| {
        let name = manifest::name(set);
        Health::new(
            Progressing,
            format!("Waiting for daemon set \"{name}\" rollout to finish: {what}"),
        )
    };
    if updated < wanted {
        waiting(format!("{updated} out of {wanted} new pods have been updated..."))
    } else if available < wanted {
        waiting(format!("{available} of {wanted} updated pods are available..."))
    } else {
        Health::new(Healthy, "")
    }
}
