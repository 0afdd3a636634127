//! Values as text, by Sprig's own rule.

use goval::{Budget, Str, Value};

/// Sprig's text of a value: strings and bytes as they are, otherwise what `%v` prints.
///
/// # Errors
///
/// When the budget does not allow the text.
pub(crate) fn strval(value: &Value, budget: &mut Budget) -> Result<Str, String> {
    match value {
        Value::Str(text) | Value::Bytes(text) => Ok(text.clone()),
        other => {
            let mut out = Vec::new();
            goval::append_value(&mut out, other, budget)?;
            Ok(Str::from(out))
        }
    }
}

/// Whether the text of a value is longer than `limit` bytes, found out without making it.
pub(crate) fn is_longer(value: &Value, limit: usize) -> bool {
    let mut left = limit;
    !fits(value, &mut left)
}

/// Takes about the bytes of a value's text from `left`; whether there were enough.
fn fits(value: &Value, left: &mut usize) -> bool {
    let mut take = |bytes: usize| match left.checked_sub(bytes) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    };
    match value {
        Value::Str(text) => take(text.len() + 1),
        Value::Bytes(bytes) => take(bytes.len().saturating_mul(3)),
        Value::List(list) => take(2) && list.iter().all(|item| fits(item, left)),
        Value::Map(map) => {
            if !take(5) {
                return false;
            }
            let mut all = true;
            map.for_each(|key, value| {
                let key_fits = left.checked_sub(key.len() + 2);
                all = all && key_fits.is_some();
                *left = key_fits.unwrap_or_default();
                all = all && fits(value, left);
            });
            all
        }
        Value::Object(object) => match object.plain() {
            Some(plain @ (Value::Map(_) | Value::List(_))) => fits(&plain, left),
            _ => take(32),
        },
        Value::Nil | Value::Bool(_) | Value::Int(..) | Value::Uint(..) | Value::Float(_) => take(6),
    }
}
