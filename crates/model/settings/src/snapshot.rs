//! Settings by topic, at one moment. Whoever needs settings takes its topic, never the whole.

use std::collections::BTreeMap;
use std::time::Duration;

use crd::{LabelSelector, TrackingMethod};
use serde::Deserialize;
use serde_json::Value;

use crate::key::Place::{Environment, Main, Parameters};
use crate::problem::Problem;
use crate::raw::{RawSettings, ReadYaml};
use crate::resources::{self, ResourceSettings};
use crate::trust::Trust;

/// All settings at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How an object's Application is written on it.
    pub tracking: Tracking,
    /// Which kinds are looked at, and what counts as a difference.
    pub resources: ResourceSettings,
    /// How sources become objects.
    pub rendering: Rendering,
    /// How Git repositories are read.
    pub git: Git,
    /// Which servers are believed.
    pub trust: Trust,
    /// How often Applications are looked at.
    pub reconciliation: Reconciliation,
    /// How syncs happen.
    pub sync: SyncSettings,
    /// How much the controller does at a time, and what it publishes.
    pub controller: Controller,
    /// How clusters are talked to.
    pub cluster_client: ClusterClient,
    /// How logs look.
    pub log: Log,
    /// Globs, or `/regular expressions/`, over further namespaces with Applications.
    pub application_namespaces: Vec<String>,
    /// Projects whose rules hold in others.
    pub global_projects: Vec<GlobalProject>,
    /// Whether the cluster in which this runs may be a destination.
    pub in_cluster_enabled: bool,
    /// Local accounts by name; `admin` always is one.
    pub accounts: BTreeMap<String, Account>,
}

/// How an object's Application is written on it (DIF-01, DIF-02).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracking {
    /// By annotation, label or both.
    pub method: TrackingMethod,
    /// The label.
    pub label: String,
    /// Tells installations apart; `""` is none.
    pub installation_id: String,
}

/// How sources become objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendering {
    /// Whether charts are rendered; otherwise they are plain directories.
    pub helm: bool,
    /// Whether kustomizations are rendered; otherwise they are plain directories.
    pub kustomize: bool,
    /// Whether Jsonnet files are rendered.
    pub jsonnet: bool,
    /// Options of `kustomize build`.
    pub kustomize_build_options: String,
    /// Schemes of URLs from which value files may be read.
    pub value_file_schemes: Vec<String>,
    /// All manifests of a plain directory together; `None` is no limit.
    pub directory_bytes_max: Option<u64>,
    /// A chart, unpacked; `None` is no limit.
    pub chart_bytes_max: Option<u64>,
    /// An image of manifests, unpacked; `None` is no limit.
    pub image_bytes_max: Option<u64>,
    /// Globs over files that plugins are not sent.
    pub plugin_exclusions: Vec<String>,
    /// Whether plugins are sent only the directory in which all lies that an Application's
    /// `manifest-generate-paths` names.
    pub plugin_paths_only: bool,
    /// Renderings at a time; `None` leaves it to the renderer.
    pub parallel_max: Option<usize>,
    /// How long one rendering may take.
    pub timeout: Duration,
    /// How long a program may run.
    pub program_timeout: Duration,
}

/// How Git repositories are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    /// Whether submodules are read.
    pub submodules: bool,
    /// Whether `file://` repositories are read: they are the host's own files.
    pub allow_files: bool,
    /// How long a request may take.
    pub request_timeout: Duration,
    /// How often a request is tried, at least once.
    pub attempts_max: usize,
    /// The first wait in between.
    pub retry_first: Duration,
    /// Each wait is this many times the one before.
    pub retry_factor: i64,
    /// No wait is longer.
    pub retry_max: Duration,
    /// Repositories that are asked for their branches at a time; `None` is no limit.
    pub list_parallel_max: Option<usize>,
    /// How long a GitHub App's token is used.
    pub github_app_token_age: Duration,
}

/// How often Applications are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// How often repositories are asked for new commits; `None` is never.
    pub every: Option<Duration>,
    /// At most this much is added to that, by chance.
    pub jitter_max: Duration,
    /// How often everything is rendered anew; `None` is never.
    pub hard_every: Option<Duration>,
    /// How long an Application keeps its sync status while its repository fails.
    pub repo_error_grace: Duration,
}

/// How syncs happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncSettings {
    /// How long a sync may take; `None` is no limit.
    pub timeout: Option<Duration>,
    /// How long a sync waits between two waves.
    pub wave_delay: Duration,
    /// Waits between repeated self-heals.
    pub self_heal: SelfHeal,
    /// Whether syncs act as the project's service accounts.
    pub impersonation: bool,
    /// Whether such a sync fails when its project names none.
    pub impersonation_enforced: bool,
    /// Writes to one cluster at a time; `None` is no limit.
    pub writes_parallel_max: Option<usize>,
    /// An automated sync that would prune more objects, and a larger part, waits for a person.
    pub guard_objects: usize,
    /// That part, in percent of an Application's live objects.
    pub guard_percent: usize,
}

/// Waits between repeated self-heals (SYN-51).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SelfHeal {
    /// One wait for all; `None` lets waits grow.
    pub fixed: Option<Duration>,
    /// The first wait.
    pub first: Duration,
    /// Each wait is this many times the one before.
    pub factor: i64,
    /// No wait is longer.
    pub max: Duration,
}

/// How much the controller does at a time, and what it publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// Applications that are compared at a time.
    pub status_processors: usize,
    /// Syncs at a time.
    pub operation_processors: usize,
    /// Whether the health of single objects stands in the Application's status.
    pub persist_resource_health: bool,
    /// Whether differences are always asked of the cluster.
    pub server_side_diff: bool,
    /// One of so many predicted differences is held to the cluster's dry run; 0 is none.
    pub diff_check_one_in: usize,
    /// No more of them in a minute.
    pub diff_checks_per_minute: usize,
    /// Labels of Applications that become metrics.
    pub metrics_application_labels: Vec<String>,
    /// Conditions of Applications that become metrics.
    pub metrics_application_conditions: Vec<String>,
    /// Labels of clusters that become metrics.
    pub metrics_cluster_labels: Vec<String>,
    /// How often counters begin anew; `None` is never.
    pub metrics_reset_every: Option<Duration>,
    /// Kubernetes Events that are written: `all`, `none` or their types.
    pub events: Vec<String>,
}

/// How clusters are talked to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterClient {
    /// Requests a second, on average; `None` is no limit.
    pub requests_per_s: Option<f64>,
    /// Requests at once.
    pub burst: usize,
    /// Idle connections.
    pub idle_connections_max: usize,
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How often an idle connection is tried.
    pub keepalive: Duration,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long an idle connection is kept.
    pub idle_timeout: Duration,
    /// How often a failed request is tried again.
    pub retries_max: usize,
    /// The first wait in between.
    pub retry_first: Duration,
    /// Time limit that requests carry; `None` is none.
    pub server_side_timeout: Option<Duration>,
    /// Objects in one page of a list.
    pub list_page_size: usize,
    /// Lists at a time.
    pub lists_parallel_max: usize,
    /// How long after a failure a cluster is tried again at the latest.
    pub retry_cluster_after: Duration,
}

/// How logs look; `None` leaves it to how the process was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// JSON; otherwise text.
    pub json: Option<bool>,
    /// From which level on: `trace`, `debug`, `info`, `warn` or `error`.
    pub level: Option<&'static str>,
    /// How the time is written, in Go's layout; `""` is RFC 3339.
    pub timestamp_layout: String,
}

/// A project whose rules hold in others (CRD-15).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct GlobalProject {
    /// The project's name.
    pub project_name: String,
    /// Labels of the projects in which its rules hold.
    pub label_selector: LabelSelector,
}

/// A local account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// Whether it may be used.
    pub enabled: bool,
    /// Whether it may log in with a password.
    pub login: bool,
    /// Whether it may have tokens.
    pub api_key: bool,
}

impl Settings {
    /// Reads settings; whatever is wrong is named and its default holds.
    pub fn read(raw: &RawSettings, yaml: ReadYaml<'_>) -> (Self, Vec<Problem>) {
        let mut problems = raw.problems(yaml);
        let resources = resources::read(raw, yaml, &mut problems);
        let global_projects = global_projects(raw, yaml, &mut problems);
        let accounts = accounts(raw, &mut problems);
        let settings = Self {
            tracking: Tracking {
                method: raw.text(Main, "application.resourceTrackingMethod").into(),
                label: raw.text(Main, "application.instanceLabelKey").to_owned(),
                installation_id: raw.text(Main, "installationID").to_owned(),
            },
            resources,
            rendering: rendering(raw),
            git: git(raw),
            trust: raw.trust(),
            reconciliation: Reconciliation {
                every: some(raw.duration(Main, "timeout.reconciliation")),
                jitter_max: raw.duration(Main, "timeout.reconciliation.jitter"),
                hard_every: some(raw.duration(Main, "timeout.hard.reconciliation")),
                repo_error_grace: raw
                    .seconds(Parameters, "controller.repo.error.grace.period.seconds"),
            },
            sync: sync(raw),
            controller: controller(raw),
            cluster_client: cluster_client(raw),
            log: Log {
                json: raw.given(Parameters, "controller.log.format").map(|text| text != "text"),
                level: raw.given(Parameters, "controller.log.level").map(|text| match text {
                    "trace" => "trace",
                    "debug" => "debug",
                    "warn" | "warning" => "warn",
                    "error" | "fatal" | "panic" => "error",
                    _ => "info",
                }),
                timestamp_layout: raw.text(Parameters, "log.format.timestamp").to_owned(),
            },
            application_namespaces: raw.list(Parameters, "application.namespaces"),
            global_projects,
            in_cluster_enabled: raw.bool(Main, "cluster.inClusterEnabled"),
            accounts,
        };
        problems.sort();
        problems.dedup();
        (settings, problems)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::read(&RawSettings::default(), &|_| Ok(Value::Null)).0
    }
}

/// Upstream writes "none" as zero.
fn some(duration: Duration) -> Option<Duration> {
    Some(duration).filter(|duration| !duration.is_zero())
}

fn some_count(count: usize) -> Option<usize> {
    Some(count).filter(|count| *count > 0)
}

fn rendering(raw: &RawSettings) -> Rendering {
    let chart_bytes = raw.bytes(Parameters, "reposerver.helm.manifest.max.extracted.size");
    let any_chart = raw.bool(Parameters, "reposerver.disable.helm.manifest.max.extracted.size");
    let image_bytes = raw.bytes(Parameters, "reposerver.oci.manifest.max.extracted.size");
    let any_image = raw.bool(Parameters, "reposerver.disable.oci.manifest.max.extracted.size");
    let directory_bytes = raw.bytes(Parameters, "reposerver.max.combined.directory.manifests.size");
    Rendering {
        helm: raw.bool(Main, "helm.enable"),
        kustomize: raw.bool(Main, "kustomize.enable"),
        jsonnet: raw.bool(Main, "jsonnet.enable"),
        kustomize_build_options: raw.text(Main, "kustomize.buildOptions").to_owned(),
        value_file_schemes: raw.list(Main, "helm.valuesFileSchemes"),
        directory_bytes_max: Some(directory_bytes).filter(|bytes| *bytes > 0),
        chart_bytes_max: (!any_chart).then_some(chart_bytes),
        image_bytes_max: (!any_image).then_some(image_bytes),
        plugin_exclusions: raw
            .text(Parameters, "reposerver.plugin.tar.exclusions")
            .split(';')
            .filter(|glob| !glob.is_empty())
            .map(str::to_owned)
            .collect(),
        plugin_paths_only: raw.bool(Parameters, "reposerver.plugin.use.manifest.generate.paths"),
        parallel_max: some_count(raw.count(Parameters, "reposerver.parallelism.limit")),
        timeout: raw.seconds(Parameters, "controller.repo.server.timeout.seconds"),
        program_timeout: raw.duration(Environment, "ARGOCD_EXEC_TIMEOUT"),
    }
}

fn git(raw: &RawSettings) -> Git {
    let minutes = raw.count(Environment, "ARGOCD_GITHUB_APP_CREDS_EXPIRATION_DURATION");
    Git {
        submodules: raw.bool(Parameters, "reposerver.enable.git.submodule"),
        allow_files: raw.bool(Parameters, "reposerver.allow.file.urls"),
        request_timeout: raw.duration(Parameters, "reposerver.git.request.timeout"),
        attempts_max: raw.count(Environment, "ARGOCD_GIT_ATTEMPTS_COUNT").max(1),
        retry_first: raw.duration(Environment, "ARGOCD_GIT_RETRY_DURATION"),
        retry_factor: raw.int(Environment, "ARGOCD_GIT_RETRY_FACTOR"),
        retry_max: raw.duration(Environment, "ARGOCD_GIT_RETRY_MAX_DURATION"),
        list_parallel_max: some_count(
            raw.count(Parameters, "reposerver.git.lsremote.parallelism.limit"),
        ),
        github_app_token_age: Duration::from_secs(60)
            .saturating_mul(u32::try_from(minutes).unwrap_or(u32::MAX)),
    }
}

fn sync(raw: &RawSettings) -> SyncSettings {
    SyncSettings {
        timeout: some(raw.seconds(Parameters, "controller.sync.timeout.seconds")),
        wave_delay: raw.seconds(Parameters, "controller.sync.wave.delay.seconds"),
        self_heal: SelfHeal {
            fixed: some(raw.seconds(Parameters, "controller.self.heal.timeout.seconds")),
            first: raw.seconds(Parameters, "controller.self.heal.backoff.timeout.seconds"),
            factor: raw.int(Parameters, "controller.self.heal.backoff.factor"),
            max: raw.seconds(Parameters, "controller.self.heal.backoff.cap.seconds"),
        },
        impersonation: raw.bool(Main, "application.sync.impersonation.enabled"),
        impersonation_enforced: raw.bool(Main, "application.sync.impersonation.enforced"),
        writes_parallel_max: some_count(
            raw.count(Parameters, "controller.kubectl.parallelism.limit"),
        ),
        guard_objects: raw.count(Main, "application.sync.pruneGuard.objects"),
        guard_percent: raw.count(Main, "application.sync.pruneGuard.percent"),
    }
}

fn controller(raw: &RawSettings) -> Controller {
    Controller {
        status_processors: raw.count(Parameters, "controller.status.processors").max(1),
        operation_processors: raw.count(Parameters, "controller.operation.processors").max(1),
        persist_resource_health: raw.bool(Parameters, "controller.resource.health.persist"),
        server_side_diff: raw.bool(Parameters, "controller.diff.server.side"),
        diff_check_one_in: raw.count(Parameters, "controller.diff.check.one.in"),
        diff_checks_per_minute: raw.count(Parameters, "controller.diff.check.per.minute"),
        metrics_application_labels: raw.list(Parameters, "controller.metrics.application.labels"),
        metrics_application_conditions: raw
            .list(Parameters, "controller.metrics.application.conditions"),
        metrics_cluster_labels: raw.list(Parameters, "controller.metrics.cluster.labels"),
        metrics_reset_every: some(raw.duration(Parameters, "controller.metrics.cache.expiration")),
        events: raw.list(Environment, "ARGOCD_ENABLE_K8S_EVENT"),
    }
}

fn cluster_client(raw: &RawSettings) -> ClusterClient {
    let retry_ms = raw.count(Parameters, "controller.k8sclient.retry.base.backoff");
    ClusterClient {
        requests_per_s: Some(raw.float(Parameters, "controller.k8s.client.qps"))
            .filter(|rate| *rate > 0.0),
        burst: raw.count(Parameters, "controller.k8s.client.burst"),
        idle_connections_max: raw.count(Parameters, "controller.k8s.client.max.idle.connections"),
        connect_timeout: raw.duration(Parameters, "controller.k8s.tcp.timeout"),
        keepalive: raw.duration(Parameters, "controller.k8s.tcp.keepalive"),
        handshake_timeout: raw.duration(Parameters, "controller.k8s.tls.handshake.timeout"),
        idle_timeout: raw.duration(Parameters, "controller.k8s.tcp.idle.timeout"),
        retries_max: raw.count(Parameters, "controller.k8sclient.retry.max"),
        retry_first: Duration::from_millis(u64::try_from(retry_ms).unwrap_or(u64::MAX)),
        server_side_timeout: some(raw.duration(Environment, "ARGOCD_K8S_SERVER_SIDE_TIMEOUT")),
        list_page_size: raw.count(Environment, "ARGOCD_CLUSTER_CACHE_LIST_PAGE_SIZE").max(1),
        lists_parallel_max: raw.count(Environment, "ARGOCD_CLUSTER_CACHE_LIST_SEMAPHORE").max(1),
        retry_cluster_after: raw
            .duration(Environment, "ARGOCD_CLUSTER_SYNC_RETRY_TIMEOUT_DURATION"),
    }
}

fn global_projects(
    raw: &RawSettings,
    yaml: ReadYaml<'_>,
    problems: &mut Vec<Problem>,
) -> Vec<GlobalProject> {
    const KEY: &str = "globalProjects";
    match raw.yaml(Main, KEY, yaml) {
        None | Some(Err(_) | Ok(Value::Null)) => Vec::new(),
        Some(Ok(value)) => Vec::deserialize(value).unwrap_or_else(|cause| {
            let message = format!("does not hold what it should: {cause}");
            problems.push(Problem::other(Main.name(), KEY, message));
            Vec::new()
        }),
    }
}

fn accounts(raw: &RawSettings, problems: &mut Vec<Problem>) -> BTreeMap<String, Account> {
    let admin = Account { enabled: raw.bool(Main, "admin.enabled"), login: true, api_key: false };
    let mut accounts = BTreeMap::from([("admin".to_owned(), admin)]);
    let new = Account { enabled: true, login: false, api_key: false };
    for (key, text) in &raw.main {
        let Some(name) = key.strip_prefix("accounts.") else { continue };
        match name.split_once('.') {
            None => {
                let account = accounts.entry(name.to_owned()).or_insert(new);
                for word in crate::raw::split(text) {
                    match word.as_str() {
                        "login" => account.login = true,
                        "apiKey" => account.api_key = true,
                        _ => problems.push(Problem::other(
                            Main.name(),
                            key,
                            "names something that accounts cannot do; they can `login` and `apiKey`",
                        )),
                    }
                }
            }
            Some((name, "enabled")) => {
                let enabled = raw.bool(Main, key);
                accounts.entry(name.to_owned()).or_insert(new).enabled = enabled;
            }
            Some(_) => {}
        }
    }
    accounts
}
