//! In what order a patched list stands: the patch's own elements in the patch's order, the
//! others about where they were.

use serde_json::Value;

use crate::strategic::lookup::{Elements, expect_map, key_of};
use crate::strategic::{DIRECTIVE, StrategicError};
use crate::values;

/// Joins the elements that the patch speaks of and those that it does not.
pub(crate) fn interleave(
    of_patch: Vec<Value>,
    of_server: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: &str,
    elements: Elements,
) -> Result<Vec<Value>, StrategicError> {
    let of_patch = sorted_as(of_patch, patch_order, key, elements)?;
    let of_server = sorted_as(of_server, server_order, key, elements)?;
    let mut out = Vec::with_capacity(of_patch.len() + of_server.len());
    let mut of_patch = of_patch.into_iter().peekable();
    let mut of_server = of_server.into_iter().peekable();
    loop {
        let server_first = match (of_server.peek(), of_patch.peek()) {
            (None, None) => return Ok(out),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(server), Some(patch)) => {
                let server = place(server_order, server, key, elements);
                let patch = place(server_order, patch, key, elements);
                matches!((server, patch), (Some(server), Some(patch)) if server < patch)
            }
        };
        out.extend(if server_first { of_server.next() } else { of_patch.next() });
    }
}

/// Where an element stands in a list.
fn place(list: &[Value], item: &Value, key: &str, elements: Elements) -> Option<usize> {
    let identity = |item: &'_ Value| -> Value {
        match elements {
            Elements::Scalars => item.clone(),
            Elements::Maps => item.get(key).cloned().unwrap_or(Value::Null),
        }
    };
    let wanted = identity(item);
    list.iter().position(|item| match elements {
        Elements::Scalars => *item == wanted,
        Elements::Maps => *item.get(key).unwrap_or(&Value::Null) == wanted,
    })
}

/// Sorts a list as `order` has it; elements to be deleted come last.
pub(crate) fn sorted_as(
    items: Vec<Value>,
    order: &[Value],
    key: &str,
    elements: Elements,
) -> Result<Vec<Value>, StrategicError> {
    let (items, mut deleted) = match elements {
        Elements::Scalars => (items, Vec::new()),
        Elements::Maps => {
            items.iter().chain(order).try_for_each(|item| key_of(item, key).map(|_| ()))?;
            split_deleted(items)?
        }
    };
    let mut placed: Vec<_> =
        items.into_iter().map(|item| (place(order, &item, key, elements), item)).collect();
    if placed.iter().all(|(place, _)| place.is_some()) {
        placed.sort_by_key(|(place, _)| *place);
    } else {
        // What has no place goes before all that it meets, as it does in an insertion sort.
        for end in 1..placed.len() {
            let mut at = end;
            while at > 0 {
                match (placed[at].0, placed[at - 1].0) {
                    (Some(left), Some(right)) if left >= right => break,
                    _ => placed.swap(at, at - 1),
                }
                at -= 1;
            }
        }
    }
    let mut out: Vec<_> = placed.into_iter().map(|(_, item)| item).collect();
    out.append(&mut deleted);
    Ok(out)
}

/// Splits a list of maps into what stays and what is marked to be deleted.
pub(crate) fn split_deleted(items: Vec<Value>) -> Result<(Vec<Value>, Vec<Value>), StrategicError> {
    items.iter().try_for_each(|item| expect_map(item).map(|_| ()))?;
    let is_deleted = |item: &Value| item.get(DIRECTIVE).and_then(Value::as_str) == Some("delete");
    Ok(items.into_iter().partition(|item| !is_deleted(item)))
}

/// Sorts scalars by how they print; equal ones change places, as they do upstream.
pub(crate) fn sort_scalars(items: &mut [Value]) {
    sort_by_text(items, values::as_v);
}

/// Sorts maps by how their merge keys print.
pub(crate) fn sort_by_key(items: &mut [Value], key: &str) {
    sort_by_text(items, |item| values::as_v(item.get(key).unwrap_or(&Value::Null)));
}

fn sort_by_text(items: &mut [Value], text: impl Fn(&Value) -> String) {
    items.sort_by_cached_key(&text);
    let mut from = 0;
    while from < items.len() {
        let first = text(&items[from]);
        let length = items[from..].iter().take_while(|item| text(item) == first).count();
        items[from..from + length].reverse();
        from += length;
    }
}

/// Drops scalars that were there before; the last one takes each freed place.
pub(crate) fn deduplicate(items: &mut Vec<Value>) {
    let mut at = 0;
    while at < items.len() {
        let mut other = at + 1;
        while other < items.len() {
            if items[at] == items[other] {
                items.swap_remove(other);
            } else {
                other += 1;
            }
        }
        at += 1;
    }
}
