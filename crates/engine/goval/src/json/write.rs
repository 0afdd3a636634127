//! Writing: `json.Marshal`, `MarshalIndent` and encoders without HTML escapes.

use crate::chars::first_char;
use crate::float::{FloatBits, format_float};
use crate::function::{Budget, TOO_MUCH_TEXT};
use crate::object::Object;
use crate::value::Value;

/// How JSON is written.
#[derive(Clone, Copy, Debug)]
pub struct Style<'a> {
    /// Whether `<`, `>` and `&` in strings become `\u003c` and so on, as `json.Marshal` does.
    pub escape_html: bool,
    /// One level of indentation; `None` writes all in one line.
    pub indent: Option<&'a str>,
    /// What each new line begins with, where there are lines.
    pub prefix: &'a str,
}

impl Style<'_> {
    /// `json.Marshal`.
    pub const COMPACT: Self = Self { escape_html: true, indent: None, prefix: "" };
    /// An encoder with `SetEscapeHTML(false)`, without the newline that it ends with.
    pub const RAW: Self = Self { escape_html: false, indent: None, prefix: "" };
    /// `json.MarshalIndent` with two spaces.
    pub const PRETTY: Self = Self { escape_html: true, indent: Some("  "), prefix: "" };
}

/// Values nest no deeper than this; Go takes such for cycles too, if they are.
const DEPTH_MAX: usize = 1000;

/// Writes a value. Keys are sorted bytewise; bytes are base64; floats are as JavaScript's.
///
/// # Errors
///
/// Go's words for what has no JSON (NaN, functions, a map inside itself); and when the budget
/// does not allow the text.
pub fn write(value: &Value, style: &Style<'_>, budget: &mut Budget) -> Result<Vec<u8>, String> {
    let mut writer = Writer { out: Vec::new(), style, limit: budget.bytes, depth: 0 };
    writer.value(value)?;
    budget.charge(writer.out.len() as u64)?;
    Ok(writer.out)
}

/// A float as JSON has it.
///
/// # Errors
///
/// Go's words for infinities and NaN.
pub fn format_number(value: f64) -> Result<String, String> {
    if !value.is_finite() {
        return Err(format!("json: unsupported value: {}", crate::format_g(value, FloatBits::F64)));
    }
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let mut text = format_float(value, b'e', None, FloatBits::F64);
        // e-09 becomes e-9.
        if text.len() >= 4 && text.as_bytes()[text.len() - 4..].starts_with(b"e-0") {
            text.remove(text.len() - 2);
        }
        return Ok(text);
    }
    Ok(format_float(value, b'f', None, FloatBits::F64))
}

struct Writer<'a> {
    out: Vec<u8>,
    style: &'a Style<'a>,
    limit: u64,
    depth: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) -> Result<(), String> {
        if self.out.len() as u64 > self.limit {
            return Err(TOO_MUCH_TEXT.to_owned());
        }
        match value {
            Value::Nil => self.out.extend_from_slice(b"null"),
            Value::Bool(true) => self.out.extend_from_slice(b"true"),
            Value::Bool(false) => self.out.extend_from_slice(b"false"),
            Value::Int(value, _) => self.out.extend_from_slice(value.to_string().as_bytes()),
            Value::Uint(value, _) => self.out.extend_from_slice(value.to_string().as_bytes()),
            Value::Float(value) => self.out.extend_from_slice(format_number(*value)?.as_bytes()),
            Value::Str(text) => self.string(text),
            Value::Bytes(bytes) => {
                self.out.push(b'"');
                push_base64(&mut self.out, bytes);
                self.out.push(b'"');
            }
            Value::List(list) if list.is_nil() => self.out.extend_from_slice(b"null"),
            Value::List(list) => {
                self.enter(list.type_name())?;
                self.out.push(b'[');
                for (at, item) in list.iter().enumerate() {
                    self.separate(at);
                    self.value(item)?;
                }
                self.leave(list.is_empty());
                self.out.push(b']');
            }
            Value::Map(map) if map.is_nil() => self.out.extend_from_slice(b"null"),
            Value::Map(map) => {
                self.enter(map.type_name())?;
                self.out.push(b'{');
                let mut at = 0;
                let mut fault = Ok(());
                map.for_each(|key, value| {
                    if fault.is_ok() {
                        self.separate(at);
                        at += 1;
                        fault = self.entry(key, value);
                    }
                });
                fault?;
                self.leave(at == 0);
                self.out.push(b'}');
            }
            Value::Object(object) => self.object(object.as_ref())?,
        }
        Ok(())
    }

    /// Apart: values nest, and each level's frame has room for all that stands here.
    fn object(&mut self, object: &dyn Object) -> Result<(), String> {
        if let Some(members) = object.members() {
            self.enter(object.type_name())?;
            self.out.push(b'{');
            for (at, (key, value)) in members.iter().enumerate() {
                self.separate(at);
                self.entry(key.as_bytes(), value)?;
            }
            self.leave(members.is_empty());
            self.out.push(b'}');
            return Ok(());
        }
        match object.plain() {
            Some(plain) if !matches!(plain, Value::Object(_)) => self.value(&plain),
            _ => Err(format!("json: unsupported type: {}", object.type_name())),
        }
    }

    fn entry(&mut self, key: &[u8], value: &Value) -> Result<(), String> {
        self.string(key);
        self.out.push(b':');
        if self.style.indent.is_some() {
            self.out.push(b' ');
        }
        self.value(value)
    }

    fn enter(&mut self, type_name: &str) -> Result<(), String> {
        if self.depth >= DEPTH_MAX {
            return Err(format!("json: unsupported value: encountered a cycle via {type_name}"));
        }
        self.depth += 1;
        Ok(())
    }

    fn separate(&mut self, at: usize) {
        if at > 0 {
            self.out.push(b',');
        }
        self.new_line();
    }

    fn leave(&mut self, empty: bool) {
        self.depth -= 1;
        if !empty {
            self.new_line();
        }
    }

    fn new_line(&mut self) {
        if let Some(indent) = self.style.indent {
            self.out.push(b'\n');
            self.out.extend_from_slice(self.style.prefix.as_bytes());
            for _ in 0..self.depth {
                self.out.extend_from_slice(indent.as_bytes());
            }
        }
    }

    fn string(&mut self, text: &[u8]) {
        self.out.push(b'"');
        let mut rest = text;
        while let Some(&byte) = rest.first() {
            let plain = rest.iter().take_while(|byte| self.is_plain(**byte)).count();
            if plain > 0 {
                self.out.extend_from_slice(&rest[..plain]);
                rest = &rest[plain..];
                continue;
            }
            let mut length = 1;
            match byte {
                b'"' | b'\\' => self.out.extend_from_slice(&[b'\\', byte]),
                0x08 => self.out.extend_from_slice(b"\\b"),
                0x0C => self.out.extend_from_slice(b"\\f"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                0..0x80 => self.out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
                _ => {
                    let (char, bytes) = first_char(rest).expect("there is a byte");
                    length = bytes;
                    match char {
                        '\u{FFFD}' if bytes == 1 => self.out.extend_from_slice(b"\\ufffd"),
                        '\u{2028}' => self.out.extend_from_slice(b"\\u2028"),
                        '\u{2029}' => self.out.extend_from_slice(b"\\u2029"),
                        _ => self.out.extend_from_slice(&rest[..bytes]),
                    }
                }
            }
            rest = &rest[length..];
        }
        self.out.push(b'"');
    }

    fn is_plain(&self, byte: u8) -> bool {
        match byte {
            b'"' | b'\\' => false,
            b'<' | b'>' | b'&' => !self.style.escape_html,
            _ => (0x20..0x80).contains(&byte),
        }
    }
}

/// Standard base64 with padding.
fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place <= chunk.len() {
                out.push(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]);
            } else {
                out.push(b'=');
            }
        }
    }
}
