//! RabbitMQ: the cluster, and what is set up inside it.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, text};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, unknown};

const GROUP: &str = "rabbitmq.com";

pub(super) const RULES: &[Entry] = &[
    (GROUP, "Binding", Rule::Code(topology)),
    (GROUP, "Exchange", Rule::Code(topology)),
    (GROUP, "Permission", Rule::Code(topology)),
    (GROUP, "Policy", Rule::Code(topology)),
    (GROUP, "Queue", Rule::Code(topology)),
    (GROUP, "RabbitmqCluster", Rule::Code(cluster)),
    (GROUP, "Shovel", Rule::Code(topology)),
    (GROUP, "User", Rule::Code(topology)),
    (GROUP, "Vhost", Rule::Code(topology)),
];

/// What the operator says of its last try: `Ready` and why it is so belong together.
fn topology(object: &Value) -> Health {
    let noun = text(object, "/kind").to_lowercase();
    let said = conditions(object).find_map(|one| {
        match (text(one, "/type"), text(one, "/status"), text(one, "/reason")) {
            ("Ready", "True", "SuccessfulCreateOrUpdate") => {
                Some(healthy(format!("RabbitMQ {noun} ready")))
            }
            ("Ready", "False", "FailedCreateOrUpdate") => {
                Some(degraded(format!("RabbitMQ {noun} failed to be created or updated")))
            }
            _ => None,
        }
    });
    said.unwrap_or_else(|| unknown(format!("RabbitMQ {noun} status is unknown")))
}

fn cluster(cluster: &Value) -> Health {
    if conditions(cluster).next().is_none() {
        return progressing("Waiting for RabbitMQ Operator");
    }
    let of = |kind: &str| condition(cluster, kind).map_or("", |met| text(met, "/status"));
    if let Some(reconciled) = condition(cluster, "ReconcileSuccess")
        && text(reconciled, "/status") == "False"
    {
        return degraded(text(reconciled, "/message"));
    }
    match (of("ClusterAvailable"), of("AllReplicasReady")) {
        ("Unknown", _) | (_, "Unknown") => {
            progressing("Waiting for RabbitMQ cluster readiness (conditions unknown)")
        }
        ("True", "True") => healthy("RabbitMQ cluster ready"),
        ("False", _) => progressing("Waiting for RabbitMQ cluster formation"),
        (_, "False") => progressing("Waiting for RabbitMQ instances ready"),
        _ => progressing("Waiting for RabbitMQ Operator"),
    }
}
