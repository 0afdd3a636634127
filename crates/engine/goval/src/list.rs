//! Go's slices.

use std::ops::Deref;
use std::rc::Rc;

use crate::release::{nests, release};
use crate::value::Value;

/// A slice. Templates never change one in place, so clones share it.
#[derive(Clone, Debug)]
pub struct List(Rc<Items>);

#[derive(Debug)]
struct Items {
    of: ListType,
    nil: bool,
    values: Vec<Value>,
}

impl Drop for Items {
    fn drop(&mut self) {
        if self.values.iter().any(nests) {
            release(self.values.drain(..));
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
        Self(Rc::new(Items { of, nil: false, values: items }))
    }

    /// A nil slice: empty, but `null` in JSON, and not equal to an empty one (`DeepEqual`).
    pub fn nil(of: ListType) -> Self {
        Self(Rc::new(Items { of, nil: true, values: Vec::new() }))
    }

    /// Whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// What the elements are declared as.
    pub fn list_type(&self) -> ListType {
        self.0.of
    }

    /// Go's type.
    pub fn type_name(&self) -> &'static str {
        match self.0.of {
            ListType::Any => "[]interface {}",
            ListType::String => "[]string",
            ListType::Int => "[]int",
            ListType::Lists => "[][]interface {}",
            ListType::Named(name) => name,
        }
    }

    /// A number that tells this slice from all others that are alive.
    pub fn identity(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }

    /// Whether both are the same slice, not only equal.
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0.values
    }
}
