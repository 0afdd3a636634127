//! Starting, watching our own objects, and ending.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cluster::{Cluster, LeaseSpec, ObjectEvent, WatchSpec, lead};
use desired::Renderer;
use manifest::Gvk;
use parking_lot::Mutex;
use serde_json::Value;
use settings::{RawSettings, Settings};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::config::Config;
use crate::events::{WAITING_MAX, write_all};
use crate::metrics::Metrics;
use crate::queue::{AppKey, Why};
use crate::shared::{Shared, Snapshot, application_kind, project_kind};
use crate::triggers::{on_application, on_project, on_repository};
use crate::work::work;

/// What the roof hands the controller.
pub struct Parts {
    /// The cluster that the controller lives in.
    pub home: Cluster,
    /// What renders.
    pub renderer: Arc<dyn Renderer>,
    /// Where figures are kept.
    pub metrics: Metrics,
}

/// Why a controller cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The process lost its Lease: another one leads now.
    #[error("this process does not lead any more")]
    LostLease,
}

/// Looks after Applications until `shutdown` is done.
///
/// # Errors
///
/// [`RunError`] where it cannot go on; the caller may start it again.
pub async fn run(
    config: Config,
    parts: Parts,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    tokio::pin!(shutdown);
    let Some(identity) = config.leader_identity.clone() else {
        return run_alone(config, parts, shutdown).await;
    };
    let spec = LeaseSpec::new(&config.namespace, "argocd-application-controller", &identity);
    let leadership = lead(parts.home.home(), spec);
    tokio::select! {
        () = leadership.until_leader() => {}
        () = &mut shutdown => {
            leadership.release().await;
            return Ok(());
        }
    }
    info!(identity, "leading");
    let ended = tokio::select! {
        ended = run_alone(config, parts, shutdown) => ended,
        () = leadership.until_lost() => Err(RunError::LostLease),
    };
    if ended.is_ok() {
        leadership.release().await;
    }
    ended
}

/// What stands in ConfigMaps and Secrets, as last seen.
#[derive(Default)]
struct Sources {
    raw: RawSettings,
    secrets: Vec<Value>,
    version: u64,
    /// The resource versions of the ConfigMaps that were read.
    maps: BTreeMap<String, u64>,
}

impl Sources {
    fn snapshot(&mut self, namespace: &str) -> Snapshot {
        self.version += 1;
        let yaml = |text: &str| goyaml::to_json(text.as_bytes()).map_err(|error| error.to_string());
        let (settings, problems) = Settings::read(&self.raw, &yaml);
        let (snapshot, more) = Snapshot::new(settings, &self.secrets, namespace, self.version);
        for problem in problems.into_iter().chain(more) {
            warn!(%problem, "a setting needs a person");
        }
        snapshot
    }

    fn take_map(&mut self, event: ObjectEvent) {
        match event {
            ObjectEvent::Restarted { objects, .. } => {
                objects.iter().for_each(|object| self.take(object));
            }
            ObjectEvent::Applied(object) => self.take(&object),
            // An empty one stands for one that is gone.
            ObjectEvent::Deleted(object) => {
                self.take(&serde_json::json!({"metadata": {"name": manifest::name(&object)}}));
            }
        }
    }

    fn take(&mut self, map: &Value) {
        self.raw.take(map);
        let version = manifest::resource_version(map).parse().unwrap_or(0);
        self.maps.insert(manifest::name(map).to_owned(), version);
    }
}

async fn run_alone(
    config: Config,
    parts: Parts,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    tokio::pin!(shutdown);
    let namespace = config.namespace.clone();
    let shutdown_within = config.shutdown_within;
    let sources = Arc::new(Mutex::new(Sources::default()));
    sources.lock().raw.environment.clone_from(&config.environment);
    let changed = Arc::new(Notify::new());

    // Settings and clusters first: what follows depends on them.
    let mut watches = Vec::new();
    for (kind, labels, fields) in [
        ("ConfigMap", "", "metadata.name=argocd-cm"),
        ("ConfigMap", "", "metadata.name=argocd-cmd-params-cm"),
        ("Secret", "argocd.argoproj.io/secret-type=cluster", ""),
    ] {
        let (sources, changed) = (sources.clone(), changed.clone());
        let spec = WatchSpec {
            gvk: Gvk::new("", "v1", kind),
            namespaces: vec![namespace.clone()],
            labels: labels.to_owned(),
            fields: fields.to_owned(),
        };
        let is_secret = kind == "Secret";
        watches.push(parts.home.watch_objects(spec, move |event| {
            let mut sources = sources.lock();
            match is_secret {
                true => take_secret(&mut sources.secrets, event),
                false => sources.take_map(event),
            }
            changed.notify_one();
        }));
    }
    for watch in &watches {
        tokio::select! {
            () = watch.ready() => {}
            () = &mut shutdown => return Ok(()),
        }
    }

    let (told, telling) = mpsc::channel(WAITING_MAX);
    let snapshot = sources.lock().snapshot(&namespace);
    let processors = snapshot.settings.controller.status_processors
        + snapshot.settings.controller.operation_processors;
    let shared = Arc::new(Shared::new(
        config,
        parts.home.clone(),
        parts.renderer.clone(),
        parts.metrics.clone(),
        told,
        snapshot,
    ));
    shared.note_settings(sources.lock().maps.clone());
    parts.metrics.follow(Arc::downgrade(&shared));
    shared.destinations.limit(&shared).await;

    let mut tasks = JoinSet::new();
    tasks.spawn(write_all(Arc::downgrade(&shared), telling));
    {
        let shared = shared.clone();
        tasks.spawn(async move { shared.queue.run_timer().await });
    }
    let listener = Arc::downgrade(&shared);
    parts.renderer.on_change(Box::new(move |change| {
        if let Some(shared) = listener.upgrade() {
            on_repository(&shared, change);
        }
    }));

    // Projects before Applications: else each would first be told that its project is missing.
    let projects = watch(&parts.home, project_kind(), vec![namespace.clone()], &shared, on_project);
    tokio::select! {
        () = projects.ready() => {}
        () = &mut shutdown => return Ok(()),
    }
    let applications = Arc::new(Mutex::new(watch_applications(&shared)));
    let following = follow_settings(shared.clone(), sources.clone(), changed, applications.clone());
    let following = tasks.spawn(following);

    let mut workers = JoinSet::new();
    for _ in 0..processors.max(1) {
        workers.spawn(work(shared.clone()));
    }
    info!(processors, "controller started");
    shutdown.await;

    info!("controller ends");
    following.abort();
    drop((projects, applications, watches));
    shared.queue.close();
    let end = async { while workers.join_next().await.is_some() {} };
    if tokio::time::timeout(shutdown_within, end).await.is_err() {
        // What is cut off here goes on from its status at the next start.
        workers.abort_all();
    }
    tasks.abort_all();
    Ok(())
}

fn watch(
    home: &Cluster,
    gvk: Gvk,
    namespaces: Vec<String>,
    shared: &Arc<Shared>,
    on: fn(&Arc<Shared>, ObjectEvent),
) -> cluster::Watching {
    let shared = shared.clone();
    let spec = WatchSpec { gvk, namespaces, labels: String::new(), fields: String::new() };
    home.watch_objects(spec, move |event| on(&shared, event))
}

/// Watches the Applications of the namespaces that are this controller's now.
fn watch_applications(shared: &Arc<Shared>) -> cluster::Watching {
    let alone = shared.snapshot().settings.application_namespaces.is_empty();
    let namespaces = if alone { vec![shared.config.namespace.clone()] } else { Vec::new() };
    let spec = WatchSpec {
        gvk: application_kind(),
        namespaces,
        labels: String::new(),
        fields: String::new(),
    };
    let (knowing, told) = (shared.clone(), shared.clone());
    let knows = move |namespace: &str, name: &str, version: &str| {
        let known = knowing.application(&AppKey::new(namespace, name));
        known.is_some_and(|known| known.metadata.resource_version == version)
    };
    shared
        .home_cluster
        .watch_unknown(spec, Arc::new(knows), move |event| on_application(&told, event))
}

fn take_secret(secrets: &mut Vec<Value>, event: ObjectEvent) {
    let same = |a: &Value, b: &Value| {
        manifest::name(a) == manifest::name(b) && manifest::namespace(a) == manifest::namespace(b)
    };
    match event {
        ObjectEvent::Restarted { objects, .. } => *secrets = objects,
        ObjectEvent::Applied(object) => {
            secrets.retain(|held| !same(held, &object));
            secrets.push(object);
        }
        ObjectEvent::Deleted(object) => secrets.retain(|held| !same(held, &object)),
    }
}

/// How long after changed settings were taken in the next ones are gathered. The first of a
/// series is taken in at once: an Application that is written after it should meet it.
const SETTLE: Duration = Duration::from_millis(100);

/// Takes changed settings in, and looks at everything that depends on them.
async fn follow_settings(
    shared: Arc<Shared>,
    sources: Arc<Mutex<Sources>>,
    changed: Arc<Notify>,
    applications: Arc<Mutex<cluster::Watching>>,
) {
    let reset_at = |every: Option<Duration>| every.map(|every| Instant::now() + every);
    let mut reset = reset_at(shared.snapshot().settings.controller.metrics_reset_every);
    let mut next = Instant::now();
    loop {
        let expiry = async {
            match reset {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed.notified() => {}
            () = expiry => {
                shared.metrics.reset();
                reset = reset_at(shared.snapshot().settings.controller.metrics_reset_every);
                continue;
            }
        }
        tokio::time::sleep_until(next).await;
        next = Instant::now() + SETTLE;
        let before = shared.snapshot();
        let (after, versions) = {
            let mut sources = sources.lock();
            (sources.snapshot(&shared.config.namespace), sources.maps.clone())
        };
        let same_settings = before.settings == after.settings;
        let same_clusters = before.clusters == after.clusters;
        if same_settings && same_clusters {
            shared.note_settings(versions);
            continue;
        }
        let looks_differ = before.settings.tracking != after.settings.tracking
            || before.settings.resources.filter != after.settings.resources.filter
            || before.ignored_updates.hash() != after.ignored_updates.hash()
            || !health_rules(&before.settings).eq(health_rules(&after.settings));
        let talk_differs = before.settings.cluster_client != after.settings.cluster_client
            || before.settings.sync.writes_parallel_max != after.settings.sync.writes_parallel_max;
        let namespaces_differ =
            before.settings.application_namespaces != after.settings.application_namespaces;
        let every = after.settings.controller.metrics_reset_every;
        if before.settings.controller.metrics_reset_every != every {
            reset = reset_at(every);
        }
        let reach: Vec<_> = after.reach.values().cloned().collect();
        shared.set_snapshot(after);
        if talk_differs {
            shared.destinations.limit(&shared).await;
        }
        if namespaces_differ {
            let watching = watch_applications(&shared);
            *applications.lock() = watching;
            for key in shared.application_keys() {
                if !shared.looks_after(&key.namespace) {
                    shared.drop_application(&key);
                }
            }
        }
        shared.destinations.retain(&reach);
        if looks_differ {
            shared.destinations.reconfigure(&shared);
        }
        shared.note_settings(versions);
        info!(settings = !same_settings, clusters = !same_clusters, "settings changed");
        for application in shared.applications() {
            let metadata = &application.metadata;
            let key = AppKey::new(&metadata.namespace, &metadata.name);
            shared.queue.push(key, Why::known("the settings changed"));
        }
    }
}

/// Users' rules of health: how an object is makes its changes count.
fn health_rules(settings: &Settings) -> impl Iterator<Item = (&str, &str, bool)> {
    let all = settings.resources.overrides.iter();
    all.map(|(kind, rules)| (kind.as_str(), rules.health_lua.as_str(), rules.use_open_libs))
        .filter(|(_, rule, _)| !rule.is_empty())
}
