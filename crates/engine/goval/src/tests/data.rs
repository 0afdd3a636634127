//! Reads the tables in `tests/data`, which a Go 1.26 program wrote.

use serde_json::Value as Json;

use crate::{Budget, IntType, List, ListType, Map, MapType, Str, UintType, Value};

pub(super) fn plenty() -> Budget {
    Budget { fuel: 1 << 40, bytes: 1 << 40 }
}

/// Checks every row and tells of all that fail.
pub(super) fn for_each_row(table: &str, mut check: impl FnMut(&[Json]) -> Result<(), String>) {
    let rows: Vec<Vec<Json>> = serde_json::from_str(table).unwrap();
    assert!(!rows.is_empty());
    let failed: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            check(row).err().map(|error| format!("{}: {error}", Json::from(row.clone())))
        })
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        rows.len(),
        failed[..failed.len().min(40)].join("\n")
    );
}

pub(super) fn same<T: PartialEq + std::fmt::Debug>(got: T, expected: T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("got {got:?}, not {expected:?}")) }
}

/// The text of a row's cell, which may be no UTF-8.
pub(super) fn bytes(json: &Json) -> Vec<u8> {
    match json {
        Json::String(text) => text.clone().into_bytes(),
        other => unhex(other["$str"].as_str().unwrap()),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> =
        text.chars().map(|char| u8::try_from(char.to_digit(16).unwrap()).unwrap()).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A value as the tables write it: numbers are `int`, a key with `$` names another type.
pub(super) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => Value::int(number.as_i64().unwrap()),
        Json::String(text) => Value::str(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(value).collect()),
        Json::Object(entries) => match entries.iter().next() {
            Some((tag, content)) if tag.starts_with('$') => typed(tag, content),
            _ => Value::Map(Map::of(
                MapType::Any,
                entries.iter().map(|(key, item)| (Str::from(key.as_str()), value(item))),
            )),
        },
    }
}

fn typed(tag: &str, content: &Json) -> Value {
    let number = || content.as_str().unwrap();
    let int = |of| Value::Int(number().parse().unwrap(), of);
    let uint = |of| Value::Uint(number().parse().unwrap(), of);
    match tag {
        "$str" => Value::Str(unhex(number()).into()),
        "$bytes" => Value::Bytes(unhex(number()).into()),
        "$float64" => Value::Float(number().parse().unwrap()),
        "$int8" => int(IntType::Int8),
        "$int16" => int(IntType::Int16),
        "$int32" => int(IntType::Int32),
        "$int64" => int(IntType::Int64),
        "$uint" => uint(UintType::Uint),
        "$uint8" => uint(UintType::Uint8),
        "$uint64" => uint(UintType::Uint64),
        "$nillist" => Value::List(List::nil(ListType::Any)),
        "$strings" | "$ints" => {
            let of = if tag == "$ints" { ListType::Int } else { ListType::String };
            let items = content.as_array().unwrap().iter().map(value).collect();
            Value::List(List::typed(of, items))
        }
        "$stringmap" => Value::Map(Map::of(
            MapType::String,
            content
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, item)| (Str::from(key.as_str()), value(item))),
        )),
        _ => panic!("{tag}"),
    }
}
