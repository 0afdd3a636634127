//! Lists and maps with nothing in them, and where they differ from none at all.
//!
//! A struct of Go's tells an empty list from none, and so does JSON where the field is always written.
//! Protobuf, in which most kinds are kept, does not. So an empty list that was sent is there while a
//! request is decided, and gone when its object is read again.

use manifest::Gvk;
use serde_json::Value;

use crate::roundtrip::{is_collection, is_empty};
use crate::shape::{Field, Shape};
use crate::tables::Tables;

/// What becomes of lists and maps that are there and empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empties {
    /// They become nothing, as in protobuf.
    Go,
    /// They stay where JSON writes them.
    AsWritten,
    /// They stay, as in memory.
    Stay,
}

impl Empties {
    /// Whether a list or a map is left out of a field that is written only where something is in it.
    pub(crate) fn is_nothing(self, value: &Value) -> bool {
        match self {
            Empties::Go | Empties::AsWritten => is_empty(value),
            Empties::Stay => value.is_null(),
        }
    }
}

/// What becomes of empty lists and maps where objects of a kind are kept. Few are kept as JSON.
pub(crate) fn kept(kind: &Gvk) -> Empties {
    match &*kind.group {
        "apiextensions.k8s.io" | "apiregistration.k8s.io" => Empties::AsWritten,
        _ => Empties::Go,
    }
}

/// Does what keeping an object that has been [`read`](crate::read()) does to it: empty lists and maps
/// become nothing.
pub fn keep(tables: &Tables, kind: &Gvk, object: &mut Value) {
    if let Some(id) = tables.struct_of(kind) {
        without(tables, kept(kind), &Shape::Struct(id), object);
    }
}

/// Does what writing an object that has been [`read`](crate::read()) as JSON does to it: empty lists and
/// maps go where they are left out.
pub fn write(tables: &Tables, kind: &Gvk, object: &mut Value) {
    if let Some(id) = tables.struct_of(kind) {
        without(tables, Empties::AsWritten, &Shape::Struct(id), object);
    }
}

/// Whether an object that has been [`read`](crate::read()) has an empty list or map that [`write`]
/// leaves out, managed fields aside.
pub fn leaves_out(tables: &Tables, kind: &Gvk, object: &Value) -> bool {
    tables.struct_of(kind).is_some_and(|id| has_left_out(tables, &Shape::Struct(id), object))
}

fn is_left_out(field: &Field, value: &Value) -> bool {
    field.omit_empty && !field.pointer && is_list_or_map(&field.shape) && is_empty(value)
}

fn is_list_or_map(shape: &Shape) -> bool {
    matches!(shape, Shape::List { .. } | Shape::Map { .. })
}

fn has_left_out(tables: &Tables, shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Struct(id), Value::Object(fields)) => fields.iter().any(|(name, value)| {
            let is_owners = name == "managedFields" && !is_empty(value);
            if is_owners || !(value.is_object() || value.is_array()) {
                return false;
            }
            tables.field(*id, name).is_some_and(|field| {
                is_left_out(field, value) || has_left_out(tables, &field.shape, value)
            })
        }),
        (Shape::List { element, .. }, Value::Array(items)) => {
            items.iter().any(|item| has_left_out(tables, element, item))
        }
        (Shape::Map { value: inside, .. }, Value::Object(entries))
            if !matches!(**inside, Shape::Scalar(..)) =>
        {
            entries.values().any(|value| has_left_out(tables, inside, value))
        }
        _ => false,
    }
}

fn without(tables: &Tables, empties: Empties, shape: &Shape, value: &mut Value) {
    match (shape, value) {
        (Shape::Struct(id), Value::Object(fields)) => fields.retain(|name, value| {
            let Some(field) = tables.field(*id, name) else { return true };
            if is_left_out(field, value) {
                return false;
            }
            match empties == Empties::Go
                && is_collection(&field.shape)
                && !field.pointer
                && is_empty(value)
            {
                true => *value = Value::Null,
                false => without(tables, empties, &field.shape, value),
            }
            true
        }),
        (Shape::List { element, .. }, Value::Array(items)) => {
            items.iter_mut().for_each(|item| without(tables, empties, element, item));
        }
        (Shape::Map { value: inside, .. }, Value::Object(entries)) => {
            entries.values_mut().for_each(|value| without(tables, empties, inside, value));
        }
        _ => {}
    }
}
