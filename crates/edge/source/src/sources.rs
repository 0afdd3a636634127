//! The handle that a service keeps: every repository by URL, watched where asked.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::config::{Config, Live};
use crate::core::{Core, Listener};
use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::observer::{NoObserver, Observer};
use crate::poll::Poller;
use crate::repository::{Backend, Inner, Repository};
use crate::url::RepoUrl;
use crate::watch::Follower;

/// All repositories that a process reads; clones are the same handle.
///
/// Made and used inside a tokio runtime. What waits for disks and servers runs on threads that
/// may wait.
#[derive(Clone)]
pub struct Sources {
    core: Arc<Core>,
    follower: Arc<Follower>,
    poller: Arc<Poller>,
}

/// A repository is watched while this lives.
#[must_use = "a repository is watched only while this lives"]
pub struct Watch {
    inner: Arc<Inner>,
    follower: Arc<Follower>,
}

impl Sources {
    /// Makes the handle; nothing is contacted or written yet.
    pub fn new(config: Config) -> Self {
        Self::with_observer(config, Arc::new(NoObserver))
    }

    /// As [`Sources::new`]; `observer` is told about every request to a server.
    pub fn with_observer(config: Config, observer: Arc<dyn Observer>) -> Self {
        let core = Arc::new(Core::new(config, observer));
        let poller = Arc::new(Poller::start(&core.config));
        Self { core, follower: Arc::default(), poller }
    }

    /// Returns the repository at `url` under these credentials; nothing is contacted yet.
    ///
    /// The same URL with the same credentials is the same repository, however it is spelled, and
    /// all credentials of one URL share its mirror.
    ///
    /// # Errors
    ///
    /// [`SourceError::BadUrl`], [`SourceError::FileNotAllowed`], [`SourceError::BadCredentials`]
    /// or [`SourceError::NotBuilt`].
    pub fn repository(
        &self,
        url: &str,
        credentials: &Arc<Credentials>,
    ) -> Result<Repository, SourceError> {
        let parsed = RepoUrl::parse(url)?;
        if parsed.host().is_none() && !self.core.config.allow_file {
            return Err(SourceError::FileNotAllowed { url: parsed.shown() });
        }
        let inner = self.core.repository(parsed, credentials.clone())?;
        let mut spellings = inner.spellings.lock();
        if !spellings.contains(url) {
            spellings.insert(url.to_owned());
        }
        drop(spellings);
        Ok(Repository { inner })
    }

    /// Takes new choices; from now on they hold, also for what is watched already.
    pub fn reload(&self, live: Live) {
        if self.core.reload(live) {
            self.poller.reload(live);
        }
    }

    /// Calls `listener` with the URL, as it was given, of each watched repository that has new
    /// content: a branch, a tag or `HEAD` points elsewhere.
    pub fn on_change(&self, listener: Listener) {
        self.core.listeners.write().push(listener);
    }

    /// Watches a repository until the answer is dropped.
    ///
    /// One on this host is followed by file events, told within some 20 ms and costing nothing
    /// while nothing happens. A server is asked once in [`Live::poll_interval`] plus jitter;
    /// so is a local one that is not there yet, or that file events cannot follow.
    pub async fn watch(&self, repository: &Repository) -> Watch {
        let inner = repository.inner.clone();
        if inner.watches.fetch_add(1, Ordering::SeqCst) == 0 {
            match &inner.place {
                Backend::Local(_) => {
                    // One that is not there yet is tried again by the scheduler.
                    if let Err(error) = self.follower.follow(&inner).await {
                        tracing::debug!(%error, "repository not followed yet");
                    }
                }
                Backend::Remote(_) => {}
            }
            self.poller.add(&inner, &self.follower);
        }
        Watch { inner, follower: self.follower.clone() }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.inner.watches.fetch_sub(1, Ordering::SeqCst) == 1
            && let Backend::Local(_) = &self.inner.place
        {
            self.follower.unfollow(&self.inner);
        }
    }
}
