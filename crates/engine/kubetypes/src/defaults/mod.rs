//! The defaults that the API server sets in a built-in object.
//!
//! Two sources: the defaults that the types declare (they stand in the tables, as the OpenAPI v3
//! documents publish them), and the rules of each group, which no schema publishes: one function
//! a struct, in `core` and `others`. Both are found by the struct's name while walking over the
//! object, so a Pod template has its defaults wherever it stands.
//!
//! What depends on more than the object (allocated addresses, the default StorageClass, time)
//! is no default: strategies and admission set it.

mod core;
mod image;
mod others;
mod resources;

use manifest::Gvk;
use serde_json::{Map, Value};

use crate::conversions;
use crate::quantity::Quantity;
use crate::shape::{Field, Scalar, Shape};
use crate::tables::Tables;
use crate::walk::{Visit, walk};

/// Sets the defaults of a kind in an object that went through [`roundtrip`](crate::roundtrip()).
/// A kind that the tables do not hold stays as it is.
pub fn default(tables: &Tables, kind: &Gvk, object: &mut Value) {
    let Some(id) = tables.struct_of(kind) else { return };
    // What runtimes add is left as it was written.
    let rounds = kind.group != "node.k8s.io";
    walk(tables, id, object, &mut Defaulting { minor: tables.minor(), rounds });
    // Annotations that cannot be read were refused when the object was.
    let _ = conversions::through_internal(tables, kind, object);
}

struct Defaulting {
    minor: u32,
    /// Whether amounts of resources are rounded.
    rounds: bool,
}

impl Visit for Defaulting {
    fn object(&mut self, name: &'static str, object: &mut Map<String, Value>) {
        let Some(rest) = name.strip_prefix("io.k8s.") else { return };
        match rest.strip_prefix("api.core.v1.") {
            Some(name) => core::set(name, object, self.minor),
            None => others::set(rest, object),
        }
    }

    /// Declared defaults: a pointer that is not there, or a plain value that is its zero.
    fn field(&mut self, field: &Field, object: &mut Map<String, Value>) {
        let (Some(text), Shape::Scalar(scalar, _)) = (field.default, &field.shape) else { return };
        if matches!(scalar, Scalar::Time | Scalar::MicroTime) {
            return;
        }
        let missing = if field.pointer {
            object.get(field.name).is_none_or(Value::is_null)
        } else {
            is_zero(object.get(field.name))
        };
        if !missing {
            return;
        }
        let value: Value = serde_json::from_str(text).expect("xtask wrote defaults as JSON");
        if field.pointer || !is_zero(Some(&value)) {
            object.insert(field.name.to_owned(), value);
        }
    }

    /// Amounts of resources are rounded up to thousandths.
    fn named_map(&mut self, go_name: &'static str, map: &mut Map<String, Value>) {
        if go_name != "v1.ResourceList" || !self.rounds {
            return;
        }
        for value in map.values_mut() {
            let read = value.as_str().and_then(|text| Quantity::parse(text).ok());
            if let Some(mut quantity) = read {
                quantity.round_up_to_milli();
                *value = quantity.to_string().into();
            }
        }
    }
}

fn is_zero(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => true,
        Some(Value::Number(number)) => number.as_f64() == Some(0.0),
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(Value::Bool(true) | Value::Object(_)) => false,
    }
}

/// Sets a field that is absent or null.
fn if_absent(object: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    if object.get(name).is_none_or(Value::is_null) {
        object.insert(name.to_owned(), value.into());
    }
}

/// Sets a field that is absent, null, `""`, `0`, `false` or an empty list.
fn if_zero(object: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    if is_zero(object.get(name)) {
        object.insert(name.to_owned(), value.into());
    }
}

/// Sets a field that is absent, null or empty to `{}`, and hands it out.
fn part<'a>(object: &'a mut Map<String, Value>, name: &str) -> &'a mut Map<String, Value> {
    let value = object.entry(name).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("the line above made it an object")
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn non_empty(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(map)) => !map.is_empty(),
        _ => false,
    }
}
