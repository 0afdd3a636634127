//! Pods: priority, tolerations, quality of service, grace.

use std::collections::BTreeMap;

use kubetypes::quantity::Quantity;
use serde_json::{Value, json};

use super::resize;
use crate::api::problem::{Cause, Problem};
use crate::cluster::Cluster;
use crate::kinds::Kind;
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
    tolerate(pod);
    Ok(())
}

/// An update that leaves a pod's priority out leaves it as it is.
fn keep_priority(old: &Value, new: &mut Value) {
    for name in ["priority", "preemptionPolicy"] {
        if let (Some(before), Some(spec)) =
            (old["spec"].get(name), new.get_mut("spec").and_then(Value::as_object_mut))
            && spec.get(name).is_none_or(Value::is_null)
        {
            spec.insert(name.to_owned(), before.clone());
        }
    }
}

/// A pod stays for a while on a node that is not ready, or not reached.
pub(super) fn tolerate(pod: &mut Value) {
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return };
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
        super::keep_metadata(old, meta::of(new));
    }
    match subresource {
        "ephemeralcontainers" => {
            let changed = new["spec"].clone();
            new["spec"] = old["spec"].clone();
            match changed.get("ephemeralContainers") {
                Some(containers) => new["spec"]["ephemeralContainers"] = containers.clone(),
                None => {
                    if let Some(spec) = new["spec"].as_object_mut() {
                        spec.remove("ephemeralContainers");
                    }
                }
            }
        }
        "resize" => resize::prepare(old, new),
        "" => keep_priority(old, new),
        _ => {}
    }
    if new["status"].is_null() {
        new["status"] = json!({"phase": "Pending", "qosClass": quality(&new["spec"])});
    }
}

/// The class of quality stays where a status says none.
pub(super) fn keep_quality(old: &Value, new: &mut Value) {
    let unsaid = new["status"]["qosClass"].as_str().unwrap_or_default().is_empty();
    if let (true, Some(class)) = (unsaid, old["status"].get("qosClass")) {
        new["status"]["qosClass"] = class.clone();
    }
}

/// Returns the quality-of-service class of a pod's spec: by what the pod asks for as a whole, else by
/// what its containers do together.
pub(super) fn quality(spec: &Value) -> &'static str {
    let of_pod = spec.get("resources").filter(|resources| !resources.is_null());
    let asked: Vec<&Value> = match of_pod {
        Some(resources) => vec![resources],
        None => ["containers", "initContainers"]
            .iter()
            .filter_map(|name| spec.get(name).and_then(Value::as_array))
            .flatten()
            .map(|container| container.get("resources").unwrap_or(&Value::Null))
            .collect(),
    };
    let (mut requests, mut limits) = (Amounts::default(), Amounts::default());
    let mut limited = true;
    for resources in asked {
        requests.add(&resources["requests"]);
        let has_limits = resources["limits"].as_object().is_some_and(|limits| !limits.is_empty());
        let both = limits.add(&resources["limits"]);
        // A pod that says no limits as a whole is measured by what it has.
        limited &= both || (of_pod.is_some() && !has_limits);
    }
    if requests.0.is_empty() && limits.0.is_empty() {
        return "BestEffort";
    }
    let same = requests.0.len() == limits.0.len()
        && requests.0.iter().all(|(name, amount)| {
            limits.0.get(name).is_some_and(|limit| {
                let mut more = limit.clone();
                more.sub(amount);
                more.sign() == 0
            })
        });
    if limited && same { "Guaranteed" } else { "Burstable" }
}

/// How much of the processor and of memory, in sum.
#[derive(Default)]
struct Amounts(BTreeMap<&'static str, Quantity>);

impl Amounts {
    /// Adds what a list says above zero; answers whether it says so of both.
    fn add(&mut self, list: &Value) -> bool {
        let mut both = true;
        for name in ["cpu", "memory"] {
            let amount = match &list[name] {
                Value::String(text) => Quantity::parse(text).ok(),
                Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
                _ => None,
            };
            match amount.filter(|amount| amount.sign() > 0) {
                Some(amount) => match self.0.get_mut(name) {
                    Some(sum) => sum.add(&amount),
                    None => drop(self.0.insert(name, amount)),
                },
                None => both = false,
            }
        }
        both
    }
}

/// Does what the admission plugin RuntimeClass does: what a pod costs beyond its containers, and where
/// it may run.
///
/// # Errors
///
/// 403 where the class is not there or says otherwise; 500 for what is no name at all.
pub(super) fn admit_runtime(
    cluster: &Cluster,
    kind: &Kind,
    pod: &mut Value,
) -> Result<(), Problem> {
    let name = meta::name_asked(pod).to_owned();
    let refused = |why: &str| Err(Problem::forbidden(kind, &name, why));
    let class = match pod["spec"].get("runtimeClassName").and_then(Value::as_str) {
        None => None,
        Some("") => {
            return Err(Problem::new(500, "", "resource name may not be empty"));
        }
        Some(class) => {
            if let Some(why) = not_in_paths(class) {
                let said = format!("invalid resource name \"{class}\": [{why}]");
                return Err(Problem::new(500, "", said));
            }
            match cluster.store.get("node.k8s.io/runtimeclasses", class) {
                Some(entry) => Some(entry.value()),
                None => {
                    return refused(&format!("pod rejected: RuntimeClass \"{class}\" not found"));
                }
            }
        }
    };
    let cost = class.as_ref().and_then(|class| class.get("overhead"));
    let Some(cost) = cost.filter(|cost| !cost.is_null()) else {
        return place(class.as_ref(), pod).map_err(|why| Problem::forbidden(kind, &name, &why));
    };
    let fixed = cost.get("podFixed").cloned().unwrap_or_else(|| json!({}));
    let own = &pod["spec"]["overhead"];
    if own.as_object().is_some_and(|own| !own.is_empty()) && *own != fixed {
        return refused(
            "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
        );
    }
    pod["spec"]["overhead"] = fixed;
    place(class.as_ref(), pod).map_err(|why| Problem::forbidden(kind, &name, &why))
}

/// Refuses a pod that costs more than its containers where its class does not say so.
///
/// # Errors
///
/// 403.
pub(super) fn costs_as_its_class(
    cluster: &Cluster,
    kind: &Kind,
    pod: &Value,
) -> Result<(), Problem> {
    let class = pod["spec"]["runtimeClassName"].as_str().unwrap_or_default();
    let class = cluster.store.get("node.k8s.io/runtimeclasses", class);
    let says = class.is_some_and(|class| class.value().get("overhead").is_some());
    if says || pod["spec"].get("overhead").is_none_or(Value::is_null) {
        return Ok(());
    }
    Err(Problem::forbidden(
        kind,
        meta::text(pod, "name"),
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
    ))
}

/// Takes over on which nodes pods of a class may run.
fn place(class: Option<&Value>, pod: &mut Value) -> Result<(), String> {
    let Some(scheduling) = class.and_then(|class| class.get("scheduling")) else { return Ok(()) };
    for (key, value) in scheduling["nodeSelector"].as_object().into_iter().flatten() {
        let own = &pod["spec"]["nodeSelector"][key];
        if !own.is_null() && own != value {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            return Err(format!(
                "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {}; pod.spec.nodeSelector[{key}] = {}",
                text(value),
                text(own)
            ));
        }
        pod["spec"]["nodeSelector"][key] = value.clone();
    }
    let more = scheduling["tolerations"].as_array().cloned().unwrap_or_default();
    if !more.is_empty() {
        let own = pod["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
        let all: Vec<Value> = own.into_iter().chain(more).collect();
        let mut merged: Vec<&Value> = Vec::new();
        for (at, one) in all.iter().enumerate() {
            let later = all[at + 1..].iter().any(|other| other != one && covers(other, one));
            if !later && !merged.iter().any(|other| covers(other, one)) {
                merged.push(one);
            }
        }
        let merged = json!(merged);
        pod["spec"]["tolerations"] = merged;
    }
    Ok(())
}

/// Whether whoever is tolerated by the second is tolerated by the first.
fn covers(wide: &Value, narrow: &Value) -> bool {
    let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
    let seconds = |one: &Value| one["tolerationSeconds"].as_i64();
    let (key, operator, effect) = (text(wide, "key"), text(wide, "operator"), text(wide, "effect"));
    if wide == narrow {
        return true;
    }
    let same_key = key == text(narrow, "key") || (key.is_empty() && operator == "Exists");
    let same_effect = effect == text(narrow, "effect") || effect.is_empty();
    let as_long = match (seconds(wide), seconds(narrow)) {
        (Some(wide), narrow) if effect == "NoExecute" => {
            narrow.is_some_and(|narrow| narrow <= wide)
        }
        _ => true,
    };
    let same_value = match operator.as_str() {
        "Exists" => true,
        "Equal" | "" => {
            text(narrow, "operator") == "Equal" && text(narrow, "value") == text(wide, "value")
        }
        _ => false,
    };
    same_key && same_effect && as_long && same_value
}

/// Why a name cannot stand in a path.
fn not_in_paths(name: &str) -> Option<String> {
    match name {
        "." | ".." => Some(format!("may not be '{name}'")),
        _ => {
            let signs = ["/", "%"].iter().filter(|sign| name.contains(**sign));
            let all: Vec<String> = signs.map(|sign| format!("may not contain '{sign}'")).collect();
            (!all.is_empty()).then(|| all.join(" "))
        }
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
