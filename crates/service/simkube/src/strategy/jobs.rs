//! Jobs: the selector that the server makes, and the labels that match it.

use std::collections::HashSet;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::meta;

/// How many Jobs are remembered; the labels of others count as written.
const UNWRITTEN_MAX: usize = 10_000;

/// Jobs whose labels are shown and not written yet: the server takes them from the template when it reads
/// a Job, so that the next update writes something, whatever it says.
#[derive(Debug, Default)]
pub struct UnwrittenLabels(Mutex<HashSet<String>>);

impl UnwrittenLabels {
    /// Notes a new Job.
    pub(super) fn made(&self, job: &Value) {
        let labels = &job["metadata"]["labels"];
        let owners = job["metadata"]["managedFields"].as_array();
        let sent = owners
            .into_iter()
            .flatten()
            .any(|owner| !owner["fieldsV1"]["f:metadata"]["f:labels"].is_null());
        let mut jobs = self.0.lock();
        if labels.is_object() && !sent && jobs.len() < UNWRITTEN_MAX {
            jobs.insert(manifest::uid(job).to_owned());
        }
    }

    /// Forgets a Job that was written, or is gone.
    pub(super) fn written(&self, job: &Value) {
        self.0.lock().remove(manifest::uid(job));
    }

    /// Whether an update of a Job writes its labels.
    pub fn has(&self, job: &Value) -> bool {
        self.0.lock().contains(manifest::uid(job))
    }
}

const UID_LABELS: [&str; 2] = ["controller-uid", "batch.kubernetes.io/controller-uid"];
const NAME_LABELS: [&str; 2] = ["job-name", "batch.kubernetes.io/job-name"];

/// Makes the selector and the template's labels, unless the client manages them.
pub(super) fn prepare_create(job: &mut Value) {
    if job["spec"].get("manualSelector").and_then(Value::as_bool) == Some(true) {
        return;
    }
    let uid = meta::text(job, "uid").to_owned();
    let name = meta::text(job, "name").to_owned();
    let Some(spec) = job.get_mut("spec").filter(|spec| spec.is_object()) else { return };
    let Some(template) = spec.get_mut("template").filter(|template| template.is_object()) else {
        return;
    };
    for label in UID_LABELS {
        manifest::set_label(template, label, &uid);
    }
    for label in NAME_LABELS {
        manifest::set_label(template, label, &name);
    }
    let selector =
        spec.as_object_mut().map(|spec| spec.entry("selector").or_insert_with(|| json!({})));
    if let Some(selector) = selector {
        selector["matchLabels"]["batch.kubernetes.io/controller-uid"] = json!(uid);
    }
}
