//! Durations as Go writes them.

use std::time::Duration;

/// A text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse {0} as a duration")]
pub struct BadDuration(pub String);

const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a Go duration: `1h30m`, `1.5s`, `100ms`, `0`. A duration below zero is zero.
///
/// # Errors
///
/// [`BadDuration`] where the text is none, or one too long for Go (about 292 years).
pub fn parse_go_duration(text: &str) -> Result<Duration, BadDuration> {
    go_nanoseconds(text)
        .map(|nanoseconds| Duration::from_nanos(nanoseconds.max(0).unsigned_abs()))
        .ok_or_else(|| BadDuration(text.to_owned()))
}

/// Reads a Go duration, or a bare whole number of seconds.
///
/// # Errors
///
/// [`BadDuration`] where the text is neither.
pub fn parse_duration_or_seconds(text: &str) -> Result<Duration, BadDuration> {
    match text.parse::<i64>() {
        Ok(seconds) => Ok(Duration::from_secs(seconds.max(0).unsigned_abs())),
        Err(_) => parse_go_duration(text),
    }
}

/// Writes a duration as Go does: `1h0m0s`, `1.5s`, `100ms`, `0s`.
pub fn format_go_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let part = |whole: u128, fraction: u128, digits: usize, unit: &str| {
        let fraction = format!("{fraction:0digits$}");
        match fraction.trim_end_matches('0') {
            "" => format!("{whole}{unit}"),
            fraction => format!("{whole}.{fraction}{unit}"),
        }
    };
    match nanoseconds {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => part(nanoseconds / 1_000, nanoseconds % 1_000, 3, "µs"),
        1_000_000..1_000_000_000 => part(nanoseconds / 1_000_000, nanoseconds % 1_000_000, 6, "ms"),
        _ => {
            let seconds = nanoseconds / 1_000_000_000;
            let last = part(seconds % 60, nanoseconds % 1_000_000_000, 9, "s");
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => last,
                (0, minutes) => format!("{minutes}m{last}"),
                (hours, minutes) => format!("{hours}h{minutes}m{last}"),
            }
        }
    }
}

fn go_nanoseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum: u128 = 0;
    loop {
        let whole = digits(rest);
        rest = &rest[whole.len()..];
        let fraction = match rest.strip_prefix('.') {
            Some(behind) => {
                let fraction = digits(behind);
                rest = &behind[fraction.len()..];
                fraction
            }
            None => "",
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (_, size) = UNITS.iter().find(|(unit, _)| *unit == &rest[..end])?;
        rest = &rest[end..];
        if !whole.is_empty() {
            let part = whole.parse::<u128>().ok()?.checked_mul(*size)?;
            sum = sum.checked_add(part)?;
        }
        let mut scale = *size;
        for digit in fraction.bytes() {
            scale /= 10;
            sum += scale * u128::from(digit - b'0');
        }
        if sum > i64::MAX.unsigned_abs().into() {
            return None;
        }
        if rest.is_empty() {
            let sum = i64::try_from(sum).ok()?;
            return Some(if negative { -sum } else { sum });
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}
