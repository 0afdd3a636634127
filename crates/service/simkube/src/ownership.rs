//! The seam to `merge::managed`: who owns which field.

use serde_json::Value;

use crate::api::problem::Problem;
use crate::kinds::Kind;

/// Who writes, and through which door.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The field manager.
    pub manager: &'a str,
    /// `""` on the main endpoint.
    pub subresource: &'a str,
    /// RFC 3339, whole seconds, `Z`.
    pub now: &'a str,
}

/// Returns `new` with the managed fields that a plain write leaves behind.
pub fn update(kind: &Kind, live: Option<&Value>, new: Value, writer: &Writer<'_>) -> Value {
    let _seam = (kind, live, writer);
    new
}

/// Returns the object as an apply leaves it.
///
/// # Errors
///
/// 409 where another manager owns a field, unless forced.
pub fn apply(
    kind: &Kind,
    live: Option<&Value>,
    patch: &Value,
    force: bool,
    writer: &Writer<'_>,
) -> Result<Value, Problem> {
    let _seam = (kind, force, writer);
    let mut object = live.cloned().unwrap_or(Value::Null);
    overlay(&mut object, patch);
    Ok(object)
}

fn overlay(object: &mut Value, patch: &Value) {
    match (object, patch) {
        (Value::Object(object), Value::Object(patch)) => {
            for (name, value) in patch {
                overlay(object.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (object, patch) => *object = patch.clone(),
    }
}

/// Puts old timestamps back where nothing but timestamps changed.
pub fn keep_times_of_no_change(old: &Value, new: &mut Value) {
    let _seam = (old, new);
}
