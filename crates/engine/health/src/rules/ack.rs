//! AWS Controllers for Kubernetes: every kind of every `*.services.k8s.aws` group.
//!
//! Their conditions are named `ACK.…`: `Terminal` and `Recoverable` are failures, and
//! `ResourceSynced` says that the thing in AWS is as the spec wants it.

use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;

pub(super) const RULES: &[Entry] = &[(
    "*.services.k8s.aws",
    "*",
    Rule::Steps(&[
        (Is("ACK.Terminal", "True"), Degraded, "{message}"),
        (Is("ACK.Recoverable", "True"), Degraded, "{message}"),
        (Is("ACK.ReferencesResolved", "False"), Degraded, "{message}"),
        (Is("ACK.ReferencesResolved", "Unknown"), Progressing, "{message}"),
        (Is("ACK.ResourceSynced", "True"), Healthy, "{message}"),
        (Is("Ready", "True"), Healthy, "{message}"),
        (Is("ACK.ResourceSynced", "False"), Progressing, "{message}"),
        (Is("ACK.ResourceSynced", "Unknown"), Progressing, "{message}"),
        (Otherwise, Progressing, "Waiting for resource to be synced"),
    ]),
)];
