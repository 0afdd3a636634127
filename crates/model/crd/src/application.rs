//! Application: what should run where, and what is known about it.

use std::collections::BTreeMap;

use crate::metadata::Metadata;
use crate::operation::Operation;
use crate::shape::shape;
use crate::source::{
    ApplicationSource, ApplicationSourceDirectory, ApplicationSourceHelm,
    ApplicationSourceKustomize, ApplicationSourcePlugin,
};
use crate::status::ApplicationStatus;

shape! {
    /// Application says what should run where; a controller makes it so.
    pub struct Application {
        /// `argoproj.io/v1alpha1`.
        api_version: String = "apiVersion",
        /// `Application`.
        kind: String = "kind",
        /// Name, labels and the like.
        metadata: Metadata = "metadata" required,
        /// What is wanted.
        spec: ApplicationSpec = "spec" required,
        /// What is known; written by the controller alone.
        status: ApplicationStatus = "status",
        /// A sync that somebody asks for now; the controller takes it away when it begins.
        operation: Option<Box<Operation>> = "operation",
    }
}

shape! {
    /// What an Application wants.
    pub struct ApplicationSpec {
        /// Where the manifests come from; `sources` wins over it.
        source: Option<ApplicationSource> = "source",
        /// Cluster and namespace to apply them to.
        destination: ApplicationDestination = "destination" required,
        /// The project whose rules hold; `default` where empty.
        project: String = "project" required,
        /// When and how a sync happens.
        sync_policy: Option<SyncPolicy> = "syncPolicy",
        /// Fields of live objects that never count as a difference.
        ignore_differences: Vec<ResourceIgnoreDifferences> = "ignoreDifferences",
        /// Facts for people, shown beside the Application.
        info: Vec<Info> = "info",
        /// How many past syncs are remembered; 10 where absent, 0 remembers none.
        revision_history_limit: Option<i64> = "revisionHistoryLimit",
        /// Several places where the manifests come from.
        sources: Vec<ApplicationSource> = "sources",
        /// Renders to a branch and syncs from there; wins over `source` and `sources`.
        source_hydrator: Option<Box<SourceHydrator>> = "sourceHydrator",
    }
}

shape! {
    /// Where objects are applied: a cluster by URL or by name, and a namespace.
    pub struct ApplicationDestination {
        /// URL of the cluster's API; excludes `name`.
        server: String = "server",
        /// Namespace for objects that say none.
        namespace: String = "namespace",
        /// Name of the cluster; excludes `server`.
        name: String = "name",
    }
}

shape! {
    /// When and how a sync happens.
    pub struct SyncPolicy {
        /// Syncs without being asked; an empty object switches it on.
        automated: Option<SyncPolicyAutomated> = "automated",
        /// Options for the whole sync, as `CreateNamespace=true`.
        sync_options: Vec<String> = "syncOptions",
        /// What to do when a sync fails.
        retry: Option<RetryStrategy> = "retry",
        /// Labels and annotations for the namespace that `CreateNamespace=true` makes.
        managed_namespace_metadata: Option<ManagedNamespaceMetadata> = "managedNamespaceMetadata",
    }
}

shape! {
    /// Syncs without being asked.
    pub struct SyncPolicyAutomated {
        /// Whether objects that left the sources are deleted; no where absent.
        prune: Option<bool> = "prune",
        /// Whether changes made in the cluster are reverted; no where absent.
        self_heal: Option<bool> = "selfHeal",
        /// Whether a sync may delete everything; no where absent.
        allow_empty: Option<bool> = "allowEmpty",
        /// Whether automated syncs happen at all; yes where absent.
        enabled: Option<bool> = "enabled",
    }
}

shape! {
    /// What to do when a sync fails.
    pub struct RetryStrategy {
        /// How often to try again; 0 is never, below 0 without end.
        limit: i64 = "limit",
        /// How long to wait in between.
        backoff: Option<Backoff> = "backoff",
        /// Whether a retry looks for a newer revision; otherwise it keeps the first one.
        refresh: bool = "refresh",
    }
}

shape! {
    /// Waits that grow. Times are Go durations (`2m`, `1h30m`); bare numbers are seconds.
    pub struct Backoff {
        /// The first wait; 5s where empty.
        duration: String = "duration",
        /// Each wait is this many times the one before; 2 where absent.
        factor: Option<i64> = "factor",
        /// No wait is longer; 3m where empty.
        max_duration: String = "maxDuration",
    }
}

shape! {
    /// Labels and annotations of a namespace that a sync makes.
    pub struct ManagedNamespaceMetadata {
        /// Labels.
        labels: BTreeMap<String, String> = "labels",
        /// Annotations.
        annotations: BTreeMap<String, String> = "annotations",
    }
}

shape! {
    /// Fields that never count as a difference, and the objects whose fields they are.
    pub struct ResourceIgnoreDifferences {
        /// API group of the objects; a glob.
        group: String = "group",
        /// Kind of the objects; a glob.
        kind: String = "kind" required,
        /// Name; all where empty.
        name: String = "name",
        /// Namespace; all where empty.
        namespace: String = "namespace",
        /// Fields as JSON pointers (RFC 6901).
        json_pointers: Vec<String> = "jsonPointers",
        /// Fields as jq paths.
        jq_path_expressions: Vec<String> = "jqPathExpressions",
        /// Field managers; whatever they own is left out.
        managed_fields_managers: Vec<String> = "managedFieldsManagers",
    }
}

shape! {
    /// A fact for people.
    pub struct Info {
        /// What it is about.
        name: String = "name" required,
        /// What it says; URLs become links.
        value: String = "value" required,
    }
}

shape! {
    /// Renders a source to a branch, and syncs from that branch.
    pub struct SourceHydrator {
        /// What is rendered.
        dry_source: DrySource = "drySource" required,
        /// Where the syncs read.
        sync_source: SyncSource = "syncSource" required,
        /// Another branch to write to; somebody then moves it to the one that syncs read.
        hydrate_to: Option<HydrateTo> = "hydrateTo",
    }
}

shape! {
    /// What a hydrator renders.
    pub struct DrySource {
        /// URL of the repository that is rendered.
        repo_url: String = "repoURL" required,
        /// Branch, tag or commit.
        target_revision: String = "targetRevision" required,
        /// Folder inside the repository.
        path: String = "path" required,
        /// Options for Helm charts.
        helm: Option<Box<ApplicationSourceHelm>> = "helm",
        /// Options for Kustomize.
        kustomize: Option<Box<ApplicationSourceKustomize>> = "kustomize",
        /// Options for plain directories and Jsonnet.
        directory: Option<Box<ApplicationSourceDirectory>> = "directory",
        /// Options for a config management plugin.
        plugin: Option<Box<ApplicationSourcePlugin>> = "plugin",
    }
}

shape! {
    /// Where a hydrated Application's syncs read.
    pub struct SyncSource {
        /// Branch that holds rendered manifests.
        target_branch: String = "targetBranch" required,
        /// Folder inside that branch; never the root.
        path: String = "path" required { "minLength": 1, "pattern": "^.{2,}|[^./]$" },
        /// Repository of that branch; the rendered one where empty.
        repo_url: String = "repoURL",
    }
}

shape! {
    /// Where a hydrator writes before somebody approves.
    pub struct HydrateTo {
        /// Branch to write to.
        target_branch: String = "targetBranch" required,
    }
}
