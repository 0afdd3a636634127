//! Making a patch of two objects.

use serde_json::{Map, Value};

use crate::schema::Patch;
use crate::strategic::lookup::{At, Elements, elements_of, failed, key_of};
use crate::strategic::order::{deduplicate, sort_by_key, sort_scalars, sorted_as};
use crate::strategic::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS, StrategicError};
use crate::values;

/// What of a difference goes into the patch.
#[derive(Clone, Copy, Default)]
pub(crate) struct Diff {
    /// `$setElementOrder` beside each list that is patched.
    pub(crate) element_order: bool,
    /// Nothing that is new or other.
    pub(crate) ignore_additions: bool,
    /// Nothing that is gone.
    pub(crate) ignore_deletions: bool,
    /// `$retainKeys`, where the map's strategy asks for it.
    pub(crate) retain_keys: bool,
}

type Object = Map<String, Value>;

pub(crate) fn diff_maps(
    original: &Object,
    modified: &Object,
    at: At<'_>,
    how: Diff,
) -> Result<Object, StrategicError> {
    let mut patch = Object::new();
    for (name, new) in modified {
        match (original.get(name), new) {
            (None, new) => {
                if !how.ignore_additions {
                    patch.insert(name.clone(), new.clone());
                }
            }
            (Some(old), new) if name == DIRECTIVE => {
                if !(old.is_string() && new.is_string()) {
                    return Err(failed(format!("invalid value for special key: {DIRECTIVE}")));
                }
                if old != new {
                    patch.insert(name.clone(), new.clone());
                }
            }
            (Some(Value::Object(old)), Value::Object(new)) => {
                diff_map_field(name, old, new, &mut patch, at, how)?;
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                diff_list_field(name, old, new, &mut patch, at, how)?;
            }
            (Some(old), new) => {
                if !how.ignore_additions && old != new {
                    patch.insert(name.clone(), new.clone());
                }
            }
        }
    }
    if !how.ignore_deletions {
        for name in original.keys().filter(|name| !modified.contains_key(*name)) {
            patch.insert(name.clone(), Value::Null);
        }
    }
    if how.retain_keys {
        let has_more = || {
            original.iter().any(|(name, value)| !value.is_null() && !modified.contains_key(name))
        };
        let kept: Vec<_> = modified
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, _)| Value::from(name.as_str()))
            .collect();
        if !kept.is_empty() && (!patch.is_empty() || has_more()) {
            patch.insert(RETAIN_KEYS.to_owned(), Value::Array(kept));
        }
    }
    Ok(patch)
}

fn diff_map_field(
    name: &str,
    old: &Object,
    new: &Object,
    patch: &mut Object,
    at: At<'_>,
    how: Diff,
) -> Result<(), StrategicError> {
    let (inside, patching) = match at.field(name) {
        Ok(found) => found,
        // Of a field that is not known nothing need be known while it stays as it is.
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    if patching.replace {
        if !how.ignore_additions && old != new {
            patch.insert(name.to_owned(), Value::Object(new.clone()));
        }
        return Ok(());
    }
    let how = Diff { retain_keys: patching.retain_keys, ..how };
    let inside = diff_maps(old, new, inside, how)?;
    if !inside.is_empty() {
        patch.insert(name.to_owned(), Value::Object(inside));
    }
    Ok(())
}

fn diff_list_field(
    name: &str,
    old: &[Value],
    new: &[Value],
    patch: &mut Object,
    at: At<'_>,
    how: Diff,
) -> Result<(), StrategicError> {
    let (inside, patching) = match at.list(name) {
        Ok(found) => found,
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    if !patching.merge {
        if !how.ignore_additions && old != new {
            patch.insert(name.to_owned(), Value::from(new.to_vec()));
        }
        return Ok(());
    }
    let how = Diff { retain_keys: patching.retain_keys, ..how };
    let lists = diff_lists(old, new, inside, patching, how)?;
    for (key, list) in [
        (name.to_owned(), lists.patch),
        (format!("{DELETE_FROM}/{name}"), lists.deleted),
        (format!("{ELEMENT_ORDER}/{name}"), lists.order),
    ] {
        if !list.is_empty() {
            patch.insert(key, Value::Array(list));
        }
    }
    Ok(())
}

/// What a patch says of one list.
#[derive(Default)]
struct Lists {
    patch: Vec<Value>,
    deleted: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists(
    old: &[Value],
    new: &[Value],
    at: At<'_>,
    patching: &Patch,
    how: Diff,
) -> Result<Lists, StrategicError> {
    let mut out = Lists::default();
    if old.is_empty() {
        if !how.ignore_additions {
            out.patch = new.to_vec();
        }
        return Ok(out);
    }
    let key = patching.merge_key.as_deref().unwrap_or_default();
    match elements_of(&[old, new])? {
        Elements::Maps => {
            let (patch, mut deleted) = diff_lists_of_maps(old, new, at, key, how)?;
            out.patch = sorted_as(patch, new, key, Elements::Maps)?;
            let is_order_same = is_order_same(old, new, key)?;
            out.patch.append(&mut deleted);
            let has_patch = !out.patch.is_empty();
            let orders = (!how.ignore_additions && (has_patch || !is_order_same))
                || (!how.ignore_deletions && has_patch);
            if how.element_order && orders {
                let only_key = |item: &Value| {
                    let value = item.get(key).cloned().unwrap_or(Value::Null);
                    Value::Object(Object::from_iter([(key.to_owned(), value)]))
                };
                out.order = new.iter().map(only_key).collect();
            }
        }
        Elements::Scalars => {
            let mut old = old.to_vec();
            sort_scalars(&mut old);
            let (added, deleted) = diff_lists_of_scalars(&old, new, how);
            out.patch = sorted_as(added, new, key, Elements::Scalars)?;
            let orders = (!how.ignore_deletions && !deleted.is_empty())
                // Upstream has sorted the old list by now, and compares what it sorted.
                || (!how.ignore_additions && old != new);
            out.deleted = deleted;
            if how.element_order && orders {
                out.order = new.to_vec();
            }
        }
    }
    Ok(out)
}

fn is_order_same(old: &[Value], new: &[Value], key: &str) -> Result<bool, StrategicError> {
    if old.len() != new.len() {
        return Ok(false);
    }
    for (old, new) in old.iter().zip(new) {
        let is_same = match key {
            "" => old == new,
            key => key_of(old, key)? == key_of(new, key)?,
        };
        if !is_same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns what is new and what is gone; `old` is sorted.
fn diff_lists_of_scalars(old: &[Value], new: &[Value], how: Diff) -> (Vec<Value>, Vec<Value>) {
    let mut new = new.to_vec();
    sort_scalars(&mut new);
    let (mut added, mut deleted) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (old.iter().peekable(), new.into_iter().peekable());
    loop {
        let order = match (olds.peek(), news.peek()) {
            (None, None) => break,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            (Some(old), Some(new)) => values::as_v(old).cmp(&values::as_v(new)),
        };
        match order {
            std::cmp::Ordering::Equal => {
                olds.next();
                news.next();
            }
            std::cmp::Ordering::Less => deleted.extend(olds.next().cloned()),
            std::cmp::Ordering::Greater => added.extend(news.next()),
        }
    }
    if how.ignore_additions {
        added.clear();
    }
    if how.ignore_deletions {
        deleted.clear();
    }
    deduplicate(&mut deleted);
    (added, deleted)
}

/// Returns what is new or other, and the directives that delete what is gone.
fn diff_lists_of_maps(
    old: &[Value],
    new: &[Value],
    at: At<'_>,
    key: &str,
    how: Diff,
) -> Result<(Vec<Value>, Vec<Value>), StrategicError> {
    let (mut old, mut new) = (old.to_vec(), new.to_vec());
    sort_by_key(&mut old, key);
    sort_by_key(&mut new, key);
    let (mut patch, mut deleted) = (Vec::new(), Vec::new());
    let (mut olds, mut news) = (old.iter().peekable(), new.iter().peekable());
    loop {
        let old = olds.peek().map(|item| Ok((*item, key_of(item, key)?))).transpose()?;
        let new = news.peek().map(|item| Ok((*item, key_of(item, key)?))).transpose()?;
        let order = match (old, new) {
            (None, None) => return Ok((patch, deleted)),
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(_), None) => std::cmp::Ordering::Less,
            (Some((_, old)), Some((_, new))) => values::as_v(old).cmp(&values::as_v(new)),
        };
        match (order, old, new) {
            (
                std::cmp::Ordering::Equal,
                Some((Value::Object(old), _)),
                Some((Value::Object(new), merge_key)),
            ) => {
                let mut item = diff_maps(old, new, at, how)?;
                if !item.is_empty() {
                    item.insert(key.to_owned(), merge_key.clone());
                    patch.push(Value::Object(item));
                }
                olds.next();
                news.next();
            }
            (std::cmp::Ordering::Less, Some((_, merge_key)), _) => {
                if !how.ignore_deletions {
                    deleted.push(Value::Object(Object::from_iter([
                        (key.to_owned(), merge_key.clone()),
                        (DIRECTIVE.to_owned(), "delete".into()),
                    ])));
                }
                olds.next();
            }
            (_, _, Some((new, _))) => {
                if !how.ignore_additions {
                    patch.push(new.clone());
                }
                news.next();
            }
            (_, _, None) => {
                olds.next();
            }
        }
    }
}
