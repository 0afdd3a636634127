//! Go's `filepath.Match`: `*`, `?`, `[a-z]`, `[^a]` and `\`; no `*` crosses a `/`.

use crate::machine::Step;

/// A pattern that is none, in Go's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct BadPattern;

/// Whether the whole name fits the pattern.
///
/// Go goes from star to star: what stands between two of them is put at the first place where
/// it fits, and never moved again.
///
/// # Errors
///
/// [`BadPattern`], where Go comes as far as the place that is wrong.
pub fn file_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let is_literal =
        |text: &str| !text.bytes().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'));
    // Most patterns are names or endings.
    match pattern.strip_prefix('*') {
        None if is_literal(pattern) => return Ok(pattern == name),
        Some(ending) if !ending.is_empty() && is_literal(ending) => {
            return Ok(name.strip_suffix(ending).is_some_and(|before| !before.contains('/')));
        }
        _ => {}
    }
    let mut pattern = pattern;
    let mut name = name;
    while !pattern.is_empty() {
        let after_star = pattern.trim_start_matches('*');
        let star = after_star.len() < pattern.len();
        let (part, rest) = after_star.split_at(part_len(after_star));
        if star && part.is_empty() {
            return Ok(!name.contains('/'));
        }
        let steps = steps(part)?;
        let last = rest.is_empty();
        let mut places = name.char_indices().map(|(at, char)| (at + char.len_utf8(), char));
        let mut at = 0;
        let left = loop {
            match fit(&steps, &name[at..]) {
                Some(left) if left.is_empty() || !last => break left,
                _ if !star => return Ok(false),
                _ => match places.next() {
                    Some((next, char)) if char != '/' => at = next,
                    _ => return Ok(false),
                },
            }
        };
        name = left;
        pattern = rest;
    }
    Ok(name.is_empty())
}

/// How long the part is before the next star that is a star.
fn part_len(pattern: &str) -> usize {
    let mut in_class = false;
    let mut chars = pattern.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '[' => in_class = true,
            ']' => in_class = false,
            '*' if !in_class => return at,
            _ => {}
        }
    }
    pattern.len()
}

fn steps(part: &str) -> Result<Vec<Step>, BadPattern> {
    let mut steps = Vec::new();
    let mut rest = part.chars();
    while let Some(char) = rest.next() {
        steps.push(match char {
            '?' => no_slash(),
            '[' => class(&mut rest)?,
            '\\' => Step::Char(rest.next().ok_or(BadPattern)?),
            char => Step::Char(char),
        });
    }
    Ok(steps)
}

/// Puts a part at the beginning of the text; says what is left of it.
fn fit<'a>(steps: &[Step], text: &'a str) -> Option<&'a str> {
    let mut chars = text.chars();
    for step in steps {
        if !step.takes(chars.next()?) {
            return None;
        }
    }
    Some(chars.as_str())
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
