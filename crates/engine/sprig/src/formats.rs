//! JSON, YAML and TOML, written and read.
//!
//! Helm's own functions never fail: an error of reading is the entry `Error`, one of writing is
//! no text at all. A budget that is used up is an error in any case.

use goval::json::{Numbers, Style, read, write};
use goval::{Context, Kind, List, ListType, Map, MapType, Str, Value};
use serde_json::{Number, Value as Json};

use crate::args::{Answer, text};
use crate::gathered;
use crate::toml::WriteError;

const MAP: &str = "map[string]interface {}";
const LIST: &str = "[]interface {}";
/// Values nest no deeper than this.
const DEPTH_MAX: usize = 1_000;

fn one(args: &[Value]) -> &Value {
    args.first().unwrap_or(&Value::Nil)
}

/// No text for what cannot be written.
fn or_nothing(written: Result<Vec<u8>, String>) -> Answer {
    match written {
        Ok(text) => Ok(Value::str(text)),
        Err(error) if is_of_budget(&error) => Err(error),
        Err(_) => Ok(Value::str("")),
    }
}

/// Whether an error is the budget's, which is swallowed by nothing.
pub(crate) fn is_of_budget(error: &str) -> bool {
    matches!(error, "the rendering takes too many steps" | "the rendering makes too much text")
}

pub(crate) fn to_json(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let written = write(one(args), &Style::COMPACT, context.budget);
    or_nothing(written)
}

pub(crate) fn must_to_json(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(write(one(args), &Style::COMPACT, context.budget)?))
}

pub(crate) fn to_pretty_json(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let written = write(one(args), &Style::PRETTY, context.budget);
    or_nothing(written)
}

pub(crate) fn must_to_pretty_json(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(write(one(args), &Style::PRETTY, context.budget)?))
}

pub(crate) fn to_raw_json(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(write(one(args), &Style::RAW, context.budget)?))
}

/// A map with nothing but what was wrong.
fn map_of_error(error: String) -> Value {
    let map = Map::new();
    map.insert(Str::from("Error"), Value::str(error));
    Value::Map(map)
}

/// What Go says of a value that does not suit.
fn unsuitable(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Bool(_) => "bool",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    };
    format!("json: cannot unmarshal {found} into Go value of type {wanted}")
}

fn as_map(read: Result<Value, String>, null: Map) -> Result<Value, String> {
    match read? {
        value @ Value::Map(_) => Ok(value),
        Value::Nil => Ok(Value::Map(null)),
        other => Err(unsuitable(&other, MAP)),
    }
}

fn as_list(read: Result<Value, String>, null: Value) -> Result<Value, String> {
    match read? {
        value @ Value::List(_) => Ok(value),
        Value::Nil => Ok(null),
        other => Err(unsuitable(&other, LIST)),
    }
}

fn or_error_entry(read: Result<Value, String>) -> Answer {
    match read {
        Err(error) if !is_of_budget(&error) => Ok(map_of_error(error)),
        read => read,
    }
}

fn or_error_item(read: Result<Value, String>) -> Answer {
    match read {
        Err(error) if !is_of_budget(&error) => Ok(Value::list(vec![Value::str(error)])),
        read => read,
    }
}

pub(crate) fn from_json(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let value = read(text(args, 0)?, Numbers::Float64, context.budget);
    let value = as_map(value, Map::nil(MapType::Any));
    or_error_entry(value)
}

pub(crate) fn from_json_array(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let value = read(text(args, 0)?, Numbers::Float64, context.budget);
    let value = as_list(value, Value::List(List::nil(ListType::Any)));
    or_error_item(value)
}

pub(crate) fn must_from_json(context: &mut Context<'_>, args: &[Value]) -> Answer {
    read(text(args, 0)?, Numbers::Float64, context.budget)
}

fn yaml_value(context: &mut Context<'_>, args: &[Value]) -> Result<Value, String> {
    let text = text(args, 0)?;
    context.budget.charge(text.len() as u64)?;
    context.budget.spend(text.len() as u64 / 16)?;
    gathered::value_of(text).map_err(|error| format!("error converting YAML to JSON: {error}"))
}

fn while_decoding(error: String) -> String {
    if error.starts_with("json: ") {
        format!("error unmarshaling JSON: while decoding JSON: {error}")
    } else {
        error
    }
}

pub(crate) fn from_yaml(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let value = yaml_value(context, args);
    let value = as_map(value, Map::new()).map_err(while_decoding);
    or_error_entry(value)
}

pub(crate) fn from_yaml_array(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let value = yaml_value(context, args);
    let value = as_list(value, Value::list(Vec::new())).map_err(while_decoding);
    or_error_item(value)
}

fn yaml_text(context: &mut Context<'_>, value: &Value) -> Result<Vec<u8>, String> {
    if let Some(text) = goyaml::to_yaml_of(value) {
        return finished(context, text);
    }
    let json =
        goval::to_json(value).map_err(|error| format!("error marshaling into JSON: {error}"))?;
    let text = goyaml::to_yaml(&json).map_err(|error| error.to_string())?;
    finished(context, text)
}

fn finished(context: &mut Context<'_>, mut text: String) -> Result<Vec<u8>, String> {
    if text.ends_with('\n') {
        text.pop();
    }
    context.budget.charge(text.len() as u64)?;
    Ok(text.into_bytes())
}

pub(crate) fn to_yaml(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let written = yaml_text(context, one(args));
    or_nothing(written)
}

pub(crate) fn must_to_yaml(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(yaml_text(context, one(args))?))
}

/// Not by way of JSON, so that a float stays one.
pub(crate) fn to_yaml_pretty(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let written = own_json(one(args), 0)
        .and_then(|json| goyaml::to_yaml_pretty(&json).map_err(|error| error.to_string()))
        .and_then(|text| finished(context, text));
    or_nothing(written)
}

fn own_json(value: &Value, depth: usize) -> Result<Json, String> {
    if depth > DEPTH_MAX {
        return Err("the value is nested too deeply".to_owned());
    }
    let object = |map: &Map, lower: bool| {
        let mut entries = serde_json::Map::new();
        for (key, value) in map.entries() {
            let key = goval::text_of(&key);
            let key = if lower { key.to_lowercase() } else { key };
            entries.insert(key, own_json(&value, depth + 1)?);
        }
        Ok::<_, String>(Json::Object(entries))
    };
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value, _) => Json::Number((*value).into()),
        Value::Uint(value, _) => Json::Number((*value).into()),
        Value::Float(value) => {
            Number::from_f64(*value).map_or_else(|| Json::String(infinite(*value)), Json::Number)
        }
        Value::Str(text) => Json::String(goval::text_of(text)),
        Value::Bytes(bytes) => Json::Array(bytes.iter().map(|byte| (*byte).into()).collect()),
        Value::List(list) => {
            let items = list.iter().map(|item| own_json(item, depth + 1));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Map(map) => object(map, false)?,
        Value::Object(other) => match other.plain() {
            // The fields of a struct are in small letters.
            Some(Value::Map(map)) => object(&map, other.kind() == Kind::Struct)?,
            Some(plain) if !matches!(plain, Value::Object(_)) => own_json(&plain, depth + 1)?,
            _ => return Err(format!("cannot marshal type: {}", other.type_name())),
        },
    })
}

fn infinite(value: f64) -> String {
    match value {
        value if value.is_nan() => ".nan",
        value if value > 0.0 => ".inf",
        _ => "-.inf",
    }
    .to_owned()
}

/// The error is the text.
pub(crate) fn to_toml(context: &mut Context<'_>, args: &[Value]) -> Answer {
    match crate::toml::write(one(args), context.budget) {
        Ok(text) => Ok(Value::str(text)),
        Err(WriteError::Refused(error)) if !is_of_budget(&error) => Ok(Value::str(error)),
        Err(error) => Err(error.into_text()),
    }
}

pub(crate) fn must_to_toml(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(crate::toml::write(one(args), context.budget).map_err(WriteError::into_text)?))
}

pub(crate) fn from_toml(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let text = text(args, 0)?;
    context.budget.charge(text.len() as u64)?;
    Ok(crate::toml::read(text).unwrap_or_else(map_of_error))
}
