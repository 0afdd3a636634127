//! Fields of features that the release has switched off: they are forgotten, but where they were in use
//! before.

use serde_json::Value;

use crate::kinds::Kind;

/// Where one feature's fields stand: of each path the steps, `*` being every item of a list or map.
type Feature = &'static [&'static [&'static str]];

/// Features of pods, from the pod's spec on.
const OF_PODS: [Feature; 4] = [
    &[&["schedulingGroup"]],
    &[&["volumes", "*", "projected", "sources", "*", "clusterTrustBundle"]],
    &[&["volumes", "*", "projected", "sources", "*", "podCertificate"]],
    &[
        &["containers", "*", "lifecycle", "stopSignal"],
        &["initContainers", "*", "lifecycle", "stopSignal"],
        &["ephemeralContainers", "*", "lifecycle", "stopSignal"],
    ],
];

/// Where kinds keep specs of pods.
const SPECS_OF_PODS: [&str; 4] =
    ["/spec", "/template/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"];

/// Features of kinds, from the object on.
const OF_KINDS: &[(&str, &str, Feature)] = &[
    ("apps", "StatefulSet", &[&["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"]]),
    ("coordination.k8s.io", "Lease", &[&["spec", "preferredHolder"]]),
    ("coordination.k8s.io", "Lease", &[&["spec", "strategy"]]),
    ("", "Node", &[&["spec", "configSource"]]),
    ("", "Node", &[&["status", "config"]]),
    ("", "Pod", &[&["status", "nodeAllocatableResourceClaimStatuses"]]),
    (
        "",
        "Pod",
        &[
            &["status", "containerStatuses", "*", "volumeMounts", "*", "volumeStatus"],
            &["status", "initContainerStatuses", "*", "volumeMounts", "*", "volumeStatus"],
            &["status", "ephemeralContainerStatuses", "*", "volumeMounts", "*", "volumeStatus"],
        ],
    ),
    (
        "resource.k8s.io",
        "ResourceSlice",
        &[&["spec", "devices", "*", "nodeAllocatableResourceMappings"]],
    ),
    (
        "resource.k8s.io",
        "ResourceSlice",
        &[
            &["spec", "devices", "*", "attributes", "*", "bools"],
            &["spec", "devices", "*", "attributes", "*", "ints"],
            &["spec", "devices", "*", "attributes", "*", "strings"],
            &["spec", "devices", "*", "attributes", "*", "versions"],
        ],
    ),
    ("storage.k8s.io", "CSIDriver", &[&["spec", "preventPodSchedulingIfMissing"]]),
];

/// Forgets of a built-in kind's object what the release has switched off and `old` did not have either.
pub(super) fn forget(kind: &Kind, old: Option<&Value>, object: &mut Value) {
    for (group, name, feature) in OF_KINDS {
        if kind.is(group, name) {
            forget_one(feature, old, object);
        }
    }
    for at in SPECS_OF_PODS {
        let Some(spec) = object.pointer_mut(at) else { continue };
        let old = old.and_then(|old| old.pointer(at));
        for feature in OF_PODS {
            forget_one(feature, old, spec);
        }
    }
}

/// Whether a change that is forgotten raises the generation of a kind's objects nevertheless.
pub(super) fn are_forgotten_last(kind: &Kind) -> bool {
    kind.is("resource.k8s.io", "ResourceSlice")
}

fn forget_one(feature: Feature, old: Option<&Value>, object: &mut Value) {
    if old.is_some_and(|old| feature.iter().any(|path| is_in_use(path, old))) {
        return;
    }
    for path in feature {
        remove(path, object);
    }
}

/// Whether something stands at the path.
fn is_in_use(path: &[&str], value: &Value) -> bool {
    let Some((step, rest)) = path.split_first() else { return !is_nothing(value) };
    match value {
        Value::Array(items) if *step == "*" => items.iter().any(|item| is_in_use(rest, item)),
        Value::Object(fields) if *step == "*" => fields.values().any(|item| is_in_use(rest, item)),
        _ => value.get(step).is_some_and(|inner| is_in_use(rest, inner)),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn remove(path: &[&str], value: &mut Value) {
    let Some((step, rest)) = path.split_first() else { return };
    match value {
        Value::Array(items) if *step == "*" => items.iter_mut().for_each(|item| remove(rest, item)),
        Value::Object(fields) if *step == "*" => {
            fields.values_mut().for_each(|item| remove(rest, item));
        }
        Value::Object(fields) if rest.is_empty() => {
            fields.remove(*step);
        }
        Value::Object(fields) => {
            let Some(inner) = fields.get_mut(*step) else { return };
            let was_nothing = is_nothing(inner);
            remove(rest, inner);
            // Of a container's life nothing is kept that says nothing any more.
            if *step == "lifecycle" && !was_nothing && is_nothing(inner) {
                fields.remove(*step);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
    }
}
