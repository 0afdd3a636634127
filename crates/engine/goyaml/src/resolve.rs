//! What a scalar means when nobody says its type.

use crate::float;
use crate::timestamp;

/// Which of Go's two libraries reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `go.yaml.in/yaml/v2`, under `sigs.k8s.io/yaml`: `yes`, `on` and `y` are booleans.
    V2,
    /// `go.yaml.in/yaml/v3`, under kustomize: they are strings, and a date is a time.
    V3,
}

/// A scalar's value.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Nothing, `~` or `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A whole number beyond `i64`.
    Uint(u64),
    /// Any other number.
    Float(f64),
    /// A date or time; its text is what was written.
    Timestamp,
    /// `<<`.
    Merge,
    /// Text, as it was written.
    Str,
}

/// Resolves a plain scalar without a tag.
pub fn resolve(dialect: Dialect, text: &str) -> Scalar {
    resolve_as(dialect, text, true)
}

/// As [`resolve`]; dates are looked for only where `dates` says so.
pub(crate) fn resolve_as(dialect: Dialect, text: &str, dates: bool) -> Scalar {
    let Some(&first) = text.as_bytes().first() else { return Scalar::Null };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
            word(dialect, text)
        }
        b'<' if dialect == Dialect::V3 && text == "<<" => Scalar::Merge,
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Scalar::Float(f64::INFINITY),
            // Read as it stands, so that `.5_0` is a number here.
            _ => goval::parse_float(text.as_bytes(), goval::FloatBits::F64)
                .map_or(Scalar::Str, Scalar::Float),
        },
        b'+' | b'-' | b'0'..=b'9' => match text {
            "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
            _ if dates && timestamp::is_timestamp(text) => Scalar::Timestamp,
            _ => number(dialect, text),
        },
        _ => Scalar::Str,
    }
}

fn word(dialect: Dialect, text: &str) -> Scalar {
    if text.len() > 5 {
        return Scalar::Str;
    }
    match text {
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if dialect == Dialect::V2 => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if dialect == Dialect::V2 => {
            Scalar::Bool(false)
        }
        _ => Scalar::Str,
    }
}

fn number(dialect: Dialect, text: &str) -> Scalar {
    let without;
    let plain = if text.contains('_') {
        without = text.replace('_', "");
        without.as_str()
    } else {
        text
    };
    if let Some(whole) = whole_number(plain) {
        return whole;
    }
    if float::looks_like_float(plain)
        && let Some(value) = float::parse(plain)
    {
        return Scalar::Float(value);
    }
    signed_digits(plain, "0b", 2)
        .or_else(|| (dialect == Dialect::V3).then(|| signed_digits(plain, "0o", 8)).flatten())
        .unwrap_or(Scalar::Str)
}

/// Go's base 0: `0x`, `0o`, `0b`, and a leading `0` for octal.
fn whole_number(plain: &str) -> Option<Scalar> {
    let (negative, digits, signed) = match plain.as_bytes() {
        [b'-', ..] => (true, &plain[1..], true),
        [b'+', ..] => (false, &plain[1..], true),
        _ => (false, plain, false),
    };
    let (digits, base) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    let value = magnitude(digits, base)?;
    if negative {
        return 0i64.checked_sub_unsigned(value).map(Scalar::Int);
    }
    match i64::try_from(value) {
        Ok(value) => Some(Scalar::Int(value)),
        Err(_) => (!signed).then_some(Scalar::Uint(value)),
    }
}

fn magnitude(digits: &str, base: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0u64, |value, digit| {
        value.checked_mul(u64::from(base))?.checked_add(u64::from(digit.to_digit(base)?))
    })
}

/// A prefix, and a number after it that may have a sign of its own: `0b-1` is −1 to Go.
fn signed_digits(plain: &str, prefix: &str, base: u32) -> Option<Scalar> {
    if let Some(rest) = plain.strip_prefix('-').and_then(|rest| rest.strip_prefix(prefix)) {
        return 0i64.checked_sub_unsigned(magnitude(rest, base)?).map(Scalar::Int);
    }
    let rest = plain.strip_prefix(prefix)?;
    if let Some(rest) = rest.strip_prefix('-') {
        return 0i64.checked_sub_unsigned(magnitude(rest, base)?).map(Scalar::Int);
    }
    let value = magnitude(rest.strip_prefix('+').unwrap_or(rest), base)?;
    i64::try_from(value).ok().map(Scalar::Int)
}
