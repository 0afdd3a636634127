//! Applying without touching what is ignored (`RespectIgnoreDifferences=true`).

use merge::schema::{List, ListKind, Type};
use merge::typed::Typed;
use serde_json::{Map, Value};

use crate::ignore::{place, remove_pointer, step_into};
use crate::jq::Step;
use crate::rules::Rules;

/// Returns the target with the ignored fields as they are in the live object: what is not
/// there is taken out of the target too. A status stays its controller's: nothing of it is taken
/// over, or who syncs would come to own it.
pub fn respect_ignored(target: &Value, live: &Value, rules: &Rules<'_>) -> Value {
    let mut stated = live.clone();
    if let Some(fields) = stated.as_object_mut() {
        fields.remove("status");
    }
    let live = &stated;
    let ignored = rules.ignore.of(target);
    let mut out = target.clone();
    for pointer in &ignored.pointers {
        let mut found = Some(live);
        for step in *pointer {
            found = found.and_then(|at| match at {
                Value::Array(items) => items.get(place(step, items.len())?),
                other => other.get(step),
            });
        }
        match found {
            Some(value) => set_pointer(&mut out, pointer, value.clone()),
            None => remove_pointer(&mut out, pointer),
        }
    }
    for expression in &ignored.expressions {
        expression.remove_from(&mut out);
        for path in expression.paths(live).unwrap_or_default() {
            restore(&mut out, live, &path, rules);
        }
    }
    let owned = ignored.owned(live);
    if let Some((schema, type_id)) = rules.schema
        && !owned.is_empty()
    {
        let typed = Typed::new(schema, type_id);
        let theirs = typed.extract_items(live, &owned, true);
        typed.remove_items(&mut out, &owned.leaves());
        if theirs.is_object() {
            typed.merge(&mut out, &theirs);
        }
    }
    out
}

/// Sets what a path leads to in the target as it is live. An item of a list is found by its keys where
/// the kind's list has keys, else by its place; where the target has no such item nothing is set.
fn restore(target: &mut Value, live: &Value, path: &[Step], rules: &Rules<'_>) {
    let [before @ .., Step::Field(last)] = path else { return };
    let mut shape = rules.schema.map(|(schema, type_id)| (schema, schema.get(type_id)));
    let (mut to, mut from) = (target, live);
    for step in before {
        match step {
            Step::Field(name) => {
                let Some(next) = from.get(name) else { return };
                from = next;
                if let Value::Object(map) = &mut *to
                    && !map.contains_key(name)
                    && next.is_object()
                {
                    map.insert(name.clone(), Value::Object(Map::new()));
                }
                let Some(next) = to.get_mut(name) else { return };
                to = next;
                shape = shape.and_then(|(schema, shape)| match shape {
                    Type::Map(map) => {
                        let id = map.field(name).map(|field| field.type_id).or(map.rest)?;
                        Some((schema, schema.get(id)))
                    }
                    _ => None,
                });
            }
            Step::Item(place) => {
                let Some(item) = from.get(place) else { return };
                from = item;
                let keys = match shape {
                    Some((_, Type::List(List { kind: ListKind::Map(keys), .. }))) => {
                        keys.as_slice()
                    }
                    _ => &[],
                };
                let Some(items) = to.as_array_mut() else { return };
                let at = match keys {
                    [] => Some(*place),
                    keys => items
                        .iter()
                        .position(|one| keys.iter().all(|key| one.get(&**key) == item.get(&**key))),
                };
                let Some(next) = at.and_then(|at| items.get_mut(at)) else { return };
                to = next;
                shape = shape.and_then(|(schema, shape)| match shape {
                    Type::List(list) => Some((schema, schema.get(list.element))),
                    _ => None,
                });
            }
            Step::Slice(..) => return,
        }
    }
    if let (Value::Object(map), Some(value)) = (to, from.get(last)) {
        map.insert(last.clone(), value.clone());
    }
}

/// Sets what a pointer points at; maps on the way are made, list items are not.
fn set_pointer(value: &mut Value, steps: &[String], new: Value) {
    let [before @ .., last] = steps else { return };
    let mut at = value;
    for step in before {
        if let Value::Object(map) = at
            && !map.contains_key(step)
        {
            map.insert(step.clone(), Value::Object(Map::new()));
        }
        let Some(next) = step_into(at, step) else { return };
        at = next;
    }
    match at {
        Value::Object(map) => {
            map.insert(last.clone(), new);
        }
        Value::Array(items) => {
            let at = place(last, items.len());
            if let Some(item) = at.and_then(|at| items.get_mut(at)) {
                *item = new;
            }
        }
        _ => {}
    }
}
