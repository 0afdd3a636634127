//! Applying without touching what is ignored (`RespectIgnoreDifferences=true`).

use merge::typed::Typed;
use serde_json::{Map, Value};

use crate::ignore::{remove_pointer, step_into};
use crate::rules::Rules;

/// Returns the target with the ignored fields as they are in the live object: what is not
/// there is taken out of the target too.
pub fn respect_ignored(target: &Value, live: &Value, rules: &Rules<'_>) -> Value {
    let ignored = rules.ignore.of(target);
    let mut out = target.clone();
    for pointer in &ignored.pointers {
        let mut found = Some(live);
        for step in *pointer {
            found = found.and_then(|at| match at {
                Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                other => other.get(step),
            });
        }
        match found {
            Some(value) => set_pointer(&mut out, pointer, value.clone()),
            None => remove_pointer(&mut out, pointer),
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
            if let Some(item) = last.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                *item = new;
            }
        }
        _ => {}
    }
}
