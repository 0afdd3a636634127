//! A place in an object: the value there, and the path to it as errors print it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use kubetypes::shape::{Field, Shape};
use manifest::field::FieldError;
use serde_json::{Map, Value};

/// A value and where it stands. A value that is absent is null.
#[derive(Clone, Debug)]
pub struct At<'a> {
    pub value: &'a Value,
    pub path: String,
}

const NULL: &Value = &Value::Null;

impl<'a> At<'a> {
    pub fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    /// The field `name`.
    pub fn at(&self, name: &str) -> At<'a> {
        At { value: self.value.get(name).unwrap_or(NULL), path: self.child(name) }
    }

    /// A field of a field.
    pub fn to(&self, names: &[&str]) -> At<'a> {
        names.iter().fold(self.clone(), |at, name| at.at(name))
    }

    /// The entry `key` of a map, printed in brackets.
    pub fn key(&self, key: &str) -> At<'a> {
        At { value: self.value.get(key).unwrap_or(NULL), path: format!("{}[{key}]", self.path) }
    }

    /// The path of the field `name`.
    pub fn child(&self, name: &str) -> String {
        if self.path.is_empty() {
            return name.to_owned();
        }
        // Paths are built for every field that is looked at: no formatting here.
        let mut path = String::with_capacity(self.path.len() + name.len() + 1);
        path.push_str(&self.path);
        path.push('.');
        path.push_str(name);
        path
    }

    /// The items of a list.
    pub fn items(&self) -> impl Iterator<Item = At<'a>> + use<'a> {
        let path = self.path.clone();
        let list = self.value.as_array().map_or(&[][..], Vec::as_slice);
        list.iter()
            .enumerate()
            .map(move |(index, value)| At { value, path: format!("{path}[{index}]") })
    }

    /// The entries of a map, in the order of their keys.
    pub fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.map().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    pub fn map(&self) -> Option<&'a Map<String, Value>> {
        self.value.as_object()
    }

    pub fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// Whether a list or a map has nothing in it, or is not there.
    pub fn is_empty(&self) -> bool {
        match self.value {
            Value::Array(list) => list.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::String(text) => text.is_empty(),
            Value::Null => true,
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    pub fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or("")
    }

    pub fn number(&self) -> Option<i64> {
        self.value.as_i64()
    }

    pub fn flag(&self) -> bool {
        self.value.as_bool().unwrap_or(false)
    }

    pub fn required(&self, detail: &str) -> FieldError {
        FieldError::required(self.path.clone(), detail)
    }

    pub fn invalid(&self, detail: impl Into<String>) -> FieldError {
        FieldError::invalid(self.path.clone(), self.value.clone(), detail)
    }

    pub fn forbidden(&self, detail: &str) -> FieldError {
        FieldError::forbidden(self.path.clone(), detail)
    }

    pub fn duplicate(&self) -> FieldError {
        FieldError::duplicate(self.path.clone(), self.value.clone())
    }

    pub fn unsupported(&self, known: &[&str]) -> FieldError {
        FieldError::not_supported(self.path.clone(), self.value.clone(), known)
    }

    /// A text that must be one of those known, where it is set.
    pub fn one_of(&self, known: &[&str], errors: &mut Vec<FieldError>) {
        if self.is_set() && !known.contains(&self.text()) {
            errors.push(self.unsupported(known));
        }
    }

    /// A number that must not be below 0, where it is set.
    pub fn not_negative(&self, errors: &mut Vec<FieldError>) {
        if self.number().is_some_and(|number| number < 0) {
            errors.push(self.invalid("must be greater than or equal to 0"));
        }
    }

    /// A text that every rule must let pass; each refusal is an error of its own.
    pub fn named(&self, refusals: Vec<String>, errors: &mut Vec<FieldError>) {
        errors.extend(refusals.into_iter().map(|refusal| self.invalid(refusal)));
    }

    /// Whether a value is as it was: what is empty is as good as what is not there.
    pub fn is_as(&self, old: &At<'_>) -> bool {
        is_as(self.value, old.value)
    }

    /// As [`At::is_as`], of what has the shape of a struct that is called `name` in OpenAPI: a struct behind
    /// a pointer is something there, whatever is in it.
    pub fn is_as_struct(&self, old: &At<'_>, name: &str) -> bool {
        match kubetypes::tables(kubetypes::LATEST_MINOR).struct_named(name) {
            Some(id) => is_as_shape(self.value, old.value, &Shape::Struct(id)),
            None => self.is_as(old),
        }
    }

    /// What may not change: `field is immutable`.
    pub fn unchanged(&self, old: &At<'_>, errors: &mut Vec<FieldError>) {
        if !self.is_as(old) {
            errors.push(self.invalid("field is immutable"));
        }
    }
}

fn is_as(new: &Value, old: &Value) -> bool {
    match (new, old) {
        _ if new == old => true,
        (Value::Object(new), Value::Object(old)) => {
            let mut names = new.keys().chain(old.keys().filter(|name| !new.contains_key(*name)));
            names.all(|name| is_field_as(name, new, old))
        }
        (Value::Array(new), Value::Array(old)) => {
            new.len() == old.len() && new.iter().zip(old).all(|(new, old)| is_as(new, old))
        }
        _ => is_nothing(new) && is_nothing(old),
    }
}

fn is_as_shape(new: &Value, old: &Value, shape: &Shape) -> bool {
    match (new, old, shape) {
        (Value::Object(new), Value::Object(old), Shape::Struct(id)) => {
            let tables = kubetypes::tables(kubetypes::LATEST_MINOR);
            let mut names = new.keys().chain(old.keys().filter(|name| !new.contains_key(*name)));
            names.all(|name| {
                let (new, old) = (new.get(name).unwrap_or(NULL), old.get(name).unwrap_or(NULL));
                let Some(field) = tables.field(*id, name) else { return new == old };
                let is_pointer = field.pointer && matches!(field.shape, Shape::Struct(_));
                (!is_pointer || new.is_null() == old.is_null())
                    && is_as_shape(new, old, &field.shape)
            })
        }
        (Value::Array(new), Value::Array(old), Shape::List { element, .. }) => {
            new.len() == old.len()
                && new.iter().zip(old).all(|(new, old)| is_as_shape(new, old, element))
        }
        _ => is_as(new, old),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// As [`is_as`], of fields. A struct behind a pointer is something, whatever is in it.
fn is_field_as(name: &str, new: &Map<String, Value>, old: &Map<String, Value>) -> bool {
    let (new, old) = (new.get(name).unwrap_or(NULL), old.get(name).unwrap_or(NULL));
    let appears = new.is_null() != old.is_null() && (new.is_object() || old.is_object());
    if appears && behind_pointers().contains(name) {
        return false;
    }
    is_as(new, old)
}

/// What is a struct behind a pointer wherever a field is called so.
fn behind_pointers() -> &'static BTreeSet<&'static str> {
    static NAMES: OnceLock<BTreeSet<&'static str>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let structs = kubetypes::tables(kubetypes::LATEST_MINOR).structs();
        let fields = || structs.iter().flat_map(|one| &one.fields);
        let is_pointer = |field: &&Field| field.pointer && matches!(field.shape, Shape::Struct(_));
        let others: BTreeSet<&str> =
            fields().filter(|field| !is_pointer(field)).map(|field| field.name).collect();
        let names = fields().filter(is_pointer).map(|field| field.name);
        names.filter(|name| !others.contains(name)).collect()
    })
}
