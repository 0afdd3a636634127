//! What an apply is made of, beside the object itself.
//!
//! Server-side apply deletes what its manager owns and wants no more, and only that. Two things
//! go before it so that what git drops is gone (see `docs/adr/`): what client-side applies own is
//! taken over, and so is what an earlier sync has set and somebody else wrote since.

use std::sync::Arc;

use manifest::annotation;
use merge::fields::{FieldSet, PathElement};
use merge::json_merge::ThreeWayConflict;
use merge::managed::{LAST_APPLIED, Operation, Owned, owners, set_owners};
use merge::schema::{Schema, TypeId};
use merge::strategic::StrategicError;
use merge::typed::{Duplicates, Typed};
use merge::{csa_upgrade, json_merge, strategic};
use serde_json::{Value, json};

/// The shape of an object's kind, where it is known.
pub type Shape<'a> = Option<(&'a Schema, TypeId)>;

/// Returns why the API server would refuse to apply the object on its side: a key twice in a list
/// that has keys, a field that the kind has not, a value of another type. `None`: it would take it.
pub fn refuses_server_side(target: &Value, shape: Shape<'_>) -> Option<String> {
    let (schema, type_id) = shape?;
    let problems = Typed::new(schema, type_id).validate(target, Duplicates::Refused).err()?;
    Some(problems.to_string())
}

/// Returns the JSON patch of `metadata.managedFields` that goes before a server-side apply, so that
/// the apply deletes
///
/// - what the client-side manager `migrate_from`, or we ourselves client-side, own and `target` has not;
/// - what `previous` or the last-applied annotation has and `target` has not, whoever wrote it since.
///
/// `None`: nothing stands in the way. The patch bears the object's version: where somebody wrote in
/// between it is refused as a conflict.
pub fn take_over(
    live: &Value,
    target: &Value,
    previous: &[Arc<Value>],
    manager: &str,
    migrate_from: Option<&str>,
    shape: Shape<'_>,
) -> Option<Value> {
    let mut upgraded = live.clone();
    let mut from: Vec<&str> = vec![manager];
    if let Some(named) = migrate_from {
        from.push(named);
        from.extend(csa_upgrade::client_side_managers(live));
    }
    from.sort_unstable();
    from.dedup();
    // Entries that do not parse are the server's to mend; nothing is taken over then.
    csa_upgrade::upgrade(&mut upgraded, &from, manager, "").ok()?;
    if let Some((schema, type_id)) = shape {
        let dropped =
            dropped(live, target, previous, migrate_from.is_some(), Typed::new(schema, type_id));
        if !dropped.is_empty() {
            claim(&mut upgraded, &dropped, manager, manifest::api_version(target))?;
        }
    }
    let entries = |object: &Value| object.pointer("/metadata/managedFields").cloned();
    let (before, after) = (entries(live), entries(&upgraded));
    if before == after {
        return None;
    }
    Some(json!([
        {
            "op": if before.is_some() { "replace" } else { "add" },
            "path": "/metadata/managedFields",
            "value": after.unwrap_or_else(|| json!([{}])),
        },
        {
            "op": "replace",
            "path": "/metadata/resourceVersion",
            "value": manifest::resource_version(live),
        },
    ]))
}

/// Returns the live fields that earlier applies have set and that are wanted no more.
fn dropped(
    live: &Value,
    target: &Value,
    previous: &[Arc<Value>],
    client_side: bool,
    typed: Typed<'_>,
) -> FieldSet {
    let mut once = FieldSet::default();
    for object in previous {
        once.absorb(&typed.field_set(&bare(object)));
    }
    if client_side && let Some(text) = annotation(live, LAST_APPLIED) {
        if let Ok(applied) = serde_json::from_str::<Value>(text) {
            once.absorb(&typed.field_set(&bare(&applied)));
        }
        once.insert(&[
            PathElement::field("metadata"),
            PathElement::field("annotations"),
            PathElement::field(LAST_APPLIED),
        ]);
    }
    if once.is_empty() {
        return once;
    }
    once.difference(&typed.field_set(target)).intersection(&typed.field_set(&bare(live)))
}

/// The object without what nobody can give up: its name, and what the server writes.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        for field in ["apiVersion", "kind", "status"] {
            fields.remove(field);
        }
    }
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in [
            "name",
            "namespace",
            "generateName",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "managedFields",
            "selfLink",
        ] {
            metadata.remove(field);
        }
        let empty = metadata.is_empty();
        if empty && let Some(fields) = object.as_object_mut() {
            fields.remove("metadata");
        }
    }
    object
}

/// Makes `fields` ours alone.
fn claim(object: &mut Value, fields: &FieldSet, manager: &str, api_version: &str) -> Option<()> {
    let mut all = owners(object).ok()?;
    let mut ours = false;
    for owned in all.iter_mut().filter(|owned| owned.subresource.is_empty()) {
        if owned.manager == manager && owned.operation == Operation::Apply {
            if !fields.is_subset(&owned.fields) {
                owned.fields.absorb(fields);
            }
            ours = true;
        } else {
            owned.fields.recursive_subtract(fields);
        }
    }
    if !ours {
        all.push(Owned {
            manager: manager.to_owned(),
            operation: Operation::Apply,
            subresource: String::new(),
            api_version: api_version.to_owned(),
            time_s: None,
            fields: fields.clone(),
        });
    }
    all.retain(|owned| !owned.fields.is_empty());
    let before = owners(object).ok()?;
    let same = before.len() == all.len()
        && before.iter().zip(&all).all(|(a, b)| a.manager == b.manager && a.fields == b.fields);
    if !same {
        set_owners(object, all);
    }
    Some(())
}

/// Why there is no patch for a client-side apply.
#[derive(Debug, thiserror::Error)]
pub enum ClientPatchError {
    /// By the kind's own merge keys.
    #[error("the object cannot be merged with what is live: {0}")]
    Strategic(#[from] StrategicError),
    /// Field by field.
    #[error("the object cannot be merged with what is live: {0}")]
    Merge(#[from] ThreeWayConflict),
}

/// kubectl's patch of a client-side apply.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientPatch {
    /// Whether the patch is a strategic one; a JSON merge patch otherwise.
    pub strategic: bool,
    /// What changes.
    pub patch: Value,
}

/// Returns the object with what it is written down in the annotation that client-side applies compare with.
pub fn with_last_applied(target: &Value) -> Value {
    let mut object = target.clone();
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    if let Some(annotations) = annotations {
        annotations.remove(LAST_APPLIED);
    }
    // As kubectl writes it, down to the line's end.
    let text = format!("{object}\n");
    manifest::set_annotation(&mut object, LAST_APPLIED, &text);
    object
}

/// Returns what a client-side apply changes of the live object; `None`: nothing.
///
/// Strategic where the kind's lists have merge keys for patches (built-in kinds), as kubectl does.
///
/// # Errors
///
/// [`ClientPatchError`] where the three objects cannot be merged.
pub fn client_side_patch(
    target: &Value,
    live: &Value,
    strategic_shape: Shape<'_>,
) -> Result<Option<ClientPatch>, ClientPatchError> {
    let original = annotation(live, LAST_APPLIED)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| json!({}));
    let modified = with_last_applied(target);
    let (strategic, patch) = match strategic_shape {
        Some((schema, type_id)) => {
            let patch =
                strategic::create_three_way(&original, &modified, live, schema, type_id, true)?;
            (true, patch)
        }
        None => (false, json_merge::create_three_way(&original, &modified, live)?),
    };
    let nothing = patch.as_object().is_some_and(serde_json::Map::is_empty);
    Ok((!nothing).then_some(ClientPatch { strategic, patch }))
}
