//! Reads the tables in `tests/data`, which a Go 1.26 program wrote.

use std::rc::Rc;

use goval::{IntType, List, ListType, Map, MapType, Str, UintType, Value};
use serde_json::Value as Json;

use super::world::Thing;

/// Checks every row and tells of all that fail.
pub(super) fn for_each_row(table: &str, mut check: impl FnMut(&[Json]) -> Result<(), String>) {
    let rows: Vec<Vec<Json>> = serde_json::from_str(table).unwrap();
    assert!(!rows.is_empty());
    let failed: Vec<String> = rows
        .iter()
        .filter_map(|row| check(row).err().map(|error| format!("{}\n   {error}", row[0])))
        .collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), rows.len(), failed.join("\n"));
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
            _ => map(MapType::Any, json),
        },
    }
}

fn map(of: MapType, json: &Json) -> Value {
    let entries = json.as_object().unwrap().iter();
    Value::Map(Map::of(of, entries.map(|(key, item)| (Str::from(key.as_str()), value(item)))))
}

fn list(of: ListType, json: &Json) -> Value {
    Value::List(List::typed(of, json.as_array().unwrap().iter().map(value).collect()))
}

fn typed(tag: &str, content: &Json) -> Value {
    let text = || content.as_str().unwrap();
    match tag {
        "$str" => Value::Str(unhex(text()).into()),
        "$bytes" => Value::Bytes(unhex(text()).into()),
        "$float64" => Value::Float(text().parse().unwrap()),
        "$int64" => Value::Int(text().parse().unwrap(), IntType::Int64),
        "$uint" => Value::Uint(text().parse().unwrap(), UintType::Uint),
        "$uint8" => Value::Uint(text().parse().unwrap(), UintType::Uint8),
        "$nillist" => Value::List(List::nil(ListType::Any)),
        "$strings" => list(ListType::String, content),
        "$ints" => list(ListType::Int, content),
        "$stringmap" => map(MapType::String, content),
        "$vals" => map(MapType::Named("main.Vals"), content),
        "$obj" => Value::Object(Rc::new(Thing::new(text(), false))),
        "$pobj" => Value::Object(Rc::new(Thing::new(text(), true))),
        _ => panic!("{tag}"),
    }
}
