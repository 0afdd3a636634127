//! `os`, of which scripts have the time and its words, and nothing else.
//!
//! The time is what the caller says it is, and all times are in UTC.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mlua::{Lua, Table, Value};

/// Makes the library.
pub(crate) fn library(lua: &Lua, now: Timestamp) -> mlua::Result<Table> {
    let os = lua.create_table()?;
    os.set("time", lua.create_function(move |_, at: Option<Table>| time(now, at.as_ref()))?)?;
    os.set(
        "date",
        lua.create_function(move |lua, (format, at): (Option<String>, Option<f64>)| {
            let moment = match at {
                Some(seconds) => moment(seconds)?,
                None => now,
            };
            date(lua, format.as_deref().unwrap_or("%c"), moment)
        })?,
    )?;
    Ok(os)
}

/// Seconds since 1970: now, or at the date that a table holds.
fn time(now: Timestamp, at: Option<&Table>) -> mlua::Result<i64> {
    let Some(at) = at else { return Ok(now.as_second()) };
    let field = |name: &str, otherwise: Option<i64>| -> mlua::Result<i64> {
        match at.raw_get::<Option<f64>>(name)?.or(otherwise.map(|value| value as f64)) {
            #[expect(clippy::cast_possible_truncation, reason = "as Lua does")]
            Some(value) => Ok(value as i64),
            None => Err(mlua::Error::runtime(format!("field '{name}' missing in date table"))),
        }
    };
    // Fields may overflow, as "day 0": the first of the year is counted from.
    let year = i16::try_from(field("year", None)?).map_err(mlua::Error::external)?;
    let months = field("month", None)? - 1;
    let (day, hour) = (field("day", None)? - 1, field("hour", Some(12))?);
    let (minute, second) = (field("min", Some(0))?, field("sec", Some(0))?);
    let start = DateTime::new(year, 1, 1, 0, 0, 0, 0).map_err(mlua::Error::external)?;
    let span = jiff::Span::new()
        .try_months(months)
        .and_then(|span| span.try_days(day))
        .and_then(|span| span.try_hours(hour))
        .and_then(|span| span.try_minutes(minute))
        .and_then(|span| span.try_seconds(second))
        .map_err(mlua::Error::external)?;
    let moment = start.checked_add(span).map_err(mlua::Error::external)?;
    let zoned = moment.to_zoned(TimeZone::UTC).map_err(mlua::Error::external)?;
    Ok(zoned.timestamp().as_second())
}

fn moment(seconds: f64) -> mlua::Result<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds, as Lua counts")]
    Timestamp::from_second(seconds as i64).map_err(mlua::Error::external)
}

fn date(lua: &Lua, format: &str, at: Timestamp) -> mlua::Result<Value> {
    let format = format.strip_prefix('!').unwrap_or(format);
    let zoned = at.to_zoned(TimeZone::UTC);
    if format.starts_with("*t") {
        let table = lua.create_table()?;
        table.set("year", i64::from(zoned.year()))?;
        table.set("month", i64::from(zoned.month()))?;
        table.set("day", i64::from(zoned.day()))?;
        table.set("hour", i64::from(zoned.hour()))?;
        table.set("min", i64::from(zoned.minute()))?;
        table.set("sec", i64::from(zoned.second()))?;
        table.set("wday", i64::from(zoned.weekday().to_sunday_one_offset()))?;
        table.set("yday", i64::from(zoned.day_of_year()))?;
        table.set("isdst", false)?;
        return Ok(Value::Table(table));
    }
    let format = format
        .replace("%X", "%H:%M:%S")
        .replace("%x", "%m/%d/%y")
        .replace("%c", "%a %b %e %H:%M:%S %Y");
    let text = jiff::fmt::strtime::format(&format, &zoned).map_err(mlua::Error::external)?;
    Ok(Value::String(lua.create_string(text)?))
}
