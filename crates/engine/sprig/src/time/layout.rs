//! Layouts: the parts of a time, written as those of one certain time.

/// One part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    Offset(Offset),
    /// So many digits, all of them written.
    Fraction {
        digits: usize,
        sign: u8,
    },
    /// Trailing zeros left out, the sign too if nothing is left.
    ShortFraction {
        sign: u8,
    },
}

/// How an offset is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    /// `Z` for UTC.
    pub(super) z: bool,
    pub(super) shape: Shape,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `-07`
    Hours,
    /// `-0700`
    Minutes,
    /// `-07:00`
    ColonMinutes,
    /// `-070000`
    Seconds,
    /// `-07:00:00`
    ColonSeconds,
}

/// Texts and what they mean, the longer ones first.
const FIXED: [(&[u8], Part); 23] = [
    (b"January", Part::LongMonth),
    (b"Monday", Part::LongWeekDay),
    (b"MST", Part::ZoneName),
    (b"002", Part::ZeroYearDay),
    (b"01", Part::ZeroMonth),
    (b"02", Part::ZeroDay),
    (b"03", Part::ZeroHour12),
    (b"04", Part::ZeroMinute),
    (b"05", Part::ZeroSecond),
    (b"06", Part::Year),
    (b"15", Part::Hour),
    (b"1", Part::NumMonth),
    (b"2006", Part::LongYear),
    (b"2", Part::Day),
    (b"__2", Part::UnderYearDay),
    (b"_2", Part::UnderDay),
    (b"3", Part::Hour12),
    (b"4", Part::Minute),
    (b"5", Part::Second),
    (b"PM", Part::UpperPm),
    (b"pm", Part::LowerPm),
    (b"Jan", Part::Month),
    (b"Mon", Part::WeekDay),
];

const OFFSETS: [(&[u8], Shape); 5] = [
    (b"070000", Shape::Seconds),
    (b"07:00:00", Shape::ColonSeconds),
    (b"0700", Shape::Minutes),
    (b"07:00", Shape::ColonMinutes),
    (b"07", Shape::Hours),
];

/// The first part of a layout: what stands before it, the part, its text, and what is left.
pub(super) struct Chunk<'a> {
    pub(super) before: &'a [u8],
    pub(super) part: Option<Part>,
    pub(super) text: &'a [u8],
    pub(super) left: &'a [u8],
}

pub(super) fn next(layout: &[u8]) -> Chunk<'_> {
    for at in 0..layout.len() {
        if let Some((part, skipped, len)) = part_at(&layout[at..]) {
            let start = at + skipped;
            return Chunk {
                before: &layout[..start],
                part: Some(part),
                text: &layout[start..start + len],
                left: &layout[start + len..],
            };
        }
    }
    Chunk { before: layout, part: None, text: b"", left: b"" }
}

/// The part that begins here, perhaps behind an underscore, and its length.
fn part_at(layout: &[u8]) -> Option<(Part, usize, usize)> {
    match layout[0] {
        b'-' | b'Z' => {
            let z = layout[0] == b'Z';
            let (text, shape) = OFFSETS.iter().find(|(text, _)| layout[1..].starts_with(text))?;
            Some((Part::Offset(Offset { z, shape: *shape }), 0, 1 + text.len()))
        }
        sign @ (b'.' | b',') => {
            let digit = *layout.get(1).filter(|digit| matches!(digit, b'0' | b'9'))?;
            let digits = layout[1..].iter().take_while(|byte| **byte == digit).count();
            // Digits must end here.
            if layout.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let part = if digit == b'0' {
                Part::Fraction { digits, sign }
            } else {
                Part::ShortFraction { sign }
            };
            Some((part, 0, 1 + digits))
        }
        b'_' if layout.starts_with(b"_2006") => Some((Part::LongYear, 1, 4)),
        _ => {
            let (text, part) = FIXED.iter().find(|(text, part)| {
                let lower = layout.get(text.len()).is_some_and(u8::is_ascii_lowercase);
                let word = matches!(part, Part::Month | Part::WeekDay);
                layout.starts_with(text) && !(word && lower)
            })?;
            Some((*part, 0, text.len()))
        }
    }
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
