//! What all repositories of one [`Sources`](crate::Sources) share.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;

use crate::cache::ObjectCache;
use crate::config::{Config, Live};
use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::github::GithubTokens;
use crate::mirror::Mirror;
use crate::observer::Observer;
use crate::repository::Inner;
use crate::url::RepoUrl;

/// A repository that nobody used for so long is forgotten; its mirror stays on disk.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);

/// Told which repository has new content, as Applications write its URL; it must not block.
pub type Listener = Box<dyn Fn(&str) + Send + Sync>;

pub(crate) struct Core {
    pub(crate) config: Config,
    live: RwLock<Live>,
    pub(crate) objects: Arc<ObjectCache>,
    pub(crate) observer: Arc<dyn Observer>,
    /// One for each repository that is asked or fetched right now.
    pub(crate) permits: Semaphore,
    /// By the repository's key, while somebody reads it.
    mirrors: Mutex<HashMap<String, Weak<Mirror>>>,
    pub(crate) github: GithubTokens,
    pub(crate) listeners: RwLock<Vec<Listener>>,
    repositories: Mutex<Repositories>,
}

/// By the repository's key and a digest of the credentials.
type Repositories = HashMap<(String, [u8; 16]), Arc<Inner>>;

impl Core {
    pub(crate) fn new(config: Config, observer: Arc<dyn Observer>) -> Self {
        Self {
            objects: Arc::new(ObjectCache::new(config.limits.object_cache_bytes)),
            permits: Semaphore::new(config.limits.concurrent_fetches_max.max(1)),
            live: RwLock::new(config.live),
            config,
            observer,
            mirrors: Mutex::default(),
            github: GithubTokens::default(),
            listeners: RwLock::default(),
            repositories: Mutex::default(),
        }
    }

    pub(crate) fn live(&self) -> Live {
        *self.live.read()
    }

    /// Takes new choices; answers whether they differ.
    pub(crate) fn reload(&self, new: Live) -> bool {
        let mut live = self.live.write();
        std::mem::replace(&mut *live, new) != new
    }

    /// The repository at a URL under these credentials: the known one, or a new one.
    pub(crate) fn repository(
        self: &Arc<Self>,
        url: RepoUrl,
        credentials: Arc<Credentials>,
    ) -> Result<Arc<Inner>, SourceError> {
        // A user in the URL is part of who asks, though not of where the repository is.
        let key = (format!("{} {:?}", url.key(), url.user()), credentials.fingerprint());
        let mut repositories = self.repositories.lock();
        if let Some(inner) = repositories.get(&key) {
            return Ok(inner.clone());
        }
        credentials.check(&url)?;
        let inner = Arc::new(Inner::new(self.clone(), url, credentials)?);
        let unused = |known: &Arc<Inner>| {
            Arc::strong_count(known) == 1 && known.used_at().elapsed() > FORGOTTEN_AFTER
        };
        repositories.retain(|_, known| !unused(known));
        repositories.insert(key, inner.clone());
        Ok(inner)
    }

    /// The mirror of a URL, shared by all credentials; a shallow one is another.
    pub(crate) fn mirror(&self, url: &RepoUrl, depth: Option<u32>) -> Arc<Mirror> {
        let key = match depth {
            Some(depth) => format!("{} depth {depth}", url.key()),
            None => url.key(),
        };
        let mut mirrors = self.mirrors.lock();
        if let Some(mirror) = mirrors.get(&key).and_then(Weak::upgrade) {
            return mirror;
        }
        let Config { cache_dir, limits, .. } = &self.config;
        let objects = self.objects.clone();
        let mirror = Arc::new(Mirror::new(cache_dir, &key, &url.shown(), limits, objects));
        mirrors.retain(|_, mirror| mirror.strong_count() > 0);
        mirrors.insert(key, Arc::downgrade(&mirror));
        mirror
    }

    /// Tells the listeners that repositories have new content.
    pub(crate) fn changed(&self, urls: &[String]) {
        let listeners = self.listeners.read();
        for url in urls {
            tracing::debug!(repo = crate::url::redact(url), "repository changed");
            listeners.iter().for_each(|listener| listener(url));
        }
    }
}

/// More readers of a disk would wait for each other, each with a thread and its memory.
const READS_AT_ONCE_MAX: usize = 4;

static READS: Semaphore = Semaphore::const_new(READS_AT_ONCE_MAX);

/// Runs what reads a store on this host on a thread that may wait; who comes when
/// [`READS_AT_ONCE_MAX`] do waits.
pub(crate) async fn reading<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    let permit = READS.acquire().await.expect("the semaphore is never closed");
    blocking(move || {
        let _permit = permit;
        work()
    })
    .await
}

/// Runs what waits for a server on a thread that may wait.
pub(crate) async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer,
        Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
        // The runtime is ending, and this task with it.
        Err(_) => std::future::pending().await,
    }
}
