//! What is left of a text when Go has printed it as JSON and read that as YAML.
//!
//! Nearly always all of it. A line break of Unicode's (U+0085) is folded, and control
//! characters that JSON leaves alone are refused.

use std::borrow::Cow;

use crate::decode::Limits;
use crate::document::{Document, Kind};
use crate::error::{Stage, YamlError};
use crate::resolve::Dialect;

/// Characters, quotes included, that a key may have in one line.
const KEY_CHARS_MAX: usize = 1024;

/// A text as it comes back.
pub(crate) fn read_back(text: &str) -> Result<Cow<'_, str>, YamlError> {
    if text.bytes().all(|byte| byte < 0x7F) || text.chars().all(comes_back) {
        return Ok(Cow::Borrowed(text));
    }
    let json = json_text(text);
    let document = Document::parse(json.as_bytes(), Dialect::V2, &Limits::default())?;
    match document.root().map(|root| (document.node(root).kind(), document.value(root))) {
        Some((Kind::Scalar, value)) => Ok(Cow::Owned(value.to_owned())),
        _ => Ok(Cow::Borrowed(text)),
    }
}

/// A key as it comes back.
pub(crate) fn key(text: &str) -> Result<Cow<'_, str>, YamlError> {
    // A key must be on one line.
    let breaks = text.chars().filter(|char| *char == '\u{85}').count() as u32;
    if breaks > 0 {
        return Err(YamlError::at(Stage::Parser, breaks, 0, "did not find expected ',' or '}'"));
    }
    // The longest escape has six characters.
    if text.len() * 6 + 2 > KEY_CHARS_MAX && json_text(text).chars().count() > KEY_CHARS_MAX {
        return Err(YamlError::unnamed(0, 0, "did not find expected ',' or '}'"));
    }
    read_back(text)
}

fn comes_back(char: char) -> bool {
    !matches!(char, '\u{7F}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// A string as `encoding/json` prints it.
fn json_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\0'..='\x1F' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(char)));
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}
