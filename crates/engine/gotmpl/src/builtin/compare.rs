//! `eq`, `lt` and their kin.

use std::cmp::Ordering;
use std::rc::Rc;

use goval::{Budget, Kind, Object, Str, Value, deep_equal, print_value, sprintf};

/// What can be compared with each other.
#[derive(Clone, Copy)]
enum Basic<'a> {
    Bool(bool),
    Complex(&'a Value),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(&'a Str),
    /// Nothing of these.
    None,
}

const BAD_TYPE: &str = "invalid type for comparison";

fn basic(value: &Value) -> Basic<'_> {
    match value {
        Value::Bool(truth) => Basic::Bool(*truth),
        Value::Int(int, _) => Basic::Int(*int),
        Value::Uint(uint, _) => Basic::Uint(*uint),
        Value::Float(float) => Basic::Float(*float),
        Value::Str(text) => Basic::Str(text),
        Value::Object(object) if object.kind() == Kind::Complex128 => Basic::Complex(value),
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) | Value::Object(_) => {
            Basic::None
        }
    }
}

/// Whether the first is equal to any of the others.
pub(super) fn equal(first: &Value, others: &[Value]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal_two(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_two(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (basic(left), basic(right)) {
        (Basic::Bool(left), Basic::Bool(right)) => left == right,
        (Basic::Complex(left), Basic::Complex(right)) => print_value(left) == print_value(right),
        (Basic::Int(left), Basic::Int(right)) => left == right,
        (Basic::Uint(left), Basic::Uint(right)) => left == right,
        (Basic::Int(int), Basic::Uint(uint)) | (Basic::Uint(uint), Basic::Int(int)) => {
            u64::try_from(int) == Ok(uint)
        }
        (Basic::Float(left), Basic::Float(right)) => left == right,
        (Basic::Str(left), Basic::Str(right)) => left == right,
        (Basic::None, Basic::None) => return equal_others(left, right),
        _ if is_no_value(left) || is_no_value(right) => false,
        _ => return Err(incompatible(left, right)),
    })
}

/// Lists, maps, objects and nothing.
fn equal_others(left: &Value, right: &Value) -> Result<bool, String> {
    let alike = left.kind() == right.kind() || is_no_value(left) || is_no_value(right);
    let (left_type, right_type) = (left.type_name(), right.type_name());
    if !alike {
        let (left, right) = (as_string(left), print_value(right));
        return Err(format!("non-comparable types {left}: {left_type}, {right_type}: {right}"));
    }
    if is_nil(left) || is_nil(right) {
        return Ok(is_nil(left) == is_nil(right));
    }
    match (left, right) {
        (Value::Object(left), Value::Object(other)) if comparable(other.as_ref()) => {
            Ok(if left.kind() == Kind::Ptr {
                Rc::ptr_eq(left, other)
            } else {
                deep_equal(&Value::Object(left.clone()), right)
            })
        }
        _ => Err(format!("non-comparable type {}: {right_type}", as_string(right))),
    }
}

/// What `%s` prints.
fn as_string(value: &Value) -> Str {
    const BYTES_MAX: u64 = 1 << 20;
    let mut budget = Budget { fuel: 0, bytes: BYTES_MAX };
    sprintf(b"%s", std::slice::from_ref(value), &mut budget).unwrap_or_default()
}

/// Whether Go's `==` takes the type.
fn comparable(object: &dyn Object) -> bool {
    let holds_none = |(_, value): (&str, Value)| {
        !matches!(value, Value::Bytes(_) | Value::List(_) | Value::Map(_))
    };
    match object.kind() {
        Kind::Slice | Kind::Map | Kind::Func => false,
        Kind::Struct => object.fields().is_none_or(|fields| fields.into_iter().all(holds_none)),
        _ => true,
    }
}

fn is_no_value(value: &Value) -> bool {
    matches!(value, Value::Nil)
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

fn incompatible(left: &Value, right: &Value) -> String {
    let (left, right) = (left.type_name(), right.type_name());
    format!("incompatible types for comparison: {left} and {right}")
}

/// Whether the first is below the second.
pub(super) fn less(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(match (basic(left), basic(right)) {
        (Basic::None, _) | (_, Basic::None) => return Err(BAD_TYPE.to_owned()),
        (Basic::Bool(_), Basic::Bool(_)) | (Basic::Complex(_), Basic::Complex(_)) => {
            return Err(BAD_TYPE.to_owned());
        }
        (Basic::Int(left), Basic::Int(right)) => left < right,
        (Basic::Uint(left), Basic::Uint(right)) => left < right,
        (Basic::Int(left), Basic::Uint(right)) => {
            u64::try_from(left).map_or(Ordering::Less, |left| left.cmp(&right)).is_lt()
        }
        (Basic::Uint(left), Basic::Int(right)) => {
            u64::try_from(right).map_or(Ordering::Greater, |right| left.cmp(&right)).is_lt()
        }
        (Basic::Float(left), Basic::Float(right)) => left < right,
        (Basic::Str(left), Basic::Str(right)) => left < right,
        _ => return Err(incompatible(left, right)),
    })
}

pub(super) fn less_or_equal(left: &Value, right: &Value) -> Result<bool, String> {
    Ok(less(left, right)? || equal_two(left, right)?)
}
