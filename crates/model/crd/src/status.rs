//! What is known about an Application.

use crate::application::{ApplicationDestination, ResourceIgnoreDifferences, SourceHydrator};
use crate::operation::{OperationInitiator, OperationState};
use crate::shape::{shape, words};
use crate::shared::Shared;
use crate::source::ApplicationSource;
use crate::values::Time;

words! {
    /// Whether what runs is what is wanted.
    pub enum SyncStatusCode {
        /// It could not be compared.
        Unknown = "Unknown",
        /// It is.
        Synced = "Synced",
        /// It is not.
        OutOfSync = "OutOfSync",
    }
}

words! {
    /// How well something runs; from best to worst.
    pub enum HealthStatusCode {
        /// It runs as it should.
        Healthy = "Healthy",
        /// Somebody stopped it on purpose.
        Suspended = "Suspended",
        /// It may still become well by itself.
        Progressing = "Progressing",
        /// It is not there.
        Missing = "Missing",
        /// It failed, or did not become well in time.
        Degraded = "Degraded",
        /// It cannot be told.
        Unknown = "Unknown",
    }
}

words! {
    /// Which engine renders a source.
    pub enum ApplicationSourceType {
        /// A Helm chart.
        Helm = "Helm",
        /// A kustomization.
        Kustomize = "Kustomize",
        /// Plain manifests and Jsonnet.
        Directory = "Directory",
        /// A config management plugin.
        Plugin = "Plugin",
    }
}

words! {
    /// What a condition is about.
    pub enum ApplicationConditionType {
        /// The Application could not be deleted.
        DeletionError = "DeletionError",
        /// The spec does not hold together, or its project forbids it.
        InvalidSpecError = "InvalidSpecError",
        /// Manifests could not be rendered or compared.
        ComparisonError = "ComparisonError",
        /// An automated sync failed.
        SyncError = "SyncError",
        /// Something else failed.
        UnknownError = "UnknownError",
        /// Another Application has the same object.
        SharedResourceWarning = "SharedResourceWarning",
        /// One object stands in the sources more than once.
        RepeatedResourceWarning = "RepeatedResourceWarning",
        /// An object in the sources is of a kind that the settings exclude.
        ExcludedResourceWarning = "ExcludedResourceWarning",
        /// The namespace holds objects that nobody owns.
        OrphanedResourceWarning = "OrphanedResourceWarning",
    }
}

impl ApplicationConditionType {
    /// Whether the condition is an error; the others are warnings.
    pub fn is_error(&self) -> bool {
        self.as_str().ends_with("Error")
    }
}

words! {
    /// How far a hydration is.
    pub enum HydrateOperationPhase {
        /// It runs.
        Hydrating = "Hydrating",
        /// It failed.
        Failed = "Failed",
        /// It is done.
        Hydrated = "Hydrated",
    }
}

words! {
    /// Where the health of single objects is kept.
    pub enum ResourceHealthLocation {
        /// In the tree alone; `resources[].health` is absent.
        AppTree = "appTree",
    }
}

shape! {
    /// What is known about an Application.
    pub struct ApplicationStatus {
        /// One an object.
        resources: Vec<ResourceStatus> = "resources",
        /// Whether what runs is what is wanted.
        sync: SyncStatus = "sync",
        /// How well all of it runs.
        health: AppHealthStatus = "health",
        /// Past syncs, oldest first.
        history: Vec<RevisionHistory> = "history",
        /// What a person should know.
        conditions: Vec<ApplicationCondition> = "conditions",
        /// When it was last compared.
        reconciled_at: Option<Time> = "reconciledAt",
        /// The operation that runs, or the last one.
        operation_state: Option<Shared<OperationState>> = "operationState",
        /// Once the time of the last refresh; kept, not written.
        observed_at: Option<Time> = "observedAt",
        /// Which engine renders the source.
        source_type: ApplicationSourceType = "sourceType",
        /// URLs and images.
        summary: ApplicationSummary = "summary",
        /// Where the health of single objects is kept; empty is beside each object.
        resource_health_source: ResourceHealthLocation = "resourceHealthSource",
        /// Which engines render the sources.
        source_types: Vec<ApplicationSourceType> = "sourceTypes",
        /// Namespace of the controller that looks after this Application.
        controller_namespace: String = "controllerNamespace",
        /// How far hydration is.
        source_hydrator: Option<Box<SourceHydratorStatus>> = "sourceHydrator",
    }
}

shape! {
    /// Whether what runs is what is wanted, and what was compared.
    pub struct SyncStatus {
        /// The answer.
        status: SyncStatusCode = "status" required,
        /// What was compared.
        compared_to: ComparedTo = "comparedTo",
        /// The revision that was compared.
        revision: String = "revision",
        /// The revisions that were compared, one a source.
        revisions: Vec<String> = "revisions",
    }
}

shape! {
    /// The parts of the spec that a comparison used.
    pub struct ComparedTo {
        /// The source.
        source: ApplicationSource = "source",
        /// The destination.
        destination: ApplicationDestination = "destination" required,
        /// The sources.
        sources: Vec<ApplicationSource> = "sources",
        /// Fields that never counted as a difference.
        ignore_differences: Vec<ResourceIgnoreDifferences> = "ignoreDifferences",
    }
}

shape! {
    /// How well an Application runs.
    pub struct AppHealthStatus {
        /// The answer.
        status: HealthStatusCode = "status",
        /// Which objects caused it.
        message: String = "message",
        /// When the answer last changed.
        last_transition_time: Option<Time> = "lastTransitionTime",
    }
}

shape! {
    /// How well one object runs.
    pub struct HealthStatus {
        /// The answer.
        status: HealthStatusCode = "status",
        /// Why.
        message: String = "message",
        /// When the answer last changed.
        last_transition_time: Option<Time> = "lastTransitionTime",
    }
}

shape! {
    /// What is known about one object.
    pub struct ResourceStatus {
        /// API group.
        group: String = "group",
        /// API version.
        version: String = "version",
        /// Kind.
        kind: String = "kind",
        /// Namespace.
        namespace: String = "namespace",
        /// Name.
        name: String = "name",
        /// Whether it is as wanted.
        status: SyncStatusCode = "status",
        /// How well it runs.
        health: Option<HealthStatus> = "health",
        /// Whether it is a hook.
        hook: bool = "hook",
        /// Whether it left the sources and should go.
        requires_pruning: bool = "requiresPruning",
        /// Its wave.
        sync_wave: i64 = "syncWave",
        /// Whether its deletion waits for a person.
        requires_deletion_confirmation: bool = "requiresDeletionConfirmation",
    }
}

shape! {
    /// One past sync.
    pub struct RevisionHistory {
        /// The revision.
        revision: String = "revision",
        /// When the sync ended.
        deployed_at: Time = "deployedAt" required,
        /// Counts the syncs.
        id: i64 = "id" required,
        /// The source.
        source: ApplicationSource = "source",
        /// When the sync began.
        deploy_started_at: Option<Time> = "deployStartedAt",
        /// The sources.
        sources: Vec<ApplicationSource> = "sources",
        /// The revisions, one a source.
        revisions: Vec<String> = "revisions",
        /// Who asked.
        initiated_by: OperationInitiator = "initiatedBy",
    }
}

shape! {
    /// What a person should know.
    pub struct ApplicationCondition {
        /// What it is about.
        r#type: ApplicationConditionType = "type" required,
        /// For people.
        message: String = "message" required,
        /// When the condition last changed.
        last_transition_time: Option<Time> = "lastTransitionTime",
    }
}

shape! {
    /// URLs and images.
    pub struct ApplicationSummary {
        /// URLs under which the Application answers.
        external_urls: Vec<String> = "externalURLs",
        /// Images that its pods run.
        images: Vec<String> = "images",
        /// Whether it holds Applications.
        is_app_of_apps: bool = "isAppOfApps",
    }
}

shape! {
    /// How far hydration is.
    pub struct SourceHydratorStatus {
        /// The last one that worked.
        last_successful_operation: Option<SuccessfulHydrateOperation> = "lastSuccessfulOperation",
        /// The one that runs, or the last.
        current_operation: Option<HydrateOperation> = "currentOperation",
        /// The newest commit that was looked at.
        last_compared_dry_revision: String = "lastComparedDryRevision",
    }
}

shape! {
    /// A hydration that worked.
    pub struct SuccessfulHydrateOperation {
        /// Commit that was rendered.
        dry_sha: String = "drySHA",
        /// Commit that holds the rendered manifests.
        hydrated_sha: String = "hydratedSHA",
        /// What it was asked to do.
        source_hydrator: SourceHydrator = "sourceHydrator",
    }
}

shape! {
    /// A hydration that runs or has ended.
    pub struct HydrateOperation {
        /// When it began.
        started_at: Option<Time> = "startedAt",
        /// When it ended.
        finished_at: Option<Time> = "finishedAt",
        /// How far it is.
        phase: HydrateOperationPhase = "phase" required { "enum": ["Hydrating", "Failed", "Hydrated"] },
        /// For people.
        message: String = "message" required,
        /// Commit that is rendered.
        dry_sha: String = "drySHA",
        /// Commit that holds the rendered manifests.
        hydrated_sha: String = "hydratedSHA",
        /// What it was asked to do.
        source_hydrator: SourceHydrator = "sourceHydrator",
    }
}
