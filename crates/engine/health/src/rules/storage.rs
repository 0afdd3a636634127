//! Storage: Rook's Ceph, OpenShift's storage clusters, object buckets, MinIO, disks of KubeVirt.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{lookup, text, word};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

pub(super) const RULES: &[Entry] = &[
    ("ceph.rook.io", "CephCluster", Rule::Code(ceph_cluster)),
    ("ceph.rook.io", "CephObjectStore", Rule::Code(object_store)),
    ("ocs.openshift.io", "StorageCluster", Rule::Steps(STORAGE_CLUSTER)),
    ("objectbucket.io", "ObjectBucketClaim", Rule::Steps(CLAIM)),
    ("minio.min.io", "Tenant", Rule::Steps(TENANT)),
    ("cdi.kubevirt.io", "DataVolume", Rule::Steps(DATA_VOLUME)),
];

/// Ceph's own health, what it is about, how far the operator is, and the operator's words.
fn ceph_cluster(cluster: &Value) -> Health {
    if lookup(cluster, "/status").is_none() {
        return progressing("Waiting for status to be reported");
    }
    let (state, message) = (text(cluster, "/status/state"), text(cluster, "/status/message"));
    let ceph = text(cluster, "/status/ceph/health");
    let mut words =
        if ceph.is_empty() { Vec::new() } else { vec![format!("Ceph health is {ceph}")] };
    let details: Vec<&str> = lookup(cluster, "/status/ceph/details")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(serde_json::Map::values)
        .map(|detail| text(detail, "/message"))
        .filter(|message| !message.is_empty())
        .collect();
    if let Some(last) = words.last_mut()
        && !details.is_empty()
    {
        *last = format!("{last} ({})", details.join("; "));
    }
    let ailing = matches!(ceph, "HEALTH_WARN" | "HEALTH_ERR");
    if !ailing && !state.is_empty() && !ceph.is_empty() {
        words.push(format!("Ceph cluster state is {state}"));
    }
    if !message.is_empty() {
        words.push(message.to_owned());
    }
    let words = words.join(" - ");
    if ailing || (state == "Error" && !ceph.is_empty()) {
        degraded(words)
    } else if ceph == "HEALTH_OK" && matches!(state, "" | "Created" | "Connected") {
        healthy(words)
    } else {
        progressing(words)
    }
}

fn object_store(store: &Value) -> Health {
    let phase = text(store, "/status/phase");
    let mut words = match phase {
        "" => "Waiting for status to be reported".to_owned(),
        phase => format!("Ceph object store phase is {phase}"),
    };
    if let Some(endpoint) = lookup(store, "/status/info/endpoint") {
        words.push_str(&format!(" - endpoint: {}", word(endpoint)));
    }
    match phase {
        "Ready" => healthy(words),
        "Failure" => degraded(words),
        _ => progressing(words),
    }
}

const STORAGE_CLUSTER: &[Step] = &[
    (Is("Degraded", "True"), Degraded, "{message}"),
    (Is("Progressing", "True"), Progressing, "{message}"),
    (Is("Available", "True"), Healthy, "{message}"),
    (Otherwise, Unknown, "StorageCluster is in an unknown state."),
];

const CLAIM: &[Step] = &[
    (At("/status/phase", &["Bound"]), Healthy, "Object bucket claim phase is {value}"),
    (At("/status/phase", &["Failed"]), Degraded, "Object bucket claim phase is {value}"),
    (Present("/status/phase"), Progressing, "Object bucket claim phase is {/status/phase}"),
    (Otherwise, Progressing, "Waiting for phase to be reported"),
];

/// States out of which the operator does not find by itself.
const TENANT_FAILED: &[&str] = &[
    "Statefulset not controlled by operator",
    "Another MinIO Tenant already exists in the namespace",
    "Tenant credentials are not set properly",
    "Different versions across MinIO Pools",
    "Pool Decommissioning Not Allowed",
];

const TENANT: &[Step] = &[
    (At("/status/currentState", &["Initialized"]), Healthy, "{value}"),
    (At("/status/currentState", TENANT_FAILED), Degraded, "{value}"),
    (Present("/status/currentState"), Progressing, "{/status/currentState}"),
    (Otherwise, Progressing, "No status info available"),
];

const DATA_VOLUME: &[Step] = &[
    (At("/status/phase", &["Succeeded"]), Healthy, "{value}"),
    (At("/status/phase", &["Paused"]), Suspended, "{value}"),
    (Because("Running", "False", &["Error"]), Degraded, "{message}"),
    (At("/status/phase", &["Failed", "Unknown"]), Degraded, "{value}"),
    (Present("/status/phase"), Progressing, "{/status/phase}"),
    (Otherwise, Progressing, "No status available"),
];
