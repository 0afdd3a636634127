//! Reading: `json.Unmarshal` into an empty interface.

use crate::chars::first_char;
use crate::float::FloatBits;
use crate::function::Budget;
use crate::map::{Map, MapType};
use crate::number::parse_float;
use crate::quote::quote;
use crate::text::Str;
use crate::value::Value;

/// What numbers become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// `float64`, as in Go by default.
    Float64,
    /// `int64` where it is written as one and fits, else `float64`.
    Int64,
}

/// Go's reader goes no deeper.
const DEPTH_MAX: usize = 10_000;
const TOO_DEEP_ARRAY: &str = "invalid character '[' exceeded max depth";
const TOO_DEEP_OBJECT: &str = "invalid character '{' exceeded max depth";

/// Reads one JSON text.
///
/// # Errors
///
/// In Go's words: `invalid character 'x' looking for beginning of value`; and when the budget
/// does not allow so much.
pub fn read(text: &[u8], numbers: Numbers, budget: &mut Budget) -> Result<Value, String> {
    budget.charge(text.len() as u64)?;
    Reader { text, at: 0, numbers }.document()
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    numbers: Numbers,
}

/// An array or object that is not yet closed.
enum Open {
    List(Vec<Value>),
    /// With the key whose value comes next.
    Map(Vec<(Str, Value)>, Str),
}

impl Reader<'_> {
    fn document(&mut self) -> Result<Value, String> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            // A value begins here.
            self.space();
            let mut value = match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.space();
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                        Value::Map(Map::new())
                    } else {
                        let key = self.key()?;
                        open.push(Open::Map(Vec::new(), key));
                        if open.len() > DEPTH_MAX {
                            return Err(TOO_DEEP_OBJECT.to_owned());
                        }
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    self.space();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        Value::list(Vec::new())
                    } else {
                        open.push(Open::List(Vec::new()));
                        if open.len() > DEPTH_MAX {
                            return Err(TOO_DEEP_ARRAY.to_owned());
                        }
                        continue;
                    }
                }
                _ => self.scalar()?,
            };
            // A value ended here: it may end those around it.
            loop {
                self.space();
                let Some(around) = open.pop() else {
                    return match self.peek() {
                        None => Ok(value),
                        Some(_) => Err(self.unexpected("after top-level value")),
                    };
                };
                match around {
                    Open::List(mut items) => {
                        items.push(value);
                        match self.peek() {
                            Some(b',') => {
                                self.at += 1;
                                open.push(Open::List(items));
                                break;
                            }
                            Some(b']') => {
                                self.at += 1;
                                value = Value::list(items);
                            }
                            _ => return Err(self.unexpected("after array element")),
                        }
                    }
                    Open::Map(mut entries, key) => {
                        entries.push((key, value));
                        match self.peek() {
                            Some(b',') => {
                                self.at += 1;
                                self.space();
                                let key = self.key()?;
                                open.push(Open::Map(entries, key));
                                break;
                            }
                            Some(b'}') => {
                                self.at += 1;
                                value = Value::Map(Map::of(MapType::Any, entries));
                            }
                            _ => return Err(self.unexpected("after object key:value pair")),
                        }
                    }
                }
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<Str, String> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("looking for beginning of object key string"));
        }
        let key = self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.at += 1;
        Ok(key)
    }

    fn scalar(&mut self) -> Result<Value, String> {
        match self.peek() {
            Some(b'"') => Ok(Value::Str(self.string()?)),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, String> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                let expected = char::from(expected);
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, String> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        let mut whole = true;
        if self.peek() == Some(b'.') {
            whole = false;
            self.at += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.some_digits("in exponent of numeric literal")?;
        }
        let text = &self.text[start..self.at];
        if whole
            && self.numbers == Numbers::Int64
            && let Ok(value) = crate::number::parse_int(text, 10, 64)
        {
            return Ok(Value::int64(value));
        }
        parse_float(text, FloatBits::F64).map(Value::Float).map_err(|_| {
            let text = String::from_utf8_lossy(text);
            format!("json: cannot unmarshal number {text} into Go value of type float64")
        })
    }

    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
    }

    fn some_digits(&mut self, whence: &str) -> Result<(), String> {
        if !matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(self.unexpected(whence));
        }
        self.digits();
        Ok(())
    }

    fn string(&mut self) -> Result<Str, String> {
        self.at += 1;
        let mut out = Vec::new();
        loop {
            let rest = &self.text[self.at..];
            let plain =
                rest.iter().take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20)).count();
            push_utf8(&mut out, &rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Str::from(out));
                }
                Some(b'\\') => {
                    self.at += 1;
                    self.escape(&mut out)?;
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        let plain = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0C,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                let char = self.escaped_char()?;
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        out.push(plain);
        Ok(())
    }

    /// The character of `\uXXXX`, or of two of them.
    fn escaped_char(&mut self) -> Result<char, String> {
        let code = self.four_digits()?;
        if (0xD800..0xDC00).contains(&code) && self.text[self.at..].starts_with(b"\\u") {
            let before = self.at;
            self.at += 2;
            let low = self.four_digits()?;
            if (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                return Ok(char::from_u32(code).expect("a pair of surrogates is a character"));
            }
            // Not its other half: a character of its own.
            self.at = before;
        }
        Ok(char::from_u32(code).unwrap_or('\u{FFFD}'))
    }

    fn four_digits(&mut self) -> Result<u32, String> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn unexpected(&self, whence: &str) -> String {
        // At the end Go tries a space, which some places do not allow.
        let space_allowed = whence == "in string literal"
            || whence.starts_with("looking")
            || whence.starts_with("after object")
            || whence.starts_with("after array");
        let byte = match self.peek() {
            Some(byte) => byte,
            None if space_allowed => return "unexpected end of JSON input".to_owned(),
            None => b' ',
        };
        let shown = match byte {
            b'\'' => "'\\''".to_owned(),
            b'"' => "'\"'".to_owned(),
            _ => {
                let quoted = quote(&char::from(byte).to_string());
                format!("'{}'", &quoted[1..quoted.len() - 1])
            }
        };
        format!("invalid character {shown} {whence}")
    }
}

/// Appends text; each byte that is no UTF-8 becomes U+FFFD.
fn push_utf8(out: &mut Vec<u8>, text: &[u8]) {
    if std::str::from_utf8(text).is_ok() {
        out.extend_from_slice(text);
        return;
    }
    let mut rest = text;
    while let Some((char, length)) = first_char(rest) {
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[length..];
    }
}
