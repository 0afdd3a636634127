//! PEM blocks.

use crate::encoding::{base64_bytes, base64_text};

const LINE: usize = 64;

/// A block as text.
pub(super) fn encode(kind: &str, bytes: &[u8]) -> String {
    let mut out = format!("-----BEGIN {kind}-----\n");
    let text = base64_text(bytes);
    for start in (0..text.len()).step_by(LINE) {
        out.push_str(&text[start..text.len().min(start + LINE)]);
        out.push('\n');
    }
    out.push_str(&format!("-----END {kind}-----\n"));
    out
}

/// The first block of a text: its kind and bytes.
pub(super) fn decode(text: &[u8]) -> Option<(String, Vec<u8>)> {
    let text = goval::text_of(text);
    let mut rest = text.as_str();
    loop {
        let at = if rest.starts_with("-----BEGIN ") { 0 } else { rest.find("\n-----BEGIN ")? + 1 };
        let begun = &rest[at + "-----BEGIN ".len()..];
        rest = begun;
        let (line, body) = begun.split_once('\n')?;
        let Some(kind) = line.trim_end_matches([' ', '\t', '\r']).strip_suffix("-----") else {
            continue;
        };
        let end = format!("-----END {kind}-----");
        let Some(close) = body.find(&end) else { continue };
        if close > 0 && !body[..close].ends_with('\n') {
            continue;
        }
        // Headers, as older keys have them, end with an empty line.
        let inside = match body[..close].split_once("\n\n") {
            Some((headers, inside)) if headers.contains(':') => inside,
            _ => &body[..close],
        };
        let digits: Vec<u8> = inside.bytes().filter(|byte| !matches!(byte, b' ' | b'\t')).collect();
        if let Ok(bytes) = base64_bytes(&digits) {
            return Some((kind.to_owned(), bytes));
        }
    }
}
