//! Pods from templates.

use serde_json::{Map, Value, json};

use crate::outcome::controlled_by;

/// Makes a pod from `owner`'s `spec.template`; `name` where it is fixed, else the server makes one.
pub fn pod(owner: &Value, name: Option<&str>, labels: &[(&str, &str)]) -> Value {
    let template = &owner["spec"]["template"];
    let mut metadata = Map::new();
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = template.pointer(&format!("/metadata/{field}")) {
            metadata.insert(field.into(), value.clone());
        }
    }
    match name {
        Some(name) => metadata.insert("name".into(), name.into()),
        None => {
            metadata.insert("generateName".into(), format!("{}-", manifest::name(owner)).into())
        }
    };
    metadata.insert("namespace".into(), manifest::namespace(owner).into());
    metadata.insert("ownerReferences".into(), controlled_by(owner));
    let mut pod = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": template.get("spec").cloned().unwrap_or_else(|| json!({})),
    });
    for (key, value) in labels {
        manifest::set_label(&mut pod, key, value);
    }
    pod
}

/// Whether a pod counts towards its owner: neither finished nor being deleted.
pub fn is_active(pod: &Value) -> bool {
    !crate::outcome::is_deleting(pod) && !matches!(phase(pod), "Succeeded" | "Failed")
}

/// The phase of a pod, or `""`.
pub fn phase(pod: &Value) -> &str {
    crate::outcome::text(pod, "/status/phase")
}

/// Whether a pod is ready.
pub fn is_ready(pod: &Value) -> bool {
    crate::outcome::has_condition(pod, "Ready")
}
