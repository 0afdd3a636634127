//! Changing an object in place. A path is made of keys; what is missing on the way is made.

use serde_json::{Map, Value};

/// Returns the map at a path, making it where there is none.
pub(crate) fn map<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Map<String, Value> {
    let mut place = object;
    for key in path {
        place = entry(place).entry(*key).or_insert(Value::Null);
    }
    entry(place)
}

fn entry(place: &mut Value) -> &mut Map<String, Value> {
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    place.as_object_mut().expect("it was made a map above")
}

/// Sets the value at a path.
pub(crate) fn set(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    let Some((last, before)) = path.split_last() else { return };
    map(object, before).insert((*last).to_owned(), value.into());
}

/// Takes the value at a path away, where there is one.
pub(crate) fn remove(object: &mut Value, path: &[&str]) {
    let Some((last, before)) = path.split_last() else { return };
    let mut place = object;
    for key in before {
        match place.get_mut(key) {
            Some(next) => place = next,
            None => return,
        }
    }
    if let Some(map) = place.as_object_mut() {
        map.remove(*last);
    }
}

/// Sets an annotation.
pub(crate) fn annotate(object: &mut Value, key: &str, value: &str) {
    set(object, &["metadata", "annotations", key], value);
}

/// Takes an annotation away; the last one takes the map with it.
pub(crate) fn remove_annotation(object: &mut Value, key: &str) {
    remove(object, &["metadata", "annotations", key]);
    let none_left = object
        .pointer("/metadata/annotations")
        .and_then(Value::as_object)
        .is_some_and(Map::is_empty);
    if none_left {
        remove(object, &["metadata", "annotations"]);
    }
}

/// Whether something stands at a JSON pointer that is neither null nor false.
pub(crate) fn holds(object: &Value, pointer: &str) -> bool {
    !matches!(object.pointer(pointer), None | Some(Value::Null | Value::Bool(false)))
}

/// Takes away what is empty, however deep it stands: `resources: {}`, an empty list of arguments.
/// What becomes empty by that stays, and so does an empty selector, which chooses everything.
pub(crate) fn without_empty(value: &mut Value) {
    let says_nothing = |value: &Value| match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(map) => {
            map.retain(|key, value| {
                key.to_lowercase().ends_with("selector") || !says_nothing(value)
            });
            map.values_mut().for_each(without_empty);
        }
        Value::Array(items) => {
            items.retain(|value| !says_nothing(value));
            items.iter_mut().for_each(without_empty);
        }
        _ => {}
    }
}

/// A text at a JSON pointer, or `""`.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The items at a JSON pointer.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}
