//! Limit ranges: what they fill in where a container says nothing, and what is beyond them.

use kubetypes::quantity::{Family, Quantity};
use serde_json::{Map, Value, json};

use crate::usage::{self, Amounts};

/// Where it is told what was filled in.
const ANNOTATION: &str = "kubernetes.io/limit-ranger";
/// The largest value whose thousandths are compared.
const IN_MILLI_MAX: i64 = i64::MAX / 1000;

/// Fills in what a new pod's containers do not ask for, one limit range after the other.
pub fn fill<'a>(ranges: impl IntoIterator<Item = &'a Value>, pod: &mut Value) {
    for range in ranges {
        let (requests, limits) = (defaults(range, "defaultRequest"), defaults(range, "default"));
        if requests.is_empty() && limits.is_empty() {
            continue;
        }
        let mut told = Vec::new();
        for (list, called) in [("containers", "container"), ("initContainers", "init container")] {
            let containers = pod["spec"].get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten().filter(|one| one.is_object()) {
                let name = container["name"].as_str().unwrap_or_default().to_owned();
                for (field, word, given) in
                    [("requests", "request", &requests), ("limits", "limit", &limits)]
                {
                    let set = fill_in(container, field, given);
                    if !set.is_empty() {
                        told.push(format!("{} {word} for {called} {name}", set.join(", ")));
                    }
                }
            }
        }
        if !told.is_empty() {
            manifest::set_annotation(
                pod,
                ANNOTATION,
                &format!("LimitRanger plugin set: {}", told.join("; ")),
            );
        }
    }
}

/// What a limit range gives to every container; of several limits the last counts.
fn defaults(range: &Value, field: &str) -> Map<String, Value> {
    let mut all = Map::new();
    for limit in limits_of(range, "Container") {
        for (name, amount) in limit[field].as_object().into_iter().flatten() {
            all.insert(name.clone(), amount.clone());
        }
    }
    all
}

fn fill_in(container: &mut Value, field: &str, given: &Map<String, Value>) -> Vec<String> {
    let there = container["resources"][field].as_object();
    let missing: Vec<String> = given
        .keys()
        .filter(|name| there.is_none_or(|there| !there.contains_key(*name)))
        .cloned()
        .collect();
    for name in &missing {
        if !container["resources"].is_object() {
            container["resources"] = json!({});
        }
        if !container["resources"][field].is_object() {
            container["resources"][field] = json!({});
        }
        container["resources"][field][name] = given[name].clone();
    }
    missing
}

fn limits_of<'a>(range: &'a Value, kind: &'a str) -> impl Iterator<Item = &'a Value> {
    let limits = range["spec"]["limits"].as_array().into_iter().flatten();
    limits.filter(move |limit| limit["type"] == kind)
}

/// Says in which ways a pod is beyond a limit range.
pub fn of_pod(range: &Value, pod: &Value) -> Vec<String> {
    let mut said = Vec::new();
    for limit in range["spec"]["limits"].as_array().into_iter().flatten() {
        match limit["type"].as_str() {
            Some("Container") => {
                for list in ["containers", "initContainers"] {
                    for container in pod["spec"][list].as_array().into_iter().flatten() {
                        let resources = &container["resources"];
                        let asked = Asked {
                            kind: "Container",
                            requests: usage::amounts(&resources["requests"]),
                            limits: usage::amounts(&resources["limits"]),
                        };
                        asked.against(limit, &mut said);
                    }
                }
            }
            Some("Pod") => {
                let as_a_whole = |name: &str| matches!(name, "cpu" | "memory");
                let asked = Asked {
                    kind: "Pod",
                    requests: usage::of_pod(&pod["spec"], "requests", as_a_whole),
                    limits: usage::of_pod(&pod["spec"], "limits", as_a_whole),
                };
                asked.against(limit, &mut said);
            }
            _ => {}
        }
    }
    once(said)
}

/// Says in which ways a claim asks for less or more than a limit range allows.
pub fn of_claim(range: &Value, claim: &Value) -> Vec<String> {
    let mut said = Vec::new();
    for limit in limits_of(range, "PersistentVolumeClaim") {
        let asked = Asked {
            kind: "PersistentVolumeClaim",
            requests: usage::amounts(&claim["spec"]["resources"]["requests"]),
            limits: Amounts::new(),
        };
        for (name, least) in usage::amounts(&limit["min"]) {
            said.extend(asked.too_little(&name, &least));
        }
        for (name, most) in usage::amounts(&limit["max"]) {
            said.extend(asked.requests_too_much(&name, &most));
        }
    }
    once(said)
}

fn once(said: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(said.len());
    for one in said {
        if !out.contains(&one) {
            out.push(one);
        }
    }
    out
}

/// What is asked for, and by what.
struct Asked {
    kind: &'static str,
    requests: Amounts,
    limits: Amounts,
}

impl Asked {
    fn against(&self, limit: &Value, said: &mut Vec<String>) {
        for (name, least) in usage::amounts(&limit["min"]) {
            said.extend(self.too_little(&name, &least));
        }
        for (name, most) in usage::amounts(&limit["max"]) {
            said.extend(self.too_much(&name, &most));
        }
        for (name, ratio) in usage::amounts(&limit["maxLimitRequestRatio"]) {
            said.extend(self.too_far(&name, &ratio));
        }
    }

    fn too_little(&self, name: &str, least: &Quantity) -> Option<String> {
        let says = format!("minimum {name} usage per {} is {least}", self.kind);
        let (request, limit) = (self.requests.get(name), self.limits.get(name));
        let [asked, limited, wanted] = comparable(request, limit, least);
        let Some(request) = request else {
            return Some(format!("{says}.  No request is specified"));
        };
        if asked < wanted {
            return Some(format!("{says}, but request is {request}"));
        }
        let limit = limit.filter(|_| limited < wanted)?;
        Some(format!("{says}, but limit is {limit}"))
    }

    fn too_much(&self, name: &str, most: &Quantity) -> Option<String> {
        let says = format!("maximum {name} usage per {} is {most}", self.kind);
        let (request, limit) = (self.requests.get(name), self.limits.get(name));
        let [asked, limited, wanted] = comparable(request, limit, most);
        let Some(limit) = limit else {
            return Some(format!("{says}.  No limit is specified"));
        };
        if limited > wanted {
            return Some(format!("{says}, but limit is {limit}"));
        }
        let request = request.filter(|_| asked > wanted)?;
        Some(format!("{says}, but request is {request}"))
    }

    /// Where nothing but requests is looked at.
    fn requests_too_much(&self, name: &str, most: &Quantity) -> Option<String> {
        let says = format!("maximum {name} usage per {} is {most}", self.kind);
        let request = self.requests.get(name);
        let [asked, _, wanted] = comparable(request, None, most);
        match request {
            None => Some(format!("{says}.  No request is specified")),
            Some(request) if asked > wanted => Some(format!("{says}, but request is {request}")),
            Some(_) => None,
        }
    }

    fn too_far(&self, name: &str, ratio: &Quantity) -> Option<String> {
        let says = format!("{name} max limit to request ratio per {} is {ratio}", self.kind);
        let (request, limit) = (self.requests.get(name), self.limits.get(name));
        let [asked, limited, _] = comparable(request, limit, ratio);
        if asked == 0 {
            return Some(format!("{says}, but no request is specified or request is 0"));
        }
        if limited == 0 {
            return Some(format!("{says}, but no limit is specified or limit is 0"));
        }
        let found = limited as f64 / asked as f64;
        let beyond = match ratio.value() <= IN_MILLI_MAX {
            true => found * 1000.0 > ratio.milli_value() as f64,
            false => found > ratio.value() as f64,
        };
        beyond.then(|| format!("{says}, but provided ratio is {found:.6}"))
    }
}

/// Three amounts in units that fit all of them: thousandths where those can be held.
fn comparable(a: Option<&Quantity>, b: Option<&Quantity>, c: &Quantity) -> [i64; 3] {
    let none = Quantity::new(0, Family::Decimal);
    let all = [a.unwrap_or(&none), b.unwrap_or(&none), c];
    let whole = all.map(Quantity::value);
    match whole.iter().all(|value| *value <= IN_MILLI_MAX) {
        true => all.map(Quantity::milli_value),
        false => whole,
    }
}
