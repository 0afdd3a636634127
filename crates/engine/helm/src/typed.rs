//! YAML read into Go's structs, as `sigs.k8s.io/yaml` does it.
//!
//! Keys match in any case, and where text is wanted, numbers and booleans become text.

use std::cell::OnceCell;

use goval::{FloatBits, format_g};
use goyaml::{Dialect, Document, Kind, Limits, NodeId, Scalar, resolve};
use serde_json::Value;

/// A document, with what its scalars looked like.
pub(crate) struct Typed<'a> {
    pub(crate) value: Value,
    text: &'a [u8],
    /// Made when it is asked for: most texts hold no number where text is wanted.
    document: OnceCell<Option<Document>>,
}

/// Where a value stands: the struct and its field, as Go's errors name them.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) of: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> Typed<'a> {
    /// Reads a document.
    ///
    /// # Errors
    ///
    /// Go's words.
    pub(crate) fn read(text: &'a [u8]) -> Result<Self, String> {
        let value = goyaml::to_json(text)
            .map_err(|error| format!("error converting YAML to JSON: {error}"))?;
        Ok(Self { value, text, document: OnceCell::new() })
    }

    fn document(&self) -> Option<&Document> {
        let parse = || Document::parse(self.text, Dialect::V2, &Limits::default()).ok();
        self.document.get_or_init(parse).as_ref()
    }

    /// Text; `path` leads to the value from the document's root.
    pub(crate) fn text(
        &self,
        value: &Value,
        path: &[&str],
        field: Field<'_>,
    ) -> Result<String, String> {
        match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            Value::Bool(value) => Ok(value.to_string()),
            Value::Number(number) => {
                if let Some(float) = self.written_float(path) {
                    return Ok(format_g(float, FloatBits::F32));
                }
                match number.as_f64() {
                    Some(float) if number.is_f64() => Ok(format_g(float, FloatBits::F32)),
                    _ => Ok(number.to_string()),
                }
            }
            Value::Array(_) | Value::Object(_) => Err(mismatch(value, field, "string")),
        }
    }

    /// The number, where it was written as a float: JSON no longer tells `1e6` from 1000000.
    fn written_float(&self, path: &[&str]) -> Option<f64> {
        let document = self.document()?;
        let mut at = follow(document, document.root()?);
        for name in path {
            at = follow(document, child(document, at, name)?);
        }
        let node = document.node(at);
        if node.kind() != Kind::Scalar || node.tag().is_some() {
            return None;
        }
        match resolve(Dialect::V2, document.value(at)) {
            Scalar::Float(value) => Some(value),
            _ => None,
        }
    }
}

fn follow(document: &Document, id: NodeId) -> NodeId {
    match document.node(id).kind() {
        Kind::Alias(target) => target,
        _ => id,
    }
}

fn child(document: &Document, id: NodeId, name: &str) -> Option<NodeId> {
    let mut children = document.children(id);
    match document.node(id).kind() {
        Kind::Sequence => children.nth(name.parse().ok()?),
        Kind::Mapping => {
            let mut found = None;
            while let (Some(key), Some(value)) = (children.next(), children.next()) {
                if document.value(key) == name {
                    found = Some(value);
                }
            }
            found
        }
        _ => None,
    }
}

/// A truth value.
pub(crate) fn truth(value: &Value, field: Field<'_>) -> Result<bool, String> {
    match value {
        Value::Null => Ok(false),
        Value::Bool(value) => Ok(*value),
        other => Err(mismatch(other, field, "bool")),
    }
}

/// Go's complaint over a value of the wrong kind.
pub(crate) fn mismatch(value: &Value, field: Field<'_>, wanted: &str) -> String {
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go struct field {}.{} of type {wanted}",
        kind_of(value),
        field.of,
        field.name
    )
}

/// What Go calls a JSON value in its complaints.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
