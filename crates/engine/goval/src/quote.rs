//! Quoted strings: `strconv.Quote` and its kin, and back.

use std::fmt::Write;

use crate::chars::{first_char, is_print};

/// Which characters a quoted string spells out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escape {
    /// Those that are not printable.
    Unprintable,
    /// Those beyond ASCII too.
    BeyondAscii,
}

/// Quotes as `strconv.Quote` and `%q` do.
pub fn quote(text: &str) -> String {
    quote_bytes(text.as_bytes())
}

/// Quotes bytes as `strconv.Quote` and `%q` do: those that are no UTF-8 become `\xNN`.
pub fn quote_bytes(bytes: &[u8]) -> String {
    quote_with(bytes, Escape::Unprintable)
}

/// Quotes as `strconv.QuoteToASCII` and `%+q` do.
pub fn quote_to_ascii(bytes: &[u8]) -> String {
    quote_with(bytes, Escape::BeyondAscii)
}

fn quote_with(bytes: &[u8], escape: Escape) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    let mut rest = bytes;
    while let Some((char, length)) = first_char(rest) {
        if char == '\u{FFFD}' && length == 1 {
            // Writing to a string does not fail.
            let _ = write!(out, "\\x{:02x}", rest[0]);
        } else {
            push_escaped(&mut out, char, '"', escape);
        }
        rest = &rest[length..];
    }
    out.push('"');
    out
}

/// One character in single quotes, as `strconv.QuoteRune` and `%q` do.
pub fn quote_rune(char: char) -> String {
    quote_char(char, Escape::Unprintable)
}

pub(crate) fn quote_char(char: char, escape: Escape) -> String {
    let mut out = String::from("'");
    push_escaped(&mut out, char, '\'', escape);
    out.push('\'');
    out
}

fn push_escaped(out: &mut String, char: char, quote: char, escape: Escape) {
    match char {
        '\\' => out.push_str("\\\\"),
        _ if char == quote => out.extend(['\\', char]),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0C' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0B' => out.push_str("\\v"),
        ' '..='~' => out.push(char),
        _ => push_wide(out, char, escape),
    }
}

fn push_wide(out: &mut String, char: char, escape: Escape) {
    let code = u32::from(char);
    // Writing to a string does not fail.
    let _ = match code {
        0..=0x1F | 0x7F => write!(out, "\\x{code:02x}"),
        _ if escape == Escape::Unprintable && is_print(char) => out.write_char(char),
        0x80..=0xFFFF => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

/// What a Go literal says: `"…"`, `` `…` `` or `'…'` with its quotes, as `strconv.Unquote` reads
/// it; `None` where it is not one.
pub fn unquote(literal: &[u8]) -> Option<Vec<u8>> {
    let (&quote, rest) = literal.split_first()?;
    let (&last, inner) = rest.split_last()?;
    if quote != last {
        return None;
    }
    match quote {
        b'`' if !inner.contains(&b'`') => {
            // As in Go programs, a raw string loses its carriage returns.
            Some(inner.iter().copied().filter(|byte| *byte != b'\r').collect())
        }
        b'"' => unquote_chars(inner, b'"'),
        b'\'' if inner.is_empty() => Some(Vec::new()),
        b'\'' => {
            let (_, rest) = unquote_char(inner, b'\'').ok()?;
            if rest.is_empty() { unquote_chars(inner, b'\'') } else { None }
        }
        _ => None,
    }
}

fn unquote_chars(mut inner: &[u8], quote: u8) -> Option<Vec<u8>> {
    let stands_for_itself =
        |byte: &u8| byte.is_ascii() & (*byte != b'\\') & (*byte != b'\n') & (*byte != quote);
    if inner.iter().all(stands_for_itself) {
        return Some(inner.to_vec());
    }
    let mut out = Vec::with_capacity(inner.len());
    while !inner.is_empty() {
        let (unit, rest) = unquote_char(inner, quote).ok()?;
        match unit {
            Unit::Byte(byte) => out.push(byte),
            Unit::Char(char) => {
                out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        inner = rest;
    }
    Some(out)
}

/// One element of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A byte that an escape named, or a stray one.
    Byte(u8),
    /// A character.
    Char(char),
}

impl Unit {
    /// The number that a character constant has.
    pub fn code(self) -> u32 {
        match self {
            Self::Byte(byte) => u32::from(byte),
            Self::Char(char) => u32::from(char),
        }
    }
}

/// Nothing that a literal may hold stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidSyntax;

/// The first element of a literal's inside and what follows it, as `strconv.UnquoteChar`.
///
/// # Errors
///
/// [`InvalidSyntax`], in Go `invalid syntax`.
pub fn unquote_char(text: &[u8], quote: u8) -> Result<(Unit, &[u8]), InvalidSyntax> {
    let (&first, rest) = text.split_first().ok_or(InvalidSyntax)?;
    match first {
        b'\n' => return Err(InvalidSyntax),
        _ if first == quote && (quote == b'\'' || quote == b'"') => return Err(InvalidSyntax),
        b'\\' => {}
        0..0x80 => return Ok((Unit::Char(char::from(first)), rest)),
        _ => {
            let (char, length) = first_char(text).ok_or(InvalidSyntax)?;
            // A stray byte becomes U+FFFD, as everywhere where Go reads characters.
            return Ok((Unit::Char(char), &text[length..]));
        }
    }
    let (&escape, rest) = rest.split_first().ok_or(InvalidSyntax)?;
    let char = match escape {
        b'a' => '\x07',
        b'b' => '\x08',
        b'f' => '\x0C',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\x0B',
        b'\\' => '\\',
        b'\'' | b'"' if escape == quote => char::from(quote),
        b'x' => {
            let (code, rest) = digits(rest, 2, 16)?;
            return Ok((Unit::Byte(u8::try_from(code).map_err(|_| InvalidSyntax)?), rest));
        }
        b'u' | b'U' => {
            let (code, rest) = digits(rest, if escape == b'u' { 4 } else { 8 }, 16)?;
            let char = char::from_u32(code).ok_or(InvalidSyntax)?;
            return Ok((Unit::Char(char), rest));
        }
        b'0'..=b'7' => {
            let (code, rest) = digits(&text[1..], 3, 8)?;
            return Ok((Unit::Byte(u8::try_from(code).map_err(|_| InvalidSyntax)?), rest));
        }
        _ => return Err(InvalidSyntax),
    };
    Ok((Unit::Char(char), rest))
}

fn digits(text: &[u8], count: usize, base: u32) -> Result<(u32, &[u8]), InvalidSyntax> {
    let (digits, rest) = text.split_at_checked(count).ok_or(InvalidSyntax)?;
    let mut code: u32 = 0;
    for digit in digits {
        let digit = char::from(*digit).to_digit(base).ok_or(InvalidSyntax)?;
        code =
            code.checked_mul(base).and_then(|code| code.checked_add(digit)).ok_or(InvalidSyntax)?;
    }
    Ok((code, rest))
}

/// Bytes as text: each byte that is no UTF-8 becomes U+FFFD, as in `encoding/json`.
pub fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{FFFD}'));
    }
    text
}
