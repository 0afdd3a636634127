//! Functions of maps. `set`, `unset` and the merges change the map they are given.

use goval::{Context, Map, MapType, Str, Value};

use crate::args::{Answer, map, strings, text};
use crate::print::{is_longer, strval};
use crate::semver::Version;

/// A key of more text than this is not printed in full: some charts pass a whole context as a
/// key by mistake, and Go spends a second to print it.
const KEY_BYTES_MAX: usize = 64 * 1024;

const NIL_MAP: &str = "assignment to entry in nil map";

pub(crate) fn dict(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let dict = Map::new();
    for (at, pair) in args.chunks(2).enumerate() {
        let key = match &pair[0] {
            key @ (Value::Map(_) | Value::List(_)) if is_longer(key, KEY_BYTES_MAX) => {
                Str::from(format!("<{} as key {at}, too long to print>", key.type_name()))
            }
            key => strval(key, context.budget)?,
        };
        context.budget.charge(key.len() as u64)?;
        dict.insert(key, pair.get(1).cloned().unwrap_or_else(|| Value::str("")));
    }
    Ok(Value::Map(dict))
}

pub(crate) fn get(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let found = map(args, 0)?.and_then(|map| map.get(text(args, 1).ok()?));
    Ok(found.unwrap_or_else(|| Value::str("")))
}

pub(crate) fn set(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let target = map(args, 0)?.ok_or(NIL_MAP)?;
    let key = text(args, 1)?;
    context.budget.charge(key.len() as u64)?;
    target.insert(key.clone(), args.get(2).cloned().unwrap_or_default());
    Ok(args[0].clone())
}

pub(crate) fn unset(_: &mut Context<'_>, args: &[Value]) -> Answer {
    if let Some(target) = map(args, 0)? {
        target.remove(text(args, 1)?);
    }
    Ok(args[0].clone())
}

pub(crate) fn has_key(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let key = text(args, 1)?;
    Ok(Value::Bool(map(args, 0)?.is_some_and(|map| map.contains(key))))
}

pub(crate) fn pluck(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let key = text(args, 0)?;
    context.budget.spend(args.len() as u64)?;
    let mut found = Vec::new();
    for at in 1..args.len() {
        found.extend(map(args, at)?.and_then(|map| map.get(key)));
    }
    Ok(Value::list(found))
}

/// In order; Go's order is random.
pub(crate) fn keys(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut all = Vec::new();
    for at in 0..args.len() {
        if let Some(map) = map(args, at)? {
            context.budget.spend(map.len() as u64)?;
            all.extend(map.keys());
        }
    }
    Ok(strings(all))
}

/// In the order of the keys; Go's order is random.
pub(crate) fn values(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut all = Vec::new();
    if let Some(map) = map(args, 0)? {
        context.budget.spend(map.len() as u64)?;
        map.for_each(|_, value| all.push(value.clone()));
    }
    Ok(Value::list(all))
}

pub(crate) fn pick(context: &mut Context<'_>, args: &[Value]) -> Answer {
    context.budget.spend(args.len() as u64)?;
    let picked = Map::new();
    if let Some(map) = map(args, 0)? {
        for at in 1..args.len() {
            let key = text(args, at)?;
            if let Some(value) = map.get(key) {
                picked.insert(key.clone(), value);
            }
        }
    }
    Ok(Value::Map(picked))
}

pub(crate) fn omit(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let kept = Map::new();
    let dropped: Vec<&Str> = (1..args.len()).map(|at| text(args, at)).collect::<Result<_, _>>()?;
    if let Some(map) = map(args, 0)? {
        context.budget.spend((map.len() * (dropped.len() + 1)) as u64)?;
        map.for_each(|key, value| {
            if !dropped.contains(&key) {
                kept.insert(key.clone(), value.clone());
            }
        });
    }
    Ok(Value::Map(kept))
}

pub(crate) fn dig(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let [keys @ .., default, dict] = args else {
        return Err("dig needs at least three arguments".to_owned());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".to_owned());
    }
    let mut here = plain_map(dict)?;
    let mut names = Vec::with_capacity(keys.len());
    for key in keys {
        match key {
            Value::Str(name) => names.push(name),
            other => return Err(conversion(other, "string")),
        }
    }
    for (at, name) in names.iter().enumerate() {
        match here.get(name) {
            None => return Ok(default.clone()),
            Some(found) if at + 1 == names.len() => return Ok(found),
            Some(step) => here = plain_map(&step)?,
        }
    }
    Ok(default.clone())
}

/// A `map[string]interface {}` and no other type, not even one that is made of it.
fn plain_map(value: &Value) -> Result<Map, String> {
    match value {
        Value::Map(map) if map.map_type() == MapType::Any => Ok(map.clone()),
        other => Err(conversion(other, "map[string]interface {}")),
    }
}

fn conversion(value: &Value, want: &str) -> String {
    let got = match value {
        Value::Nil => "nil",
        other => other.type_name(),
    };
    format!("interface conversion: interface {{}} is {got}, not {want}")
}

pub(crate) fn deep_copy(context: &mut Context<'_>, args: &[Value]) -> Answer {
    match args.first() {
        None | Some(Value::Nil) => {
            Err("reflect: call of reflect.Value.Type on zero Value".to_owned())
        }
        // Go's copy takes over nothing that has no public field.
        Some(Value::Object(object)) if object.as_any().is::<Version>() => {
            Version::parse("0.0.0").map(crate::args::named)
        }
        Some(value) => goval::deep_copy(value, context.budget),
    }
}

/// Go swallows the error of a merge, and gives no text; only what breaks it is told.
fn or_empty(context: &mut Context<'_>, args: &[Value], overwrite: bool) -> Answer {
    match crate::merge::merge(context, args, overwrite) {
        Err(error) if error == crate::merge::DIFFERENT_TYPES => Ok(Value::str("")),
        merged => merged,
    }
}

pub(crate) fn merge(context: &mut Context<'_>, args: &[Value]) -> Answer {
    or_empty(context, args, false)
}

pub(crate) fn must_merge(context: &mut Context<'_>, args: &[Value]) -> Answer {
    crate::merge::merge(context, args, false)
}

pub(crate) fn merge_overwrite(context: &mut Context<'_>, args: &[Value]) -> Answer {
    or_empty(context, args, true)
}

pub(crate) fn must_merge_overwrite(context: &mut Context<'_>, args: &[Value]) -> Answer {
    crate::merge::merge(context, args, true)
}
