//! Quantities: `500m`, `1Gi`, `12e6`.
//!
//! A quantity remembers the family of its suffix and writes itself in that family again, with
//! the largest suffix that needs no fraction. Like upstream's, a quantity that was read from a
//! text which was short and canonical enough keeps that very text until it is changed; this is
//! what an object shows after it went through the API server.

use std::cmp::Ordering;
use std::fmt;

/// A number with the family of its suffix.
#[derive(Clone, Debug)]
pub struct Quantity {
    /// The value is `unscaled * 10^exponent`.
    unscaled: i128,
    exponent: i32,
    family: Family,
    text: Option<Box<str>>,
}

/// The family of a suffix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `m`, none, `k`, `M`, …
    Decimal,
    /// `Ki`, `Mi`, …
    Binary,
    /// `e3`, `E6`, …
    Exponent,
}

/// Why a text is no quantity; the messages are the API's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not look like one.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// Its number is none, or is too large to hold.
    #[error("unable to parse numeric part of quantity")]
    Number,
    /// Its suffix is not known.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

const NANO: i32 = -9;

const DECIMAL: [(&str, i32); 10] = [
    ("n", -9),
    ("u", -6),
    ("m", -3),
    ("", 0),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
    ("P", 15),
    ("E", 18),
];

const BINARY: [(&str, i32); 6] =
    [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)];

impl Quantity {
    /// Reads a quantity. What is finer than a billionth is rounded away from zero.
    ///
    /// # Errors
    ///
    /// See [`QuantityError`].
    pub fn parse(text: &str) -> Result<Quantity, QuantityError> {
        if text.is_empty() {
            return Err(QuantityError::Format);
        }
        let parts = Parts::of(text)?;
        let (base, exponent, family) = suffix(parts.suffix)?;
        if let Some(quick) = parts.quick(text, base, exponent, family) {
            return Ok(quick);
        }
        if parts.dotted && parts.denominator.is_empty() && parts.whole_digits == 0 {
            return Err(QuantityError::Number);
        }
        let digits = format!("{}{}", parts.numerator, parts.denominator);
        let mut unscaled: i128 = digits.parse().map_err(|_| QuantityError::Number)?;
        let mut scale = -(parts.denominator.len() as i32);
        if base == 10 {
            scale += exponent;
        } else {
            unscaled = unscaled.checked_mul(1 << exponent).ok_or(QuantityError::Number)?;
        }
        if scale < NANO {
            unscaled = divide_up(unscaled, NANO - scale);
            scale = NANO;
        }
        let mut read = Quantity { unscaled, exponent: scale, family, text: None };
        if family == Family::Binary {
            let most = Quantity::new(i64::MAX, family);
            if read > most {
                read = most;
            }
            if read.unscaled > 0 && read < Quantity::new(1, family) {
                read.family = Family::Decimal;
            }
        }
        if parts.negative {
            read.unscaled = -read.unscaled;
        }
        Ok(read)
    }

    /// A whole number.
    pub fn new(value: i64, family: Family) -> Quantity {
        Quantity { unscaled: i128::from(value), exponent: 0, family, text: None }
    }

    /// A number of thousandths.
    pub fn milli(value: i64, family: Family) -> Quantity {
        Quantity { unscaled: i128::from(value), exponent: -3, family, text: None }
    }

    /// The family of the suffix.
    pub fn family(&self) -> Family {
        self.family
    }

    /// The value in whole units, rounded away from zero, and as near as 64 bits allow.
    pub fn value(&self) -> i64 {
        self.scaled_value(0)
    }

    /// The value in thousandths, rounded away from zero, and as near as 64 bits allow.
    pub fn milli_value(&self) -> i64 {
        self.scaled_value(-3)
    }

    fn scaled_value(&self, exponent: i32) -> i64 {
        let shift = self.exponent - exponent;
        let scaled = if shift >= 0 {
            power_of_ten(shift).and_then(|power| self.unscaled.checked_mul(power))
        } else {
            Some(divide_up(self.unscaled, -shift))
        };
        let most = if self.unscaled < 0 { i64::MIN } else { i64::MAX };
        scaled.and_then(|value| i64::try_from(value).ok()).unwrap_or(most)
    }

    /// Whether the value is 0.
    pub fn is_zero(&self) -> bool {
        self.unscaled == 0
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i32 {
        self.unscaled.signum() as i32
    }

    /// Rounds away from zero to thousandths, as the API does with every resource amount.
    /// A quantity that needs no rounding keeps its text.
    pub fn round_up_to_milli(&mut self) {
        if self.exponent < -3 {
            self.unscaled = divide_up(self.unscaled, -3 - self.exponent);
            self.exponent = -3;
            self.text = None;
        }
    }

    /// Adds; a zero takes the other's family.
    pub fn add(&mut self, other: &Quantity) {
        self.combine(other, i128::checked_add);
    }

    /// Subtracts; a zero takes the other's family.
    pub fn sub(&mut self, other: &Quantity) {
        self.combine(other, i128::checked_sub);
    }

    fn combine(&mut self, other: &Quantity, with: fn(i128, i128) -> Option<i128>) {
        self.text = None;
        if self.is_zero() {
            self.family = other.family;
        }
        let exponent = self.exponent.min(other.exponent);
        let at = |quantity: &Quantity| {
            power_of_ten(quantity.exponent - exponent)
                .and_then(|power| quantity.unscaled.checked_mul(power))
        };
        // Two amounts too far apart to hold together: the larger one stands for the sum.
        match at(self).zip(at(other)).and_then(|(a, b)| with(a, b)) {
            Some(sum) => (self.unscaled, self.exponent) = (sum, exponent),
            None if *self < *other => {
                (self.unscaled, self.exponent) = (other.unscaled, other.exponent);
            }
            None => {}
        }
    }

    /// Multiplies.
    pub fn mul(&mut self, factor: i64) {
        self.text = None;
        self.unscaled = self.unscaled.saturating_mul(i128::from(factor));
    }

    /// Changes the sign.
    pub fn negate(&mut self) {
        self.text = None;
        self.unscaled = -self.unscaled;
    }

    /// Writes the quantity in canonical form, whatever text it was read from.
    pub fn canonical(&self) -> String {
        if self.is_zero() {
            return "0".to_owned();
        }
        let kibi = Quantity::new(1024, Family::Decimal);
        let small = {
            let mut magnitude = self.clone();
            magnitude.unscaled = magnitude.unscaled.abs();
            magnitude < kibi
        };
        let whole = self.whole();
        match self.family {
            Family::Binary if !small => {
                if let Some(mut amount) = whole {
                    let mut times = 0;
                    while amount % 1024 == 0 {
                        amount /= 1024;
                        times += 1;
                    }
                    let suffix = if times == 0 { "" } else { name_of(&BINARY, times * 10) };
                    return format!("{amount}{suffix}");
                }
                self.decimal(false)
            }
            Family::Binary | Family::Decimal => self.decimal(false),
            Family::Exponent => self.decimal(true),
        }
    }

    /// The value as a whole number, if it is one.
    fn whole(&self) -> Option<i128> {
        if self.exponent >= 0 {
            return self.unscaled.checked_mul(power_of_ten(self.exponent)?);
        }
        let power = power_of_ten(-self.exponent)?;
        (self.unscaled % power == 0).then(|| self.unscaled / power)
    }

    fn decimal(&self, with_exponent: bool) -> String {
        let mut amount = self.unscaled;
        let mut exponent = self.exponent;
        while amount % 10 == 0 {
            amount /= 10;
            exponent += 1;
        }
        while exponent % 3 != 0 {
            amount = amount.saturating_mul(10);
            exponent -= 1;
        }
        match (with_exponent, exponent) {
            (true, 0) => amount.to_string(),
            (true, _) => format!("{amount}e{exponent}"),
            (false, _) => format!("{amount}{}", name_of(&DECIMAL, exponent)),
        }
    }
}

/// The text that was read, where it was kept; else the canonical form.
impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => f.write_str(text),
            None => f.write_str(&self.canonical()),
        }
    }
}

/// By value: `1` and `1000m` are equal.
impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = self.unscaled.signum();
        if sign != other.unscaled.signum() || sign == 0 {
            return sign.cmp(&other.unscaled.signum());
        }
        let exponent = self.exponent.min(other.exponent);
        let at = |quantity: &Quantity| {
            power_of_ten(quantity.exponent - exponent)
                .and_then(|power| quantity.unscaled.checked_mul(power))
        };
        match (at(self), at(other)) {
            (Some(a), Some(b)) => a.cmp(&b),
            // What does not fit is the larger magnitude.
            (None, _) => {
                if sign > 0 {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (_, None) => {
                if sign > 0 {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
        }
    }
}

/// A text cut into its parts.
struct Parts<'a> {
    negative: bool,
    /// Digits before the point without leading zeros; `0` where there are none left.
    numerator: &'a str,
    denominator: &'a str,
    suffix: &'a str,
    /// Digits before the point, the leading zeros too.
    whole_digits: usize,
    dotted: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Parts<'a>, QuantityError> {
        let (negative, rest) = match text.as_bytes()[0] {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, rest) = split_digits(rest);
        let (dotted, denominator, suffix) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (denominator, suffix) = split_digits(rest);
                (true, denominator, suffix)
            }
            None => (false, "", rest),
        };
        let letters = suffix.bytes().take_while(|b| b"eEinumkKMGTP".contains(b)).count();
        let after = &suffix[letters..];
        let after = after.strip_prefix(['-', '+']).unwrap_or(after);
        if !split_digits(after).1.is_empty() {
            return Err(QuantityError::Format);
        }
        let numerator = match whole.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        Ok(Parts { negative, numerator, denominator, suffix, whole_digits: whole.len(), dotted })
    }

    /// The short way of reading: numbers that 64 bits hold. It is the one that keeps the text.
    fn quick(&self, text: &str, base: i32, exponent: i32, family: Family) -> Option<Quantity> {
        if text == "0" {
            let text = Some("0".into());
            return Some(Quantity { unscaled: 0, exponent: 0, family, text });
        }
        let digits = (self.numerator.len() + self.denominator.len()) as i32;
        let (scale, factor, precision) = if base == 10 {
            (exponent, 1_i64, 18 - digits)
        } else if self.denominator.is_empty() {
            let kept = 15 - self.numerator.len() as i32 - (exponent as f32 * 3.0 / 10.0) as i32 - 1;
            (0, 1_i64.checked_shl(exponent as u32)?, kept)
        } else {
            return None;
        };
        let scale = scale - self.denominator.len() as i32;
        if precision < 0 || scale < NANO {
            return None;
        }
        let shifted = format!("{}{}", self.numerator, self.denominator);
        let value: i64 = shifted.parse().ok()?;
        let amount = value.checked_mul(factor)?;
        let keeps = if base == 2 {
            exponent % 10 == 0 && value & 7 != 0
        } else {
            scale % 3 == 0 && !shifted.ends_with("000") && !shifted.starts_with('0')
        };
        Some(Quantity {
            unscaled: i128::from(if self.negative { -amount } else { amount }),
            exponent: scale,
            family,
            text: keeps.then(|| text.into()),
        })
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn suffix(text: &str) -> Result<(i32, i32, Family), QuantityError> {
    if let Some(&(_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == text) {
        return Ok((10, exponent, Family::Decimal));
    }
    if let Some(&(_, exponent)) = BINARY.iter().find(|(name, _)| *name == text) {
        return Ok((2, exponent, Family::Binary));
    }
    let digits = text.strip_prefix(['e', 'E']).ok_or(QuantityError::Suffix)?;
    let exponent: i64 = digits.parse().map_err(|_| QuantityError::Suffix)?;
    let exponent = i32::try_from(exponent).map_err(|_| QuantityError::Suffix)?;
    Ok((10, exponent, Family::Exponent))
}

/// The suffix of an exponent; none where there is no suffix so large.
fn name_of(table: &[(&'static str, i32)], exponent: i32) -> &'static str {
    table.iter().find(|(_, e)| *e == exponent).map_or("", |(name, _)| name)
}

fn power_of_ten(exponent: i32) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// Divides by a power of ten, rounding away from zero.
fn divide_up(unscaled: i128, places: i32) -> i128 {
    let Some(power) = power_of_ten(places) else { return unscaled.signum() };
    let quotient = unscaled / power;
    if unscaled % power == 0 { quotient } else { quotient + unscaled.signum() }
}
