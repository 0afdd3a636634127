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
    let wanted = int_where_set(beat, "/status/expectedNodes");
    match text(beat, "/status/health") {
        "green" => healthy("Elastic Beat status is Green"),
        "yellow" => match (int_where_set(beat, "/status/availableNodes"), wanted) {
            (Some(there), Some(wanted)) if there != wanted => progressing(format!(
                "Elastic Beat status is deploying, there is {there} instance(s) on {wanted} expected"
            )),
            _ => progressing("Elastic Beat phase is progressing"),
        },
        "red" => degraded("Elastic Beat status is Red"),
        "" if wanted.is_some() => progressing("Elastic Beat phase is progressing"),
        _ => unknown(format!("Elastic Beat {UNKNOWN}")),
    }
}

/// Numbers of nodes come first, the phase then, and in a quiet phase the health.
fn elasticsearch(cluster: &Value) -> Health {
    const CHECK: &str = "Check the status of indices, replicas and shards";
    let Some(there) = int_where_set(cluster, "/status/availableNodes") else {
        return unknown(format!("Elasticsearch Cluster {UNKNOWN}"));
    };
    let wanted: i64 = items(cluster, "/spec/nodeSets").map(|set| int(set, "/count")).sum();
    if there < wanted {
        return progressing(format!(
            "The desired amount of availableNodes is {wanted} but the current amount is {there}"
        ));
    }
    match (text(cluster, "/status/phase"), text(cluster, "/status/health")) {
        (_, "") => unknown(format!("Elasticsearch Cluster {UNKNOWN}")),
        _ if there > wanted => unknown(format!("Elasticsearch Cluster {UNKNOWN}")),
        (phase @ ("ApplyingChanges" | "MigratingData"), _) => {
            progressing(format!("Elasticsearch phase is {phase}"))
        }
        ("Invalid", _) => degraded("Elasticsearch phase is Invalid"),
        ("Ready", "green") => healthy("Elasticsearch Cluster status is Green"),
        ("Ready", "yellow") => {
            progressing(format!("Elasticsearch Cluster status is Yellow. {CHECK}"))
        }
        ("Ready", "red") => degraded(format!("Elasticsearch Cluster status is Red. {CHECK}")),
        _ => unknown(format!("Elasticsearch Cluster {UNKNOWN}")),
    }
}

const LOGSTASH: &[Step] = &[
    (At("/status/health", &["green"]), Healthy, "Logstash status is Green"),
    (At("/status/health", &["yellow"]), Progressing, "Logstash status is Yellow"),
    (At("/status/health", &["red"]), Degraded, "Logstash status is Red"),
    (Otherwise, Progressing, "Waiting for Logstash"),
];
