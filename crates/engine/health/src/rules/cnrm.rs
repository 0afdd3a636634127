//! Config Connector of Google Cloud: every kind of every `*.cnrm.cloud.google.com` group.
//!
//! A resource has one condition, `Ready`, whose reason says what goes on. The two kinds that
//! install the connector itself say `status.healthy` instead.

use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;

pub(super) const RULES: &[Entry] = &[(
    "*.cnrm.cloud.google.com",
    "*",
    Rule::Steps(&[
        (Stale, Progressing, "Update in progress"),
        (At("/status/healthy", &["true"]), Healthy, "{kind} is healthy"),
        (At("/status/healthy", &["false"]), Degraded, "{kind} is not healthy"),
        (Because("Ready", "True", &["UpToDate"]), Healthy, "{message}"),
        (Because("Ready", "False", &["UpdateFailed", "DependencyNotFound"]), Degraded, "{message}"),
        (Because("Ready", "False", &["DependencyNotReady"]), Suspended, "{message}"),
        (Otherwise, Progressing, "Update in progress"),
    ]),
)];
