//! Numbers as text, and back: `strconv`.

use std::fmt;

use crate::float::FloatBits;
use crate::quote::quote_bytes;

/// Why a text is not the number that was asked for. `Display` is `strconv`'s text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumError {
    /// Go's function (`ParseInt`).
    pub function: &'static str,
    /// The text.
    pub text: Vec<u8>,
    /// What is wrong with it.
    pub problem: NumProblem,
}

/// What is wrong with the text of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumProblem {
    /// It is not a number.
    Syntax,
    /// It is one, but too large or too small for the type.
    Range,
}

impl fmt::Display for NumError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            NumProblem::Syntax => "invalid syntax",
            NumProblem::Range => "value out of range",
        };
        write!(f, "strconv.{}: parsing {}: {problem}", self.function, quote_bytes(&self.text))
    }
}

impl std::error::Error for NumError {}

/// `strconv.ParseInt`. Base 0 takes the base from the prefix (`0x`, `0o`, `0b`, `0`) and allows
/// `_` between digits; `bits` of 0 are 64.
///
/// # Errors
///
/// Go's.
pub fn parse_int(text: &[u8], base: u32, bits: u32) -> Result<i64, NumError> {
    let error = |problem| NumError { function: "ParseInt", text: text.to_vec(), problem };
    let (negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    let bits = if bits == 0 { 64 } else { bits };
    let size = magnitude(digits, base, 64).map_err(error)?;
    let limit = 1_u64 << (bits - 1);
    if size > limit || (!negative && size == limit) {
        return Err(error(NumProblem::Range));
    }
    Ok(if negative { (size as i64).wrapping_neg() } else { size as i64 })
}

/// `strconv.ParseUint`: as [`parse_int`], without a sign.
///
/// # Errors
///
/// Go's.
pub fn parse_uint(text: &[u8], base: u32, bits: u32) -> Result<u64, NumError> {
    magnitude(text, base, if bits == 0 { 64 } else { bits }).map_err(|problem| NumError {
        function: "ParseUint",
        text: text.to_vec(),
        problem,
    })
}

/// `strconv.Atoi`: decimal, for an `int`.
///
/// # Errors
///
/// Go's, in the name of `Atoi`.
pub fn atoi(text: &[u8]) -> Result<i64, NumError> {
    parse_int(text, 10, 64).map_err(|error| NumError { function: "Atoi", ..error })
}

/// `strconv.ParseBool`.
///
/// # Errors
///
/// Go's.
pub fn parse_bool(text: &[u8]) -> Result<bool, NumError> {
    match text {
        b"1" | b"t" | b"T" | b"true" | b"TRUE" | b"True" => Ok(true),
        b"0" | b"f" | b"F" | b"false" | b"FALSE" | b"False" => Ok(false),
        _ => Err(NumError {
            function: "ParseBool",
            text: text.to_vec(),
            problem: NumProblem::Syntax,
        }),
    }
}

fn magnitude(text: &[u8], base: u32, bits: u32) -> Result<u64, NumProblem> {
    let (radix, digits, by_prefix) = if base == 0 {
        let (radix, digits) = prefixed(text);
        (radix, digits, true)
    } else {
        (base, text, false)
    };
    if digits.is_empty() {
        return Err(NumProblem::Syntax);
    }
    let mut value: Option<u64> = Some(0);
    let mut underscores = false;
    for byte in digits {
        if *byte == b'_' && by_prefix {
            underscores = true;
            continue;
        }
        let digit = char::from(*byte).to_digit(36).filter(|digit| *digit < radix);
        let digit = u64::from(digit.ok_or(NumProblem::Syntax)?);
        value = value.and_then(|v| v.checked_mul(u64::from(radix))?.checked_add(digit));
    }
    if underscores && !underscores_separate_digits(text) {
        return Err(NumProblem::Syntax);
    }
    value.filter(|value| bits == 64 || *value >> bits == 0).ok_or(NumProblem::Range)
}

/// The base that a prefix names, and the digits after it.
fn prefixed(text: &[u8]) -> (u32, &[u8]) {
    match text {
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (16, digits),
        [b'0', b'o' | b'O', digits @ ..] if !digits.is_empty() => (8, digits),
        [b'0', b'b' | b'B', digits @ ..] if !digits.is_empty() => (2, digits),
        [b'0', digits @ ..] if !digits.is_empty() => (8, digits),
        _ => (10, text),
    }
}

/// Whether each `_` stands between digits, or between a base's prefix and a digit.
fn underscores_separate_digits(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let (hex, rest, mut before) = match text {
        [b'0', letter @ (b'x' | b'X' | b'o' | b'O' | b'b' | b'B'), rest @ ..] => {
            (letter.eq_ignore_ascii_case(&b'x'), rest, Neighbour::Digit)
        }
        _ => (false, text, Neighbour::Start),
    };
    for byte in rest {
        let digit = byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit());
        before = match (digit, *byte) {
            (true, _) => Neighbour::Digit,
            (false, b'_') if before == Neighbour::Digit => Neighbour::Underscore,
            (false, b'_') => return false,
            (false, _) if before == Neighbour::Underscore => return false,
            (false, _) => Neighbour::Other,
        };
    }
    before != Neighbour::Underscore
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Neighbour {
    Start,
    Digit,
    Underscore,
    Other,
}

/// `strconv.ParseFloat`: decimal and hexadecimal, `inf`, `infinity` and `nan` in any case.
///
/// # Errors
///
/// Go's; a number too small for the type is 0, one too large is an error.
pub fn parse_float(text: &[u8], bits: FloatBits) -> Result<f64, NumError> {
    let error = |problem| NumError { function: "ParseFloat", text: text.to_vec(), problem };
    let (negative, size) = match text.split_first() {
        Some((b'-', size)) => (true, size),
        Some((b'+', size)) => (false, size),
        _ => (false, text),
    };
    let sign = if negative { -1.0 } else { 1.0 };
    if size.eq_ignore_ascii_case(b"inf") || size.eq_ignore_ascii_case(b"infinity") {
        return Ok(sign * f64::INFINITY);
    }
    if text.eq_ignore_ascii_case(b"nan") {
        return Ok(f64::NAN);
    }
    let scanned = scan_float(size).ok_or_else(|| error(NumProblem::Syntax))?;
    if scanned.underscores && !underscores_separate_digits(size) {
        return Err(error(NumProblem::Syntax));
    }
    let value = if scanned.hex { scanned.hex_value(bits) } else { scanned.decimal_value(bits) };
    if value.is_infinite() {
        return Err(error(NumProblem::Range));
    }
    Ok(sign * value)
}

/// The parts of a float's text, without sign and underscores.
struct ScannedFloat {
    hex: bool,
    underscores: bool,
    whole: Vec<u8>,
    fraction: Vec<u8>,
    exponent: i64,
}

fn scan_float(text: &[u8]) -> Option<ScannedFloat> {
    let (hex, text) = match text {
        [b'0', b'x' | b'X', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let mut scanned = ScannedFloat {
        hex,
        underscores: false,
        whole: Vec::new(),
        fraction: Vec::new(),
        exponent: 0,
    };
    let mut point = false;
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match byte {
            b'_' => scanned.underscores = true,
            b'.' if !point => point = true,
            _ if byte.is_ascii_digit() || (hex && byte.is_ascii_hexdigit()) => {
                if point { &mut scanned.fraction } else { &mut scanned.whole }.push(*byte);
            }
            _ => break,
        }
        at += 1;
    }
    if scanned.whole.is_empty() && scanned.fraction.is_empty() {
        return None;
    }
    let marker = if hex { b'p' } else { b'e' };
    match text.get(at).map(u8::to_ascii_lowercase) {
        // Of a hexadecimal number the exponent is no option.
        None if hex => None,
        None => Some(scanned),
        Some(letter) if letter == marker => {
            let (exponent, underscores) = scan_exponent(&text[at + 1..])?;
            scanned.exponent = exponent;
            scanned.underscores |= underscores;
            Some(scanned)
        }
        Some(_) => None,
    }
}

/// Exponents beyond this are as good as this: the number is 0 or too large.
const EXPONENT_MAX: i64 = 100_000;

fn scan_exponent(text: &[u8]) -> Option<(i64, bool)> {
    let (negative, digits) = match text.split_first()? {
        (b'-', digits) => (true, digits),
        (b'+', digits) => (false, digits),
        _ => (false, text),
    };
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let mut exponent = 0;
    let mut underscores = false;
    for byte in digits {
        match byte {
            b'_' => underscores = true,
            b'0'..=b'9' => exponent = (exponent * 10 + i64::from(byte - b'0')).min(EXPONENT_MAX),
            _ => return None,
        }
    }
    Some((if negative { -exponent } else { exponent }, underscores))
}

impl ScannedFloat {
    fn decimal_value(&self, bits: FloatBits) -> f64 {
        let mut text = String::with_capacity(self.whole.len() + self.fraction.len() + 8);
        text.extend(self.whole.iter().map(|digit| char::from(*digit)));
        text.push('.');
        text.extend(self.fraction.iter().map(|digit| char::from(*digit)));
        if self.exponent != 0 {
            text.push_str(&format!("e{}", self.exponent));
        }
        let says = "digits, a point and an exponent are a number";
        match bits {
            FloatBits::F32 => f64::from(text.parse::<f32>().expect(says)),
            FloatBits::F64 => text.parse::<f64>().expect(says),
        }
    }

    fn hex_value(&self, bits: FloatBits) -> f64 {
        // Sixteen digits are more than any type holds; of the others only counts whether all are 0.
        let mut mantissa: u64 = 0;
        let mut more = false;
        let mut exponent = self.exponent;
        let digits = self.whole.iter().map(|digit| (digit, true));
        for (digit, whole) in digits.chain(self.fraction.iter().map(|digit| (digit, false))) {
            let digit = u64::from(char::from(*digit).to_digit(16).expect("it was scanned"));
            if mantissa >> 60 == 0 {
                mantissa = mantissa << 4 | digit;
                exponent -= if whole { 0 } else { 4 };
            } else {
                more |= digit != 0;
                exponent += if whole { 4 } else { 0 };
            }
        }
        scaled(mantissa, more, exponent, bits)
    }
}

/// `mantissa · 2^exponent`, and a little more where `more`, rounded to the nearest even.
fn scaled(mantissa: u64, more: bool, exponent: i64, bits: FloatBits) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let (precision, lowest) = match bits {
        FloatBits::F32 => (24, -149),
        FloatBits::F64 => (53, -1074),
    };
    // The unit that the result is counted in: as fine as the precision and the type allow.
    let length = 64 - i64::from(mantissa.leading_zeros());
    let unit = (exponent + length - precision).max(lowest);
    let cut = unit - exponent;
    let counted = if cut <= 0 {
        mantissa << -cut
    } else if cut > 64 {
        0
    } else {
        let wide = u128::from(mantissa) << 64 >> cut;
        let (whole, part) = ((wide >> 64) as u64, wide as u64);
        let half = 1_u64 << 63;
        let up = part > half || (part == half && (more || whole & 1 == 1));
        whole + u64::from(up)
    };
    let mut value = counted as f64;
    let mut left = unit;
    // In steps that are exact: the result has few enough bits.
    while left > 0 {
        let step = left.min(1000);
        value *= 2_f64.powi(i32::try_from(step).expect("it is at most 1000"));
        left -= step;
        if value.is_infinite() {
            break;
        }
    }
    while left < 0 {
        let step = (-left).min(1000);
        value /= 2_f64.powi(i32::try_from(step).expect("it is at most 1000"));
        left += step;
        if value == 0.0 {
            break;
        }
    }
    if bits == FloatBits::F32 && value > f64::from(f32::MAX) { f64::INFINITY } else { value }
}
