//! One value of a Go program, as a template sees it.

use std::rc::Rc;

use crate::list::List;
use crate::map::Map;
use crate::object::Object;
use crate::text::Str;

/// A Go value.
///
/// Integers and floats are told apart for ever (`1` and `1.0` print, compare and type
/// differently). Maps are references: a clone is the same map. Lists are never changed in
/// place by a template, so a clone shares them too.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// A nil interface.
    #[default]
    Nil,
    /// `bool`.
    Bool(bool),
    /// A signed integer of the given type.
    Int(i64, IntType),
    /// An unsigned integer of the given type.
    Uint(u64, UintType),
    /// `float64`.
    Float(f64),
    /// `string`.
    Str(Str),
    /// `[]byte` (Go's `[]uint8`).
    Bytes(Str),
    /// A slice.
    List(List),
    /// A map with string keys.
    Map(Map),
    /// Anything with a type of its own: times, versions, a chart's files.
    Object(Rc<dyn Object>),
}

/// The signed integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntType {
    /// `int`: literals in templates, lengths.
    Int,
    /// `int8`.
    Int8,
    /// `int16`.
    Int16,
    /// `int32`, also a rune.
    Int32,
    /// `int64`: what Sprig's arithmetic and `--set` give.
    Int64,
}

/// The unsigned integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UintType {
    /// `uint`.
    Uint,
    /// `uint8`, a byte.
    Uint8,
    /// `uint16`.
    Uint16,
    /// `uint32`.
    Uint32,
    /// `uint64`.
    Uint64,
}

/// Go's `reflect.Kind`, as far as values here have one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No value at all.
    Invalid,
    /// `bool`.
    Bool,
    /// One of the signed integers.
    Int(IntType),
    /// One of the unsigned integers.
    Uint(UintType),
    /// `float64`.
    Float64,
    /// `complex128`: only constants such as `2i`, as objects.
    Complex128,
    /// `string`.
    String,
    /// `slice`.
    Slice,
    /// `map`.
    Map,
    /// `struct`.
    Struct,
    /// `ptr`.
    Ptr,
    /// `func`.
    Func,
}

impl Value {
    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(value, IntType::Int)
    }

    /// An `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(value, IntType::Int64)
    }

    /// A string.
    pub fn str(text: impl Into<Str>) -> Self {
        Self::Str(text.into())
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(List::new(items))
    }

    /// Go's kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_, of) => Kind::Int(*of),
            Self::Uint(_, of) => Kind::Uint(*of),
            Self::Float(_) => Kind::Float64,
            Self::Str(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) => object.kind(),
        }
    }

    /// Go's type, as `%T` prints it (`map[string]interface {}`); `<nil>` for nothing.
    pub fn type_name(&self) -> &str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_, of) => of.name(),
            Self::Uint(_, of) => of.name(),
            Self::Float(_) => "float64",
            Self::Str(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.type_name(),
            Self::Map(map) => map.type_name(),
            Self::Object(object) => object.type_name(),
        }
    }

    /// `text/template`'s truth: not the zero value of its kind, not empty; structs always.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Uint(value, _) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(text) | Self::Bytes(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => object.is_true(),
        }
    }
}

impl IntType {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int8 => "int8",
            Self::Int16 => "int16",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
        }
    }
}

impl UintType {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uint => "uint",
            Self::Uint8 => "uint8",
            Self::Uint16 => "uint16",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
        }
    }
}

impl Kind {
    /// Go's name (`kindOf`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int(of) => of.name(),
            Self::Uint(of) => of.name(),
            Self::Float64 => "float64",
            Self::Complex128 => "complex128",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Ptr => "ptr",
            Self::Func => "func",
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Self::Str(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl From<List> for Value {
    fn from(list: List) -> Self {
        Self::List(list)
    }
}
