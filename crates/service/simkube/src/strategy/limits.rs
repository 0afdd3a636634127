//! What the admission plugin LimitRanger does: pods and claims ask for no more and no less than the limit
//! ranges of their namespace allow.

use serde_json::Value;

use crate::api::problem::Problem;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

/// Gives a pod's containers what they do not ask for.
pub(super) fn fill(cluster: &Cluster, pod: &mut Value) {
    let ranges = ranges(cluster, meta::text(pod, "namespace"));
    kubevalid::limits::fill(&ranges, pod);
}

/// Refuses what is beyond a limit range of its namespace.
///
/// # Errors
///
/// 403 with everything that the first of them says.
pub fn keep(
    cluster: &Cluster,
    kind: &Kind,
    door: &str,
    old: Option<&Value>,
    new: &Value,
) -> Result<(), Problem> {
    type Rule = fn(&Value, &Value) -> Vec<String>;
    let rule: Rule = match (kind.kind.as_str(), door, old) {
        ("Pod", "", None) | ("Pod", "resize", Some(_)) => kubevalid::limits::of_pod,
        ("PersistentVolumeClaim", "", _) => kubevalid::limits::of_claim,
        _ => return Ok(()),
    };
    if !kind.group.is_empty() || old.is_some_and(meta::deleting) {
        return Ok(());
    }
    for range in ranges(cluster, meta::text(new, "namespace")) {
        let why = match rule(&range, new).as_slice() {
            [] => continue,
            [one] => one.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        return Err(Problem::forbidden(kind, meta::text(new, "name"), &why));
    }
    Ok(())
}

fn ranges(cluster: &Cluster, namespace: &str) -> Vec<Value> {
    cluster.store.values("/limitranges", &format!("{namespace}/"))
}
