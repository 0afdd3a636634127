//! The amounts of a Pod: requests that follow limits, and what the whole Pod asks for.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{non_empty, part, text};
use crate::quantity::Quantity;

type Amounts = BTreeMap<String, Quantity>;

/// Gives every container a request for what it has only a limit of.
pub(super) fn requests_from_limits(spec: &mut Map<String, Value>) {
    for list in ["containers", "initContainers"] {
        for container in objects(spec, list) {
            let Some(Value::Object(resources)) = container.get_mut("resources") else { continue };
            let Some(Value::Object(limits)) = resources.get("limits").cloned() else { continue };
            let requests = part(resources, "requests");
            for (name, limit) in limits {
                requests.entry(name).or_insert(limit);
            }
        }
    }
}

/// Completes the amounts of the Pod as a whole, where it names some: limits of huge pages from
/// the containers, then requests from the containers, then requests from the limits.
pub(super) fn whole_pod(spec: &mut Map<String, Value>) {
    let Some(Value::Object(resources)) = spec.get("resources") else { return };
    if non_empty(resources.get("limits")) || non_empty(resources.get("requests")) {
        huge_page_limits(spec);
    }
    requests(spec);
}

fn huge_page_limits(spec: &mut Map<String, Value>) {
    let all = aggregate(spec, "limits");
    let resources = part(spec, "resources");
    let requested = resources.get("requests").cloned().unwrap_or(Value::Null);
    for (name, amount) in all {
        if name.starts_with(HUGE_PAGES) && requested.get(&name).is_none() {
            part(resources, "limits").entry(name).or_insert(amount.to_string().into());
        }
    }
}

fn requests(spec: &mut Map<String, Value>) {
    let Some(limits) = spec["resources"].get("limits").and_then(Value::as_object).cloned() else {
        return;
    };
    if limits.is_empty() {
        return;
    }
    let all = aggregate(spec, "requests");
    let mut requests = match spec["resources"].get("requests") {
        Some(Value::Object(requests)) => requests.clone(),
        _ => Map::new(),
    };
    for (name, amount) in all {
        if is_supported(&name) && !name.starts_with(HUGE_PAGES) {
            requests.entry(name).or_insert(amount.to_string().into());
        }
    }
    for (name, limit) in limits {
        if is_supported(&name) {
            requests.entry(name).or_insert(limit);
        }
    }
    if !requests.is_empty() {
        part(spec, "resources").insert("requests".to_owned(), Value::Object(requests));
    }
}

const HUGE_PAGES: &str = "hugepages-";

fn is_supported(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with(HUGE_PAGES)
}

/// What all containers need together: the sum of those that run on, or what an init container
/// needs beside the sidecars before it, whichever is more.
fn aggregate(spec: &mut Map<String, Value>, which: &str) -> Amounts {
    let mut sum = Amounts::new();
    for container in objects(spec, "containers") {
        add(&mut sum, &amounts(container, which));
    }
    let mut sidecars = Amounts::new();
    let mut most = Amounts::new();
    for container in objects(spec, "initContainers") {
        let mut own = amounts(container, which);
        if text(container, "restartPolicy") == "Always" {
            add(&mut sum, &own);
            add(&mut sidecars, &own);
            own = sidecars.clone();
        } else {
            add(&mut own, &sidecars);
        }
        maximum(&mut most, own);
    }
    maximum(&mut sum, most);
    sum
}

fn amounts(container: &Map<String, Value>, which: &str) -> Amounts {
    let Some(list) = container
        .get("resources")
        .and_then(|resources| resources.get(which))
        .and_then(Value::as_object)
    else {
        return Amounts::new();
    };
    list.iter()
        .filter_map(|(name, amount)| Some((name.clone(), Quantity::parse(amount.as_str()?).ok()?)))
        .collect()
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (name, amount) in more {
        match sum.get_mut(name) {
            Some(so_far) => so_far.add(amount),
            None => {
                sum.insert(name.clone(), amount.clone());
            }
        }
    }
}

fn maximum(most: &mut Amounts, other: Amounts) {
    for (name, amount) in other {
        if most.get(&name).is_none_or(|so_far| amount > *so_far) {
            most.insert(name, amount);
        }
    }
}

/// The objects of a list; what is none is skipped.
pub(super) fn objects<'a>(
    holder: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> + use<'a> {
    let items = match holder.get_mut(list) {
        Some(Value::Array(items)) => items.as_mut_slice(),
        _ => &mut [],
    };
    items.iter_mut().filter_map(Value::as_object_mut)
}
