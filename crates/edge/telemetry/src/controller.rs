//! The numbers of the application controller, under upstream's names.

use crate::metrics::{Counter, Gauge, Histogram, Registry};

/// Upper bounds of how long a reconciliation takes, in seconds.
const RECONCILE_S: &[f64] = &[0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];

/// Upper bounds of how long a batch of cluster events takes, in seconds.
const EVENTS_S: &[f64] = &[0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];

/// Each field is one family; its labels stand in the order of its doc, which is the order of
/// the values that are handed in.
#[derive(Clone)]
pub struct ControllerMetrics {
    /// `namespace, name, project, autosync_enabled, repo, dest_server, dest_namespace,
    /// sync_status, health_status, operation`; always 1.
    pub app_info: Gauge,
    /// `namespace, name, project` and the labels that the settings name; always 1.
    pub app_labels: Gauge,
    /// `namespace, name, project, condition`: how many conditions of a type.
    pub app_condition: Gauge,
    /// `name`: the resource version of the ConfigMap or the project that holds.
    pub settings_version: Gauge,
    /// `namespace, name, project, reason`: how long an application has been waiting, in seconds.
    pub app_waiting: Gauge,
    /// `namespace, name, project`: objects of nobody's in the namespaces of an application.
    pub app_orphaned_resources: Gauge,
    /// `namespace, name, project, dest_server, phase, dry_run`.
    pub app_syncs: Counter,
    /// `namespace, name, project, dest_server`, in seconds.
    pub app_sync_duration: Counter,
    /// `namespace, dest_server`, in seconds.
    pub app_reconcile: Histogram,
    /// `namespace, name, project, server, response_code, verb, resource_kind,
    /// resource_namespace, dry_run`.
    pub app_k8s_requests: Counter,
    /// `server`: objects that are remembered.
    pub cluster_objects: Gauge,
    /// `server`: kinds that are watched.
    pub cluster_kinds: Gauge,
    /// `server`: seconds since the state was last told in full.
    pub cluster_cache_age: Gauge,
    /// `server, k8s_version`: 1 while the cluster answers, else 0.
    pub cluster_connected: Gauge,
    /// `server, k8s_version, name`; always 1.
    pub cluster_info: Gauge,
    /// `server, name` and the labels that the settings name; always 1.
    pub cluster_labels: Gauge,
    /// `server, group, kind`: events of watches.
    pub cluster_events: Counter,
    /// `tiphys_diff_checks_total`, ours: predicted applies that were held to a dry run, by what
    /// was found: `agrees`, `missed`, `imagined`, `otherwise`, `unanswered`.
    pub diff_checks: Counter,
    /// `server`: how long a batch of events took, in seconds.
    pub events_processing: Histogram,
    /// `server`: events of the last batch.
    pub events_in_batch: Gauge,
}

impl ControllerMetrics {
    /// Registers all families.
    pub fn new(registry: &Registry) -> Self {
        const APP: [&str; 3] = ["namespace", "name", "project"];
        let app = |more: &[&'static str]| [&APP[..], more].concat();
        Self {
            app_info: registry.gauge(
                "argocd_app_info",
                "What there is to know about an application.",
                &app(&[
                    "autosync_enabled",
                    "repo",
                    "dest_server",
                    "dest_namespace",
                    "sync_status",
                    "health_status",
                    "operation",
                ]),
            ),
            app_labels: registry.gauge("argocd_app_labels", "Labels of an application.", &APP),
            app_condition: registry.gauge(
                "argocd_app_condition",
                "Conditions of an application, by type.",
                &app(&["condition"]),
            ),
            settings_version: registry.gauge(
                "tiphys_settings_resource_version",
                "The resource version of the ConfigMap or the project that holds.",
                &["name"],
            ),
            app_waiting: registry.gauge(
                "tiphys_app_waiting_seconds",
                "How long an application has been waiting for something, by what that is.",
                &app(&["reason"]),
            ),
            app_orphaned_resources: registry.gauge(
                "argocd_app_orphaned_resources_count",
                "Orphaned objects of an application.",
                &APP,
            ),
            app_syncs: registry.counter(
                "argocd_app_sync_total",
                "Syncs of an application that ended.",
                &app(&["dest_server", "phase", "dry_run"]),
            ),
            app_sync_duration: registry.counter(
                "argocd_app_sync_duration_seconds_total",
                "Time that syncs of an application took, in seconds.",
                &app(&["dest_server"]),
            ),
            app_reconcile: registry.histogram(
                "argocd_app_reconcile",
                "Time that reconciliations took, in seconds.",
                &["namespace", "dest_server"],
                RECONCILE_S,
            ),
            app_k8s_requests: registry.counter(
                "argocd_app_k8s_request_total",
                "Requests to clusters for an application.",
                &app(&[
                    "server",
                    "response_code",
                    "verb",
                    "resource_kind",
                    "resource_namespace",
                    "dry_run",
                ]),
            ),
            cluster_objects: registry.gauge(
                "argocd_cluster_api_resource_objects",
                "Objects of a cluster that are remembered.",
                &["server"],
            ),
            cluster_kinds: registry.gauge(
                "argocd_cluster_api_resources",
                "Kinds of a cluster that are watched.",
                &["server"],
            ),
            cluster_cache_age: registry.gauge(
                "argocd_cluster_cache_age_seconds",
                "Age of what is remembered of a cluster, in seconds.",
                &["server"],
            ),
            cluster_connected: registry.gauge(
                "argocd_cluster_connection_status",
                "Whether a cluster answers.",
                &["server", "k8s_version"],
            ),
            cluster_info: registry.gauge(
                "argocd_cluster_info",
                "What there is to know about a cluster.",
                &["server", "k8s_version", "name"],
            ),
            cluster_labels: registry.gauge(
                "argocd_cluster_labels",
                "Labels of a cluster.",
                &["server", "name"],
            ),
            cluster_events: registry.counter(
                "argocd_cluster_events_total",
                "Events of a cluster's watches.",
                &["server", "group", "kind"],
            ),
            diff_checks: registry.counter(
                "tiphys_diff_checks_total",
                "Predicted applies that were held to a cluster's dry run, by what was found.",
                &["server", "group", "kind", "finding"],
            ),
            events_processing: registry.histogram(
                "argocd_resource_events_processing",
                "Time that batches of events took, in seconds.",
                &["server"],
                EVENTS_S,
            ),
            events_in_batch: registry.gauge(
                "argocd_resource_events_processed_in_batch",
                "Events in the last batch.",
                &["server"],
            ),
        }
    }

    /// Forgets what grows with applications that are gone, as upstream does when its metrics
    /// cache expires.
    pub fn reset(&self) {
        for counter in [&self.app_syncs, &self.app_sync_duration, &self.app_k8s_requests] {
            counter.reset();
        }
        self.cluster_events.reset();
        self.app_orphaned_resources.reset();
        self.events_in_batch.reset();
        self.app_reconcile.reset();
        self.events_processing.reset();
    }
}
