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
    /// To connect, log in and list what there is (upstream's `ARGOCD_GIT_REQUEST_TIMEOUT`).
    pub request_timeout: Duration,
    /// How a list is asked for again that did not come.
    pub retry: Retry,
    /// How long a GitHub App's token is used at most.
    pub github_token_age: Duration,
}

/// How a server is asked again that did not answer: upstream's `ARGOCD_GIT_ATTEMPTS_COUNT` and
/// its kin. What a server refuses is not asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The first attempt included; at least one.
    pub attempts_max: usize,
    /// The wait after the first attempt.
    pub first: Duration,
    /// Each wait is this many times the one before.
    pub factor: u32,
    /// No wait is longer; zero is no limit.
    pub max: Duration,
}

impl Retry {
    /// How long to wait after attempt number `attempt`, the first being 1; `None` after the last.
    pub(crate) fn wait_after(&self, attempt: usize) -> Option<Duration> {
        if attempt >= self.attempts_max {
            return None;
        }
        let power = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let grown = self.first.saturating_mul(self.factor.saturating_pow(power));
        Some(if self.max.is_zero() { grown } else { grown.min(self.max) })
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts_max: 1,
            first: Duration::from_millis(250),
            factor: 2,
            max: Duration::from_secs(10),
        }
    }
}

impl Default for Live {
    fn default() -> Self {
        Self {
            submodules: true,
            poll_interval: Some(Duration::from_secs(120)),
            poll_jitter: Duration::from_secs(60),
            request_timeout: Duration::from_secs(15),
            retry: Retry::default(),
            github_token_age: Duration::from_secs(3600),
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
            concurrent_fetches_max: 8,
            object_cache_bytes: 32 << 20,
            mirror_packs_max: 100,
            submodule_depth_max: 8,
        }
    }
}
