//! Fields inside YAML or JSON that stands as text in a field, as in a ConfigMap's data.

use serde_json::Value;

use super::lookup::{locate, lookup};
use super::print::print;
use super::targets::{self, Made};
use crate::node::{Node, parse_first};

/// Puts a value into the text that a path leads through; `false` where it leads through none,
/// or nothing is found in it: then the path is taken for a plain one.
pub(super) fn set(object: &mut Node, value: &Node, path: &[String], create: Option<Made>) -> bool {
    try_set(object, value, path, create).is_some()
}

fn try_set(object: &mut Node, value: &Node, path: &[String], create: Option<Made>) -> Option<()> {
    if path.len() < 2 {
        return None;
    }
    let (cut, text) = (1..path.len()).find_map(|cut| {
        let found = lookup(object, &path[..cut]).ok()??;
        let text = &found.as_scalar()?.text;
        // A text that is no YAML is passed over.
        parse_first(text.as_bytes()).ok().map(|_| (cut, text.to_string()))
    })?;
    let mut document = parse_first(text.as_bytes()).ok()??;
    let places = targets::find(&mut document, &path[cut..], create).ok()?;
    if places.is_empty() {
        return None;
    }
    for place in &places {
        if let Some(node) = targets::at(&mut document, place) {
            targets::put(node, value);
        }
    }
    let written = match text.trim_start().as_bytes().first()? {
        b'{' | b'[' => as_json(&document, &text)?,
        _ => print(&text, &document),
    };
    set_text(object, &path[..cut], written)
}

/// Writes JSON as wide or as narrow as it was.
fn as_json(document: &Node, before: &str) -> Option<String> {
    let value: Value = document.to_json().ok()?;
    let text = if before.contains('\n') && before.contains("  ") {
        serde_json::to_string_pretty(&value).ok()?
    } else {
        serde_json::to_string(&value).ok()?
    };
    // Go's encoder keeps these out of HTML.
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    Some(escaped)
}

/// Sets the text of the scalar at the end of a path that is known to lead there.
fn set_text(object: &mut Node, path: &[String], text: String) -> Option<()> {
    let place = Some(locate(object, path)?);
    let scalar = targets::at(object, &place)?.as_scalar_mut()?;
    scalar.text = text.into();
    Some(())
}
