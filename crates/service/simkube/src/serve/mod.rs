//! The simulated clusters behind a socket.

mod body;
mod http;
mod identity;
mod kubeconfig;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::cluster::Cluster;
use crate::store::{Limits, LogError, LogSettings, Store};
use crate::tasks;
use identity::Identity;

/// How to run.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where certificates, token and objects are kept; `None` forgets all of them.
    pub dir: Option<PathBuf>,
    /// Whether objects are kept in `dir` as well.
    pub durable: bool,
    /// How many clusters beside the main one: `sim-1`, `sim-2` and so on.
    pub clusters: usize,
    /// Where to listen; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Whether controllers, scheduler and kubelet are simulated. Without them nothing is collected, and
    /// namespaces wait for ever to be emptied, as at an API server that stands alone.
    pub controllers: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            dir: None,
            durable: true,
            clusters: 0,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            controllers: true,
        }
    }
}

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not ours.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },
    /// A file cannot be read or written.
    #[error("cannot use `{path}`")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },
    /// The kept certificates are unusable, or new ones cannot be made.
    #[error("no certificate for the server: {0}")]
    Certificate(String),
    /// The kept objects cannot be read.
    #[error("the objects of cluster `{cluster}` cannot be read")]
    Store {
        /// The cluster.
        cluster: String,
        /// Why.
        #[source]
        cause: LogError,
    },
}

/// The simulated clusters.
#[derive(Debug)]
pub struct SimKube;

/// Simulated clusters that answer, until they are shut down or dropped.
#[derive(Debug)]
pub struct Running {
    url: String,
    identity: Arc<Identity>,
    clusters: Arc<BTreeMap<String, Arc<Cluster>>>,
    stop: watch::Sender<bool>,
    work: JoinSet<()>,
}

/// The name of the cluster at the root.
pub const MAIN: &str = "main";

/// How long the disk has to take what the operating system holds back.
const SYNC: Duration = Duration::from_millis(500);

/// How long open connections have to end.
const SHUTDOWN: Duration = Duration::from_millis(700);

impl SimKube {
    /// Starts, and returns once the API answers and `DIR/kubeconfig` is written.
    ///
    /// # Errors
    ///
    /// [`StartError`] where the address, the directory or what is kept in it cannot be used.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let listening = |cause| StartError::Listen { listen: config.listen, cause };
        let listener = TcpListener::bind(config.listen).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        if let Some(dir) = &config.dir {
            make_private(dir)?;
        }
        let identity = Arc::new(Identity::load_or_make(config.dir.as_deref(), address.ip())?);
        let mut clusters = BTreeMap::new();
        let extra = (1..=config.clusters).map(|number| format!("sim-{number}"));
        for name in std::iter::once(MAIN.to_owned()).chain(extra) {
            let store = open_store(&config, &name)?;
            let clock = Arc::new(Timestamp::now);
            let cluster = Cluster::new(&name, store, clock, config.controllers);
            cluster.keep_secret(&identity.token);
            clusters.insert(name, cluster);
        }
        let clusters = Arc::new(clusters);
        let (stop, stopped) = watch::channel(false);
        let mut work = JoinSet::new();
        for cluster in clusters.values() {
            tasks::spawn(&mut work, cluster, &identity.ca_pem);
        }
        let server = http::Server {
            identity: identity.clone(),
            clusters: clusters.clone(),
            host: address.to_string(),
            stopped,
        };
        work.spawn(http::serve(listener, Arc::new(server)));
        let running = Running { url: format!("https://{address}"), identity, clusters, stop, work };
        if let Some(dir) = &config.dir {
            let path = dir.join("kubeconfig");
            write_whole(&path, running.all_kubeconfigs().as_bytes())?;
        }
        Ok(running)
    }
}

impl Running {
    /// Returns where the main cluster answers, for example `https://127.0.0.1:6443`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns where a cluster answers.
    pub fn cluster_url(&self, cluster: &str) -> String {
        if cluster == MAIN { self.url.clone() } else { format!("{}/c/{cluster}", self.url) }
    }

    /// Returns the certificate that clients are to trust.
    pub fn ca_pem(&self) -> &str {
        &self.identity.ca_pem
    }

    /// Returns the token that lets a client in.
    pub fn token(&self) -> &str {
        &self.identity.token
    }

    /// Returns the clusters' names, `main` among them.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        self.clusters.keys().map(String::as_str)
    }

    /// Returns a cluster, for tests and for those in the same process.
    pub fn cluster(&self, name: &str) -> Option<&Arc<Cluster>> {
        self.clusters.get(name)
    }

    /// Returns a kubeconfig whose only context is `cluster`.
    pub fn kubeconfig(&self, cluster: &str) -> String {
        kubeconfig::text(&self.identity, &[(cluster, self.cluster_url(cluster))], cluster)
    }

    /// Returns a kubeconfig with a context a cluster; the main one is current.
    pub fn all_kubeconfigs(&self) -> String {
        let all: Vec<(&str, String)> =
            self.clusters.keys().map(|name| (name.as_str(), self.cluster_url(name))).collect();
        kubeconfig::text(&self.identity, &all, MAIN)
    }

    /// Ends all watches, then all connections, and writes to disk what is not there yet.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.work.join_next().await.is_some() {} };
        let _late = tokio::time::timeout(SHUTDOWN, ended).await;
        self.work.abort_all();
        // The operating system has every write already; a slow disk does not hold up the end.
        let clusters = self.clusters.clone();
        let (done, synced) = tokio::sync::oneshot::channel();
        let syncing = std::thread::Builder::new().name("simkube-sync".to_owned()).spawn(move || {
            for cluster in clusters.values() {
                if let Err(error) = cluster.store.sync() {
                    tracing::warn!(cluster = cluster.name, %error, "objects not synced to disk");
                }
            }
            let _nobody_waits = done.send(());
        });
        if syncing.is_ok() {
            let _late = tokio::time::timeout(SYNC, synced).await;
        }
    }
}

fn open_store(config: &Config, name: &str) -> Result<Store, StartError> {
    const RING_BYTES_ALL: usize = 64 << 20;
    let per_cluster = RING_BYTES_ALL / (config.clusters + 1);
    let limits =
        Limits { ring_bytes_max: per_cluster.clamp(1 << 20, 8 << 20), ..Limits::default() };
    let dir = config.dir.as_ref().filter(|_| config.durable);
    let Some(dir) = dir else { return Ok(Store::in_memory(limits)) };
    let at = dir.join("clusters").join(name);
    Store::open(&at, limits, LogSettings::default())
        .map_err(|cause| StartError::Store { cluster: name.to_owned(), cause })
}

fn make_private(dir: &Path) -> Result<(), StartError> {
    std::fs::create_dir_all(dir).map_err(|cause| StartError::File { path: dir.to_owned(), cause })
}

/// Writes a file so that readers see all of it or none; only its owner may read it.
fn write_whole(path: &Path, content: &[u8]) -> Result<(), StartError> {
    let failed = |cause| StartError::File { path: path.to_owned(), cause };
    let part = path.with_extension("part");
    // Who comes upon an older half-written one replaces it.
    let _absent = std::fs::remove_file(&part);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part).map_err(failed)?;
    std::io::Write::write_all(&mut file, content).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    std::fs::rename(&part, path).map_err(failed)
}
