//! `FieldsV1`: a field set as JSON.
//!
//! Each path element is a key: `f:` and a name, `k:` and a map of key fields, `v:` and a
//! value, `i:` and an index. A field that is a member beside its children has the key `.`.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::fields::element::{KeyField, PathElement};
use crate::fields::set::FieldSet;
use crate::values;

/// Why something is not a field set.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FieldsError {
    /// A set, or a branch of one, is not a map.
    #[error("a field set is a map, not {0}")]
    NotAMap(String),
    /// A key has no type.
    #[error("missing colon: {0}")]
    NoColon(String),
    /// What follows the type does not parse.
    #[error("`{0}` is no path element")]
    BadElement(String),
}

impl FieldSet {
    /// Reads a set. Path elements of unknown types are left out.
    pub fn from_v1(fields: &Value) -> Result<Self, FieldsError> {
        Ok(read(fields)?.1)
    }

    /// Writes the set. Keys come sorted by their text; [`Self::to_json`] has Go's order.
    pub fn to_v1(&self) -> Value {
        Value::Object(self.to_map(false))
    }

    fn to_map(&self, includes_itself: bool) -> Map<String, Value> {
        let itself = (includes_itself && !self.is_empty())
            .then(|| (".".to_owned(), Value::Object(Map::new())));
        let inside = self
            .nodes()
            .iter()
            .map(|node| (key_of(&node.element), Value::Object(node.below.to_map(node.member))));
        itself.into_iter().chain(inside).collect()
    }

    /// Writes the set byte for byte as the API server stores it.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out, false);
        out
    }

    fn write_json(&self, out: &mut String, includes_itself: bool) {
        out.push('{');
        let mut first = true;
        if includes_itself && !self.is_empty() {
            out.push_str("\".\":{}");
            first = false;
        }
        for node in self.nodes() {
            if !std::mem::take(&mut first) {
                out.push(',');
            }
            values::write_json_string(out, &key_of(&node.element), false);
            out.push(':');
            node.below.write_json(out, node.member);
        }
        out.push('}');
    }
}

/// Returns whether the branch is itself a member, and what is below.
fn read(fields: &Value) -> Result<(bool, FieldSet), FieldsError> {
    let map = match fields {
        Value::Object(map) => map,
        Value::Null => return Ok((true, FieldSet::default())),
        other => return Err(FieldsError::NotAMap(values::as_t(other).to_owned())),
    };
    let mut member = false;
    let mut set = FieldSet::with_capacity(map.len());
    for (key, below) in map {
        if key == "." {
            member = true;
            continue;
        }
        if let Some(element) = element_of(key)? {
            let (is_member, below) = read(below)?;
            set.add(element, is_member, below);
        }
    }
    Ok((member || set.is_empty(), set))
}

/// Returns a path element's key.
pub(crate) fn key_of(element: &PathElement) -> String {
    match element {
        PathElement::Field(name) => {
            let mut out = String::with_capacity(name.len() + 2);
            out.push_str("f:");
            out.push_str(name);
            out
        }
        PathElement::Key(fields) => {
            let mut out = String::from("k:{");
            for (at, field) in fields.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                values::write_json_string(&mut out, &field.name, false);
                out.push(':');
                values::write_json(&mut out, &field.value);
            }
            out.push('}');
            out
        }
        PathElement::Value(value) => {
            let mut out = String::from("v:");
            values::write_json(&mut out, value);
            out
        }
        PathElement::Index(index) => format!("i:{index}"),
    }
}

/// Reads a path element; `None` is a type of a later version.
pub(crate) fn element_of(key: &str) -> Result<Option<PathElement>, FieldsError> {
    let bad = || FieldsError::BadElement(key.to_owned());
    if key.as_bytes().get(1) != Some(&b':') {
        return Err(FieldsError::NoColon(key.to_owned()));
    }
    let rest = &key[2..];
    Ok(Some(match key.as_bytes()[0] {
        b'f' => PathElement::field(rest),
        b'v' => PathElement::value(serde_json::from_str(rest).map_err(|_| bad())?),
        b'k' => {
            let fields: Map<String, Value> = serde_json::from_str(rest).map_err(|_| bad())?;
            let fields = fields
                .into_iter()
                .map(|(name, value)| KeyField { name: Arc::from(name), value })
                .collect();
            PathElement::key(fields)
        }
        b'i' => PathElement::Index(rest.parse().map_err(|_| bad())?),
        _ => return Ok(None),
    }))
}
