//! One of several processes leads: whoever holds a Lease and renews it in time.
//!
//! The rules are those of client-go's leader election, so both can hold the same Lease in turn:
//! a Lease counts as given up when it did not change for its duration by *our* clock, since the
//! holder's may go wrong.

use std::time::Duration;

use jiff::Timestamp;
use manifest::Gvk;
use serde_json::{Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::error::ApiError;
use crate::follow::jittered;
use crate::home::Home;

/// Which Lease is sought, and in whose name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseSpec {
    /// Where the Lease lives.
    pub namespace: String,
    /// What it is called.
    pub name: String,
    /// Who we are; no two processes may bear the same.
    pub identity: String,
    /// How long a Lease that is not renewed still holds. Upstream: 15 s.
    pub duration: Duration,
    /// How long we try to renew before we give up. Upstream: 10 s.
    pub renew_within: Duration,
    /// How long we wait between two attempts. Upstream: 2 s.
    pub retry_every: Duration,
}

impl LeaseSpec {
    /// A Lease with upstream's times.
    pub fn new(namespace: &str, name: &str, identity: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            identity: identity.to_owned(),
            duration: Duration::from_secs(15),
            renew_within: Duration::from_secs(10),
            retry_every: Duration::from_secs(2),
        }
    }
}

/// A running candidacy. Dropped, it ends without giving the Lease back.
pub struct Leadership {
    leads: watch::Receiver<bool>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

/// Begins to seek a Lease, and keeps it once it is won. Must be called on a tokio runtime.
pub fn lead(home: Home, spec: LeaseSpec) -> Leadership {
    let (sender, leads) = watch::channel(false);
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(campaign(home, spec, sender, stopped));
    Leadership { leads, stop: Some(stop), task: Some(task) }
}

impl Leadership {
    /// Whether we lead now.
    pub fn is_leader(&self) -> bool {
        *self.leads.borrow()
    }

    /// Waits until we lead.
    pub async fn until_leader(&self) {
        let mut leads = self.leads.clone();
        if leads.wait_for(|leads| *leads).await.is_err() {
            // The candidacy has ended: it will never be.
            std::future::pending::<()>().await;
        }
    }

    /// Waits until we do not lead any more, or never will.
    pub async fn until_lost(&self) {
        let _ = self.leads.clone().wait_for(|leads| !*leads).await;
    }

    /// Gives the Lease back, so that another need not wait for it to run out.
    pub async fn release(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(task) = self.task.take() {
            let _ = task.await;
        }
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        // A release under way has taken the task, and is not cut short.
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// The Lease as we last saw it, and when it last changed by our clock.
struct Seen {
    lease: Value,
    at: Instant,
}

async fn campaign(
    home: Home,
    spec: LeaseSpec,
    leads: watch::Sender<bool>,
    mut stopped: oneshot::Receiver<()>,
) {
    let mut seen: Option<Seen> = None;
    let mut renewed = Instant::now();
    loop {
        let attempt = timeout(spec.renew_within, try_once(&home, &spec, &mut seen));
        let attempt = tokio::select! {
            done = attempt => done.unwrap_or_else(|_| Ok(*leads.borrow())),
            _ = &mut stopped => break,
        };
        let was = *leads.borrow();
        match attempt {
            Ok(true) => {
                renewed = Instant::now();
                if !was {
                    info!(lease = spec.name, identity = spec.identity, "leadership won");
                }
                leads.send_replace(true);
            }
            Ok(false) => {
                if was && holder(seen.as_ref()) != Some(&spec.identity) {
                    warn!(lease = spec.name, "leadership lost to another; waiting for it again");
                    leads.send_replace(false);
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(error, lease = spec.name, "lease not renewed; trying again");
            }
        }
        if *leads.borrow() && renewed.elapsed() > spec.renew_within {
            warn!(lease = spec.name, "leadership given up: the lease could not be renewed in time");
            leads.send_replace(false);
        }
        tokio::select! {
            () = sleep(jittered(spec.retry_every * 2)) => {}
            _ = &mut stopped => break,
        }
    }
    if leads.send_replace(false) {
        give_back(&home, &spec, seen.as_ref()).await;
    }
}

fn lease_kind() -> Gvk {
    Gvk::new("coordination.k8s.io", "v1", "Lease")
}

fn holder(seen: Option<&Seen>) -> Option<&str> {
    seen?.lease.pointer("/spec/holderIdentity")?.as_str()
}

/// Takes or renews the Lease if that may be; returns whether it is ours now.
async fn try_once(
    home: &Home,
    spec: &LeaseSpec,
    seen: &mut Option<Seen>,
) -> Result<bool, ApiError> {
    let now = Timestamp::now();
    let found = home.cluster().get(&lease_kind(), &spec.namespace, &spec.name).await?;
    let Some(found) = found else {
        let lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": spec.namespace, "name": spec.name},
            "spec": ours(spec, now, &Value::Null),
        });
        return match home.create(&lease).await {
            Ok(lease) => {
                *seen = Some(Seen { lease, at: Instant::now() });
                Ok(true)
            }
            Err(ApiError::AlreadyExists { .. } | ApiError::Conflict { .. }) => Ok(false),
            Err(error) => Err(error),
        };
    };
    if seen.as_ref().is_none_or(|seen| seen.lease["spec"] != found["spec"]) {
        *seen = Some(Seen { lease: found.clone(), at: Instant::now() });
    }
    let held_by = found.pointer("/spec/holderIdentity").and_then(Value::as_str).unwrap_or("");
    let holds = found
        .pointer("/spec/leaseDurationSeconds")
        .and_then(Value::as_u64)
        .map_or(spec.duration, Duration::from_secs);
    let runs = seen.as_ref().is_some_and(|seen| seen.at.elapsed() < holds);
    if held_by != spec.identity && !held_by.is_empty() && runs {
        return Ok(false);
    }
    let mut lease = found;
    lease["spec"] = ours(spec, now, &lease["spec"]);
    match home.replace(&lease).await {
        Ok(lease) => {
            *seen = Some(Seen { lease, at: Instant::now() });
            Ok(true)
        }
        // Another was faster.
        Err(ApiError::Conflict { .. } | ApiError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The Lease's `spec` once we hold it; `before` is what it was.
fn ours(spec: &LeaseSpec, now: Timestamp, before: &Value) -> Value {
    let mine = before["holderIdentity"].as_str() == Some(&spec.identity);
    let acquired = match mine {
        true => before["acquireTime"].clone(),
        false => micro(now).into(),
    };
    let changes = before["leaseTransitions"].as_u64().unwrap_or(0);
    let changes = changes + u64::from(!mine && before.is_object());
    json!({
        "holderIdentity": spec.identity,
        "leaseDurationSeconds": spec.duration.as_secs().max(1),
        "acquireTime": acquired,
        "renewTime": micro(now),
        "leaseTransitions": changes,
    })
}

async fn give_back(home: &Home, spec: &LeaseSpec, seen: Option<&Seen>) {
    let Some(Seen { lease, .. }) = seen else { return };
    let mut lease = lease.clone();
    let now = micro(Timestamp::now());
    lease["spec"]["holderIdentity"] = "".into();
    lease["spec"]["leaseDurationSeconds"] = 1.into();
    lease["spec"]["renewTime"] = now.clone().into();
    lease["spec"]["acquireTime"] = now.into();
    if let Ok(Err(error)) = timeout(spec.retry_every, home.replace(&lease)).await {
        let error = &error as &dyn std::error::Error;
        warn!(error, lease = spec.name, "lease not given back; it runs out by itself");
    }
}

/// A time as Kubernetes' `MicroTime` is written.
fn micro(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
