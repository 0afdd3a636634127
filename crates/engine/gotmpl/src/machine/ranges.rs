//! Loops.

use goval::{IntType, Kind, List, ListType, Str, UintType, Value, print_value};

use crate::code::RangeVariables;

use super::{Fault, Machine, State, Variable};

/// A loop that is being gone through.
pub(super) struct Loop {
    over: Over,
    variables: RangeVariables,
}

/// What is left to go through.
enum Over {
    List { list: List, next: usize },
    Map { entries: std::vec::IntoIter<(Str, Value)>, boxed: bool },
    Entries(std::vec::IntoIter<(Value, Value)>),
    Bytes { bytes: Str, next: usize },
    Int { next: i64, end: i64, of: IntType },
    Uint { next: u64, end: u64, of: UintType },
}

impl Machine<'_, '_> {
    /// Begins to go through a value; `false` where there is nothing in it.
    pub(super) fn begin_loop(
        &mut self,
        value: &Value,
        variables: RangeVariables,
    ) -> Result<bool, Fault> {
        let (over, count) = match value {
            Value::Nil => return Ok(false),
            Value::Int(..) | Value::Uint(..) if variables.count > 1 => {
                let shown = print_value(value);
                let message = format!("can't use {shown} to iterate over more than one variable");
                return Err(message.into());
            }
            Value::Int(end, of) => {
                (Over::Int { next: 0, end: *end, of: *of }, usize::from(*end > 0))
            }
            Value::Uint(end, of) => {
                (Over::Uint { next: 0, end: *end, of: *of }, usize::from(*end > 0))
            }
            Value::List(list) => (Over::List { list: list.clone(), next: 0 }, list.len()),
            Value::Bytes(bytes) => (Over::Bytes { bytes: bytes.clone(), next: 0 }, bytes.len()),
            Value::Map(map) => {
                let count = map.len();
                // They are copied, so that the body may change the map.
                self.context.budget.spend(count as u64 / 8).map_err(Fault::budget)?;
                let entries = map.entries();
                let boxed = map.map_type() != goval::MapType::String;
                (Over::Map { entries: entries.into_iter(), boxed }, count)
            }
            Value::Object(object) => match object.entries() {
                Some(entries) => {
                    let count = entries.len();
                    (Over::Entries(entries.into_iter()), count)
                }
                None => return Err(cannot_iterate(value)),
            },
            Value::Bool(_) | Value::Float(_) | Value::Str(_) => {
                return Err(cannot_iterate(value));
            }
        };
        if count == 0 {
            return Ok(false);
        }
        self.loops.push(Loop { over, variables });
        self.enter_dot(Value::Nil, false);
        Ok(true)
    }

    /// Makes the next element the dot, and sets the loop's variables.
    pub(super) fn next_element(&mut self, base: usize) -> bool {
        let around = self.loops.last_mut().expect("a loop was begun");
        let Some((index, element, boxed)) = around.over.next() else {
            return false;
        };
        let variables = around.variables;
        let state = if boxed { State::Boxed } else { State::Plain };
        if variables.count > 0 {
            self.variables[base + variables.element as usize] =
                Variable { value: element.clone(), state };
        }
        if variables.count > 1 {
            self.variables[base + variables.index as usize] =
                Variable { value: index, state: State::Plain };
        }
        self.dot = element;
        self.dot_boxed = boxed;
        true
    }

    pub(super) fn end_loop(&mut self) {
        self.loops.pop();
        self.leave_dot();
    }
}

impl Over {
    /// Index or key, element, and whether that is still in its interface.
    fn next(&mut self) -> Option<(Value, Value, bool)> {
        match self {
            Self::List { list, next } => {
                let element = list.get(*next)?.clone();
                let index = Value::int(*next as i64);
                *next += 1;
                Some((index, element, list.list_type() == ListType::Any))
            }
            Self::Map { entries, boxed } => {
                let (key, value) = entries.next()?;
                Some((Value::Str(key), value, *boxed))
            }
            Self::Entries(entries) => {
                let (key, value) = entries.next()?;
                Some((key, value, false))
            }
            Self::Bytes { bytes, next } => {
                let byte = *bytes.get(*next)?;
                let index = Value::int(*next as i64);
                *next += 1;
                Some((index, Value::Uint(u64::from(byte), UintType::Uint8), false))
            }
            Self::Int { next, end, of } => {
                let value = *next;
                if value >= *end {
                    return None;
                }
                *next += 1;
                Some((Value::Nil, Value::Int(value, *of), false))
            }
            Self::Uint { next, end, of } => {
                let value = *next;
                if value >= *end {
                    return None;
                }
                *next += 1;
                Some((Value::Nil, Value::Uint(value, *of), false))
            }
        }
    }
}

fn cannot_iterate(value: &Value) -> Fault {
    let shown = match value {
        // Pointers are followed first.
        Value::Object(object) if object.kind() == Kind::Ptr => object.print().into(),
        _ => print_value(value),
    };
    format!("range can't iterate over {shown}").into()
}
