//! The suffix that names of generated objects get.

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::KustomizeError;
use crate::node::Node;
use crate::resource::Resource;

/// Returns ten signs that stand for a ConfigMap's or Secret's content.
///
/// # Errors
///
/// For another kind, and for content that JSON does not know.
pub(crate) fn hash_of(resource: &Resource) -> Result<String, KustomizeError> {
    // Keys in the order of JSON text; the name never gets in there, though upstream meant it to.
    let (keys, kind): (&[&str], &str) = match resource.kind() {
        "ConfigMap" => (&["binaryData", "data", "kind", "name"], "ConfigMap"),
        "Secret" => (&["data", "kind", "name", "stringData", "type"], "Secret"),
        kind => {
            return Err(KustomizeError::said(format!(
                "the name of a {kind} cannot have the hash of its content"
            )));
        }
    };
    let mut json = String::from("{");
    for key in keys {
        let part = match *key {
            "kind" => Value::String(kind.to_owned()),
            "name" => Value::String(String::new()),
            key => value_of(resource.node.get(key))?,
        };
        let optional = matches!(*key, "binaryData" | "stringData");
        if optional && !part.is_object() {
            continue;
        }
        if json.len() > 1 {
            json.push(',');
        }
        push_text(&mut json, key);
        json.push(':');
        push(&mut json, &part);
    }
    json.push('}');
    Ok(encoded(&Sha256::digest(json.as_bytes())))
}

fn value_of(node: Option<&Node>) -> Result<Value, KustomizeError> {
    Ok(match node {
        None => Value::String(String::new()),
        Some(Node::Scalar(scalar)) => Value::String(scalar.text.to_string()),
        Some(Node::Mapping(_)) => node.map_or(Ok(Value::Null), Node::to_json)?,
        // Go reads a list as no map at all.
        Some(Node::Sequence(_)) => Value::Null,
    })
}

/// The first ten signs of the hash, those replaced that could make words.
fn encoded(hash: &[u8]) -> String {
    let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    digits
        .take(10)
        .map(|digit| match digit {
            0 => 'g',
            1 => 'h',
            3 => 'k',
            0xA => 'm',
            0xE => 't',
            digit => char::from_digit(u32::from(digit), 16).expect("it is one digit"),
        })
        .collect()
}

fn push(json: &mut String, value: &Value) {
    match value {
        Value::Null => json.push_str("null"),
        Value::Bool(value) => json.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => {
            // To Go every number here is a float.
            let float = number.as_f64().and_then(goyaml::json_number);
            json.push_str(&float.as_ref().unwrap_or(number).to_string());
        }
        Value::String(text) => push_text(json, text),
        Value::Array(items) => {
            json.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                push(json, item);
            }
            json.push(']');
        }
        Value::Object(fields) => {
            json.push('{');
            for (at, (key, value)) in fields.iter().enumerate() {
                if at > 0 {
                    json.push(',');
                }
                push_text(json, key);
                json.push(':');
                push(json, value);
            }
            json.push('}');
        }
    }
}

/// Writes text as Go's `encoding/json` does, safe in HTML.
fn push_text(json: &mut String, text: &str) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\x08' => json.push_str("\\b"),
            '\x0C' => json.push_str("\\f"),
            '\0'..='\x1F' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            char => json.push(char),
        }
    }
    json.push('"');
}
