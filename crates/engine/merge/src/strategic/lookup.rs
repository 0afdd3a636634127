//! How the schema wants a field patched, and the errors that speak of types.

use serde_json::{Map, Value};

use crate::schema::{Patch, Schema, Type, TypeId};
use crate::strategic::StrategicError;
use crate::values;

/// A place in a schema.
#[derive(Clone, Copy)]
pub(crate) struct At<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) type_id: TypeId,
}

impl<'s> At<'s> {
    fn get(&self) -> &'s Type {
        self.schema.get(self.type_id)
    }

    /// Returns a field's type and how it is patched.
    pub(crate) fn field(&self, name: &str) -> Result<(At<'s>, &'s Patch), StrategicError> {
        let kind = match self.get() {
            Type::Map(map) if map.fields.is_empty() => "map",
            Type::Map(map) => {
                let Some(field) = map.field(name) else { return Err(unknown_field(name)) };
                return Ok((At { schema: self.schema, type_id: field.type_id }, &field.patch));
            }
            Type::Deduced => return Err(unknown_field(name)),
            Type::Atomic => {
                return Err(failed(format!(
                    "unable to find api field in struct RawExtension for the json field {}",
                    values::quote(name)
                )));
            }
            Type::List(_) => "slice",
            Type::Scalar(_) => "string",
        };
        Err(failed(format!(
            "merging an object in json but data type is not struct, instead is: {kind}"
        )))
    }

    /// Returns the type of a list field's elements and how the list is patched.
    pub(crate) fn list(&self, name: &str) -> Result<(At<'s>, &'s Patch), StrategicError> {
        let (list, patch) = self.field(name)?;
        match list.get() {
            Type::List(list) => match self.schema.get(list.element) {
                Type::List(_) => Err(failed("unexpected slice of slice".to_owned())),
                _ => Ok((At { schema: self.schema, type_id: list.element }, patch)),
            },
            _ => Err(failed("expected slice or array type, but got: struct".to_owned())),
        }
    }
}

fn unknown_field(name: &str) -> StrategicError {
    failed(format!("unable to find api field {}", values::quote(name)))
}

pub(crate) fn failed(message: String) -> StrategicError {
    StrategicError::Failed(message)
}

/// The refusal of a value that is of another type than `expected`, in Go's spelling.
pub(crate) fn bad_type(expected: &str, actual: &Value) -> StrategicError {
    let actual = match actual {
        Value::Null => "%!s(<nil>)",
        other => values::as_t(other),
    };
    failed(format!("expected a {expected}, but received a {actual}"))
}

pub(crate) const MAP: &str = "map[string]interface {}";
pub(crate) const LIST: &str = "[]interface {}";

pub(crate) fn expect_map(value: &Value) -> Result<&Map<String, Value>, StrategicError> {
    value.as_object().ok_or_else(|| bad_type(MAP, value))
}

pub(crate) fn expect_list(value: Value) -> Result<Vec<Value>, StrategicError> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(bad_type(LIST, &other)),
    }
}

/// Returns the value of an element's merge key.
pub(crate) fn key_of<'v>(item: &'v Value, key: &str) -> Result<&'v Value, StrategicError> {
    let map = expect_map(item)?;
    map.get(key).ok_or_else(|| no_merge_key(item, key))
}

pub(crate) fn no_merge_key(item: &Value, key: &str) -> StrategicError {
    let item = values::as_v(item);
    failed(format!("map: {item} does not contain declared merge key: {key}"))
}

/// What the elements of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    Maps,
    Scalars,
}

/// Returns what the elements of all lists are.
pub(crate) fn elements_of(lists: &[&[Value]]) -> Result<Elements, StrategicError> {
    let mut all = lists.iter().flat_map(|list| list.iter());
    let Some(first) = all.next() else {
        return Err(failed("no elements in any of the given slices".to_owned()));
    };
    if first.is_array() {
        return Err(StrategicError::Unprocessable("lists of lists are not supported".to_owned()));
    }
    if all.any(|item| values::as_t(item) != values::as_t(first)) || first.is_null() {
        let lists: Vec<_> =
            lists.iter().map(|list| values::as_v(&Value::from(list.to_vec()))).collect();
        let lists = lists.join(" ");
        return Err(failed(format!("list element types are not identical: [{lists}]")));
    }
    Ok(if first.is_object() { Elements::Maps } else { Elements::Scalars })
}
