//! Merging maps into the first one, with the rules of the package `mergo`.
//!
//! Maps inside maps merge in place; a map copied to where nothing was stays shared with its
//! source, so that a later `set` shows in both.

use goval::{Context, Kind, Map, MapType, Str, Value};

use crate::args::{Answer, map};
use crate::logic::is_empty;

/// `mergo`'s only error for maps.
pub(crate) const DIFFERENT_TYPES: &str = "src and dst must be of same type";
/// Maps inside each other; a map that holds itself is deeper.
const DEPTH_MAX: usize = 1_000;

/// Merges `args[1..]` into `args[0]`, one after the other, and gives the first.
///
/// # Errors
///
/// `mergo`'s own, in its words.
pub(crate) fn merge(context: &mut Context<'_>, args: &[Value], overwrite: bool) -> Answer {
    let mut target = map(args, 0)?.cloned();
    for at in 1..args.len() {
        let Some(source) = map(args, at)? else { continue };
        let target = target.get_or_insert_default();
        into(context, target, source, overwrite, 0)?;
    }
    // Into no map at all a new one is made, if there is something to merge.
    Ok(target.map_or_else(|| args[0].clone(), Value::Map))
}

fn into(
    context: &mut Context<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    depth: usize,
) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err("maps are nested too deeply to merge".to_owned());
    }
    context.budget.spend(source.len() as u64 + 1)?;
    for (key, new) in source.entries() {
        // An element of `map[string]string` is never nil.
        if matches!(new, Value::Nil) {
            if overwrite {
                put(target, &key, new)?;
            }
            continue;
        }
        let old = target.get(&key);
        match (&old, &new) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                into(context, old, new, overwrite, depth + 1)?;
            }
            (Some(Value::Object(old)), Value::Map(_) | Value::Object(_))
                if old.kind() == Kind::Ptr && new.kind() != Kind::Ptr && !overwrite =>
            {
                return Err(DIFFERENT_TYPES.to_owned());
            }
            _ => {}
        }
        let new_kind = new.kind();
        if new_kind == Kind::Slice && overwrite {
            put(target, &key, new.clone())?;
        }
        if let Some(old) = &old
            && !is_empty_to_mergo(old)
            && (new_kind == Kind::Slice || new_kind == Kind::Map && old.kind() == Kind::Map)
        {
            continue;
        }
        if overwrite || old.as_ref().is_none_or(is_empty_to_mergo) {
            put(target, &key, new)?;
        }
    }
    Ok(())
}

/// Times and versions are never empty.
fn is_empty_to_mergo(value: &Value) -> bool {
    match value {
        Value::Object(_) => false,
        other => is_empty(other),
    }
}

fn put(target: &Map, key: &Str, value: Value) -> Result<(), String> {
    if target.map_type() == MapType::String && !matches!(value, Value::Str(_)) {
        return Err("reflect.Value.SetMapIndex: value of type interface {} is not assignable \
                    to type string"
            .to_owned());
    }
    target.insert(key.clone(), value);
    Ok(())
}
