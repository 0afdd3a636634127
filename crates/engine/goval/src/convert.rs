//! Values from and to `serde_json`'s.

use serde_json::{Number, Value as Json};

use crate::json::Numbers;
use crate::list::List;
use crate::map::{Map, MapType};
use crate::text::Str;
use crate::value::Value;

/// A value of a JSON document. Integers beyond `int64` are floats in any case.
pub fn from_json(json: &Json, numbers: Numbers) -> Value {
    match json {
        Json::Null => Value::Nil,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => from_number(number, numbers),
        Json::String(text) => Value::str(text.as_str()),
        Json::Array(items) => {
            Value::List(List::new(items.iter().map(|item| from_json(item, numbers)).collect()))
        }
        Json::Object(entries) => {
            let entries = entries
                .iter()
                .map(|(key, value)| (Str::from(key.as_str()), from_json(value, numbers)));
            Value::Map(Map::of(MapType::Any, entries))
        }
    }
}

fn from_number(number: &Number, numbers: Numbers) -> Value {
    match (number.as_i64(), numbers) {
        (Some(value), Numbers::Int64) => Value::int64(value),
        _ => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
    }
}

/// Values nest no deeper than this.
const DEPTH_MAX: usize = 1000;

/// The JSON document of a value, as [`json::write`](crate::json::write) writes it: floats that
/// are whole numbers of at most 2^63 are integers, bytes are base64, broken UTF-8 is U+FFFD.
///
/// # Errors
///
/// Go's words for what has no JSON.
pub fn to_json(value: &Value) -> Result<Json, String> {
    to_json_at(value, 0)
}

fn to_json_at(value: &Value, depth: usize) -> Result<Json, String> {
    let check = |type_name: &str| {
        if depth >= DEPTH_MAX {
            return Err(format!("json: unsupported value: encountered a cycle via {type_name}"));
        }
        Ok(())
    };
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value, _) => Json::Number((*value).into()),
        Value::Uint(value, _) => Json::Number((*value).into()),
        Value::Float(value) => Json::Number(to_number(*value)?),
        Value::Str(text) => Json::String(crate::text_of(text)),
        Value::Bytes(_) => {
            let mut budget = crate::Budget { fuel: u64::MAX, bytes: u64::MAX };
            let quoted = crate::json::write(value, &crate::json::Style::RAW, &mut budget)?;
            Json::String(crate::text_of(&quoted[1..quoted.len() - 1]))
        }
        Value::List(list) if list.is_nil() => Json::Null,
        Value::List(list) => {
            check(list.type_name())?;
            Json::Array(
                list.iter().map(|item| to_json_at(item, depth + 1)).collect::<Result<_, _>>()?,
            )
        }
        Value::Map(map) if map.is_nil() => Json::Null,
        Value::Map(map) => {
            check(map.type_name())?;
            let mut entries = serde_json::Map::new();
            for (key, value) in map.entries() {
                entries.insert(crate::text_of(&key), to_json_at(&value, depth + 1)?);
            }
            Json::Object(entries)
        }
        Value::Object(object) => match object.plain() {
            Some(plain) if !matches!(plain, Value::Object(_)) => to_json_at(&plain, depth + 1)?,
            _ => return Err(format!("json: unsupported type: {}", object.type_name())),
        },
    })
}

fn to_number(value: f64) -> Result<Number, String> {
    /// Up to here each whole number is one of `f64`'s.
    const WHOLE_MAX: f64 = (1u64 << 53) as f64;
    if value.trunc() == value && value.abs() <= WHOLE_MAX {
        return Ok((value as i64).into());
    }
    let text = crate::json::format_number(value)?;
    // What is written without point and exponent is read back as an integer, where it fits.
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into());
    }
    Ok(Number::from_f64(value).expect("it is finite"))
}
