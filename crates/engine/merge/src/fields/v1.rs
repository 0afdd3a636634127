//! `FieldsV1`: a field set as JSON.
//!
//! Each path element is a key: `f:` and a name, `k:` and a map of key fields, `v:` and a
//! value, `i:` and an index. A field that is a member beside its children has the key `.`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::fields::element::{KeyField, PathElement};
use crate::fields::set::{FieldSet, Node};
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

    /// Writes the text of [`Self::to_v1`].
    pub(crate) fn write_v1(&self, out: &mut Vec<u8>) {
        self.write_sorted(out, false);
    }

    fn write_sorted(&self, out: &mut Vec<u8>, includes_itself: bool) {
        let mut first = true;
        let mut comma = |out: &mut Vec<u8>| {
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
        };
        out.push(b'{');
        if includes_itself && !self.is_empty() {
            comma(out);
            out.extend_from_slice(b"\".\":{}");
        }
        let is_field = |node: &&Node| matches!(node.element, PathElement::Field(_));
        // Names are in order already, and their letter comes first.
        for node in self.nodes().iter().take_while(is_field) {
            comma(out);
            write_key(out, &node.element);
            node.below.write_sorted(out, node.member);
        }
        let mut others: Vec<(String, &Node)> = self
            .nodes()
            .iter()
            .skip_while(is_field)
            .map(|node| (key_of(&node.element), node))
            .collect();
        others.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        for (key, node) in others {
            comma(out);
            write_string(out, &key);
            out.push(b':');
            node.below.write_sorted(out, node.member);
        }
        out.push(b'}');
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

/// Writes the key of a field, and the colon behind it.
fn write_key(out: &mut Vec<u8>, element: &PathElement) {
    match element {
        PathElement::Field(name) if is_plain(name) => {
            out.extend_from_slice(b"\"f:");
            out.extend_from_slice(name.as_bytes());
            out.push(b'"');
        }
        element => write_string(out, &key_of(element)),
    }
    out.push(b':');
}

/// Whether a text stands in JSON as it is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\')
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).expect("a string is always serializable to memory");
}

impl<'de> Deserialize<'de> for FieldSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Branch::deserialize(deserializer)?.below)
    }
}

/// Whether a field is itself a member, and what is below it: [`read`], of text.
struct Branch {
    member: bool,
    below: FieldSet,
}

impl<'de> Deserialize<'de> for Branch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Branch;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field set")
            }

            fn visit_unit<E>(self) -> Result<Branch, E> {
                Ok(Branch { member: true, below: FieldSet::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Branch, A::Error> {
                let (mut member, mut below) = (false, FieldSet::default());
                while let Some(key) = map.next_key::<Key>()? {
                    match key {
                        Key::Itself => {
                            member = true;
                            map.next_value::<IgnoredAny>()?;
                        }
                        Key::Unknown => {
                            map.next_value::<IgnoredAny>()?;
                        }
                        Key::Element(element) => {
                            let branch = map.next_value::<Branch>()?;
                            below.add(element, branch.member, branch.below);
                        }
                    }
                }
                Ok(Branch { member: member || below.is_empty(), below })
            }
        }
        deserializer.deserialize_any(Fields)
    }
}

/// The key fields of a list's element; of two of one name the last counts.
struct KeyFields(Vec<KeyField>);

impl<'de> Deserialize<'de> for KeyFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = KeyFields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("key fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KeyFields, A::Error> {
                let mut fields: Vec<KeyField> = Vec::with_capacity(1);
                while let Some((name, value)) = map.next_entry::<Box<str>, Value>()? {
                    let value = as_read(value);
                    match fields.iter_mut().find(|field| *field.name == *name) {
                        Some(field) => field.value = value,
                        None => fields.push(KeyField { name: name.into(), value }),
                    }
                }
                Ok(KeyFields(fields))
            }
        }
        deserializer.deserialize_map(Fields)
    }
}

/// A key of a field set.
enum Key {
    /// `.`
    Itself,
    /// Of a later version.
    Unknown,
    /// Any other.
    Element(PathElement),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path element")
            }

            fn visit_str<E: de::Error>(self, key: &str) -> Result<Key, E> {
                if key == "." {
                    return Ok(Key::Itself);
                }
                let element = element_of(key).map_err(E::custom)?;
                Ok(element.map_or(Key::Unknown, Key::Element))
            }
        }
        deserializer.deserialize_str(Text)
    }
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

/// Whole numbers up to this, either way, are the same as floats.
const WHOLE_MAX: u64 = 1 << 53;

/// Numbers of path elements are read as floats.
fn as_read(value: Value) -> Value {
    match value.as_i64() {
        Some(number) if number.unsigned_abs() > WHOLE_MAX => Value::from(number as f64),
        _ => value,
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
        b'v' => PathElement::value(as_read(serde_json::from_str(rest).map_err(|_| bad())?)),
        b'k' => {
            let KeyFields(fields) = serde_json::from_str(rest).map_err(|_| bad())?;
            PathElement::key(fields)
        }
        b'i' => PathElement::Index(rest.parse().map_err(|_| bad())?),
        _ => return Ok(None),
    }))
}
