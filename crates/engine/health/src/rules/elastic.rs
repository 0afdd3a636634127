//! Elastic Cloud on Kubernetes.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{int, int_where_set, items, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, unknown};

pub(super) const RULES: &[Entry] = &[
    ("beat.k8s.elastic.co", "Beat", Rule::Code(beat)),
    ("elasticsearch.k8s.elastic.co", "Elasticsearch", Rule::Code(elasticsearch)),
    ("logstash.k8s.elastic.co", "Logstash", Rule::Steps(LOGSTASH)),
];

const UNKNOWN: &str = "status is unknown. Ensure your ArgoCD is current and then check for/file a \
                       bug report: https://github.com/argoproj/argo-cd/issues";

fn beat(beat: &Value) -> Health {
    let wanted = int(beat, "/status/expectedNodes");
    match text(beat, "/status/health") {
        "green" => healthy("Elastic Beat status is Green"),
        "yellow" => match int_where_set(beat, "/status/availableNodes") {
            Some(there) if there != wanted => progressing(format!(
                "Elastic Beat status is deploying, there is {there} instance(s) on {wanted} expected"
            )),
            _ => progressing("Elastic Beat phase is progressing"),
        },
        "red" => degraded("Elastic Beat status is Red"),
        _ => unknown(format!("Elastic Beat {UNKNOWN}")),
    }
}

fn elasticsearch(cluster: &Value) -> Health {
    const CHECK: &str = "Check the status of indices, replicas and shards";
    match text(cluster, "/status/phase") {
        phase @ ("ApplyingChanges" | "MigratingData") => {
            return progressing(format!("Elasticsearch phase is {phase}"));
        }
        phase @ ("Invalid" | "Stalled" | "ResourceInvalid") => {
            return degraded(format!("Elasticsearch phase is {phase}"));
        }
        _ => {}
    }
    let wanted: i64 = items(cluster, "/spec/nodeSets").map(|set| int(set, "/count")).sum();
    let there = int(cluster, "/status/availableNodes");
    match text(cluster, "/status/health") {
        "green" if there == wanted => healthy("Elasticsearch Cluster status is Green"),
        "green" => progressing(format!(
            "The desired amount of availableNodes is {wanted} but the current amount is {there}"
        )),
        // One node can never hold the replicas of its own shards.
        "yellow" if there == 1 && wanted == 1 => {
            healthy(format!("Elasticsearch Cluster status is Yellow. {CHECK}"))
        }
        "yellow" => progressing(format!("Elasticsearch Cluster status is Yellow. {CHECK}")),
        "red" => degraded(format!("Elasticsearch Cluster status is Red. {CHECK}")),
        _ => unknown(format!("Elasticsearch Cluster {UNKNOWN}")),
    }
}

const LOGSTASH: &[Step] = &[
    (At("/status/health", &["green"]), Healthy, "Logstash status is Green"),
    (At("/status/health", &["yellow"]), Progressing, "Logstash status is Yellow"),
    (At("/status/health", &["red"]), Degraded, "Logstash status is Red"),
    (Otherwise, Progressing, "Waiting for Logstash"),
];
