//! Values that were read once, for every rendering.

use goval::{Map, Str, Value};

/// A document's value; it can be shared between threads, and never changes.
#[derive(Debug, Default, PartialEq)]
pub(crate) enum Frozen {
    #[default]
    Nil,
    Bool(bool),
    Float(f64),
    Str(Str),
    List(Vec<Frozen>),
    Map(Vec<(Str, Frozen)>),
}

impl Frozen {
    /// JSON as Go decodes it with no type in hand: every number is a `float64`.
    pub(crate) fn from_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => {
                Self::Float(number.as_f64().expect("numbers of JSON text are finite floats"))
            }
            serde_json::Value::String(text) => Self::Str(text.as_str().into()),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(fields) => Self::Map(
                fields
                    .iter()
                    .map(|(key, value)| (key.as_str().into(), Self::from_json(value)))
                    .collect(),
            ),
        }
    }

    /// A new value that one rendering may change.
    pub(crate) fn thaw(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Float(value) => Value::Float(*value),
            Self::Str(text) => Value::Str(text.clone()),
            Self::List(items) => Value::list(items.iter().map(Self::thaw).collect()),
            Self::Map(_) => Value::Map(self.thaw_map()),
        }
    }

    /// As [`Frozen::thaw`]; what is no map is an empty one.
    pub(crate) fn thaw_map(&self) -> Map {
        let Self::Map(entries) = self else { return Map::new() };
        let entries = entries.iter().map(|(key, value)| (key.clone(), value.thaw())).collect();
        Map::of_sorted(goval::MapType::Any, entries)
    }

    /// About how many bytes it takes.
    pub(crate) fn weight_bytes(&self) -> usize {
        let inside = match self {
            Self::Nil | Self::Bool(_) | Self::Float(_) => 0,
            Self::Str(text) => text.len() + 16,
            Self::List(items) => items.iter().map(Self::weight_bytes).sum(),
            Self::Map(entries) => {
                entries.iter().map(|(key, value)| key.len() + 32 + value.weight_bytes()).sum()
            }
        };
        inside + size_of::<Self>()
    }
}
