//! What the caller decides once: where mirrors lie, what is allowed, how much.

use std::path::PathBuf;
use std::time::Duration;

/// Choices that hold for all repositories.
#[derive(Clone, Debug)]
pub struct Config {
    /// Mirrors of remote repositories lie here; one process uses it at a time.
    pub cache_dir: PathBuf,
    /// Whether `file://` repositories may be read: they are this host's own files.
    pub allow_file: bool,
    /// What may change while it runs, as it is at first.
    pub live: Live,
    /// Where the jitter's numbers begin; another number, other moments.
    pub poll_seed: u64,
    /// How much of everything.
    pub limits: Limits,
}

impl Config {
    /// Upstream's choices, with mirrors in `cache_dir`.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            allow_file: false,
            live: Live::default(),
            poll_seed: 0,
            limits: Limits::default(),
        }
    }
}

/// Choices that may change while repositories are read (see [`Sources::reload`](crate::Sources::reload)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Live {
    /// Whether submodules are fetched and mounted (upstream's `ARGOCD_GIT_MODULES_ENABLED`).
    pub submodules: bool,
    /// Remote repositories that are watched are asked this often; what was seen is believed as
    /// long. `None`: they are asked only where somebody wants to know.
    pub poll_interval: Option<Duration>,
    /// Up to this is added to each interval, so that not all are asked at once.
    pub poll_jitter: Duration,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            submodules: true,
            poll_interval: Some(Duration::from_secs(120)),
            poll_jitter: Duration::from_secs(60),
        }
    }
}

/// How much one repository may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes that one fetch may receive; more ends it with an error.
    pub pack_bytes_max: u64,
    /// Bytes of one file or directory; a larger one is an error where it is read, before it is
    /// inflated.
    pub object_bytes_max: u64,
    /// Bytes of one object that a fetch may bring; a larger one ends it with an error.
    pub fetched_object_bytes_max: u64,
    /// From the first byte of a fetch to its end.
    pub fetch_timeout: Duration,
    /// To connect, log in and list what there is (upstream's `ARGOCD_GIT_REQUEST_TIMEOUT`).
    pub handshake_timeout: Duration,
    /// Repositories that are fetched or listed at once; others wait.
    pub concurrent_fetches_max: usize,
    /// Bytes of decoded directories that are kept for all repositories together.
    pub object_cache_bytes: usize,
    /// Packs of one mirror; when it has more, the next fetch starts a fresh mirror.
    pub mirror_packs_max: usize,
    /// Submodules inside submodules, counted from the repository itself.
    pub submodule_depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pack_bytes_max: 4 << 30,
            object_bytes_max: 100 << 20,
            fetched_object_bytes_max: 1 << 30,
            fetch_timeout: Duration::from_secs(90),
            handshake_timeout: Duration::from_secs(15),
            concurrent_fetches_max: 8,
            object_cache_bytes: 32 << 20,
            mirror_packs_max: 100,
            submodule_depth_max: 8,
        }
    }
}
