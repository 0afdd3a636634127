//! Answers of OAuth's token servers.

use jiff::SignedDuration;
use serde::Deserialize;

use crate::surroundings::{CloudError, Login, Surroundings};

/// A token stops to be used this long before it stops to hold: clocks differ.
const EARLY: SignedDuration = SignedDuration::from_secs(60);

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    /// Seconds; some servers write a text.
    #[serde(default)]
    expires_in: Seconds,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(i64),
    Text(String),
}

impl Default for Seconds {
    fn default() -> Self {
        Seconds::Number(0)
    }
}

/// Reads a token server's answer.
pub(crate) fn login(answer: &str, surroundings: &Surroundings<'_>) -> Result<Login, CloudError> {
    let answer: Answer = serde_json::from_str(answer).map_err(|error| CloudError::Unusable {
        what: "the token server's answer".to_owned(),
        why: format!("it does not read at line {} column {}", error.line(), error.column()),
    })?;
    let seconds = match &answer.expires_in {
        Seconds::Number(seconds) => *seconds,
        Seconds::Text(text) => text.parse().unwrap_or(0),
    };
    let holds = SignedDuration::from_secs(seconds).saturating_sub(EARLY).max(SignedDuration::ZERO);
    Ok(Login { token: answer.access_token, expires: surroundings.after(holds) })
}
