//! What the admission plugin ResourceQuota does: a namespace holds no more than its quotas allow, once
//! somebody has counted what it holds.

use std::sync::Arc;

use kubevalid::charges::Change;
use serde_json::{Value, json};

use crate::api::problem::Problem;
use crate::api::write;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

const QUOTAS: &str = "/resourcequotas";
/// As whom admission writes.
const ADMISSION: &str = "kube-apiserver";

/// Charges an object to the quotas of its namespace.
///
/// # Errors
///
/// 403 where one of them has not as much left.
pub fn charge(
    cluster: &Arc<Cluster>,
    kind: &Kind,
    door: &str,
    old: Option<&Value>,
    new: &Value,
    dry_run: bool,
) -> Result<(), Problem> {
    let change = Change {
        group: &kind.group,
        resource: &kind.plural,
        door,
        old: old.unwrap_or(&Value::Null),
        new,
    };
    if !kind.namespaced || !change.counts() {
        return Ok(());
    }
    let quotas = of_namespace(cluster, meta::text(new, "namespace"));
    let mut charged = Vec::new();
    for quota in quotas {
        let used = change
            .charge(&quota)
            .map_err(|why| Problem::forbidden(kind, meta::name_asked(new), &why))?;
        charged.extend(used.map(|used| (quota, used)));
    }
    if dry_run {
        return Ok(());
    }
    for (mut quota, used) in charged {
        quota["status"]["used"] = used;
        write::write_as(cluster, ADMISSION, &quota, "status")?;
    }
    Ok(())
}

/// Returns a namespace's quotas by name.
pub fn of_namespace(cluster: &Cluster, namespace: &str) -> Vec<Value> {
    let page = cluster.store.list(QUOTAS, &format!("{namespace}/"), None, 0, None);
    page.map(|page| page.entries)
        .unwrap_or_default()
        .iter()
        .map(|(_, entry)| entry.value())
        .collect()
}

/// Returns a quota with the status that it should have; `None` where it has it.
pub fn counted(cluster: &Cluster, quota: &Value) -> Option<Value> {
    let namespace = meta::text(quota, "namespace");
    let prefix = format!("{namespace}/");
    let mut objects = std::collections::BTreeMap::new();
    for table in cluster.store.tables() {
        let Ok(page) = cluster.store.list(&table, &prefix, None, 0, None) else { continue };
        if page.entries.is_empty() {
            continue;
        }
        let (group, plural) = table.split_once('/').unwrap_or(("", &table));
        let values: Vec<Value> = page.entries.iter().map(|(_, entry)| entry.value()).collect();
        objects.insert((group.to_owned(), plural.to_owned()), values);
    }
    let status = kubevalid::charges::count(quota, &objects);
    let same = kubevalid::same_amounts(&quota["status"]["hard"], &status["hard"])
        && kubevalid::same_amounts(&quota["status"]["used"], &status["used"]);
    if same {
        return None;
    }
    let mut quota = quota.clone();
    quota["status"] = json!(status);
    Some(quota)
}
