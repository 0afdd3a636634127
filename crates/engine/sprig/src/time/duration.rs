//! Lengths of time in nanoseconds.

use std::any::Any;
use std::fmt;

use goval::{IntType, Kind, Object, Signature, Value};

const SECOND: u64 = 1_000_000_000;

/// `time.Duration`: nanoseconds. `Display` is Go's text (`1h0m5s`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

impl Duration {
    /// Reads `1h30m`, `1.5s`, `-2ms`.
    ///
    /// # Errors
    ///
    /// Go's.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let invalid = || format!("time: invalid duration {}", quoted(text));
        let (negative, mut rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        if rest == b"0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let whole = leading(&rest[..digits]).ok_or_else(invalid)?;
            rest = &rest[digits..];
            let mut fraction = &rest[..0];
            let point = rest.first() == Some(&b'.');
            if point {
                let digits = rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                fraction = &rest[1..=digits];
                rest = &rest[1 + digits..];
            }
            if digits == 0 && fraction.is_empty() {
                return Err(invalid());
            }
            let is_unit = |byte: &&u8| **byte != b'.' && !byte.is_ascii_digit();
            let letters = rest.iter().take_while(is_unit).count();
            if letters == 0 {
                return Err(format!("time: missing unit in duration {}", quoted(text)));
            }
            let unit = unit(&rest[..letters]).ok_or_else(|| {
                let unit = quoted(&rest[..letters]);
                format!("time: unknown unit {unit} in duration {}", quoted(text))
            })?;
            rest = &rest[letters..];
            let mut part = whole.checked_mul(unit).filter(|part| *part <= 1 << 63);
            if !fraction.is_empty() {
                part = part.map(|part| part + fraction_of(fraction, unit));
            }
            let part = part.filter(|part| *part <= 1 << 63).ok_or_else(invalid)?;
            total = total.checked_add(part).filter(|all| *all <= 1 << 63).ok_or_else(invalid)?;
        }
        if negative {
            return Ok(Self((total as i64).wrapping_neg()));
        }
        i64::try_from(total).map(Self).map_err(|_| invalid())
    }

    /// The whole seconds nearest to it, halves away from zero.
    pub(super) fn rounded_to_seconds(self) -> Self {
        let second = SECOND as i64;
        let left = self.0 % second;
        let down = self.0 - left;
        if left.abs() * 2 < second {
            Self(down)
        } else {
            Self(down.saturating_add(second * left.signum()))
        }
    }
}

fn leading(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, digit| {
        value
            .checked_mul(10)?
            .checked_add(u64::from(digit - b'0'))
            .filter(|value| *value <= 1 << 63)
    })
}

/// Digits behind a point, as a share of a unit; what does not fit is dropped.
fn fraction_of(digits: &[u8], unit: u64) -> u64 {
    let mut value: u64 = 0;
    let mut scale = 1.0_f64;
    for digit in digits {
        match value.checked_mul(10).and_then(|value| value.checked_add(u64::from(digit - b'0'))) {
            Some(next) if next < 1 << 63 => value = next,
            _ => break,
        }
        scale *= 10.0;
    }
    (value as f64 * (unit as f64 / scale)) as u64
}

fn unit(name: &[u8]) -> Option<u64> {
    Some(match name {
        b"ns" => 1,
        b"us" => 1_000,
        b"ms" => 1_000_000,
        b"s" => SECOND,
        b"m" => 60 * SECOND,
        b"h" => 3_600 * SECOND,
        name if name == "µs".as_bytes() || name == "μs".as_bytes() => 1_000,
        _ => return None,
    })
}

/// As `time` quotes texts in errors: bytes beyond ASCII are escaped one by one.
pub(super) fn quoted(text: &[u8]) -> String {
    use std::fmt::Write;
    let mut out = String::from("\"");
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=0x7F => out.push(char::from(*byte)),
            // Writing to a string does not fail.
            _ => drop(write!(out, "\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        if size == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let (unit, name) = match size {
            ..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            1_000_000..SECOND => (1_000_000, "ms"),
            _ => (SECOND, "s"),
        };
        let (hours, minutes) = (size / (3_600 * SECOND), size / (60 * SECOND) % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        let size = size % (60 * SECOND);
        write!(f, "{}", size / unit)?;
        let fraction = size % unit;
        if fraction > 0 {
            let places = unit.ilog10() as usize;
            let digits = format!("{fraction:0places$}");
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str(name)
    }
}

impl Object for Duration {
    fn type_name(&self) -> &str {
        "time.Duration"
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntType::Int64)
    }

    fn has_method(&self, name: &str) -> bool {
        matches!(
            name,
            "String"
                | "Hours"
                | "Minutes"
                | "Seconds"
                | "Milliseconds"
                | "Microseconds"
                | "Nanoseconds"
                | "Abs"
        )
    }

    fn signature(&self, name: &str) -> Option<Signature> {
        self.has_method(name).then_some(Signature { params: &[], variadic: false })
    }

    fn call(&self, name: &str, _: &[Value]) -> Result<Value, String> {
        let parts = |unit: u64| {
            let unit = unit as i64;
            (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
        };
        Ok(match name {
            "String" => Value::str(self.to_string()),
            "Hours" => Value::Float(parts(3_600 * SECOND)),
            "Minutes" => Value::Float(parts(60 * SECOND)),
            "Seconds" => Value::Float(parts(SECOND)),
            "Milliseconds" => Value::int64(self.0 / 1_000_000),
            "Microseconds" => Value::int64(self.0 / 1_000),
            "Nanoseconds" => Value::int64(self.0),
            "Abs" => crate::args::named(Self(self.0.checked_abs().unwrap_or(i64::MAX))),
            _ => return Err(format!("no method {name}")),
        })
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn print(&self) -> String {
        self.to_string()
    }

    fn is_stringer(&self) -> bool {
        true
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::int64(self.0))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
