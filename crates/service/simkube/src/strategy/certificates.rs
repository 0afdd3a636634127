//! Certificate requests: who asked, and what was decided when.

use serde_json::{Value, json};

use crate::api::request::User;

const DECISIONS: [&str; 2] = ["Approved", "Denied"];

/// Notes who asks, whatever the request says of it.
pub(super) fn prepare_create(user: &User, request: &mut Value) {
    let Some(spec) = request.get_mut("spec").and_then(Value::as_object_mut) else { return };
    spec.remove("uid");
    spec.remove("extra");
    spec.insert("username".to_owned(), json!(user.name));
    spec.insert("groups".to_owned(), json!(user.groups));
    if !user.extra.is_empty() {
        spec.insert("extra".to_owned(), json!(user.extra));
    }
}

/// Puts back what a door may not change, and notes when conditions came about.
pub(super) fn prepare_update(subresource: &str, now: &str, old: &Value, new: &mut Value) {
    put(new, old, "spec");
    match subresource {
        "status" => keep_decisions(old, new),
        "approval" => match old["status"].get("certificate") {
            Some(certificate) => new["status"]["certificate"] = certificate.clone(),
            None => {
                if let Some(status) = new.get_mut("status").and_then(Value::as_object_mut) {
                    status.remove("certificate");
                }
            }
        },
        _ => return put(new, old, "status"),
    }
    times(now, old, new);
}

fn put(new: &mut Value, old: &Value, field: &str) {
    let Some(fields) = new.as_object_mut() else { return };
    match old.get(field) {
        Some(value) => fields.insert(field.to_owned(), value.clone()),
        None => fields.remove(field),
    };
}

fn conditions(object: &Value) -> &[Value] {
    object["status"]["conditions"].as_array().map_or(&[], Vec::as_slice)
}

/// Decisions are not made through the status door: as many as there were stay as they were.
fn keep_decisions(old: &Value, new: &mut Value) {
    for decision in DECISIONS {
        let of = |object: &Value| -> Vec<usize> {
            let all = conditions(object).iter().enumerate();
            all.filter(|(_, one)| one["type"] == decision).map(|(index, _)| index).collect()
        };
        let (before, after) = (of(old), of(new));
        if before.len() != after.len() {
            continue;
        }
        for (from, to) in before.into_iter().zip(after) {
            new["status"]["conditions"][to] = conditions(old)[from].clone();
        }
    }
}

fn times(now: &str, old: &Value, new: &mut Value) {
    let Some(list) = new.pointer_mut("/status/conditions").and_then(Value::as_array_mut) else {
        return;
    };
    for condition in list.iter_mut().filter(|condition| condition.is_object()) {
        if condition["lastUpdateTime"].is_null() {
            condition["lastUpdateTime"] = json!(now);
        }
        if condition["lastTransitionTime"].is_null() {
            let same = |other: &&Value| {
                other["type"] == condition["type"]
                    && other["status"] == condition["status"]
                    && !other["lastTransitionTime"].is_null()
            };
            let before = conditions(old).iter().find(same);
            let since = before.map_or(json!(now), |before| before["lastTransitionTime"].clone());
            condition["lastTransitionTime"] = since;
        }
    }
}
