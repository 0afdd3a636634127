//! Which fields a value has.

use serde_json::Value;

use crate::fields::{FieldSet, PathElement};
use crate::schema::List;
use crate::typed::Typed;
use crate::typed::list::element_of;
use crate::typed::shape::{MapShape, Shape, entries, items};

pub(crate) fn of(typed: Typed<'_>, value: &Value) -> FieldSet {
    branch(typed, value).1
}

/// Returns whether the value itself is a field, and the fields inside it.
fn branch(typed: Typed<'_>, value: &Value) -> (bool, FieldSet) {
    match typed.shape(Some(value)) {
        Shape::Scalar | Shape::AtomicMap | Shape::AtomicList => (true, FieldSet::default()),
        Shape::Map(shape) => (false, of_map(typed, shape, value)),
        Shape::List(list) => (false, of_list(typed, list, value)),
    }
}

fn of_map(typed: Typed<'_>, shape: MapShape<'_>, value: &Value) -> FieldSet {
    let Some(entries) = entries(Some(value)) else { return FieldSet::default() };
    let mut set = FieldSet::with_capacity(entries.len());
    for (name, value) in entries {
        let Some((type_id, declared)) = shape.declared_child(name) else { continue };
        let (is_leaf, below) = branch(typed.at(type_id), value);
        let is_empty = value.is_null() || value.as_object().is_some_and(|map| map.is_empty());
        let member = is_leaf || is_empty || declared.is_none();
        let element = match declared {
            Some(field) => PathElement::Field(field.name.clone()),
            None => PathElement::field(name),
        };
        set.add(element, member, below);
    }
    set
}

fn of_list(typed: Typed<'_>, list: &List, value: &Value) -> FieldSet {
    let mut found: Vec<_> = items(Some(value))
        .iter()
        .filter_map(|item| Some((element_of(typed.schema, list, item).ok()?, item)))
        .collect();
    found.sort_by(|(left, _), (right, _)| left.cmp(right));
    let mut set = FieldSet::default();
    let mut found = found.into_iter().peekable();
    while let Some((element, item)) = found.next() {
        let mut is_twice = false;
        while found.next_if(|(other, _)| *other == element).is_some() {
            is_twice = true;
        }
        // An element that is there twice is owned as one piece.
        let below = match is_twice {
            true => FieldSet::default(),
            false => branch(typed.at(list.element), item).1,
        };
        set.add(element.to_path(), true, below);
    }
    set
}
