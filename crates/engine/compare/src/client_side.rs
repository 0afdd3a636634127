//! Predicting a client-side apply: three ways, through what was applied last.

use manifest::annotation;
use merge::managed::LAST_APPLIED;
use merge::{json_merge, strategic};
use serde_json::Value;

use crate::compare::CompareError;
use crate::normalize::strip_metadata;
use crate::rules::Rules;

/// Returns what an apply would make of `live`, not yet decoded and defaulted; `None` is
/// nothing other than it is. Without a word on what was applied last, nothing is removed.
pub(crate) fn predict(
    live: &Value,
    target: &Value,
    rules: &Rules<'_>,
) -> Result<Option<Value>, CompareError> {
    let last_applied = annotation(live, LAST_APPLIED)
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .filter(Value::is_object);
    let target = bare(target);
    let original_live = bare(live);
    let mut predicted = original_live.clone();
    let mut originals: Vec<Value> = last_applied.iter().map(bare).collect();
    originals.extend(rules.previous.iter().map(|previous| bare(previous)));
    if originals.is_empty() {
        originals.push(target.clone());
    }
    for original in &originals {
        predicted = apply(original, &target, predicted, rules)?;
    }
    Ok((!merge::values::equal(&predicted, &original_live)).then_some(predicted))
}

fn bare(object: &Value) -> Value {
    let mut out = object.clone();
    if let Some(Value::Object(metadata)) = out.get_mut("metadata") {
        strip_metadata(metadata);
    }
    out
}

fn apply(
    original: &Value,
    target: &Value,
    live: Value,
    rules: &Rules<'_>,
) -> Result<Value, CompareError> {
    let is_built_in = kubetypes::tables(rules.minor).struct_of(&manifest::gvk(target)).is_some();
    if let Some((schema, type_id)) = rules.schema.filter(|_| is_built_in) {
        let patch = strategic::create_three_way(original, target, &live, schema, type_id, true)?;
        return Ok(strategic::apply(&live, &patch, schema, type_id)?);
    }
    let patch = json_merge::create_three_way(original, target, &live)?;
    let mut out = live;
    // The patch is a map, as both objects are.
    let _ = json_merge::apply(&mut out, &patch);
    Ok(out)
}
