//! Databases of many makers: PostgreSQL, MySQL, MongoDB, Cassandra, ClickHouse, Solr, Atlas.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{
    condition, conditions, has_conditions, int, int_where_set, items, lookup, text,
};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, suspended, unknown};

pub(super) const RULES: &[Entry] = &[
    ("acid.zalan.do", "postgresql", Rule::Steps(ZALANDO)),
    ("postgresql.cnpg.io", "Cluster", Rule::Code(cloud_native_pg)),
    ("mariadb.mmontes.io", "MariaDB", Rule::Code(mariadb)),
    ("k8s.mariadb.com", "MariaDB", Rule::Code(mariadb)),
    ("k8s.mariadb.com", "Database", Rule::Code(mariadb_object)),
    ("k8s.mariadb.com", "Grant", Rule::Code(mariadb_object)),
    ("k8s.mariadb.com", "User", Rule::Code(mariadb_object)),
    ("k8s.mariadb.com", "Backup", Rule::Code(mariadb_backup)),
    ("k8s.mariadb.com", "SqlJob", Rule::Code(mariadb_job)),
    ("psmdb.percona.com", "PerconaServerMongoDB", Rule::Code(percona_mongodb)),
    ("pxc.percona.com", "PerconaXtraDBCluster", Rule::Code(percona_mysql)),
    ("cassandra.rook.io", "Cluster", Rule::Code(cassandra)),
    ("clickhouse.altinity.com", "ClickHouseInstallation", Rule::Steps(CLICKHOUSE)),
    ("clickhouse-keeper.altinity.com", "ClickHouseKeeperInstallation", Rule::Steps(KEEPER)),
    ("solr.apache.org", "SolrCloud", Rule::Code(solr)),
    ("db.atlasgo.io", "AtlasMigration", Rule::Steps(ATLAS_MIGRATION)),
    ("db.atlasgo.io", "AtlasSchema", Rule::Code(atlas_schema)),
];

const ZALANDO: &[Step] = &[
    (
        Absent("/status/PostgresClusterStatus"),
        Progressing,
        "Waiting for postgres cluster status...",
    ),
    (At("/status/PostgresClusterStatus", &["Running"]), Healthy, "{value}"),
    (At("/status/PostgresClusterStatus", &["Creating", "Updating"]), Progressing, "{value}"),
    (Otherwise, Degraded, "{/status/PostgresClusterStatus}"),
];

/// The operator's phases: what is on the way, what runs at less than full strength, and what
/// only a person ends.
const CNPG_ON_THE_WAY: [&str; 5] = [
    "Creating a new replica",
    "Promoting to primary cluster",
    "Setting up primary",
    "Upgrading cluster",
    "Waiting for the instances to become active",
];
const CNPG_IMPAIRED: [&str; 10] = [
    "Applying configuration",
    "Cluster cannot execute instance online upgrade due to missing architecture binary",
    "Cluster upgrade delayed",
    "Failing over",
    "Online upgrade in progress",
    "Primary instance is being restarted in-place",
    "Primary instance is being restarted without a switchover",
    "Switchover in progress",
    "Upgrading Postgres major version",
    "Waiting for user action",
];
const CNPG_STOPPED: [&str; 4] = [
    "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "Cluster has incomplete or invalid image catalog",
    "Cluster is unrecoverable and needs manual intervention",
    "Unable to create required cluster objects",
];

fn cloud_native_pg(cluster: &Value) -> Health {
    if manifest::annotation(cluster, "cnpg.io/reconciliationLoop") == Some("disabled") {
        return suspended("Cluster reconciliation is suspended");
    }
    if let Some(hibernation) = condition(cluster, "cnpg.io/hibernation") {
        return match text(hibernation, "/status") {
            "True" => suspended(text(hibernation, "/message")),
            _ => degraded(text(hibernation, "/message")),
        };
    }
    if lookup(cluster, "/status").is_none() {
        return progressing("Waiting for status to be reported");
    }
    let reason = text(cluster, "/status/phaseReason");
    if !has_conditions(cluster) {
        return progressing(reason);
    }
    match text(cluster, "/status/phase") {
        "Cluster in healthy state" => healthy(reason),
        phase if CNPG_ON_THE_WAY.contains(&phase) => progressing(reason),
        phase if CNPG_IMPAIRED.contains(&phase) => degraded(reason),
        phase if CNPG_STOPPED.contains(&phase) => suspended(reason),
        _ => unknown(reason),
    }
}

const NO_STATUS: &str = "No status info available";

/// Well unless a part is not: the first one says why.
fn mariadb(server: &Value) -> Health {
    if !has_conditions(server) {
        return progressing(NO_STATUS);
    }
    match conditions(server).find(|one| text(one, "/status") == "False") {
        Some(one) if text(one, "/reason") == "Failed" => degraded(text(one, "/message")),
        Some(one) => progressing(text(one, "/message")),
        None => healthy(conditions(server).last().map_or("", |one| text(one, "/message"))),
    }
}

/// What is set up inside a server.
fn mariadb_object(object: &Value) -> Health {
    match condition(object, "Ready") {
        Some(ready) if text(ready, "/status") == "True" => healthy(text(ready, "/message")),
        Some(ready) => degraded(text(ready, "/message")),
        None => {
            progressing(conditions(object).last().map_or(NO_STATUS, |one| text(one, "/message")))
        }
    }
}

fn reason_and_message(condition: &Value) -> String {
    format!("{} {}", text(condition, "/reason"), text(condition, "/message"))
}

/// A backup, once or time after time.
fn mariadb_backup(backup: &Value) -> Health {
    if !has_conditions(backup) {
        return progressing(NO_STATUS);
    }
    match conditions(backup).find(|one| text(one, "/status") == "False") {
        Some(one)
            if text(one, "/reason") == "CronJobScheduled" && text(one, "/message") == "Failed" =>
        {
            degraded(reason_and_message(one))
        }
        Some(one) => progressing(reason_and_message(one)),
        None => healthy(conditions(backup).last().map(reason_and_message).unwrap_or_default()),
    }
}

/// A script of SQL, which is complete also where it failed.
fn mariadb_job(job: &Value) -> Health {
    let reason = |wanted: &str| {
        conditions(job).find(|one| {
            text(one, "/type") == "Complete"
                && text(one, "/status") == "True"
                && text(one, "/reason") == wanted
        })
    };
    if let Some(failed) = reason("JobFailed") {
        degraded(reason_and_message(failed))
    } else if let Some(done) = reason("JobComplete") {
        healthy(reason_and_message(done))
    } else {
        let last = conditions(job).last();
        progressing(last.map_or_else(|| NO_STATUS.to_owned(), reason_and_message))
    }
}

fn percona_mongodb(cluster: &Value) -> Health {
    if lookup(cluster, "/status").is_none() {
        return unknown("Cluster status is unknown");
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

fn cassandra(cluster: &Value) -> Health {
    let racks = lookup(cluster, "/status/racks").and_then(Value::as_object);
    let short = |rack: &Value| {
        let of = |pointer: &str| int_where_set(rack, pointer);
        of("/readyMembers").zip(of("/members")).is_some_and(|(ready, all)| ready != all)
    };
    match racks {
        Some(racks) if !racks.values().any(short) => healthy(""),
        _ => progressing("Waiting for Cassandra Cluster"),
    }
}

const CLICKHOUSE: &[Step] = &[
    (
        At("/status/status", &["Completed"]),
        Healthy,
        "ClickHouse installation completed successfully",
    ),
    (At("/status/status", &["InProgress"]), Progressing, "ClickHouse installation in progress"),
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
    (Present("/status/status"), Degraded, "ClickHouseKeeper status: {/status/status}"),
    (Otherwise, Progressing, "ClickHouseKeeper status not yet available"),
];

fn solr(cloud: &Value) -> Health {
    let Some(nodes) = lookup(cloud, "/status/solrNodes").and_then(Value::as_array) else {
        return progressing("Waiting for solr to exist");
    };
    if nodes.iter().all(|node| node["ready"] == true) {
        healthy("Solr is ready")
    } else {
        progressing("Not all replicas are ready")
    }
}

const ATLAS_MIGRATION: &[Step] = &[
    (Is("Ready", "True"), Healthy, "{reason}"),
    (Because("Ready", "False", &["Reconciling"]), Progressing, "{reason}"),
    (Because("Ready", "Unknown", &["Reconciling"]), Progressing, "{reason}"),
    (Reports("Ready"), Degraded, "{reason}"),
    (Otherwise, Progressing, "Waiting for Atlas Operator"),
];

/// A schema says in its message that it is being reconciled.
fn atlas_schema(schema: &Value) -> Health {
    match condition(schema, "Ready") {
        Some(ready) if text(ready, "/status") == "True" => healthy(text(ready, "/reason")),
        Some(ready) if text(ready, "/message") == "Reconciling" => {
            progressing(text(ready, "/reason"))
        }
        Some(ready) => degraded(text(ready, "/reason")),
        None => progressing("Waiting for Atlas Operator"),
    }
}
