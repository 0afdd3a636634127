//! Durations as Go writes them.

use std::time::Duration;

use manifest::go_nanoseconds;

/// A text is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse {0} as a duration")]
pub struct BadDuration(pub String);

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
