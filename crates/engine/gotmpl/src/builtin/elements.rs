//! `index`, `slice`, `len` and `call`.

use std::rc::Rc;

use goval::{Kind, List, MapType, Object, Str, UintType, Value};

/// `len`. Nothing at all is an error of Go's reflection, a nil interface one of its own.
pub(super) fn length(value: &Value, boxed: bool) -> Result<i64, String> {
    let count = match value {
        Value::Nil if boxed => return Err("len of nil pointer".to_owned()),
        Value::Nil => {
            return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
        }
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::Object(object) => match object.entries() {
            Some(entries) if object.kind() != Kind::Struct => entries.len(),
            _ => return Err(format!("len of type {}", pointed_at(object.as_ref()))),
        },
        Value::Bool(_) | Value::Int(..) | Value::Uint(..) | Value::Float(_) => {
            return Err(format!("len of type {}", value.type_name()));
        }
    };
    Ok(count as i64)
}

/// The type behind a pointer.
fn pointed_at(object: &dyn Object) -> &str {
    let name = object.type_name();
    if object.kind() == Kind::Ptr { name.trim_start_matches('*') } else { name }
}

/// `index`: the elements of the elements.
pub(super) fn index(value: &Value, indexes: &[Value]) -> Result<Value, String> {
    if matches!(value, Value::Nil) {
        return Err("index of untyped nil".to_owned());
    }
    let mut item = value.clone();
    for index in indexes {
        item = element(&item, index)?;
    }
    Ok(item)
}

fn element(item: &Value, index: &Value) -> Result<Value, String> {
    match item {
        Value::Nil => Err("index of nil pointer".to_owned()),
        Value::Str(bytes) | Value::Bytes(bytes) => {
            let at = position(index, bytes.len())?;
            let of = if matches!(item, Value::Str(_)) { "string" } else { "slice" };
            let byte = bytes.get(at).ok_or_else(|| out_of_range(of))?;
            Ok(Value::Uint(u64::from(*byte), UintType::Uint8))
        }
        Value::List(list) => {
            let at = position(index, list.len())?;
            list.get(at).cloned().ok_or_else(|| out_of_range("slice"))
        }
        Value::Map(map) => {
            let found = map.get(key(index)?);
            Ok(found.unwrap_or_else(|| match map.map_type() {
                MapType::String => Value::Str(Str::default()),
                MapType::Any | MapType::Named(_) => Value::Nil,
            }))
        }
        Value::Object(object) => match (object.kind(), object.entries()) {
            (Kind::Map, Some(entries)) => {
                let key = key(index)?;
                let found = entries.into_iter().find(
                    |(known, _)| matches!(known, Value::Str(known) if known.as_bytes() == key),
                );
                Ok(found.map_or(Value::Nil, |(_, value)| value))
            }
            (Kind::Slice, Some(mut entries)) => {
                let at = position(index, entries.len())?;
                if at == entries.len() {
                    return Err(out_of_range("slice"));
                }
                Ok(entries.swap_remove(at).1)
            }
            _ => Err(format!("can't index item of type {}", pointed_at(object.as_ref()))),
        },
        Value::Bool(_) | Value::Int(..) | Value::Uint(..) | Value::Float(_) => {
            Err(format!("can't index item of type {}", item.type_name()))
        }
    }
}

/// The words of Go's reflection, for the place right behind the end.
fn out_of_range(of: &str) -> String {
    format!("reflect: {of} index out of range")
}

fn key(index: &Value) -> Result<&[u8], String> {
    match index {
        Value::Str(key) => Ok(key),
        Value::Nil => Err("value is nil; should be of type string".to_owned()),
        other => Err(format!("value has type {}; should be string", other.type_name())),
    }
}

/// An index from 0 to the length, which itself is let through.
fn position(index: &Value, length: usize) -> Result<usize, String> {
    let index = match index {
        Value::Int(index, _) => *index,
        // As Go converts it.
        Value::Uint(index, _) => *index as i64,
        Value::Nil => return Err("cannot index slice/array with nil".to_owned()),
        other => {
            return Err(format!("cannot index slice/array with type {}", other.type_name()));
        }
    };
    usize::try_from(index)
        .ok()
        .filter(|at| *at <= length)
        .ok_or_else(|| format!("index out of range: {index}"))
}

/// `slice`: a part of a string or list.
///
/// Unlike `index` it does not take indexes out of their interfaces: what comes from a map of
/// anything is refused.
pub(super) fn slice(value: &Value, indexes: &[Value], boxed: &[bool]) -> Result<Value, String> {
    let length = match value {
        Value::Nil => return Err("slice of untyped nil".to_owned()),
        _ if indexes.len() > 3 => {
            return Err(format!("too many slice indexes: {}", indexes.len()));
        }
        Value::Str(_) if indexes.len() == 3 => {
            return Err("cannot 3-index slice a string".to_owned());
        }
        Value::Str(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Object(object) => {
            return Err(format!("can't slice item of type {}", pointed_at(object.as_ref())));
        }
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut bounds = [0, length, length];
    for (at, (bound, index)) in bounds.iter_mut().zip(indexes).enumerate() {
        if boxed.get(at + 1) == Some(&true) {
            return Err("cannot index slice/array with type interface {}".to_owned());
        }
        *bound = position(index, length)?;
    }
    for pair in bounds[..indexes.len().max(2)].windows(2) {
        if pair[0] > pair[1] {
            return Err(format!("invalid slice index: {} > {}", pair[0], pair[1]));
        }
    }
    let range = bounds[0]..bounds[1];
    Ok(match value {
        Value::Str(text) => Value::Str(Str::from(&text[range])),
        Value::Bytes(bytes) => Value::Bytes(Str::from(&bytes[range])),
        Value::List(list) => Value::List(List::typed(list.list_type(), list[range].to_vec())),
        other => other.clone(),
    })
}

/// `call`.
pub(super) fn call(
    function: &Value,
    args: &[Value],
    name: impl FnOnce() -> String,
) -> Result<Value, String> {
    match function {
        Value::Nil => Err("call of nil".to_owned()),
        Value::Object(object) if object.kind() == Kind::Func => Rc::clone(object).call("", args),
        other => Err(format!("non-function {} of type {}", name(), other.type_name())),
    }
}
