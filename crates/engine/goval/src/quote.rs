//! Strings: in double quotes, and made of bytes that are no text.

use std::fmt::Write;

/// Quotes as `strconv.Quote` and `%q` do.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0C' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0B' => out.push_str("\\v"),
            ' '..='~' => out.push(char),
            _ => push_wide(&mut out, char),
        }
    }
    out.push('"');
    out
}

fn push_wide(out: &mut String, char: char) {
    let code = u32::from(char);
    // Writing to a string does not fail.
    let _ = match code {
        0..=0x1F | 0x7F => write!(out, "\\x{code:02x}"),
        _ if is_print(char) => out.write_char(char),
        0x80..=0xFFFF => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// Letters, marks, numbers, punctuation and symbols: Rust escapes the others for people too,
/// and combining marks besides, which Go prints.
fn is_print(char: char) -> bool {
    char.escape_debug().len() == 1 || matches!(u32::from(char), 0x300..=0x36F | 0x20D0..=0x20F0)
}

/// Bytes as text: each byte that is no UTF-8 becomes U+FFFD, as in `encoding/json`.
pub fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{FFFD}'));
    }
    text
}
