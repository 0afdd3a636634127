//! Arithmetic: whole numbers that wrap, floats, and sums that are made in decimal.

use goval::{Context, List, ListType, NumError, NumProblem, Value};

use crate::args::{Answer, float, int, text};
use crate::cast::{to_float, to_int};
use crate::decimal::Decimal;

const NOTHING: Value = Value::Nil;

fn first(args: &[Value]) -> &Value {
    args.first().unwrap_or(&NOTHING)
}

pub(crate) fn to_int_value(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::int(to_int(first(args))))
}

pub(crate) fn to_int64_value(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::int64(to_int(first(args))))
}

pub(crate) fn to_float_value(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Float(to_float(first(args))))
}

/// 0 for what is no number, the nearest for one too large.
pub(crate) fn atoi(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let text = text(args, 0)?;
    let nearest = |error: NumError| match error.problem {
        NumProblem::Syntax => 0,
        NumProblem::Range if text.starts_with(b"-") => i64::MIN,
        NumProblem::Range => i64::MAX,
    };
    Ok(Value::int(goval::atoi(text).unwrap_or_else(nearest)))
}

/// Reads what `%v` prints as an octal number.
pub(crate) fn to_decimal(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let text = goval::sprint(&args[..1], context.budget)?;
    Ok(Value::int64(goval::parse_int(&text, 8, 64).unwrap_or_default()))
}

pub(crate) fn add(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::int64(args.iter().map(to_int).fold(0, i64::wrapping_add)))
}

pub(crate) fn add1(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::int64(to_int(first(args)).wrapping_add(1)))
}

fn two(args: &[Value]) -> (i64, i64) {
    (to_int(first(args)), to_int(args.get(1).unwrap_or(&NOTHING)))
}

pub(crate) fn sub(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (a, b) = two(args);
    Ok(Value::int64(a.wrapping_sub(b)))
}

const DIVIDE_BY_ZERO: &str = "runtime error: integer divide by zero";

pub(crate) fn div(_: &mut Context<'_>, args: &[Value]) -> Answer {
    match two(args) {
        (_, 0) => Err(DIVIDE_BY_ZERO.to_owned()),
        (a, b) => Ok(Value::int64(a.wrapping_div(b))),
    }
}

pub(crate) fn modulo(_: &mut Context<'_>, args: &[Value]) -> Answer {
    match two(args) {
        (_, 0) => Err(DIVIDE_BY_ZERO.to_owned()),
        (a, b) => Ok(Value::int64(a.wrapping_rem(b))),
    }
}

pub(crate) fn mul(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::int64(args.iter().map(to_int).fold(1, i64::wrapping_mul)))
}

pub(crate) fn max(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::int64(args.iter().map(to_int).max().unwrap_or_default()))
}

pub(crate) fn min(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::int64(args.iter().map(to_int).min().unwrap_or_default()))
}

pub(crate) fn maxf(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Float(extreme(args, |a, b| a > b || a == b && b.is_sign_negative())))
}

pub(crate) fn minf(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Float(extreme(args, |a, b| a < b || a == b && a.is_sign_negative())))
}

/// An infinity in the right direction wins, then what is no number.
fn extreme(args: &[Value], better: impl Fn(f64, f64) -> bool) -> f64 {
    let mut values = args.iter().map(to_float);
    let mut best = values.next().unwrap_or_default();
    for value in values {
        let infinite = |value: f64| value.is_infinite() && better(value, 0.0);
        best = if infinite(best) || infinite(value) {
            if infinite(best) { best } else { value }
        } else if best.is_nan() || value.is_nan() {
            f64::NAN
        } else if better(best, value) {
            best
        } else {
            value
        };
    }
    best
}

pub(crate) fn ceil(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Float(to_float(first(args)).ceil()))
}

pub(crate) fn floor(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::Float(to_float(first(args)).floor()))
}

/// Halves go up, negative numbers always down: Go looks at the fraction with its sign.
pub(crate) fn round(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let value = to_float(first(args));
    let places = int(args, 1)?;
    let round_on = if args.len() > 2 { float(args, 2)? } else { 0.5 };
    let power = power_of_ten(places);
    let digit = power * value;
    let fraction = if digit.is_infinite() { f64::NAN } else { digit - digit.trunc() };
    let whole = if fraction >= round_on { digit.ceil() } else { digit.floor() };
    Ok(Value::Float(whole / power))
}

/// `math.Pow(10, n)`, by squaring as Go does.
fn power_of_ten(exponent: i64) -> f64 {
    // Go answers from a table for what is exact or nearly so.
    match exponent {
        ..-400 => return 0.0,
        400.. => return f64::INFINITY,
        _ => {}
    }
    let (mut mantissa, mut scale) = (1.0_f64, 0_i32);
    let (mut x, mut x_scale) = (0.625_f64, 4_i32);
    let mut left = exponent.unsigned_abs();
    while left != 0 {
        if left & 1 == 1 {
            mantissa *= x;
            scale += x_scale;
        }
        x *= x;
        x_scale <<= 1;
        if x < 0.5 {
            x += x;
            x_scale -= 1;
        }
        left >>= 1;
    }
    if exponent < 0 {
        mantissa = 1.0 / mantissa;
        scale = -scale;
    }
    // In two steps, lest the scale itself be out of range.
    mantissa * 2.0_f64.powi(scale / 2) * 2.0_f64.powi(scale - scale / 2)
}

fn decimals(
    args: &[Value],
    start: Option<Decimal>,
    combine: impl Fn(Decimal, &Decimal) -> Result<Decimal, String>,
) -> Answer {
    let mut values = args.iter().map(|value| Decimal::from_float(to_float(value)));
    let mut sum = match start {
        Some(start) => start,
        None => values.next().unwrap_or_else(|| Decimal::from_float(0.0))?,
    };
    for value in values {
        sum = combine(sum, &value?)?;
    }
    Ok(Value::Float(sum.to_float()))
}

pub(crate) fn addf(_: &mut Context<'_>, args: &[Value]) -> Answer {
    decimals(args, Some(Decimal::from_float(0.0)?), |a, b| Ok(a.plus(b)))
}

pub(crate) fn add1f(_: &mut Context<'_>, args: &[Value]) -> Answer {
    decimals(&[first(args).clone(), Value::int(1)], None, |a, b| Ok(a.plus(b)))
}

pub(crate) fn subf(_: &mut Context<'_>, args: &[Value]) -> Answer {
    decimals(args, None, |a, b| Ok(a.minus(b)))
}

pub(crate) fn mulf(_: &mut Context<'_>, args: &[Value]) -> Answer {
    decimals(args, None, |a, b| Ok(a.times(b)))
}

pub(crate) fn divf(_: &mut Context<'_>, args: &[Value]) -> Answer {
    decimals(args, None, |a, b| a.over(b))
}

/// The numbers from `start` to before `stop`.
fn steps(context: &mut Context<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>, String> {
    let mut numbers = Vec::new();
    if stop < start && step >= 0 || stop >= start && step <= 0 {
        return Ok(numbers);
    }
    let count = stop.abs_diff(start).div_ceil(step.unsigned_abs());
    context.budget.spend(count)?;
    context.budget.charge(count.saturating_mul(8))?;
    let mut at = start;
    for _ in 0..count {
        numbers.push(at);
        at = at.wrapping_add(step);
    }
    Ok(numbers)
}

fn ints(numbers: Vec<i64>) -> Value {
    Value::List(List::typed(ListType::Int, numbers.into_iter().map(Value::int).collect()))
}

pub(crate) fn until(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let count = int(args, 0)?;
    let step = if count < 0 { -1 } else { 1 };
    Ok(ints(steps(context, 0, count, step)?))
}

pub(crate) fn until_step(context: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(ints(steps(context, int(args, 0)?, int(args, 1)?, int(args, 2)?)?))
}

/// As the Unix tool: last; first and last; first, step and last.
pub(crate) fn seq(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let (start, end, step) = match args.len() {
        1 => (1, int(args, 0)?, None),
        2 => (int(args, 0)?, int(args, 1)?, None),
        3 => (int(args, 0)?, int(args, 2)?, Some(int(args, 1)?)),
        _ => return Ok(Value::str("")),
    };
    let direction = if end < start { -1 } else { 1 };
    if end < start && step.is_some_and(|step| step > 0) {
        return Ok(Value::str(""));
    }
    let step = step.unwrap_or(direction);
    let numbers = steps(context, start, end.wrapping_add(direction), step)?;
    context.budget.charge(numbers.len() as u64 * 4)?;
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    Ok(Value::str(numbers.join(" ")))
}
