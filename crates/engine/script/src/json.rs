//! JSON to Lua and back.
//!
//! Upstream's rules: null is absent, every number is a float, an empty table is an empty list, a
//! table whose keys are 1, 2, 3 … is a list, one whose keys are texts is a map, and any other
//! cannot be written.

use mlua::{Lua, Table, Value as LuaValue};
use serde_json::{Map, Number, Value};

use crate::error::ScriptError;

/// What a script returned.
#[derive(Clone, Debug, PartialEq)]
pub enum Returned {
    /// A table. An empty one is an empty list.
    Table(Value),
    /// Nothing, or nil.
    Nothing,
    /// Something else: the name of its type.
    Other(&'static str),
}

/// No table in a table in a table … deeper than this is written.
const DEPTH_MAX: usize = 200;

/// Makes a Lua value of a JSON value.
pub(crate) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(truth) => LuaValue::Boolean(*truth),
        Value::Number(number) => LuaValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in items.iter().enumerate() {
                table.raw_set(index + 1, to_lua(lua, item)?)?;
            }
            LuaValue::Table(table)
        }
        Value::Object(fields) => {
            let table = lua.create_table_with_capacity(0, fields.len())?;
            for (key, field) in fields {
                table.raw_set(key.as_str(), to_lua(lua, field)?)?;
            }
            LuaValue::Table(table)
        }
    })
}

/// Makes JSON of what a script returned.
pub(crate) fn returned(value: &LuaValue) -> Result<Returned, ScriptError> {
    match value {
        LuaValue::Nil => Ok(Returned::Nothing),
        LuaValue::Table(table) => Ok(Returned::Table(of_table(table, 0)?)),
        LuaValue::Integer(_) => Ok(Returned::Other("number")),
        other => Ok(Returned::Other(other.type_name())),
    }
}

fn of(value: &LuaValue, depth: usize) -> Result<Value, ScriptError> {
    let refused =
        |what: &str| Err(ScriptError::Unencodable(format!("cannot encode {what} to JSON")));
    match value {
        LuaValue::Nil => Ok(Value::Null),
        LuaValue::Boolean(truth) => Ok(Value::Bool(*truth)),
        LuaValue::Integer(number) => Ok(Value::from(*number)),
        LuaValue::Number(number) => of_number(*number),
        LuaValue::String(text) => Ok(Value::String(text.to_string_lossy())),
        LuaValue::Table(table) => of_table(table, depth + 1),
        other => refused(other.type_name()),
    }
}

/// A float without fraction is a whole number, where it is not too great for one.
fn of_number(number: f64) -> Result<Value, ScriptError> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        // Within the bounds above the conversion keeps the value.
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| {
        let name = if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "+Inf"
        } else {
            "-Inf"
        };
        ScriptError::Unencodable(format!("json: unsupported value: {name}"))
    })
}

fn of_table(table: &Table, depth: usize) -> Result<Value, ScriptError> {
    let refused = |why: &str| ScriptError::Unencodable(why.to_owned());
    if depth > DEPTH_MAX {
        return Err(refused("cannot encode recursively nested tables to JSON"));
    }
    const MIXED: &str = "cannot encode mixed or invalid key types";
    let mut list: Vec<(i64, Value)> = Vec::new();
    let mut map = Map::new();
    for pair in table.pairs::<LuaValue, LuaValue>() {
        let (key, value) = pair.map_err(|error| refused(&error.to_string()))?;
        match key {
            LuaValue::Integer(index) => list.push((index, of(&value, depth)?)),
            LuaValue::String(key) => {
                map.insert(key.to_string_lossy(), of(&value, depth)?);
            }
            _ => return Err(refused(MIXED)),
        }
        if !list.is_empty() && !map.is_empty() {
            return Err(refused(MIXED));
        }
    }
    if !map.is_empty() {
        return Ok(Value::Object(map));
    }
    list.sort_by_key(|(index, _)| *index);
    let dense = list.iter().zip(1..).all(|((index, _), wanted)| *index == wanted);
    if !dense {
        return Err(refused("cannot encode sparse array"));
    }
    Ok(Value::Array(list.into_iter().map(|(_, value)| value).collect()))
}
