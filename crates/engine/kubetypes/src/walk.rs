//! A walk over every struct of an object, parents before their parts.

use serde_json::{Map, Value};

use crate::shape::{Field, Shape, Struct, StructId};
use crate::tables::Tables;

/// What happens at each stop of a [`walk`].
pub trait Visit {
    /// An object of a struct; `name` is the struct's OpenAPI name.
    fn object(&mut self, name: &'static str, object: &mut Map<String, Value>);

    /// A field of an object, whether it is there or not; called after [`Visit::object`].
    fn field(&mut self, field: &Field, object: &mut Map<String, Value>) {
        let _ = (field, object);
    }

    /// A map with a Go name, such as `v1.ResourceList`.
    fn named_map(&mut self, go_name: &'static str, map: &mut Map<String, Value>) {
        let _ = (go_name, map);
    }
}

/// Visits a value of a struct and everything in it. What is not as the shape says is skipped.
///
/// An inlined struct is visited under its own name with its holder's object.
pub fn walk(tables: &Tables, id: StructId, value: &mut Value, visit: &mut impl Visit) {
    if let Value::Object(object) = value {
        visit_object(tables, id, object, visit);
    }
}

fn visit_object(
    tables: &Tables,
    id: StructId,
    object: &mut Map<String, Value>,
    visit: &mut impl Visit,
) {
    let declared = tables.get(id);
    visit.object(declared.name, object);
    let mut present = present(declared, id, object);
    for field in &declared.fields {
        let is_present = present & 1 != 0;
        present = present >> 1 | LATER_FIELDS;
        if let (true, Shape::Struct(inlined)) = (field.inline, &field.shape) {
            visit_object(tables, *inlined, object, visit);
            continue;
        }
        visit.field(field, object);
        if is_present
            && holds_more(&field.shape)
            && let Some(value) = object.get_mut(field.name)
        {
            visit_value(tables, &field.shape, value, visit);
        }
    }
}

/// What a struct has more of than bits is always looked for.
const LATER_FIELDS: u64 = 1 << 63;

/// Which of a struct's own fields may be in an object, the first in the lowest bit: most structs
/// declare far more than an object has, and looking each up is most of a walk.
fn present(declared: &Struct, id: StructId, object: &Map<String, Value>) -> u64 {
    object.keys().fold(LATER_FIELDS, |present, key| {
        match declared.place(key).map(|at| declared.names[at]) {
            Some((_, home, field)) if home == id && field < u64::BITS => present | 1 << field,
            _ => present,
        }
    })
}

fn visit_value(tables: &Tables, shape: &Shape, value: &mut Value, visit: &mut impl Visit) {
    match (shape, value) {
        (Shape::Struct(id), Value::Object(object)) => visit_object(tables, *id, object, visit),
        (Shape::List { element, .. }, Value::Array(items)) if holds_more(element) => {
            for item in items {
                visit_value(tables, element, item, visit);
            }
        }
        (Shape::Map { go_name, value: of, .. }, Value::Object(map)) => {
            if !go_name.is_empty() {
                visit.named_map(go_name, map);
            }
            if holds_more(of) {
                for value in map.values_mut() {
                    visit_value(tables, of, value, visit);
                }
            }
        }
        _ => {}
    }
}

fn holds_more(shape: &Shape) -> bool {
    !matches!(shape, Shape::Scalar(..))
}
