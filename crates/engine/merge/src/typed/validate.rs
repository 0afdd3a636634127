//! Whether a value is of its type.

use std::fmt;

use serde_json::Value;

use crate::fields::PathElement;
use crate::schema::{List, ListKind, Map, Scalar, Type};
use crate::typed::Typed;
use crate::typed::list::element_of;
use crate::values;

/// Whether sets and lists with keys may hold an element twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duplicates {
    /// What people apply.
    Refused,
    /// What is already in the cluster, and updates of it.
    Allowed,
}

/// One place where a value is not of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeError {
    /// As in `.spec.replicas`; `""` is the value as a whole.
    pub path: String,
    /// In the API server's words.
    pub message: String,
}

/// `.spec.replicas: expected numeric (int or float), got string`
impl fmt::Display for TypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

/// Every place where a value is not of its type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeErrors(pub Vec<TypeError>);

/// One error as it is, several below each other.
impl fmt::Display for TypeErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return write!(f, "{only}");
        }
        f.write_str("errors:")?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for TypeErrors {}

pub(crate) fn validate(
    of: Typed<'_>,
    value: &Value,
    duplicates: Duplicates,
) -> Result<(), TypeErrors> {
    if is_valid(of, value, duplicates) {
        return Ok(());
    }
    let mut walk = Walk { duplicates, path: Vec::new(), errors: Vec::new() };
    walk.value(of, value);
    match walk.errors.is_empty() {
        true => Ok(()),
        false => Err(TypeErrors(walk.errors)),
    }
}

/// Whether nothing is to be told: what most values are asked, and without a path to any place.
fn is_valid(of: Typed<'_>, value: &Value, duplicates: Duplicates) -> bool {
    match (of.schema.get(of.type_id), value) {
        (_, Value::Null) | (Type::Deduced | Type::Atomic, _) => true,
        (Type::Scalar(Scalar::Numeric), value) => value.is_number(),
        (Type::Scalar(Scalar::String), value) => value.is_string(),
        (Type::Scalar(Scalar::Boolean), value) => value.is_boolean(),
        (Type::Scalar(Scalar::Untyped), value) => !value.is_array() && !value.is_object(),
        (Type::List(list), Value::Array(items)) => {
            (list.kind == ListKind::Atomic || has_elements(of, list, items, duplicates))
                && items.iter().all(|item| is_valid(of.at(list.element), item, duplicates))
        }
        (Type::Map(map), Value::Object(entries)) => entries.iter().all(|(name, value)| {
            let type_id = map.field(name).map(|field| field.type_id).or(map.rest);
            type_id.is_some_and(|type_id| is_valid(of.at(type_id), value, duplicates))
        }),
        (Type::List(_) | Type::Map(_), _) => false,
    }
}

/// Whether the items of a list can be told apart.
fn has_elements(of: Typed<'_>, list: &List, items: &[Value], duplicates: Duplicates) -> bool {
    let element = |item| element_of(of.schema, list, item).ok();
    match duplicates {
        Duplicates::Allowed => items.iter().all(|item| element(item).is_some()),
        Duplicates::Refused => {
            let elements: Option<Vec<_>> = items.iter().map(element).collect();
            elements.is_some_and(|mut elements| {
                elements.sort_unstable();
                elements.is_sorted_by(|left, right| left < right)
            })
        }
    }
}

struct Walk<'v> {
    duplicates: Duplicates,
    path: Vec<Step<'v>>,
    errors: Vec<TypeError>,
}

enum Step<'v> {
    Field(&'v str),
    Index(usize),
    Element(PathElement),
}

impl<'v> Walk<'v> {
    fn refuse(&mut self, message: String) {
        let path = self.path.iter().map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Index(index) => format!("[{index}]"),
            Step::Element(element) => element.to_string(),
        });
        self.errors.push(TypeError { path: path.collect(), message });
    }

    fn inside(&mut self, step: Step<'v>, of: Typed<'_>, value: &'v Value) {
        self.path.push(step);
        self.value(of, value);
        self.path.pop();
    }

    fn value(&mut self, of: Typed<'_>, value: &'v Value) {
        match of.schema.get(of.type_id) {
            Type::Scalar(scalar) => self.scalar(*scalar, value),
            Type::List(list) => self.list(of, list, value),
            Type::Map(map) => self.map(of, map, value),
            Type::Deduced | Type::Atomic => {}
        }
    }

    fn scalar(&mut self, scalar: Scalar, value: &Value) {
        let is_scalar = matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_));
        let refusal = match scalar {
            _ if value.is_null() => return,
            Scalar::Numeric if value.is_number() => return,
            Scalar::String if value.is_string() => return,
            Scalar::Boolean if value.is_boolean() => return,
            Scalar::Untyped if is_scalar => return,
            Scalar::Numeric => {
                format!("expected numeric (int or float), got {}", values::as_t(value))
            }
            Scalar::String => format!(
                "expected string, got &value.valueUnstructured{{Value:{}}}",
                values::as_sharp_v(value)
            ),
            Scalar::Boolean => format!("expected boolean, got &{{{}}}", values::as_v(value)),
            Scalar::Untyped => format!("expected any scalar, got &{{{}}}", values::as_v(value)),
        };
        self.refuse(refusal);
    }

    fn list(&mut self, of: Typed<'_>, list: &List, value: &'v Value) {
        let items = match value {
            Value::Array(items) => items,
            Value::Null => return,
            other => {
                return self.refuse(format!("expected list, got &{{{}}}", values::as_v(other)));
            }
        };
        if list.kind == ListKind::Atomic {
            for (at, item) in items.iter().enumerate() {
                self.inside(Step::Index(at), of.at(list.element), item);
            }
            return;
        }
        let mut seen = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let element = match element_of(of.schema, list, item) {
                Ok(element) => element,
                Err(reason) => return self.refuse(format!("element {at}: {reason}")),
            };
            let element = element.to_path();
            match seen.binary_search(&element) {
                Ok(_) if self.duplicates == Duplicates::Refused => {
                    self.refuse(format!("duplicate entries for key {element}"));
                }
                Ok(_) => {}
                Err(place) => seen.insert(place, element.clone()),
            }
            self.inside(Step::Element(element), of.at(list.element), item);
        }
    }

    fn map(&mut self, of: Typed<'_>, map: &Map, value: &'v Value) {
        let entries = match value {
            Value::Object(entries) => entries,
            Value::Null => return,
            other => return self.refuse(format!("expected map, got &{{{}}}", values::as_v(other))),
        };
        for (name, value) in entries {
            let type_id = match map.field(name) {
                Some(field) => field.type_id,
                None => match map.rest {
                    Some(rest) => rest,
                    None => {
                        self.path.push(Step::Field(name));
                        self.refuse("field not declared in schema".to_owned());
                        self.path.pop();
                        return;
                    }
                },
            };
            self.inside(Step::Field(name), of.at(type_id), value);
        }
    }
}
