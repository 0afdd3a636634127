//! A moment, shown in a zone.

use std::any::Any;
use std::cmp::Ordering;

use goval::{IntType, Kind, Object, Signature, Type, Value};

use crate::args::{int, named, object, utf8};
use crate::time::calendar::{Civil, DAY_S, civil, days_from, weekday, year_day};
use crate::time::duration::Duration;
use crate::time::layout::{DAYS, MONTHS, Part, Shape, next};
use crate::time::zone::Zone;

const SECOND_NS: i64 = 1_000_000_000;
/// Seconds from 1970 back to the year 1, Go's zero.
pub(super) const ZERO_S: i64 = -62_135_596_800;

/// `time.Time`.
#[derive(Clone, Debug)]
pub struct Time {
    /// Since 1970.
    pub(super) unix_s: i64,
    pub(super) nanos: u32,
    pub(super) zone: Zone,
}

impl Time {
    /// Nanoseconds since 1970, shown in UTC.
    pub fn from_unix_nanos(nanos: i128) -> Self {
        let second = i128::from(SECOND_NS);
        let unix_s = i64::try_from(nanos.div_euclid(second)).unwrap_or(i64::MAX);
        let nanos = u32::try_from(nanos.rem_euclid(second)).expect("less than a second");
        Self { unix_s, nanos, zone: Zone::Utc }
    }

    pub(super) fn from_unix(unix_s: i64) -> Self {
        Self { unix_s, nanos: 0, zone: Zone::Local }
    }

    /// The date's moment in a zone.
    pub(crate) fn of(date: [i64; 3], clock: [i64; 3], nanos: u32, zone: Zone) -> Self {
        let [year, month, day] = date;
        let [hour, minute, second] = clock;
        let shown = days_from(year, month, day) * DAY_S + hour * 3_600 + minute * 60 + second;
        // The offset at about that time, and again at the time that it gives.
        let (guess, _) = zone.at(shown);
        let (offset, _) = zone.at(shown - guess);
        let unix_s = shown - offset;
        Self { unix_s, nanos, zone }
    }

    /// Nanoseconds since 1970.
    pub fn unix_nanos(&self) -> i128 {
        i128::from(self.unix_s) * i128::from(SECOND_NS) + i128::from(self.nanos)
    }

    pub(super) fn in_zone(&self, zone: Zone) -> Self {
        Self { zone, ..self.clone() }
    }

    pub(super) fn plus(&self, duration: Duration) -> Self {
        let moved = Self::from_unix_nanos(self.unix_nanos() + i128::from(duration.0));
        Self { zone: self.zone.clone(), ..moved }
    }

    /// How long it is from another time to this one, within what a duration can hold.
    pub(super) fn since(&self, other: &Self) -> Duration {
        let nanos = self.unix_nanos() - other.unix_nanos();
        let bounded = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        Duration(i64::try_from(bounded).expect("it was made to fit"))
    }

    pub(super) fn shown(&self) -> (Civil, i64, String) {
        let (offset, name) = self.zone.at(self.unix_s);
        (civil(self.unix_s + offset), offset, name)
    }

    /// Writes it by a layout.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let (civil, offset, zone_name) = self.shown();
        let mut layout = layout;
        while !layout.is_empty() {
            let chunk = next(layout);
            out.extend_from_slice(chunk.before);
            layout = chunk.left;
            let Some(part) = chunk.part else { break };
            let hour12 = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
            let month = MONTHS[civil.month as usize - 1];
            let day_name = DAYS[weekday(self.unix_s + offset) as usize];
            let text = match part {
                Part::Year => format!("{:02}", civil.year.abs() % 100),
                Part::LongYear if civil.year < 0 => format!("-{:04}", -civil.year),
                Part::LongYear => format!("{:04}", civil.year),
                Part::Month => month[..3].to_owned(),
                Part::LongMonth => month.to_owned(),
                Part::NumMonth => civil.month.to_string(),
                Part::ZeroMonth => format!("{:02}", civil.month),
                Part::WeekDay => day_name[..3].to_owned(),
                Part::LongWeekDay => day_name.to_owned(),
                Part::Day => civil.day.to_string(),
                Part::UnderDay => format!("{:2}", civil.day),
                Part::ZeroDay => format!("{:02}", civil.day),
                Part::UnderYearDay => format!("{:3}", year_day(&civil)),
                Part::ZeroYearDay => format!("{:03}", year_day(&civil)),
                Part::Hour => format!("{:02}", civil.hour),
                Part::Hour12 => hour12.to_string(),
                Part::ZeroHour12 => format!("{hour12:02}"),
                Part::Minute => civil.minute.to_string(),
                Part::ZeroMinute => format!("{:02}", civil.minute),
                Part::Second => civil.second.to_string(),
                Part::ZeroSecond => format!("{:02}", civil.second),
                Part::UpperPm => if civil.hour >= 12 { "PM" } else { "AM" }.to_owned(),
                Part::LowerPm => if civil.hour >= 12 { "pm" } else { "am" }.to_owned(),
                Part::ZoneName if zone_name.is_empty() => offset_text(offset, Shape::Minutes),
                Part::ZoneName => zone_name.clone(),
                Part::Offset(wanted) if wanted.z && offset == 0 => "Z".to_owned(),
                Part::Offset(wanted) => offset_text(offset, wanted.shape),
                Part::Fraction { digits, sign } => {
                    let all = format!("{:09}{}", self.nanos, "0".repeat(digits.saturating_sub(9)));
                    format!("{}{}", char::from(sign), &all[..digits])
                }
                Part::ShortFraction { sign } => {
                    let written = chunk.text.len() - 1;
                    let all = format!("{:09}", self.nanos);
                    let kept = all[..written.min(9)].trim_end_matches('0');
                    if kept.is_empty() {
                        String::new()
                    } else {
                        format!("{}{kept}", char::from(sign))
                    }
                }
            };
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    fn text(&self, layout: &str) -> String {
        goval::text_of(&self.format(layout.as_bytes()))
    }

    /// As JSON and TOML have it.
    pub(crate) fn rfc_3339(&self) -> String {
        self.text("2006-01-02T15:04:05.999999999Z07:00")
    }

    /// The name of the zone's place.
    pub(crate) fn place(&self) -> &str {
        self.zone.name()
    }

    /// By another layout, without a zone.
    pub(crate) fn formatted(&self, layout: &str) -> String {
        self.text(layout)
    }

    fn compare(&self, other: &Self) -> Ordering {
        self.unix_nanos().cmp(&other.unix_nanos())
    }
}

fn offset_text(offset_s: i64, shape: Shape) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let size = offset_s.abs();
    let (hours, minutes, seconds) = (size / 3_600, size / 60 % 60, size % 60);
    match shape {
        Shape::Hours => format!("{sign}{hours:02}"),
        Shape::Minutes => format!("{sign}{hours:02}{minutes:02}"),
        Shape::ColonMinutes => format!("{sign}{hours:02}:{minutes:02}"),
        Shape::Seconds => format!("{sign}{hours:02}{minutes:02}{seconds:02}"),
        Shape::ColonSeconds => format!("{sign}{hours:02}:{minutes:02}:{seconds:02}"),
    }
}

const TIME: &[Type] = &[Type::Named("time.Time")];
const DURATION: &[Type] = &[Type::Named("time.Duration")];

impl Object for Time {
    fn type_name(&self) -> &str {
        "time.Time"
    }

    fn has_method(&self, name: &str) -> bool {
        self.signature(name).is_some()
    }

    fn signature(&self, name: &str) -> Option<Signature> {
        let params: &'static [Type] = match name {
            "Year" | "Month" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "Weekday"
            | "YearDay" | "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano" | "UTC" | "Local"
            | "IsZero" | "String" | "GoString" | "IsDST" | "Location" => &[],
            "Format" => &[Type::String],
            "Add" | "Round" | "Truncate" => DURATION,
            "AddDate" => &[Type::Int, Type::Int, Type::Int],
            "Sub" | "After" | "Before" | "Equal" | "Compare" => TIME,
            _ => return None,
        };
        Some(Signature { params, variadic: false })
    }

    fn call(&self, name: &str, args: &[Value]) -> Result<Value, String> {
        let (civil, offset, _) = self.shown();
        let other = || object::<Time>(args, 0, "time.Time");
        let length = || object::<Duration>(args, 0, "time.Duration").map(|length| length.0);
        Ok(match name {
            "Year" => Value::int(civil.year),
            "Month" => named(Numbered { of: NumberedType::Month, number: civil.month }),
            "Day" => Value::int(civil.day),
            "Hour" => Value::int(civil.hour),
            "Minute" => Value::int(civil.minute),
            "Second" => Value::int(civil.second),
            "Nanosecond" => Value::int(i64::from(self.nanos)),
            "Weekday" => {
                let number = weekday(self.unix_s + offset);
                named(Numbered { of: NumberedType::Weekday, number })
            }
            "YearDay" => Value::int(year_day(&civil)),
            "Unix" => Value::int64(self.unix_s),
            "UnixMilli" => Value::int64((self.unix_nanos() / 1_000_000) as i64),
            "UnixMicro" => Value::int64((self.unix_nanos() / 1_000) as i64),
            "UnixNano" => Value::int64(self.unix_nanos() as i64),
            "UTC" => named(self.in_zone(Zone::Utc)),
            "Local" => named(self.in_zone(Zone::Local)),
            "IsZero" => Value::Bool(self.unix_s == ZERO_S && self.nanos == 0),
            "IsDST" => Value::Bool(false),
            "Location" => Value::str(self.zone.name()),
            "String" | "GoString" => Value::str(self.print()),
            "Format" => Value::str(self.format(utf8(args, 0)?.as_bytes())),
            "Add" => named(self.plus(Duration(length()?))),
            "Truncate" => named(self.plus(Duration(-self.beyond(length()?)))),
            "Round" => {
                let (length, beyond) = (length()?, self.beyond(length()?));
                let up = beyond > 0 && beyond * 2 >= length;
                named(self.plus(Duration(if up { length - beyond } else { -beyond })))
            }
            "AddDate" => {
                let date = [
                    civil.year + int(args, 0)?,
                    civil.month + int(args, 1)?,
                    civil.day + int(args, 2)?,
                ];
                let clock = [civil.hour, civil.minute, civil.second];
                named(Self::of(date, clock, self.nanos, self.zone.clone()))
            }
            "Sub" => named(self.since(other()?)),
            "After" => Value::Bool(self.compare(other()?).is_gt()),
            "Before" => Value::Bool(self.compare(other()?).is_lt()),
            "Equal" => Value::Bool(self.compare(other()?).is_eq()),
            "Compare" => Value::int(self.compare(other()?) as i64),
            _ => return Err(format!("no method {name}")),
        })
    }

    fn print(&self) -> String {
        self.text("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn is_stringer(&self) -> bool {
        true
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::str(self.rfc_3339()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Time {
    /// Nanoseconds beyond the last multiple of a length since the year 1.
    fn beyond(&self, length: i64) -> i64 {
        if length <= 0 {
            return 0;
        }
        let since_zero = self.unix_nanos() - i128::from(ZERO_S) * i128::from(SECOND_NS);
        i64::try_from(since_zero.rem_euclid(i128::from(length))).expect("less than the length")
    }
}

/// `time.Month` or `time.Weekday`.
#[derive(Clone, Copy, Debug)]
struct Numbered {
    of: NumberedType,
    number: i64,
}

#[derive(Clone, Copy, Debug)]
enum NumberedType {
    Month,
    Weekday,
}

impl Object for Numbered {
    fn type_name(&self) -> &str {
        match self.of {
            NumberedType::Month => "time.Month",
            NumberedType::Weekday => "time.Weekday",
        }
    }

    fn kind(&self) -> Kind {
        Kind::Int(IntType::Int)
    }

    fn has_method(&self, name: &str) -> bool {
        name == "String"
    }

    fn signature(&self, name: &str) -> Option<Signature> {
        self.has_method(name).then_some(Signature { params: &[], variadic: false })
    }

    fn call(&self, _: &str, _: &[Value]) -> Result<Value, String> {
        Ok(Value::str(self.print()))
    }

    fn is_true(&self) -> bool {
        self.number != 0
    }

    fn print(&self) -> String {
        match self.of {
            NumberedType::Month => MONTHS[self.number as usize - 1],
            NumberedType::Weekday => DAYS[self.number as usize],
        }
        .to_owned()
    }

    fn is_stringer(&self) -> bool {
        true
    }

    fn plain(&self) -> Option<Value> {
        Some(Value::int(self.number))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
