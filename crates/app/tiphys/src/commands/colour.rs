//! Colour, for people in front of a terminal alone.

use std::borrow::Cow;
use std::io::IsTerminal as _;

/// Whether words that say how well things are stand in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// They do.
    On,
    /// Plain text.
    Off,
}

impl Colour {
    /// On where the output is a terminal and `NO_COLOR` says nothing.
    pub fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match !unwanted && std::io::stdout().is_terminal() {
            true => Self::On,
            false => Self::Off,
        }
    }

    /// A word as it is printed.
    pub fn word(self, word: &str) -> Cow<'_, str> {
        let code = match (self, word.trim()) {
            (Self::Off, _) => return Cow::Borrowed(word),
            (Self::On, "Synced" | "Healthy" | "Succeeded") => 32,
            (Self::On, "OutOfSync" | "Missing" | "Suspended") => 33,
            (Self::On, "Progressing" | "Running") => 36,
            (Self::On, "Degraded" | "Failed" | "Error" | "SyncFailed") => 31,
            (Self::On, _) => return Cow::Borrowed(word),
        };
        Cow::Owned(format!("\u{1b}[{code}m{word}\u{1b}[0m"))
    }

    /// A line of a difference: what goes is red, what comes is green.
    pub fn change(self, line: &str) -> Cow<'_, str> {
        let code = match (self, line.as_bytes().first()) {
            (Self::On, Some(b'-')) => 31,
            (Self::On, Some(b'+')) => 32,
            (Self::On | Self::Off, _) => return Cow::Borrowed(line),
        };
        Cow::Owned(format!("\u{1b}[{code}m{line}\u{1b}[0m"))
    }
}
