//! The orders of kinds and ids.

use crate::resid::{Gvk, ResId};

/// Kinds that others need, in the order in which they are needed.
pub const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that stand in others' way until those are there.
pub const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// What kinds are sorted by: those of [`FIRST`] and [`LAST`] in their places, then the rest.
pub fn kind_key(gvk: &Gvk) -> (i64, String) {
    (place(&gvk.kind, &FIRST, &LAST), spelled(gvk))
}

fn place(kind: &str, first: &[impl AsRef<str>], last: &[impl AsRef<str>]) -> i64 {
    // Of a kind that stands there twice the last place counts.
    if let Some(at) = last.iter().rposition(|known| known.as_ref() == kind) {
        return at as i64 + 1;
    }
    match first.iter().rposition(|known| known.as_ref() == kind) {
        Some(at) => at as i64 - first.len() as i64,
        None => 0,
    }
}

fn spelled(gvk: &Gvk) -> String {
    let or = |text: &str, none: &'static str| match text {
        "" => none.to_owned(),
        text => text.to_owned(),
    };
    format!("{}_{}_{}", or(&gvk.group, "~G"), or(&gvk.version, "~V"), or(&gvk.kind, "~K"))
}

/// What [`legacy_sort`] compares, worked out once for each id.
struct SortKey {
    place: i64,
    gvk: Gvk,
    spelled_gvk: String,
    spelled_id: String,
}

/// Sorts as kustomize prints by default: kinds of `first`, all others, kinds of `last`.
pub fn legacy_sort<T>(
    items: &mut Vec<T>,
    id: impl Fn(&T) -> ResId,
    first: &[impl AsRef<str>],
    last: &[impl AsRef<str>],
) {
    let mut keyed: Vec<(SortKey, T)> = items
        .drain(..)
        .map(|item| {
            let id = id(&item);
            let or = |text: &str, none: &'static str| match text {
                "" => none.to_owned(),
                text => text.to_owned(),
            };
            let key = SortKey {
                place: place(&id.gvk.kind, first, last),
                spelled_gvk: spelled(&id.gvk),
                spelled_id: format!(
                    "{}|{}|{}",
                    id.gvk,
                    or(&id.namespace, "~X"),
                    or(&id.name, "~N")
                ),
                gvk: id.gvk,
            };
            (key, item)
        })
        .collect();
    keyed.sort_by(|(one, _), (other, _)| {
        if one.gvk == other.gvk {
            return one.spelled_id.cmp(&other.spelled_id);
        }
        let order = one.place.cmp(&other.place);
        order.then_with(|| {
            let kinds = one.spelled_gvk.cmp(&other.spelled_gvk);
            let namespaces = &*one.gvk.kind == "Namespace" && &*other.gvk.kind == "Namespace";
            // A core Namespace comes before a custom kind of that name.
            match namespaces && (one.gvk.group.is_empty() || other.gvk.group.is_empty()) {
                true => kinds.reverse(),
                false => kinds,
            }
        })
    });
    items.extend(keyed.into_iter().map(|(_, item)| item));
}
