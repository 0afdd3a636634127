//! Pods: priority, tolerations, quality of service, grace.

use serde_json::{Map, Value, json};

use crate::api::problem::Cause;
use crate::cluster::Cluster;
use crate::meta;

const NOT_READY: &str = "node.kubernetes.io/not-ready";
const UNREACHABLE: &str = "node.kubernetes.io/unreachable";
const TOLERATED_S: i64 = 300;

/// Does what the admission plugins Priority and DefaultTolerationSeconds do.
///
/// # Errors
///
/// What is said where the class is not there, or the pod says another priority itself.
pub(super) fn admit(cluster: &Cluster, pod: &mut Value) -> Result<(), String> {
    let wanted = pod["spec"].get("priorityClassName").and_then(Value::as_str).unwrap_or_default();
    let class = priority_of(cluster, wanted)?;
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return Ok(()) };
    if !class.name.is_empty() {
        spec.insert("priorityClassName".to_owned(), json!(class.name));
    }
    if let Some(given) = spec.get("priority").and_then(Value::as_i64)
        && given != class.value
    {
        return Err(format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {} from the given PriorityClass name",
            class.value
        ));
    }
    spec.insert("priority".to_owned(), json!(class.value));
    if let Some(given) = spec.get("preemptionPolicy").and_then(Value::as_str)
        && given != class.preemption
    {
        return Err(format!(
            "the string value of PreemptionPolicy ({given}) must not be provided in pod spec; priority admission controller computed {} from the given PriorityClass name",
            class.preemption
        ));
    }
    spec.insert("preemptionPolicy".to_owned(), json!(class.preemption));
    tolerate(spec);
    Ok(())
}

/// A pod stays for a while on a node that is not ready, or not reached.
fn tolerate(spec: &mut Map<String, Value>) {
    let tolerations = spec.entry("tolerations").or_insert_with(|| json!([]));
    let Some(list) = tolerations.as_array_mut() else { return };
    for key in [NOT_READY, UNREACHABLE] {
        let tolerated = list.iter().any(|toleration| {
            let same = toleration
                .get("key")
                .and_then(Value::as_str)
                .is_none_or(|at| at == key || at.is_empty());
            let effect = toleration.get("effect").and_then(Value::as_str).unwrap_or_default();
            same && (effect.is_empty() || effect == "NoExecute")
        });
        if !tolerated {
            list.push(json!({
                "key": key,
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": TOLERATED_S,
            }));
        }
    }
}

/// What a pod's class comes to.
struct Priority {
    name: String,
    value: i64,
    preemption: String,
}

fn priority_of(cluster: &Cluster, class: &str) -> Result<Priority, String> {
    const PREEMPTS: &str = "PreemptLowerPriority";
    const TABLE: &str = "scheduling.k8s.io/priorityclasses";
    let system =
        |value: i64| Priority { name: class.to_owned(), value, preemption: PREEMPTS.to_owned() };
    let of = |class: &Value| Priority {
        name: meta::text(class, "name").to_owned(),
        value: class["value"].as_i64().unwrap_or(0),
        preemption: class["preemptionPolicy"].as_str().unwrap_or(PREEMPTS).to_owned(),
    };
    match class {
        "" => {
            let page = cluster.store.list(TABLE, "", None, 0, None);
            // Of several classes for all, the least counts.
            let least = page
                .map(|page| page.entries)
                .unwrap_or_default()
                .iter()
                .map(|(_, entry)| entry.value())
                .filter(|class| class["globalDefault"] == true)
                .min_by_key(|class| class["value"].as_i64().unwrap_or(0));
            Ok(least.map_or(system(0), |class| of(&class)))
        }
        "system-node-critical" => Ok(system(2_000_001_000)),
        "system-cluster-critical" => Ok(system(2_000_000_000)),
        _ => match cluster.store.get(TABLE, class) {
            Some(entry) => Ok(of(&entry.value())),
            None => Err(format!("no PriorityClass with name {class} was found")),
        },
    }
}

/// What old annotations begin with that name a container's AppArmor profile.
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Moves AppArmor profiles of annotations into the containers, where their fields say nothing; answers
/// what is told of it.
pub fn move_app_armor(pod: &mut Value) -> Vec<String> {
    let mut warnings = Vec::new();
    if pod["spec"]["os"]["name"] == "windows" {
        return warnings;
    }
    let of_pod = pod["spec"]["securityContext"]["appArmorProfile"].clone();
    let annotations = pod["metadata"]["annotations"].clone();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let containers = pod["spec"].get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let key = format!("{APP_ARMOR}{}", container["name"].as_str().unwrap_or_default());
            let Some(annotation) = annotations[&key].as_str() else { continue };
            if !container["securityContext"]["appArmorProfile"].is_null() {
                continue;
            }
            let profile = match annotation {
                "unconfined" => json!({"type": "Unconfined"}),
                "runtime/default" => json!({"type": "RuntimeDefault"}),
                other => match other.strip_prefix("localhost/") {
                    Some(file) if !file.is_empty() && file.trim() == file => {
                        json!({"type": "Localhost", "localhostProfile": file})
                    }
                    _ => Value::Null,
                },
            };
            if !profile.is_null() && profile == of_pod {
                continue;
            }
            if !profile.is_null() {
                if !container["securityContext"].is_object() {
                    container["securityContext"] = json!({});
                }
                container["securityContext"]["appArmorProfile"] = profile;
            }
            warnings.push(format!(
                "metadata.annotations[{key}]: deprecated since v1.30; use the \"appArmorProfile\" field instead"
            ));
        }
    }
    warnings
}

/// A new pod is pending, whatever the client says.
pub(super) fn prepare_create(pod: &mut Value, now: &str) {
    pod["status"] = json!({"phase": "Pending", "qosClass": quality(&pod["spec"])});
    let gates = pod["spec"].get("schedulingGates").and_then(Value::as_array);
    if gates.is_some_and(|gates| !gates.is_empty()) {
        pod["status"]["conditions"] = json!([{
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": null,
            "lastTransitionTime": now,
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }]);
    }
}

/// Puts back what the main door may not change.
pub(super) fn prepare_update(subresource: &str, old: &Value, new: &mut Value) {
    if matches!(subresource, "ephemeralcontainers" | "resize") {
        let changed = new["spec"].clone();
        new["spec"] = old["spec"].clone();
        if subresource == "ephemeralcontainers" {
            if let Some(containers) = changed.get("ephemeralContainers") {
                new["spec"]["ephemeralContainers"] = containers.clone();
            }
        } else if let Some(containers) = changed.get("containers") {
            new["spec"]["containers"] = containers.clone();
        }
    }
    if new["status"].is_null() {
        new["status"] = json!({"phase": "Pending", "qosClass": quality(&new["spec"])});
    }
}

/// Returns the quality-of-service class of a pod's spec.
fn quality(spec: &Value) -> &'static str {
    let containers: Vec<&Value> = ["containers", "initContainers"]
        .iter()
        .filter_map(|name| spec.get(name).and_then(Value::as_array))
        .flatten()
        .collect();
    let amount = |container: &Value, what: &str, of: &str| {
        container["resources"][what].get(of).filter(|amount| !is_zero(amount)).cloned()
    };
    let any = containers.iter().any(|container| {
        ["requests", "limits"]
            .iter()
            .any(|what| ["cpu", "memory"].iter().any(|of| amount(container, what, of).is_some()))
    });
    if !any {
        return "BestEffort";
    }
    let guaranteed = containers.iter().all(|container| {
        ["cpu", "memory"].iter().all(|of| {
            let limit = amount(container, "limits", of);
            limit.is_some() && limit == amount(container, "requests", of)
        })
    });
    if guaranteed { "Guaranteed" } else { "Burstable" }
}

fn is_zero(amount: &Value) -> bool {
    match amount {
        Value::String(text) => text.trim_end_matches(|c: char| c.is_ascii_alphabetic()) == "0",
        other => other.as_f64() == Some(0.0),
    }
}

/// Returns how many seconds a pod has to end.
pub(super) fn grace_s(pod: &Value, wanted: Option<i64>) -> i64 {
    let own = pod["spec"]["terminationGracePeriodSeconds"].as_i64().unwrap_or(30);
    let unscheduled = pod["spec"].get("nodeName").and_then(Value::as_str).is_none_or(str::is_empty);
    let ended = matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"));
    if unscheduled || ended {
        return 0;
    }
    if meta::deleting(pod) && wanted.is_none() {
        return pod["metadata"]["deletionGracePeriodSeconds"].as_i64().unwrap_or(own);
    }
    wanted.unwrap_or(own).max(0)
}

/// What the main door may change of a pod that is there.
const CHANGEABLE: &str = "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// Returns what is wrong with how a client changes a pod, beyond what `kubevalid` knows: a pod is
/// bound to its node through its own door.
pub(super) fn update_causes(subresource: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let node = |pod: &Value| pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned();
    if !subresource.is_empty() || !node(old).is_empty() || node(new).is_empty() {
        return Vec::new();
    }
    let message = format!("{CHANGEABLE}\n-  \"nodeName\": \"\"\n+  \"nodeName\": {:?}", node(new));
    vec![meta::cause("FieldValueForbidden", "spec", &message)]
}
