//! Trying a failed sync again.

use jiff::{SignedDuration, Timestamp};

/// How often, and how soon.
///
/// Upstream's numbers (CRD-07): 5 s, doubled, never more than 3 min.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    /// Attempts after the first one; `None` tries for ever.
    pub limit: Option<u64>,
    /// The wait after the first failure.
    pub first: SignedDuration,
    /// Each wait is so many times the one before.
    pub factor: i64,
    /// No wait is longer; `None` sets no bound.
    pub cap: Option<SignedDuration>,
    /// Each attempt asks the repository anew.
    pub refresh: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            limit: Some(0),
            first: SignedDuration::from_secs(5),
            factor: 2,
            cap: Some(SignedDuration::from_mins(3)),
            refresh: false,
        }
    }
}

/// Text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse {text} as a duration")]
pub struct NoDuration {
    /// As written.
    pub text: String,
}

impl Retry {
    /// Tells whether another attempt is allowed after `done` repeated ones.
    pub fn allows(&self, done: i64) -> bool {
        self.limit.is_none_or(|limit| u64::try_from(done).unwrap_or(0) < limit)
    }

    /// Returns when the next attempt is due.
    ///
    /// `done` is the number of repeated attempts so far, as upstream counts them: 0 after the first failure.
    pub fn next_at(&self, failed_at: Timestamp, done: i64) -> Timestamp {
        let power = (self.factor as f64).powi(i32::try_from(done).unwrap_or(i32::MAX));
        let mut wait_s = self.first.as_secs_f64() * power;
        if let Some(cap) = self.cap.filter(|cap| cap.is_positive()) {
            wait_s = wait_s.min(cap.as_secs_f64());
        }
        // A wait too long to hold is longer than any sync is of use.
        let wait = SignedDuration::try_from_secs_f64(wait_s)
            .unwrap_or(SignedDuration::from_hours(24 * 365));
        failed_at.checked_add(wait).unwrap_or(Timestamp::MAX)
    }
}

/// Reads Go's duration text (`1h2m3.5s`), or a bare integer as seconds.
///
/// # Errors
///
/// [`NoDuration`] with upstream's words.
pub fn parse_duration(text: &str) -> Result<SignedDuration, NoDuration> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(SignedDuration::from_secs(seconds));
    }
    manifest::go_nanoseconds(text)
        .map(SignedDuration::from_nanos)
        .ok_or_else(|| NoDuration { text: text.to_owned() })
}
