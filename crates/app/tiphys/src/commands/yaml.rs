//! JSON values printed as YAML, as `kubectl get -o yaml` would: keys sorted, lists under their
//! key without more indentation, plain scalars wherever a reader of YAML 1.1 takes them for text.

use goyaml::{Dialect, Scalar, resolve};
use serde_json::Value;

/// A value as a YAML document.
pub fn text(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => mapping(fields, 0, false, &mut text),
        Value::Array(items) if !items.is_empty() => sequence(items, 0, &mut text),
        leaf => {
            scalar(leaf, 0, &mut text);
            text.push('\n');
        }
    }
    text
}

fn indent(columns: usize, text: &mut String) {
    text.extend(std::iter::repeat_n(' ', columns));
}

/// `begun`: the first field stands behind a `- `, which indents it.
fn mapping(
    fields: &serde_json::Map<String, Value>,
    columns: usize,
    begun: bool,
    text: &mut String,
) {
    for (index, (key, value)) in fields.iter().enumerate() {
        if index > 0 || !begun {
            indent(columns, text);
        }
        text.push_str(&key_text(key));
        text.push(':');
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                text.push('\n');
                mapping(fields, columns + 2, false, text);
            }
            Value::Array(items) if !items.is_empty() => {
                text.push('\n');
                sequence(items, columns, text);
            }
            leaf => {
                text.push(' ');
                scalar(leaf, columns + 2, text);
                text.push('\n');
            }
        }
    }
}

fn sequence(items: &[Value], columns: usize, text: &mut String) {
    for item in items {
        indent(columns, text);
        text.push_str("- ");
        match item {
            Value::Object(fields) if !fields.is_empty() => mapping(fields, columns + 2, true, text),
            Value::Array(items) if !items.is_empty() => {
                // The first item of the inner list stands on the same line.
                let mut inner = String::new();
                sequence(items, columns + 2, &mut inner);
                text.push_str(inner.trim_start());
            }
            leaf => {
                scalar(leaf, columns + 2, text);
                text.push('\n');
            }
        }
    }
}

/// `columns`: where a block of several lines is indented to.
fn scalar(value: &Value, columns: usize, text: &mut String) {
    match value {
        Value::Object(_) => text.push_str("{}"),
        Value::Array(_) => text.push_str("[]"),
        Value::String(string) if is_block(string) => block(string, columns, text),
        Value::String(string) => text.push_str(&key_text(string)),
        other => text.push_str(&other.to_string()),
    }
}

/// Whether a text of several lines can stand as it is.
fn is_block(string: &str) -> bool {
    let first = string.chars().next();
    string.contains('\n')
        && !matches!(first, Some(' ' | '\n' | '\t'))
        && string.chars().all(|each| each == '\n' || each == '\t' || !each.is_control())
        && string.lines().all(|line| !line.ends_with([' ', '\t']))
        && !string.contains(['\u{feff}', '\u{85}', '\u{2028}', '\u{2029}'])
}

fn block(string: &str, columns: usize, text: &mut String) {
    let body = string.trim_end_matches('\n');
    text.push_str(match string.len() - body.len() {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    let lines = string.strip_suffix('\n').unwrap_or(string);
    for line in lines.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            indent(columns, text);
            text.push_str(line);
        }
    }
}

/// A text on one line: plain where it reads back as this text, else in quotes.
fn key_text(string: &str) -> String {
    if is_plain(string) {
        return string.to_owned();
    }
    let odd = |each: char| {
        each.is_control() || matches!(each, '\u{feff}' | '\u{85}' | '\u{2028}' | '\u{2029}')
    };
    if !string.contains(odd) {
        return format!("'{}'", string.replace('\'', "''"));
    }
    // JSON's quoting is YAML's, but for the few that JSON leaves as they are.
    let quoted = serde_json::Value::from(string).to_string();
    quoted
        .chars()
        .map(|each| match odd(each) {
            true => format!("\\u{:04x}", u32::from(each)),
            false => each.to_string(),
        })
        .collect()
}

fn is_plain(string: &str) -> bool {
    let begins_well = |each: char| {
        !matches!(
            each,
            '-' | '?'
                | ':'
                | ','
                | '['
                | ']'
                | '{'
                | '}'
                | '#'
                | '&'
                | '*'
                | '!'
                | '|'
                | '>'
                | '\''
                | '"'
                | '%'
                | '@'
                | '`'
                | ' '
                | '='
                | '<'
                | '~'
        )
    };
    let Some(first) = string.chars().next() else { return false };
    let begins_well = begins_well(first)
        || first == '-' && string.chars().nth(1).is_some_and(|each| each.is_alphanumeric());
    begins_well
        && !string.ends_with([' ', ':'])
        && !string.contains(": ")
        && !string.contains(" #")
        && string.chars().all(|each| {
            !each.is_control() && !matches!(each, '\u{feff}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        })
        && [Dialect::V2, Dialect::V3]
            .into_iter()
            .all(|dialect| matches!(resolve(dialect, string), Scalar::Str))
        && !matches!(
            string.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        )
}
