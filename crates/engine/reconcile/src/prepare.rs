//! From rendered objects to what an Application wants in its destination.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use desired::DesiredObject;
use manifest::{Gvk, ObjectKey, gvk, key_of, name, namespace, set_namespace};
use serde_json::Value;
use sync::Tracking;
use sync::marks::{
    has_sync_phase, is_any_hook, is_ignored, is_post_delete_hook, is_pre_delete_hook, is_sync_hook,
};

use crate::conditions::{Condition, Kind};

/// One object that an Application wants, ready to be compared and applied.
#[derive(Clone, Debug)]
pub struct Target {
    /// What it is called; no namespace where its kind has none.
    pub key: ObjectKey,
    /// Its kind at its version.
    pub gvk: Gvk,
    /// The object, with namespace and tracking metadata.
    pub object: Arc<Value>,
    /// Changes when the object does.
    pub hash: u64,
    /// `None`: the cluster does not serve the kind.
    pub namespaced: Option<bool>,
}

/// Everything that an Application wants.
#[derive(Clone, Debug, Default)]
pub struct Prepared {
    /// Ordinary objects, each once, in the order in which their sources gave them.
    pub targets: Vec<Arc<Target>>,
    /// Hooks of a sync.
    pub hooks: Vec<Arc<Target>>,
    /// Hooks of a deletion.
    pub delete_hooks: Vec<Arc<Target>>,
    /// What users should know about the objects.
    pub conditions: Vec<Condition>,
}

impl Prepared {
    /// Tells whether something runs before the Application's resources are deleted.
    pub fn has_pre_delete_hooks(&self) -> bool {
        self.delete_hooks.iter().any(|hook| is_pre_delete_hook(&hook.object))
    }

    /// Tells whether something runs after the Application's resources are deleted.
    pub fn has_post_delete_hooks(&self) -> bool {
        self.delete_hooks.iter().any(|hook| is_post_delete_hook(&hook.object))
    }
}

/// What preparing must know.
pub struct Destination<'a> {
    /// The Application's name in tracking metadata: `web`, or `ns_web`.
    pub app: &'a str,
    /// Where objects go that say no namespace.
    pub namespace: &'a str,
    /// How objects are marked.
    pub tracking: &'a Tracking,
    /// Whether objects of a kind stand in namespaces; `None`: the cluster does not serve the kind.
    pub namespaced: &'a dyn Fn(&Gvk) -> Option<bool>,
    /// Whether the settings exclude a kind.
    pub excluded: &'a dyn Fn(&Gvk) -> bool,
}

/// Fills in namespaces, marks objects as the Application's, and keeps each object once.
///
/// Of an object that stands in the sources several times the last one counts (SRC-70).
pub fn prepare(objects: &[DesiredObject], destination: &Destination) -> Prepared {
    let mut context = DefaultHasher::new();
    (destination.app, destination.namespace, destination.tracking).hash(&mut context);
    let context = context.finish();

    let mut prepared = Prepared::default();
    let mut all: Vec<(ObjectKey, Arc<Target>)> = Vec::with_capacity(objects.len());
    let mut times: BTreeMap<ObjectKey, usize> = BTreeMap::new();
    for (at, desired) in objects.iter().enumerate() {
        if !desired.object.is_object() {
            continue;
        }
        let target = target(desired, destination, context);
        let mut identity = target.key.clone();
        if identity.name.is_empty() {
            let prefix = desired.object.pointer("/metadata/generateName");
            identity.name = format!("{}{at}", prefix.and_then(Value::as_str).unwrap_or(""));
        }
        *times.entry(identity.clone()).or_default() += 1;
        all.push((identity, target));
    }
    for (key, times) in times.iter().filter(|(_, times)| **times > 1) {
        prepared.conditions.push(Condition::new(
            Kind::RepeatedResourceWarning,
            format!("Resource {key} appeared {times} times among application resources."),
        ));
    }
    let mut left = times;
    for (identity, target) in all {
        let count = left.entry(identity).or_default();
        *count -= 1;
        if *count == 0 {
            place(target, destination, &mut prepared);
        }
    }
    prepared
}

fn target(desired: &DesiredObject, destination: &Destination, context: u64) -> Arc<Target> {
    let gvk = gvk(&desired.object);
    let namespaced = (destination.namespaced)(&gvk);
    let mut object = (*desired.object).clone();
    // A kind that is not served yet may be either; upstream takes it for a namespaced one.
    if namespaced.unwrap_or(true) {
        if namespace(&object).is_empty() && !destination.namespace.is_empty() {
            set_namespace(&mut object, destination.namespace);
        }
    } else if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("namespace");
    }
    destination.tracking.mark(&mut object, destination.app, destination.namespace);
    let mut hash = DefaultHasher::new();
    (desired.hash, context, namespaced).hash(&mut hash);
    let (key, hash) = (key_of(&object), hash.finish());
    Arc::new(Target { key, gvk, object: Arc::new(object), hash, namespaced })
}

fn place(target: Arc<Target>, destination: &Destination, prepared: &mut Prepared) {
    let object = &target.object;
    if (destination.excluded)(&target.gvk) {
        let Gvk { group, kind, .. } = &target.gvk;
        prepared.conditions.push(Condition::new(
            Kind::ExcludedResourceWarning,
            format!("Resource {group}/{kind} {} is excluded in the settings", name(object)),
        ));
        return;
    }
    if is_pre_delete_hook(object) || is_post_delete_hook(object) {
        prepared.delete_hooks.push(target.clone());
        if !has_sync_phase(object) {
            return;
        }
    }
    if is_ignored(object) {
        return;
    }
    match is_sync_hook(object) || is_any_hook(object) {
        true => prepared.hooks.push(target),
        false => prepared.targets.push(target),
    }
}
