//! Figures under upstream's names.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use cluster::{Action, ApiError, LiveEvent, Write, Written};
use crd::{Application, OperationState};
use jiff::Timestamp;
use serde_json::Value;
use telemetry::{ControllerMetrics, Registry};

use crate::shared::{Shared, Snapshot};

/// The figures of one controller.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    families: Arc<ControllerMetrics>,
}

impl Metrics {
    /// Registers the controller's figures.
    pub fn new(registry: &Registry) -> Self {
        Self { registry: registry.clone(), families: Arc::new(ControllerMetrics::new(registry)) }
    }

    /// Fills in, at each print, what is known only then.
    pub(crate) fn follow(&self, shared: Weak<Shared>) {
        let families = self.families.clone();
        self.registry.before_print(move || {
            if let Some(shared) = shared.upgrade() {
                fill(&families, &shared);
            }
        });
    }

    /// Begins to count anew, as upstream does when its metrics cache expires.
    pub(crate) fn reset(&self) {
        self.families.reset();
    }

    /// Counts a look.
    pub(crate) fn reconciled(&self, namespace: &str, server: &str, elapsed: Duration) {
        self.families.app_reconcile.observe(&[namespace, server], elapsed.as_secs_f64());
    }

    /// Counts an operation that ended.
    pub(crate) fn synced(&self, application: &Application, server: &str, state: &OperationState) {
        let metadata = &application.metadata;
        let project = reconcile::project_name(application);
        let dry_run = state.operation.sync.as_ref().is_some_and(|sync| sync.dry_run);
        self.families.app_syncs.add(
            &[
                &metadata.namespace,
                &metadata.name,
                project,
                server,
                state.phase.as_str(),
                if dry_run { "true" } else { "false" },
            ],
            1.0,
        );
        let ended = state.finished_at.as_ref().and_then(crd::Time::timestamp);
        if let (Some(begun), Some(ended)) = (state.started_at.timestamp(), ended) {
            self.families.app_sync_duration.add(
                &[&metadata.namespace, &metadata.name, project, server],
                ended.duration_since(begun).as_secs_f64().max(0.0),
            );
        }
    }

    /// Notes how many orphans stand beside an Application.
    pub(crate) fn orphans(&self, application: &Application, count: usize) {
        let metadata = &application.metadata;
        let project = reconcile::project_name(application);
        let labels = [metadata.namespace.as_str(), &metadata.name, project];
        self.families.app_orphaned_resources.set(&labels, count as f64);
    }

    /// Counts a batch of changes of a destination.
    pub(crate) fn cluster_events(&self, server: &str, changes: &[LiveEvent]) {
        for change in changes {
            self.families.cluster_events.add(&[server, &change.key.group, &change.key.kind], 1.0);
        }
        self.families.events_in_batch.set(&[server], changes.len() as f64);
    }
}

/// Counts the requests that are made for one Application.
pub(crate) struct Tally<'a> {
    pub metrics: &'a Metrics,
    pub application: &'a Application,
    pub server: &'a str,
}

impl Tally<'_> {
    /// Counts one write, by what the server answered; what never reached it is not counted.
    pub fn count(&self, write: &Write, answer: &Result<Written, ApiError>) {
        let code = match answer {
            Ok(written) if written.created => 201,
            Ok(_) => 200,
            Err(error) => match error.code() {
                Some(code) => code,
                None => return,
            },
        };
        let verb = match &write.action {
            Action::Apply { .. } | Action::Patch { .. } => "Patch",
            Action::Create { .. } => "Create",
            Action::Replace { .. } => "Update",
            Action::Delete { .. } => "Delete",
        };
        let metadata = &self.application.metadata;
        self.metrics.families.app_k8s_requests.add(
            &[
                &metadata.namespace,
                &metadata.name,
                reconcile::project_name(self.application),
                self.server,
                &code.to_string(),
                verb,
                &write.gvk.kind,
                &write.namespace,
                if write.dry_run { "true" } else { "false" },
            ],
            1.0,
        );
    }
}

impl Tally<'_> {
    /// Counts a prediction that was held to the cluster's word.
    pub fn checked(&self, target: &Value, finding: &str) {
        let kind = manifest::gvk(target);
        let labels = [self.server, &kind.group, &kind.kind, finding];
        self.metrics.families.diff_checks.inc(&labels);
    }
}

/// What the labels that the settings name are called as labels of a metric, and their values;
/// of two with one name the first is told.
struct Labels<'a>(Vec<(String, &'a str)>);

impl<'a> Labels<'a> {
    fn of(wanted: &'a [String]) -> Self {
        let mut named: Vec<(String, &str)> = Vec::new();
        for label in wanted {
            let name = telemetry::label_name(label);
            if named.iter().all(|(known, _)| *known != name) {
                named.push((name, label));
            }
        }
        Self(named)
    }

    fn names(&self, before: &[&str]) -> Vec<String> {
        let before = before.iter().map(|name| (*name).to_owned());
        before.chain(self.0.iter().map(|(name, _)| name.clone())).collect()
    }

    /// The values of one object; a label that it does not have is empty.
    fn values(&self, before: &[&str], held: &BTreeMap<String, String>) -> Vec<String> {
        let before = before.iter().map(|value| (*value).to_owned());
        let of = |label: &str| held.get(label).cloned().unwrap_or_default();
        before.chain(self.0.iter().map(|(_, label)| of(label))).collect()
    }
}

fn fill(families: &ControllerMetrics, shared: &Arc<Shared>) {
    let snapshot = shared.snapshot();
    let controller = &snapshot.settings.controller;
    let wanted = &controller.metrics_application_conditions;
    let of_applications = Labels::of(&controller.metrics_application_labels);
    let of_clusters = Labels::of(&controller.metrics_cluster_labels);
    let mut labelled = Vec::new();
    let mut infos = Vec::new();
    let mut conditions = Vec::new();
    let mut waiting: BTreeMap<Vec<String>, f64> = BTreeMap::new();
    let now = Timestamp::now();
    for application in shared.applications() {
        let metadata = &application.metadata;
        let project = reconcile::project_name(&application);
        for condition in wanted {
            let held = &application.status.conditions;
            let count = held.iter().filter(|one| one.r#type == condition.as_str()).count();
            let labels = [metadata.namespace.as_str(), &metadata.name, project, condition];
            conditions.push((labels.map(str::to_owned).to_vec(), count as f64));
        }
        if !of_applications.0.is_empty() {
            let before = [metadata.namespace.as_str(), &metadata.name, project];
            labelled.push((of_applications.values(&before, &metadata.labels), 1.0));
        }
        for one in reconcile::waits(&application) {
            let labels = [metadata.namespace.as_str(), &metadata.name, project, one.reason];
            let since = one.since.unwrap_or(now);
            let longest = waiting.entry(labels.map(str::to_owned).to_vec()).or_default();
            *longest = longest.max(now.duration_since(since).as_secs_f64());
        }
        infos.push((info(&application, &snapshot), 1.0));
    }
    families.app_labels.relabel(of_applications.names(&["namespace", "name", "project"]), labelled);
    families.app_info.replace(infos);
    families.app_condition.replace(conditions);
    families.app_waiting.replace(waiting);
    families.settings_version.replace(shared.settings_versions());
    let mut labelled = Vec::new();
    for destination in shared.destinations.connected() {
        let status = destination.live.status();
        let server = destination.server.as_str();
        let version = status.version.as_ref().map_or("", |version| version.git_version.as_str());
        let known = snapshot.clusters.by_server(server);
        let name = known.map_or("", |known| known.name.as_str());
        // As upstream: a cluster without a label has no series.
        if let Some(known) = known.filter(|known| !known.labels.is_empty())
            && !of_clusters.0.is_empty()
        {
            labelled.push((of_clusters.values(&[server, name], &known.labels), 1.0));
        }
        families.cluster_objects.set(&[server], status.objects as f64);
        families.cluster_kinds.set(&[server], status.kinds.len() as f64);
        let connected = if status.connected { 1.0 } else { 0.0 };
        families.cluster_connected.set(&[server, version], connected);
        families.cluster_info.set(&[server, version, name], 1.0);
        let age = status.last_sync.and_then(|at| SystemTime::now().duration_since(at).ok());
        families.cluster_cache_age.set(&[server], age.unwrap_or_default().as_secs_f64());
    }
    families.cluster_labels.relabel(of_clusters.names(&["server", "name"]), labelled);
}

/// What `argocd_app_info` says of an Application, in the order of its labels.
fn info(application: &Application, snapshot: &Snapshot) -> Vec<String> {
    let metadata = &application.metadata;
    let spec = &application.spec;
    let word = |text: &str| if text.is_empty() { "Unknown" } else { text }.to_owned();
    let source = spec.sources.first().or(spec.source.as_ref());
    let server = policy::resolve(&spec.destination, &snapshot.destinations)
        .map(|cluster| cluster.server.clone())
        .unwrap_or_default();
    let operation = match (&application.operation, &metadata.deletion_timestamp) {
        (_, Some(_)) => "delete",
        (Some(_), None) => "sync",
        (None, None) => "",
    };
    vec![
        metadata.namespace.clone(),
        metadata.name.clone(),
        reconcile::project_name(application).to_owned(),
        spec.automated().is_some().to_string(),
        source.map(|source| crd::normalize_repo_url(&source.repo_url)).unwrap_or_default(),
        server,
        spec.destination.namespace.clone(),
        word(application.status.sync.status.as_str()),
        word(application.status.health.status.as_str()),
        operation.to_owned(),
    ]
}
