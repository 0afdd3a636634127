//! Secrets from elsewhere: External Secrets, its ancestor, Sealed Secrets, 1Password.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{conditions, text};
use crate::rules::{Entry, Rule};
use crate::steps::Step;
use crate::steps::Verdict::*;
use crate::steps::When::*;
use crate::verdicts::{degraded, healthy, progressing};

pub(super) const RULES: &[Entry] = &[
    ("external-secrets.io", "ClusterExternalSecret", Rule::Code(fanned_out)),
    ("external-secrets.io", "ClusterSecretStore", Rule::Listed(READY)),
    ("external-secrets.io", "ExternalSecret", Rule::Listed(READY)),
    ("external-secrets.io", "PushSecret", Rule::Listed(READY)),
    ("external-secrets.io", "SecretStore", Rule::Listed(READY)),
    ("kubernetes-client.io", "ExternalSecret", Rule::Code(legacy)),
    ("bitnami.com", "SealedSecret", Rule::Listed(SEALED)),
    ("onepassword.com", "OnePasswordItem", Rule::Listed(ITEM)),
];

const ITEM: &[Step] = &[
    (Is("Ready", "False"), Degraded, "{message}"),
    (Is("Ready", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Waiting for controller to report status"),
];

const READY: &[Step] = &[
    (Is("Ready", "False"), Degraded, "{message}"),
    (Is("Ready", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Waiting for {kind}"),
];

/// One secret in many namespaces: the newest condition counts, and stands last.
fn fanned_out(secret: &Value) -> Health {
    let last = conditions(secret).last();
    let message = last.map_or("", |one| text(one, "/message"));
    match last.filter(|one| text(one, "/status") == "True").map(|one| text(one, "/type")) {
        Some("Ready") => healthy(message),
        Some("NotReady" | "PartiallyReady") => degraded(message),
        _ => progressing("Waiting for ClusterExternalSecret"),
    }
}

/// `SUCCESS`, or `ERROR, ` and why.
fn legacy(secret: &Value) -> Health {
    let status = text(secret, "/status/status");
    if status == "SUCCESS" {
        healthy("Fetched ExternalSecret.")
    } else if let Some(why) = status.strip_prefix("ERROR") {
        degraded(why.trim_start_matches([',', ' ']))
    } else {
        progressing("Waiting for ExternalSecret.")
    }
}

const SEALED: &[Step] = &[
    (Is("Synced", "False"), Degraded, "{message}"),
    (Is("Synced", "True"), Healthy, "{message}"),
    (Otherwise, Progressing, "Waiting for Sealed Secret to be decrypted"),
];
