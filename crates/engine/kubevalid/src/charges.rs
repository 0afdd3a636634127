//! Quotas: what an object uses up of one, and whether there is as much left.

use std::collections::{BTreeMap, BTreeSet};

use kubetypes::quantity::{Family, Quantity};
use serde_json::{Value, json};

use crate::cursor::At;
use crate::selector;
use crate::usage::{self, Amounts};

/// What a quota may ask every container to say.
const MUST_SAY: [&str; 6] =
    ["cpu", "limits.cpu", "limits.memory", "memory", "requests.cpu", "requests.memory"];
/// Kinds whose plural alone is counted, too.
const COUNTED: [&str; 4] = ["configmaps", "replicationcontrollers", "resourcequotas", "secrets"];
const OF_PODS: [&str; 10] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
];
const OF_SERVICES: [&str; 3] = ["services", "services.nodeports", "services.loadbalancers"];
const OF_CLAIMS: [&str; 2] = ["persistentvolumeclaims", "requests.storage"];
const OF_CLASS: &str = ".storageclass.storage.k8s.io/";

/// What becomes of an object, as quotas see it.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// `""` for the core group.
    pub group: &'a str,
    /// The plural.
    pub resource: &'a str,
    /// `""` for the main one.
    pub door: &'a str,
    /// Null where it is made.
    pub old: &'a Value,
    /// What is there afterwards.
    pub new: &'a Value,
}

impl Change<'_> {
    /// Returns whether quotas look at the change at all.
    pub fn counts(&self) -> bool {
        let is_new = self.old.is_null();
        match (self.group, self.resource, self.door) {
            ("", "pods", "") => is_new || ends(self.old) != ends(self.new),
            ("", "pods", "resize") => !is_new,
            ("", "services" | "persistentvolumeclaims", "") => true,
            (_, _, door) => is_new && door.is_empty(),
        }
    }

    /// Returns what a quota has used up after the change; `None` where the change is no matter of the quota.
    ///
    /// # Errors
    ///
    /// In the server's words, where there is not as much left, or the object does not say what it must.
    pub fn charge(&self, quota: &Value) -> Result<Option<Value>, String> {
        let (hard, used) =
            (usage::amounts(&quota["status"]["hard"]), usage::amounts(&quota["status"]["used"]));
        let name = quota["metadata"]["name"].as_str().unwrap_or_default();
        let mine: Vec<&str> =
            hard.keys().map(String::as_str).filter(|name| self.measures(name)).collect();
        if mine.is_empty() || !is_in_scope(&quota["spec"], self.group, self.resource, self.new) {
            return Ok(None);
        }
        if self.resource == "pods" && self.group.is_empty() {
            says_enough(&self.new["spec"], &mine)
                .map_err(|why| format!("failed quota: {name}: {why}"))?;
        }
        if mine.iter().any(|resource| !used.contains_key(*resource)) {
            return Err(format!("status unknown for quota: {name}, resources: {}", mine.join(",")));
        }
        let mut more = uses(self.group, self.resource, self.new);
        if !self.old.is_null() && is_in_scope(&quota["spec"], self.group, self.resource, self.old) {
            more = increase(more, &uses(self.group, self.resource, self.old));
        }
        more.retain(|resource, amount| amount.sign() != 0 && hard.contains_key(resource));
        if more.is_empty() {
            return Ok(None);
        }
        let mut after = used.clone();
        usage::add(&mut after, &more);
        let beyond: BTreeSet<&str> = more
            .keys()
            .filter(|resource| after[*resource] > hard[*resource])
            .map(String::as_str)
            .collect();
        if !beyond.is_empty() {
            let shown = |amounts: &Amounts| {
                let parts = amounts.iter().filter(|(name, _)| beyond.contains(name.as_str()));
                let parts: Vec<String> =
                    parts.map(|(name, amount)| format!("{name}={amount}")).collect();
                parts.join(",")
            };
            return Err(format!(
                "exceeded quota: {name}, requested: {}, used: {}, limited: {}",
                shown(&more),
                shown(&used),
                shown(&hard)
            ));
        }
        Ok(Some(written(&after)))
    }

    fn measures(&self, name: &str) -> bool {
        measures(self.group, self.resource, name)
    }
}

/// Returns what stands in a quota's status where its namespace holds `objects`, by group and plural.
pub fn count(quota: &Value, objects: &BTreeMap<(String, String), Vec<Value>>) -> Value {
    let hard = usage::amounts(&quota["spec"]["hard"]);
    let mut used: Amounts =
        hard.keys().map(|name| (name.clone(), Quantity::new(0, Family::Decimal))).collect();
    for ((group, resource), objects) in objects {
        if !hard.keys().any(|name| measures(group, resource, name)) {
            continue;
        }
        for object in objects {
            if is_in_scope(&quota["spec"], group, resource, object) {
                let mut more = uses(group, resource, object);
                more.retain(|name, _| hard.contains_key(name));
                usage::add(&mut used, &more);
            }
        }
    }
    json!({"hard": quota["spec"]["hard"], "used": written(&used)})
}

fn written(amounts: &Amounts) -> Value {
    amounts.iter().map(|(name, amount)| (name.clone(), json!(amount.to_string()))).collect()
}

fn counted_as(group: &str, resource: &str) -> String {
    match group {
        "" => format!("count/{resource}"),
        group => format!("count/{resource}.{group}"),
    }
}

fn measures(group: &str, resource: &str, name: &str) -> bool {
    if name == counted_as(group, resource) {
        return true;
    }
    match (group, resource) {
        ("", "pods") => {
            let extended = |name: &str| name.contains('/') && !name.contains("kubernetes.io/");
            OF_PODS.contains(&name)
                || name.starts_with("hugepages-")
                || name
                    .strip_prefix("requests.")
                    .is_some_and(|asked| asked.starts_with("hugepages-") || extended(asked))
        }
        ("", "services") => OF_SERVICES.contains(&name),
        ("", "persistentvolumeclaims") => {
            let of_class = name.split_once(OF_CLASS).map(|(_, own)| own);
            OF_CLAIMS.contains(&of_class.unwrap_or(name))
        }
        ("", resource) => COUNTED.contains(&resource) && name == resource,
        _ => false,
    }
}

/// What an object uses up.
fn uses(group: &str, resource: &str, object: &Value) -> Amounts {
    let whole = |number: i64| Quantity::new(number, Family::Decimal);
    let mut used = Amounts::from([(counted_as(group, resource), whole(1))]);
    let spec = &object["spec"];
    let mut add = |name: &str, amount: Quantity| drop(used.insert(name.to_owned(), amount));
    match (group, resource) {
        ("", "pods") => {
            let phase = object["status"]["phase"].as_str().unwrap_or_default();
            if !matches!(phase, "Succeeded" | "Failed") {
                of_pod(spec, &mut add);
            }
        }
        ("", "services") => {
            let ports = spec["ports"].as_array().map_or(&[][..], Vec::as_slice);
            let chosen = ports.iter().filter(|port| port["nodePort"].as_i64().unwrap_or(0) != 0);
            let (balanced, ports) = match spec["type"].as_str() {
                Some("NodePort") => (0, ports.len()),
                Some("LoadBalancer") if spec["allocateLoadBalancerNodePorts"] == false => {
                    (1, chosen.count())
                }
                Some("LoadBalancer") => (1, ports.len()),
                _ => (0, 0),
            };
            add("services", whole(1));
            add("services.loadbalancers", whole(balanced));
            add("services.nodeports", whole(i64::try_from(ports).unwrap_or(i64::MAX)));
        }
        ("", "persistentvolumeclaims") => {
            let annotation = "volume.beta.kubernetes.io/storage-class";
            let class = manifest::annotation(object, annotation)
                .or(spec["storageClassName"].as_str())
                .filter(|class| !class.is_empty());
            let mut both = |name: &str, amount: Quantity| {
                if let Some(class) = class {
                    add(&format!("{class}{OF_CLASS}{name}"), amount.clone());
                }
                add(name, amount);
            };
            both("persistentvolumeclaims", whole(1));
            if let Some(size) = usage::amounts(&spec["resources"]["requests"]).get("storage") {
                both("requests.storage", size.clone());
            }
        }
        ("", resource) if COUNTED.contains(&resource) => add(resource, whole(1)),
        _ => {}
    }
    used
}

fn of_pod(spec: &Value, add: &mut impl FnMut(&str, Quantity)) {
    let as_a_whole =
        |name: &str| matches!(name, "cpu" | "memory") || name.starts_with("hugepages-");
    add("pods", Quantity::new(1, Family::Decimal));
    let mut requests = usage::of_pod(spec, "requests", as_a_whole);
    usage::add(&mut requests, &usage::amounts(&spec["overhead"]));
    asked_by(&requests, &usage::of_pod(spec, "limits", as_a_whole), add);
}

/// What amounts are called in quotas.
fn asked_by(requests: &Amounts, limits: &Amounts, add: &mut impl FnMut(&str, Quantity)) {
    for (name, amount) in requests {
        let usual = matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage");
        if usual || name.starts_with("hugepages-") {
            add(name, amount.clone());
        }
        add(&format!("requests.{name}"), amount.clone());
    }
    for (name, amount) in limits {
        if matches!(name.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            add(&format!("limits.{name}"), amount.clone());
        }
    }
}

/// Where processors or memory are limited, every container says how much it asks for.
fn says_enough(spec: &Value, mine: &[&str]) -> Result<(), String> {
    if spec["resources"].as_object().is_some_and(|asked| !asked.is_empty()) {
        return Ok(());
    }
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array().into_iter().flatten() {
            let resources = &container["resources"];
            let mut said = BTreeSet::new();
            asked_by(
                &usage::amounts(&resources["requests"]),
                &usage::amounts(&resources["limits"]),
                &mut |name, _| said.extend([name.to_owned()]),
            );
            let needed = mine.iter().filter(|name| MUST_SAY.contains(name));
            for name in needed.filter(|name| !said.contains(**name)) {
                let called = container["name"].as_str().unwrap_or_default();
                missing.entry(name).or_default().insert(called);
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let parts: Vec<String> = missing
        .into_iter()
        .map(|(name, who)| format!("{name} for: {}", who.into_iter().collect::<Vec<_>>().join(",")))
        .collect();
    Err(format!("must specify {}", parts.join("; ")))
}

/// What is used up beyond what was before; nothing is given back.
fn increase(now: Amounts, before: &Amounts) -> Amounts {
    now.into_iter()
        .filter_map(|(name, mut amount)| {
            if let Some(had) = before.get(&name) {
                amount.sub(had);
            }
            (amount.sign() > 0).then_some((name, amount))
        })
        .collect()
}

fn ends(pod: &Value) -> bool {
    pod["spec"]["activeDeadlineSeconds"].as_i64().is_some_and(|seconds| seconds >= 0)
}

/// Whether an object is one of those that a quota's scopes are about.
fn is_in_scope(spec: &Value, group: &str, resource: &str, object: &Value) -> bool {
    let plain = spec["scopes"].as_array().into_iter().flatten();
    let plain = plain.map(|scope| json!({"scopeName": scope, "operator": "Exists"}));
    let chosen = spec["scopeSelector"]["matchExpressions"].as_array().into_iter().flatten();
    plain.chain(chosen.cloned()).all(|scope| {
        let name = scope["scopeName"].as_str().unwrap_or_default();
        match (group, resource, name) {
            ("", "pods", "Terminating") => ends(object),
            ("", "pods", "NotTerminating") => !ends(object),
            ("", "pods", "BestEffort") => asks_nothing(&object["spec"]),
            ("", "pods", "NotBestEffort") => !asks_nothing(&object["spec"]),
            ("", "pods", "PriorityClass") => {
                is_named(&scope, name, object["spec"]["priorityClassName"].as_str())
            }
            ("", "pods", "CrossNamespacePodAffinity") => reaches_out(&object["spec"]["affinity"]),
            ("", "persistentvolumeclaims", "VolumeAttributesClass") => {
                is_named(&scope, name, object["spec"]["volumeAttributesClassName"].as_str())
            }
            _ => false,
        }
    })
}

fn is_named(scope: &Value, key: &str, found: Option<&str>) -> bool {
    let found = found.filter(|found| !found.is_empty());
    if scope["operator"] == "Exists" {
        return found.is_some();
    }
    let expression = json!({"key": key, "operator": scope["operator"], "values": scope["values"]});
    let labels = found.map_or_else(|| json!({}), |found| json!({ key: found }));
    selector::matches(&At::root(&json!({"matchExpressions": [expression]})), &labels)
}

/// Whether a pod asks for neither processors nor memory.
fn asks_nothing(spec: &Value) -> bool {
    let containers = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|list| spec[list].as_array().into_iter().flatten());
    let asks = |resources: &Value| {
        ["requests", "limits"].iter().any(|list| {
            let amounts = usage::amounts(&resources[list]);
            ["cpu", "memory"]
                .iter()
                .any(|name| amounts.get(*name).is_some_and(|amount| amount.sign() > 0))
        })
    };
    !asks(&spec["resources"]) && !containers.into_iter().any(|one| asks(&one["resources"]))
}

fn reaches_out(affinity: &Value) -> bool {
    let reaches = |term: &Value| {
        term["namespaces"].as_array().is_some_and(|list| !list.is_empty())
            || !term["namespaceSelector"].is_null()
    };
    ["podAffinity", "podAntiAffinity"].iter().any(|side| {
        let list = |name: &str| affinity[side][name].as_array().into_iter().flatten();
        list("requiredDuringSchedulingIgnoredDuringExecution").any(reaches)
            || list("preferredDuringSchedulingIgnoredDuringExecution")
                .any(|term| reaches(&term["podAffinityTerm"]))
    })
}

#[cfg(test)]
mod tests;
