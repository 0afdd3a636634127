//! The values of CEL.

use std::cmp::Ordering;
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use kubetypes::quantity::Quantity;
use serde_json::Value as Json;

use crate::versions::Version;

/// A value. Lists and maps are shared: copies are cheap.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint`
    Uint(u64),
    /// `double`
    Double(f64),
    /// `string`
    Text(Rc<str>),
    /// `bytes`
    Bytes(Rc<[u8]>),
    /// `list`
    List(Rc<Vec<Value>>),
    /// In the order of the keys.
    Map(Rc<Vec<(Value, Value)>>),
    /// `optional_type`
    Optional(Option<Rc<Value>>),
    /// As in `1Gi`.
    Quantity(Rc<Quantity>),
    /// Scheme, host with port, path, query, fragment.
    Url(Rc<[String; 5]>),
    /// An address.
    Address(std::net::IpAddr),
    /// A block of addresses, and its bits.
    Block(std::net::IpAddr, u8),
    /// `timestamp`
    Time(Timestamp),
    /// `duration`
    Span(SignedDuration),
    /// As in `1.2.3`.
    Version(Rc<Version>),
    /// The name of a format, `dns1123Label`.
    Format(Rc<str>),
    /// The name of a type.
    Type(&'static str),
}

impl Value {
    /// A text.
    pub fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(Rc::new(items))
    }

    /// A map; of equal keys the first counts.
    pub fn map(mut entries: Vec<(Value, Value)>) -> Value {
        entries.sort_by(|a, b| order(&a.0, &b.0).unwrap_or(Ordering::Equal));
        Value::Map(Rc::new(entries))
    }

    /// A JSON value, its whole numbers as `int`.
    pub fn of(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(on) => Value::Bool(*on),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Value::Int(number),
                (None, Some(number)) => Value::Uint(number),
                (None, None) => Value::Double(number.as_f64().unwrap_or(0.0)),
            },
            Json::String(text) => Value::text(text),
            Json::Array(items) => Value::list(items.iter().map(Value::of).collect()),
            Json::Object(fields) => Value::map(
                fields.iter().map(|(name, item)| (Value::text(name), Value::of(item))).collect(),
            ),
        }
    }

    /// What is at a key of a map.
    pub fn at(&self, key: &Value) -> Option<&Value> {
        let Value::Map(entries) = self else { return None };
        entries.iter().find(|(known, _)| equal(known, key)).map(|(_, value)| value)
    }

    /// The name of the value's type.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null_type",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Uint(_) => "uint",
            Value::Double(_) => "double",
            Value::Text(_) => "string",
            Value::Bytes(_) => "bytes",
            Value::List(_) => "list",
            Value::Map(_) => "map",
            Value::Optional(_) => "optional_type",
            Value::Quantity(_) => "kubernetes.Quantity",
            Value::Url(_) => "kubernetes.URL",
            Value::Address(_) => "net.IP",
            Value::Block(..) => "net.CIDR",
            Value::Time(_) => "google.protobuf.Timestamp",
            Value::Span(_) => "google.protobuf.Duration",
            Value::Version(_) => "kubernetes.Semver",
            Value::Format(_) => "kubernetes.NamedFormat",
            Value::Type(_) => "type",
        }
    }
}

/// Whether two values are the same; numbers of different types may be.
pub fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Null, Value::Null) => true,
        (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
        }
        (Value::Map(a), Value::Map(_)) => {
            let Value::Map(other) = b else { return false };
            a.len() == other.len()
                && a.iter().all(|(key, value)| b.at(key).is_some_and(|there| equal(value, there)))
        }
        (Value::Optional(a), Value::Optional(b)) => match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => equal(a, b),
            _ => false,
        },
        (Value::Url(a), Value::Url(b)) => a == b,
        (Value::Address(a), Value::Address(b)) => a == b,
        (Value::Block(a, n), Value::Block(b, m)) => a == b && n == m,
        (Value::Format(a), Value::Format(b)) => a == b,
        (Value::Type(a), Value::Type(b)) => a == b,
        _ => order(a, b) == Some(Ordering::Equal),
    }
}

/// Which of two values comes first, where their types have an order.
pub fn order(a: &Value, b: &Value) -> Option<Ordering> {
    let wide = |value: &Value| match value {
        Value::Int(number) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        (Value::Bytes(a), Value::Bytes(b)) => Some(a.cmp(b)),
        (Value::Quantity(a), Value::Quantity(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::Span(a), Value::Span(b)) => Some(a.cmp(b)),
        (Value::Version(a), Value::Version(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Double(a), b) => a.partial_cmp(&(wide(b)? as f64)),
        (a, Value::Double(b)) => (wide(a)? as f64).partial_cmp(b),
        (a, b) => Some(wide(a)?.cmp(&wide(b)?)),
    }
}
