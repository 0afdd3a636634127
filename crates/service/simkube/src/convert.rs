//! Between the version in which an object is kept and the one in which it is served.
//!
//! Almost all kinds have one version. A custom resource changes nothing but its
//! `apiVersion` (conversion `None`), and is read through its kind's present definition, whichever
//! it was written under; horizontal pod autoscalers and events change their shape.

mod autoscalers;

pub use autoscalers::has_carriers;

use serde_json::{Map, Value, json};

use crate::api::problem::Problem;
use crate::crds;
use crate::kinds::Kind;

/// Returns whether what is kept is what is served.
pub fn is_stored_as(kind: &Kind) -> bool {
    kind.version_is_stored() && !kind.was_redefined()
}

/// Turns an object as kept into one as served.
///
/// # Errors
///
/// 500 where the versions cannot be converted.
pub fn out(kind: &Kind, object: Value) -> Result<Value, Problem> {
    if is_stored_as(kind) {
        return Ok(object);
    }
    let Some(definition) = &kind.definition else {
        return between(object, &kind.api_version());
    };
    // It is read as what it was kept as, and loses what the version of the request does not know:
    // nothing is filled in that only this one has.
    let mut object = object;
    let metadata = object.get_mut("metadata").map(Value::take).unwrap_or_default();
    let (_, kept_as) = manifest::split_api_version(manifest::api_version(&object));
    let is_other = kept_as != kind.version;
    if let Some(version) = definition.version(kept_as) {
        version.schema.prune(&mut object);
        version.schema.default(&mut object);
    }
    object["apiVersion"] = json!(kind.api_version());
    if let Some(schema) = crds::schema_of(kind).filter(|_| is_other) {
        schema.prune(&mut object);
    }
    object["metadata"] = metadata;
    Ok(object)
}

/// Returns an object as it is served once it is kept.
///
/// # Errors
///
/// 500 where the versions cannot be converted.
pub fn as_read_back(kind: &Kind, object: Value) -> Result<Value, Problem> {
    if is_stored_as(kind) {
        return Ok(object);
    }
    let (stored, _) = into_stored(kind, object)?;
    out(kind, stored)
}

/// Puts back what carries an autoscaler's status in its annotations.
pub fn keep_carried_status(old: &Value, new: &mut Value) {
    const CARRIERS: [&str; 2] = [
        "autoscaling.alpha.kubernetes.io/current-metrics",
        "autoscaling.alpha.kubernetes.io/conditions",
    ];
    for carrier in CARRIERS {
        match manifest::annotation(old, carrier) {
            Some(carried) => manifest::set_annotation(new, carrier, carried),
            None => {
                let annotations = new.pointer_mut("/metadata/annotations");
                if let Some(annotations) = annotations.and_then(Value::as_object_mut) {
                    annotations.remove(carrier);
                }
            }
        }
    }
    if new["metadata"]["annotations"].as_object().is_some_and(Map::is_empty)
        && let Some(metadata) = new["metadata"].as_object_mut()
    {
        metadata.remove("annotations");
    }
}

/// Turns an object as served into one as kept; answers, too, whether it will be read with more in it than
/// was written.
///
/// # Errors
///
/// 500 where the versions cannot be converted.
pub fn into_stored(kind: &Kind, object: Value) -> Result<(Value, bool), Problem> {
    if is_stored_as(kind) {
        return Ok((object, false));
    }
    let Some(definition) = &kind.definition else {
        return Ok((between(object, &kind.storage_version)?, false));
    };
    let mut object = object;
    object["apiVersion"] = json!(kind.storage_version);
    let Some(version) = definition.parsed.storage() else { return Ok((object, false)) };
    let metadata = object.get_mut("metadata").map(Value::take).unwrap_or_default();
    version.schema.prune(&mut object);
    let written = object.clone();
    version.schema.default(&mut object);
    let has_more = object != written;
    object["metadata"] = metadata;
    Ok((object, has_more))
}

/// Turns an object into the same one at another version of its kind.
///
/// # Errors
///
/// 500 where the versions cannot be converted.
pub fn between(mut object: Value, api_version: &str) -> Result<Value, Problem> {
    let from = manifest::api_version(&object).to_owned();
    if from == api_version {
        return Ok(object);
    }
    let mut carried = Vec::new();
    match (manifest::kind(&object), from.as_str(), api_version) {
        ("HorizontalPodAutoscaler", "autoscaling/v2", "autoscaling/v1") => {
            carried = autoscalers::to_v1(&mut object);
        }
        ("HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v2") => {
            autoscalers::to_v2(&mut object);
        }
        ("Event", "v1", "events.k8s.io/v1") => event_to_new(&mut object),
        ("Event", "events.k8s.io/v1", "v1") => event_to_core(&mut object),
        _ => {}
    }
    object["apiVersion"] = json!(api_version);
    let gvk = manifest::gvk(&object);
    // What the other version always writes, or never, follows from its own shape.
    if let Ok(read) = kubetypes::roundtrip(crate::types::tables(), &gvk, &object) {
        object = read.object;
        object["apiVersion"] = json!(api_version);
        object["kind"] = json!(gvk.kind);
    }
    for (name, text) in carried {
        manifest::set_annotation(&mut object, name, &text);
    }
    Ok(object)
}

/// Core name, name in `events.k8s.io`.
const EVENT_FIELDS: &[(&str, &str)] = &[
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("reportingComponent", "reportingController"),
    ("count", "deprecatedCount"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("source", "deprecatedSource"),
];

fn event_to_new(object: &mut Value) {
    rename(object, EVENT_FIELDS.iter().copied());
}

fn event_to_core(object: &mut Value) {
    rename(object, EVENT_FIELDS.iter().map(|(core, new)| (*new, *core)));
}

fn rename<'a>(object: &mut Value, names: impl Iterator<Item = (&'a str, &'a str)>) {
    let Some(fields) = object.as_object_mut() else { return };
    let mut renamed = Map::new();
    for (from, to) in names {
        if let Some(value) = fields.remove(from) {
            renamed.insert(to.to_owned(), value);
        }
    }
    fields.append(&mut renamed);
}
