//! Values as Go's `%#v` prints them: only error texts need it.

use std::collections::BTreeMap;
use std::fmt::Write;

use goval::{FloatBits, format_g, quote};

use crate::decode::{Key, scalar_key};
use crate::document::{Document, Kind, NodeId};
use crate::error::YamlError;

/// More than anybody reads: a longer text is cut.
const TEXT_BYTES_MAX: usize = 4096;

/// The JSON name of a key, or the key where JSON has none.
pub(crate) fn json_key(key: Key) -> Result<String, Key> {
    Ok(match key {
        Key::Str(text) => text,
        Key::Int(value) => value.to_string(),
        Key::Bool(value) => value.to_string(),
        Key::Float(value) => match format_g(value, FloatBits::F32).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        },
        Key::Null | Key::Uint(_) => return Err(key),
    })
}

/// A key as `%#v`.
pub(crate) fn key(key: &Key) -> String {
    match key {
        Key::Null => "interface {}(nil)".to_owned(),
        Key::Bool(value) => value.to_string(),
        Key::Int(value) => value.to_string(),
        Key::Uint(value) => format!("{value:#x}"),
        Key::Float(value) => format_g(*value, FloatBits::F64),
        Key::Str(text) => quote(text),
    }
}

/// What `sigs.k8s.io/yaml` says about a key that JSON cannot hold.
pub(crate) fn unsupported_key(of: &Key, document: &Document, value_id: NodeId) -> String {
    let (kind, text) = match of {
        Key::Null => ("%!s(<nil>)", "<nil>".to_owned()),
        Key::Uint(_) => ("uint64", key(of)),
        Key::Bool(_) | Key::Int(_) | Key::Float(_) | Key::Str(_) => ("string", key(of)),
    };
    let value = match scalar_of(document, value_id) {
        Some(Key::Null) => "<nil>".to_owned(),
        _ => value(document, value_id).unwrap_or_default(),
    };
    format!("unsupported map key of type: {kind}, key: {text}, value: {value}")
}

fn scalar_of(document: &Document, id: NodeId) -> Option<Key> {
    match document.node(id).kind {
        Kind::Scalar => scalar_key(document, id).ok(),
        Kind::Mapping | Kind::Sequence | Kind::Alias(_) => None,
    }
}

/// A node's value as `%#v`.
///
/// # Errors
///
/// A scalar inside that its tag does not fit.
pub(crate) fn value(document: &Document, id: NodeId) -> Result<String, YamlError> {
    let mut out = String::new();
    write_value(document, id, &mut out, 0)?;
    Ok(out)
}

fn write_value(
    document: &Document,
    id: NodeId,
    out: &mut String,
    depth: usize,
) -> Result<(), YamlError> {
    if out.len() > TEXT_BYTES_MAX || depth > 100 {
        out.push_str("...");
        return Ok(());
    }
    let node = document.node(id);
    match node.kind {
        Kind::Alias(target) => return write_value(document, target, out, depth + 1),
        Kind::Scalar => {
            let scalar = scalar_key(document, id)
                .map_err(|problem| YamlError::unnamed(node.line, node.column, problem))?;
            out.push_str(&key(&scalar));
        }
        Kind::Sequence => {
            out.push_str("[]interface {}{");
            for (at, child) in document.children(id).enumerate() {
                if at > 0 {
                    out.push_str(", ");
                }
                write_value(document, child, out, depth + 1)?;
            }
            out.push('}');
        }
        Kind::Mapping => {
            let mut entries = BTreeMap::new();
            let mut children = document.children(id);
            while let (Some(name), Some(held)) = (children.next(), children.next()) {
                let (mut key, mut value) = (String::new(), String::new());
                write_value(document, name, &mut key, depth + 1)?;
                write_value(document, held, &mut value, depth + 1)?;
                entries.insert(key, value);
            }
            let entries: Vec<String> =
                entries.into_iter().map(|(key, value)| format!("{key}:{value}")).collect();
            let _ = write!(out, "map[interface {{}}]interface {{}}{{{}}}", entries.join(", "));
        }
    }
    Ok(())
}
