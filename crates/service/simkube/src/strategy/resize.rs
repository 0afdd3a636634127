//! The door through which a pod's containers get more or less while they run.

use manifest::field::FieldError;
use serde_json::{Map, Value, json};

use super::pods::quality;

/// The lists whose containers may be resized.
const LISTS: [&str; 2] = ["containers", "initContainers"];

/// What may change of a container, and of the pod as a whole.
const RESIZED: [&str; 2] = ["cpu", "memory"];

fn list<'a>(pod: &'a Value, name: &str) -> &'a [Value] {
    pod["spec"][name].as_array().map_or(&[], Vec::as_slice)
}

/// Keeps what the door lets through. Containers that were added, removed, renamed or moved stay as
/// they were sent, so that they are refused.
pub(super) fn prepare(old: &Value, new: &mut Value) {
    if LISTS.iter().any(|name| list(old, name).len() != list(new, name).len()) {
        return;
    }
    let mut spec = old["spec"].clone();
    put(&mut spec, "resources", new["spec"].get("resources").cloned());
    for name in LISTS {
        let sent = list(new, name);
        let moved = sent.iter().zip(list(old, name)).any(|(new, old)| new["name"] != old["name"]);
        if moved {
            spec[name] = json!(sent);
            continue;
        }
        let kept = spec[name].as_array_mut().into_iter().flatten();
        for (kept, sent) in kept.zip(sent) {
            for field in ["resources", "resizePolicy"] {
                put(kept, field, sent.get(field).cloned());
            }
        }
    }
    new["spec"] = spec;
}

fn put(object: &mut Value, field: &str, value: Option<Value>) {
    let Some(fields) = object.as_object_mut() else { return };
    match value {
        Some(value) => fields.insert(field.to_owned(), value),
        None => fields.remove(field),
    };
}

/// Names what is wrong with a resize, beside what is wrong with the pod itself.
pub(super) fn errors(old: &Value, new: &Value) -> Vec<FieldError> {
    if manifest::annotation(old, "kubernetes.io/config.mirror").is_some() {
        return vec![FieldError::forbidden("", "static pods cannot be resized")];
    }
    if old["spec"]["os"]["name"] == "windows" {
        return vec![FieldError::forbidden("", "windows pods cannot be resized")];
    }
    let mut errors = Vec::new();
    let class = old["status"]["qosClass"].as_str().unwrap_or_else(|| quality(&old["spec"]));
    if class != quality(&new["spec"]) {
        let told = new["status"]["qosClass"].as_str().unwrap_or_default();
        let why = "Pod QOS Class may not change as a result of resizing";
        errors.push(FieldError::invalid("spec", told, why));
    }
    let mut statuses = old["status"]["containerStatuses"].as_array().into_iter().flatten();
    let first = statuses.find(|status| !status["state"]["running"].is_null());
    if first.is_some_and(|status| status["resources"].is_null()) {
        errors
            .push(FieldError::forbidden("spec", "Pod running on node without support for resize"));
    }
    as_whole(&old["spec"], &new["spec"], &mut errors);
    let before = errors.len();
    for name in LISTS {
        in_order(name, list(old, name), list(new, name), &mut errors);
    }
    if errors.len() > before {
        return errors;
    }
    for name in ["initContainers", "containers"] {
        for (index, (old, new)) in list(old, name).iter().zip(list(new, name)).enumerate() {
            for (field, what) in [("requests", "requests"), ("limits", "limits")] {
                if is_less(&new["resources"][field], &old["resources"][field]) {
                    let path = format!("spec.{name}[{index}].resources.{field}");
                    let why = format!("resource {what} cannot be removed");
                    errors.push(FieldError::forbidden(path, why));
                }
            }
        }
    }
    for name in LISTS {
        for (index, (old, new)) in list(old, name).iter().zip(list(new, name)).enumerate() {
            let changed = old["resizePolicy"] != new["resizePolicy"]
                || !old["resources"]["claims"].is_null()
                || changes_more(&old["resources"], &new["resources"]);
            if changed && name == "containers" {
                let why = "only cpu and memory resources are mutable";
                errors.push(FieldError::forbidden("spec", why));
            } else if changed {
                let why =
                    "only cpu and memory resources for init or sidecar containers are mutable";
                errors.push(FieldError::forbidden(format!("spec.{name}[{index}]"), why));
            }
            let restarts = new["resizePolicy"].as_array().into_iter().flatten();
            let restarts = restarts.filter(|policy| policy["restartPolicy"] == "RestartContainer");
            let ends = name == "initContainers" && new["restartPolicy"] != "Always";
            if ends && old != new {
                errors.extend(restarts.map(|_| {
                    let why = "non-sidecar init containers with a resize policy of RestartContainer cannot be resized";
                    FieldError::forbidden(format!("spec.{name}[{index}]"), why)
                }));
            }
        }
    }
    errors
}

/// What a pod asks for as a whole is not taken back, and of nothing else.
fn as_whole(old: &Value, new: &Value, errors: &mut Vec<FieldError>) {
    let says = |spec: &Value| {
        ["requests", "limits"].iter().any(|field| {
            spec["resources"][*field].as_object().is_some_and(|amounts| !amounts.is_empty())
        })
    };
    if !says(old) && !says(new) {
        return;
    }
    let (before, after) = (&old["resources"], &new["resources"]);
    if !before.is_null() && after.is_null() {
        let why = "pod-level resources cannot be removed";
        errors.push(FieldError::forbidden("spec.resources", why));
        return;
    }
    for field in ["requests", "limits"] {
        if !before.is_null() && is_less(&after[field], &before[field]) {
            let why = format!("pod-level resource {field} cannot be removed");
            errors.push(FieldError::forbidden(format!("spec.resources.{field}"), why));
        }
    }
    if changes_more(before, after) {
        let why = "only cpu and memory resources are mutable at pod-level";
        errors.push(FieldError::forbidden("spec", why));
    }
}

fn in_order(name: &str, old: &[Value], new: &[Value], errors: &mut Vec<FieldError>) {
    if old.len() != new.len() {
        let why = format!("{name} may not be added or removed on resize");
        errors.push(FieldError::forbidden(format!("spec.{name}"), why));
        return;
    }
    for (index, (old, new)) in old.iter().zip(new).enumerate() {
        if old["name"] != new["name"] {
            let why = format!("{name} may not be renamed or reordered on resize");
            errors.push(FieldError::forbidden(format!("spec.{name}[{index}].name"), why));
        }
    }
}

/// Whether amounts are missing that were there.
fn is_less(new: &Value, old: &Value) -> bool {
    let empty = Map::new();
    let (new, old) = (new.as_object().unwrap_or(&empty), old.as_object().unwrap_or(&empty));
    old.len() > new.len() || old.keys().any(|name| !new.contains_key(name))
}

/// Whether anything but the processor and memory changes.
fn changes_more(old: &Value, new: &Value) -> bool {
    ["requests", "limits"].iter().any(|field| {
        let rest = |resources: &Value| {
            let mut amounts = resources[*field].as_object().cloned().unwrap_or_default();
            amounts.retain(|name, _| !RESIZED.contains(&name.as_str()));
            Value::Object(amounts)
        };
        !kubevalid::same_amounts(&rest(old), &rest(new))
    })
}
