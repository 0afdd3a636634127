use crd::HealthStatusCode::{Healthy, Progressing};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, text};

pub(super) fn assess(service: &Value) -> Health {
    let Some(available) = condition(service, "Available") else {
        return Health::new(Progressing, "Waiting to be processed");
    };
    let status = if text(available, "/status") == "True" { Healthy } else { Progressing };
    let (reason, message) = (text(available, "/reason"), text(available, "/message"));
    Health::new(status, format!("{reason}: {message}"))
}
