//! One step of a path.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::values;

/// One step from a value to something inside it.
///
/// The order is that of field sets: names, keys, values, indices.
#[derive(Clone, Debug)]
pub enum PathElement {
    /// A map's or a struct's field.
    Field(Arc<str>),
    /// The element of a list that has these key fields, sorted by name.
    Key(Arc<[KeyField]>),
    /// The element of a set that is this value.
    Value(Arc<Value>),
    /// The element at this place.
    Index(i64),
}

/// One key field of an element.
#[derive(Clone, Debug)]
pub struct KeyField {
    /// As in `containerPort`.
    pub name: Arc<str>,
    /// A scalar, mostly.
    pub value: Value,
}

impl PathElement {
    /// Names a field.
    pub fn field(name: &str) -> Self {
        PathElement::Field(name.into())
    }

    /// Names the element of a set.
    pub fn value(value: Value) -> Self {
        PathElement::Value(Arc::new(value))
    }

    /// Names the element of a list by key fields, in any order.
    pub fn key(mut fields: Vec<KeyField>) -> Self {
        if fields.len() > 1 {
            fields.sort_by(|left, right| left.name.cmp(&right.name));
        }
        PathElement::Key(fields.into())
    }

    /// Whether a number that is no whole one of 64 bits stands in the element.
    pub(crate) fn has_float(&self) -> bool {
        let is_float = |value: &Value| value.is_number() && !value.is_i64();
        match self {
            PathElement::Key(fields) => fields.iter().any(|field| is_float(&field.value)),
            PathElement::Value(value) => is_float(value),
            PathElement::Field(_) | PathElement::Index(_) => false,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            PathElement::Field(_) => 0,
            PathElement::Key(_) => 1,
            PathElement::Value(_) => 2,
            PathElement::Index(_) => 3,
        }
    }
}

impl Ord for PathElement {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (PathElement::Field(left), PathElement::Field(right)) => left.cmp(right),
            (PathElement::Key(left), PathElement::Key(right)) => {
                let unequal = left.iter().zip(right.iter()).map(compare_key).find(|o| o.is_ne());
                unequal.unwrap_or_else(|| left.len().cmp(&right.len()))
            }
            (PathElement::Value(left), PathElement::Value(right)) => values::compare(left, right),
            (PathElement::Index(left), PathElement::Index(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

fn compare_key((left, right): (&KeyField, &KeyField)) -> Ordering {
    left.name.cmp(&right.name).then_with(|| values::compare(&left.value, &right.value))
}

impl PartialOrd for PathElement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for PathElement {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for PathElement {}

/// `.spec`, `[name="web"]`, `[="a"]` or `[3]`, as conflicts print it.
impl fmt::Display for PathElement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathElement::Field(name) => write!(f, ".{name}"),
            PathElement::Key(fields) => {
                let fields: Vec<_> = fields
                    .iter()
                    .map(|field| format!("{}={}", field.name, values::display(&field.value)))
                    .collect();
                write!(f, "[{}]", fields.join(","))
            }
            PathElement::Value(value) => write!(f, "[={}]", values::display(value)),
            PathElement::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Prints a whole path: `.spec.containers[name="web"].image`.
pub fn path_string(path: &[PathElement]) -> String {
    path.iter().map(PathElement::to_string).collect()
}
