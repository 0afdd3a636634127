//! Syncs that are asked for, that run, and that have ended.

use crate::application::{Info, ManagedNamespaceMetadata, RetryStrategy};
use crate::shape::{shape, words};
use crate::source::ApplicationSource;
use crate::values::Time;

words! {
    /// How far an operation is.
    pub enum OperationPhase {
        /// It runs, or waits for its next attempt.
        Running = "Running",
        /// Somebody asked it to stop.
        Terminating = "Terminating",
        /// An object could not be applied.
        Failed = "Failed",
        /// It could not be carried out.
        Error = "Error",
        /// All is applied.
        Succeeded = "Succeeded",
    }
}

impl OperationPhase {
    /// Whether nothing more will happen.
    pub fn completed(&self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::Succeeded)
    }

    /// Whether it ended well.
    pub fn successful(&self) -> bool {
        *self == Self::Succeeded
    }

    /// Whether it ended, and not well.
    pub fn failed(&self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

words! {
    /// What became of one object in a sync.
    pub enum ResultCode {
        /// It is applied.
        Synced = "Synced",
        /// It could not be applied.
        SyncFailed = "SyncFailed",
        /// It is deleted.
        Pruned = "Pruned",
        /// It should be deleted, and is not.
        PruneSkipped = "PruneSkipped",
    }
}

words! {
    /// The part of a sync in which an object is applied.
    pub enum SyncPhase {
        /// Before everything else.
        PreSync = "PreSync",
        /// The objects themselves.
        Sync = "Sync",
        /// When all is well.
        PostSync = "PostSync",
        /// When the sync failed.
        SyncFail = "SyncFail",
    }
}

words! {
    /// When a hook runs.
    pub enum HookType {
        /// Before everything else.
        PreSync = "PreSync",
        /// With the objects themselves.
        Sync = "Sync",
        /// When all is well.
        PostSync = "PostSync",
        /// When the sync failed.
        SyncFail = "SyncFail",
        /// Never: the object is left out.
        Skip = "Skip",
        /// Before the Application is deleted.
        PreDelete = "PreDelete",
        /// After the Application's objects are deleted.
        PostDelete = "PostDelete",
    }
}

words! {
    /// When a hook's object is deleted.
    pub enum HookDeletePolicy {
        /// When it succeeded.
        HookSucceeded = "HookSucceeded",
        /// When it failed.
        HookFailed = "HookFailed",
        /// Before it is made again.
        BeforeHookCreation = "BeforeHookCreation",
    }
}

shape! {
    /// A sync that somebody asks for.
    pub struct Operation {
        /// The sync.
        sync: Option<SyncOperation> = "sync",
        /// Who asked.
        initiated_by: OperationInitiator = "initiatedBy",
        /// Facts for people about this operation.
        info: Vec<Info> = "info",
        /// What to do when it fails.
        retry: RetryStrategy = "retry",
    }
}

shape! {
    /// Who asked for an operation.
    pub struct OperationInitiator {
        /// A person or a service account.
        username: String = "username",
        /// Whether the controller asked by itself.
        automated: bool = "automated",
    }
}

shape! {
    /// What to sync, and how.
    pub struct SyncOperation {
        /// Revision to sync; the Application's target where empty.
        revision: String = "revision",
        /// Whether objects that left the sources are deleted.
        prune: bool = "prune",
        /// Whether nothing is changed.
        dry_run: bool = "dryRun",
        /// How to apply.
        sync_strategy: Option<SyncStrategy> = "syncStrategy",
        /// Only these objects; all where empty.
        resources: Vec<SyncOperationResource> = "resources",
        /// Sync this source instead of the Application's (a rollback).
        source: Option<ApplicationSource> = "source",
        /// Apply these manifests instead of the sources'.
        manifests: Vec<String> = "manifests",
        /// Options for this sync, as `Replace=true`.
        sync_options: Vec<String> = "syncOptions",
        /// Sync these sources instead of the Application's.
        sources: Vec<ApplicationSource> = "sources",
        /// Revisions to sync, one a source.
        revisions: Vec<String> = "revisions",
        /// How often self-heal has tried to bring this revision back.
        auto_heal_attempts_count: i64 = "autoHealAttemptsCount",
    }
}

shape! {
    /// One object of a partial sync.
    pub struct SyncOperationResource {
        /// API group.
        group: String = "group",
        /// Kind.
        kind: String = "kind" required,
        /// Name.
        name: String = "name" required,
        /// Namespace; any where empty.
        namespace: String = "namespace",
    }
}

shape! {
    /// How to apply: `apply` alone leaves hooks out.
    pub struct SyncStrategy {
        /// Applies objects, and runs no hooks.
        apply: Option<SyncStrategyApply> = "apply",
        /// Applies objects and runs hooks; so does an absent strategy.
        hook: Option<SyncStrategyHook> = "hook",
    }
}

shape! {
    /// Applies objects, and runs no hooks.
    pub struct SyncStrategyApply {
        /// Whether objects that cannot be changed are deleted and made again.
        force: bool = "force",
    }
}

shape! {
    /// Applies objects and runs hooks.
    pub struct SyncStrategyHook {
        /// Whether objects that cannot be changed are deleted and made again.
        force: bool = "force",
    }
}

shape! {
    /// An operation that runs or has ended.
    pub struct OperationState {
        /// What was asked for.
        operation: Operation = "operation" required,
        /// How far it is.
        phase: OperationPhase = "phase" required,
        /// For people.
        message: String = "message",
        /// What became of the objects.
        sync_result: Option<SyncOperationResult> = "syncResult",
        /// When it began.
        started_at: Time = "startedAt" required,
        /// When it ended, or when the last attempt did.
        finished_at: Option<Time> = "finishedAt",
        /// Attempts after the first.
        retry_count: i64 = "retryCount",
    }
}

shape! {
    /// What became of a sync.
    pub struct SyncOperationResult {
        /// One an object.
        resources: Vec<ResourceResult> = "resources",
        /// The revision that was synced.
        revision: String = "revision" required,
        /// The source that was synced.
        source: ApplicationSource = "source",
        /// The sources that were synced.
        sources: Vec<ApplicationSource> = "sources",
        /// The revisions that were synced, one a source.
        revisions: Vec<String> = "revisions",
        /// What the namespace was given.
        managed_namespace_metadata: Option<ManagedNamespaceMetadata> = "managedNamespaceMetadata",
    }
}

shape! {
    /// What became of one object.
    pub struct ResourceResult {
        /// API group.
        group: String = "group" required,
        /// API version.
        version: String = "version" required,
        /// Kind.
        kind: String = "kind" required,
        /// Namespace.
        namespace: String = "namespace" required,
        /// Name.
        name: String = "name" required,
        /// What became of it; empty for a hook that runs.
        status: ResultCode = "status",
        /// For people.
        message: String = "message",
        /// When the hook runs; empty for what is no hook.
        hook_type: HookType = "hookType",
        /// How far the hook, or the object's health, is.
        hook_phase: OperationPhase = "hookPhase",
        /// The part of the sync.
        sync_phase: SyncPhase = "syncPhase",
        /// Images that the object names.
        images: Vec<String> = "images",
    }
}
