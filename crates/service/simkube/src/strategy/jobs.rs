//! Jobs: the selector that the server makes, and the labels that match it.

use serde_json::{Value, json};

use crate::meta;

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
