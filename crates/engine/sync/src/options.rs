//! What an operation was told, besides what to sync.

use serde_json::Value;

use crate::marks::{SYNC_OPTIONS, has_option, option_value};
use crate::model::{How, Propagation, Resource};

/// An operation's options.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Ask the server, change nothing.
    pub dry_run: bool,
    /// Delete what git does not have.
    pub prune: bool,
    /// Delete and make again what cannot be changed.
    pub force: bool,
    /// Run no hooks.
    pub skip_hooks: bool,
    /// Unknown fields are an error.
    pub validate: bool,
    /// Prune after everything else.
    pub prune_last: bool,
    /// Write only what differs.
    pub out_of_sync_only: bool,
    /// What pruning does to what the object owns.
    pub propagation: Propagation,
    /// Replace instead of applying.
    pub replace: bool,
    /// Apply on the server's side; `false` only where `ServerSideApply=false` says so.
    pub server_side: bool,
    /// Whether `ServerSideApply=true` says so.
    pub server_side_asked: bool,
    /// Whose client-side fields are taken over; `None`: nobody's.
    pub migrate_from: Option<String>,
    /// `Prune=…` of the Application.
    pub prune_default: Option<String>,
    /// Make the destination's namespace.
    pub create_namespace: bool,
    /// Kinds that the cluster does not serve yet are tried all the same.
    pub skip_missing_kinds: bool,
    /// Fail where another Application has one of the objects.
    pub fail_on_shared: bool,
    /// Ignored fields keep their live values.
    pub respect_ignored: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self::from_list(&[])
    }
}

/// The manager whose fields kubectl's client-side apply owns.
pub const KUBECTL_CLIENT_SIDE: &str = "kubectl-client-side-apply";

impl Options {
    /// Reads `syncOptions`; what else an operation says is set by the caller.
    pub fn from_list(list: &[String]) -> Self {
        let has = |option: &str| list.iter().any(|item| item == option);
        let propagation = if has("PrunePropagationPolicy=background") {
            Propagation::Background
        } else if has("PrunePropagationPolicy=orphan") && !has("PrunePropagationPolicy=foreground")
        {
            Propagation::Orphan
        } else {
            Propagation::Foreground
        };
        Self {
            dry_run: false,
            prune: false,
            force: false,
            skip_hooks: false,
            validate: !has("Validate=false"),
            prune_last: has("PruneLast=true"),
            out_of_sync_only: has("ApplyOutOfSyncOnly=true"),
            propagation,
            replace: has("Replace=true"),
            server_side: !has("ServerSideApply=false") || has("ServerSideApply=true"),
            server_side_asked: has("ServerSideApply=true"),
            migrate_from: (!has("ClientSideApplyMigration=false"))
                .then(|| KUBECTL_CLIENT_SIDE.to_owned()),
            prune_default: value_of(list, "Prune"),
            create_namespace: has("CreateNamespace=true"),
            skip_missing_kinds: has("SkipDryRunOnMissingResource=true"),
            fail_on_shared: has("FailOnSharedResource=true"),
            respect_ignored: has("RespectIgnoreDifferences=true"),
        }
    }

    /// Returns by which means an object is written.
    pub fn how(&self, resource: &Resource) -> How {
        let Some(target) = &resource.target else { return How::ServerSide };
        if self.replace || either(resource, "Replace=true") {
            return How::Replace;
        }
        let server_side = if has_option(target, SYNC_OPTIONS, "ServerSideApply=false") {
            false
        } else {
            self.server_side || has_option(target, SYNC_OPTIONS, "ServerSideApply=true")
        };
        match server_side && resource.structural_refusal.is_none() {
            true => How::ServerSide,
            false => How::ClientSide,
        }
    }

    /// Tells whether somebody asked for a server-side apply of the object. Where nobody did, what it
    /// came to is told as a client-side apply tells it.
    pub fn told_as_server_side(&self, target: &Value) -> bool {
        has_option(target, SYNC_OPTIONS, "ServerSideApply=true")
            || self.server_side_asked && !has_option(target, SYNC_OPTIONS, "ServerSideApply=false")
    }

    /// Tells whether the object may be deleted and made again.
    pub fn forces(&self, resource: &Resource) -> bool {
        self.force || either(resource, "Force=true")
    }

    /// Tells whether unknown fields of the object are an error.
    pub fn validates(&self, target: &Value) -> bool {
        self.validate && !has_option(target, SYNC_OPTIONS, "Validate=false")
    }

    fn prune_option<'a>(&'a self, live: &'a Value) -> Option<&'a str> {
        option_value(live, SYNC_OPTIONS, "Prune").or(self.prune_default.as_deref())
    }

    /// Tells whether the object is never pruned.
    pub fn never_prunes(&self, live: &Value) -> bool {
        self.prune_option(live) == Some("false")
    }

    /// Tells whether somebody must confirm before the object is pruned.
    pub fn prune_needs_confirmation(&self, live: &Value) -> bool {
        self.prune_option(live) == Some("confirm")
    }
}

/// Returns the value of the first `name=value`.
pub fn value_of(list: &[String], name: &str) -> Option<String> {
    list.iter().find_map(|item| item.strip_prefix(name)?.strip_prefix('=')).map(str::to_owned)
}

fn either(resource: &Resource, option: &str) -> bool {
    let target = resource.target.as_deref();
    let live = resource.live.as_deref().map(|live| &live.head);
    target.into_iter().chain(live).any(|object| has_option(object, SYNC_OPTIONS, option))
}
