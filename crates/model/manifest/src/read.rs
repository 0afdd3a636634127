//! Reading and setting what every object has.
//!
//! A field that is absent or of another type reads as empty: an object that came from a
//! person may be anything, and whoever must refuse it does so by name elsewhere.

use serde_json::{Map, Value};

use crate::key::{Gvk, ObjectKey};

/// Returns a string inside `metadata`, or `""`.
fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|meta| meta.get(field)).and_then(Value::as_str).unwrap_or("")
}

/// Returns `apiVersion`, or `""`.
pub fn api_version(object: &Value) -> &str {
    object.get("apiVersion").and_then(Value::as_str).unwrap_or("")
}

/// Returns `kind`, or `""`.
pub fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or("")
}

/// Returns the object's kind at its version.
pub fn gvk(object: &Value) -> Gvk {
    Gvk::from_api_version(api_version(object), kind(object))
}

/// Returns the object's name, or `""`.
pub fn name(object: &Value) -> &str {
    meta(object, "name")
}

/// Returns the object's namespace, or `""`.
pub fn namespace(object: &Value) -> &str {
    meta(object, "namespace")
}

/// Returns the object's unique id, or `""`.
pub fn uid(object: &Value) -> &str {
    meta(object, "uid")
}

/// Returns the version that the cluster last wrote, or `""`.
pub fn resource_version(object: &Value) -> &str {
    meta(object, "resourceVersion")
}

/// Returns the generation of the spec, or 0.
pub fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0)
}

/// Returns what the object is called.
pub fn key_of(object: &Value) -> ObjectKey {
    let gvk = gvk(object);
    ObjectKey::new(gvk.group, gvk.kind, namespace(object), name(object))
}

/// Returns the labels, where there are any.
pub fn labels(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.get("labels")?.as_object()
}

/// Returns one label.
pub fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    labels(object)?.get(key)?.as_str()
}

/// Returns the annotations, where there are any.
pub fn annotations(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.get("annotations")?.as_object()
}

/// Returns one annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    annotations(object)?.get(key)?.as_str()
}

/// Sets one annotation; `metadata` and `annotations` are made where they are missing.
pub fn set_annotation(object: &mut Value, key: &str, value: &str) {
    set_in_metadata(object, "annotations", key, value);
}

/// Sets one label; `metadata` and `labels` are made where they are missing.
pub fn set_label(object: &mut Value, key: &str, value: &str) {
    set_in_metadata(object, "labels", key, value);
}

/// Sets the namespace.
pub fn set_namespace(object: &mut Value, namespace: &str) {
    if let Some(metadata) = child(object, "metadata") {
        metadata.insert("namespace".into(), namespace.into());
    }
}

fn set_in_metadata(object: &mut Value, field: &str, key: &str, value: &str) {
    let Some(metadata) = child(object, "metadata") else { return };
    let entry = metadata.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    if let Some(map) = entry.as_object_mut() {
        map.insert(key.into(), value.into());
    }
}

fn child<'a>(object: &'a mut Value, field: &str) -> Option<&'a mut Map<String, Value>> {
    let entry = object.as_object_mut()?.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    entry.as_object_mut()
}

/// Who owns an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerReference {
    /// The owner's API version.
    pub api_version: String,
    /// The owner's kind.
    pub kind: String,
    /// The owner's name; it stands in the same namespace, or in none.
    pub name: String,
    /// The owner's unique id.
    pub uid: String,
    /// Whether the owner manages this object.
    pub controller: bool,
    /// Whether a foreground deletion of the owner waits for this object.
    pub block_owner_deletion: bool,
}

/// Returns the object's owners, in their order.
pub fn owner_references(object: &Value) -> Vec<OwnerReference> {
    let text = |owner: &Value, field: &str| {
        owner.get(field).and_then(Value::as_str).unwrap_or("").to_owned()
    };
    let flag =
        |owner: &Value, field: &str| owner.get(field).and_then(Value::as_bool).unwrap_or(false);
    object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|owner| OwnerReference {
            api_version: text(owner, "apiVersion"),
            kind: text(owner, "kind"),
            name: text(owner, "name"),
            uid: text(owner, "uid"),
            controller: flag(owner, "controller"),
            block_owner_deletion: flag(owner, "blockOwnerDeletion"),
        })
        .collect()
}
