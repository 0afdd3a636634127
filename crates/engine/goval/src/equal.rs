//! Whether two values are the same all the way down.

use std::collections::HashSet;

use crate::value::Value;

/// `reflect.DeepEqual`: the types must be the same too, a nil slice is not an empty one, NaN is
/// not NaN.
pub fn deep_equal(left: &Value, right: &Value) -> bool {
    let mut open = vec![(left.clone(), right.clone())];
    // Pairs that were met before are taken for equal: they are being compared.
    let mut seen = HashSet::new();
    while let Some((left, right)) = open.pop() {
        let equal = match (&left, &right) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::Int(left, of), Value::Int(right, other)) => left == right && of == other,
            (Value::Uint(left, of), Value::Uint(right, other)) => left == right && of == other,
            (Value::Float(left), Value::Float(right)) => left == right,
            (Value::Str(left), Value::Str(right)) | (Value::Bytes(left), Value::Bytes(right)) => {
                left == right
            }
            (Value::List(left), Value::List(right)) => {
                let alike = left.list_type() == right.list_type()
                    && left.is_nil() == right.is_nil()
                    && left.len() == right.len();
                if alike && !left.is(right) && seen.insert((left.identity(), right.identity())) {
                    open.extend(left.iter().cloned().zip(right.iter().cloned()));
                }
                alike
            }
            (Value::Map(left), Value::Map(right)) => {
                let mut alike = left.map_type() == right.map_type()
                    && left.is_nil() == right.is_nil()
                    && left.len() == right.len();
                if alike && !left.is(right) && seen.insert((left.identity(), right.identity())) {
                    left.for_each(|key, value| match right.get(key) {
                        Some(other) => open.push((value.clone(), other)),
                        None => alike = false,
                    });
                }
                alike
            }
            (Value::Object(left), Value::Object(right)) => {
                std::rc::Rc::ptr_eq(left, right)
                    || (left.type_name() == right.type_name()
                        && match (left.fields(), right.fields()) {
                            (Some(left), Some(right)) if left.len() == right.len() => {
                                let pairs = left.into_iter().zip(right);
                                open.extend(pairs.map(|((_, left), (_, right))| (left, right)));
                                true
                            }
                            (None, None) => left.print() == right.print(),
                            _ => false,
                        })
            }
            _ => false,
        };
        if !equal {
            return false;
        }
    }
    true
}
