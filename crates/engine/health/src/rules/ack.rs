//! AWS Controllers for Kubernetes: every kind of every `*.services.k8s.aws` group.
//!
//! `Ready` says whether the thing in AWS is as the spec wants it; the conditions named `ACK.…`
//! say why it is not, the worst of them `ACK.Terminal`.

use crate::rules::{Entry, Rule};
use crate::steps::Verdict::*;
use crate::steps::When::*;

pub(super) const RULES: &[Entry] = &[(
    "*.services.k8s.aws",
    "*",
    Rule::Listed(&[
        (Is("ACK.Terminal", "True"), Degraded, "{message}"),
        (Is("Ready", "True"), Healthy, ""),
        (Is("Ready", "False"), Progressing, "{message}"),
        (Otherwise, Progressing, "Waiting for resource to be ready"),
    ]),
)];
