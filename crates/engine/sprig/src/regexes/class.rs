//! Classes of characters, and escapes.

use regex::Regex;

use crate::regexes::translate::{INVALID_ESCAPE, INVALID_RANGE, Refused, push_literal, refused};

const MISSING_BRACKET: &str = "missing closing ]";

/// The classes of one letter; all are of ASCII.
pub(super) fn perl(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => "[\\t\\n\\x0C\\r ]",
        'S' => "[^\\t\\n\\x0C\\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    })
}

/// Reads `[…]`; says what is left.
pub(super) fn bracket<'a>(text: &'a str, out: &mut String) -> Result<&'a str, Refused> {
    let mut rest = &text[1..];
    out.push('[');
    if let Some(left) = rest.strip_prefix('^') {
        out.push('^');
        rest = left;
    }
    let mut first = true;
    while first || !rest.starts_with(']') {
        first = false;
        if rest.starts_with("[:")
            && rest.len() > 2
            && let Some(end) = rest[2..].find(":]")
        {
            let name = &rest[..end + 4];
            if !is_posix(name) {
                return Err(refused(INVALID_RANGE, name));
            }
            out.push_str(name);
            rest = &rest[end + 4..];
            continue;
        }
        if rest.starts_with("\\p") || rest.starts_with("\\P") {
            rest = unicode(rest, out)?;
            continue;
        }
        if let Some(letter) = rest.strip_prefix('\\').and_then(|rest| rest.chars().next())
            && let Some(class) = perl(letter)
        {
            out.push_str(class);
            rest = &rest[2..];
            continue;
        }
        let start = rest;
        let (low, left) = member(rest, text)?;
        rest = left;
        push_literal(out, low);
        if let Some(left) = rest.strip_prefix('-')
            && !left.is_empty()
            && !left.starts_with(']')
        {
            let (high, left) = member(left, text)?;
            rest = left;
            if high < low {
                return Err(refused(INVALID_RANGE, &start[..start.len() - rest.len()]));
            }
            out.push('-');
            push_literal(out, high);
        }
    }
    out.push(']');
    Ok(&rest[1..])
}

fn is_posix(name: &str) -> bool {
    let word = name.trim_start_matches("[:").trim_end_matches(":]");
    let word = word.strip_prefix('^').unwrap_or(word);
    matches!(
        word,
        "alnum"
            | "alpha"
            | "ascii"
            | "blank"
            | "cntrl"
            | "digit"
            | "graph"
            | "lower"
            | "print"
            | "punct"
            | "space"
            | "upper"
            | "word"
            | "xdigit"
    )
}

fn member<'a>(text: &'a str, whole: &str) -> Result<(char, &'a str), Refused> {
    match text.chars().next() {
        None => Err(refused(MISSING_BRACKET, whole)),
        Some('\\') => escape(text),
        Some(char) => Ok((char, &text[char.len_utf8()..])),
    }
}

/// Reads an escape that means one character.
pub(super) fn escape(text: &str) -> Result<(char, &str), Refused> {
    let mut chars = text[1..].chars();
    let Some(char) = chars.next() else {
        return Err(refused("trailing backslash at end of expression", ""));
    };
    let after = chars.as_str();
    let octal = |char: char| char.to_digit(8);
    let plain = match char {
        'a' => Some('\x07'),
        'f' => Some('\x0C'),
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        'v' => Some('\x0B'),
        '0'..='7' => {
            let more = after.chars().take(2).map_while(octal).collect::<Vec<_>>();
            // One digit that is no zero would refer to a group.
            if char != '0' && more.is_empty() {
                None
            } else {
                let value = more.iter().fold(octal(char).unwrap_or_default(), |v, d| v * 8 + d);
                let left = &after[more.len()..];
                return Ok((
                    char::from_u32(value).expect("three octal digits are a character"),
                    left,
                ));
            }
        }
        'x' => return hex(text, after),
        char if char.is_ascii() && !char.is_ascii_alphanumeric() => Some(char),
        _ => None,
    };
    match plain {
        Some(char) => Ok((char, after)),
        None => Err(refused(INVALID_ESCAPE, &text[..text.len() - after.len()])),
    }
}

/// `\x41` or `\x{1F600}`; the error names what was read.
fn hex<'a>(text: &'a str, after: &'a str) -> Result<(char, &'a str), Refused> {
    let read = |left: &str| refused(INVALID_ESCAPE, &text[..text.len() - left.len()]);
    let mut chars = after.chars();
    let Some(first) = chars.next() else { return Err(read(after)) };
    let mut value = 0;
    if first == '{' {
        let mut any = false;
        loop {
            let Some(char) = chars.next() else { return Err(read(chars.as_str())) };
            if char == '}' {
                break;
            }
            let Some(digit) = char.to_digit(16) else { return Err(read(chars.as_str())) };
            value = value * 16 + digit;
            if value > 0x10_FFFF {
                return Err(read(chars.as_str()));
            }
            any = true;
        }
        if !any {
            return Err(read(chars.as_str()));
        }
    } else {
        let second = chars.next();
        match (first.to_digit(16), second.and_then(|char| char.to_digit(16))) {
            (Some(high), Some(low)) => value = high * 16 + low,
            _ => return Err(read(chars.as_str())),
        }
    }
    // Half a pair is no character that a text can hold.
    Ok((char::from_u32(value).unwrap_or('\u{FFFD}'), chars.as_str()))
}

/// `\p{Greek}`, `\pL` and their opposites.
pub(super) fn unicode<'a>(text: &'a str, out: &mut String) -> Result<&'a str, Refused> {
    let mut negative = text.starts_with("\\P");
    let Some(first) = text[2..].chars().next() else {
        return Err(refused(INVALID_RANGE, text));
    };
    let (mut name, left) = if first == '{' {
        let end = text.find('}').ok_or_else(|| refused(INVALID_RANGE, text))?;
        (&text[3..end], &text[end + 1..])
    } else {
        text[2..].split_at(first.len_utf8())
    };
    let whole = &text[..text.len() - left.len()];
    if let Some(inside) = name.strip_prefix('^') {
        negative = !negative;
        name = inside;
    }
    let sign = if negative { 'P' } else { 'p' };
    let is_name = !name.is_empty()
        && name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '_' | ' ' | '-'));
    let known = is_name.then(|| {
        let special =
            matches!(name, "Any" | "Assigned" | "ASCII").then(|| format!("\\{sign}{{{name}}}"));
        special
            .into_iter()
            .chain(["gc", "sc"].map(|property| format!("\\{sign}{{{property}={name}}}")))
    });
    let class = known.into_iter().flatten().find(|class| Regex::new(class).is_ok());
    out.push_str(&class.ok_or_else(|| refused(INVALID_RANGE, whole))?);
    Ok(left)
}
