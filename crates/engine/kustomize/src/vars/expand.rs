//! `$(NAME)` in one text: `$$` is a dollar sign, and a name that nobody knows stays.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use goval::{FloatBits, format_g};

use super::VarValue;

/// Returns what a text becomes; a text that is one variable and nothing else becomes its value.
pub(super) fn expand(text: &str, lookup: &mut dyn FnMut(&str) -> Option<VarValue>) -> VarValue {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut copied = 0;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'$' || at + 1 == bytes.len() {
            at += 1;
            continue;
        }
        out.extend_from_slice(&bytes[copied..at]);
        let next = bytes[at + 1];
        let name = match next {
            b'(' => text[at + 2..].split_once(')').map(|(name, _)| name),
            _ => None,
        };
        at += 2;
        if let Some(name) = name {
            let is_all = at + name.len() + 1 == bytes.len() && at == 2;
            at += name.len() + 1;
            match lookup(name) {
                Some(value) if is_all => return value,
                Some(VarValue::Text(value)) => out.extend_from_slice(value.as_bytes()),
                Some(VarValue::Int(value)) => out.extend_from_slice(value.to_string().as_bytes()),
                Some(VarValue::Bool(value)) => out.extend_from_slice(value.to_string().as_bytes()),
                Some(VarValue::Float(value)) => {
                    out.extend_from_slice(format_g(value, FloatBits::F64).as_bytes());
                }
                Some(VarValue::Collection) | None => {
                    out.extend_from_slice(b"$(");
                    out.extend_from_slice(name.as_bytes());
                    out.push(b')');
                }
            }
        } else if next == b'$' {
            out.push(b'$');
        } else {
            // Upstream takes the byte for a character here.
            let mut character = [0; 4];
            out.push(b'$');
            out.extend_from_slice(char::from(next).encode_utf8(&mut character).as_bytes());
        }
        copied = at;
    }
    out.extend_from_slice(&bytes[copied..]);
    // Text that is none afterwards is kept as base64.
    let text = String::from_utf8(out).unwrap_or_else(|bad| STANDARD.encode(bad.as_bytes()));
    VarValue::Text(text)
}
