//! Clusters that tests use one after the other: to start one costs as much as ten tests on it.

use std::ops::Deref;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::cluster::{Parts, RealCluster};
use crate::store::{Kept, Store};

/// How long a cluster may take to be as it was at its start, in seconds; a new one is started
/// where it takes longer.
const CLEAN_S_MAX: u64 = 20;

/// How long nothing may come back before a cluster counts as clean, in milliseconds: controllers
/// have seen by then what is gone.
const QUIET_MS: u64 = 150;

/// What the programs themselves write all the time: left alone.
const OF_PROGRAMS: [&str; 4] =
    ["/registry/leases/", "/registry/masterleases/", "/registry/minions/", "/registry/ranges/"];

/// Definitions that are kept (with the group's APIService): every test needs them, and what costs
/// the API server most is to describe itself anew. Only the first test on a cluster makes them.
const KEPT: &str = ".argoproj.io";

/// Namespaces that every cluster has, and what each of them gets from controllers.
const HOMES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// Whole clusters that nobody uses now: as many as tests ran side by side.
static IDLE: Mutex<Vec<(RealCluster, Kept)>> = Mutex::new(Vec::new());

/// A whole cluster, lent to one test. It is given back at the end of a test that went well; after
/// a panic it ends, so that the next test does not begin with what this one left.
pub struct Lent(Option<(RealCluster, Kept)>);

impl Lent {
    /// A whole cluster as it is after its start: one that another test gave back, or a new one.
    /// `None` where the programs are missing.
    ///
    /// # Errors
    ///
    /// As [`RealCluster::start`].
    pub fn take() -> Result<Option<Self>> {
        let idle = IDLE.lock().ok().and_then(|mut idle| idle.pop());
        if let Some((cluster, first)) = idle {
            match clean(cluster.store(), &first) {
                Ok(()) => return Ok(Some(Self(Some((cluster, first))))),
                Err(error) => eprintln!("a cluster is not used again: {error:#}"),
            }
        }
        let Some(cluster) = RealCluster::start(Parts::Whole)? else { return Ok(None) };
        let first = settled(cluster.store())?;
        Ok(Some(Self(Some((cluster, first)))))
    }
}

impl Deref for Lent {
    type Target = RealCluster;

    fn deref(&self) -> &RealCluster {
        let (cluster, _) = self.0.as_ref().expect("it is there until it is dropped");
        cluster
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        if let (Some(own), Ok(mut idle)) = (self.0.take(), IDLE.lock()) {
            idle.push(own);
        }
    }
}

/// What a cluster holds when all its programs have made what they make at their start.
fn settled(store: Store) -> Result<Kept> {
    let until = Instant::now() + Duration::from_secs(CLEAN_S_MAX);
    let mut before = Kept::new();
    let mut quiet_since = Instant::now();
    loop {
        let now = store.all()?;
        if !back_to(&before, &now).is_empty() {
            quiet_since = Instant::now();
        }
        let has_all = HOMES.iter().all(|home| {
            now.contains_key(&format!("/registry/serviceaccounts/{home}/default"))
                && now.contains_key(&format!("/registry/configmaps/{home}/kube-root-ca.crt"))
        });
        if has_all && quiet_since.elapsed() > Duration::from_millis(QUIET_MS) {
            return Ok(now);
        }
        if Instant::now() > until {
            bail!("the cluster has not settled in {CLEAN_S_MAX} s");
        }
        before = now;
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// Makes a cluster hold what it held at first, and waits until it stays so.
fn clean(store: Store, first: &Kept) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(CLEAN_S_MAX);
    let mut quiet_since = Instant::now();
    loop {
        let now = store.all()?;
        let changes = back_to(first, &now);
        if !changes.is_empty() {
            quiet_since = Instant::now();
            store.change(&changes)?;
        } else if quiet_since.elapsed() > Duration::from_millis(QUIET_MS) {
            return Ok(());
        }
        if Instant::now() > until {
            bail!("after {CLEAN_S_MAX} s it still changes: {changes:?}");
        }
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// What turns a store back. Namespaces go first, so that nothing is made in them any more;
/// pods go last, so that those who would make them anew are gone.
fn back_to<'a>(first: &'a Kept, now: &'a Kept) -> Vec<(&'a str, Option<&'a str>)> {
    let is_own = |key: &str| {
        !OF_PROGRAMS.iter().any(|prefix| key.starts_with(prefix)) && !key.ends_with(KEPT)
    };
    let gone = now.keys().filter(|key| !first.contains_key(*key)).map(|key| (key.as_str(), None));
    let back = first
        .iter()
        .filter(|(key, value)| now.get(*key) != Some(value))
        .map(|(key, value)| (key.as_str(), Some(value.as_str())));
    let mut changes: Vec<_> = gone.chain(back).filter(|(key, _)| is_own(key)).collect();
    changes.sort_by_key(|(key, _)| match key {
        key if key.starts_with("/registry/namespaces/") => 0,
        key if key.starts_with("/registry/pods/") => 2,
        _ => 1,
    });
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(keys: &[(&str, &str)]) -> Kept {
        keys.iter().map(|(key, value)| (format!("/registry/{key}"), (*value).to_owned())).collect()
    }

    #[test]
    fn what_came_goes_and_what_changed_comes_back() {
        let first = kept(&[
            ("configmaps/kube-system/a", "1"),
            ("leases/kube-node-lease/node-0", "1"),
            ("namespaces/default", "1"),
        ]);
        let now = kept(&[
            ("apiextensions.k8s.io/customresourcedefinitions/applications.argoproj.io", "1"),
            ("apiextensions.k8s.io/customresourcedefinitions/widgets.example.com", "1"),
            ("configmaps/kube-system/a", "2"),
            ("deployments/shop/web", "1"),
            ("leases/kube-node-lease/node-0", "2"),
            ("namespaces/default", "1"),
            ("namespaces/shop", "1"),
            ("pods/shop/web-1", "1"),
            ("services/specs/shop/web", "1"),
        ]);
        let changes = back_to(&first, &now);
        let told: Vec<(&str, Option<&str>)> = changes
            .iter()
            .map(|(key, value)| (key.trim_start_matches("/registry/"), *value))
            .collect();
        assert_eq!(
            told,
            [
                ("namespaces/shop", None),
                ("apiextensions.k8s.io/customresourcedefinitions/widgets.example.com", None),
                ("deployments/shop/web", None),
                ("services/specs/shop/web", None),
                ("configmaps/kube-system/a", Some("1")),
                ("pods/shop/web-1", None),
            ]
        );
    }
}
