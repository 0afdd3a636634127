//! Go's slices.

use std::ops::Deref;
use std::rc::Rc;

use crate::release::{nests, release};
use crate::value::Value;

/// A slice. Templates never change one in place, so clones share it.
#[derive(Clone, Debug)]
pub struct List {
    of: ListType,
    items: Rc<Items>,
    nil: bool,
}

#[derive(Debug, Default)]
struct Items(Vec<Value>);

impl Drop for Items {
    fn drop(&mut self) {
        if self.0.iter().any(nests) {
            release(self.0.drain(..));
        }
    }
}

/// What a slice's elements are declared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListType {
    /// `[]interface {}`.
    Any,
    /// `[]string`.
    String,
    /// `[]int`.
    Int,
    /// `[][]interface {}` (what `chunk` gives).
    Lists,
    /// A named type, or elements of one, with the name that `%T` prints.
    Named(&'static str),
}

impl List {
    /// A `[]interface {}`.
    pub fn new(items: Vec<Value>) -> Self {
        Self::typed(ListType::Any, items)
    }

    /// A slice of another type.
    pub fn typed(of: ListType, items: Vec<Value>) -> Self {
        Self { of, items: Rc::new(Items(items)), nil: false }
    }

    /// A nil slice: empty, but `null` in JSON, and not equal to an empty one (`DeepEqual`).
    pub fn nil(of: ListType) -> Self {
        Self { of, items: Rc::default(), nil: true }
    }

    /// Whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.nil
    }

    /// What the elements are declared as.
    pub fn list_type(&self) -> ListType {
        self.of
    }

    /// Go's type.
    pub fn type_name(&self) -> &'static str {
        match self.of {
            ListType::Any => "[]interface {}",
            ListType::String => "[]string",
            ListType::Int => "[]int",
            ListType::Lists => "[][]interface {}",
            ListType::Named(name) => name,
        }
    }

    /// A number that tells this slice from all others that are alive.
    pub fn identity(&self) -> usize {
        Rc::as_ptr(&self.items).addr()
    }

    /// Whether both are the same slice, not only equal.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.items, &other.items)
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items.0
    }
}
