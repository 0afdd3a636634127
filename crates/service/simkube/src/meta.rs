//! Metadata: what the server fills in and keeps.

use serde_json::{Map, Value, json};

use crate::api::problem::Cause;

/// Returns an object's metadata, made where it is missing.
pub fn of(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = json!({});
    }
    let fields = object.as_object_mut().expect("it has just been made one");
    let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
    if !metadata.is_object() {
        *metadata = json!({});
    }
    metadata.as_object_mut().expect("it has just been made one")
}

/// Returns an object's metadata, where it has any.
pub fn of_ref(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata").and_then(Value::as_object)
}

/// Returns a string of the metadata, `""` where there is none.
pub fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get("metadata").and_then(|m| m.get(name)).and_then(Value::as_str).unwrap_or_default()
}

/// Returns what an object that is being let in is called, whose name may not have been made up yet.
pub fn name_asked(object: &Value) -> &str {
    let given = [text(object, "name"), text(object, "generateName")];
    given.into_iter().find(|name| !name.is_empty()).unwrap_or("Unknown")
}

/// Returns a list of strings of the metadata.
pub fn texts(object: &Value, name: &str) -> Vec<String> {
    let list = object.get("metadata").and_then(|m| m.get(name)).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Removes owner references that stand there already in every field; answers the uids of those removed.
pub fn owners_once(object: &mut Value) -> Vec<String> {
    let owners =
        object.get_mut("metadata").and_then(|metadata| metadata.get_mut("ownerReferences"));
    let Some(Value::Array(owners)) = owners else { return Vec::new() };
    let mut seen: Vec<Value> = Vec::new();
    let mut twice = Vec::new();
    owners.retain(|owner| {
        let is_new = !seen.contains(owner);
        match is_new {
            true => seen.push(owner.clone()),
            false => twice.push(owner["uid"].as_str().unwrap_or_default().to_owned()),
        }
        is_new
    });
    twice
}

/// Returns whether the object is being deleted.
pub fn deleting(object: &Value) -> bool {
    object.get("metadata").and_then(|m| m.get("deletionTimestamp")).is_some_and(|v| !v.is_null())
}

/// Carries over what only the server writes, and what an update may leave out.
pub fn carry_over(old: &Value, new: &mut Value) {
    let Some(old) = old.get("metadata").and_then(Value::as_object) else { return };
    let new = of(new);
    for name in ["creationTimestamp", "deletionTimestamp"] {
        if let Some(value) = old.get(name) {
            new.insert(name.to_owned(), value.clone());
        }
    }
    for name in ["uid", "deletionGracePeriodSeconds"] {
        let absent = match new.get(name) {
            None | Some(Value::Null) => true,
            Some(value) => value.as_str() == Some(""),
        };
        if let (true, Some(value)) = (absent, old.get(name)) {
            new.insert(name.to_owned(), value.clone());
        }
    }
    match old.get("generation") {
        Some(value) => new.insert("generation".to_owned(), value.clone()),
        None => new.remove("generation"),
    };
}

/// Leaves the managed fields as they were.
pub fn keep_owners(old: &Value, new: &mut Value) {
    let owners = old.get("metadata").and_then(|metadata| metadata.get("managedFields")).cloned();
    let metadata = of(new);
    match owners {
        Some(owners) => metadata.insert("managedFields".to_owned(), owners),
        None => metadata.remove("managedFields"),
    };
}

/// Removes from a new object what only the server writes.
pub fn clear_system_fields(object: &mut Value) {
    let metadata = of(object);
    for name in
        ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "uid", "creationTimestamp"]
    {
        metadata.remove(name);
    }
}

/// Returns a cause in the words of an invalid value.
pub fn invalid(field: &str, value: &str, message: String) -> Cause {
    cause("FieldValueInvalid", field, &format!("Invalid value: {}: {message}", json!(value)))
}

/// Returns a cause.
pub fn cause(reason: &str, field: &str, message: &str) -> Cause {
    Cause { reason: reason.to_owned(), message: message.to_owned(), field: field.to_owned() }
}
