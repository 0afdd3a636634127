//! How much a cluster is asked, how patiently, and over which connections.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

/// How much a cluster is asked, how patiently, and over which connections. All of it may change
/// while the cluster is in use ([`Cluster::limit`](crate::Cluster::limit)).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Requests a second, watches aside. `None`: as many as the server answers (it says 429
    /// when it is too much, and is then given the time it asks for).
    pub requests_per_s: Option<f64>,
    /// Requests above that rate that may be sent at once.
    pub burst: usize,
    /// Writes under way at the same time; more wait. `None` is no limit.
    pub writes_at_once: Option<usize>,
    /// Lists under way at the same time; more wait.
    pub lists_at_once: usize,
    /// Objects that a list asks for at a time.
    pub page_objects: usize,
    /// How long one request may take, its answer included.
    pub request_timeout: Duration,
    /// How long the server is told that a request may take; `None` tells it nothing.
    pub server_side_timeout: Option<Duration>,
    /// Times that a request is sent again that the server failed (5xx), or that never reached it.
    pub retries_max: usize,
    /// The wait before the first of them; each further one is twice as long, up to 10 s.
    pub retry_first: Duration,
    /// No wait for a watch, list or discovery that failed is longer.
    pub away_wait_max: Duration,
    /// How connections are made and kept.
    pub dial: Dial,
}

/// How connections are made and kept; a zero time is no limit. New values hold for new
/// connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dial {
    /// How long a connection may take to open.
    pub connect_timeout: Duration,
    /// How much longer its TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How often a connection that says nothing is tried.
    pub keepalive: Duration,
    /// How long a connection is kept that nobody uses.
    pub idle_timeout: Duration,
    /// Connections that nobody uses and that are kept; 0 is no limit.
    pub idle_connections_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_s: None,
            burst: 100,
            writes_at_once: Some(50),
            lists_at_once: 4,
            page_objects: 500,
            request_timeout: Duration::from_secs(60),
            server_side_timeout: None,
            retries_max: 0,
            retry_first: Duration::from_millis(100),
            away_wait_max: Duration::from_secs(10),
            dial: Dial::default(),
        }
    }
}

impl Default for Dial {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            keepalive: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(300),
            idle_connections_max: 500,
        }
    }
}

/// A time where zero is none.
pub(crate) fn some(time: Duration) -> Option<Duration> {
    Some(time).filter(|time| !time.is_zero())
}

/// Places that are few; their number may change. Whoever has one keeps it when there are fewer.
pub(crate) struct Places {
    held: Mutex<(usize, Arc<Semaphore>)>,
}

impl Places {
    /// At least one place.
    pub(crate) fn new(count: usize) -> Self {
        let count = count.clamp(1, Semaphore::MAX_PERMITS);
        Self { held: Mutex::new((count, Arc::new(Semaphore::new(count)))) }
    }

    /// Waits for a place, which is given back when it is dropped.
    pub(crate) async fn take(&self) -> OwnedSemaphorePermit {
        let places = self.held.lock().1.clone();
        places.acquire_owned().await.expect("it is never closed")
    }

    pub(crate) fn resize(&self, count: usize) {
        let new = Self::new(count).held.into_inner();
        let mut held = self.held.lock();
        if held.0 != new.0 {
            *held = new;
        }
    }
}

/// A rate: tokens come one by one, and wait in a bucket.
pub(crate) struct Bucket {
    gap: Duration,
    depth: Duration,
    /// When the bucket was, or will be, empty of debts.
    paid_until: Mutex<Instant>,
}

impl Bucket {
    /// `None` where there is no rate to keep.
    pub(crate) fn of(limits: &Limits) -> Option<Arc<Self>> {
        /// Slower than this is as good as never.
        const PER_S_MIN: f64 = 0.001;
        let per_s = limits.requests_per_s.filter(|rate| rate.is_finite() && *rate > 0.0)?;
        let gap = Duration::from_secs_f64(1.0 / per_s.max(PER_S_MIN));
        let burst = u32::try_from(limits.burst.max(1)).unwrap_or(u32::MAX);
        let depth = gap.saturating_mul(burst);
        Some(Arc::new(Self { gap, depth, paid_until: Mutex::new(Instant::now()) }))
    }

    pub(crate) async fn take(&self) {
        if let Some(when) = self.take_at(Instant::now()) {
            sleep_until(when).await;
        }
    }

    /// Takes a token, and returns when it is there; that may be in the past.
    pub(crate) fn take_at(&self, now: Instant) -> Option<Instant> {
        let mut paid = self.paid_until.lock();
        *paid = (*paid).max(now) + self.gap;
        paid.checked_sub(self.depth)
    }
}
