//! How many bytes a rendering takes in memory, about.

use serde_json::Value;

/// A node of a sorted map has room for eleven entries, used or not.
const ENTRIES_PER_NODE: usize = 11;

/// Estimates a value's bytes on the heap; right within a third.
pub(crate) fn weigh(value: &Value) -> usize {
    let own = size_of::<Value>();
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => own,
        Value::String(text) => own + text.capacity(),
        Value::Array(items) => own + items.iter().map(weigh).sum::<usize>(),
        Value::Object(fields) => {
            let node = ENTRIES_PER_NODE * (size_of::<String>() + own) + 16;
            let nodes = fields.len().div_ceil(ENTRIES_PER_NODE * 2 / 3);
            // The values stand in the nodes: only what hangs on them is added.
            let hanging: usize =
                fields.iter().map(|(name, value)| name.capacity() + weigh(value) - own).sum();
            own + nodes * node + hanging
        }
    }
}
