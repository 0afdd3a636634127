//! Copies that share nothing that could be changed.

use crate::function::Budget;
use crate::list::List;
use crate::value::Value;

/// Values nest no deeper than this in a copy.
const DEPTH_MAX: usize = 1000;

/// A copy with new maps and lists at every place, as Helm's `copystructure` makes it: types
/// stay, and what was one map in two places becomes two maps.
///
/// # Errors
///
/// When the budget does not allow it, or the value nests without end.
pub fn deep_copy(value: &Value, budget: &mut Budget) -> Result<Value, String> {
    copy_at(value, budget, 0)
}

fn copy_at(value: &Value, budget: &mut Budget, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err("a value nests too deep to be copied".to_owned());
    }
    match value {
        Value::List(list) if list.is_nil() => Ok(value.clone()),
        Value::List(list) => {
            take(budget, list.len())?;
            let items = list.iter().map(|item| copy_at(item, budget, depth + 1));
            Ok(Value::List(List::typed(list.list_type(), items.collect::<Result<_, _>>()?)))
        }
        Value::Map(map) => {
            take(budget, map.len())?;
            let copy = map.copy();
            let mut fault = Ok(());
            copy.update(|_, value| {
                if fault.is_ok() && matches!(value, Value::List(_) | Value::Map(_)) {
                    match copy_at(value, budget, depth + 1) {
                        Ok(copied) => *value = copied,
                        Err(error) => fault = Err(error),
                    }
                }
            });
            fault.map(|()| Value::Map(copy))
        }
        Value::Nil
        | Value::Bool(_)
        | Value::Int(..)
        | Value::Uint(..)
        | Value::Float(_)
        | Value::Str(_)
        | Value::Bytes(_)
        | Value::Object(_) => Ok(value.clone()),
    }
}

fn take(budget: &mut Budget, elements: usize) -> Result<(), String> {
    let elements = elements as u64 + 1;
    budget.spend(elements)?;
    budget.charge(elements * std::mem::size_of::<Value>() as u64)
}

/// Empties every map that can be reached, so that values which hold themselves are freed too.
/// Whoever still holds one of them sees it empty: for the end of a rendering.
pub fn dismantle(value: Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::List(list) => {
                open.extend(list.iter().filter(|item| may_hold(item)).cloned());
            }
            Value::Map(map) => {
                open.extend(
                    map.take_entries().into_iter().map(|(_, value)| value).filter(may_hold),
                );
            }
            Value::Nil
            | Value::Bool(_)
            | Value::Int(..)
            | Value::Uint(..)
            | Value::Float(_)
            | Value::Str(_)
            | Value::Bytes(_)
            | Value::Object(_) => {}
        }
    }
}

fn may_hold(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}
