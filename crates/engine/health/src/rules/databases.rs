//! Databases of many makers: PostgreSQL, MySQL, MongoDB, Cassandra, ClickHouse, Solr, Atlas.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, int, items, lookup, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended, unknown};

pub(super) const RULES: &[Entry] = &[
    ("acid.zalan.do", "postgresql", Rule::Steps(ZALANDO)),
    ("postgresql.cnpg.io", "Cluster", Rule::Code(cloud_native_pg)),
    ("mariadb.mmontes.io", "MariaDB", Rule::Steps(MARIADB)),
    ("k8s.mariadb.com", "MariaDB", Rule::Steps(MARIADB)),
    ("k8s.mariadb.com", "Database", Rule::Steps(MARIADB)),
    ("k8s.mariadb.com", "Grant", Rule::Steps(MARIADB)),
    ("k8s.mariadb.com", "User", Rule::Steps(MARIADB)),
    ("k8s.mariadb.com", "Backup", Rule::Code(mariadb_job)),
    ("k8s.mariadb.com", "SqlJob", Rule::Code(mariadb_job)),
    ("psmdb.percona.com", "PerconaServerMongoDB", Rule::Code(percona_mongodb)),
    ("pxc.percona.com", "PerconaXtraDBCluster", Rule::Code(percona_mysql)),
    ("cassandra.rook.io", "Cluster", Rule::Code(cassandra)),
    ("clickhouse.altinity.com", "ClickHouseInstallation", Rule::Steps(CLICKHOUSE)),
    ("clickhouse-keeper.altinity.com", "ClickHouseKeeperInstallation", Rule::Steps(KEEPER)),
    ("solr.apache.org", "SolrCloud", Rule::Code(solr)),
    ("db.atlasgo.io", "AtlasMigration", Rule::Steps(ATLAS)),
    ("db.atlasgo.io", "AtlasSchema", Rule::Steps(ATLAS)),
];

const ZALANDO: &[Step] = &[
    (Absent("/status/PostgresClusterStatus"), Progressing, "Waiting for postgresql to be created"),
    (At("/status/PostgresClusterStatus", &["Running"]), Healthy, "{value}"),
    (At("/status/PostgresClusterStatus", &["Creating", "Updating"]), Progressing, "{value}"),
    (Otherwise, Degraded, "{/status/PostgresClusterStatus}"),
];

/// The operator's phases from which only a person leads out.
const CNPG_FAILED: [&str; 5] = [
    "Unable to create required cluster objects",
    "Cluster has incomplete or invalid image catalog",
    "Cluster is unrecoverable and needs manual intervention",
    "Cluster cannot execute instance online upgrade due to missing architecture binary",
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
];

fn cloud_native_pg(cluster: &Value) -> Health {
    if let Some(hibernation) = condition(cluster, "cnpg.io/hibernation")
        && manifest::annotation(cluster, "cnpg.io/hibernation") == Some("on")
    {
        return match text(hibernation, "/status") {
            "True" => suspended(text(hibernation, "/message")),
            _ => progressing(text(hibernation, "/message")),
        };
    }
    if manifest::annotation(cluster, "cnpg.io/reconciliationLoop") == Some("disabled") {
        return suspended("Cluster reconciliation is suspended");
    }
    let reason = text(cluster, "/status/phaseReason");
    match text(cluster, "/status/phase") {
        "" => progressing("Waiting for status to be reported"),
        "Cluster in healthy state" => healthy(reason),
        "Waiting for user action" => suspended(reason),
        "Not enough disk space" => degraded(reason),
        phase if CNPG_FAILED.contains(&phase) => {
            degraded(if reason.is_empty() { phase } else { reason })
        }
        phase => progressing(if reason.is_empty() { phase } else { reason }),
    }
}

const MARIADB: &[Step] = &[
    (Is("Ready", "True"), Healthy, "{message}"),
    (Because("Ready", "False", &["Failed"]), Degraded, "{message}"),
    (Because("Ready", "False", &["Suspended"]), Suspended, "{message}"),
    (Reports("Ready"), Progressing, "{message}"),
    (Otherwise, Progressing, "No status info available"),
];

/// A backup or a script of SQL: a Job, or a CronJob that makes Jobs.
fn mariadb_job(object: &Value) -> Health {
    let Some(complete) = condition(object, "Complete") else {
        return progressing("No status info available");
    };
    let (reason, message) = (text(complete, "/reason"), text(complete, "/message"));
    let words = format!("{reason} {message}");
    if reason.ends_with("Failed") || message == "Failed" {
        degraded(words)
    } else if reason.ends_with("Suspended") || message == "Suspended" {
        suspended(words)
    } else if text(complete, "/status") == "True" || reason == "CronJobScheduled" {
        healthy(words)
    } else {
        progressing(words)
    }
}

fn percona_mongodb(cluster: &Value) -> Health {
    if lookup(cluster, "/status").is_none() {
        return progressing("Waiting for the status to be reported");
    }
    let nodes = nodes_ready(cluster);
    match text(cluster, "/status/state") {
        "ready" => healthy(nodes),
        "paused" => suspended(nodes),
        "initializing" | "stopping" => progressing(nodes),
        "error" => degraded(nodes),
        _ => unknown(nodes),
    }
}

fn percona_mysql(cluster: &Value) -> Health {
    let nodes = nodes_ready(cluster);
    match text(cluster, "/status/state") {
        "ready" => healthy(nodes),
        "paused" => unknown("Cluster is paused"),
        "initializing" => progressing(nodes),
        "stopping" => degraded(format!("Cluster is stopping ({nodes})")),
        "error" => {
            let messages: Vec<&str> =
                items(cluster, "/status/message").filter_map(Value::as_str).collect();
            degraded(format!("Cluster is on error: {}", messages.join(", ")))
        }
        _ => unknown(
            "Cluster status is unknown. Ensure your ArgoCD is current and then check for/file a \
             bug report: https://github.com/argoproj/argo-cd/issues",
        ),
    }
}

fn nodes_ready(cluster: &Value) -> String {
    let (ready, size) = (int(cluster, "/status/ready"), int(cluster, "/status/size"));
    format!("{ready}/{size} node(s) are ready")
}

/// Well where every rack has as many ready members as members.
fn cassandra(cluster: &Value) -> Health {
    let racks = lookup(cluster, "/status/racks").and_then(Value::as_object);
    let waiting = racks.is_none_or(|racks| {
        racks.is_empty()
            || racks.values().any(|rack| int(rack, "/readyMembers") != int(rack, "/members"))
    });
    if waiting {
        progressing("Waiting for Cassandra Cluster members to be ready")
    } else {
        healthy("")
    }
}

const CLICKHOUSE: &[Step] = &[
    (
        At("/status/status", &["Completed"]),
        Healthy,
        "ClickHouse installation completed successfully",
    ),
    (At("/status/status", &["InProgress"]), Progressing, "ClickHouse installation in progress"),
    (At("/status/status", &["Terminating"]), Progressing, "ClickHouse status: {value}"),
    (Present("/status/status"), Degraded, "ClickHouse status: {/status/status}"),
    (Otherwise, Progressing, "ClickHouse status not yet available"),
];

const KEEPER: &[Step] = &[
    (
        At("/status/status", &["Completed"]),
        Healthy,
        "ClickHouseKeeper installation completed successfully",
    ),
    (
        At("/status/status", &["InProgress"]),
        Progressing,
        "ClickHouseKeeper installation in progress",
    ),
    (At("/status/status", &["Terminating"]), Progressing, "ClickHouseKeeper status: {value}"),
    (Present("/status/status"), Degraded, "ClickHouseKeeper status: {/status/status}"),
    (Otherwise, Progressing, "ClickHouseKeeper status not yet available"),
];

fn solr(cloud: &Value) -> Health {
    if lookup(cloud, "/status").is_none() {
        return progressing("Waiting for Solr to exist");
    }
    let replicas = int(cloud, "/status/replicas");
    let all_ready = items(cloud, "/status/solrNodes").all(|node| node["ready"] == true);
    if int(cloud, "/status/readyReplicas") == replicas && all_ready && replicas > 0 {
        healthy("Solr is ready")
    } else {
        progressing("Not all replicas are ready")
    }
}

const ATLAS: &[Step] = &[
    (Is("Ready", "True"), Healthy, "{reason}"),
    (Because("Ready", "False", &["Reconciling"]), Progressing, "{reason}"),
    (Is("Ready", "False"), Degraded, "{reason}"),
    (Otherwise, Progressing, "Waiting for reconciliation"),
];
