//! What the admission plugin ResourceQuota does: a namespace holds no more than its quotas allow, once
//! somebody has counted what it holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use kubevalid::charges::Change;
use serde_json::Value;

use crate::api::problem::Problem;
use crate::api::write;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

/// Where quotas are kept.
pub const QUOTAS: &str = "/resourcequotas";
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
    cluster.store.values(QUOTAS, &format!("{namespace}/"))
}

/// What a namespace holds, by group and plural.
pub type Held = BTreeMap<(String, String), Vec<Value>>;

/// Returns what a namespace holds.
pub fn held(cluster: &Cluster, namespace: &str) -> Held {
    let prefix = format!("{namespace}/");
    let mut held = Held::new();
    for table in cluster.store.tables() {
        let values = cluster.store.values(&table, &prefix);
        if !values.is_empty() {
            let (group, plural) = table.split_once('/').unwrap_or(("", &table));
            held.insert((group.to_owned(), plural.to_owned()), values);
        }
    }
    held
}

/// Returns a quota with the status that it should have; `None` where it has it.
pub fn counted(held: &Held, quota: &Value) -> Option<Value> {
    let status = kubevalid::charges::count(quota, held);
    let same = kubevalid::same_amounts(&quota["status"]["hard"], &status["hard"])
        && kubevalid::same_amounts(&quota["status"]["used"], &status["used"]);
    if same {
        return None;
    }
    let mut quota = quota.clone();
    quota["status"] = status;
    Some(quota)
}
