//! How often was rendered, and how often not.

use std::sync::atomic::{AtomicU64, Ordering};

/// Since the service began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests.
    pub requests: u64,
    /// Sources that an engine rendered, well or not.
    pub renders: u64,
    /// Of them, how many failed.
    pub failed_renders: u64,
    /// Requests answered with the commit that was rendered before.
    pub hits_by_commit: u64,
    /// Requests answered without an engine although the commit is another.
    pub hits_by_content: u64,
    /// Bytes that the cache holds, estimated.
    pub cache_bytes: u64,
    /// Renderings that the cache holds.
    pub cache_entries: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: AtomicU64,
    pub(crate) renders: AtomicU64,
    pub(crate) failed_renders: AtomicU64,
    pub(crate) hits_by_commit: AtomicU64,
    pub(crate) hits_by_content: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, cache_bytes: usize, cache_entries: usize) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            requests: read(&self.requests),
            renders: read(&self.renders),
            failed_renders: read(&self.failed_renders),
            hits_by_commit: read(&self.hits_by_commit),
            hits_by_content: read(&self.hits_by_content),
            cache_bytes: cache_bytes as u64,
            cache_entries: cache_entries as u64,
        }
    }
}
