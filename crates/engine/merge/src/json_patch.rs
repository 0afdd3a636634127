//! JSON patch (RFC 6902), with the liberties that the API server takes.
//!
//! `replace` of a field that is not there adds it, a missing `value` is null, negative
//! indices count from the end, and what stands before a path's first `/` is not looked at.

use serde_json::{Map, Value};

use crate::values;

/// The most operations that one patch may have.
const OPERATIONS_MAX: usize = 10_000;

/// Why a patch is refused. Messages are upstream's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    /// It is no patch: the server answers 400.
    #[error("{0}")]
    Decode(String),
    /// It has too many operations: the server answers 413.
    #[error("The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {0}")]
    TooMany(usize),
    /// An operation does not apply: the server answers 422.
    #[error("{0}")]
    Apply(String),
}

/// Returns `document` with `patch` applied.
pub fn apply(document: &Value, patch: &Value) -> Result<Value, JsonPatchError> {
    let operations = decode(patch)?;
    if operations.len() > OPERATIONS_MAX {
        return Err(JsonPatchError::TooMany(operations.len()));
    }
    let mut document = document.clone();
    for operation in operations {
        carry_out(&mut document, operation).map_err(JsonPatchError::Apply)?;
    }
    Ok(document)
}

/// Returns what a strict reader complains of: fields that no operation has, as in
/// `unknown field "[0].foo"`.
pub fn unknown_fields(patch: &Value) -> Vec<String> {
    let of_operation = |(at, operation): (usize, &Value)| {
        let names = operation.as_object().into_iter().flat_map(Map::keys);
        let unknown =
            names.filter(|name| !matches!(name.as_str(), "op" | "path" | "from" | "value"));
        unknown.map(|name| format!("unknown field \"[{at}].{name}\"")).collect::<Vec<_>>()
    };
    let operations = patch.as_array().into_iter().flatten();
    operations.enumerate().flat_map(of_operation).collect()
}

fn decode(patch: &Value) -> Result<Vec<Option<&Map<String, Value>>>, JsonPatchError> {
    let refuse = |value: &Value, what: &str| {
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        JsonPatchError::Decode(format!(
            "json: cannot unmarshal {kind} into Go value of type jsonpatch.{what}"
        ))
    };
    let operations = match patch {
        Value::Array(operations) => operations.as_slice(),
        Value::Null => &[],
        other => return Err(refuse(other, "Patch")),
    };
    operations
        .iter()
        .map(|operation| match operation {
            Value::Object(operation) => Ok(Some(operation)),
            Value::Null => Ok(None),
            other => Err(refuse(other, "Operation")),
        })
        .collect()
}

const MISSING: &str = "missing value";

fn carry_out(document: &mut Value, operation: Option<&Map<String, Value>>) -> Result<(), String> {
    let nothing = Map::new();
    let operation = operation.unwrap_or(&nothing);
    let kind = operation.get("op").and_then(Value::as_str).unwrap_or("unknown");
    let path = || text(operation, "path", "operation missing path field");
    let from = || text(operation, "from", "operation, missing from field");
    let value = || operation.get("value").cloned().unwrap_or(Value::Null);
    match kind {
        "add" => {
            let path =
                path().map_err(|_| format!("add operation failed to decode path: {MISSING}"))?;
            let (parent, key) = parent_of(document, path).ok_or_else(|| {
                format!("add operation does not apply: doc is missing path: \"{path}\": {MISSING}")
            })?;
            add(parent, &key, value())
                .map_err(|reason| format!("error in add for path: '{path}': {reason}"))
        }
        "remove" => {
            let path =
                path().map_err(|_| format!("remove operation failed to decode path: {MISSING}"))?;
            let (parent, key) = parent_of(document, path).ok_or_else(|| {
                format!(
                    "remove operation does not apply: doc is missing path: \"{path}\": {MISSING}"
                )
            })?;
            remove(parent, &key)
                .map_err(|reason| format!("error in remove for path: '{path}': {reason}"))
                .map(|_| ())
        }
        "replace" => {
            let path = path()
                .map_err(|reason| format!("replace operation failed to decode path: {reason}"))?;
            replace(document, path, value())
        }
        "move" => {
            let from = from()
                .map_err(|reason| format!("move operation failed to decode from: {reason}"))?;
            let (parent, key) = parent_of(document, from).ok_or_else(|| {
                format!(
                    "move operation does not apply: doc is missing from path: {from}: {MISSING}"
                )
            })?;
            let moved = remove(parent, &key)
                .map_err(|reason| format!("error in move for path: '{key}': {reason}"))?;
            let path = path()
                .map_err(|reason| format!("move operation failed to decode path: {reason}"))?;
            let (parent, key) = parent_of(document, path).ok_or_else(|| {
                format!("move operation does not apply: doc is missing destination path: {path}: {MISSING}")
            })?;
            add(parent, &key, moved)
                .map_err(|reason| format!("error in move for path: '{path}': {reason}"))
        }
        "copy" => {
            let from = from()
                .map_err(|reason| format!("copy operation failed to decode from: {reason}"))?;
            let (parent, key) = parent_of(document, from).ok_or_else(|| {
                format!(
                    "copy operation does not apply: doc is missing from path: {from}: {MISSING}"
                )
            })?;
            let copied = get(parent, &key)
                .map_err(|reason| format!("error in copy for from: '{from}': {reason}"))?
                .clone();
            let path =
                path().map_err(|_| format!("copy operation failed to decode path: {MISSING}"))?;
            let (parent, key) = parent_of(document, path).ok_or_else(|| {
                format!("copy operation does not apply: doc is missing destination path: {path}: {MISSING}")
            })?;
            add(parent, &key, copied)
                .map_err(|reason| format!("error while adding value during copy: {reason}"))
        }
        "test" => {
            let path = path()
                .map_err(|reason| format!("test operation failed to decode path: {reason}"))?;
            test(document, path, &value())
        }
        other => Err(format!("Unexpected kind: {other}")),
    }
}

fn text<'o>(
    operation: &'o Map<String, Value>,
    name: &str,
    missing: &str,
) -> Result<&'o str, String> {
    match operation.get(name) {
        Some(Value::String(text)) => Ok(text),
        None | Some(Value::Null) => Err(format!("{missing}: {MISSING}")),
        Some(other) => {
            let kind = match other {
                Value::Object(_) => "object",
                Value::Array(_) => "array",
                Value::Bool(_) => "bool",
                _ => "number",
            };
            Err(format!("json: cannot unmarshal {kind} into Go value of type string"))
        }
    }
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        if !(value.is_object() || value.is_array()) {
            return Err("replace operation value must be object or array: %!w(<nil>)".to_owned());
        }
        *document = value;
        return Ok(());
    }
    let (parent, key) = parent_of(document, path).ok_or_else(|| {
        format!("replace operation does not apply: doc is missing path: {path}: {MISSING}")
    })?;
    match parent {
        Value::Object(map) => {
            map.insert(key, value);
        }
        Value::Array(items) => {
            let at = place(&key, items.len()).map_err(|_| {
                format!("replace operation does not apply: doc is missing key: {path}: {MISSING}")
            })?;
            items[at] = value;
        }
        _ => {}
    }
    Ok(())
}

fn test(document: &mut Value, path: &str, wanted: &Value) -> Result<(), String> {
    let found = match path {
        "" => &*document,
        path => {
            let (parent, key) = parent_of(document, path).ok_or_else(|| {
                format!("test operation does not apply: is missing path: {path}: {MISSING}")
            })?;
            get(parent, &key)
                .map_err(|reason| format!("error in test for path: '{path}': {reason}"))?
        }
    };
    match found == wanted {
        true => Ok(()),
        false => Err(format!("testing value {path} failed: test failed")),
    }
}

/// Returns the map or list in which a path ends, and the path's last step.
fn parent_of<'d>(document: &'d mut Value, path: &str) -> Option<(&'d mut Value, String)> {
    let (_, path) = path.split_once('/')?;
    let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
    let (before, last) = match path.rsplit_once('/') {
        Some((before, last)) => (Some(before), last),
        None => (None, path),
    };
    let mut at = document;
    for step in before.into_iter().flat_map(|before| before.split('/')) {
        let step = unescape(step);
        at = match at {
            Value::Object(map) => map.get_mut(&step)?,
            Value::Array(items) => {
                let place = place(&step, items.len()).ok()?;
                &mut items[place]
            }
            _ => return None,
        };
    }
    (at.is_object() || at.is_array()).then(|| (at, unescape(last)))
}

fn get<'d>(parent: &'d Value, key: &str) -> Result<&'d Value, String> {
    match parent {
        Value::Array(items) => Ok(&items[place(key, items.len())?]),
        parent => Ok(parent.get(key).unwrap_or(&Value::Null)),
    }
}

fn add(parent: &mut Value, key: &str, value: Value) -> Result<(), String> {
    match parent {
        Value::Object(map) => {
            map.insert(key.to_owned(), value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let length = items.len() + 1;
            let at = place(key, length).map_err(|reason| match key.parse::<i64>() {
                Ok(_) => reason,
                Err(_) => format!("value was not a proper array index: '{key}': {reason}"),
            })?;
            items.insert(at, value);
        }
        _ => {}
    }
    Ok(())
}

fn remove(parent: &mut Value, key: &str) -> Result<Value, String> {
    match parent {
        Value::Object(map) => map
            .remove(key)
            .ok_or_else(|| format!("Unable to remove nonexistent key: {key}: {MISSING}")),
        Value::Array(items) => {
            let at = place(key, items.len())?;
            Ok(items.remove(at))
        }
        _ => Ok(Value::Null),
    }
}

/// Returns the place that an index names among `length`; a negative one counts from the end.
fn place(key: &str, length: usize) -> Result<usize, String> {
    let index: i64 = key.parse().map_err(|_| {
        let is_number = key.trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit())
            && key.bytes().any(|b| b.is_ascii_digit());
        let reason = if is_number { "value out of range" } else { "invalid syntax" };
        format!("strconv.Atoi: parsing {}: {reason}", values::quote(key))
    })?;
    let from_start = if index < 0 { index + length as i64 } else { index };
    usize::try_from(from_start)
        .ok()
        .filter(|at| *at < length)
        .ok_or_else(|| format!("Unable to access invalid index: {index}: invalid index referenced"))
}
