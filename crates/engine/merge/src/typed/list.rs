//! How the elements of a list are told apart.

use std::sync::Arc;

use serde_json::Value;

use crate::fields::{KeyField, PathElement};
use crate::schema::{List, ListKind, Schema, Type};
use crate::typed::Typed;
use crate::typed::shape::Shape;
use crate::values;

/// Returns the path element of an item of a set or of a list with keys.
///
/// # Errors
/// What the item is that none can be, in the API server's words.
pub(crate) fn element_of(
    schema: &Schema,
    list: &List,
    item: &Value,
) -> Result<PathElement, String> {
    match &list.kind {
        ListKind::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        ListKind::Set => element_of_set(item),
        ListKind::Map(keys) if keys.is_empty() => element_of_set(item),
        ListKind::Map(keys) => element_by_keys(schema, list, keys, item),
    }
}

fn element_of_set(item: &Value) -> Result<PathElement, String> {
    let refusal = match item {
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return Ok(PathElement::value(item.clone()));
        }
        Value::Object(_) => "associative list without keys has an element that's a map type",
        Value::Array(_) => "not supported: associative list with lists as elements",
        Value::Null => "associative list without keys has an element that's an explicit null",
    };
    Err(refusal.to_owned())
}

fn element_by_keys(
    schema: &Schema,
    list: &List,
    keys: &[Box<str>],
    item: &Value,
) -> Result<PathElement, String> {
    let map = match item {
        Value::Object(map) => map,
        Value::Null => {
            return Err("associative list with keys may not have a null element".to_owned());
        }
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let mut fields = Vec::with_capacity(keys.len());
    for key in keys {
        let value = match map.get(&**key) {
            Some(value) => Some(value),
            None => default_of(schema, list, key)
                .map_err(|reason| format!("couldn't find default value for {key}: {reason}"))?,
        };
        if let Some(value) = value {
            fields.push(KeyField { name: Arc::from(&**key), value: value.clone() });
        }
    }
    if fields.is_empty() {
        let keys: Vec<_> = keys.iter().map(|key| values::quote(key)).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            keys.join(" ")
        ));
    }
    Ok(PathElement::key(fields))
}

fn default_of<'s>(
    schema: &'s Schema,
    list: &List,
    key: &str,
) -> Result<Option<&'s Value>, &'static str> {
    match schema.get(list.element) {
        Type::Map(map) => Ok(map.field(key).and_then(|field| field.default.as_ref())),
        Type::Deduced | Type::Atomic => Ok(None),
        Type::Scalar(_) | Type::List(_) => Err("associative list may not have non-map types"),
    }
}

/// Returns what stands at a path.
pub(crate) fn find<'v>(
    typed: Typed<'_>,
    value: &'v Value,
    path: &[PathElement],
) -> Option<&'v Value> {
    let [first, rest @ ..] = path else { return Some(value) };
    let (inside, type_id) = match (first, typed.shape(Some(value))) {
        (PathElement::Field(name), Shape::Map(shape)) => (value.get(&**name)?, shape.child(name)?),
        (PathElement::Index(index), _) => {
            return value.get(usize::try_from(*index).ok()?).filter(|_| rest.is_empty());
        }
        (wanted, Shape::List(list)) => {
            let is_wanted = |item: &&Value| {
                element_of(typed.schema, list, item).is_ok_and(|element| element == *wanted)
            };
            (value.as_array()?.iter().find(is_wanted)?, list.element)
        }
        _ => return None,
    };
    find(typed.at(type_id), inside, rest)
}
