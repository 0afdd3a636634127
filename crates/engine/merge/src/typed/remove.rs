//! Taking fields out of a value, and keeping only some.

use serde_json::{Map, Value};

use crate::fields::{FieldSet, PathElement};
use crate::schema::List;
use crate::typed::Typed;
use crate::typed::list::element_of;
use crate::typed::shape::{MapShape, Shape};

/// Takes `set` out of `value`. A map or list of which nothing stays, or that is one piece,
/// becomes null.
pub(crate) fn remove(typed: Typed<'_>, value: &mut Value, set: &FieldSet) {
    let shape = typed.shape(Some(value));
    let is_gone = match (shape, &mut *value) {
        (Shape::Scalar, _) => false,
        (Shape::Map(shape), Value::Object(map)) => {
            remove_fields(typed, shape, map, set);
            map.is_empty()
        }
        (Shape::List(list), Value::Array(items)) => {
            remove_elements(typed, list, items, set);
            items.is_empty()
        }
        (Shape::Map(_) | Shape::List(_) | Shape::AtomicMap | Shape::AtomicList, _) => true,
    };
    if is_gone {
        *value = Value::Null;
    }
}

fn remove_fields(
    typed: Typed<'_>,
    shape: MapShape<'_>,
    map: &mut Map<String, Value>,
    set: &FieldSet,
) {
    for node in set.nodes() {
        let PathElement::Field(name) = &node.element else { continue };
        if node.member {
            map.remove(&**name);
        } else if let (Some(value), Some(type_id)) = (map.get_mut(&**name), shape.child(name)) {
            remove(typed.at(type_id), value, &node.below);
        }
    }
}

fn remove_elements(typed: Typed<'_>, list: &List, items: &mut Vec<Value>, set: &FieldSet) {
    items.retain_mut(|item| {
        let node = element_of(typed.schema, list, item)
            .ok()
            .and_then(|element| set.node_by(|other| element.compare_path(other)));
        match node {
            Some(node) if node.member => return false,
            Some(node) => remove(typed.at(list.element), item, &node.below),
            None => {}
        }
        true
    });
}

/// Returns what of `value` is in `set`.
pub(crate) fn extract(typed: Typed<'_>, value: &Value, set: &FieldSet, keys: bool) -> Value {
    match keys {
        true => extracted(typed, value, &set.union(&keys_of(typed, value, set))),
        false => extracted(typed, value, set),
    }
}

/// The key fields of every list item that is on the way to a field of both.
fn keys_of(typed: Typed<'_>, value: &Value, set: &FieldSet) -> FieldSet {
    let mut out = FieldSet::default();
    for path in typed.field_set(value).intersection(set).paths() {
        for (at, element) in path.iter().enumerate() {
            let PathElement::Key(fields) = element else { continue };
            for field in fields.iter() {
                let mut key = path[..=at].to_vec();
                key.push(PathElement::Field(field.name.clone()));
                out.insert(&key);
            }
        }
    }
    out
}

fn extracted(typed: Typed<'_>, value: &Value, set: &FieldSet) -> Value {
    match (typed.shape(Some(value)), value) {
        (Shape::Scalar | Shape::AtomicMap, _) => value.clone(),
        (Shape::AtomicList, _) => value.clone(),
        (Shape::Map(_), Value::Object(map)) if map.is_empty() => value.clone(),
        (Shape::List(_), Value::Array(items)) if items.is_empty() => value.clone(),
        (Shape::Map(shape), Value::Object(map)) => {
            let kept = map.iter().filter_map(|(name, value)| {
                let node = set.field(name)?;
                let inside = typed.at(shape.child(name)?);
                let below = match node.member {
                    // Upstream looks for the field's own children one level too high, so
                    // that of an owned map only what is named like its siblings stays.
                    true => set,
                    false => &node.below,
                };
                Some((name.clone(), extracted(inside, value, below)))
            });
            null_if_empty(Value::Object(kept.collect()))
        }
        (Shape::List(list), Value::Array(items)) => {
            let kept = items.iter().filter_map(|item| {
                let element = element_of(typed.schema, list, item).ok()?;
                let node = set.node_by(|other| element.compare_path(other))?;
                Some(match node.below.is_empty() {
                    true => item.clone(),
                    false => extracted(typed.at(list.element), item, &node.below),
                })
            });
            null_if_empty(Value::Array(kept.collect()))
        }
        (Shape::Map(_) | Shape::List(_), _) => Value::Null,
    }
}

fn null_if_empty(value: Value) -> Value {
    match &value {
        Value::Object(map) if map.is_empty() => Value::Null,
        Value::Array(items) if items.is_empty() => Value::Null,
        _ => value,
    }
}
