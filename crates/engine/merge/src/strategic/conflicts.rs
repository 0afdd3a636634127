//! Whether two patches change the same thing to different values.

use serde_json::{Map, Value};

use crate::schema::Patch;
use crate::strategic::lookup::{At, Elements, elements_of, failed};
use crate::strategic::order::{deduplicate, sort_scalars};
use crate::strategic::{DIRECTIVE, RETAIN_KEYS, StrategicError};
use crate::values;

type Object = Map<String, Value>;

pub(crate) fn in_maps(left: &Object, right: &Object, at: At<'_>) -> Result<bool, StrategicError> {
    match (left.get(DIRECTIVE), right.get(DIRECTIVE)) {
        (None, None) => {}
        (Some(left), Some(right)) if left == right => {}
        _ => return Ok(true),
    }
    for (name, left) in left {
        if name == DIRECTIVE || name == RETAIN_KEYS {
            continue;
        }
        let Some(right) = right.get(name) else { continue };
        let is_conflict = match (left, right) {
            (Value::Object(left), Value::Object(right)) => in_maps(left, right, at.field(name)?.0)?,
            (Value::Array(left), Value::Array(right)) => {
                let (inside, patching) = at.list(name)?;
                in_lists(left, right, inside, patching)?
            }
            (left, right) => left != right,
        };
        if is_conflict {
            return Ok(true);
        }
    }
    Ok(false)
}

fn in_lists(
    left: &[Value],
    right: &[Value],
    at: At<'_>,
    patching: &Patch,
) -> Result<bool, StrategicError> {
    let elements = elements_of(&[left, right])?;
    if patching.merge {
        if elements == Elements::Scalars {
            return Ok(false);
        }
        let key = patching.merge_key.as_deref().unwrap_or_default();
        let (left, right) = (by_key(left, key)?, by_key(right, key)?);
        for (key, left) in &left {
            let right = right.iter().rev().find(|(other, _)| key == other);
            if let Some((_, right)) = right
                && in_maps(left, right, at)?
            {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if left.len() != right.len() {
        return Ok(true);
    }
    let (mut left, mut right) = (left.to_vec(), right.to_vec());
    if elements == Elements::Scalars {
        for list in [&mut left, &mut right] {
            deduplicate(list);
            sort_scalars(list);
        }
    }
    for (left, right) in left.iter().zip(&right) {
        let is_conflict = match (left, right) {
            (Value::Object(left), Value::Object(right)) => in_maps(left, right, at)?,
            (left, right) => left != right,
        };
        if is_conflict {
            return Ok(true);
        }
    }
    Ok(false)
}

fn by_key<'v>(items: &'v [Value], key: &str) -> Result<Vec<(String, &'v Object)>, StrategicError> {
    let of_item = |item: &'v Value| {
        let Value::Object(map) = item else {
            let items = values::as_v(&Value::from(items.to_vec()));
            return Err(failed(format!("invalid element type in merging list:{items}")));
        };
        let Some(value) = map.get(key) else {
            let item = values::as_v(item);
            return Err(failed(format!(
                "cannot find merge key `{key}` in merging list element:{item}"
            )));
        };
        Ok((values::as_v(value), map))
    };
    items.iter().map(of_item).collect()
}
