//! The tasks of an operation, and their order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use manifest::{Gvk, ObjectKey, gvk, kind, name, namespace};
use serde_json::Value;

use crate::kinds::rank;
use crate::marks::{
    SYNC_OPTIONS, defined_kind, delete_policies, has_option, images, is_sync_hook, wave,
};
use crate::model::{
    DeletePolicy, Live, OperationPhase, Resource, ResultCode, SyncPhase, TaskId, TaskResult,
};
use crate::options::Options;

/// One object in one phase.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub phase: SyncPhase,
    pub wave: i64,
    pub resource: Resource,
    /// The namespace under which results name the object: upstream fills in the destination's,
    /// for what has no namespace as well.
    pub shown_namespace: String,
    /// As in results, where the task was tried.
    pub status: Option<ResultCode>,
    pub progress: Option<OperationPhase>,
    pub message: String,
}

impl Task {
    pub fn new(phase: SyncPhase, resource: Resource) -> Self {
        let mut task = Self {
            phase,
            wave: 0,
            resource,
            shown_namespace: String::new(),
            status: None,
            progress: None,
            message: String::new(),
        };
        task.wave = wave(task.object());
        task.shown_namespace = namespace(task.object()).to_owned();
        task
    }

    pub fn target(&self) -> Option<&Arc<Value>> {
        self.resource.target.as_ref()
    }

    pub fn live(&self) -> Option<&Live> {
        self.resource.live.as_deref()
    }

    /// The desired object, or (for what is pruned) the live one's head.
    pub fn object(&self) -> &Value {
        static NOTHING: Value = Value::Null;
        match (&self.resource.target, &self.resource.live) {
            (Some(target), _) => target,
            (None, Some(live)) => &live.head,
            (None, None) => &NOTHING,
        }
    }

    pub fn key(&self) -> ObjectKey {
        manifest::key_of(self.object())
    }

    pub fn id(&self) -> TaskId {
        let mut key = self.key();
        key.namespace.clone_from(&self.shown_namespace);
        TaskId { key, phase: self.phase }
    }

    pub fn gvk(&self) -> Gvk {
        gvk(self.object())
    }

    pub fn is_prune(&self) -> bool {
        self.resource.target.is_none()
    }

    pub fn is_hook(&self) -> bool {
        is_sync_hook(self.object())
    }

    pub fn pending(&self) -> bool {
        self.progress.is_none()
    }

    pub fn running(&self) -> bool {
        self.progress == Some(OperationPhase::Running)
    }

    pub fn completed(&self) -> bool {
        self.progress.is_some_and(OperationPhase::completed)
    }

    pub fn failed(&self) -> bool {
        self.completed() && self.progress != Some(OperationPhase::Succeeded)
    }

    pub fn has_policy(&self, policy: DeletePolicy) -> bool {
        self.is_hook() && delete_policies(self.object()).contains(&policy)
    }

    pub fn delete_before_creation(&self) -> bool {
        self.resource.live.is_some()
            && self.pending()
            && self.has_policy(DeletePolicy::BeforeHookCreation)
    }

    /// `group/kind/name`, as the words of an operation have it.
    pub fn words(&self) -> String {
        let gvk = self.gvk();
        format!("{}/{}/{}", gvk.group, gvk.kind, name(self.object()))
    }

    pub fn result(&self) -> TaskResult {
        TaskResult {
            id: self.id(),
            version: self.gvk().version,
            status: self.status,
            message: self.message.clone(),
            hook: self.is_hook(),
            progress: self.progress,
            images: match (self.target(), self.live()) {
                (Some(target), _) => images(target),
                (None, live) => live.map(|live| live.images.clone()).unwrap_or_default(),
            },
        }
    }
}

/// Puts tasks in the order in which they run, and moves waves of what is pruned.
pub(crate) fn order(tasks: &mut Vec<Task>, options: &Options) {
    mirror_prune_waves(tasks);
    prune_last(tasks, options);
    tasks.sort_by(|a, b| {
        let place = |task: &Task| (task.phase, task.wave, rank(kind(task.object())));
        place(a)
            .cmp(&place(b))
            .then_with(|| name(a.object()).cmp(name(b.object())))
            .then_with(|| a.key().cmp(&b.key()))
    });
    // A namespace goes before what stands in it.
    move_before_users(
        tasks,
        |object| {
            (gvk(object).group.is_empty() && kind(object) == "Namespace")
                .then(|| name(object).to_owned())
        },
        |object| Some(namespace(object).to_owned()).filter(|ns| !ns.is_empty()),
    );
    // A definition goes before objects of its kind.
    move_before_users(
        tasks,
        |object| defined_kind(object).map(|(group, kind)| format!("{group}/{kind}")),
        |object| {
            let gvk = gvk(object);
            Some(format!("{}/{}", gvk.group, gvk.kind))
        },
    );
}

/// What was made first is pruned last: the waves among what is pruned are swapped end for end.
fn mirror_prune_waves(tasks: &mut [Task]) {
    let waves: BTreeSet<i64> =
        tasks.iter().filter(|task| task.is_prune()).map(|task| task.wave).collect();
    let mirrored: BTreeMap<i64, i64> =
        waves.iter().copied().zip(waves.iter().rev().copied()).collect();
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        task.wave = mirrored[&task.wave];
    }
}

fn prune_last(tasks: &mut [Task], options: &Options) {
    let last = tasks
        .iter()
        .filter(|task| task.phase == SyncPhase::Sync)
        .map(|task| task.wave)
        .fold(0, i64::max);
    for task in tasks.iter_mut().filter(|task| task.is_prune()) {
        let asked =
            task.live().is_some_and(|live| has_option(&live.head, SYNC_OPTIONS, "PruneLast=true"));
        if options.prune_last || asked {
            task.wave = last + 1;
        }
    }
}

/// Moves each task that others need to just before the first of them, into its phase and wave.
fn move_before_users(
    tasks: &mut Vec<Task>,
    provides: impl Fn(&Value) -> Option<String>,
    needs: impl Fn(&Value) -> Option<String>,
) {
    let mut first_user: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..tasks.len() {
        let Some(target) = tasks[at].target().cloned() else { continue };
        if let Some(provided) = provides(&target) {
            let Some(&user) = first_user.get(&provided) else { continue };
            let mut moved = tasks.remove(at);
            moved.phase = tasks[user].phase;
            moved.wave = tasks[user].wave;
            tasks.insert(user, moved);
            for index in first_user.values_mut().filter(|index| **index >= user) {
                *index += 1;
            }
        } else if let Some(needed) = needs(&target) {
            first_user.entry(needed).or_insert(at);
        }
    }
}
