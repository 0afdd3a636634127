//! Nodes to the JSON values that Argo CD holds after it read what kustomize printed.
//!
//! Kustomize prints a node with its own YAML library, reads that back as values, prints those
//! as JSON, and that as YAML; Argo CD reads the last. What comes out: text that stands quoted
//! or is tagged as text stays text, a date becomes a time, numbers lose how they were written.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::timestamp::rfc3339;
use super::{Entry, Mapping, Node, Scalar, Sequence, Tag, Text};

/// Why a node has no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeJsonError {
    /// A key stands twice.
    #[error("mapping key {key:?} already defined")]
    Repeated {
        /// The key's text.
        key: String,
    },
    /// A key below the outermost mapping is a number, a boolean or null.
    #[error("json: unsupported type: map[interface {{}}]interface {{}} (key `{key}` is no string)")]
    KeyNoString {
        /// The key's text.
        key: String,
    },
    /// A number that JSON does not know.
    #[error("json: unsupported value: {value}")]
    NoNumber {
        /// `NaN`, `+Inf` or `-Inf`.
        value: &'static str,
    },
    /// The tag says another type than the text.
    #[error("cannot decode {found} `{text}` as a {tag}")]
    WrongTag {
        /// The text.
        text: String,
        /// What it reads as.
        found: &'static str,
        /// What it is said to be.
        tag: &'static str,
    },
    /// `!!binary` with other text than base64.
    #[error("!!binary value contains invalid base64 data")]
    NoBase64,
}

impl Node {
    /// The value that Argo CD reads when kustomize printed this document.
    ///
    /// # Errors
    ///
    /// [`NodeJsonError`] where kustomize itself fails.
    pub fn to_json(&self) -> Result<Value, NodeJsonError> {
        match self {
            // Only here keys may be something else than text.
            Node::Mapping(mapping) => object(mapping, true),
            Node::Scalar(_) | Node::Sequence(_) => value(self),
        }
    }

    /// The node that kyaml makes of a JSON value.
    pub fn from_json(value: &Value) -> Self {
        match value {
            Value::Null => Node::null(),
            Value::Bool(value) => Node::Scalar(Scalar {
                text: Text::from(if *value { "true" } else { "false" }),
                tag: Tag::Bool,
                quoted: false,
            }),
            Value::Number(number) => Node::Scalar(Scalar::plain(number.to_string())),
            Value::String(text) => Node::string(text.clone()),
            Value::Array(items) => {
                let items: Vec<Node> = items.iter().map(Node::from_json).collect();
                Node::Sequence(Sequence::from(items))
            }
            Value::Object(fields) => {
                let entries: Vec<Entry> = fields
                    .iter()
                    .map(|(key, value)| {
                        Entry::new(Scalar::string(key.clone()), Node::from_json(value))
                    })
                    .collect();
                Node::Mapping(Mapping::from(entries))
            }
        }
    }
}

fn value(node: &Node) -> Result<Value, NodeJsonError> {
    match node {
        Node::Scalar(scalar) => scalar.to_json(),
        Node::Mapping(mapping) => object(mapping, false),
        Node::Sequence(sequence) => {
            let items = sequence.items().iter().map(value).collect::<Result<Vec<_>, _>>()?;
            Ok(Value::Array(items))
        }
    }
}

fn object(mapping: &Mapping, outermost: bool) -> Result<Value, NodeJsonError> {
    let mut fields = Map::new();
    for Entry { key, value: node, .. } in mapping.entries() {
        if key.reads_as() != Tag::Str {
            if !outermost {
                return Err(NodeJsonError::KeyNoString { key: key.text.as_str().to_owned() });
            }
            if key.is_null() {
                continue;
            }
        }
        if fields.insert(key.text.as_str().to_owned(), value(node)?).is_some() {
            return Err(NodeJsonError::Repeated { key: key.text.as_str().to_owned() });
        }
    }
    Ok(Value::Object(fields))
}

impl Scalar {
    /// The tag under which the scalar is read back once it is printed.
    pub fn reads_as(&self) -> Tag {
        match self.tag {
            Tag::Str | Tag::Other => Tag::Str,
            Tag::Unset if self.quoted => Tag::Str,
            Tag::Unset => Tag::of(&self.text),
            // In quotes, a tag is printed only where the text does not imply it.
            tag if self.quoted && Tag::of(&self.text) == tag => Tag::Str,
            tag => tag,
        }
    }

    /// The value that Argo CD reads when kustomize printed this scalar.
    ///
    /// # Errors
    ///
    /// [`NodeJsonError`] where kustomize itself fails.
    pub fn to_json(&self) -> Result<Value, NodeJsonError> {
        let tag = self.reads_as();
        match tag {
            Tag::Str | Tag::Unset | Tag::Other => {
                return Ok(Value::String(self.text.as_str().to_owned()));
            }
            Tag::Binary => {
                let symbols: String =
                    self.text.chars().filter(|char| !matches!(char, '\n' | '\r')).collect();
                let bytes = STANDARD.decode(symbols).map_err(|_| NodeJsonError::NoBase64)?;
                return Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()));
            }
            Tag::Merge => return Ok(Value::String(self.text.as_str().to_owned())),
            Tag::Int | Tag::Float | Tag::Bool | Tag::Null | Tag::Timestamp => {}
        }
        let resolved = goyaml::resolve(goyaml::Dialect::V3, &self.text);
        let wrong = |found: Tag| NodeJsonError::WrongTag {
            text: self.text.as_str().to_owned(),
            found: found.short(),
            tag: tag.short(),
        };
        match (tag, resolved) {
            (Tag::Null, goyaml::Scalar::Null) => Ok(Value::Null),
            (Tag::Bool, goyaml::Scalar::Bool(value)) => Ok(Value::Bool(value)),
            (Tag::Int, goyaml::Scalar::Int(value)) => Ok(Value::from(value)),
            (Tag::Int, goyaml::Scalar::Uint(value)) => Ok(Value::from(value)),
            (Tag::Float, goyaml::Scalar::Int(value)) => float(value as f64),
            (Tag::Float, goyaml::Scalar::Uint(value)) => float(value as f64),
            (Tag::Float, goyaml::Scalar::Float(value)) => float(value),
            (Tag::Timestamp, goyaml::Scalar::Timestamp) => Ok(Value::String(rfc3339(&self.text))),
            (_, _) => Err(wrong(Tag::of(&self.text))),
        }
    }
}

fn float(value: f64) -> Result<Value, NodeJsonError> {
    goyaml::json_number(value).map(Value::Number).ok_or(NodeJsonError::NoNumber {
        value: match value {
            value if value.is_nan() => "NaN",
            value if value > 0.0 => "+Inf",
            _ => "-Inf",
        },
    })
}
