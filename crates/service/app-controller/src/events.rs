//! Kubernetes Events on Applications (OBS-04), written behind the work, a few at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use crd::Application;
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use reconcile::Event;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::debug;

use crate::shared::{Shared, glob};

/// How many Events may wait; more are dropped, and counted in the log.
pub(crate) const WAITING_MAX: usize = 20_000;

/// What an Event says of its Application. Many wait at times, and a whole Application is a
/// hundred times as much.
pub(crate) struct About {
    name: String,
    namespace: String,
    uid: String,
    resource_version: String,
    labels: BTreeMap<String, String>,
    server: String,
    destination_namespace: String,
}

impl About {
    pub fn of(application: &Application) -> Self {
        let (metadata, destination) = (&application.metadata, &application.spec.destination);
        Self {
            name: metadata.name.clone(),
            namespace: metadata.namespace.clone(),
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version.clone(),
            labels: metadata.labels.clone(),
            server: destination.server.clone(),
            destination_namespace: destination.namespace.clone(),
        }
    }
}

/// An Event on its way.
pub(crate) struct Told {
    pub about: Arc<About>,
    pub event: Event,
    pub at: Timestamp,
}

/// How many Events are written at once; an API server takes no more than one in a request.
const AT_ONCE: usize = 16;

/// Writes Events until nobody sends any more.
pub(crate) async fn write_all(shared: Weak<Shared>, told: mpsc::Receiver<Told>) {
    let waiting = stream::unfold(told, async |mut told| Some((told.recv().await?, told)));
    let written = waiting.for_each_concurrent(AT_ONCE, |next| write(&shared, next));
    written.await;
}

async fn write(shared: &Weak<Shared>, told: Told) {
    let Some(shared) = shared.upgrade() else { return };
    let snapshot = shared.snapshot();
    let wanted = &snapshot.settings.controller.events;
    let on =
        wanted.is_empty() || wanted.iter().any(|name| name == "all" || name == told.event.reason);
    if !on || wanted.iter().any(|name| name == "none") {
        return;
    }
    let resources = &snapshot.settings.resources;
    let labels = labels(
        &told.about.labels,
        &resources.event_labels_included,
        &resources.event_labels_excluded,
    );
    if let Err(error) = shared.home.create(&object(&told, labels)).await {
        debug!(%error, "event not written");
    }
}

/// Chooses the labels that go onto an Event.
fn labels(
    all: &BTreeMap<String, String>,
    included: &[String],
    excluded: &[String],
) -> BTreeMap<String, String> {
    let any = |patterns: &[String], key: &str| patterns.iter().any(|one| glob(one, key));
    all.iter()
        .filter(|(key, _)| any(included, key) && !any(excluded, key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn object(told: &Told, labels: BTreeMap<String, String>) -> Value {
    let Told { about, event, at } = told;
    let time = crd::Time::at(*at).0;
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": format!("{}.{:x}", about.name, at.as_nanosecond()),
            "namespace": about.namespace,
            "labels": labels,
            "annotations": {
                "dest-server": about.server,
                "dest-namespace": about.destination_namespace,
            },
        },
        "source": {"component": "argocd-application-controller"},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "name": about.name,
            "namespace": about.namespace,
            "uid": about.uid,
            "resourceVersion": about.resource_version,
        },
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
        "message": event.message,
        "type": if event.warning { "Warning" } else { "Normal" },
        "reason": event.reason,
    })
}
