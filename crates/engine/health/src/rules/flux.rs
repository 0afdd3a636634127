//! Flux: every reconciler reports `Ready` and can be suspended.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, holds, text};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("helm.toolkit.fluxcd.io", "HelmRelease", Rule::Code(reconciled)),
    ("image.toolkit.fluxcd.io", "ImagePolicy", Rule::Code(reconciled)),
    ("image.toolkit.fluxcd.io", "ImageRepository", Rule::Code(reconciled)),
    ("image.toolkit.fluxcd.io", "ImageUpdateAutomation", Rule::Code(reconciled)),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", Rule::Code(reconciled)),
    ("notification.toolkit.fluxcd.io", "Receiver", Rule::Code(reconciled)),
    ("source.toolkit.fluxcd.io", "Bucket", Rule::Code(reconciled)),
    ("source.toolkit.fluxcd.io", "GitRepository", Rule::Code(reconciled)),
    ("source.toolkit.fluxcd.io", "HelmChart", Rule::Code(reconciled)),
    ("source.toolkit.fluxcd.io", "HelmRepository", Rule::Code(helm_repository)),
    ("source.toolkit.fluxcd.io", "OCIRepository", Rule::Code(reconciled)),
];

fn reconciled(object: &Value) -> Health {
    if holds(object, "/spec/suspend") {
        return suspended(format!("{} is suspended", text(object, "/kind")));
    }
    if conditions(object).next().is_none() {
        return progressing("Status unknown");
    }
    let Some(ready) = condition(object, "Ready") else { return degraded("") };
    let reason = text(ready, "/reason");
    match text(ready, "/status") {
        "True" => healthy(reason),
        "Unknown" => progressing(reason),
        _ => degraded(reason),
    }
}

fn helm_repository(repository: &Value) -> Health {
    if text(repository, "/spec/type") == "oci" && !holds(repository, "/spec/suspend") {
        return healthy(
            "Helm repositories of type 'oci' do not contain any information in the status.",
        );
    }
    reconciled(repository)
}
