use crd::HealthStatusCode::{Healthy, Progressing};
use serde_json::Value;

use crate::assess::Health;
use crate::object::{items, text};

pub(super) fn assess(service: &Value) -> Health {
    let waits = text(service, "/spec/type") == "LoadBalancer"
        && items(service, "/status/loadBalancer/ingress").next().is_none();
    Health::new(if waits { Progressing } else { Healthy }, "")
}
