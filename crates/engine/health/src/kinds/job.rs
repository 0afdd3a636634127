use crd::HealthStatusCode::{Degraded, Healthy, Progressing, Suspended};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{items, text};

/// The last condition of those that end a Job speaks; a failure outweighs the others.
pub(super) fn assess(job: &Value) -> Health {
    let mut health = Health::new(Progressing, "");
    for condition in items(job, "/status/conditions") {
        let message = text(condition, "/message");
        let status = match text(condition, "/type") {
            "Failed" => Degraded,
            _ if health.status == Degraded => continue,
            "Suspended" if text(condition, "/status") == "True" => Suspended,
            // A Job that was suspended stays so in upstream's eyes, whatever follows.
            "Complete" | "Suspended" if health.status == Suspended => Suspended,
            "Complete" | "Suspended" => Healthy,
            _ => continue,
        };
        health = Health::new(status, message);
    }
    health
}
