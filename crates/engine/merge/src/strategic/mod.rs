//! Strategic merge patch: a merge patch that knows which lists have keys.
//!
//! [`apply`] is what the server does with one. [`create_two_way`] and [`create_three_way`]
//! make one, as `kubectl apply` does: what the new configuration adds or changes against what
//! is there, and what it drops against what was applied before.

mod apply;
mod conflicts;
mod diff;
mod lookup;
mod order;

use serde_json::{Map, Value};

use crate::schema::{Schema, TypeId};
use crate::strategic::apply::{Merge, merge_map};
use crate::strategic::diff::{Diff, diff_maps};
use crate::strategic::lookup::At;

/// What a map in a patch does as a whole: `delete`, `replace`, `merge`.
pub(crate) const DIRECTIVE: &str = "$patch";
/// The fields that stay beside those that the patch sets.
pub(crate) const RETAIN_KEYS: &str = "$retainKeys";
/// What goes from a list of scalars: `$deleteFromPrimitiveList/<field>`.
pub(crate) const DELETE_FROM: &str = "$deleteFromPrimitiveList";
/// In what order a list stands: `$setElementOrder/<field>`.
pub(crate) const ELEMENT_ORDER: &str = "$setElementOrder";

/// Why a patch cannot be applied or made. Messages are upstream's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StrategicError {
    /// The patch is none: the server answers 400.
    #[error("{0}")]
    BadPatch(String),
    /// The patch does not fit: the server answers 422.
    #[error("{0}")]
    Unprocessable(String),
    /// Something in the objects or the patch is not as its type says: the server answers 500.
    #[error("{0}")]
    Failed(String),
    /// Without overwriting: what the patch changes has been changed by others.
    #[error("patch:\n{patch}\nconflicts with changes made from original to current:\n{changed}\n")]
    Conflict {
        /// The patch.
        patch: Value,
        /// What others changed.
        changed: Value,
    },
}

/// Returns `original` with `patch` applied, as the API server applies it.
pub fn apply(
    original: &Value,
    patch: &Value,
    schema: &Schema,
    type_id: TypeId,
) -> Result<Value, StrategicError> {
    let (original, patch) = (map_of(original)?, map_of(patch)?);
    let how = Merge { is_patch_on_patch: false };
    Ok(Value::Object(merge_map(original.clone(), patch.clone(), At { schema, type_id }, how)?))
}

/// Returns the patch that makes `modified` of `original`.
pub fn create_two_way(
    original: &Value,
    modified: &Value,
    schema: &Schema,
    type_id: TypeId,
) -> Result<Value, StrategicError> {
    let (original, modified) = (map_of(original)?, map_of(modified)?);
    let how = Diff { element_order: true, ..Diff::default() };
    Ok(Value::Object(diff_maps(original, modified, At { schema, type_id }, how)?))
}

/// Returns the patch that brings `current` to `modified`, and removes what was in `original`
/// and is no more.
///
/// # Errors
/// Without `overwrite`, also a conflict where others have changed what the patch changes.
pub fn create_three_way(
    original: &Value,
    modified: &Value,
    current: &Value,
    schema: &Schema,
    type_id: TypeId,
    overwrite: bool,
) -> Result<Value, StrategicError> {
    let at = At { schema, type_id };
    let (original, modified, current) = (map_of(original)?, map_of(modified)?, map_of(current)?);
    let additions = Diff { element_order: true, ignore_deletions: true, ..Diff::default() };
    let deletions = Diff { element_order: true, ignore_additions: true, ..Diff::default() };
    let delta = diff_maps(current, modified, at, additions)?;
    let gone = diff_maps(original, modified, at, deletions)?;
    let patch = merge_map(gone, delta, at, Merge { is_patch_on_patch: true })?;
    if !overwrite {
        let changed = diff_maps(original, current, at, Diff::default())?;
        if conflicts::in_maps(&patch, &changed, at)? {
            let (patch, changed) = (Value::Object(patch), Value::Object(changed));
            return Err(StrategicError::Conflict { patch, changed });
        }
    }
    Ok(Value::Object(patch))
}

fn map_of(value: &Value) -> Result<&Map<String, Value>, StrategicError> {
    value.as_object().ok_or_else(|| StrategicError::BadPatch("invalid JSON document".to_owned()))
}
