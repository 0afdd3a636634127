//! The functions of dates.

use goval::{Context, IntType, Value};

use crate::args::{Answer, named, object, text, utf8};
use crate::time::duration::Duration;
use crate::time::moment::{Time, ZERO_S};
use crate::time::parse::parse;
use crate::time::zone::Zone;

fn current(context: &mut Context<'_>) -> Time {
    Time::from_unix_nanos(context.impure.now())
}

/// The time that a value means: anything that is none means now.
fn time_of(context: &mut Context<'_>, value: Option<&Value>, int32: bool) -> Time {
    match value {
        Some(Value::Int(seconds, IntType::Int | IntType::Int64)) => Time::from_unix(*seconds),
        Some(Value::Int(seconds, IntType::Int32)) if int32 => Time::from_unix(*seconds),
        Some(Value::Object(object)) => match object.as_any().downcast_ref::<Time>() {
            Some(time) => time.clone(),
            None => current(context),
        },
        _ => current(context),
    }
}

pub(crate) fn now(context: &mut Context<'_>, _: &[Value]) -> Answer {
    Ok(named(current(context)))
}

fn formatted(
    context: &mut Context<'_>,
    layout: &[u8],
    value: Option<&Value>,
    zone: &str,
) -> Answer {
    let time = time_of(context, value, true);
    let zone = Zone::load(zone).unwrap_or(Zone::Utc);
    context.budget.charge(layout.len() as u64)?;
    Ok(Value::str(time.in_zone(zone).format(layout)))
}

pub(crate) fn date(context: &mut Context<'_>, args: &[Value]) -> Answer {
    formatted(context, text(args, 0)?, args.get(1), "Local")
}

pub(crate) fn date_in_zone(context: &mut Context<'_>, args: &[Value]) -> Answer {
    formatted(context, text(args, 0)?, args.get(1), &utf8(args, 2)?)
}

pub(crate) fn html_date(context: &mut Context<'_>, args: &[Value]) -> Answer {
    formatted(context, b"2006-01-02", args.first(), "Local")
}

pub(crate) fn html_date_in_zone(context: &mut Context<'_>, args: &[Value]) -> Answer {
    formatted(context, b"2006-01-02", args.first(), &utf8(args, 1)?)
}

fn modified(args: &[Value]) -> Answer {
    let time: &Time = object(args, 1, "time.Time")?;
    Ok(named(time.plus(Duration::parse(text(args, 0)?)?)))
}

/// A duration that is none changes nothing.
pub(crate) fn date_modify(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(modified(args).unwrap_or_else(|_| args[1].clone()))
}

pub(crate) fn must_date_modify(_: &mut Context<'_>, args: &[Value]) -> Answer {
    modified(args)
}

pub(crate) fn ago(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let then = time_of(context, args.first(), false);
    let since = current(context).since(&then);
    Ok(Value::str(since.rounded_to_seconds().to_string()))
}

/// Seconds, from a string or an `int64`; anything else is none.
pub(crate) fn duration(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let seconds = match args.first() {
        Some(Value::Str(text)) => match goval::parse_int(text, 10, 64) {
            Ok(seconds) => seconds,
            Err(error) => match error.problem {
                goval::NumProblem::Syntax => 0,
                goval::NumProblem::Range if text.starts_with(b"-") => i64::MIN,
                goval::NumProblem::Range => i64::MAX,
            },
        },
        Some(Value::Int(seconds, IntType::Int64)) => *seconds,
        _ => 0,
    };
    Ok(Value::str(Duration(seconds.wrapping_mul(1_000_000_000)).to_string()))
}

/// The largest unit only: `2h10m` is `2h`.
pub(crate) fn duration_round(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let length = match args.first() {
        Some(Value::Str(text)) => Duration::parse(text).map_or(0, |length| length.0),
        Some(Value::Int(nanos, IntType::Int64)) => *nanos,
        Some(Value::Object(object)) => match object.as_any().downcast_ref::<Time>() {
            Some(time) => current(context).since(time).0,
            None => 0,
        },
        _ => 0,
    };
    const SECOND: u64 = 1_000_000_000;
    let size = length.unsigned_abs();
    for (unit, name) in [
        (SECOND * 3_600 * 24 * 365, "y"),
        (SECOND * 3_600 * 24 * 30, "mo"),
        (SECOND * 3_600 * 24, "d"),
        (SECOND * 3_600, "h"),
        (SECOND * 60, "m"),
        (SECOND, "s"),
    ] {
        if size > unit {
            return Ok(Value::str(format!("{}{name}", size / unit)));
        }
    }
    Ok(Value::str("0s"))
}

/// What cannot be read is the year 1.
pub(crate) fn to_date(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let zero = || Time { zone: Zone::Utc, ..Time::from_unix(ZERO_S) };
    Ok(named(parse(text(args, 0)?, text(args, 1)?).unwrap_or_else(|_| zero())))
}

pub(crate) fn must_to_date(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(named(parse(text(args, 0)?, text(args, 1)?)?))
}

pub(crate) fn unix_epoch(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let time: &Time = object(args, 0, "time.Time")?;
    Ok(Value::str(time.unix_s.to_string()))
}
