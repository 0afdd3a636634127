//! Times and the spans between them.

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};
use jiff::{SignedDuration, Timestamp, civil};

use crate::eval::EvalError;
use crate::value::Value;

type Evaluated = Result<Value, EvalError>;

/// Reads a time as in `2026-01-02T03:04:05Z`.
pub fn time_of(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let zone = bytes.last() == Some(&b'Z')
        || bytes
            .len()
            .checked_sub(6)
            .is_some_and(|at| matches!(bytes[at], b'+' | b'-') && bytes[at + 3] == b':');
    // Other readers take more than the server's does.
    (bytes.get(10) == Some(&b'T') && bytes.len() >= 20 && zone).then(|| text.parse().ok()).flatten()
}

/// Reads a day as in `2026-01-02`, and is its beginning.
pub fn day_of(text: &str) -> Option<Timestamp> {
    let day: civil::Date = (text.len() == 10).then(|| text.parse().ok()).flatten()?;
    Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Reads a span as Go writes it: `1h30m`, `-1.5s`.
pub fn span_of(text: &str) -> Option<SignedDuration> {
    manifest::go_nanoseconds(text).map(SignedDuration::from_nanos)
}

/// A time as text.
pub fn shown_time(time: Timestamp) -> String {
    time.to_string()
}

/// A span as text: seconds, with as many digits as are needed.
pub fn shown_span(span: SignedDuration) -> String {
    let nanos = span.as_nanos();
    let (sign, nanos) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
    let (whole, part) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let part = format!("{part:09}");
    let part = part.trim_end_matches('0');
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{part}s")
}

/// Adds or takes away.
pub fn arithmetic(name: &str, a: &Value, b: &Value) -> Option<Evaluated> {
    let span = |found: Option<SignedDuration>| {
        found.map(Value::Span).ok_or_else(|| EvalError("integer overflow".to_owned()))
    };
    let time = |found: Result<Timestamp, jiff::Error>| {
        found.map(Value::Time).map_err(|_| EvalError("timestamp overflow".to_owned()))
    };
    Some(match (name, a, b) {
        ("_+_", Value::Time(at), Value::Span(by)) | ("_+_", Value::Span(by), Value::Time(at)) => {
            time(at.checked_add(*by))
        }
        ("_-_", Value::Time(at), Value::Span(by)) => time(at.checked_sub(*by)),
        ("_-_", Value::Time(a), Value::Time(b)) => span(Some(a.duration_since(*b))),
        ("_+_", Value::Span(a), Value::Span(b)) => span(a.checked_add(*b)),
        ("_-_", Value::Span(a), Value::Span(b)) => span(a.checked_sub(*b)),
        _ => return None,
    })
}

/// Calls a method of a time; `given` may be a zone, by name or as an offset as in `+02:00`.
///
/// # Errors
///
/// For zones that are not known, and for what is no method.
pub fn time_method(time: Timestamp, name: &str, given: &[Value]) -> Evaluated {
    let zone = match given {
        [] => TimeZone::UTC,
        [Value::Text(zone)] => {
            zone_of(zone).ok_or_else(|| EvalError(format!("unknown time zone {zone}")))?
        }
        _ => return Err(EvalError::no_overload()),
    };
    let at = zone.to_datetime(time);
    let found = match name {
        "getFullYear" => i64::from(at.year()),
        "getMonth" => i64::from(at.month()) - 1,
        "getDate" => i64::from(at.day()),
        "getDayOfMonth" => i64::from(at.day()) - 1,
        "getDayOfWeek" => i64::from(at.weekday().to_sunday_zero_offset()),
        "getDayOfYear" => i64::from(at.day_of_year()) - 1,
        "getHours" => i64::from(at.hour()),
        "getMinutes" => i64::from(at.minute()),
        "getSeconds" => i64::from(at.second()),
        "getMilliseconds" => i64::from(at.subsec_nanosecond() / 1_000_000),
        _ => return Err(EvalError::no_overload()),
    };
    Ok(Value::Int(found))
}

/// Zones come from the table that is built in, never from the machine's.
fn zone_of(zone: &str) -> Option<TimeZone> {
    let Some((hours, minutes)) = zone.split_once(':') else {
        return match zone {
            "" | "UTC" => Some(TimeZone::UTC),
            name => TimeZoneDatabase::bundled().get(name).ok(),
        };
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let minutes = if zone.starts_with('-') { hours * 60 - minutes } else { hours * 60 + minutes };
    Offset::from_seconds(minutes * 60).ok().map(Offset::to_time_zone)
}

/// Calls a method of a span.
///
/// # Errors
///
/// For what is no method.
pub fn span_method(span: SignedDuration, name: &str, given: &[Value]) -> Evaluated {
    let found = match (name, given) {
        ("getHours", []) => span.as_hours(),
        ("getMinutes", []) => span.as_mins(),
        ("getSeconds", []) => span.as_secs(),
        ("getMilliseconds", []) => i64::try_from(span.as_millis()).unwrap_or(i64::MAX),
        _ => return Err(EvalError::no_overload()),
    };
    Ok(Value::Int(found))
}
