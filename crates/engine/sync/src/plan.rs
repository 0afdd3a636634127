//! From what is desired and what is live to ordered tasks.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use manifest::{ObjectKey, key_of, kind, name, namespace, set_namespace};
use serde_json::{Value, json};

use crate::marks::{
    HOOK_FINALIZER, MADE_FOR, SYNC_OPTIONS, defined_kind, has_hook_finalizer, has_option,
    is_any_hook, is_sync_hook, phases,
};
use crate::model::{Live, Resource, ResultCode, Selected, SyncPhase, TaskResult, WriteVerdict};
use crate::options::Options;
use crate::task::{Task, order};

/// Everything that an operation knows about the world at one moment.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// What was asked.
    pub options: Options,
    /// Resources of the Application, desired, live or both; hooks are not among them.
    pub resources: Vec<Resource>,
    /// Hooks that are desired, each with what is live of it (by its final name).
    pub hooks: Vec<Resource>,
    /// Every hook that is live, for those that get their names from the operation only.
    pub live_hooks: BTreeMap<ObjectKey, Arc<Live>>,
    /// The destination's namespace; `""` where it says none.
    pub namespace: String,
    /// The destination's namespace as the cluster has it.
    pub live_namespace: Option<Arc<Live>>,
    /// What stands in the way of making the destination's namespace.
    pub namespace_verdict: WriteVerdict,
    /// Labels and annotations that the namespace gets.
    pub managed_namespace: Option<(BTreeMap<String, String>, BTreeMap<String, String>)>,
    /// Only these objects; empty: all.
    pub selected: Vec<Selected>,
    /// The revision that is synced.
    pub revision: String,
    /// When the operation began; hooks without a name are called after it.
    pub started_at: Timestamp,
    /// Whether somebody has confirmed the pruning, since the operation began.
    pub prune_confirmed: bool,
    /// Names this attempt of this operation; `""`: nobody has to know its hooks again.
    pub attempt: String,
    /// Whether another process may have begun this attempt: then its hooks are looked for.
    pub goes_on: bool,
    /// The time.
    pub now: Timestamp,
    /// How long the operation rests between two waves, at least.
    pub wave_delay: SignedDuration,
}

/// Tasks in their order; those that cannot be tried bear a result that says why.
pub(crate) struct Plan {
    pub tasks: Vec<Task>,
    pub valid: bool,
}

/// Builds the tasks, and gives each what its earlier results say.
pub(crate) fn plan(world: &World, results: &[TaskResult]) -> Plan {
    let mut tasks = Vec::new();
    for resource in world.resources.iter().filter(|resource| takes_part(world, resource)) {
        let object = match (&resource.target, &resource.live) {
            (Some(target), _) => &**target,
            (None, Some(live)) => &live.head,
            (None, None) => continue,
        };
        // A live hook without a desired one is left to its delete policy.
        if is_any_hook(object) && resource.target.is_none() || is_sync_hook(object) {
            continue;
        }
        for phase in phases(object) {
            tasks.push(Task::new(phase, resource.clone()));
        }
    }
    if !world.options.skip_hooks {
        for hook in &world.hooks {
            let Some(target) = &hook.target else { continue };
            for phase in phases(target) {
                let mut resource = hook.clone();
                let object = hook_object(target, phase, world);
                if name(target).is_empty() {
                    resource.live = world.live_hooks.get(&key_of(&object)).cloned();
                }
                resource.target = Some(Arc::new(object));
                tasks.push(Task::new(phase, resource));
            }
        }
    }
    for task in &mut tasks {
        if task.target().is_some() && task.shown_namespace.is_empty() {
            task.shown_namespace.clone_from(&world.namespace);
        }
    }
    tasks.extend(namespace_task(world));

    let mut valid = true;
    for task in &mut tasks {
        if let Some(refusal) = refusal(world, task) {
            task.status = Some(ResultCode::SyncFailed);
            task.message = refusal;
            valid = false;
        }
    }
    order(&mut tasks, &world.options);
    if valid {
        let by_id: BTreeMap<_, _> = results.iter().map(|result| (&result.id, result)).collect();
        for task in &mut tasks {
            if let Some(result) = by_id.get(&task.id()) {
                task.status = result.status;
                task.progress = result.progress;
                task.message.clone_from(&result.message);
            }
        }
    }
    Plan { tasks, valid }
}

fn takes_part(world: &World, resource: &Resource) -> bool {
    if !resource.self_referenced {
        return false;
    }
    let key = match (&resource.target, &resource.live) {
        (Some(target), _) => key_of(target),
        (None, Some(live)) => live.key(),
        (None, None) => return false,
    };
    world.selected.is_empty() || world.selected.iter().any(|selected| selected.names(&key))
}

/// Returns why the task cannot be tried at all.
fn refusal(world: &World, task: &Task) -> Option<String> {
    match &task.resource.verdict {
        WriteVerdict::Permitted => None,
        WriteVerdict::Refused(words) => Some(words.clone()),
        WriteVerdict::KindUnknown(words) => {
            let gvk = task.gvk();
            let defined_here =
                world.resources.iter().filter_map(|one| one.target.as_deref()).any(|target| {
                    defined_kind(target) == Some((gvk.group.as_str(), gvk.kind.as_str()))
                });
            let skips = world.options.skip_missing_kinds
                || task.target().is_some_and(|target| {
                    has_option(target, SYNC_OPTIONS, "SkipDryRunOnMissingResource=true")
                });
            (!defined_here && !skips).then(|| words.clone())
        }
    }
}

/// A hook as it is applied: named after the operation where it has no name, kept by a finalizer.
fn hook_object(target: &Value, phase: SyncPhase, world: &World) -> Value {
    let mut object = target.clone();
    if name(target).is_empty() {
        let generated = hook_name(target, phase, &world.revision, world.started_at);
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("name".into(), generated.into());
        }
    }
    if !world.attempt.is_empty() {
        let made_for = format!("{} {}", world.attempt, phase.as_str());
        manifest::set_annotation(&mut object, MADE_FOR, &made_for);
    }
    if !has_hook_finalizer(&object)
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        let finalizers = metadata.entry("finalizers").or_insert_with(|| json!([]));
        if let Some(list) = finalizers.as_array_mut() {
            list.push(HOOK_FINALIZER.into());
        }
    }
    object
}

/// Returns the name of a hook that has `generateName` only (SYN-04).
pub fn hook_name(target: &Value, phase: SyncPhase, revision: &str, began: Timestamp) -> String {
    let prefix = target.pointer("/metadata/generateName").and_then(Value::as_str).unwrap_or("");
    let short = if revision.len() >= 8 { revision.get(..7).unwrap_or(revision) } else { revision };
    format!(
        "{prefix}{}",
        format!("{short}-{}-{}", phase.as_str(), began.as_second()).to_lowercase()
    )
}

/// Returns the task that makes the destination's namespace, where it is asked for and needed.
fn namespace_task(world: &World) -> Option<Task> {
    if !world.options.create_namespace || world.namespace.is_empty() {
        return None;
    }
    let desired =
        world.resources.iter().filter_map(|resource| resource.target.as_deref()).any(|target| {
            kind(target) == "Namespace"
                && manifest::gvk(target).group.is_empty()
                && name(target) == world.namespace
        });
    if desired || (world.live_namespace.is_some() && world.managed_namespace.is_none()) {
        return None;
    }
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": world.namespace},
    });
    if let Some((labels, annotations)) = &world.managed_namespace {
        for (key, value) in labels {
            manifest::set_label(&mut object, key, value);
        }
        for (key, value) in annotations {
            manifest::set_annotation(&mut object, key, value);
        }
        // As upstream: labels and annotations of others stay.
        manifest::set_annotation(&mut object, SYNC_OPTIONS, "ServerSideApply=true");
    }
    let resource = Resource {
        target: Some(Arc::new(object)),
        live: world.live_namespace.clone(),
        modified: true,
        self_referenced: true,
        verdict: world.namespace_verdict.clone(),
        structural_refusal: None,
    };
    Some(Task::new(SyncPhase::PreSync, resource))
}

/// Fills in the namespace of an object that has none.
pub fn with_namespace(object: &mut Value, destination: &str) {
    if namespace(object).is_empty() && !destination.is_empty() {
        set_namespace(object, destination);
    }
}
