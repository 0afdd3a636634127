//! Words in a text: wrapping, shortening, and the cases of identifiers.

use goval::{Context, Str, Value, is_digit, is_letter};

use crate::args::{Answer, int, text, utf8};
use crate::letters::{
    is_lower, is_number, is_punct, is_title, is_upper, runes, to_lower, to_title, to_upper,
};
use crate::strings::find;

pub(crate) fn wrap(context: &mut Context<'_>, args: &[Value]) -> Answer {
    wrapped(context, text(args, 1)?, int(args, 0)?, b"\n", false)
}

pub(crate) fn wrap_with(context: &mut Context<'_>, args: &[Value]) -> Answer {
    let separator: &[u8] = text(args, 1)?;
    let separator = if separator.is_empty() { b"\n" } else { separator };
    wrapped(context, text(args, 2)?, int(args, 0)?, separator, true)
}

/// Breaks at the last blank within `columns` bytes; a longer word is cut only if `cut` says so.
fn wrapped(
    context: &mut Context<'_>,
    text: &[u8],
    columns: i64,
    separator: &[u8],
    cut: bool,
) -> Answer {
    let columns = usize::try_from(columns).unwrap_or(0).max(1);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while rest.len() > columns {
        context.budget.charge((columns.min(rest.len()) + separator.len()) as u64)?;
        if rest[0] == b' ' {
            rest = &rest[1..];
            continue;
        }
        let blank = rest[..=columns].iter().rposition(|byte| *byte == b' ');
        let (taken, dropped) = match blank {
            Some(at) => (at, 1),
            None if cut => (columns, 0),
            None => match find(&rest[columns..], b" ") {
                Some(at) => (columns + at, 1),
                None => break,
            },
        };
        out.extend_from_slice(&rest[..taken]);
        out.extend_from_slice(separator);
        rest = &rest[taken + dropped..];
    }
    out.extend_from_slice(rest);
    Ok(Value::str(out))
}

pub(crate) fn abbrev(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (width, text) = (int(args, 0)?, text(args, 1)?);
    if width < 4 {
        return Ok(Value::Str(text.clone()));
    }
    Ok(Value::str(abbreviated(text, 0, width)))
}

pub(crate) fn abbrev_both(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let (left, right, text) = (int(args, 0)?, int(args, 1)?, text(args, 2)?);
    if right < 4 || left > 0 && right < 7 {
        return Ok(Value::Str(text.clone()));
    }
    Ok(Value::str(abbreviated(text, left, right)))
}

fn abbreviated(text: &[u8], offset: i64, width: i64) -> Vec<u8> {
    let len = text.len() as i64;
    if text.is_empty() || len <= width {
        return text.to_vec();
    }
    let kept = (width - 3) as usize;
    // The last part of the text is as long as what is kept, or longer.
    let offset = offset.min(len).min(len - (width - 3));
    if offset <= 4 {
        return [&text[..kept], b"..."].concat();
    }
    if offset + width - 3 < len {
        let rest = abbreviated(&text[offset as usize..], 0, width - 3);
        return [b"...", rest.as_slice()].concat();
    }
    [b"...", &text[text.len() - kept..]].concat()
}

pub(crate) fn initials(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut gap = true;
    let mut out = String::new();
    // Each byte counts as a character.
    for char in text(args, 0)?.iter().map(|byte| char::from(*byte)) {
        if char.is_whitespace() {
            gap = true;
        } else if std::mem::take(&mut gap) {
            out.push(char);
        }
    }
    Ok(Value::str(out))
}

pub(crate) fn nospace(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let text = text(args, 0)?;
    // Each byte counts as a character.
    let chars = || text.iter().map(|byte| char::from(*byte));
    if !chars().any(char::is_whitespace) {
        return Ok(Value::Str(text.clone()));
    }
    Ok(Value::str(chars().filter(|char| !char.is_whitespace()).collect::<String>()))
}

pub(crate) fn title(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut before = ' ';
    let titled = |char: char| {
        let parts_words = if before.is_ascii() {
            !(before.is_ascii_alphanumeric() || before == '_')
        } else {
            !is_letter(before) && !is_digit(before) && before.is_whitespace()
        };
        before = char;
        if parts_words { to_title(char) } else { char }
    };
    Ok(Value::str(utf8(args, 0)?.chars().map(titled).collect::<String>()))
}

pub(crate) fn untitle(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut gap = true;
    let lowered = |char: char| {
        if char.is_whitespace() {
            gap = true;
            char
        } else if std::mem::take(&mut gap) {
            to_lower(char)
        } else {
            char
        }
    };
    Ok(Value::str(utf8(args, 0)?.chars().map(lowered).collect::<String>()))
}

pub(crate) fn swapcase(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let mut after_blank = true;
    let swapped = |char: char| {
        if is_upper(char) || is_title(char) {
            after_blank = false;
            to_lower(char)
        } else if is_lower(char) {
            if std::mem::take(&mut after_blank) { to_title(char) } else { to_upper(char) }
        } else {
            after_blank = char.is_whitespace();
            char
        }
    };
    Ok(Value::str(utf8(args, 0)?.chars().map(swapped).collect::<String>()))
}

fn is_connector(char: char) -> bool {
    char == '-' || char == '_' || char.is_whitespace()
}

/// `foo_bar` to `FooBar`; connectors at the beginning and the end stay.
pub(crate) fn camelcase(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let text = utf8(args, 0)?;
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    let mut capitals = false;
    let mut here = None;
    for char in chars.by_ref() {
        here = Some(char);
        if !is_connector(char) {
            capitals = is_upper(char);
            here = Some(to_upper(char));
            break;
        }
        out.push(char);
    }
    let Some(mut here) = here else { return Ok(Value::str("")) };
    let mut rest = chars.peekable();
    if rest.peek().is_none() {
        // Go writes the last connector a second time.
        out.push(here);
        return Ok(Value::str(out));
    }
    for char in rest {
        let before = std::mem::replace(&mut here, char);
        if is_connector(here) && is_connector(before) {
            out.push(before);
        } else if is_connector(before) {
            capitals = is_upper(here);
            here = to_upper(here);
        } else {
            if capitals {
                if is_upper(here) {
                    here = to_lower(here);
                } else {
                    capitals = false;
                }
            }
            out.push(before);
        }
    }
    out.push(here);
    Ok(Value::str(out))
}

pub(crate) fn snakecase(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(parted(text(args, 0)?, '_')))
}

pub(crate) fn kebabcase(_: &mut Context<'_>, args: &[Value]) -> Answer {
    Ok(Value::str(parted(text(args, 0)?, '-')))
}

/// What a run of characters is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    /// The end.
    Nothing,
    Number,
    /// Capitals, perhaps with the small letters behind one capital.
    Capital,
    /// Letters, the first one small.
    Small,
    Connector,
    Punctuation,
    Other,
}

fn is_alphabet(char: char) -> bool {
    // Han is no script of words to this rule.
    is_letter(char)
        && !matches!(u32::from(char), 0x3400..=0x4D85 | 0x4E00..=0x9FCC | 0x20000..=0x2B81D)
}

/// Where characters of a kind end, from `at` on.
fn end_of(text: &[u8], mut at: usize, goes_on: impl Fn(char) -> bool) -> usize {
    while let Some((char, width)) = next_valid(&text[at..])
        && goes_on(char)
    {
        at += width;
    }
    at
}

/// A letter that is no capital.
fn is_small(char: char) -> bool {
    is_alphabet(char) && !is_upper(char)
}

/// Splits the next run off.
fn next_run(text: &[u8]) -> (Run, &[u8], &[u8]) {
    let Some((first, width)) = next_valid(text) else { return (Run::Nothing, text, &[]) };
    let (run, end) = if is_connector(first) {
        (Run::Connector, end_of(text, width, is_connector))
    } else if is_punct(first) {
        (Run::Punctuation, end_of(text, width, is_punct))
    } else if is_upper(first) {
        (Run::Capital, capitals_end(text, width))
    } else if is_alphabet(first) {
        (Run::Small, end_of(text, width, is_small))
    } else if is_number(first) {
        (Run::Number, end_of(text, width, is_number))
    } else {
        let other = |char: char| {
            !(is_connector(char) || is_alphabet(char) || is_number(char) || is_punct(char))
        };
        (Run::Other, end_of(text, width, other))
    };
    (run, &text[..end], &text[end..])
}

/// `HTTPStatus` is `HTTP` and `Status`: the last capital belongs to the small letters.
fn capitals_end(text: &[u8], first: usize) -> usize {
    match next_valid(&text[first..]) {
        Some((char, _)) if is_upper(char) => {
            let end = end_of(text, first, is_upper);
            match next_valid(&text[end..]) {
                Some((char, _)) if is_alphabet(char) => {
                    let last = runes(&text[..end]).last().map_or(0, |(_, width)| width);
                    end - last
                }
                _ => end,
            }
        }
        Some((char, _)) if is_alphabet(char) => end_of(text, first, is_small),
        _ => first,
    }
}

/// The next character that is one, with the width of what stands before it, too.
fn next_valid(text: &[u8]) -> Option<(char, usize)> {
    let mut width = 0;
    for (char, here) in runes(text) {
        width += here;
        if char != '\u{FFFD}' {
            return Some((char, width));
        }
    }
    None
}

/// Parts words by `connector` and lowers them: `FooBarHTTP` to `foo_bar_http`.
fn parted(text: &[u8], connector: char) -> Str {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut run, mut word, mut rest) = next_run(text);
    while !rest.is_empty() {
        if run != Run::Connector {
            lowered(&mut out, run, word, connector);
        }
        let (before, last) = (run, word);
        (run, word, rest) = next_run(rest);
        match before {
            Run::Number => {
                while matches!(run, Run::Small | Run::Number) {
                    lowered(&mut out, run, word, connector);
                    (run, word, rest) = next_run(rest);
                }
                if !matches!(run, Run::Nothing | Run::Punctuation | Run::Connector) {
                    out.push(connector);
                }
            }
            Run::Connector => lowered(&mut out, before, last, connector),
            Run::Punctuation => {}
            _ if run != Run::Number => {
                if !matches!(run, Run::Connector | Run::Punctuation) {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (run, word, rest) = next_run(rest);
                if run != Run::Small {
                    // The number belongs to the word before it: `Bld4Floor`.
                    lowered(&mut out, Run::Number, number, connector);
                    if !matches!(run, Run::Connector | Run::Punctuation) {
                        out.push(connector);
                    }
                } else {
                    // The number belongs to the small letters behind it: `HTTP2xx`.
                    out.push(connector);
                    lowered(&mut out, Run::Number, number, connector);
                    while matches!(run, Run::Small | Run::Number) {
                        lowered(&mut out, run, word, connector);
                        (run, word, rest) = next_run(rest);
                    }
                    if !matches!(run, Run::Nothing | Run::Punctuation | Run::Connector) {
                        out.push(connector);
                    }
                }
            }
        }
    }
    lowered(&mut out, run, word, connector);
    Str::from(out)
}

fn lowered(out: &mut String, run: Run, word: &[u8], connector: char) {
    let word = goval::text_of(word);
    match run {
        Run::Capital => out.extend(word.chars().map(to_lower)),
        Run::Connector => out.extend(word.chars().map(|_| connector)),
        _ => out.push_str(&word),
    }
}
