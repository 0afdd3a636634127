//! How long a rendering rests that failed by no fault of its files.
//!
//! Upstream stops for an hour after three failures (`ARGOCD_PAUSE_GEN_AFTER_FAILED_ATTEMPTS`).
//! Here the waits grow, and a new commit ends them at once. What the files are to blame for
//! is kept as any other answer, and needs no wait.

use std::collections::HashMap;
use std::time::Duration;

use desired::RenderFailure;
use tokio::time::Instant;

use crate::key::Key;
use crate::pin::Pin;

/// Failures before the first wait.
const FREE_ATTEMPTS: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// Keys that are remembered; the one that rests least is forgotten first.
const KEYS_MAX: usize = 10_000;

struct Failing {
    pins: Vec<Pin>,
    attempts: u32,
    until: Instant,
    failure: RenderFailure,
}

/// Renderings that rest.
#[derive(Default)]
pub(crate) struct Backoff {
    failing: HashMap<Key, Failing>,
}

impl Backoff {
    /// The failure of a rendering that still rests.
    pub(crate) fn resting(&self, key: &Key, pins: &[Pin]) -> Option<RenderFailure> {
        let failing = self.failing.get(key)?;
        let rests = failing.pins == pins && Instant::now() < failing.until;
        rests.then(|| RenderFailure {
            message: format!("Manifest generation error (cached): {}", failing.failure.message),
            ..failing.failure.clone()
        })
    }

    /// Notes a failure.
    pub(crate) fn failed(&mut self, key: Key, pins: &[Pin], failure: &RenderFailure) {
        let now = Instant::now();
        if self.failing.len() >= KEYS_MAX && !self.failing.contains_key(&key) {
            let first = self.failing.iter().min_by_key(|(_, failing)| failing.until);
            let first = first.map(|(key, _)| *key);
            first.map(|key| self.failing.remove(&key));
        }
        let known = self.failing.get(&key).filter(|failing| failing.pins == pins);
        let attempts = known.map_or(0, |failing| failing.attempts) + 1;
        let wait = match attempts.checked_sub(FREE_ATTEMPTS) {
            None => Duration::ZERO,
            Some(more) => FIRST_WAIT.saturating_mul(1 << more.min(10)).min(LONGEST_WAIT),
        };
        let failing =
            Failing { pins: pins.to_vec(), attempts, until: now + wait, failure: failure.clone() };
        self.failing.insert(key, failing);
    }

    /// Forgets a key's failures.
    pub(crate) fn ended(&mut self, key: &Key) {
        self.failing.remove(key);
    }
}
