//! ApplicationSet: a template and the parameters that make Applications of it.

use std::collections::BTreeMap;

use crate::application::ApplicationSpec;
use crate::generators::ApplicationSetGenerator;
use crate::metadata::Metadata;
use crate::shape::{shape, words};
use crate::status::{HealthStatus, ResourceStatus};
use crate::values::{IntOrString, Time};

words! {
    /// What a condition of an ApplicationSet is about.
    pub enum ApplicationSetConditionType {
        /// Something failed.
        ErrorOccurred = "ErrorOccurred",
        /// The generators answered.
        ParametersGenerated = "ParametersGenerated",
        /// The Applications are as the template says.
        ResourcesUpToDate = "ResourcesUpToDate",
        /// A rollout goes on.
        RolloutProgressing = "RolloutProgressing",
        /// The rollout's steps do not hold together.
        InvalidRolloutConfig = "InvalidRolloutConfig",
    }
}

words! {
    /// How far a rollout is with one Application.
    pub enum ProgressiveSyncStatusCode {
        /// Its step has not come.
        Waiting = "Waiting",
        /// Its sync is asked for.
        Pending = "Pending",
        /// It syncs.
        Progressing = "Progressing",
        /// It is done.
        Healthy = "Healthy",
    }
}

words! {
    /// What an ApplicationSet may do to its Applications.
    pub enum ApplicationsSyncPolicy {
        /// Make them, and no more.
        CreateOnly = "create-only",
        /// Make and change them, never delete.
        CreateUpdate = "create-update",
        /// Make and delete them, never change.
        CreateDelete = "create-delete",
        /// All of it.
        Sync = "sync",
    }
}

shape! {
    /// ApplicationSet makes Applications from a template and from parameters that generators find.
    pub struct ApplicationSet {
        /// `argoproj.io/v1alpha1`.
        api_version: String = "apiVersion",
        /// `ApplicationSet`.
        kind: String = "kind",
        /// Name, labels and the like.
        metadata: Metadata = "metadata" required,
        /// What is wanted.
        spec: ApplicationSetSpec = "spec" required,
        /// What is known.
        status: ApplicationSetStatus = "status",
    }
}

shape! {
    /// What an ApplicationSet wants.
    pub struct ApplicationSetSpec {
        /// Whether the template is Go's text/template; otherwise `{{name}}` is replaced.
        go_template: bool = "goTemplate",
        /// Where parameters come from.
        generators: Vec<ApplicationSetGenerator> = "generators" required,
        /// What an Application looks like.
        template: ApplicationSetTemplate = "template" required,
        /// What may be done to the Applications.
        sync_policy: Option<ApplicationSetSyncPolicy> = "syncPolicy",
        /// In which order changes reach the Applications.
        strategy: Option<ApplicationSetStrategy> = "strategy",
        /// Labels and annotations of Applications that are left alone.
        preserved_fields: Option<ApplicationPreservedFields> = "preservedFields",
        /// Options of Go templates, as `missingkey=error`.
        go_template_options: Vec<String> = "goTemplateOptions",
        /// Whether selectors of nested generators count.
        apply_nested_selectors: bool = "applyNestedSelectors",
        /// Fields of Applications that are left alone.
        ignore_application_differences: Vec<ApplicationSetResourceIgnoreDifferences>
            = "ignoreApplicationDifferences",
        /// A patch, itself a template, that is merged into each Application.
        template_patch: Option<String> = "templatePatch",
    }
}

shape! {
    /// Labels and annotations of Applications that are left alone.
    pub struct ApplicationPreservedFields {
        /// Names of annotations.
        annotations: Vec<String> = "annotations",
        /// Names of labels.
        labels: Vec<String> = "labels",
    }
}

shape! {
    /// In which order changes reach the Applications.
    pub struct ApplicationSetStrategy {
        /// `AllAtOnce` or `RollingSync`.
        r#type: String = "type",
        /// The steps of `RollingSync`.
        rolling_sync: Option<ApplicationSetRolloutStrategy> = "rollingSync",
        /// `AllAtOnce` or `Reverse`: the order in which Applications are deleted.
        deletion_order: String = "deletionOrder",
    }
}

shape! {
    /// A rollout in steps.
    pub struct ApplicationSetRolloutStrategy {
        /// The steps; the next one begins when all Applications of one are healthy.
        steps: Vec<ApplicationSetRolloutStep> = "steps",
    }
}

shape! {
    /// One step of a rollout.
    pub struct ApplicationSetRolloutStep {
        /// Which Applications; all demands must hold.
        match_expressions: Vec<ApplicationMatchExpression> = "matchExpressions",
        /// How many of them at once: a number or a percentage.
        max_update: Option<IntOrString> = "maxUpdate",
    }
}

shape! {
    /// A demand on a label.
    pub struct ApplicationMatchExpression {
        /// The label's name.
        key: String = "key",
        /// `In` or `NotIn`.
        operator: String = "operator",
        /// What it compares with.
        values: Vec<String> = "values",
    }
}

shape! {
    /// What may be done to the Applications.
    pub struct ApplicationSetSyncPolicy {
        /// Whether Applications that are deleted leave their objects behind.
        preserve_resources_on_deletion: bool = "preserveResourcesOnDeletion",
        /// Which changes to Applications are made at all.
        applications_sync: Option<ApplicationsSyncPolicy> = "applicationsSync"
            { "enum": ["create-only", "create-update", "create-delete", "sync"] },
    }
}

shape! {
    /// Fields of Applications that are left alone.
    pub struct ApplicationSetResourceIgnoreDifferences {
        /// Name of the Application; all where empty.
        name: String = "name",
        /// Fields as JSON pointers.
        json_pointers: Vec<String> = "jsonPointers",
        /// Fields as jq paths.
        jq_path_expressions: Vec<String> = "jqPathExpressions",
    }
}

shape! {
    /// What an Application looks like.
    pub struct ApplicationSetTemplate {
        /// Name, labels and the like.
        metadata: ApplicationSetTemplateMeta = "metadata" required,
        /// The spec.
        spec: ApplicationSpec = "spec" required,
    }
}

shape! {
    /// Name, labels and the like of an Application to be.
    pub struct ApplicationSetTemplateMeta {
        /// Name.
        name: String = "name",
        /// Namespace; the ApplicationSet's where empty.
        namespace: String = "namespace",
        /// Labels.
        labels: BTreeMap<String, String> = "labels",
        /// Annotations.
        annotations: BTreeMap<String, String> = "annotations",
        /// Finalizers.
        finalizers: Vec<String> = "finalizers",
    }
}

shape! {
    /// What is known about an ApplicationSet.
    pub struct ApplicationSetStatus {
        /// What a person should know.
        conditions: Vec<ApplicationSetCondition> = "conditions",
        /// How far the rollout is with each Application.
        application_status: Vec<ApplicationSetApplicationStatus> = "applicationStatus",
        /// The Applications.
        resources: Vec<ResourceStatus> = "resources",
        /// How many Applications there are, those not listed included.
        resources_count: i64 = "resourcesCount",
        /// How well all of it is.
        health: HealthStatus = "health",
    }
}

shape! {
    /// What a person should know.
    pub struct ApplicationSetCondition {
        /// What it is about.
        r#type: ApplicationSetConditionType = "type" required,
        /// For people.
        message: String = "message" required,
        /// When the condition last changed.
        last_transition_time: Option<Time> = "lastTransitionTime",
        /// `True`, `False` or `Unknown`.
        status: String = "status" required,
        /// Why, in one word.
        reason: String = "reason" required,
    }
}

shape! {
    /// How far a rollout is with one Application.
    pub struct ApplicationSetApplicationStatus {
        /// Name of the Application.
        application: String = "application" required,
        /// When this last changed.
        last_transition_time: Option<Time> = "lastTransitionTime",
        /// For people.
        message: String = "message" required,
        /// How far.
        status: ProgressiveSyncStatusCode = "status" required,
        /// Number of its step, from 1; `-1` where no step takes it.
        step: String = "step" required,
        /// Revisions that the rollout brings.
        target_revisions: Vec<String> = "targetRevisions" required,
    }
}
