//! The seam to `merge`: patches on an object.

use serde_json::Value;

use crate::api::problem::Problem;
use crate::kinds::Kind;

/// A patch, by the rules that it follows.
pub enum Patch<'a> {
    /// RFC 6902.
    Json(&'a Value),
    /// RFC 7386.
    Merge(&'a Value),
    /// By the kind's patch keys.
    Strategic(&'a Value),
}

/// Returns the object patched.
///
/// # Errors
///
/// In the server's words, where the patch does not fit.
pub fn on(kind: &Kind, live: &Value, patch: Patch<'_>) -> Result<Value, Problem> {
    let _seam = kind;
    let mut object = live.clone();
    match patch {
        Patch::Json(_) => return Err(Problem::bad_request("not yet")),
        Patch::Merge(patch) | Patch::Strategic(patch) => merge(&mut object, patch),
    }
    Ok(object)
}

fn merge(object: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = object.as_object_mut() else { return };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(name);
        } else {
            merge(fields.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}
