//! The nouns of a sync.

use std::fmt;
use std::sync::Arc;

use manifest::{Gvk, ObjectKey};
use serde_json::Value;

/// Part of a sync; a later part begins when the one before is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SyncPhase {
    /// Hooks before anything is applied.
    PreSync,
    /// The Application's resources, and hooks among them.
    Sync,
    /// Hooks after everything is applied and healthy.
    PostSync,
    /// Hooks after a failure, and only then.
    SyncFail,
}

impl SyncPhase {
    /// As it stands in a status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreSync => "PreSync",
            Self::Sync => "Sync",
            Self::PostSync => "PostSync",
            Self::SyncFail => "SyncFail",
        }
    }

    /// Reads what stands in a status.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::PreSync, Self::Sync, Self::PostSync, Self::SyncFail]
            .into_iter()
            .find(|phase| phase.as_str() == text)
    }
}

/// How far an operation, or one task of it, has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationPhase {
    /// Not done.
    Running,
    /// Asked to end before it is done.
    Terminating,
    /// Done, and something was refused.
    Failed,
    /// Done, because something could not be tried.
    Error,
    /// Done, and all is well.
    Succeeded,
}

impl OperationPhase {
    /// As it stands in a status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Terminating => "Terminating",
            Self::Failed => "Failed",
            Self::Error => "Error",
            Self::Succeeded => "Succeeded",
        }
    }

    /// Reads what stands in a status.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Running, Self::Terminating, Self::Failed, Self::Error, Self::Succeeded]
            .into_iter()
            .find(|phase| phase.as_str() == text)
    }

    /// Tells whether it is over, well or not.
    pub fn completed(self) -> bool {
        match self {
            Self::Failed | Self::Error | Self::Succeeded => true,
            Self::Running | Self::Terminating => false,
        }
    }
}

/// What became of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResultCode {
    /// Applied.
    Synced,
    /// Not applied.
    SyncFailed,
    /// Deleted.
    Pruned,
    /// Not deleted, although git does not have it.
    PruneSkipped,
}

impl ResultCode {
    /// As it stands in a status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::SyncFailed => "SyncFailed",
            Self::Pruned => "Pruned",
            Self::PruneSkipped => "PruneSkipped",
        }
    }

    /// Reads what stands in a status.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Synced, Self::SyncFailed, Self::Pruned, Self::PruneSkipped]
            .into_iter()
            .find(|code| code.as_str() == text)
    }
}

/// When a hook is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeletePolicy {
    /// After it went well.
    HookSucceeded,
    /// After it did not.
    HookFailed,
    /// Before it is made again.
    BeforeHookCreation,
}

/// How well a live object is, as far as a sync asks; an object without health is never waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wellness {
    /// Nothing to wait for.
    Healthy,
    /// Paused by somebody.
    Suspended,
    /// On its way.
    Progressing,
    /// Not there.
    Missing,
    /// Failed.
    Degraded,
    /// Nobody can tell.
    Unknown,
}

impl Wellness {
    /// As it stands in a status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Suspended => "Suspended",
            Self::Progressing => "Progressing",
            Self::Missing => "Missing",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

/// A live object, as far as a sync asks.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The object without what only its kind has: `apiVersion`, `kind`, `metadata`. A
    /// CustomResourceDefinition also keeps what it defines.
    pub head: Value,
    /// How it is, and why; `None` for what has no health.
    pub health: Option<(Wellness, String)>,
    /// What its containers run.
    pub images: Vec<String>,
}

impl Live {
    /// What it is called.
    pub fn key(&self) -> ObjectKey {
        manifest::key_of(&self.head)
    }

    /// Tells whether it is being deleted.
    pub fn deleting(&self) -> bool {
        self.head.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null())
    }
}

/// One object of the Application: desired, live, or both.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    /// As git has it, with tracking metadata and namespace; `None`: git does not have it.
    pub target: Option<Arc<Value>>,
    /// As the cluster has it.
    pub live: Option<Arc<Live>>,
    /// Whether the two differ.
    pub modified: bool,
    /// Whether the live object's tracking metadata describes it (DIF-03); others are left alone.
    pub self_referenced: bool,
    /// What the cluster and the project say about writing it.
    pub verdict: WriteVerdict,
    /// Why the API server would refuse to apply it on its side, whatever it says otherwise.
    pub structural_refusal: Option<Arc<str>>,
}

/// What stands in the way of writing an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteVerdict {
    /// Nothing.
    #[default]
    Permitted,
    /// The project forbids it; its words.
    Refused(String),
    /// The cluster does not serve the kind; the server's words.
    KindUnknown(String),
}

/// Names one task of an operation: an object in a phase.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId {
    /// The object.
    pub key: ObjectKey,
    /// Hooks may run in several.
    pub phase: SyncPhase,
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, self.phase.as_str())
    }
}

/// What became of one task, as it stands in `status.operationState.syncResult.resources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskResult {
    /// Which task.
    pub id: TaskId,
    /// The object's version.
    pub version: String,
    /// `None` before it was tried.
    pub status: Option<ResultCode>,
    /// kubectl's words, the server's, or health's.
    pub message: String,
    /// Whether the object is a hook.
    pub hook: bool,
    /// How far the task has come; `None` before it was tried.
    pub progress: Option<OperationPhase>,
    /// What the object's containers run.
    pub images: Vec<String>,
}

/// One of an operation's chosen objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// `""` is the core group.
    pub group: String,
    /// As in `Deployment`.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// `""` stands for every namespace.
    pub namespace: String,
}

impl Selected {
    /// Tells whether this names the object.
    pub fn names(&self, key: &ObjectKey) -> bool {
        self.group == key.group
            && self.kind == key.kind
            && self.name == key.name
            && (self.namespace.is_empty() || self.namespace == key.namespace)
    }
}

/// How an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Server-side apply, conflicts overruled.
    ServerSide,
    /// kubectl's apply: last-applied annotation, three-way patch.
    ClientSide,
    /// Put in the place of what is there; made where nothing is.
    Replace,
}

/// What deleting an object does to what it owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// The owned go first.
    #[default]
    Foreground,
    /// The owned go later.
    Background,
    /// The owned stay.
    Orphan,
}

/// One thing to do now. All actions of one step may be carried out at once.
#[derive(Clone, Debug)]
pub struct Action {
    /// For whom.
    pub task: TaskId,
    /// The object's kind at its version.
    pub gvk: Gvk,
    /// The object; the task's key may bear a namespace that the object has not.
    pub key: ObjectKey,
    /// What.
    pub deed: Deed,
}

/// What an action does.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Writes an object.
    Apply {
        /// The whole object.
        object: Arc<Value>,
        /// By which means.
        how: How,
        /// Whether a server-side apply is told as such, or as a client-side one is.
        told_as_server_side: bool,
        /// Delete and make again what cannot be changed.
        force: bool,
        /// Whether unknown fields are an error.
        validate: bool,
        /// Ask the server, change nothing.
        dry_run: bool,
        /// Take over the fields of this client-side manager; `None` leaves them.
        migrate_from: Option<String>,
    },
    /// Deletes an object that git does not have.
    Prune {
        /// What becomes of what it owns.
        propagation: Propagation,
    },
    /// Deletes a hook.
    DeleteHook {
        /// What becomes of what it owns.
        propagation: Propagation,
        /// Whether the hook is made again when it is gone.
        before_creation: bool,
    },
    /// Takes the hook finalizer off.
    ReleaseHook,
}

/// What became of an action.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The action's task.
    pub task: TaskId,
    /// Which of its deeds.
    pub done: Done,
}

/// What became of a deed.
#[derive(Clone, Debug)]
pub enum Done {
    /// Written; kubectl's words (`deployment.apps/web configured`).
    Applied(String),
    /// Deletion asked for.
    PruneBegun,
    /// Deletion of a hook asked for; `false`: it was gone already.
    HookDeletionBegun(bool),
    /// The finalizer is off.
    HookReleased,
    /// Refused, or not possible; the server's words.
    Failed(String),
}
