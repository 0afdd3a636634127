//! Kubernetes Events on Applications (OBS-04), written one at a time behind the work.

use std::collections::BTreeMap;
use std::sync::Arc;

use crd::Application;
use jiff::Timestamp;
use reconcile::Event;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::debug;

use crate::shared::{Shared, glob};

/// How many Events may wait; more are dropped, and counted in the log.
pub(crate) const WAITING_MAX: usize = 20_000;

/// An Event on its way.
pub(crate) struct Told {
    pub application: Arc<Application>,
    pub event: Event,
    pub at: Timestamp,
}

/// Writes Events until nobody sends any more.
pub(crate) async fn write_all(shared: std::sync::Weak<Shared>, mut told: mpsc::Receiver<Told>) {
    while let Some(next) = told.recv().await {
        let Some(shared) = shared.upgrade() else { return };
        let snapshot = shared.snapshot();
        let wanted = &snapshot.settings.controller.events;
        let on = wanted.is_empty()
            || wanted.iter().any(|name| name == "all" || name == next.event.reason);
        if !on || wanted.iter().any(|name| name == "none") {
            continue;
        }
        let resources = &snapshot.settings.resources;
        let labels = labels(
            &next.application.metadata.labels,
            &resources.event_labels_included,
            &resources.event_labels_excluded,
        );
        if let Err(error) = shared.home.create(&object(&next, labels)).await {
            debug!(%error, "event not written");
        }
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
    let Told { application, event, at } = told;
    let metadata = &application.metadata;
    let destination = &application.spec.destination;
    let time = crd::Time::at(*at).0;
    json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": format!("{}.{:x}", metadata.name, at.as_nanosecond()),
            "namespace": metadata.namespace,
            "labels": labels,
            "annotations": {
                "dest-server": destination.server,
                "dest-namespace": destination.namespace,
            },
        },
        "source": {"component": "argocd-application-controller"},
        "involvedObject": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "name": metadata.name,
            "namespace": metadata.namespace,
            "uid": metadata.uid,
            "resourceVersion": metadata.resource_version,
        },
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
        "message": event.message,
        "type": if event.warning { "Warning" } else { "Normal" },
        "reason": event.reason,
    })
}
