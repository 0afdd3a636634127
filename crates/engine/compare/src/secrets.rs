//! Secrets as they may be shown: no value, and yet whether two are the same.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use manifest::annotation;
use merge::managed::LAST_APPLIED;
use serde_json::{Map, Value};

/// What stands in the place of a value. Each further value of the same key has four more.
const MASK: &str = "++++++++";
const MORE: &str = "++++";

/// A Secret as it may be shown, on both sides.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Masked {
    /// As wanted.
    pub target: Option<Value>,
    /// As it is, its last-applied annotation masked as well.
    pub live: Option<Value>,
}

/// Masks a Secret. The same value of a key has the same mask on both sides and in what was
/// applied last; another value has a longer one. `annotations` names annotations whose values
/// are masked too.
pub fn mask_secrets(
    target: Option<&Value>,
    live: Option<&Value>,
    annotations: &BTreeSet<String>,
) -> Masked {
    let last_applied = live
        .and_then(|live| annotation(live, LAST_APPLIED))
        .map(|text| serde_json::from_str::<Value>(text).unwrap_or(Value::Null));
    let mut all = [target.cloned(), live.cloned(), last_applied.clone()];
    for object in all.iter_mut().flatten() {
        fold_string_data(object);
        if let Some(data) = object.get_mut("data")
            && !data.is_object()
            && !data.is_null()
        {
            *data = MASK.into();
        }
    }
    mask(&mut all, &["data"], None);
    mask(&mut all, &["metadata", "annotations"], Some(annotations));
    let [target, mut live, masked_last] = all;
    if let (Some(live), Some(masked)) = (&mut live, masked_last) {
        // What does not parse may hold anything.
        let text = match last_applied {
            Some(Value::Object(_)) => masked.to_string(),
            _ => MASK.to_owned(),
        };
        if let Some(Value::Object(annotations)) =
            live.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"))
        {
            annotations.insert(LAST_APPLIED.to_owned(), Value::String(text));
        }
    }
    Masked { target, live }
}

fn mask(objects: &mut [Option<Value>; 3], path: &[&str], only: Option<&BTreeSet<String>>) {
    let mut masks: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for object in objects.iter_mut().flatten() {
        let found = path.iter().try_fold(object, |at, step| at.get_mut(*step));
        let Some(Value::Object(map)) = found else { continue };
        for (key, value) in map {
            if only.is_some_and(|only| !only.contains(key)) {
                continue;
            }
            let text = match &*value {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            let of_key = masks.entry(key.clone()).or_default();
            let next = format!("{MASK}{}", MORE.repeat(of_key.len()));
            *value = Value::String(of_key.entry(text).or_insert(next).clone());
        }
    }
}

/// Moves `stringData` into `data`, as the server does; null values become empty.
pub(crate) fn fold_string_data(secret: &mut Value) {
    let Value::Object(map) = secret else { return };
    let folded = match map.remove("stringData") {
        Some(Value::Object(folded)) => folded,
        Some(Value::Null) | None => Map::new(),
        // What is no map cannot be shown, and is not data.
        Some(_) => Map::new(),
    };
    if !folded.is_empty() {
        let data = map.entry("data").or_insert(Value::Null);
        if !data.is_object() {
            *data = Value::Object(Map::new());
        }
        if let Value::Object(data) = data {
            for (key, value) in folded {
                let text = match value {
                    Value::String(text) => text,
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                data.insert(key, Value::String(STANDARD.encode(text)));
            }
        }
    }
    if let Some(Value::Object(data)) = map.get_mut("data") {
        for value in data.values_mut().filter(|value| value.is_null()) {
            *value = Value::String(String::new());
        }
    }
}
