//! Maps as values files make them: copying, and merging one over another.

use goval::{Map, Value};

/// A copy that shares no map with the original.
pub(crate) fn deep_copy(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(deep_copy_map(map)),
        Value::List(list)
            if list.iter().any(|item| matches!(item, Value::Map(_) | Value::List(_))) =>
        {
            Value::list(list.iter().map(deep_copy).collect())
        }
        other => other.clone(),
    }
}

/// As [`deep_copy`].
pub(crate) fn deep_copy_map(map: &Map) -> Map {
    let mut entries = Vec::with_capacity(map.len());
    map.for_each(|key, value| entries.push((key.clone(), deep_copy(value))));
    Map::of_sorted(map.map_type(), entries)
}

/// Writes `over` into `into`: maps are merged, everything else is replaced (values files, in
/// their order).
pub(crate) fn merge_over(into: &Map, over: &Map) {
    over.for_each(|key, value| {
        if let Value::Map(over) = value
            && let Some(Value::Map(known)) = into.get(key)
        {
            merge_over(&known, over);
            return;
        }
        into.insert(key.clone(), value.clone());
    });
}

/// The value that Go's `%t` prints in an error: booleans plainly, everything else as a mistake.
pub(crate) fn percent_t(value: &Value) -> String {
    match value {
        Value::Nil => "%!t(<nil>)".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value, of) => format!("%!t({}={value})", of.name()),
        Value::Uint(value, of) => format!("%!t({}={value})", of.name()),
        Value::Float(value) => {
            format!("%!t(float64={})", goval::format_g(*value, goval::FloatBits::F64))
        }
        Value::Str(text) => format!("%!t(string={text})"),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(percent_t).collect();
            format!("[{}]", items.join(" "))
        }
        other => format!("%!t({})", other.type_name()),
    }
}
