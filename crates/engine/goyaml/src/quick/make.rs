//! What is made of what was read.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// Makes something of a document's parts, in their order.
pub trait Make {
    /// A value.
    type Node;
    /// A map that is not yet whole.
    type Map;
    /// A list that is not yet whole.
    type List;

    /// `null`, or nothing.
    fn null(&mut self) -> Self::Node;
    /// `true` or `false`.
    fn bool(&mut self, value: bool) -> Self::Node;
    /// `None` for a number that it does not take.
    fn number(&mut self, number: Number) -> Option<Self::Node>;
    /// A text.
    fn text(&mut self, text: Cow<'_, str>) -> Self::Node;

    /// A map begins.
    fn map(&mut self) -> Self::Map;
    /// A key, in which JSON has nothing to escape; its value comes next. Most need not know
    /// before the value is there.
    fn key(&mut self, map: &mut Self::Map, key: &str) {
        let _ = (map, key);
    }
    /// The key's value is there.
    fn entry(&mut self, map: &mut Self::Map, key: &str, value: Self::Node);
    /// The map is whole.
    fn map_done(&mut self, map: Self::Map) -> Self::Node;

    /// A list begins.
    fn list(&mut self) -> Self::List;
    /// An item comes next. Most need not know before it is there.
    fn item(&mut self, list: &mut Self::List) {
        let _ = list;
    }
    /// The item is there.
    fn pushed(&mut self, list: &mut Self::List, item: Self::Node);
    /// The list is whole.
    fn list_done(&mut self, list: Self::List) -> Self::Node;
}

/// Makes JSON values.
#[derive(Clone, Copy, Debug)]
pub struct Tree;

impl Make for Tree {
    type Node = Value;
    type Map = Map<String, Value>;
    type List = Vec<Value>;

    fn null(&mut self) -> Value {
        Value::Null
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn number(&mut self, number: Number) -> Option<Value> {
        Some(Value::Number(number))
    }

    fn text(&mut self, text: Cow<'_, str>) -> Value {
        Value::String(text.into_owned())
    }

    fn map(&mut self) -> Self::Map {
        Map::new()
    }

    fn entry(&mut self, map: &mut Self::Map, key: &str, value: Value) {
        map.insert(key.to_owned(), value);
    }

    fn map_done(&mut self, map: Self::Map) -> Value {
        Value::Object(map)
    }

    fn list(&mut self) -> Self::List {
        Vec::new()
    }

    fn pushed(&mut self, list: &mut Self::List, item: Value) {
        list.push(item);
    }

    fn list_done(&mut self, list: Self::List) -> Value {
        Value::Array(list)
    }
}
