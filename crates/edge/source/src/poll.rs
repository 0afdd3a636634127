//! One scheduler that asks every watched repository that no file event tells of.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::config::{Config, Live};
use crate::repository::{Backend, Inner};
use crate::watch::Follower;

/// The wait where polling is off: a year.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Asks watched repositories, each at its own moment; sleeps in between.
pub(crate) struct Poller {
    told: mpsc::UnboundedSender<Told>,
}

enum Told {
    Added(Polled),
    Reload(Live),
}

#[derive(Clone)]
struct Polled {
    inner: Weak<Inner>,
    follower: Weak<Follower>,
}

impl Poller {
    pub(crate) fn start(config: &Config) -> Self {
        let (told, incoming) = mpsc::unbounded_channel();
        let schedule = Schedule {
            live: config.live,
            random: config.poll_seed,
            due: BTreeMap::new(),
            count: 0,
        };
        tokio::spawn(run(schedule, incoming));
        Self { told }
    }

    /// Polls a repository from now on, until nobody watches it.
    pub(crate) fn add(&self, inner: &Arc<Inner>, follower: &Arc<Follower>) {
        if !inner.polled.swap(true, Ordering::SeqCst) {
            let inner = Arc::downgrade(inner);
            // The scheduler ends only with the runtime.
            let polled = Polled { inner, follower: Arc::downgrade(follower) };
            self.told.send(Told::Added(polled)).ok();
        }
    }

    /// Polls at other moments from now on.
    pub(crate) fn reload(&self, live: Live) {
        self.told.send(Told::Reload(live)).ok();
    }
}

struct Schedule {
    live: Live,
    random: u64,
    /// By moment, and by number where two share one.
    due: BTreeMap<(Instant, u64), Polled>,
    count: u64,
}

impl Schedule {
    fn put(&mut self, polled: Polled, now: Instant) {
        self.count += 1;
        let jitter = self.live.poll_jitter.mul_f64(self.next_fraction());
        let wait = self.live.poll_interval.unwrap_or(NEVER) + jitter;
        self.due.insert((now + wait, self.count), polled);
    }

    /// Gives everything that is due a new moment.
    fn reload(&mut self, live: Live, now: Instant) {
        self.live = live;
        for polled in std::mem::take(&mut self.due).into_values() {
            self.put(polled, now);
        }
    }

    /// The next of a row of numbers in `0..1` that the seed decides (SplitMix64).
    fn next_fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

async fn run(mut schedule: Schedule, mut incoming: mpsc::UnboundedReceiver<Told>) {
    loop {
        let next = schedule.due.first_key_value().map(|((at, _), _)| *at);
        let wait = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            told = incoming.recv() => match told {
                Some(Told::Added(polled)) => schedule.put(polled, Instant::now()),
                Some(Told::Reload(live)) => schedule.reload(live, Instant::now()),
                None => return,
            },
            () = wait => {
                let Some((_, polled)) = schedule.due.pop_first() else { continue };
                let Some(inner) = polled.inner.upgrade() else { continue };
                if !still_watched(&inner) {
                    continue;
                }
                let follower = polled.follower.upgrade();
                schedule.put(polled, Instant::now());
                tokio::spawn(ask(inner, follower));
            }
        }
    }
}

/// Lets go of a repository that nobody watches, unless somebody began to meanwhile.
fn still_watched(inner: &Inner) -> bool {
    let watched = || inner.watches.load(Ordering::SeqCst) > 0;
    if watched() {
        return true;
    }
    inner.polled.store(false, Ordering::SeqCst);
    watched() && !inner.polled.swap(true, Ordering::SeqCst)
}

async fn ask(inner: Arc<Inner>, follower: Option<Arc<Follower>>) {
    let asked = match (&inner.place, follower) {
        (Backend::Local(local), _) if local.is_followed() && local.follows_what_is_there() => {
            return;
        }
        (Backend::Local(_), Some(follower)) => follower.follow(&inner).await,
        (Backend::Local(_), None) | (Backend::Remote(_), _) => inner.refresh().await,
    };
    if let Err(error) = asked {
        let repo = inner.url.shown();
        tracing::debug!(repo, %error, "repository not asked; what was seen last stays in use");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(seed: u64) -> Schedule {
        Schedule { live: Live::default(), random: seed, due: BTreeMap::new(), count: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn moments_are_spread_over_the_jitter_and_the_seed_decides_them() {
        let now = Instant::now();
        let moments = |seed| {
            let mut schedule = schedule(seed);
            for _ in 0..100 {
                schedule.put(Polled { inner: Weak::new(), follower: Weak::new() }, now);
            }
            schedule.due.keys().map(|(at, _)| at.duration_since(now)).collect::<Vec<_>>()
        };
        let seen = moments(7);
        assert!(seen[0] >= Duration::from_secs(120) && seen[0] < Duration::from_secs(130));
        assert!(seen[99] > Duration::from_secs(170) && seen[99] <= Duration::from_secs(180));
        assert_eq!(seen, moments(7));
        assert_ne!(seen, moments(8));
    }

    #[tokio::test(start_paused = true)]
    async fn new_choices_hold_for_what_is_watched_already() {
        let now = Instant::now();
        let mut schedule = schedule(7);
        schedule.put(Polled { inner: Weak::new(), follower: Weak::new() }, now);
        let due = |schedule: &Schedule| {
            let mut moments = schedule.due.keys().map(|(at, _)| at.duration_since(now));
            moments.next().expect("one is due")
        };
        let short = Live {
            poll_interval: Some(Duration::from_secs(10)),
            poll_jitter: Duration::ZERO,
            ..Live::default()
        };
        schedule.reload(short, now);
        assert_eq!(due(&schedule), Duration::from_secs(10));
        schedule.reload(Live { poll_interval: None, ..short }, now);
        assert_eq!(due(&schedule), NEVER);
    }
}
