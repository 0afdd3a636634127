//! The smallest JSON merge patch (RFC 7386) between two values.

use serde_json::{Map, Value};

/// Returns the patch that turns `old` into `new`; `None` where they are equal.
///
/// A `null` in `new` cannot be told from an absent field, as the format has it.
pub fn merge_patch(old: &Value, new: &Value) -> Option<Value> {
    if old == new {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return Some(new.clone()) };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        match old.get(key) {
            None if value.is_null() => {}
            None => {
                patch.insert(key.clone(), value.clone());
            }
            Some(before) => {
                if let Some(change) = merge_patch(before, value) {
                    patch.insert(key.clone(), change);
                }
            }
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Prints a shape of the API.
pub(crate) fn as_value<T: serde::Serialize + ?Sized>(shape: &T) -> Value {
    serde_json::to_value(shape).expect("shapes of the API print as JSON")
}
