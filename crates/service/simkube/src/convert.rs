//! Between the version in which an object is kept and the one in which it is served.
//!
//! Almost all kinds have one version. A custom resource changes nothing but its
//! `apiVersion` (conversion `None`), and is read through its kind's present definition, whichever
//! it was written under; horizontal pod autoscalers and events change their shape.

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
    let mut object = between(object, &kind.api_version())?;
    if let Some(schema) = crds::schema_of(kind) {
        let metadata = object.get_mut("metadata").map(Value::take).unwrap_or_default();
        schema.prune(&mut object);
        schema.default(&mut object);
        object["metadata"] = metadata;
    }
    Ok(object)
}

/// Turns an object as served into one as kept.
///
/// # Errors
///
/// 500 where the versions cannot be converted.
pub fn into_stored(kind: &Kind, object: Value) -> Result<Value, Problem> {
    if is_stored_as(kind) {
        return Ok(object);
    }
    between(object, &kind.storage_version)
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
    match (manifest::kind(&object), from.as_str(), api_version) {
        ("HorizontalPodAutoscaler", "autoscaling/v2", "autoscaling/v1") => {
            autoscaler_to_v1(&mut object)
        }
        ("HorizontalPodAutoscaler", "autoscaling/v1", "autoscaling/v2") => {
            autoscaler_to_v2(&mut object)
        }
        ("Event", "v1", "events.k8s.io/v1") => event_to_new(&mut object),
        ("Event", "events.k8s.io/v1", "v1") => event_to_core(&mut object),
        _ => {}
    }
    object["apiVersion"] = json!(api_version);
    let gvk = manifest::gvk(&object);
    // What the other version always writes, or never, follows from its own shape.
    match kubetypes::roundtrip(crate::types::tables(), &gvk, &object) {
        Ok(read) => {
            let mut object = read.object;
            object["apiVersion"] = json!(api_version);
            object["kind"] = json!(gvk.kind);
            Ok(object)
        }
        Err(_) => Ok(object),
    }
}

const CPU_FIELD: &str = "targetCPUUtilizationPercentage";
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";

fn autoscaler_to_v1(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let metrics = spec.remove("metrics").unwrap_or_default();
    let mut others = Vec::new();
    for metric in metrics.as_array().into_iter().flatten() {
        let target = &metric["resource"]["target"];
        let cpu = metric["type"] == "Resource" && metric["resource"]["name"] == "cpu";
        match target["averageUtilization"].as_i64() {
            Some(percent) if cpu && !spec.contains_key(CPU_FIELD) => {
                spec.insert(CPU_FIELD.to_owned(), json!(percent));
            }
            Some(_) | None => others.push(metric.clone()),
        }
    }
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        status.remove("currentMetrics");
        status.remove("conditions");
    }
    if !others.is_empty() {
        let text = Value::Array(others).to_string();
        manifest::set_annotation(object, METRICS, &text);
    }
}

fn autoscaler_to_v2(object: &mut Value) {
    let kept =
        manifest::annotation(object, METRICS).and_then(|text| serde_json::from_str(text).ok());
    if let Some(annotations) =
        object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut)
    {
        annotations.remove(METRICS);
    }
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let mut metrics: Vec<Value> = match kept {
        Some(Value::Array(metrics)) => metrics,
        Some(_) | None => Vec::new(),
    };
    if let Some(percent) = spec.remove(CPU_FIELD) {
        metrics.push(json!({
            "type": "Resource",
            "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": percent}},
        }));
    }
    if !metrics.is_empty() {
        spec.insert("metrics".to_owned(), Value::Array(metrics));
    }
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
