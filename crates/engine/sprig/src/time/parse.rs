//! Reading a time by a layout.

use crate::time::calendar::{days_before, days_in, is_leap};
use crate::time::duration::quoted;
use crate::time::layout::{DAYS, MONTHS, Offset, Part, Shape, next};
use crate::time::moment::Time;
use crate::time::zone::Zone;

/// Why a part was not read.
enum Bad {
    /// It is not there.
    Text,
    /// It is too large or small.
    Range(&'static str),
}

type Read<'a, T> = Result<(T, &'a [u8]), Bad>;

/// What was read so far; `None` for what was not in the layout.
#[derive(Default)]
struct Found {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    afternoon: Option<bool>,
    utc: bool,
    offset_s: Option<i64>,
    zone_name: Option<Vec<u8>>,
}

/// Reads a time; one without a zone is in the local one.
///
/// # Errors
///
/// Go's.
pub(super) fn parse(layout: &[u8], text: &[u8]) -> Result<Time, String> {
    let refused = |element: &[u8], held: &[u8], message: Option<String>| match message {
        Some(message) => format!("parsing time {}{message}", quoted(text)),
        None => format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quoted(text),
            quoted(layout),
            quoted(held),
            quoted(element)
        ),
    };
    let mut found = Found::default();
    let mut layout_left = layout;
    let mut rest = text;
    loop {
        let chunk = next(layout_left);
        rest = skip(rest, chunk.before).map_err(|held| refused(chunk.before, held, None))?;
        let Some(part) = chunk.part else {
            if !rest.is_empty() {
                let message = format!(": extra text: {}", quoted(rest));
                return Err(refused(b"", rest, Some(message)));
            }
            break;
        };
        layout_left = chunk.left;
        rest = found.read(part, rest, layout_left).map_err(|bad| match bad {
            Bad::Text => refused(chunk.text, rest, None),
            Bad::Range(what) => refused(chunk.text, rest, Some(format!(": {what} out of range"))),
        })?;
    }
    found.time().map_err(|message| refused(b"", rest, Some(format!(": {message}"))))
}

/// Takes the layout's text from the front; blanks stand for any number of them.
fn skip<'a>(mut rest: &'a [u8], mut before: &[u8]) -> Result<&'a [u8], &'a [u8]> {
    while let [first, tail @ ..] = before {
        if *first == b' ' {
            if rest.first().is_some_and(|byte| *byte != b' ') {
                return Err(rest);
            }
            before = before.trim_ascii_start_of(b' ');
            rest = rest.trim_ascii_start_of(b' ');
            continue;
        }
        match rest {
            [byte, left @ ..] if byte == first => rest = left,
            _ => return Err(rest),
        }
        before = tail;
    }
    Ok(rest)
}

trait TrimStart {
    fn trim_ascii_start_of(&self, byte: u8) -> &Self;
}

impl TrimStart for [u8] {
    fn trim_ascii_start_of(&self, byte: u8) -> &[u8] {
        &self[self.iter().take_while(|here| **here == byte).count()..]
    }
}

fn is_digit(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}

/// One or two digits; two where it must be so.
fn number(text: &[u8], two: bool) -> Read<'_, i64> {
    let digit = |at: usize| i64::from(text[at] - b'0');
    if !is_digit(text, 0) || two && !is_digit(text, 1) {
        return Err(Bad::Text);
    }
    if !is_digit(text, 1) {
        return Ok((digit(0), &text[1..]));
    }
    Ok((digit(0) * 10 + digit(1), &text[2..]))
}

fn number_within<'a>(
    text: &'a [u8],
    two: bool,
    range: std::ops::Range<i64>,
    what: &'static str,
) -> Read<'a, i64> {
    let (value, rest) = number(text, two)?;
    if range.contains(&value) { Ok((value, rest)) } else { Err(Bad::Range(what)) }
}

fn name_of<'a>(names: &[&str], short: bool, text: &'a [u8]) -> Read<'a, i64> {
    for (at, name) in names.iter().enumerate() {
        let name = if short { &name[..3] } else { name };
        if text.len() >= name.len() && text[..name.len()].eq_ignore_ascii_case(name.as_bytes()) {
            return Ok((at as i64, &text[name.len()..]));
        }
    }
    Err(Bad::Text)
}

/// A point or comma and digits behind it, `len` bytes in all.
fn fraction(text: &[u8], len: usize) -> Result<u32, Bad> {
    if text.len() < len || !matches!(text[0], b'.' | b',') {
        return Err(Bad::Text);
    }
    let digits = &text[1..len.min(10)];
    let mut value = 0;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return Err(Bad::Text);
        }
        value = value * 10 + u32::from(digit - b'0');
    }
    Ok(value * 10u32.pow(9 - digits.len() as u32))
}

fn digits_behind_point(text: &[u8]) -> usize {
    text.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count()
}

fn year(text: &[u8]) -> Result<i64, Bad> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Bad::Text);
    }
    let value = digits.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Ok(if negative { -value } else { value })
}

impl Found {
    fn read<'a>(&mut self, part: Part, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Bad> {
        let rest;
        match part {
            Part::Year => {
                let two = text.get(..2).ok_or(Bad::Text)?;
                let short = year(two)?;
                self.year = short + if short >= 69 { 1900 } else { 2000 };
                rest = &text[2..];
            }
            Part::LongYear => {
                let four = text.get(..4).filter(|_| is_digit(text, 0)).ok_or(Bad::Text)?;
                self.year = year(four)?;
                rest = &text[4..];
            }
            Part::Month | Part::LongMonth => {
                let at;
                (at, rest) = name_of(&MONTHS, part == Part::Month, text)?;
                self.month = Some(at + 1);
            }
            Part::NumMonth | Part::ZeroMonth => {
                let value;
                (value, rest) = number_within(text, part == Part::ZeroMonth, 1..13, "month")?;
                self.month = Some(value);
            }
            Part::WeekDay | Part::LongWeekDay => {
                (_, rest) = name_of(&DAYS, part == Part::WeekDay, text)?;
            }
            Part::Day | Part::UnderDay | Part::ZeroDay => {
                let blank = part == Part::UnderDay && text.first() == Some(&b' ');
                let value;
                (value, rest) = number(&text[usize::from(blank)..], part == Part::ZeroDay)?;
                self.day = Some(value);
            }
            Part::UnderYearDay | Part::ZeroYearDay => {
                let under = part == Part::UnderYearDay;
                let blanks = text.iter().take(2).take_while(|byte| under && **byte == b' ').count();
                let text = &text[blanks..];
                let digits = text.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 0 || !under && digits != 3 {
                    return Err(Bad::Text);
                }
                self.year_day = Some(year(&text[..digits])?);
                rest = &text[digits..];
            }
            Part::Hour => (self.hour, rest) = number_within(text, false, 0..24, "hour")?,
            Part::Hour12 | Part::ZeroHour12 => {
                (self.hour, rest) = number_within(text, part == Part::ZeroHour12, 0..13, "hour")?;
            }
            Part::Minute | Part::ZeroMinute => {
                (self.minute, rest) =
                    number_within(text, part == Part::ZeroMinute, 0..60, "minute")?;
            }
            Part::Second | Part::ZeroSecond => {
                let left;
                (self.second, left) =
                    number_within(text, part == Part::ZeroSecond, 0..60, "second")?;
                rest = self.unasked_fraction(left, layout)?;
            }
            Part::UpperPm | Part::LowerPm => {
                let (am, pm): (&[u8], &[u8]) =
                    if part == Part::UpperPm { (b"AM", b"PM") } else { (b"am", b"pm") };
                self.afternoon = Some(match text.get(..2) {
                    Some(two) if two == pm => true,
                    Some(two) if two == am => false,
                    _ => return Err(Bad::Text),
                });
                rest = &text[2..];
            }
            Part::Offset(offset) => rest = self.read_offset(offset, text)?,
            Part::ZoneName if text.starts_with(b"UTC") => {
                self.utc = true;
                rest = &text[3..];
            }
            Part::ZoneName => {
                let len = zone_name_len(text).ok_or(Bad::Text)?;
                self.zone_name = Some(text[..len].to_vec());
                rest = &text[len..];
            }
            Part::Fraction { digits, .. } => {
                self.nanos = fraction(text, 1 + digits)?;
                rest = &text[1 + digits..];
            }
            Part::ShortFraction { .. } => {
                let there = matches!(text.first(), Some(b'.' | b',')) && is_digit(text, 1);
                let len = if there { 1 + digits_behind_point(text) } else { 0 };
                if there {
                    self.nanos = fraction(text, len)?;
                }
                rest = &text[len..];
            }
        }
        Ok(rest)
    }

    /// A fraction of seconds may stand in a text without being in the layout.
    fn unasked_fraction<'a>(&mut self, text: &'a [u8], layout: &[u8]) -> Result<&'a [u8], Bad> {
        if !matches!(text.first(), Some(b'.' | b',')) || !is_digit(text, 1) {
            return Ok(text);
        }
        if matches!(next(layout).part, Some(Part::Fraction { .. } | Part::ShortFraction { .. })) {
            return Ok(text);
        }
        let len = 1 + digits_behind_point(text);
        self.nanos = fraction(text, len)?;
        Ok(&text[len..])
    }

    fn read_offset<'a>(&mut self, offset: Offset, text: &'a [u8]) -> Result<&'a [u8], Bad> {
        if offset.z && text.first() == Some(&b'Z') {
            self.utc = true;
            return Ok(&text[1..]);
        }
        let (len, colons, parts): (usize, &[usize], &[usize]) = match offset.shape {
            Shape::Hours => (3, &[], &[1]),
            Shape::Minutes => (5, &[], &[1, 3]),
            Shape::ColonMinutes => (6, &[3], &[1, 4]),
            Shape::Seconds => (7, &[], &[1, 3, 5]),
            Shape::ColonSeconds => (9, &[3, 6], &[1, 4, 7]),
        };
        if text.len() < len || colons.iter().any(|at| text[*at] != b':') {
            return Err(Bad::Text);
        }
        let read = parts.iter().map(|at| number(&text[*at..*at + 2], true));
        let values: Vec<i64> = read.map_while(|part| Some(part.ok()?.0)).collect();
        // What is out of range is told before what is not read.
        for (value, (most, what)) in values.iter().zip([
            (24, "time zone offset hour"),
            (60, "time zone offset minute"),
            (60, "time zone offset second"),
        ]) {
            if *value > most {
                return Err(Bad::Range(what));
            }
        }
        if values.len() < parts.len() {
            return Err(Bad::Text);
        }
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        let (hours, minutes, seconds) = (at(0), at(1), at(2));
        let size = (hours * 60 + minutes) * 60 + seconds;
        self.offset_s = Some(match text[0] {
            b'+' => size,
            b'-' => -size,
            _ => return Err(Bad::Text),
        });
        Ok(&text[len..])
    }

    fn time(mut self) -> Result<Time, String> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        let (month, day) = self.date()?;
        if day < 1 || day > days_in(month, self.year) {
            return Err("day out of range".to_owned());
        }
        let date = [self.year, month, day];
        let clock = [self.hour, self.minute, self.second];
        let of = |zone: Zone| Time::of(date, clock, self.nanos, zone);
        if self.utc {
            return Ok(of(Zone::Utc));
        }
        let name = self.zone_name.as_deref().map(goval::text_of);
        if let Some(offset_s) = self.offset_s {
            // An offset of the local zone is taken for it.
            if offset_s == 0 && name.as_deref().is_none_or(|name| name == "UTC") {
                return Ok(of(Zone::Local));
            }
            return Ok(of(Zone::Fixed { name: name.unwrap_or_default(), offset_s }));
        }
        match name {
            None => Ok(of(Zone::Local)),
            Some(name) => {
                // The offset is not known; the time is taken as it stands.
                let hours = name.strip_prefix("GMT").and_then(|hours| hours.parse::<i64>().ok());
                let offset_s = hours.unwrap_or_default() * 3_600;
                Ok(of(Zone::Utc).in_zone(Zone::Fixed { name, offset_s }))
            }
        }
    }

    fn date(&self) -> Result<(i64, i64), String> {
        let Some(mut year_day) = self.year_day else {
            return Ok((self.month.unwrap_or(1), self.day.unwrap_or(1)));
        };
        let mut date = None;
        if is_leap(self.year) {
            if year_day == 31 + 29 {
                date = Some((2, 29));
            } else if year_day > 31 + 29 {
                year_day -= 1;
            }
        }
        if !(1..=365).contains(&year_day) {
            return Err("day-of-year out of range".to_owned());
        }
        let (month, day) = date.unwrap_or_else(|| {
            let month = (1..=12).rev().find(|month| days_before(*month) < year_day).unwrap_or(1);
            (month, year_day - days_before(month))
        });
        if self.month.is_some_and(|known| known != month) {
            return Err("day-of-year does not match month".to_owned());
        }
        if self.day.is_some_and(|known| known != day) {
            return Err("day-of-year does not match day".to_owned());
        }
        Ok((month, day))
    }
}

/// How long the abbreviation of a zone at the front is.
fn zone_name_len(text: &[u8]) -> Option<usize> {
    if text.len() < 3 {
        return None;
    }
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if text.starts_with(b"GMT") {
        return Some(3 + signed_hours_len(&text[3..]));
    }
    if matches!(text[0], b'+' | b'-') {
        return Some(signed_hours_len(text)).filter(|len| *len > 0);
    }
    let capitals = text.iter().take(6).take_while(|byte| byte.is_ascii_uppercase()).count();
    match capitals {
        5 if text[4] == b'T' => Some(5),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        3 => Some(3),
        _ => None,
    }
}

fn signed_hours_len(text: &[u8]) -> usize {
    if !matches!(text.first(), Some(b'+' | b'-')) {
        return 0;
    }
    let digits = digits_behind_point(text);
    let hours = text[1..=digits].iter().fold(0u64, |value, digit| {
        value.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
    });
    if digits == 0 || hours > 23 { 0 } else { 1 + digits }
}
