//! What a value is to its type: a piece, or a map or list to walk into.

use serde_json::Value;

use crate::schema::{Field, List, ListKind, Map, Schema, Type, TypeId};
use crate::typed::Typed;

/// How a value is merged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape<'s> {
    /// A single value.
    Scalar,
    /// A map in one piece.
    AtomicMap,
    /// A list in one piece.
    AtomicList,
    /// A map, field by field.
    Map(MapShape<'s>),
    /// A list, element by element.
    List(&'s List),
}

/// What the fields of a map are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MapShape<'s> {
    /// As declared.
    Declared(&'s Map),
    /// Anything, of this type.
    Deduced(TypeId),
}

impl<'s> Shape<'s> {
    /// Whether two shapes of one type are the same alternative of it.
    pub(crate) fn is_like(&self, other: &Shape<'_>) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl MapShape<'_> {
    /// The type of a field, where there may be such a field.
    pub(crate) fn child(&self, name: &str) -> Option<TypeId> {
        match self {
            MapShape::Deduced(id) => Some(*id),
            MapShape::Declared(map) => match map.field(name) {
                Some(field) => Some(field.type_id),
                None => map.rest,
            },
        }
    }

    /// The type of a field, where there may be such a field, and its declaration, if it has one.
    pub(crate) fn declared_child(&self, name: &str) -> Option<(TypeId, Option<&Field>)> {
        match self {
            MapShape::Deduced(id) => Some((*id, None)),
            MapShape::Declared(map) => match map.field(name) {
                Some(field) => Some((field.type_id, Some(field))),
                None => map.rest.map(|rest| (rest, None)),
            },
        }
    }
}

impl<'s> Typed<'s> {
    /// The same schema, at another type.
    pub(crate) fn at(&self, type_id: TypeId) -> Self {
        Self { schema: self.schema, type_id }
    }

    /// What `value` is to the type. Null, and what is absent, is a map where a map may be.
    pub(crate) fn shape(&self, value: Option<&Value>) -> Shape<'s> {
        shape(self.schema, self.type_id, value)
    }
}

fn shape<'s>(schema: &'s Schema, id: TypeId, value: Option<&Value>) -> Shape<'s> {
    match schema.get(id) {
        Type::Scalar(_) => Shape::Scalar,
        Type::List(list) if list.kind == ListKind::Atomic => Shape::AtomicList,
        Type::List(list) => Shape::List(list),
        Type::Map(map) if map.atomic => Shape::AtomicMap,
        Type::Map(map) => Shape::Map(MapShape::Declared(map)),
        Type::Deduced => match value {
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => Shape::Scalar,
            Some(Value::Array(_)) => Shape::AtomicList,
            Some(Value::Object(_) | Value::Null) | None => Shape::Map(MapShape::Deduced(id)),
        },
        Type::Atomic => match value {
            Some(Value::Bool(_) | Value::Number(_) | Value::String(_)) => Shape::Scalar,
            Some(Value::Array(_)) => Shape::AtomicList,
            Some(Value::Object(_) | Value::Null) | None => Shape::AtomicMap,
        },
    }
}

/// The entries of a map that is not empty.
pub(crate) fn entries(value: Option<&Value>) -> Option<&serde_json::Map<String, Value>> {
    match value {
        Some(Value::Object(map)) if !map.is_empty() => Some(map),
        _ => None,
    }
}

/// The items of a list that is not empty.
pub(crate) fn items(value: Option<&Value>) -> &[Value] {
    match value {
        Some(Value::Array(items)) => items,
        _ => &[],
    }
}
