//! Kafka, by Strimzi, Banzai Cloud and Confluent.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{conditions, int_where_set, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

const STRIMZI: &str = "kafka.strimzi.io";
const CONFLUENT: &str = "platform.confluent.io";

pub(super) const RULES: &[Entry] = &[
    (STRIMZI, "Kafka", Rule::Code(cluster)),
    (STRIMZI, "KafkaBridge", Rule::Code(bridge)),
    (STRIMZI, "KafkaConnect", Rule::Code(connect)),
    (STRIMZI, "KafkaConnector", Rule::Code(connector)),
    (STRIMZI, "KafkaTopic", Rule::Code(topic)),
    (STRIMZI, "KafkaUser", Rule::Code(user)),
    ("kafka.banzaicloud.io", "KafkaCluster", Rule::Code(banzai)),
    (CONFLUENT, "Connect", Rule::Steps(PLATFORM)),
    (CONFLUENT, "Connector", Rule::Code(platform_connector)),
    (CONFLUENT, "ControlCenter", Rule::Steps(PLATFORM)),
    (CONFLUENT, "Kafka", Rule::Steps(PLATFORM)),
    (CONFLUENT, "KsqlDB", Rule::Steps(PLATFORM)),
    (CONFLUENT, "SchemaRegistry", Rule::Steps(PLATFORM)),
    (CONFLUENT, "Zookeeper", Rule::Steps(PLATFORM)),
];

/// Strimzi reports one of two conditions, `Ready` or `NotReady`, each True.
fn strimzi(object: &Value, noun: &str) -> Health {
    let said = |of: &Value| match (text(of, "/type"), text(of, "/status")) {
        ("Ready", "True") => Some(healthy("")),
        ("NotReady", "True") => Some(degraded(text(of, "/message"))),
        _ => None,
    };
    let waits = || progressing(format!("Waiting for {noun}"));
    conditions(object).find_map(said).unwrap_or_else(waits)
}

/// A cluster that is being made is not ready, and not in trouble.
fn cluster(object: &Value) -> Health {
    let said = |of: &Value| match (text(of, "/type"), text(of, "/status")) {
        ("Ready", "True") => Some(healthy("")),
        ("NotReady", "True") if text(of, "/reason") != "Creating" => {
            Some(degraded(text(of, "/message")))
        }
        _ => None,
    };
    let waits = || progressing("Waiting for Kafka Cluster");
    conditions(object).find_map(said).unwrap_or_else(waits)
}

fn bridge(object: &Value) -> Health {
    strimzi(object, "KafkaBridge")
}

fn connect(object: &Value) -> Health {
    strimzi(object, "Kafka Connect")
}

fn connector(object: &Value) -> Health {
    strimzi(object, "KafkaConnector")
}

fn topic(object: &Value) -> Health {
    strimzi(object, "Kafka Topic")
}

fn user(object: &Value) -> Health {
    strimzi(object, "Kafka User")
}

fn banzai(cluster: &Value) -> Health {
    match text(cluster, "/status/state") {
        "ClusterRollingUpgrading" => return progressing("Kafka Cluster is Rolling Upgrading."),
        "ClusterReconciling" => return progressing("Kafka Cluster is Reconciling."),
        _ => {}
    }
    let brokers = lookup(cluster, "/status/brokersState").and_then(Value::as_object);
    let Some(brokers) = brokers.filter(|brokers| !brokers.is_empty()) else {
        return progressing("Waiting for KafkaCluster");
    };
    let in_sync = |broker: &Value| {
        text(broker, "/configurationState") == "ConfigInSync"
            && matches!(
                text(broker, "/gracefulActionState/cruiseControlState"),
                "GracefulUpscaleSucceeded" | "GracefulDownscaleSucceeded"
            )
    };
    if !brokers.values().all(in_sync) {
        return degraded("Broker Config is out of Sync or CruiseControlState is not Ready");
    }
    let topic_ready =
        text(cluster, "/status/cruiseControlTopicStatus") == "CruiseControlTopicReady";
    if topic_ready && text(cluster, "/status/state") == "ClusterRunning" {
        return healthy("Kafka Brokers, CruiseControl and cluster are in Healthy State.");
    }
    progressing("Waiting for KafkaCluster")
}

const PLATFORM: &[Step] = &[
    (At("/status/phase", &["RUNNING"]), Healthy, "{kind} running"),
    (At("/status/phase", &["PROVISIONING"]), Progressing, "{kind} provisioning"),
    (Otherwise, Progressing, "Waiting for {kind}"),
];

/// The state of the object itself comes before that of what it made.
fn platform_connector(connector: &Value) -> Health {
    let failed = int_where_set(connector, "/status/failedTasksCount");
    match text(connector, "/status/state") {
        "CREATED" if failed.is_some_and(|failed| failed > 0) => {
            degraded("Connector has failed tasks")
        }
        "CREATED" if failed.is_none() && text(connector, "/status/connectorState") == "RUNNING" => {
            healthy("Connector running")
        }
        "ERROR" => match conditions(connector).last() {
            Some(last) => degraded(text(last, "/message")),
            None => degraded("No conditions available"),
        },
        _ => progressing("Waiting for Kafka Connector"),
    }
}
