use crd::HealthStatusCode::{Healthy, Progressing};
use serde_json::Value;

use crate::assess::Health;
use crate::object::items;

pub(super) fn assess(ingress: &Value) -> Health {
    let served = items(ingress, "/status/loadBalancer/ingress").next().is_some();
    Health::new(if served { Healthy } else { Progressing }, "")
}
