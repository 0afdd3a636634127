//! Declared fields on the way to a member.

use crate::fields::{FieldSet, Node, PathElement};
use crate::schema::{Type, TypeId};
use crate::typed::Typed;

pub(crate) fn with_named_fields(typed: Typed<'_>, set: &FieldSet) -> FieldSet {
    branch(typed, Some(typed.type_id), set)
}

fn branch(typed: Typed<'_>, type_id: Option<TypeId>, set: &FieldSet) -> FieldSet {
    let mut out = FieldSet::default();
    for node in set.nodes() {
        let (is_declared, inside) = step(typed, type_id, node);
        let member = node.member || (is_declared && !node.below.is_empty());
        out.add(node.element.clone(), member, branch(typed, inside, &node.below));
    }
    out
}

/// Whether the schema names the node's field, and the type of what is inside it.
fn step(typed: Typed<'_>, type_id: Option<TypeId>, node: &Node) -> (bool, Option<TypeId>) {
    let Some(type_id) = type_id else { return (false, None) };
    match (typed.schema.get(type_id), &node.element) {
        (Type::Map(map), PathElement::Field(name)) => match map.field(name) {
            Some(field) => (true, Some(field.type_id)),
            None => (false, map.rest),
        },
        (Type::List(list), PathElement::Key(_)) => (false, Some(list.element)),
        (Type::Deduced | Type::Atomic, _) => (false, Some(type_id)),
        _ => (false, None),
    }
}
