//! The annotation of client-side apply, where kubectl turns to server-side apply.
//!
//! For the manager `kubectl` alone the server takes what the annotation says was applied as
//! owned by kubectl, and keeps the annotation in step with what is applied.

use serde_json::{Map, Value};

use crate::fields::FieldSet;
use crate::typed::{Duplicates, Typed};
use crate::values;

/// Where client-side apply keeps what it applied last.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// The most that all annotations of an object may be together, names and values.
const ANNOTATIONS_BYTES_MAX: usize = 256 * 1024;

fn annotations(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.get("annotations")?.as_object()
}

fn last_applied(object: &Value) -> Option<&str> {
    let text = annotations(object)?.get(LAST_APPLIED)?.as_str()?;
    (!text.is_empty()).then_some(text)
}

pub(crate) fn has(object: &Value) -> bool {
    last_applied(object).is_some()
}

/// What was applied client-side and is still as it was applied: no conflict counts there.
pub(crate) fn allowed_conflicts(
    live: &Value,
    typed: Typed<'_>,
    api_version: &str,
) -> Option<FieldSet> {
    let applied: Value = serde_json::from_str(last_applied(live)?).ok()?;
    typed.validate(live, Duplicates::Refused).ok()?;
    let is_kind = applied.get("kind").is_some_and(Value::is_string);
    if !is_kind || applied.get("apiVersion").and_then(Value::as_str) != Some(api_version) {
        return None;
    }
    typed.validate(&applied, Duplicates::Refused).ok()?;
    let mut set = typed.field_set(&applied);
    let comparison = typed.compare(&applied, live);
    set.subtract(&comparison.modified);
    set.subtract(&comparison.added);
    set.subtract(&comparison.removed);
    Some(set)
}

/// Writes what is applied into the annotation; where that makes annotations too large, the
/// annotation goes.
pub(crate) fn set(object: &mut Value, applied: &Value) {
    let mut applied = applied.clone();
    if let Some(Value::Object(metadata)) = applied.get_mut("metadata") {
        match metadata.get_mut("annotations") {
            Some(Value::Object(map)) => {
                map.remove(LAST_APPLIED);
                null_is_empty(map);
            }
            _ => {
                metadata.remove("annotations");
            }
        }
    }
    let mut text = String::new();
    values::write_json(&mut text, &applied);
    text.push('\n');
    let Some(Value::Object(map)) =
        object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
    else {
        return;
    };
    null_is_empty(map);
    map.insert(LAST_APPLIED.to_owned(), Value::String(text));
    let bytes: usize =
        map.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
    if bytes > ANNOTATIONS_BYTES_MAX {
        map.remove(LAST_APPLIED);
    }
}

/// The server reads a null annotation as an empty one.
fn null_is_empty(annotations: &mut Map<String, Value>) {
    for value in annotations.values_mut().filter(|value| value.is_null()) {
        *value = Value::String(String::new());
    }
}
