//! Go's syntax to that of the crate `regex`, with Go's errors.
//!
//! Both match alike; they differ in what they take for syntax. Here a pattern is read by Go's
//! rules, and written so that the crate cannot read it in another way.

use std::fmt::Write;

use crate::regexes::class;

/// The largest count of `{n}`, nested ones multiplied.
const REPEAT_MAX: u64 = 1_000;
/// Groups inside each other.
const DEPTH_MAX: usize = 1_000;

/// Why a pattern is none; `Display` is Go's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    code: &'static str,
    at: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error parsing regexp: {}: `{}`", self.code, self.at)
    }
}

pub(super) fn refused(code: &'static str, at: &str) -> Refused {
    Refused { code, at: at.to_owned() }
}

pub(super) const INVALID_ESCAPE: &str = "invalid escape sequence";
pub(super) const INVALID_RANGE: &str = "invalid character class range";
const INVALID_REPEAT_SIZE: &str = "invalid repeat count";
const INVALID_CAPTURE: &str = "invalid named capture";
const MISSING_ARGUMENT: &str = "missing argument to repetition operator";

/// An open group.
struct Group {
    /// The repetition count inside the last atom; `None` where nothing can be repeated.
    last: Option<u64>,
    /// The largest such count in the group.
    largest: u64,
    /// Where the group begins in what is written, and where its last atom does.
    start: usize,
    last_start: usize,
}

impl Group {
    fn open(start: usize) -> Self {
        Self { last: None, largest: 1, start, last_start: start }
    }

    fn atom(&mut self, count: u64) {
        self.last = Some(count);
        self.largest = self.largest.max(count);
    }
}

/// What Go says of a pattern that is none; `None` where it is one.
pub fn regex_problem(pattern: &str) -> Option<String> {
    translate(pattern).err().map(|refused| refused.to_string())
}

/// A pattern for the crate. Names are kept apart: in Go two groups may have the same.
pub(crate) struct Translated {
    pub(crate) pattern: String,
    /// Of each group that captures; the first is the whole match.
    pub(crate) names: Vec<Option<Box<str>>>,
    /// How often its most repeated part is repeated, which is what it costs.
    pub(crate) largest: u64,
}

/// Translates a pattern.
///
/// # Errors
///
/// [`Refused`] with Go's words.
pub(crate) fn translate(pattern: &str) -> Result<Translated, Refused> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut groups = vec![Group::open(0)];
    let mut names: Vec<Option<Box<str>>> = vec![None];
    let mut rest = pattern;
    // The text from the repetition just read on, or nothing.
    let mut last_repeat = "";
    // Flags wait for what is no repetition: to Go they are nothing that could be repeated.
    let mut flags = String::new();
    while let Some(char) = rest.chars().next() {
        let group = groups.last_mut().expect("the pattern itself is never closed");
        let before = std::mem::take(&mut last_repeat);
        let repeats = matches!(char, '*' | '+' | '?') || char == '{' && counts(rest).is_some();
        if !repeats && !is_flags(rest) {
            out.push_str(&std::mem::take(&mut flags));
            group.last_start = out.len();
        }
        if repeats && !flags.is_empty() && group.last.is_some() {
            // What was repeated before the flags is an atom of its own.
            out.insert_str(group.last_start, "(?:");
            out.push(')');
        }
        let after = &rest[char.len_utf8()..];
        match char {
            '(' => {
                if groups.len() > DEPTH_MAX {
                    return Err(refused("expression nests too deeply", pattern));
                }
                let (text, left, opens) = match rest.strip_prefix("(?") {
                    Some(_) => group_start(rest, &mut names)?,
                    None => {
                        names.push(None);
                        ("(", after, true)
                    }
                };
                if opens {
                    groups.push(Group::open(out.len()));
                    out.push_str(text);
                } else {
                    flags.push_str(text);
                }
                rest = left;
            }
            ')' => {
                if groups.len() == 1 {
                    return Err(refused("unexpected )", pattern));
                }
                let closed = groups.pop().expect("there are two at least");
                let outer = groups.last_mut().expect("one is left");
                outer.atom(closed.largest);
                outer.last_start = closed.start;
                out.push(')');
                rest = after;
            }
            '|' => {
                group.last = None;
                out.push('|');
                rest = after;
            }
            '*' | '+' | '?' => {
                let left = repeated(rest, after, before, group, 1)?;
                out.push_str(&rest[..rest.len() - left.len()]);
                last_repeat = rest;
                rest = left;
            }
            '{' => match counts(rest) {
                None => {
                    out.push_str("\\{");
                    group.atom(1);
                    rest = after;
                }
                Some((low, high, after)) => {
                    let text = |left: &str| &rest[..rest.len() - left.len()];
                    let largest = high.unwrap_or(low);
                    if low > REPEAT_MAX || largest > REPEAT_MAX || low > largest {
                        return Err(refused(INVALID_REPEAT_SIZE, text(after)));
                    }
                    let left = repeated(rest, after, before, group, largest.max(1))?;
                    if group.largest > REPEAT_MAX {
                        return Err(refused(INVALID_REPEAT_SIZE, text(left)));
                    }
                    out.push_str(text(left));
                    last_repeat = rest;
                    rest = left;
                }
            },
            '[' => {
                rest = class::bracket(rest, &mut out)?;
                group.atom(1);
            }
            '\\' => rest = escaped(rest, &mut out, group)?,
            '^' | '$' | '.' => {
                out.push(char);
                group.atom(1);
                rest = after;
            }
            char => {
                push_literal(&mut out, char);
                group.atom(1);
                rest = after;
            }
        }
    }
    if groups.len() > 1 {
        return Err(refused("missing closing )", pattern));
    }
    out.push_str(&flags);
    Ok(Translated { pattern: out, names, largest: groups[0].largest })
}

/// Reads a repetition's end; says what is left.
fn repeated<'a>(
    text: &'a str,
    after: &'a str,
    before: &str,
    group: &mut Group,
    times: u64,
) -> Result<&'a str, Refused> {
    let left = after.strip_prefix('?').unwrap_or(after);
    if !before.is_empty() {
        let whole = &before[..before.len() - left.len()];
        return Err(refused("invalid nested repetition operator", whole));
    }
    let Some(count) = group.last else {
        return Err(refused(MISSING_ARGUMENT, &text[..text.len() - left.len()]));
    };
    group.atom(count.saturating_mul(times));
    Ok(left)
}

/// `{n}`, `{n,}` or `{n,m}`; anything else is no repetition.
fn counts(text: &str) -> Option<(u64, Option<u64>, &str)> {
    let inside = text.strip_prefix('{')?;
    let (low, left) = number(inside)?;
    if let Some(after) = left.strip_prefix('}') {
        return Some((low, Some(low), after));
    }
    let left = left.strip_prefix(',')?;
    if let Some(after) = left.strip_prefix('}') {
        return Some((low, None, after));
    }
    let (high, left) = number(left)?;
    Some((low, Some(high), left.strip_prefix('}')?))
}

fn number(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let leading_zero = digits >= 2 && text.starts_with('0');
    if digits == 0 || leading_zero {
        return None;
    }
    // What does not fit is too large in any case.
    Some((text[..digits].parse().unwrap_or(u64::MAX), &text[digits..]))
}

/// Whether a group begins that only sets flags.
fn is_flags(text: &str) -> bool {
    text.starts_with("(?") && matches!(group_start(text, &mut Vec::new()), Ok((.., false)))
}

/// `(?…`: what to write, what is left, and whether a group opens.
fn group_start<'a>(
    text: &'a str,
    names: &mut Vec<Option<Box<str>>>,
) -> Result<(&'a str, &'a str, bool), Refused> {
    let name_at = if text.starts_with("(?P<") && text.len() > 4 {
        Some(4)
    } else if text.starts_with("(?<") && text.len() > 3 {
        Some(3)
    } else {
        None
    };
    if let Some(start) = name_at {
        let end = text.find('>').ok_or_else(|| refused(INVALID_CAPTURE, text))?;
        let whole = &text[..=end];
        let name = &text[start..end];
        let is_word = |char: char| char == '_' || char.is_ascii_alphanumeric();
        if name.is_empty() || !name.chars().all(is_word) {
            return Err(refused(INVALID_CAPTURE, whole));
        }
        names.push(Some(name.into()));
        return Ok(("(", &text[end + 1..], true));
    }
    let mut negative = false;
    let mut any = false;
    for (at, char) in text.char_indices().skip(2) {
        let left = &text[at + char.len_utf8()..];
        let whole = &text[..text.len() - left.len()];
        match char {
            'i' | 'm' | 's' | 'U' => any = true,
            '-' if !negative => {
                negative = true;
                any = false;
            }
            ':' | ')' if !negative || any => {
                // To the crate an empty `(?)` is an error.
                let written = if whole == "(?)" { "" } else { whole };
                return Ok((written, left, char == ':'));
            }
            _ => return Err(refused("invalid or unsupported Perl syntax", whole)),
        }
    }
    Err(refused("invalid or unsupported Perl syntax", text))
}

/// Reads what begins with a backslash, outside of brackets.
fn escaped<'a>(text: &'a str, out: &mut String, group: &mut Group) -> Result<&'a str, Refused> {
    let Some(char) = text[1..].chars().next() else {
        return Err(refused("trailing backslash at end of expression", ""));
    };
    let after = &text[1 + char.len_utf8()..];
    let written = match char {
        'A' => "\\A",
        'z' => "\\z",
        // Words are of ASCII only.
        'b' => "(?-u:\\b)",
        'B' => "(?-u:\\B)",
        'C' => return Err(refused(INVALID_ESCAPE, "\\C")),
        'Q' => {
            let (literal, left) = after.split_once("\\E").unwrap_or((after, ""));
            for char in literal.chars() {
                push_literal(out, char);
                group.atom(1);
            }
            return Ok(left);
        }
        'p' | 'P' => {
            group.atom(1);
            return class::unicode(text, out);
        }
        _ => match class::perl(char) {
            Some(class) => class,
            None => {
                let (char, left) = class::escape(text)?;
                push_literal(out, char);
                group.atom(1);
                return Ok(left);
            }
        },
    };
    out.push_str(written);
    group.atom(1);
    Ok(after)
}

/// Writes a character that means itself, inside brackets and outside.
pub(super) fn push_literal(out: &mut String, char: char) {
    if char.is_ascii_alphanumeric() || !char.is_ascii() || char == '_' {
        out.push(char);
    } else {
        // Writing to a string does not fail.
        let _ = write!(out, "\\x{:02X}", u32::from(char));
    }
}
