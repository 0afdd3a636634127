//! Where charts' randomness and time come from.
//!
//! A chart that makes up a password or a certificate would make up another one with each
//! rendering, and its Application would never be in sync. Here it makes up the same as long as
//! the installation's seed, the Application and the call are the same.

use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// A secret of one installation, from which charts' randomness is derived.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Derives a seed from a secret text (`server.secretkey` of `argocd-secret`).
    pub fn of(secret: &str) -> Self {
        let mut sha = Sha256::new();
        sha.update("charts' randomness\0");
        sha.update(secret);
        Self(sha.finalize().into())
    }

    /// The key of one source of one Application.
    pub(crate) fn key(&self, app_name: &str, source_index: usize) -> [u8; 32] {
        let mut sha = Sha256::new();
        sha.update(self.0);
        sha.update((source_index as u64).to_be_bytes());
        sha.update(app_name);
        sha.finalize().into()
    }
}

/// Shows nothing: it is a secret.
impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

/// What charts take the time to be, in nanoseconds since 1970: the beginning of the half-year.
///
/// A certificate's days count from it, so it moves seldom; and it moves before a certificate of
/// a year ends.
pub fn charts_time(now: SystemTime) -> i128 {
    const DAY_NS: i128 = 86_400_000_000_000;
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let days = i128::from(since.as_secs()) / 86_400;
    // The Gregorian calendar in 400 years of 146,097 days.
    let (years, day_of_year) = year_of(days);
    let second_half = 181 + i128::from(is_leap(years));
    let into = if day_of_year >= second_half { second_half } else { 0 };
    (days - day_of_year + into) * DAY_NS
}

/// The year of a day since 1970, and the day in it, counted from 0.
fn year_of(days: i128) -> (i128, i128) {
    let mut year = 1970 + days / 366;
    let first_of = |year: i128| {
        let before = year - 1;
        365 * (year - 1970) + (before / 4 - before / 100 + before / 400) - 477
    };
    while first_of(year + 1) <= days {
        year += 1;
    }
    (year, days - first_of(year))
}

fn is_leap(year: i128) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_time_of_charts_is_the_beginning_of_a_half_year() {
        for (now_s, expected_s) in [
            (0, 0),
            (1_700_000_000, 1_688_169_600),
            (1_704_067_199, 1_688_169_600),
            (1_704_067_200, 1_704_067_200),
            (1_719_791_999, 1_704_067_200),
            (1_719_792_000, 1_719_792_000),
            (1_795_300_000, 1_782_864_000),
        ] {
            let time = charts_time(UNIX_EPOCH + Duration::from_secs(now_s));
            assert_eq!(time, expected_s * 1_000_000_000, "{now_s}");
        }
    }

    #[test]
    fn keys_differ_by_installation_application_and_source() {
        let (one, other) = (Seed::of("one"), Seed::of("other"));
        let keys = [one.key("a", 0), one.key("a", 1), one.key("b", 0), other.key("a", 0)];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key));
        }
        assert_eq!(one.key("a", 0), Seed::of("one").key("a", 0));
        assert_eq!(format!("{one:?}"), "Seed");
    }
}
