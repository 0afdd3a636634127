//! Constants of numbers.

use goval::{FloatBits, Kind, Object, Unit, Value, parse_float, parse_int, parse_uint};

use crate::ast::Span;

/// A number in a template: what it is as each of Go's types, where it can be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    /// As it was written.
    pub(crate) text: Span,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

impl Number {
    fn none(text: Span) -> Self {
        Self { text, int: None, uint: None, float: None, complex: None }
    }

    /// Reads `'x'`.
    pub(crate) fn char(text: Span, source: &[u8]) -> Result<Self, String> {
        let (unit, tail) = goval::unquote_char(&source[1..], source[0])
            .map_err(|_| "invalid syntax".to_owned())?;
        if tail != b"'" {
            let source = String::from_utf8_lossy(source);
            return Err(format!("malformed character constant: {source}"));
        }
        let code = Unit::code(unit);
        Ok(Self {
            int: Some(i64::from(code)),
            uint: Some(u64::from(code)),
            float: Some(f64::from(code)),
            ..Self::none(text)
        })
    }

    /// Reads `1+2i`.
    pub(crate) fn complex(text: Span, source: &[u8]) -> Result<Self, String> {
        // The sign of the second part: not the first byte, not an exponent's.
        let hex = source.iter().any(|byte| matches!(byte, b'x' | b'X'));
        let split = (1..source.len()).find(|at| {
            let before = source[at - 1].to_ascii_lowercase();
            matches!(source[*at], b'+' | b'-') && before != b'p' && (hex || before != b'e')
        });
        let parts = split.and_then(|at| {
            let imaginary = source[at..].strip_suffix(b"i")?;
            let real = parse_float(&source[..at], FloatBits::F64).ok()?;
            Some((real, parse_float(imaginary, FloatBits::F64).ok()?))
        });
        let parts = parts.ok_or_else(|| "syntax error scanning complex number".to_owned())?;
        Ok(Self::of_complex(text, parts))
    }

    /// Reads any other number.
    pub(crate) fn plain(text: Span, source: &[u8]) -> Result<Self, String> {
        if let Some(imaginary) = source.strip_suffix(b"i")
            && let Ok(imaginary) = parse_float(imaginary, FloatBits::F64)
        {
            return Ok(Self::of_complex(text, (0.0, imaginary)));
        }
        let mut number = Self::none(text);
        number.uint = parse_uint(source, 0, 64).ok();
        number.int = parse_int(source, 0, 64).ok();
        if number.int == Some(0) {
            // -0 is none for Go's reader, but is one here.
            number.uint = Some(0);
        }
        if let Some(int) = number.int {
            number.float = Some(int as f64);
        } else if let Some(uint) = number.uint {
            number.float = Some(uint as f64);
        } else if let Ok(float) = parse_float(source, FloatBits::F64) {
            if !looks_like_float(source) {
                return Err(format!("integer overflow: {}", goval::quote_bytes(source)));
            }
            number.float = Some(float);
            number.int = whole_int(float);
            number.uint = whole_uint(float);
        } else {
            return Err(format!("illegal number syntax: {}", goval::quote_bytes(source)));
        }
        Ok(number)
    }

    fn of_complex(text: Span, parts: (f64, f64)) -> Self {
        let mut number = Self { complex: Some(parts), ..Self::none(text) };
        if parts.1 == 0.0 {
            number.float = Some(parts.0);
            number.int = whole_int(parts.0);
            number.uint = whole_uint(parts.0);
        }
        number
    }

    /// The value where nothing asks for a type.
    pub(crate) fn ideal(&self, source: &[u8]) -> Result<Value, String> {
        if let Some((real, imaginary)) = self.complex {
            return Ok(Value::Object(std::rc::Rc::new(Complex { real, imaginary })));
        }
        let is_char = source.first() == Some(&b'\'');
        let is_hex = source.len() > 2
            && matches!(source, [b'0', b'x' | b'X', ..])
            && !source.iter().any(|byte| matches!(byte, b'p' | b'P'));
        if let Some(float) = self.float
            && !is_hex
            && !is_char
            && looks_like_float(source)
        {
            return Ok(Value::Float(float));
        }
        match self.int {
            Some(int) => Ok(Value::int(int)),
            None => Err(format!("{} overflows int", String::from_utf8_lossy(source))),
        }
    }
}

fn looks_like_float(source: &[u8]) -> bool {
    source.iter().any(|byte| b".eEpP".contains(byte))
}

/// The float as an integer, where that is the same number.
fn whole_int(float: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    ((-END..END).contains(&float) && float.trunc() == float).then_some(float as i64)
}

fn whole_uint(float: f64) -> Option<u64> {
    const END: f64 = 18_446_744_073_709_551_616.0;
    ((0.0..END).contains(&float) && float.trunc() == float).then_some(float as u64)
}

/// A `complex128`.
#[derive(Debug)]
pub(crate) struct Complex {
    real: f64,
    imaginary: f64,
}

impl Object for Complex {
    fn type_name(&self) -> &str {
        "complex128"
    }

    fn kind(&self) -> Kind {
        Kind::Complex128
    }

    fn is_true(&self) -> bool {
        self.real != 0.0 || self.imaginary != 0.0
    }

    fn fields(&self) -> Option<Vec<(&str, Value)>> {
        Some(vec![("real", Value::Float(self.real)), ("imag", Value::Float(self.imaginary))])
    }

    fn print(&self) -> String {
        let part = |value| goval::format_g(value, FloatBits::F64);
        let sign = if self.imaginary.is_sign_negative() { "" } else { "+" };
        format!("({}{sign}{}i)", part(self.real), part(self.imaginary))
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
