//! What containers and pods ask for: names of resources, amounts, and how they fit together.

use std::collections::BTreeSet;

use kubetypes::quantity::Quantity;
use manifest::field::{FieldError, FieldErrorKind};
use serde_json::Value;

use crate::cursor::At;
use crate::names;
use crate::usage;

/// What every container may have.
const OF_CONTAINERS: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];

/// What the server knows by a name without a domain, containers' own aside.
const KNOWN: [&str; 17] = [
    "configmaps",
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
    "requests.storage",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "storage",
];

/// What is counted, of those.
const COUNTED: [&str; 9] = [
    "configmaps",
    "persistentvolumeclaims",
    "pods",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "services",
    "services.loadbalancers",
    "services.nodeports",
];

const HUGE_PAGES: &str = "hugepages-";

/// Reads an amount, which may be written as a number.
pub fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text).ok(),
        Value::Number(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

pub fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::qualified(&format!("requests.{name}")).is_empty()
}

/// How a resource may be named, somewhere.
type NameRule = fn(&At<'_>, &str, &mut Vec<FieldError>);

fn any_name(at: &At<'_>, name: &str, errors: &mut Vec<FieldError>) {
    let refusals = names::qualified(name);
    let known = OF_CONTAINERS.contains(&name)
        || KNOWN.contains(&name)
        || name.starts_with(HUGE_PAGES)
        || name.starts_with("requests.hugepages-");
    if refusals.is_empty() && !name.contains('/') && !known {
        let words = "must be a standard resource type or fully qualified";
        errors.push(FieldError::invalid(at.path.clone(), name, words));
    }
    errors.extend(
        refusals.into_iter().map(|words| FieldError::invalid(at.path.clone(), name, words)),
    );
}

pub fn name_of_container(at: &At<'_>, name: &str, errors: &mut Vec<FieldError>) {
    any_name(at, name, errors);
    let words = match name.contains('/') {
        false if !OF_CONTAINERS.contains(&name) && !name.starts_with(HUGE_PAGES) => {
            "must be a standard resource for containers"
        }
        true if !is_native(name) && !is_extended(name) => {
            "doesn't follow extended resource name standard"
        }
        _ => return,
    };
    errors.push(FieldError::invalid(at.path.clone(), name, words));
}

fn name_of_pod(at: &At<'_>, name: &str, errors: &mut Vec<FieldError>) {
    let before = errors.len();
    any_name(at, name, errors);
    let known = matches!(name, "cpu" | "memory") || name.starts_with(HUGE_PAGES);
    if errors.len() == before && !known {
        let known = ["cpu", "hugepages-", "memory"];
        errors.push(FieldError::not_supported(at.path.clone(), name, &known));
    }
}

fn amount(at: &At<'_>, name: &str, rule: NameRule, errors: &mut Vec<FieldError>) {
    rule(at, name, errors);
    let Some(size) = quantity(at.value) else { return };
    if size.sign() < 0 {
        errors.push(FieldError::invalid(
            at.path.clone(),
            size.to_string(),
            "must be greater than or equal to 0",
        ));
    }
    let counted = COUNTED.contains(&name) || is_extended(name);
    if counted && size.milli_value() % 1000 != 0 {
        errors.push(at.invalid("must be an integer"));
    }
}

fn whole_pages(at: &At<'_>, name: &str, errors: &mut Vec<FieldError>) {
    let Some(size) = name.strip_prefix(HUGE_PAGES) else { return };
    let Some(asked) = quantity(at.value) else { return };
    let page = Quantity::parse(size).ok();
    let page = page.filter(|page| page.sign() > 0 && page.milli_value() % 1000 == 0);
    if page.is_none_or(|page| asked.value() % page.value() != 0) {
        let asked = asked.to_string();
        let words = format!("{asked} is not positive integer multiple of {name}");
        errors.push(FieldError::invalid(at.path.clone(), asked, words));
    }
}

/// What a container asks for. `claims`: the names of its pod's claims.
pub fn of_container(at: &At<'_>, claims: &BTreeSet<&str>, errors: &mut Vec<FieldError>) {
    requirements(at, name_of_container, claims, errors);
}

/// What a pod or a runtime adds, which counts as limits of a container.
pub fn overhead(at: &At<'_>, amounts: &Value, errors: &mut Vec<FieldError>) {
    let limits = serde_json::json!({"limits": amounts});
    let at = At { value: &limits, path: at.path.clone() };
    requirements(&at, name_of_container, &BTreeSet::new(), errors);
}

fn requirements(
    at: &At<'_>,
    rule: NameRule,
    claims: &BTreeSet<&str>,
    errors: &mut Vec<FieldError>,
) {
    let (limits, requests) = (at.at("limits"), at.at("requests"));
    for (name, _) in limits.entries() {
        amount(&limits.key(name), name, rule, errors);
        whole_pages(&limits.key(name), name, errors);
    }
    for (name, value) in requests.entries() {
        amount(&requests.key(name), name, rule, errors);
        let may_exceed = is_native(name) && !name.starts_with(HUGE_PAGES);
        match (quantity(value), quantity(limits.at(name).value)) {
            (Some(request), Some(limit)) => {
                let words = match request.cmp(&limit) {
                    std::cmp::Ordering::Equal => None,
                    _ if !may_exceed => Some("must be equal to"),
                    std::cmp::Ordering::Greater => Some("must be less than or equal to"),
                    std::cmp::Ordering::Less => None,
                };
                if let Some(words) = words {
                    let words = format!("{words} {name} limit of {limit}");
                    let path = requests.path.clone();
                    errors.push(FieldError::invalid(path, request.to_string(), words));
                }
            }
            (Some(_), None) if !may_exceed => {
                errors.push(limits.required("Limit must be set for non overcommitable resources"));
            }
            _ => {}
        }
        whole_pages(&requests.key(name), name, errors);
    }
    let asked = || limits.entries().chain(requests.entries()).map(|(name, _)| name);
    if asked().any(|name| name.starts_with(HUGE_PAGES))
        && !asked().any(|name| matches!(name, "cpu" | "memory"))
    {
        errors.push(at.forbidden("HugePages require cpu or memory"));
    }
    claimed(&at.at("claims"), claims, errors);
}

fn claimed(list: &At<'_>, claims: &BTreeSet<&str>, errors: &mut Vec<FieldError>) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for claim in list.items() {
        let (name, request) = (claim.at("name").text(), claim.at("request"));
        let twice = |key: &str| FieldError::duplicate(claim.path.clone(), key);
        if name.is_empty() {
            errors.push(claim.required(""));
            continue;
        }
        if seen.contains(name) {
            errors.push(twice(name));
        } else {
            let mut key = name.to_owned();
            if !request.is_empty() {
                request.named(names::label(request.text(), false), errors);
                key = format!("{name}/{}", request.text());
            }
            if seen.contains(&key) {
                errors.push(twice(&key));
            } else if request.is_empty() {
                let parts =
                    seen.iter().filter(|key| key.split_once('/').is_some_and(|k| k.0 == name));
                errors.extend(parts.map(|_| twice(name)));
            }
            seen.insert(key);
        }
        if !claims.contains(name) {
            let known = match claims.is_empty() {
                true => " which is empty".to_owned(),
                false => format!(": {}", claims.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            let words = format!("must be one of the names in pod.spec.resourceClaims{known}");
            errors.push(FieldError::new(FieldErrorKind::NotFound, claim.path.clone(), name, words));
        }
    }
}

/// What a pod asks for as a whole.
pub fn of_pod(spec: &At<'_>, claims: &BTreeSet<&str>, errors: &mut Vec<FieldError>) {
    let at = spec.at("resources");
    if !at.is_set() {
        return;
    }
    if spec.to(&["os", "name"]).text() == "windows" {
        return errors.push(at.forbidden("may not be set for a windows pod"));
    }
    if at.at("claims").is_set() {
        let words = "claims may not be set for Resources at pod-level";
        errors.push(at.at("claims").forbidden(words));
    }
    requirements(&at, name_of_pod, claims, errors);
    let (limits, requests) = (at.at("limits"), at.at("requests"));
    for (name, sum) in usage::of_containers(spec.value, "requests") {
        let Some(whole) = quantity(requests.at(&name).value) else { continue };
        if sum > whole {
            let words =
                format!("must be greater than or equal to aggregate container requests of {}", sum);
            let path = requests.key(&name).path;
            errors.push(FieldError::invalid(path, whole.to_string(), words));
        }
    }
    for (name, sum) in usage::of_containers(spec.value, "limits") {
        let Some(whole) = quantity(limits.at(&name).value) else { continue };
        if name.starts_with(HUGE_PAGES) && sum > whole {
            let words =
                format!("must be greater than or equal to aggregate container limits of {}", sum);
            let path = limits.key(&name).path;
            errors.push(FieldError::invalid(path, whole.to_string(), words));
        }
    }
    for (index, container) in spec.at("containers").items().enumerate() {
        for (name, value) in container.to(&["resources", "limits"]).entries() {
            let (Some(own), Some(whole)) = (quantity(value), quantity(limits.at(name).value))
            else {
                continue;
            };
            if own > whole {
                let path = format!("{}[{index}][{name}].limits", at.child("containers"));
                let words = format!("must be less than or equal to pod limits of {whole}");
                errors.push(FieldError::invalid(path, own.to_string(), words));
            }
        }
    }
}
