//! How the elements of a list are told apart.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use crate::fields::{KeyField, PathElement};
use crate::schema::{List, ListKind, Schema, Type};
use crate::typed::Typed;
use crate::typed::shape::Shape;
use crate::values;

/// What tells an item of a list from the others, as it stands in the item: a [`PathElement`] that
/// nothing was copied for.
#[derive(Clone, Debug)]
pub(crate) enum Element<'v> {
    /// The item is this value.
    Value(&'v Value),
    /// The item has this key field.
    Key([(&'v Arc<str>, &'v Value); 1]),
    /// The item has these two, sorted by name.
    Keys([(&'v Arc<str>, &'v Value); 2]),
    /// The item has these, sorted by name.
    ManyKeys(Vec<(&'v Arc<str>, &'v Value)>),
}

impl<'v> Element<'v> {
    fn keys(&self) -> Option<&[(&'v Arc<str>, &'v Value)]> {
        match self {
            Element::Value(_) => None,
            Element::Key(keys) => Some(keys),
            Element::Keys(keys) => Some(keys),
            Element::ManyKeys(keys) => Some(keys),
        }
    }

    /// Returns the same as part of a path.
    pub(crate) fn to_path(&self) -> PathElement {
        let key = |(name, value): &(&Arc<str>, &Value)| KeyField {
            name: Arc::clone(name),
            value: (*value).clone(),
        };
        match self {
            Element::Value(value) => PathElement::value((*value).clone()),
            Element::Key([only]) => PathElement::Key(Arc::new([key(only)])),
            Element::Keys([first, second]) => PathElement::Key(Arc::new([key(first), key(second)])),
            Element::ManyKeys(keys) => PathElement::Key(keys.iter().map(key).collect()),
        }
    }

    /// Orders a path element against this, as path elements are ordered.
    pub(crate) fn compare_path(&self, other: &PathElement) -> Ordering {
        match (other, self.keys(), self) {
            (PathElement::Key(fields), Some(keys), _) => {
                let unequal = fields
                    .iter()
                    .zip(keys)
                    .map(|(left, (name, value))| {
                        left.name.cmp(name).then_with(|| values::compare(&left.value, value))
                    })
                    .find(|order| order.is_ne());
                unequal.unwrap_or_else(|| fields.len().cmp(&keys.len()))
            }
            (PathElement::Value(left), None, Element::Value(right)) => values::compare(left, right),
            (PathElement::Field(_), _, _) | (PathElement::Key(_), None, _) => Ordering::Less,
            (PathElement::Value(_) | PathElement::Index(_), _, _) => Ordering::Greater,
        }
    }
}

impl Ord for Element<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Element::Value(left), Element::Value(right)) => values::compare(left, right),
            (Element::Value(_), _) => Ordering::Greater,
            (_, Element::Value(_)) => Ordering::Less,
            (left, right) => {
                let (left, right) =
                    (left.keys().unwrap_or_default(), right.keys().unwrap_or_default());
                let unequal = left
                    .iter()
                    .zip(right)
                    .map(|(left, right)| {
                        // Mostly both are keys of one list.
                        let names = match Arc::ptr_eq(left.0, right.0) {
                            true => Ordering::Equal,
                            false => left.0.cmp(right.0),
                        };
                        names.then_with(|| values::compare(left.1, right.1))
                    })
                    .find(|order| order.is_ne());
                unequal.unwrap_or_else(|| left.len().cmp(&right.len()))
            }
        }
    }
}

impl PartialOrd for Element<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Element<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Element<'_> {}

/// Returns the path element of an item of a set or of a list with keys.
///
/// # Errors
/// What the item is that none can be, in the API server's words.
pub(crate) fn element_of<'v>(
    schema: &'v Schema,
    list: &'v List,
    item: &'v Value,
) -> Result<Element<'v>, String> {
    match &list.kind {
        ListKind::Atomic => Err("invalid indexing of non-associative list".to_owned()),
        ListKind::Set => element_of_set(item),
        ListKind::Map(keys) if keys.is_empty() => element_of_set(item),
        ListKind::Map(keys) => element_by_keys(schema, list, keys, item),
    }
}

fn element_of_set(item: &Value) -> Result<Element<'_>, String> {
    let refusal = match item {
        Value::Bool(_) | Value::Number(_) | Value::String(_) => return Ok(Element::Value(item)),
        Value::Object(_) => "associative list without keys has an element that's a map type",
        Value::Array(_) => "not supported: associative list with lists as elements",
        Value::Null => "associative list without keys has an element that's an explicit null",
    };
    Err(refusal.to_owned())
}

fn element_by_keys<'v>(
    schema: &'v Schema,
    list: &'v List,
    keys: &'v [Arc<str>],
    item: &'v Value,
) -> Result<Element<'v>, String> {
    let map = match item {
        Value::Object(map) => map,
        Value::Null => {
            return Err("associative list with keys may not have a null element".to_owned());
        }
        _ => return Err("associative list with keys may not have non-map elements".to_owned()),
    };
    let value_of = |key: &'v Arc<str>| match map.get(&**key) {
        Some(value) => Ok(Some(value)),
        None => default_of(schema, list, key)
            .map_err(|reason| format!("couldn't find default value for {key}: {reason}")),
    };
    let mut fields = Vec::new();
    match keys {
        [only] => {
            if let Some(value) = value_of(only)? {
                return Ok(Element::Key([(only, value)]));
            }
        }
        [first, second] => match (value_of(first)?, value_of(second)?) {
            (Some(one), Some(two)) => {
                let mut keys = [(first, one), (second, two)];
                keys.sort_by_key(|(name, _)| *name);
                return Ok(Element::Keys(keys));
            }
            (Some(one), None) => return Ok(Element::Key([(first, one)])),
            (None, Some(two)) => return Ok(Element::Key([(second, two)])),
            (None, None) => {}
        },
        keys => {
            for key in keys {
                if let Some(value) = value_of(key)? {
                    fields.push((key, value));
                }
            }
        }
    }
    if fields.is_empty() {
        let keys: Vec<_> = keys.iter().map(|key| values::quote(key)).collect();
        return Err(format!(
            "associative list with keys has an element that omits all key fields [{}] (and doesn't have default values for any key fields)",
            keys.join(" ")
        ));
    }
    fields.sort_by_key(|(name, _)| *name);
    Ok(Element::ManyKeys(fields))
}

fn default_of<'s>(
    schema: &'s Schema,
    list: &List,
    key: &str,
) -> Result<Option<&'s Value>, &'static str> {
    match schema.get(list.element) {
        Type::Map(map) => Ok(map.field(key).and_then(|field| field.default.as_ref())),
        Type::Deduced | Type::Atomic => Ok(None),
        Type::Scalar(_) | Type::List(_) => Err("associative list may not have non-map types"),
    }
}

/// Returns what stands at a path.
pub(crate) fn find<'v>(
    typed: Typed<'_>,
    value: &'v Value,
    path: &[PathElement],
) -> Option<&'v Value> {
    let [first, rest @ ..] = path else { return Some(value) };
    let (inside, type_id) = match (first, typed.shape(Some(value))) {
        (PathElement::Field(name), Shape::Map(shape)) => (value.get(&**name)?, shape.child(name)?),
        (PathElement::Index(index), _) => {
            return value.get(usize::try_from(*index).ok()?).filter(|_| rest.is_empty());
        }
        (wanted, Shape::List(list)) => {
            let is_wanted = |item: &&Value| {
                element_of(typed.schema, list, item)
                    .is_ok_and(|element| element.compare_path(wanted).is_eq())
            };
            (value.as_array()?.iter().find(is_wanted)?, list.element)
        }
        _ => return None,
    };
    find(typed.at(type_id), inside, rest)
}
