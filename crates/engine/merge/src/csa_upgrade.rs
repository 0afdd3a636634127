//! Handing what client-side apply owned over to server-side apply.
//!
//! Without it, a field that was applied client-side and is dropped later stays: its old
//! manager still owns it. The same is done by `kubectl apply --server-side`.

use serde_json::Value;

use crate::fields::{FieldSet, FieldsError};
use crate::managed::LAST_APPLIED;

/// Gives the entries of `csa_managers` (that update) to `ssa_manager` (that applies).
/// Returns whether anything changed. The order of entries stays.
///
/// # Errors
/// An entry's fields do not parse; the object is as it was.
pub fn upgrade(
    object: &mut Value,
    csa_managers: &[&str],
    ssa_manager: &str,
    subresource: &str,
) -> Result<bool, FieldsError> {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else { return Ok(false) };
    let Some(Value::Array(entries)) = metadata.get("managedFields") else { return Ok(false) };
    let mut upgraded = entries.clone();
    for csa_manager in csa_managers {
        upgraded = upgrade_one(upgraded, csa_manager, ssa_manager, subresource)?;
    }
    if *entries == upgraded {
        return Ok(false);
    }
    match upgraded.is_empty() {
        true => metadata.remove("managedFields"),
        false => metadata.insert("managedFields".to_owned(), Value::Array(upgraded)),
    };
    Ok(true)
}

/// Returns the managers that own the annotation of client-side apply by updates.
pub fn client_side_managers(object: &Value) -> Vec<&str> {
    let last_applied = format!("f:{LAST_APPLIED}");
    let entries = object.get("metadata").and_then(|metadata| metadata.get("managedFields"));
    let entries = entries.and_then(Value::as_array).into_iter().flatten();
    entries
        .filter(|entry| {
            let annotations = entry.get("fieldsV1").and_then(|fields| {
                fields.get("f:metadata").and_then(|metadata| metadata.get("f:annotations"))
            });
            entry.get("operation").and_then(Value::as_str) == Some("Update")
                && annotations.is_some_and(|annotations| annotations.get(&last_applied).is_some())
        })
        .filter_map(|entry| entry.get("manager").and_then(Value::as_str))
        .collect()
}

fn upgrade_one(
    mut entries: Vec<Value>,
    csa_manager: &str,
    ssa_manager: &str,
    subresource: &str,
) -> Result<Vec<Value>, FieldsError> {
    let is = |entry: &Value, manager: &str, operation: &str| {
        text(entry, "manager") == manager
            && text(entry, "operation") == operation
            && text(entry, "subresource") == subresource
    };
    let applier = entries.iter().position(|entry| is(entry, ssa_manager, "Apply"));
    let at = match applier {
        Some(at) => at,
        None => {
            let Some(at) = entries.iter().position(|entry| is(entry, csa_manager, "Update")) else {
                return Ok(entries);
            };
            if let Value::Object(entry) = &mut entries[at] {
                entry.insert("operation".to_owned(), "Apply".into());
                entry.insert("manager".to_owned(), ssa_manager.into());
            }
            at
        }
    };
    // Only of the same version; what was written at others is forgotten.
    let same_version = entries.iter().find(|entry| {
        is(entry, csa_manager, "Update")
            && text(entry, "apiVersion") == text(&entries[at], "apiVersion")
    });
    let mut fields = fields_of(&entries[at])?;
    if let Some(entry) = same_version {
        fields.absorb(&fields_of(entry)?);
    }
    if let Value::Object(entry) = &mut entries[at] {
        entry.insert("fieldsV1".to_owned(), fields.to_v1());
    }
    entries.retain(|entry| !is(entry, csa_manager, "Update"));
    Ok(entries)
}

fn text<'e>(entry: &'e Value, name: &str) -> &'e str {
    entry.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn fields_of(entry: &Value) -> Result<FieldSet, FieldsError> {
    entry.get("fieldsV1").map_or(Ok(FieldSet::default()), FieldSet::from_v1)
}
