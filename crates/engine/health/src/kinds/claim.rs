use crd::HealthStatusCode::{Degraded, Healthy, Progressing, Unknown};
use serde_json::Value;

use crate::assess::Health;
use crate::object::text;

pub(super) fn assess(claim: &Value) -> Health {
    let status = match text(claim, "/status/phase") {
        "Lost" => Degraded,
        "Pending" => Progressing,
        "Bound" => Healthy,
        _ => Unknown,
    };
    Health::new(status, "")
}
