//! Keeps a Secret's data out of what the server says about it.
//!
//! The server quotes values in some of its messages (a wrong type, a failed merge). Where the
//! request was about a Secret, each value that the request held is starred out of the answer.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::error::ApiError;

const STARS: &str = "++++++++";

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Stars the data of `sent` out of `error`, if the request was about a Secret.
pub(crate) fn redact(error: ApiError, is_secret: bool, sent: Option<&Value>) -> ApiError {
    if !is_secret {
        return error;
    }
    let mut values = Vec::new();
    if let Some(sent) = sent {
        collect(sent, &mut values);
    }
    // The longest first, so that no part of a value is left beside the stars of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.dedup();
    error.map_text(|text| quoted_values(values.iter().fold(text, |text, value| star(&text, value))))
}

/// Collects everything under `data`, `stringData` and the last-applied annotation; of a patch,
/// everything that it says.
fn collect(sent: &Value, values: &mut Vec<String>) {
    match sent {
        Value::Object(map) => {
            for (key, value) in map {
                match key.as_str() {
                    "data" | "stringData" => leaves(value, values),
                    "metadata" => {
                        let annotation = value
                            .pointer(&format!("/annotations/{}", LAST_APPLIED.replace('/', "~1")));
                        let text = annotation.and_then(Value::as_str).unwrap_or("");
                        if let Ok(applied) = serde_json::from_str::<Value>(text) {
                            collect(&applied, values);
                        }
                    }
                    _ => {}
                }
            }
        }
        // A JSON patch.
        Value::Array(operations) => {
            for operation in operations {
                if let Some(value) = operation.get("value") {
                    leaves(value, values);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn leaves(value: &Value, values: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.values().for_each(|inner| leaves(inner, values)),
        Value::Array(list) => list.iter().for_each(|inner| leaves(inner, values)),
        Value::String(text) => {
            if let Ok(plain) = STANDARD.decode(text)
                && let Ok(plain) = String::from_utf8(plain)
            {
                values.push(plain.trim().to_owned());
            }
            values.push(STANDARD.encode(text));
            values.push(text.trim().to_owned());
        }
        Value::Number(number) => values.push(number.to_string()),
        Value::Bool(_) | Value::Null => {}
    }
}

/// Stars one value out of a text. A short one goes only where it stands alone: a password `a`
/// must not eat each `a` of a sentence.
fn star(text: &str, value: &str) -> String {
    if value.is_empty() {
        return text.to_owned();
    }
    if value.len() >= 6 {
        return text.replace(value, STARS);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let before = rest[..at].chars().next_back();
        let after = rest[at + value.len()..].chars().next();
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        out.push_str(&rest[..at]);
        out.push_str(if inside(before) || inside(after) { value } else { STARS });
        rest = &rest[at + value.len()..];
    }
    out.push_str(rest);
    out
}

/// Stars what the server quotes as a value (`valueUnstructured{Value:…}`, `Invalid value: …`).
fn quoted_values(text: String) -> String {
    let mut text = text;
    for (begin, end) in [("{Value:", '}'), ("Invalid value: \"", '"')] {
        let mut from = 0;
        while let Some(at) = text[from..].find(begin) {
            let start = from + at + begin.len();
            let length = text[start..].find(end).unwrap_or(text.len() - start);
            text.replace_range(start..start + length, STARS);
            from = start + STARS.len();
        }
    }
    text
}
