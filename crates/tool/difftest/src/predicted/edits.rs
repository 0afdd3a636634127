//! Changes as somebody makes them by hand.

use serde_json::{Value, json};

use crate::random::Random;

/// Names and places that no hand changes.
const FIXED: [&str; 12] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "deletionTimestamp",
    "ownerReferences",
    "generateName",
    "deletionGracePeriodSeconds",
];

/// A place in an object: names of fields, and places in lists.
type Place = Vec<String>;

/// Returns the object, changed in one place, and what was done.
pub fn edit(live: &Value, target: &Value, random: &mut Random) -> (Value, String) {
    let mut out = live.clone();
    let wanted = places(target);
    let all = places(live);
    // Most hands change what git says, too; some what only the cluster knows.
    let of_git = !random.one_in(4);
    let pool: Vec<&Place> = match of_git {
        true => wanted.iter().filter(|place| at(live, place).is_some()).collect(),
        false => all.iter().collect(),
    };
    let what = match random.below(12) {
        0 => label(&mut out, random),
        1 => {
            // As if another tool had written everything.
            out["metadata"]["managedFields"] = json!([{}]);
            let what =
                pool.get(random.below(pool.len())).map(|place| change(&mut out, place, random));
            format!("owners forgotten, {}", what.unwrap_or_default())
        }
        2 | 3 => lists(&mut out, random),
        4 | 5 if !pool.is_empty() => remove(&mut out, pool[random.below(pool.len())]),
        6 => add(&mut out, random),
        _ if !pool.is_empty() => change(&mut out, pool[random.below(pool.len())], random),
        _ => label(&mut out, random),
    };
    (out, what)
}

/// All places of an object that a hand may change.
fn places(object: &Value) -> Vec<Place> {
    let mut out = Vec::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        match name.as_str() {
            "apiVersion" | "kind" | "status" => {}
            "metadata" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    if !FIXED.contains(&name.as_str()) {
                        walk(value, vec!["metadata".to_owned(), name.clone()], &mut out);
                    }
                }
            }
            _ => walk(value, vec![name.clone()], &mut out),
        }
    }
    out
}

fn walk(value: &Value, place: Place, out: &mut Vec<Place>) {
    let below = |step: String| {
        let mut place = place.clone();
        place.push(step);
        place
    };
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(name, value)| walk(value, below(name.clone()), out));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| walk(value, below(at.to_string()), out));
        }
        _ => {}
    }
    out.push(place);
}

fn at<'v>(value: &'v Value, place: &[String]) -> Option<&'v Value> {
    place.iter().try_fold(value, |value, step| match value {
        Value::Object(map) => map.get(step),
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn at_mut<'v>(value: &'v mut Value, place: &[String]) -> Option<&'v mut Value> {
    place.iter().try_fold(value, |value, step| match value {
        Value::Object(map) => map.get_mut(step),
        Value::Array(list) => list.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn change(object: &mut Value, place: &[String], random: &mut Random) -> String {
    let Some(value) = at_mut(object, place) else { return String::new() };
    let before = value.to_string();
    other(value, random);
    let cut = |text: String| text.chars().take(60).collect::<String>();
    format!("{} from {} to {}", place.join("."), cut(before), cut(value.to_string()))
}

/// Makes another value of the same sort.
fn other(value: &mut Value, random: &mut Random) {
    *value = match &*value {
        Value::Null => json!("now"),
        Value::Bool(on) => json!(!on),
        Value::Number(number) => match number.as_i64() {
            Some(number) => json!(number + 1 + random.below(3) as i64),
            None => json!(1),
        },
        Value::String(text) => match random.below(6) {
            0 => json!(""),
            // Another word for much the same, as quantities have: the server says whether it is.
            1 if text.parse::<u64>().is_ok() => json!(format!("{text}000m")),
            2 if text.ends_with("Mi") => json!(text.replace("Mi", "M")),
            3 if text.contains("Policy") || text == "Always" => json!("IfNotPresent"),
            4 => json!(text.to_uppercase()),
            _ => json!(format!("{text}x")),
        },
        Value::Array(list) => {
            let mut list = list.clone();
            match list.is_empty() {
                true => list.push(json!("more")),
                false => list.truncate(list.len() - 1),
            }
            Value::Array(list)
        }
        Value::Object(map) => {
            let mut map = map.clone();
            match map.keys().next().cloned().filter(|_| random.one_in(2)) {
                Some(first) => {
                    map.remove(&first);
                }
                None => {
                    map.insert("extra".to_owned(), json!("more"));
                }
            }
            Value::Object(map)
        }
    };
}

fn remove(object: &mut Value, place: &[String]) -> String {
    let Some((last, above)) = place.split_last() else { return String::new() };
    match at_mut(object, above) {
        Some(Value::Object(map)) => {
            map.remove(last);
        }
        Some(Value::Array(list)) => {
            if let Some(at) = last.parse::<usize>().ok().filter(|at| *at < list.len()) {
                list.remove(at);
            }
        }
        _ => {}
    }
    format!("{} removed", place.join("."))
}

fn label(object: &mut Value, random: &mut Random) -> String {
    let which = *random.pick(&["labels", "annotations"]);
    let name = format!("by-hand-{}", random.below(3));
    object["metadata"][which][&name] = json!("yes");
    format!("metadata.{which}.{name} added")
}

/// Changes a list: one more, one twice, the other way round.
fn lists(object: &mut Value, random: &mut Random) -> String {
    let places: Vec<Place> = places(object)
        .into_iter()
        .filter(|place| matches!(at(object, place), Some(Value::Array(list)) if !list.is_empty()))
        .collect();
    if places.is_empty() {
        return label(object, random);
    }
    let place = random.pick(&places);
    let Some(Value::Array(list)) = at_mut(object, place) else { return String::new() };
    let what = match random.below(4) {
        0 => {
            list.reverse();
            "reversed"
        }
        1 => {
            let mut one = list[random.below(list.len())].clone();
            rename(&mut one);
            list.push(one);
            "one more at the end"
        }
        2 => {
            let mut one = list[random.below(list.len())].clone();
            rename(&mut one);
            list.insert(0, one);
            "one more at the front"
        }
        _ => {
            list.remove(random.below(list.len()));
            "one less"
        }
    };
    format!("{} {what}", place.join("."))
}

/// Gives an item of a list another key, whatever that is.
fn rename(item: &mut Value) {
    match item {
        Value::String(text) => text.push_str("-more"),
        Value::Object(map) => {
            for (name, value) in map.iter_mut() {
                match (name.as_str(), value) {
                    ("name" | "key" | "mountPath" | "type" | "host", Value::String(text)) => {
                        text.push_str("-more");
                    }
                    ("port" | "containerPort" | "nodePort", Value::Number(number)) => {
                        *number = (number.as_i64().unwrap_or_default() % 30_000 + 1).into();
                    }
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Adds what many add by hand.
fn add(object: &mut Value, random: &mut Random) -> String {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let container = "/spec/template/spec/containers/0";
    match kind.as_str() {
        "ConfigMap" => {
            object["data"]["by-hand"] = json!("yes");
            "data.by-hand added".to_owned()
        }
        "Secret" => {
            object["data"]["by-hand"] = json!("eWVz");
            "data.by-hand added".to_owned()
        }
        "Service" => {
            object["spec"]["externalIPs"] = json!(["10.1.2.3"]);
            "spec.externalIPs added".to_owned()
        }
        _ if object.pointer(container).is_some() => {
            let Some(container) = object.pointer_mut(container) else { return String::new() };
            match random.below(4) {
                0 => {
                    let mut env = container["env"].as_array().cloned().unwrap_or_default();
                    env.push(json!({"name": "BY_HAND", "value": "yes"}));
                    container["env"] = env.into();
                    "an environment variable added".to_owned()
                }
                1 => {
                    container["resources"]["limits"]["memory"] = json!("123Mi");
                    "a limit added".to_owned()
                }
                2 => {
                    object["spec"]["template"]["metadata"]["annotations"]["restarted"] =
                        json!("now");
                    "restarted".to_owned()
                }
                _ => {
                    let sidecar = json!({"name": "by-hand", "image": "example/sidecar:1"});
                    if let Some(Value::Array(list)) =
                        object.pointer_mut("/spec/template/spec/containers")
                    {
                        list.push(sidecar);
                    }
                    "a container added".to_owned()
                }
            }
        }
        _ => label(object, random),
    }
}
