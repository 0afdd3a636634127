//! Fitting a field set to a schema that has changed since the set was written.
//!
//! A list or map that has become one piece is owned as one piece by whoever owned something
//! in it. The other way round nothing can be known, and the set stays.

use crate::fields::{FieldSet, Node, PathElement};
use crate::schema::{ListKind, Map, Scalar, Type, TypeId};
use crate::typed::Typed;

pub(crate) fn reconcile(typed: Typed<'_>, set: &mut FieldSet) -> bool {
    inside(typed, typed.type_id, set)
}

fn inside(typed: Typed<'_>, type_id: TypeId, set: &mut FieldSet) -> bool {
    let mut changed = false;
    for node in set.nodes_mut() {
        let inside = match (typed.schema.get(type_id), &node.element) {
            (Type::Map(map), _) if is_deduced(typed, map) => None,
            (Type::Map(map), PathElement::Field(name)) => {
                map.field(name).map(|field| field.type_id).or(map.rest)
            }
            (Type::Map(map), _) => map.rest,
            (Type::List(list), _) => Some(list.element),
            (Type::Scalar(_) | Type::Deduced | Type::Atomic, _) => None,
        };
        if let Some(type_id) = inside {
            changed |= at(typed, type_id, node);
        }
    }
    changed
}

fn at(typed: Typed<'_>, type_id: TypeId, node: &mut Node) -> bool {
    let is_leaf = node.member && node.below.is_empty();
    let is_one_piece = match typed.schema.get(type_id) {
        Type::Map(map) => map.atomic && !is_deduced(typed, map),
        Type::List(list) => list.kind == ListKind::Atomic,
        Type::Atomic => true,
        Type::Scalar(_) | Type::Deduced => return false,
    };
    if !is_one_piece {
        return inside(typed, type_id, &mut node.below);
    }
    if is_leaf {
        return false;
    }
    node.member = true;
    node.below = FieldSet::default();
    true
}

/// A map of anything is never one piece.
fn is_deduced(typed: Typed<'_>, map: &Map) -> bool {
    let rest = map.rest.map(|rest| typed.schema.get(rest));
    map.fields.is_empty() && matches!(rest, Some(Type::Deduced | Type::Scalar(Scalar::Untyped)))
}
