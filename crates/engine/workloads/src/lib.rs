//! What the controllers of a cluster would do: the rules of the simulated cluster.
//!
//! [`reconcile`] is shown one object and the objects that it controls, and answers with the
//! writes that bring them a step further. It is called again whenever one of them was
//! written, so each call takes only the next step.
//!
//! There is one simulated node, pods are ready at once, and nothing runs. Two annotations
//! on a pod (or a pod template) change that: `sim.tiphys.io/outcome` (`crashloop`,
//! `imagepull`, `never-ready`, `fail`) and `sim.tiphys.io/delay` (`5s`).
//!
//! Nothing here reads a clock or keeps state: the time comes in with [`Context`].

mod autoscaler;
mod budget;
mod cron;
mod daemonset;
mod deployment;
mod endpoints;
mod history;
mod job;
mod network;
mod outcome;
mod pod;
mod replicaset;
mod revision;
mod statefulset;
mod storage;
mod template;

pub use endpoints::selects;
pub use outcome::{Context, Outcome, Write};

use std::sync::Arc;

use manifest::{GroupKind, ObjectKey};
use serde_json::Value;

/// Whether a simulated controller looks after this kind.
pub fn handles(kind: &GroupKind) -> bool {
    controller(kind).is_some()
}

type Controller = fn(&Value, &[Arc<Value>], &Context<'_>) -> Outcome;

fn controller(kind: &GroupKind) -> Option<Controller> {
    Some(match (kind.group.as_str(), kind.kind.as_str()) {
        ("", "Pod") => pod::reconcile,
        ("", "ReplicationController") => replicaset::reconcile,
        ("", "PersistentVolume") => storage::reconcile_volume,
        ("", "PersistentVolumeClaim") => storage::reconcile,
        ("", "Service") => network::reconcile_service,
        ("apiregistration.k8s.io", "APIService") => network::reconcile_api_service,
        ("networking.k8s.io", "Ingress") => network::reconcile_ingress,
        ("apps", "Deployment") => deployment::reconcile,
        ("apps", "ReplicaSet") => replicaset::reconcile,
        ("apps", "StatefulSet") => statefulset::reconcile,
        ("apps", "DaemonSet") => daemonset::reconcile,
        ("batch", "Job") => job::reconcile,
        ("batch", "CronJob") => cron::reconcile,
        ("policy", "PodDisruptionBudget") => budget::reconcile,
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaler::reconcile,
        _ => return None,
    })
}

/// Takes the next step for `object`.
///
/// `owned` are the objects of any kind whose controlling owner it is.
pub fn reconcile(object: &Value, owned: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let Some(run) = controller(&manifest::gvk(object).group_kind()) else {
        return Outcome::default();
    };
    // What is being deleted gets no new children; the garbage collector does the rest.
    let deleting = object.pointer("/metadata/deletionTimestamp").is_some();
    if deleting && manifest::kind(object) != "Pod" {
        return Outcome::default();
    }
    run(object, owned, context)
}

/// Returns whom to reconcile after `object` was written or deleted: itself, and its controlling
/// owner.
pub fn wakes(object: &Value) -> Vec<ObjectKey> {
    let mut woken = Vec::new();
    if handles(&manifest::gvk(object).group_kind()) {
        woken.push(manifest::key_of(object));
    }
    if let Some(owner) =
        manifest::owner_references(object).into_iter().find(|owner| owner.controller)
    {
        let (group, _) = manifest::split_api_version(&owner.api_version);
        let key = ObjectKey::new(group, owner.kind, manifest::namespace(object), owner.name);
        if handles(&key.group_kind()) {
            woken.push(key);
        }
    }
    woken
}

#[cfg(test)]
mod tests;
