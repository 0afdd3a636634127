//! What changed since somebody last looked, one entry an object.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use manifest::ObjectKey;
use parking_lot::Mutex;
use tokio::sync::Notify;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Added,
    /// It was there before, if perhaps as another object of the same name.
    Modified,
    /// It is gone.
    Deleted,
}

/// A change of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveEvent {
    /// What it is called.
    pub key: ObjectKey,
    /// Its unique id.
    pub uid: Arc<str>,
    /// What happened, all in all since the last look.
    pub change: Change,
    /// The application that it belongs to: its own, or that of the nearest owner that has one.
    pub app: Option<Arc<str>>,
    /// Whether the object itself bears the application's name.
    pub tracked: bool,
    /// The application that it belonged to before, where that was another.
    pub old_app: Option<Arc<str>>,
    /// What the lens said of it before; `None` where it was not there.
    pub old_hash: Option<u64>,
    /// What the lens says of it now; `None` where it is gone.
    pub new_hash: Option<u64>,
}

impl LiveEvent {
    /// Whether anything changed that the lens looks at.
    pub fn matters(&self) -> bool {
        self.old_hash != self.new_hash || self.old_app.is_some()
    }

    /// This event, and then `next`, as one.
    pub(crate) fn then(self, next: LiveEvent) -> LiveEvent {
        let change = match (self.change, next.change) {
            (Change::Added, Change::Modified | Change::Added) => Change::Added,
            (_, Change::Deleted) => Change::Deleted,
            (Change::Modified | Change::Deleted, Change::Added | Change::Modified) => {
                Change::Modified
            }
        };
        let before = self.old_app.or(self.app);
        LiveEvent {
            change,
            old_app: before.filter(|before| Some(before) != next.app.as_ref()),
            old_hash: self.old_hash,
            ..next
        }
    }
}

/// What waits for one subscriber. No longer than there are objects: changes of one are one.
#[derive(Default)]
pub(super) struct Queue {
    waiting: Mutex<BTreeMap<ObjectKey, LiveEvent>>,
    wake: Notify,
    closed: AtomicBool,
}

impl Queue {
    pub(super) fn push(&self, event: LiveEvent) {
        let mut waiting = self.waiting.lock();
        let merged = match waiting.remove(&event.key) {
            Some(before) => before.then(event),
            None => event,
        };
        waiting.insert(merged.key.clone(), merged);
        drop(waiting);
        self.wake.notify_one();
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake.notify_one();
    }
}

/// A subscription to what changes. It misses nothing, and holds up nobody.
pub struct LiveEvents {
    pub(super) queue: Arc<Queue>,
}

impl LiveEvents {
    /// Waits until something changed, and returns all that did since the last call, sorted by
    /// key; `None` once the set has stopped.
    pub async fn next(&mut self) -> Option<Vec<LiveEvent>> {
        loop {
            let waiting = std::mem::take(&mut *self.queue.waiting.lock());
            if !waiting.is_empty() {
                return Some(waiting.into_values().collect());
            }
            if self.queue.closed.load(Ordering::Acquire) {
                return None;
            }
            self.queue.wake.notified().await;
        }
    }
}
