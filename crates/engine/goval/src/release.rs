//! Freeing values that nest deeper than the stack bears.

use std::cell::{Cell, RefCell};

use crate::value::Value;

/// Beyond this many levels values wait to be freed one after the other.
const LEVELS_MAX: usize = 100;

thread_local! {
    static LEVELS: Cell<usize> = const { Cell::new(0) };
    static WAITING: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
}

/// Frees values, those inside them too.
pub(crate) fn release(values: impl Iterator<Item = Value>) {
    let level = LEVELS.get();
    if level >= LEVELS_MAX {
        // At a thread's end there may be no list to wait in.
        let _ = WAITING.try_with(|waiting| waiting.borrow_mut().extend(values));
        return;
    }
    LEVELS.set(level + 1);
    values.for_each(drop);
    if level == 0 {
        while let Ok(Some(value)) = WAITING.try_with(|waiting| waiting.borrow_mut().pop()) {
            drop(value);
        }
    }
    LEVELS.set(level);
}

/// Whether freeing the value may free others.
pub(crate) fn nests(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}
