//! Numbers out of anything: the rules of Go's `strconv` and of the package `cast`.

use goval::{FloatBits, Kind, Value};

/// `cast.ToInt64` and `cast.ToInt`: 0 for what is no number.
pub(crate) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(value, _) => *value,
        Value::Uint(value, _) => *value as i64,
        Value::Float(value) => truncate(*value),
        Value::Str(text) => goval::parse_int(without_zero_fraction(text), 0, 0).unwrap_or_default(),
        Value::Bool(value) => i64::from(*value),
        Value::Object(object) if object.type_name() == "time.Month" => weekday_or_month(value),
        Value::Object(object) if object.type_name() == "time.Weekday" => weekday_or_month(value),
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => 0,
    }
}

/// `cast.ToFloat64`: 0 for what is no number.
pub(crate) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(value, _) => *value as f64,
        Value::Uint(value, _) => *value as f64,
        Value::Float(value) => *value,
        Value::Str(text) => goval::parse_float(text, FloatBits::F64).unwrap_or_default(),
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Object(_) => weekday_or_month(value) as f64,
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) => 0.0,
    }
}

fn weekday_or_month(value: &Value) -> i64 {
    match value {
        Value::Object(object) if matches!(object.kind(), Kind::Int(_)) => match object.plain() {
            Some(Value::Int(value, _))
                if matches!(object.type_name(), "time.Month" | "time.Weekday") =>
            {
                value
            }
            _ => 0,
        },
        _ => 0,
    }
}

/// Go's conversion of a float to an integer, as amd64 does it.
pub(crate) fn truncate(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    // The limit itself is too large.
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

/// `3.00` to `3`.
fn without_zero_fraction(text: &[u8]) -> &[u8] {
    let zeros = text.iter().rev().take_while(|byte| **byte == b'0').count();
    match &text[..text.len() - zeros] {
        [whole @ .., b'.'] if zeros > 0 => whole,
        _ => text,
    }
}
