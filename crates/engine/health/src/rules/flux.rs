//! Flux: every reconciler reports `Ready` and can be suspended.

use serde_json::Value;

use crate::assess::Health;
use crate::object::{any_is, has_conditions, holds, last_condition, text};
use crate::rules::{Entry, Rule};
use crate::verdicts::{degraded, healthy, progressing, suspended};

pub(super) const RULES: &[Entry] = &[
    ("helm.toolkit.fluxcd.io", "HelmRelease", Rule::Code(release)),
    ("image.toolkit.fluxcd.io", "ImagePolicy", Rule::Code(image_policy)),
    ("image.toolkit.fluxcd.io", "ImageRepository", Rule::Code(judged_at_once)),
    ("image.toolkit.fluxcd.io", "ImageUpdateAutomation", Rule::Code(reconciled)),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", Rule::Code(reconciled)),
    ("notification.toolkit.fluxcd.io", "Receiver", Rule::Code(judged_at_once)),
    ("source.toolkit.fluxcd.io", "Bucket", Rule::Code(source)),
    ("source.toolkit.fluxcd.io", "GitRepository", Rule::Code(source)),
    ("source.toolkit.fluxcd.io", "HelmChart", Rule::Code(source)),
    ("source.toolkit.fluxcd.io", "HelmRepository", Rule::Code(helm_repository)),
    ("source.toolkit.fluxcd.io", "OCIRepository", Rule::Code(source)),
];

/// Well where `Ready` and, for some kinds, another condition hold; on the way where `Ready` is
/// not known yet, and the reconciler says that it works on it.
fn judged(object: &Value, also: Option<&str>, takes_time: bool) -> Health {
    if holds(object, "/spec/suspend") {
        return suspended(format!("{} is suspended", text(object, "/kind")));
    }
    told(object, also, takes_time)
}

/// The same of an object that is not suspended.
fn told(object: &Value, also: Option<&str>, takes_time: bool) -> Health {
    if !has_conditions(object) {
        return progressing("Status unknown");
    }
    let reason = last_condition(object, "Ready").map_or("", |ready| text(ready, "/reason"));
    if any_is(object, "Ready", "True") && also.is_none_or(|also| any_is(object, also, "True")) {
        healthy(reason)
    } else if takes_time
        && any_is(object, "Ready", "Unknown")
        && any_is(object, "Reconciling", "True")
    {
        progressing(reason)
    } else {
        degraded(reason)
    }
}

fn reconciled(object: &Value) -> Health {
    judged(object, None, true)
}

/// What is looked up, not brought about: it is there or not.
fn judged_at_once(object: &Value) -> Health {
    judged(object, None, false)
}

/// A policy chooses among what is known: there is nothing to suspend.
fn image_policy(policy: &Value) -> Health {
    told(policy, None, false)
}

fn release(release: &Value) -> Health {
    judged(release, Some("Released"), true)
}

/// A source is well once what it names lies in the controller's store.
fn source(source: &Value) -> Health {
    judged(source, Some("ArtifactInStorage"), true)
}

fn helm_repository(repository: &Value) -> Health {
    if text(repository, "/spec/type") == "oci" && !holds(repository, "/spec/suspend") {
        return healthy(
            "Helm repositories of type 'oci' do not contain any information in the status.",
        );
    }
    source(repository)
}
