//! The clusters that Applications go to: connections, live state, and who hears of changes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use cluster::{Access, Cluster, Dial, Limits, LiveOptions, LiveSet, SecretAccess};
use crd::Application;
use manifest::{GroupKind, Gvk, ObjectKey};
use parking_lot::Mutex;
use settings::{SecretType, Settings};
use tracing::warn;

use crate::lens::AppLens;
use crate::shapes::{Shape, Shapes};
use crate::shared::Shared;

/// How long a look waits for a cluster's first full state before it says that there is none.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// One cluster that Applications go to.
pub(crate) struct Destination {
    /// The URL that destinations name.
    pub server: String,
    pub cluster: Cluster,
    pub live: LiveSet,
    shapes: Shapes,
    /// What templates are told, and the kinds that it was made from.
    api_versions: Mutex<(usize, Arc<[String]>)>,
    /// Ends with the destination.
    _pump: AbortOnDrop,
}

impl Destination {
    /// The shape of a kind; `None` where nobody knows it.
    pub async fn shape(&self, gvk: &Gvk) -> Option<Shape> {
        self.shapes.of(&self.cluster, &self.live, gvk).await
    }

    /// The minor version whose tables hold here: 36 for 1.36.
    pub fn minor(&self) -> u32 {
        crate::shapes::minor(&self.cluster)
    }

    /// The version as templates see it: `v1.36.2`; `""` where the cluster does not say.
    pub async fn kube_version(&self) -> String {
        if let Some(known) = self.cluster.known_version() {
            return known.git_version;
        }
        self.cluster.version().await.map(|version| version.git_version).unwrap_or_default()
    }

    /// Every version and kind that the cluster serves, sorted.
    pub fn api_versions(&self) -> Arc<[String]> {
        let kinds = self.live.kinds();
        let from = Arc::as_ptr(&kinds) as usize;
        let mut held = self.api_versions.lock();
        if held.0 != from {
            let list = kinds.api_versions(|kind| !cluster::excluded_always(kind));
            *held = (from, list.into());
        }
        held.1.clone()
    }
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How a cluster is reached, and what of it is looked at; another value is another connection.
#[derive(Clone, PartialEq)]
pub(crate) struct Reach {
    pub server: String,
    /// The secret's `config`; `None`: the cluster that the controller lives in.
    pub config: Option<String>,
    pub namespaces: Vec<String>,
    pub cluster_resources: bool,
}

impl Reach {
    /// Reads how a cluster secret says that its cluster is reached.
    pub fn of_secret(secret: &serde_json::Value, known: &settings::Cluster) -> Self {
        debug_assert!(SecretType::of(secret) == Some(SecretType::Cluster));
        let inside = known.is_in_cluster();
        let config = settings_text(secret, "config");
        Self {
            server: known.server.clone(),
            config: (!inside || !matches!(config.trim(), "" | "{}")).then_some(config),
            namespaces: known.namespaces.clone(),
            cluster_resources: known.cluster_resources,
        }
    }

    /// The cluster that the controller lives in, with nothing said about it.
    pub fn inside(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            config: None,
            namespaces: Vec::new(),
            cluster_resources: true,
        }
    }
}

/// A text of a Secret's data.
fn settings_text(secret: &serde_json::Value, key: &str) -> String {
    use base64::Engine as _;
    if let Some(text) =
        secret.pointer(&format!("/stringData/{key}")).and_then(|value| value.as_str())
    {
        return text.to_owned();
    }
    secret
        .pointer(&format!("/data/{key}"))
        .and_then(|value| value.as_str())
        .and_then(|text| base64::engine::general_purpose::STANDARD.decode(text).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// A destination that is connected, or is being connected by the first who asks.
type Opened = Arc<tokio::sync::OnceCell<Arc<Destination>>>;

/// All destinations that are in use.
#[derive(Default)]
pub(crate) struct Destinations {
    open: Mutex<HashMap<String, (Reach, Opened)>>,
}

impl Destinations {
    /// Returns a destination, connected and with its live state known.
    ///
    /// # Errors
    ///
    /// Words for people: why it cannot be reached.
    pub async fn get(
        &self,
        shared: &Arc<Shared>,
        reach: &Reach,
    ) -> Result<Arc<Destination>, String> {
        let cell = {
            let mut open = self.open.lock();
            match open.get(&reach.server) {
                Some((held, cell)) if held == reach => cell.clone(),
                _ => {
                    let cell = Arc::new(tokio::sync::OnceCell::new());
                    open.insert(reach.server.clone(), (reach.clone(), cell.clone()));
                    cell
                }
            }
        };
        let destination = cell.get_or_try_init(|| connect(shared, reach)).await?.clone();
        if !destination.live.is_ready() {
            match tokio::time::timeout(READY_WITHIN, destination.live.ready()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(chain(&error)),
                Err(_) => {
                    return Err(format!(
                        "the state of cluster {} is not known after {} s",
                        reach.server,
                        READY_WITHIN.as_secs()
                    ));
                }
            }
        }
        Ok(destination)
    }

    /// Returns the destinations that are connected.
    pub fn connected(&self) -> Vec<Arc<Destination>> {
        self.open.lock().values().filter_map(|(_, cell)| cell.get().cloned()).collect()
    }

    /// Takes in a write of ours to the status of an Application at home, where its Application
    /// objects are watched as a destination's, too.
    pub fn note_version(
        &self,
        home: &Cluster,
        key: &ObjectKey,
        before: &str,
        application: &Application,
    ) {
        for destination in self.connected() {
            if destination.cluster.server() == home.server() {
                let version = &application.metadata.resource_version;
                destination.live.note_version(key, before, version);
            }
        }
    }

    /// Drops the connections to clusters that are not known any more, or are reached otherwise.
    pub fn retain(&self, known: &[Reach]) {
        self.open.lock().retain(|_, (reach, _)| known.contains(reach));
    }

    /// Talks to all connected clusters as the settings say now.
    pub async fn limit(&self, shared: &Arc<Shared>) {
        let limits = limits(&shared.snapshot().settings);
        let connected = self.connected();
        let clusters = connected.iter().map(|one| &one.cluster).chain([&shared.home_cluster]);
        for cluster in clusters {
            if let Err(error) = cluster.limit(limits).await {
                let error = chain(&error);
                warn!(
                    cluster.server = cluster.server(),
                    error, "limits of a cluster stay as they were"
                );
            }
        }
    }

    /// Looks at all live state with other settings.
    pub fn reconfigure(&self, shared: &Arc<Shared>) {
        for destination in self.connected() {
            let (lens, wants) = looks(shared, &destination.server);
            destination.live.reconfigure(lens, wants);
        }
    }
}

/// What the settings say of how clusters are talked to.
pub(crate) fn limits(settings: &Settings) -> Limits {
    let client = &settings.cluster_client;
    Limits {
        requests_per_s: client.requests_per_s,
        burst: client.burst,
        writes_at_once: settings.sync.writes_parallel_max,
        lists_at_once: client.lists_parallel_max,
        page_objects: client.list_page_size,
        server_side_timeout: client.server_side_timeout,
        retries_max: client.retries_max,
        retry_first: client.retry_first,
        away_wait_max: client.retry_cluster_after,
        dial: Dial {
            connect_timeout: client.connect_timeout,
            handshake_timeout: client.handshake_timeout,
            keepalive: client.keepalive,
            idle_timeout: client.idle_timeout,
            idle_connections_max: client.idle_connections_max,
        },
        ..Limits::default()
    }
}

/// How kinds are chosen.
type Wants = Arc<dyn Fn(&GroupKind) -> bool + Send + Sync>;

fn looks(shared: &Arc<Shared>, server: &str) -> (Arc<AppLens>, Wants) {
    let snapshot = shared.snapshot();
    let filter = snapshot.settings.resources.filter.clone();
    let server = server.to_owned();
    let wants = move |kind: &GroupKind| {
        !filter.excludes(&kind.group, &kind.kind, &server, crate::shared::glob)
    };
    (Arc::new(AppLens { snapshot }), Arc::new(wants))
}

async fn connect(shared: &Arc<Shared>, reach: &Reach) -> Result<Arc<Destination>, String> {
    let cluster = match &reach.config {
        None => shared.home_cluster.clone(),
        Some(config) => {
            let access = Access::Secret(SecretAccess {
                server: reach.server.clone(),
                config: config.clone(),
            });
            let limits = limits(&shared.snapshot().settings);
            Cluster::connect(&access, limits).await.map_err(|error| chain(&error))?
        }
    };
    let (lens, wants) = looks(shared, &reach.server);
    let live = cluster.live(LiveOptions {
        lens,
        wants,
        namespaces: reach.namespaces.clone(),
        cluster_resources: reach.cluster_resources,
    });
    let pump = tokio::spawn(crate::triggers::pump(
        Arc::downgrade(shared),
        live.events(),
        reach.server.clone(),
    ));
    Ok(Arc::new(Destination {
        server: reach.server.clone(),
        cluster,
        live,
        shapes: Shapes::default(),
        api_versions: Mutex::new((0, Arc::from([]))),
        _pump: AbortOnDrop(pump.abort_handle()),
    }))
}

/// Prints an error with its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !words.contains(&more) {
            words.push_str(": ");
            words.push_str(&more);
        }
        cause = next.source();
    }
    if words.is_empty() {
        warn!("an error without words");
    }
    words
}
