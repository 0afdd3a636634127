//! Reading, into the types that the library gives: `int64`, `float64`, times, lists of tables.

use goval::{List, ListType, Map, Str, Value};
use toml::value::{Date, Datetime, Offset};

use super::complaint::complaint;
use crate::args::named;
use crate::time::{Time, Zone};

/// The names of the zones of times that were written without one.
pub(super) const LOCAL_DATETIME: &str = "datetime-local";
pub(super) const LOCAL_DATE: &str = "date-local";
pub(super) const LOCAL_TIME: &str = "time-local";

/// Reads a document.
///
/// # Errors
///
/// In the library's words, see [`complaint`].
pub(crate) fn read(text: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(text).map_err(|_| "toml: files must be valid UTF-8")?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        if let Some(complaint) = complaint(text) {
            return complaint;
        }
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("toml: line {line}: {}", error.message().replace('\n', ": "))
    })?;
    Ok(table_value(table))
}

fn table_value(table: toml::Table) -> Value {
    let map = Map::new();
    for (key, entry) in table {
        map.insert(Str::from(key), value(entry));
    }
    Value::Map(map)
}

fn value(entry: toml::Value) -> Value {
    match entry {
        toml::Value::String(text) => Value::str(text),
        toml::Value::Integer(number) => Value::int64(number),
        toml::Value::Float(number) => Value::Float(number),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(at) => time(at),
        toml::Value::Array(items) => {
            let tables = !items.is_empty() && items.iter().all(toml::Value::is_table);
            let of =
                if tables { ListType::Named("[]map[string]interface {}") } else { ListType::Any };
            Value::List(List::typed(of, items.into_iter().map(value).collect()))
        }
        toml::Value::Table(table) => table_value(table),
    }
}

fn time(at: Datetime) -> Value {
    let zero = Date { year: 0, month: 1, day: 1 };
    let date = at.date.unwrap_or(zero);
    let date = [i64::from(date.year), i64::from(date.month), i64::from(date.day)];
    let (clock, nanos) = at.time.map_or(([0; 3], 0), |time| {
        let clock = [time.hour, time.minute, time.second].map(i64::from);
        (clock, time.nanosecond)
    });
    let local = |name: &str| Zone::Fixed { name: name.to_owned(), offset_s: 0 };
    let zone = match (at.offset, at.date.is_some(), at.time.is_some()) {
        (Some(Offset::Z) | Some(Offset::Custom { minutes: 0 }), ..) => Zone::Utc,
        (Some(Offset::Custom { minutes }), ..) => {
            Zone::Fixed { name: String::new(), offset_s: i64::from(minutes) * 60 }
        }
        (None, true, true) => local(LOCAL_DATETIME),
        (None, true, false) => local(LOCAL_DATE),
        (None, false, _) => local(LOCAL_TIME),
    };
    named(Time::of(date, clock, nanos, zone))
}
