//! What a function's arguments are, once the engine of templates has checked them.

use std::rc::Rc;

use goval::{Kind, List, ListType, Map, MapType, Object, Str, UintType, Value};

/// What Go says of a nil pointer.
pub(crate) const NIL_POINTER: &str =
    "runtime error: invalid memory address or nil pointer dereference";

/// What a body answers.
pub(crate) type Answer = Result<Value, String>;

fn wrong(value: Option<&Value>, want: &str) -> String {
    let got = value.map_or("nothing", Value::type_name);
    format!("wrong type for value; expected {want}; got {got}")
}

/// A `string`.
pub(crate) fn text(args: &[Value], at: usize) -> Result<&Str, String> {
    match args.get(at) {
        Some(Value::Str(text)) => Ok(text),
        other => Err(wrong(other, "string")),
    }
}

/// A `string` where only text makes sense: other bytes become U+FFFD.
pub(crate) fn utf8(args: &[Value], at: usize) -> Result<String, String> {
    Ok(goval::text_of(text(args, at)?))
}

/// An `int`, `int64` or `uint32`.
pub(crate) fn int(args: &[Value], at: usize) -> Result<i64, String> {
    match args.get(at) {
        Some(Value::Int(value, _)) => Ok(*value),
        Some(Value::Uint(value, _)) => Ok(*value as i64),
        other => Err(wrong(other, "int")),
    }
}

/// A `float64`.
pub(crate) fn float(args: &[Value], at: usize) -> Result<f64, String> {
    match args.get(at) {
        Some(Value::Float(value)) => Ok(*value),
        Some(Value::Int(value, _)) => Ok(*value as f64),
        other => Err(wrong(other, "float64")),
    }
}

/// A `bool`.
pub(crate) fn boolean(args: &[Value], at: usize) -> Result<bool, String> {
    match args.get(at) {
        Some(Value::Bool(value)) => Ok(*value),
        other => Err(wrong(other, "bool")),
    }
}

/// A `map[string]interface {}`; `None` for a nil one.
pub(crate) fn map(args: &[Value], at: usize) -> Result<Option<&Map>, String> {
    match args.get(at) {
        Some(Value::Map(map)) if map.is_nil() => Ok(None),
        Some(Value::Map(map)) => Ok(Some(map)),
        Some(Value::Nil) => Ok(None),
        other => Err(wrong(other, "map[string]interface {}")),
    }
}

/// A `[]interface {}`; `None` for a nil one.
pub(crate) fn list(args: &[Value], at: usize) -> Result<Option<&List>, String> {
    match args.get(at) {
        Some(Value::List(list)) if list.is_nil() => Ok(None),
        Some(Value::List(list)) => Ok(Some(list)),
        Some(Value::Nil) => Ok(None),
        other => Err(wrong(other, "[]interface {}")),
    }
}

/// An argument of a named type.
pub(crate) fn object<'a, T: 'static>(
    args: &'a [Value],
    at: usize,
    name: &str,
) -> Result<&'a T, String> {
    match args.get(at) {
        Some(Value::Object(object)) => {
            object.as_any().downcast_ref().ok_or_else(|| wrong(args.get(at), name))
        }
        other => Err(wrong(other, name)),
    }
}

/// The elements of anything of kind slice; otherwise the kind's name, and nothing for nil.
pub(crate) fn elements(value: &Value) -> Result<Elements<'_>, Option<&'static str>> {
    match value {
        Value::List(list) => Ok(Elements::List(list)),
        Value::Bytes(bytes) => Ok(Elements::Owned(
            bytes.iter().map(|byte| Value::Uint(u64::from(*byte), UintType::Uint8)).collect(),
        )),
        Value::Object(object) if object.kind() == Kind::Slice => Ok(Elements::Owned(
            object.entries().unwrap_or_default().into_iter().map(|(_, value)| value).collect(),
        )),
        Value::Nil => Err(None),
        other => Err(Some(other.kind().name())),
    }
}

/// A slice's elements.
pub(crate) enum Elements<'a> {
    List(&'a List),
    Owned(Vec<Value>),
}

impl std::ops::Deref for Elements<'_> {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        match self {
            Elements::List(list) => list,
            Elements::Owned(items) => items,
        }
    }
}

/// A `[]string`.
pub(crate) fn strings(items: impl IntoIterator<Item = Str>) -> Value {
    Value::List(List::typed(ListType::String, items.into_iter().map(Value::Str).collect()))
}

/// A `map[string]string`.
pub(crate) fn string_map(entries: impl IntoIterator<Item = (Str, Str)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (key, Value::Str(value)));
    Value::Map(Map::of(MapType::String, entries))
}

/// A value of a named type.
pub(crate) fn named(object: impl Object + 'static) -> Value {
    Value::Object(Rc::new(object))
}
