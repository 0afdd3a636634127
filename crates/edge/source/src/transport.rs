//! How servers are talked to: git's protocol over HTTP or SSH, within a budget.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::error::{SourceError, chain};
use crate::url::RepoUrl;

pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod ssh;
mod ssh_key;
pub(crate) mod tls;

/// What git's protocol runs over.
pub(crate) type GitTransport =
    Box<dyn gix::protocol::transport::client::blocking_io::Transport + Send>;

/// What one exchange with a server may take, and how it failed.
///
/// The protocol's own code wraps errors in many layers; whoever meets one first leaves it here.
pub(crate) struct Budget {
    what: &'static str,
    limit: Duration,
    deadline: Instant,
    bytes_max: u64,
    bytes_left: AtomicU64,
    interrupted: AtomicBool,
    failure: Mutex<Option<Failure>>,
}

/// Why an exchange failed.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    AccessRefused(String),
    NotFound(String),
    HostKey(String),
    BadCredentials(String),
    Unreachable(String),
    NotBuilt(&'static str),
    TimedOut,
    TooManyBytes,
}

impl Budget {
    pub(crate) fn new(what: &'static str, limit: Duration, bytes_max: u64) -> Arc<Self> {
        Arc::new(Self {
            what,
            limit,
            deadline: Instant::now() + limit,
            bytes_max,
            bytes_left: AtomicU64::new(bytes_max),
            interrupted: AtomicBool::new(false),
            failure: Mutex::default(),
        })
    }

    /// Set once the time is up; the protocol's code looks at it while it computes.
    pub(crate) fn interrupted(&self) -> &AtomicBool {
        &self.interrupted
    }

    /// Waits until the time is up, and interrupts then.
    pub(crate) async fn interrupt_when_over(self: Arc<Self>) {
        tokio::time::sleep_until(self.deadline).await;
        self.fail(Failure::TimedOut);
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// Remembers why it failed; the first reason stays.
    pub(crate) fn fail(&self, failure: Failure) -> io::Error {
        let mut known = self.failure.lock();
        io::Error::other(format!("{:?}", known.get_or_insert(failure)))
    }

    /// Counts bytes that arrived.
    pub(crate) fn spend(&self, bytes: usize) -> io::Result<()> {
        let spend = |left: u64| left.checked_sub(bytes as u64);
        match self.bytes_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend) {
            Ok(_) => Ok(()),
            Err(_) => Err(self.fail(Failure::TooManyBytes)),
        }
    }

    /// Waits for a server within the time that is left.
    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> io::Result<T> {
        match tokio::time::timeout_at(self.deadline, work).await {
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.fail(Failure::TimedOut)),
        }
    }

    /// As [`Budget::within`], on a thread that may wait.
    pub(crate) fn wait<T>(&self, runtime: &Handle, work: impl Future<Output = T>) -> io::Result<T> {
        runtime.block_on(self.within(work))
    }

    /// What to tell about an exchange that ended with `error`.
    pub(crate) fn explain(
        &self,
        url: &RepoUrl,
        error: &(dyn std::error::Error + 'static),
    ) -> SourceError {
        let failure = self.failure.lock().take();
        let url = url.shown();
        match failure.unwrap_or_else(|| Failure::Unreachable(chain(error))) {
            Failure::AccessRefused(reason) => SourceError::AccessRefused { url, reason },
            Failure::NotFound(reason) => SourceError::NotFound { url, reason },
            Failure::HostKey(reason) => SourceError::HostKey { url, reason },
            Failure::BadCredentials(reason) => SourceError::BadCredentials { url, reason },
            Failure::Unreachable(reason) => SourceError::Unreachable { url, reason },
            Failure::NotBuilt(what) => SourceError::NotBuilt { url, what },
            Failure::TimedOut => {
                SourceError::TimedOut { url, what: self.what, limit_s: self.limit.as_secs() }
            }
            Failure::TooManyBytes => SourceError::PackTooLarge { url, limit_bytes: self.bytes_max },
        }
    }
}
