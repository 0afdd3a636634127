//! Flux's reconcilers, which pause with `spec.suspend`.

use serde_json::Value;

use super::{Kind, Run, resume, suspend};
use crate::edit::{annotate, holds};
use crate::error::ActionError;
use crate::offer::{Action, Call};

const RECONCILER: &[(&str, Run)] = &[
    ("reconcile", Run::Patch(reconcile)),
    ("suspend", Run::Patch(suspend)),
    ("resume", Run::Patch(resume)),
];

const SWITCH: &[(&str, Run)] = &[("suspend", Run::Patch(suspend)), ("resume", Run::Patch(resume))];

const fn reconciler(group: &'static str, kind: &'static str) -> Kind {
    Kind { group, kind, offers: reconciled, actions: RECONCILER }
}

const fn switch(group: &'static str, kind: &'static str) -> Kind {
    Kind { group, kind, offers: switched, actions: SWITCH }
}

pub(super) const KINDS: &[Kind] = &[
    reconciler("helm.toolkit.fluxcd.io", "HelmRelease"),
    reconciler("image.toolkit.fluxcd.io", "ImageRepository"),
    reconciler("image.toolkit.fluxcd.io", "ImageUpdateAutomation"),
    reconciler("kustomize.toolkit.fluxcd.io", "Kustomization"),
    reconciler("notification.toolkit.fluxcd.io", "Receiver"),
    reconciler("source.toolkit.fluxcd.io", "Bucket"),
    reconciler("source.toolkit.fluxcd.io", "GitRepository"),
    reconciler("source.toolkit.fluxcd.io", "HelmChart"),
    reconciler("source.toolkit.fluxcd.io", "HelmRepository"),
    reconciler("source.toolkit.fluxcd.io", "OCIRepository"),
    switch("notification.toolkit.fluxcd.io", "Alert"),
    switch("notification.toolkit.fluxcd.io", "Provider"),
];

fn switched(object: &Value) -> Vec<Action> {
    let suspended = holds(object, "/spec/suspend");
    vec![
        Action::named("suspend").disabled_if(suspended),
        Action::named("resume").disabled_if(!suspended),
    ]
}

fn reconciled(object: &Value) -> Vec<Action> {
    let suspended = holds(object, "/spec/suspend");
    let mut all = vec![Action::named("reconcile").disabled_if(suspended)];
    all.extend(switched(object));
    all
}

/// Flux's controllers act on any new value.
fn reconcile(object: &mut Value, call: &Call<'_>) -> Result<(), ActionError> {
    let time = call.now.strftime("By Argo CD at: %Y-%m-%dT%H:%M:%S").to_string();
    annotate(object, "reconcile.fluxcd.io/requestedAt", &time);
    Ok(())
}
