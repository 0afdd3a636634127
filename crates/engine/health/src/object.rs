//! Reading what the built-in rules look at. What is absent or of another type reads as empty,
//! as Go's zero values do.

use serde_json::Value;

/// A whole number at a JSON pointer, or 0.
pub(crate) fn int(object: &Value, pointer: &str) -> i64 {
    int_where_set(object, pointer).unwrap_or(0)
}

/// A whole number at a JSON pointer.
pub(crate) fn int_where_set(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer)?.as_i64()
}

/// A text at a JSON pointer, or `""`.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The items at a JSON pointer.
pub(crate) fn items<'a>(object: &'a Value, pointer: &str) -> impl Iterator<Item = &'a Value> {
    object.pointer(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The first condition of a type in `status.conditions`.
pub(crate) fn condition<'a>(object: &'a Value, of_type: &str) -> Option<&'a Value> {
    items(object, "/status/conditions").find(|condition| text(condition, "/type") == of_type)
}

/// Whether the controller has not yet seen the newest spec.
pub(crate) fn is_behind(object: &Value) -> bool {
    manifest::generation(object) > int(object, "/status/observedGeneration")
}
