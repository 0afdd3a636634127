//! Merging a patch into an object, or into another patch.

use serde_json::{Map, Value};

use crate::schema::Patch;
use crate::strategic::lookup::{
    At, Elements, elements_of, expect_list, failed, key_of, no_merge_key,
};
use crate::strategic::order::{deduplicate, interleave, split_deleted};
use crate::strategic::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS, StrategicError};
use crate::values;

/// What a patch is merged into.
#[derive(Clone, Copy)]
pub(crate) struct Merge {
    /// Another patch: its directives and nulls are kept.
    pub(crate) is_patch_on_patch: bool,
}

fn bad(message: &str) -> StrategicError {
    StrategicError::BadPatch(message.to_owned())
}

const BAD_ORDER: &str = "invalid patch format of setElementOrder list";
const BAD_DELETIONS: &str = "invalid patch format of primitive list";
const BAD_RETAIN_KEYS: &str = "invalid patch format of retainKeys";

pub(crate) fn merge_map(
    mut original: Map<String, Value>,
    mut patch: Map<String, Value>,
    at: At<'_>,
    how: Merge,
) -> Result<Map<String, Value>, StrategicError> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => {
                patch.insert(DIRECTIVE.to_owned(), directive.clone());
                Err(unknown_directive(&directive, &Value::Object(patch)))
            }
        };
    }
    retain_keys(&mut original, &mut patch, how)?;
    order_elements(&mut original, &mut patch, at, how)?;
    for (key, value) in patch {
        merge_field(&mut original, key, value, at, how)?;
    }
    Ok(original)
}

fn unknown_directive(directive: &Value, map: &Value) -> StrategicError {
    let (directive, map) = (values::as_v(directive), values::as_v(map));
    failed(format!("unknown patch type: {directive} in map: {map}"))
}

fn merge_field(
    original: &mut Map<String, Value>,
    key: String,
    value: Value,
    at: At<'_>,
    how: Merge,
) -> Result<(), StrategicError> {
    let is_deletion = key.starts_with(DELETE_FROM);
    if is_deletion && how.is_patch_on_patch {
        original.insert(key, value);
        return Ok(());
    }
    let key = match is_deletion {
        true => field_of(&key, DELETE_FROM, BAD_DELETIONS)?.to_owned(),
        false => key,
    };
    if value.is_null() {
        original.remove(&key);
        if !how.is_patch_on_patch {
            return Ok(());
        }
    }
    let merged = match (original.remove(&key), value) {
        (Some(Value::Object(ours)), Value::Object(theirs)) => {
            let (inside, patch) = at.field(&key)?;
            match patch.replace {
                true => Some(Value::Object(theirs)),
                false => Some(Value::Object(merge_map(ours, theirs, inside, how)?)),
            }
        }
        (Some(Value::Array(ours)), Value::Array(theirs)) => {
            let (inside, patch) = at.list(&key)?;
            Some(Value::Array(merge_lists(ours, theirs, inside, patch, is_deletion, how)?))
        }
        (ours, _) if is_deletion => ours,
        (_, mut theirs) => {
            if !how.is_patch_on_patch {
                drop_nulls(&mut theirs);
            }
            without_directives(theirs)
        }
    };
    if let Some(merged) = merged {
        original.insert(key, merged);
    }
    Ok(())
}

/// Returns the field that a directive's key speaks of.
fn field_of<'k>(
    key: &'k str,
    prefix: &str,
    refusal: &'static str,
) -> Result<&'k str, StrategicError> {
    match key.split_once('/') {
        Some((before, field)) if before == prefix => Ok(field),
        _ => Err(bad(refusal)),
    }
}

/// Clears the fields that `$retainKeys` does not name.
fn retain_keys(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    how: Merge,
) -> Result<(), StrategicError> {
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if how.is_patch_on_patch {
        return match original.get(RETAIN_KEYS) {
            Some(ours) if *ours != retained => {
                let (ours, theirs) = (values::as_v(ours), values::as_v(&retained));
                Err(failed(format!(
                    "{ours} and {theirs} are not deep equal: this may happen when calculating the 3-way diff patch"
                )))
            }
            Some(_) => Ok(()),
            None => {
                original.insert(RETAIN_KEYS.to_owned(), retained);
                Ok(())
            }
        };
    }
    let Value::Array(retained) = retained else { return Err(bad(BAD_RETAIN_KEYS)) };
    let is_retained = |name: &str| retained.iter().any(|key| key.as_str() == Some(name));
    let is_unnamed = patch.iter().any(|(name, value)| {
        let is_directive = name.starts_with(DELETE_FROM) || name.starts_with(ELEMENT_ORDER);
        !value.is_null() && !is_directive && !is_retained(name)
    });
    if is_unnamed {
        return Err(bad(BAD_RETAIN_KEYS));
    }
    original.retain(|name, _| is_retained(name));
    Ok(())
}

/// Merges the lists that have an `$setElementOrder`, and takes them out of the patch.
fn order_elements(
    original: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    at: At<'_>,
    how: Merge,
) -> Result<(), StrategicError> {
    let keys: Vec<_> = patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).cloned().collect();
    for key in keys {
        let Some(order) = patch.remove(&key) else { continue };
        if how.is_patch_on_patch {
            match original.get(&key) {
                Some(ours) if *ours != order => return Err(bad(BAD_ORDER)),
                Some(_) => {}
                None => {
                    original.insert(key.clone(), order.clone());
                }
            }
        }
        let order = expect_list(order)?;
        let name = field_of(&key, ELEMENT_ORDER, BAD_ORDER)?;
        let ours = original.get(name).cloned().map(expect_list).transpose()?;
        let theirs = patch.get(name).cloned().map(expect_list).transpose()?;
        let (inside, patching) = at.list(name)?;
        let merge_key = patching.merge_key.as_deref().unwrap_or_default();
        let ours_or_none = ours.clone().unwrap_or_default();
        let theirs_or_none = theirs.clone().unwrap_or_default();
        check_order(&theirs_or_none, &order, merge_key)?;
        let merged = match (ours, theirs) {
            (None, None) => continue,
            (Some(ours), None) => ours,
            (None, Some(theirs)) => theirs.into_iter().filter_map(without_directives).collect(),
            (Some(ours), Some(theirs)) => merge_lists(ours, theirs, inside, patching, false, how)?,
        };
        let (of_patch, of_server) = partition(merged, &order, merge_key)?;
        let elements = elements_of(&[&ours_or_none, &theirs_or_none])?;
        let server_order = match elements {
            Elements::Maps if patching.merge => {
                left_behind(ours_or_none, &theirs_or_none, merge_key)
            }
            _ => ours_or_none,
        };
        let both = interleave(of_patch, of_server, &order, &server_order, merge_key, elements)?;
        original.insert(name.to_owned(), Value::Array(both));
        patch.remove(name);
    }
    Ok(())
}

/// Returns a list as upstream's merge leaves it behind, which decides where the elements stand
/// that the patch does not speak of: deleting moves the later ones down within the same
/// memory, and new ones are written over what is left at its end.
fn left_behind(mut list: Vec<Value>, patch: &[Value], key: &str) -> Vec<Value> {
    let is = |item: &Value, directive: &str| item.get(DIRECTIVE).is_some_and(|d| d == directive);
    if patch.iter().any(|item| is(item, "replace")) {
        return list;
    }
    let place = |list: &[Value], wanted: &Value| {
        list.iter().position(|item| item.get(key) == wanted.get(key))
    };
    let mut length = list.len();
    for item in patch.iter().filter(|item| is(item, "delete")) {
        while let Some(at) = place(&list[..length], item) {
            for next in at + 1..length {
                list[next - 1] = list[next].clone();
            }
            length -= 1;
        }
    }
    for item in patch.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        if length < list.len() && place(&list[..length], item).is_none() {
            list[length] = item.clone();
            length += 1;
        }
    }
    list
}

/// The patch's elements stand in the order that it asks for, and none is missing there.
fn check_order(patch: &[Value], order: &[Value], key: &str) -> Result<(), StrategicError> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    let staying = match key {
        "" => patch.to_vec(),
        _ => split_deleted(patch.to_vec())?.0,
    };
    let (mut at, mut order_at) = (0, 0);
    while at < staying.len() && order_at < order.len() {
        if staying[at].get(DIRECTIVE).is_some() {
            at += 1;
            continue;
        }
        let is_same = match key {
            "" => staying[at] == order[order_at],
            key => key_of(&staying[at], key)? == key_of(&order[order_at], key)?,
        };
        at += usize::from(is_same);
        order_at += 1;
    }
    if at < staying.len() {
        let patch = values::as_v(&Value::from(patch.to_vec()));
        let order = values::as_v(&Value::from(order.to_vec()));
        return Err(failed(format!(
            "The order in patch list:\n{patch}\n doesn't match {ELEMENT_ORDER} list:\n{order}\n"
        )));
    }
    Ok(())
}

/// Splits a list into the elements that are in `by` and the others.
fn partition(
    items: Vec<Value>,
    by: &[Value],
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), StrategicError> {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for item in items {
        let is_inside = match key {
            "" => by.contains(&item),
            key => place_by_key(by, key, key_of(&item, key)?)?.is_some(),
        };
        if is_inside { inside.push(item) } else { outside.push(item) }
    }
    Ok((inside, outside))
}

fn place_by_key(
    items: &[Value],
    key: &str,
    wanted: &Value,
) -> Result<Option<usize>, StrategicError> {
    for (at, item) in items.iter().enumerate() {
        let Value::Object(map) = item else {
            return Err(failed(format!("value for key {at} is not a map")));
        };
        if map.get(key) == Some(wanted) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn merge_lists(
    original: Vec<Value>,
    patch: Vec<Value>,
    at: At<'_>,
    patching: &Patch,
    is_deletion: bool,
    how: Merge,
) -> Result<Vec<Value>, StrategicError> {
    if !patching.merge && !is_deletion {
        return Ok(patch);
    }
    if original.is_empty() && patch.is_empty() {
        return Ok(original);
    }
    let key = patching.merge_key.as_deref().unwrap_or_default();
    let elements = elements_of(&[&original, &patch])?;
    let (merged, original, patch) = match elements {
        Elements::Scalars if is_deletion => {
            return Ok(original.into_iter().filter(|item| !patch.contains(item)).collect());
        }
        Elements::Scalars => {
            let mut both = original.clone();
            both.extend(patch.iter().cloned());
            deduplicate(&mut both);
            (both, original, patch)
        }
        Elements::Maps if key.is_empty() => {
            return Err(failed("cannot merge lists without merge key for struct".to_owned()));
        }
        Elements::Maps => {
            let (original, patch) = obey_directives(original, patch, key)?;
            (merge_elements(original.clone(), patch.clone(), at, key, how)?, original, patch)
        }
    };
    let (of_patch, of_server) = partition(merged, &patch, key)?;
    interleave(of_patch, of_server, &patch, &original, key, elements)
}

/// Does what the elements with `$patch` say, and returns both lists without them.
fn obey_directives(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), StrategicError> {
    let mut plain = Vec::with_capacity(patch.len());
    let mut replace = false;
    for item in patch {
        let Some(directive) = item.get(DIRECTIVE) else {
            plain.push(item);
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                let wanted = item.get(key).ok_or_else(|| no_merge_key(&item, key))?;
                while let Some(place) = place_by_key(&original, key, wanted)? {
                    original.remove(place);
                }
            }
            Some("replace") => replace = true,
            Some("merge") => {
                let message = "merging lists cannot yet be specified in the patch";
                return Err(failed(message.to_owned()));
            }
            _ => return Err(unknown_directive(directive, &item)),
        }
    }
    Ok(if replace { (plain, Vec::new()) } else { (original, plain) })
}

fn merge_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    at: At<'_>,
    key: &str,
    how: Merge,
) -> Result<Vec<Value>, StrategicError> {
    for item in patch {
        let wanted = item.get(key).ok_or_else(|| no_merge_key(&item, key))?;
        match place_by_key(&original, key, wanted)? {
            None => original.push(item),
            Some(place) => {
                if let (Value::Object(ours), Value::Object(theirs)) =
                    (std::mem::take(&mut original[place]), item)
                {
                    original[place] = Value::Object(merge_map(ours, theirs, at, how)?);
                }
            }
        }
    }
    Ok(original)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Returns a value without the maps in it that are directives, if it is not one itself.
fn without_directives(value: Value) -> Option<Value> {
    Some(match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => return None,
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter_map(|(name, value)| Some((name, without_directives(value)?)))
                .collect(),
        ),
        Value::Array(items) => {
            Value::Array(items.into_iter().filter_map(without_directives).collect())
        }
        other => other,
    })
}
