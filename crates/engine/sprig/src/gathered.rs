//! YAML straight to templates' values.

use std::borrow::Cow;

use goval::json::Numbers;
use goval::{Map, MapType, Str, Value};
use goyaml::{Duplicates, Limits, Make, YamlError};
use serde_json::Number;

/// The value of a text, its numbers floats.
pub(crate) fn value_of(text: &[u8]) -> Result<Value, YamlError> {
    match goyaml::quickly(text, &mut Gather) {
        Some(value) => Ok(value),
        None => goyaml::to_json_with(text, Duplicates::LastWins, &Limits::default())
            .map(|json| goval::from_json(&json, Numbers::Float64)),
    }
}

struct Gather;

impl Make for Gather {
    type Node = Value;
    type Map = Vec<(Str, Value)>;
    type List = Vec<Value>;

    fn null(&mut self) -> Value {
        Value::Nil
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn number(&mut self, number: Number) -> Option<Value> {
        number.as_f64().map(Value::Float)
    }

    fn text(&mut self, text: Cow<'_, str>) -> Value {
        Value::str(text.as_ref())
    }

    fn map(&mut self) -> Self::Map {
        Vec::new()
    }

    fn entry(&mut self, map: &mut Self::Map, key: &str, value: Value) {
        map.push((key.into(), value));
    }

    fn map_done(&mut self, map: Self::Map) -> Value {
        Value::Map(Map::of(MapType::Any, map))
    }

    fn list(&mut self) -> Self::List {
        Vec::new()
    }

    fn pushed(&mut self, list: &mut Self::List, item: Value) {
        list.push(item);
    }

    fn list_done(&mut self, list: Self::List) -> Value {
        Value::list(list)
    }
}
