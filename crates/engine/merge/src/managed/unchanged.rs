//! A write that changes nothing but timestamps changes nothing.

use serde_json::Value;

use crate::managed::owned::managed_fields;

/// Puts the old times back into `new`'s managed fields where nothing else has changed, so
/// that the write is seen to be none. To be called last, when the object is as it would be
/// stored.
pub fn keep_times_of_no_change(old: &Value, new: &mut Value) {
    let (Some(Value::Array(old_entries)), Some(Value::Array(new_entries))) =
        (managed_fields(old), managed_fields(new))
    else {
        return;
    };
    let is_same_but_time = |left: &Value, right: &Value| match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let not_time = |(name, _): &(&String, &Value)| *name != "time";
            left.iter().filter(not_time).eq(right.iter().filter(not_time))
        }
        (left, right) => left == right,
    };
    let is_same = !new_entries.is_empty()
        && old_entries.len() == new_entries.len()
        && old_entries != new_entries
        && old_entries.iter().zip(new_entries).all(|(old, new)| is_same_but_time(old, new))
        && is_same_but(&["managedFields", "resourceVersion"], old, new);
    if !is_same {
        return;
    }
    let old_entries = Value::Array(old_entries.clone());
    if let Some(Value::Object(metadata)) = new.get_mut("metadata") {
        metadata.insert("managedFields".to_owned(), old_entries);
    }
}

/// Whether two objects are the same to the letter, whoever owns what in them.
pub fn is_same_without_owners(left: &Value, right: &Value) -> bool {
    is_same_but(&["managedFields"], left, right)
}

/// Whether two objects are the same to the letter but for these fields of their metadata.
fn is_same_but(untold: &[&str], left: &Value, right: &Value) -> bool {
    let (Value::Object(left), Value::Object(right)) = (left, right) else { return left == right };
    let metadata = |left: &Value, right: &Value| match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let is_told = |(name, _): &(&String, &Value)| !untold.contains(&name.as_str());
            left.iter().filter(is_told).eq(right.iter().filter(is_told))
        }
        (left, right) => left == right,
    };
    left.len() == right.len()
        && left.iter().zip(right).all(|((name, left), (other, right))| {
            name == other && if name == "metadata" { metadata(left, right) } else { left == right }
        })
}
