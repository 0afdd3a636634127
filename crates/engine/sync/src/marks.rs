//! What an object's annotations say about how it is synced.

use std::collections::BTreeSet;

use manifest::annotation;
use serde_json::Value;

use crate::model::{DeletePolicy, SyncPhase};

/// Comma-separated sync options.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// Comma-separated compare options.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// The wave, an integer.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Comma-separated hook types.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// Comma-separated policies by which a hook is deleted.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// The finalizer that keeps a hook until its sync has seen how it ended.
pub const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";

/// Says for which attempt of which operation a hook was made: a process that goes on from a killed one
/// knows its hooks by it.
pub const MADE_FOR: &str = "tiphys.io/made-for";

const HELM_HOOK: &str = "helm.sh/hook";
const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";

/// Returns an annotation's comma-separated values, trimmed, without empty ones.
fn values<'a>(object: &'a Value, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    annotation(object, key)
        .unwrap_or("")
        .split(',')
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// Tells whether one of the annotation's comma-separated values is `option`.
pub fn has_option(object: &Value, key: &str, option: &str) -> bool {
    values(object, key).any(|value| value == option)
}

/// Returns the first value of `name=value` among the annotation's comma-separated values.
pub fn option_value<'a>(object: &'a Value, key: &str, name: &str) -> Option<&'a str> {
    values(object, key).find_map(|value| value.strip_prefix(name)?.strip_prefix('='))
}

/// Tells whether Helm was told to keep the object.
pub fn helm_keeps(object: &Value) -> bool {
    has_option(object, HELM_RESOURCE_POLICY, "keep")
}

/// Returns the object's wave: its own annotation, else Helm's weight, else 0.
pub fn wave(object: &Value) -> i64 {
    let number = |key| annotation(object, key).and_then(|text: &str| text.parse().ok());
    number(SYNC_WAVE).or_else(|| number(HELM_HOOK_WEIGHT)).unwrap_or(0)
}

/// A hook type as written, Argo CD's or (where it names none) Helm's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hook {
    /// Runs in a phase of a sync.
    Phase(SyncPhase),
    /// Never applied.
    Skip,
}

fn hooks(object: &Value) -> Vec<Hook> {
    let ours: Vec<Hook> = values(object, HOOK)
        .filter_map(|text| match text {
            "PreSync" => Some(Hook::Phase(SyncPhase::PreSync)),
            "Sync" => Some(Hook::Phase(SyncPhase::Sync)),
            "PostSync" => Some(Hook::Phase(SyncPhase::PostSync)),
            "SyncFail" => Some(Hook::Phase(SyncPhase::SyncFail)),
            "Skip" => Some(Hook::Skip),
            _ => None,
        })
        .collect();
    if !ours.is_empty() {
        return ours;
    }
    values(object, HELM_HOOK)
        .filter_map(|text| match text {
            "pre-install" | "pre-upgrade" => Some(Hook::Phase(SyncPhase::PreSync)),
            "post-install" | "post-upgrade" => Some(Hook::Phase(SyncPhase::PostSync)),
            _ => None,
        })
        .collect()
}

/// Tells whether the object is never applied (`hook: Skip` and nothing else).
pub fn is_skipped(object: &Value) -> bool {
    let hooks: BTreeSet<Hook> = hooks(object).into_iter().collect();
    hooks.len() == 1 && hooks.contains(&Hook::Skip)
}

/// Tells whether the object is a hook of a sync, not a resource of the Application.
///
/// Helm's `crd-install` is an ordinary resource.
pub fn is_sync_hook(object: &Value) -> bool {
    if annotation(object, HOOK).is_some() {
        return !is_skipped(object);
    }
    annotation(object, HELM_HOOK).is_some()
        && !values(object, HELM_HOOK).any(|hook| hook == "crd-install")
}

/// Tells whether the object is a hook whose type nobody knows: it is left out altogether.
pub fn is_ignored(object: &Value) -> bool {
    is_sync_hook(object) && hooks(object).is_empty()
}

/// Tells whether the object runs before the Application's resources are deleted.
pub fn is_pre_delete_hook(object: &Value) -> bool {
    has_option(object, HOOK, "PreDelete") || has_option(object, HELM_HOOK, "pre-delete")
}

/// Tells whether the object runs after the Application's resources are deleted.
pub fn is_post_delete_hook(object: &Value) -> bool {
    has_option(object, HOOK, "PostDelete") || has_option(object, HELM_HOOK, "post-delete")
}

/// Tells whether the object is a hook of a sync or of a deletion.
pub fn is_any_hook(object: &Value) -> bool {
    is_sync_hook(object) || is_pre_delete_hook(object) || is_post_delete_hook(object)
}

/// Tells whether the object is a hook that runs in a phase of a sync.
pub fn has_sync_phase(object: &Value) -> bool {
    hooks(object).iter().any(|hook| matches!(hook, Hook::Phase(_)))
}

/// Returns the phases in which the object is applied, in their order.
pub fn phases(object: &Value) -> Vec<SyncPhase> {
    if is_skipped(object) {
        return Vec::new();
    }
    if !is_sync_hook(object) {
        return vec![SyncPhase::Sync];
    }
    let phases: BTreeSet<SyncPhase> = hooks(object)
        .into_iter()
        .filter_map(|hook| match hook {
            Hook::Phase(phase) => Some(phase),
            Hook::Skip => None,
        })
        .collect();
    phases.into_iter().collect()
}

/// Returns when a hook is deleted; before it is made again where nothing is said.
pub fn delete_policies(object: &Value) -> BTreeSet<DeletePolicy> {
    let ours = values(object, HOOK_DELETE_POLICY).filter_map(|text| match text {
        "HookSucceeded" => Some(DeletePolicy::HookSucceeded),
        "HookFailed" => Some(DeletePolicy::HookFailed),
        "BeforeHookCreation" => Some(DeletePolicy::BeforeHookCreation),
        _ => None,
    });
    let helms = values(object, HELM_HOOK_DELETE_POLICY).filter_map(|text| match text {
        "hook-succeeded" => Some(DeletePolicy::HookSucceeded),
        "hook-failed" => Some(DeletePolicy::HookFailed),
        "before-hook-creation" => Some(DeletePolicy::BeforeHookCreation),
        _ => None,
    });
    let mut policies: BTreeSet<DeletePolicy> = ours.chain(helms).collect();
    if policies.is_empty() {
        policies.insert(DeletePolicy::BeforeHookCreation);
    }
    policies
}

/// Tells whether the object has the finalizer that keeps a hook.
pub fn has_hook_finalizer(object: &Value) -> bool {
    object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|item| item == HOOK_FINALIZER))
}

/// Tells whether the object defines a custom kind.
pub fn is_crd(object: &Value) -> bool {
    manifest::kind(object) == "CustomResourceDefinition"
        && manifest::gvk(object).group == "apiextensions.k8s.io"
}

/// Returns the group and kind that a CustomResourceDefinition defines.
pub fn defined_kind(object: &Value) -> Option<(&str, &str)> {
    if !is_crd(object) {
        return None;
    }
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    Some((text("/spec/group")?, text("/spec/names/kind")?))
}

/// Returns the images of the object's containers: a pod's, a workload's, a CronJob's.
pub fn images(object: &Value) -> Vec<String> {
    [
        "/spec/containers",
        "/spec/template/spec/containers",
        "/spec/jobTemplate/spec/template/spec/containers",
    ]
    .iter()
    .find_map(|pointer| object.pointer(pointer).and_then(Value::as_array))
    .into_iter()
    .flatten()
    .filter_map(|container| container.get("image").and_then(Value::as_str))
    .map(str::to_owned)
    .collect()
}
