//! Which Applications to look at, and when.
//!
//! An Application stands in the queue once, however many reasons there are; while somebody looks
//! at it, new reasons wait. One timer holds everything that is due later.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use desired::Freshness;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// Names an Application.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppKey {
    pub namespace: String,
    pub name: String,
}

impl AppKey {
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl std::fmt::Display for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Why to look, and how new the manifests must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    pub fresh: Freshness,
    /// For the log.
    pub because: &'static str,
}

impl Why {
    pub fn known(because: &'static str) -> Self {
        Self { fresh: Freshness::Known, because }
    }

    pub fn fresh(fresh: Freshness, because: &'static str) -> Self {
        Self { fresh, because }
    }

    /// Both reasons as one.
    fn and(self, other: Why) -> Why {
        if other.fresh > self.fresh { other } else { self }
    }
}

/// The work queue. Clones of its `Arc` are handed around; it never grows beyond the number of Applications.
pub(crate) struct Queue {
    /// What times that are rounded are counted from.
    since: Instant,
    inner: Mutex<Inner>,
    work: Notify,
    timer: Notify,
}

#[derive(Default)]
struct Inner {
    order: VecDeque<AppKey>,
    waiting: HashMap<AppKey, Why>,
    running: HashSet<AppKey>,
    later: BTreeMap<(Instant, AppKey), Why>,
    due: HashMap<AppKey, Instant>,
    closed: bool,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            inner: Mutex::default(),
            work: Notify::default(),
            timer: Notify::default(),
        }
    }
}

impl Queue {
    /// Asks for a look now.
    pub fn push(&self, key: AppKey, why: Why) {
        let mut inner = self.inner.lock();
        if inner.closed {
            return;
        }
        match inner.waiting.get_mut(&key) {
            Some(held) => *held = held.and(why),
            None => {
                inner.waiting.insert(key.clone(), why);
                if !inner.running.contains(&key) {
                    inner.order.push_back(key);
                }
            }
        }
        drop(inner);
        self.work.notify_one();
    }

    /// Asks for a look later; an earlier one that is asked for already stays.
    pub fn push_later(&self, key: AppKey, wait: Duration, why: Why) {
        self.push_at(key, Instant::now() + wait, why);
    }

    /// Asks for a look later, at the same moment as all others that are due within the same `slack`:
    /// a program that sleeps between any two of a thousand looks pays for each as for the first.
    pub fn push_together(&self, key: AppKey, wait: Duration, slack: Duration, why: Why) {
        self.push_at(key, rounded_up(self.since, Instant::now() + wait, slack), why);
    }

    fn push_at(&self, key: AppKey, at: Instant, why: Why) {
        let mut inner = self.inner.lock();
        if let Some(before) = inner.due.get(&key).copied() {
            if before <= at {
                return;
            }
            inner.later.remove(&(before, key.clone()));
        }
        let first = inner.later.first_key_value().is_none_or(|((first, _), _)| at < *first);
        inner.due.insert(key.clone(), at);
        inner.later.insert((at, key), why);
        drop(inner);
        // Else the timer wakes before this is due.
        if first {
            self.timer.notify_one();
        }
    }

    /// Waits for an Application to look at; `None` once the queue is closed.
    ///
    /// Nobody else gets it before [`Queue::done`].
    pub async fn next(&self) -> Option<(AppKey, Why)> {
        loop {
            let woken = self.work.notified();
            {
                let mut inner = self.inner.lock();
                if inner.closed {
                    // Whoever else waits must hear of it, too.
                    self.work.notify_one();
                    return None;
                }
                if let Some(key) = inner.order.pop_front() {
                    let why = inner.waiting.remove(&key).unwrap_or(Why::known("asked for"));
                    inner.running.insert(key.clone());
                    if !inner.order.is_empty() {
                        self.work.notify_one();
                    }
                    return Some((key, why));
                }
            }
            woken.await;
        }
    }

    /// Gives an Application back.
    pub fn done(&self, key: &AppKey) {
        let mut inner = self.inner.lock();
        inner.running.remove(key);
        if inner.waiting.contains_key(key) {
            inner.order.push_back(key.clone());
            drop(inner);
            self.work.notify_one();
        }
    }

    /// Forgets what is due later for an Application that is gone.
    pub fn forget(&self, key: &AppKey) {
        let mut inner = self.inner.lock();
        if let Some(at) = inner.due.remove(key) {
            inner.later.remove(&(at, key.clone()));
        }
    }

    /// Moves what is due into the queue, for ever. One task runs this.
    pub async fn run_timer(&self) {
        loop {
            let changed = self.timer.notified();
            let next = {
                let mut inner = self.inner.lock();
                if inner.closed {
                    return;
                }
                let now = Instant::now();
                let mut due = Vec::new();
                while let Some(entry) = inner.later.first_entry() {
                    if entry.key().0 > now {
                        break;
                    }
                    let ((_, key), why) = entry.remove_entry();
                    inner.due.remove(&key);
                    due.push((key, why));
                }
                let next = inner.later.first_key_value().map(|((at, _), _)| *at);
                drop(inner);
                for (key, why) in due {
                    self.push(key, why);
                }
                next
            };
            match next {
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// Ends all waiting.
    pub fn close(&self) {
        self.inner.lock().closed = true;
        self.work.notify_one();
        self.timer.notify_one();
    }
}

/// The first moment not before `at` that is whole slacks after `since`.
pub(crate) fn rounded_up(since: Instant, at: Instant, slack: Duration) -> Instant {
    let over = at.saturating_duration_since(since).as_nanos() % slack.as_nanos().max(1);
    match u64::try_from(over) {
        Ok(over) if over > 0 => at + (slack - Duration::from_nanos(over)),
        _ => at,
    }
}
