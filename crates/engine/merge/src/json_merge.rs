//! JSON merge patch (RFC 7386): null removes, maps merge, everything else is replaced.

use serde_json::{Map, Value};

/// Why a patch is refused: the server answers 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonMergeError {
    /// The patch is neither a map nor a list.
    #[error("Invalid JSON Patch")]
    BadPatch,
}

/// Why a three-way patch cannot be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("patch:\n{patch}\nconflicts with changes made from original to current:\n{deleted}\n")]
pub struct ThreeWayConflict {
    /// What is to be set.
    pub patch: Value,
    /// What is to be removed at the same place.
    pub deleted: Value,
}

/// Applies a patch as the API server does.
///
/// # Errors
/// The patch is neither a map nor a list.
pub fn apply(target: &mut Value, patch: &Value) -> Result<(), JsonMergeError> {
    match (&mut *target, patch) {
        (Value::Object(target), Value::Object(patch)) => merge_maps(target, patch),
        (target, Value::Object(_) | Value::Array(_)) => *target = without_nulls(patch),
        _ => return Err(JsonMergeError::BadPatch),
    }
    Ok(())
}

fn merge_maps(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, theirs) in patch {
        match (target.get_mut(name), theirs) {
            (_, Value::Null) => {
                target.remove(name);
            }
            (Some(Value::Object(ours)), Value::Object(theirs)) => merge_maps(ours, theirs),
            // Where a map was, something else comes as it is, with the nulls in its lists.
            (Some(ours @ Value::Object(_)), theirs) => *ours = theirs.clone(),
            (_, theirs) => {
                target.insert(name.clone(), without_nulls(theirs));
            }
        }
    }
}

/// Returns a value without the fields that are null, also in the maps of lists; a list keeps
/// its own nulls.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| (name.clone(), without_nulls(value)))
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(without_nulls).collect()),
        other => other.clone(),
    }
}

/// Returns the patch that makes `modified` of `original`. Both are maps.
pub fn create(original: &Value, modified: &Value) -> Value {
    match (original, modified) {
        (Value::Object(original), Value::Object(modified)) => {
            Value::Object(diff(original, modified))
        }
        (_, modified) => modified.clone(),
    }
}

fn diff(original: &Map<String, Value>, modified: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, new) in modified {
        match (original.get(name), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let inside = diff(old, new);
                if !inside.is_empty() {
                    out.insert(name.clone(), Value::Object(inside));
                }
            }
            (Some(old), new) if crate::values::equal(old, new) => {}
            (_, new) => {
                out.insert(name.clone(), new.clone());
            }
        }
    }
    for name in original.keys().filter(|name| !modified.contains_key(*name)) {
        out.insert(name.clone(), Value::Null);
    }
    out
}

/// Returns the patch that brings `current` to `modified`, and removes what was in `original`
/// and is no more: what `kubectl apply` sends for kinds without strategic merge.
///
/// # Errors
/// The same place is to be set and to be removed.
pub fn create_three_way(
    original: &Value,
    modified: &Value,
    current: &Value,
) -> Result<Value, ThreeWayConflict> {
    let set = only(&create(current, modified), false);
    let deleted = only(&create(original, modified), true);
    if is_conflict(&set, &deleted) {
        return Err(ThreeWayConflict { patch: set, deleted });
    }
    let mut out = deleted;
    if let (Value::Object(out), Value::Object(set)) = (&mut out, &set) {
        merge_maps(out, set);
    }
    Ok(out)
}

/// Keeps of a patch what it removes, or what it sets.
fn only(patch: &Value, nulls: bool) -> Value {
    let Value::Object(map) = patch else { return patch.clone() };
    let kept = map.iter().filter_map(|(name, value)| {
        let kept = match value {
            Value::Null => nulls.then_some(Value::Null),
            // An empty map is a value, not a patch of nothing.
            Value::Object(inside) if inside.is_empty() => (!nulls).then(|| value.clone()),
            Value::Object(_) => {
                let inside = only(value, nulls);
                let is_empty = inside.as_object().is_some_and(Map::is_empty);
                (!is_empty).then_some(inside)
            }
            value => (!nulls).then(|| value.clone()),
        };
        Some((name.clone(), kept?))
    });
    Value::Object(kept.collect())
}

fn is_conflict(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => left
            .iter()
            .any(|(name, left)| right.get(name).is_some_and(|right| is_conflict(left, right))),
        (Value::Array(left), Value::Array(right)) => {
            left.len() != right.len()
                || left.iter().zip(right).any(|(left, right)| is_conflict(left, right))
        }
        (left, right) => left != right,
    }
}
