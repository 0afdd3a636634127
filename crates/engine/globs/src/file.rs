//! Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]` and `\`; no `*` crosses a `/`.

use crate::machine::{Machine, Step};

/// A pattern that is none, in Go's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether the whole name fits the pattern.
///
/// # Errors
///
/// [`BadPattern`], whatever the name is.
pub fn file_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let mut machine = Machine::default();
    let mut rest = pattern.chars();
    while let Some(char) = rest.next() {
        match char {
            '*' => machine.push_star(no_slash()),
            '?' => {
                machine.push(no_slash());
            }
            '[' => {
                machine.push(class(&mut rest)?);
            }
            '\\' => {
                machine.push(Step::Char(rest.next().ok_or(BadPattern)?));
            }
            char => {
                machine.push(Step::Char(char));
            }
        }
    }
    Ok(machine.matches(name))
}

pub(crate) fn no_slash() -> Step {
    Step::AnyBut(Box::new(['/']))
}

/// Reads a class after its `[`; at least one character or range must stand in it.
fn class(rest: &mut std::str::Chars<'_>) -> Result<Step, BadPattern> {
    let not = rest.as_str().starts_with('^');
    if not {
        rest.next();
    }
    let mut ranges = Vec::new();
    loop {
        if rest.as_str().starts_with(']') && !ranges.is_empty() {
            rest.next();
            return Ok(Step::Class { ranges: ranges.into(), not });
        }
        let low = class_char(rest)?;
        let mut high = low;
        if rest.as_str().starts_with('-') {
            rest.next();
            high = class_char(rest)?;
        }
        ranges.push((low, high));
    }
}

fn class_char(rest: &mut std::str::Chars<'_>) -> Result<char, BadPattern> {
    match rest.next() {
        None | Some('-' | ']') => Err(BadPattern),
        Some('\\') => rest.next().ok_or(BadPattern),
        Some(char) => Ok(char),
    }
}
