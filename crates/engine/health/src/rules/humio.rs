//! Humio (Falcon LogScale): `status.state` says all.

use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;

const GROUP: &str = "core.humio.com";

pub(super) const RULES: &[Entry] = &[
    (GROUP, "HumioAction", Rule::Steps(OBJECT)),
    (GROUP, "HumioAlert", Rule::Steps(OBJECT)),
    (GROUP, "HumioCluster", Rule::Steps(CLUSTER)),
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

const CLUSTER: &[Step] = &[
    (At(STATE, &["Running"]), Healthy, "Cluster is in a healthy running state"),
    (At(STATE, &["Restarting"]), Progressing, "Cluster pods are being restarted"),
    (At(STATE, &["Upgrading"]), Progressing, "Cluster pods are being upgraded"),
    (At(STATE, &["Pending"]), Progressing, "Cluster is waiting on resources to be provisioned"),
    (At(STATE, &["ConfigError"]), Degraded, "Component state: {value}."),
    (At(STATE, &["Unknown"]), Unknown, "Component state: {value}."),
    (Otherwise, Progressing, "Update in progress"),
];
