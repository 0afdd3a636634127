//! Humio (Falcon LogScale): `status.state` says all.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{lookup, text, word};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing, unknown};

const GROUP: &str = "core.humio.com";

pub(super) const RULES: &[Entry] = &[
    (GROUP, "HumioAction", Rule::Steps(OBJECT)),
    (GROUP, "HumioAlert", Rule::Steps(OBJECT)),
    (GROUP, "HumioCluster", Rule::Code(cluster)),
    (GROUP, "HumioIngestToken", Rule::Steps(OBJECT)),
    (GROUP, "HumioParser", Rule::Steps(OBJECT)),
    (GROUP, "HumioRepository", Rule::Steps(OBJECT)),
    (GROUP, "HumioView", Rule::Steps(OBJECT)),
];

const STATE: &str = "/status/state";

const OBJECT: &[Step] = &[
    (At(STATE, &["Exists"]), Healthy, "Component state: {value}."),
    (At(STATE, &["NotFound"]), Missing, "Component state: {value}."),
    (At(STATE, &["ConfigError"]), Degraded, "Component state: {value}."),
    (At(STATE, &["Unknown"]), Unknown, "Component state: {value}."),
    (Otherwise, Progressing, "Update in progress"),
];

/// In the operator's own words, where it has any.
fn cluster(cluster: &Value) -> Health {
    let state = text(cluster, STATE);
    let words = match state {
        "Running" => "Cluster is in a healthy running state",
        "Restarting" => "Cluster pods are being restarted",
        "Upgrading" => "Cluster pods are being upgraded",
        "Pending" => "Cluster is waiting on resources to be provisioned",
        "ConfigError" => "User-provided cluster specification resulted in a configuration error",
        "Unknown" => "Component state: Unknown.",
        _ => return progressing("Update in progress"),
    };
    let words = match lookup(cluster, "/status/message") {
        Some(said) => word(said).into_owned(),
        None => words.to_owned(),
    };
    match state {
        "Running" => healthy(words),
        "ConfigError" => degraded(words),
        "Unknown" => unknown(words),
        _ => progressing(words),
    }
}
