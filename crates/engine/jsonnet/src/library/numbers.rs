//! Numbers as Go computes and prints them.

use std::f64::consts::{LN_2, LN_10};

use jrsonnet_evaluator::function::builtin;

/// A number as text: whole ones in full, others with 17 digits (`%.17g`).
pub(super) fn text(number: f64) -> String {
    if number == number.floor() {
        return format!("{number:.0}");
    }
    let written = format!("{number:.16e}");
    let (digits, exponent) = written.split_once('e').expect("a number in this form has an `e`");
    let exponent: i32 = exponent.parse().expect("what follows the `e` is a whole number");
    let trimmed = |text: &str| text.trim_end_matches('0').trim_end_matches('.').to_owned();
    if exponent < -4 {
        return format!("{}e-{:02}", trimmed(digits), -exponent);
    }
    // It has a fraction, so that it has fewer than 17 digits before the point.
    trimmed(&format!("{number:.*}", usize::try_from(16 - exponent).unwrap_or(0)))
}

/// `number = mantissa * 2^exponent`, the mantissa at least a half and less than one.
fn parts(number: f64) -> (f64, i32) {
    if number == 0.0 || !number.is_finite() {
        return (number, 0);
    }
    // What is too small to have all its bits is made larger first.
    let (number, shift) = match number.is_subnormal() {
        true => (number * f64::from_bits(0x4350_0000_0000_0000), 54),
        false => (number, 0),
    };
    let bits = number.to_bits();
    let exponent = i32::try_from((bits >> 52) & 0x7ff).expect("eleven bits fit") - 1022;
    (f64::from_bits((bits & !(0x7ff << 52)) | (1022 << 52)), exponent - shift)
}

#[builtin]
pub(super) fn builtin_log2(x: f64) -> f64 {
    x.ln() / LN_2
}

#[builtin]
pub(super) fn builtin_log10(x: f64) -> f64 {
    x.ln() / LN_10
}

#[builtin]
pub(super) fn builtin_hypot(a: f64, b: f64) -> f64 {
    a.hypot(b)
}

#[builtin]
pub(super) fn builtin_mantissa(x: f64) -> f64 {
    parts(x).0
}

#[builtin]
pub(super) fn builtin_exponent(x: f64) -> f64 {
    f64::from(parts(x).1)
}
