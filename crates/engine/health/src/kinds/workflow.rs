use crd::HealthStatusCode::{Degraded, Healthy, Progressing, Unknown};
use serde_json::Value;

use crate::assess::Health;
use crate::object::text;

pub(super) fn assess(workflow: &Value) -> Health {
    let status = match text(workflow, "/status/phase") {
        "" | "Pending" | "Running" => Progressing,
        "Succeeded" => Healthy,
        "Failed" | "Error" => Degraded,
        _ => Unknown,
    };
    Health::new(status, text(workflow, "/status/message"))
}
