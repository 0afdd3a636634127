//! Reading what the built-in rules look at. What is absent or of another type reads as empty,
//! as Go's zero values do.

use std::borrow::Cow;

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

/// The value at a JSON pointer, unless it is null.
pub(crate) fn lookup<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    object.pointer(pointer).filter(|value| !value.is_null())
}

/// A value as people read it: a text as it is, a number or a truth in letters, else nothing.
pub(crate) fn word(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
        Value::Null | Value::Array(_) | Value::Object(_) => Cow::Borrowed(""),
    }
}

/// Whether a truth at a JSON pointer holds.
pub(crate) fn holds(object: &Value, pointer: &str) -> bool {
    object.pointer(pointer) == Some(&Value::Bool(true))
}

/// The conditions of an object, in the order in which they stand.
pub(crate) fn conditions(object: &Value) -> impl Iterator<Item = &Value> {
    items(object, "/status/conditions")
}

/// The last condition of a type: it holds where a controller appends what is newer.
pub(crate) fn last_condition<'a>(object: &'a Value, of_type: &str) -> Option<&'a Value> {
    conditions(object).filter(|condition| text(condition, "/type") == of_type).last()
}

/// Whether any condition of a type has a status.
pub(crate) fn any_is(object: &Value, of_type: &str, status: &str) -> bool {
    find_is(object, of_type, status).is_some()
}

/// The first condition that has both a type and a status.
pub(crate) fn find_is<'a>(object: &'a Value, of_type: &str, status: &str) -> Option<&'a Value> {
    conditions(object).find(|one| text(one, "/type") == of_type && word(&one["status"]) == status)
}

/// Whether the controller has ever written a list of conditions, be it an empty one.
pub(crate) fn has_conditions(object: &Value) -> bool {
    lookup(object, "/status/conditions").is_some()
}

/// Whether the controller says that what it reports is of another generation than this one.
pub(crate) fn stale(object: &Value) -> bool {
    lookup(object, "/status/observedGeneration").is_some()
        && int(object, "/status/observedGeneration") != manifest::generation(object)
}
