//! Bytes to text: encodings, and the characters that YAML forbids.
//!
//! Go's reader works in windows of 512 bytes and finds a bad character only when the scanner
//! needs one of its window: what comes first, a bad byte or a syntax error, depends on it.

use crate::error::YamlError;

/// Text that may be scanned, and what is wrong after it.
#[derive(Debug)]
pub(crate) struct Input {
    /// The text up to the window in which something is wrong.
    pub(crate) text: String,
    /// The error that comes where `text` ends, instead of the end.
    pub(crate) fault: Option<YamlError>,
    /// Whether every character is one byte.
    pub(crate) ascii: bool,
}

const WINDOW_BYTES: usize = 512;

/// Reads bytes as UTF-8, or as UTF-16 where a byte order mark says so.
pub(crate) fn read(bytes: &[u8]) -> Input {
    match bytes {
        [0xFF, 0xFE, rest @ ..] => checked(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => checked(rest, u16::from_be_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest, 3),
        _ => utf8(bytes, 0),
    }
}

fn utf8(bytes: &[u8], mark_bytes: usize) -> Input {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !holds_forbidden(text)
    {
        return Input { ascii: text.is_ascii(), text: text.to_owned(), fault: None };
    }
    let mut window = Window::new(bytes.len(), mark_bytes);
    let mut at = 0;
    while at < bytes.len() {
        match utf8_char(bytes, at) {
            Ok(width) => {
                window.pass(at, width, at);
                at += width;
            }
            Err(problem) => {
                // A character cut by the end of the input is missed only when it is needed.
                let good = if problem.starts_with("incomplete") { at } else { window.start };
                let text = String::from_utf8_lossy(&bytes[..good]).into_owned();
                return faulty(text, bytes, at, problem);
            }
        }
    }
    Input { text: String::from_utf8_lossy(bytes).into_owned(), fault: None, ascii: false }
}

fn faulty(text: String, bytes: &[u8], at: usize, problem: &str) -> Input {
    let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() as u32;
    let line_start = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let column = crate::chars::count_chars(&bytes[line_start..at]) as u32;
    Input { ascii: text.is_ascii(), text, fault: Some(YamlError::unnamed(line, column, problem)) }
}

/// Where Go's reader has filled its buffer up to.
struct Window {
    /// Offset of the window's first byte in the output text.
    start: usize,
    end_raw: usize,
    raw_len: usize,
}

impl Window {
    fn new(raw_len: usize, mark_bytes: usize) -> Self {
        Self { start: 0, end_raw: WINDOW_BYTES.saturating_sub(mark_bytes).min(raw_len), raw_len }
    }

    /// A good character passes: `raw` is its place in the input, `out` in the text.
    fn pass(&mut self, raw: usize, width: usize, out: usize) {
        if raw + width > self.end_raw {
            self.start = out;
            self.end_raw = (raw + WINDOW_BYTES).min(self.raw_len);
        }
    }
}

/// The width of the good character at `at`, or what is wrong with it.
fn utf8_char(bytes: &[u8], at: usize) -> Result<usize, &'static str> {
    let lead = bytes[at];
    let width = match lead {
        0x00..=0x7F => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF7 => 4,
        _ => return Err("invalid leading UTF-8 octet"),
    };
    let Some(octets) = bytes.get(at..at + width) else {
        return Err("incomplete UTF-8 octet sequence");
    };
    if octets[1..].iter().any(|octet| octet & 0xC0 != 0x80) {
        return Err("invalid trailing UTF-8 octet");
    }
    let first = u32::from(lead) & [0x7F, 0x1F, 0x0F, 0x07][width - 1];
    let value = octets[1..].iter().fold(first, |value, octet| value << 6 | u32::from(octet & 0x3F));
    if value < [0, 0x80, 0x800, 0x10000][width - 1] {
        return Err("invalid length of a UTF-8 sequence");
    }
    match char::from_u32(value) {
        None => Err("invalid Unicode character"),
        Some(char) if is_forbidden(char) => Err("control characters are not allowed"),
        Some(_) => Ok(width),
    }
}

fn checked(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Input {
    let mut text = String::with_capacity(bytes.len());
    let mut window = Window::new(bytes.len(), 2);
    let mut at = 0;
    while at < bytes.len() {
        match utf16_char(bytes, at, unit) {
            Ok((char, width)) => {
                window.pass(at, width, text.len());
                text.push(char);
                at += width;
            }
            Err(problem) => {
                let good = text.clone();
                if !problem.starts_with("incomplete") {
                    text.truncate(window.start);
                }
                return faulty(text, good.as_bytes(), good.len(), problem);
            }
        }
    }
    Input { ascii: text.is_ascii(), text, fault: None }
}

fn utf16_char(
    bytes: &[u8],
    at: usize,
    unit: fn([u8; 2]) -> u16,
) -> Result<(char, usize), &'static str> {
    let read = |at: usize| Some(u32::from(unit([*bytes.get(at)?, *bytes.get(at + 1)?])));
    let first = read(at).ok_or("incomplete UTF-16 character")?;
    let (value, width) = match first & 0xFC00 {
        0xDC00 => return Err("unexpected low surrogate area"),
        0xD800 => {
            let second = read(at + 2).ok_or("incomplete UTF-16 surrogate pair")?;
            if second & 0xFC00 != 0xDC00 {
                return Err("expected low surrogate area");
            }
            (0x1_0000 + ((first & 0x3FF) << 10) + (second & 0x3FF), 4)
        }
        _ => (first, 2),
    };
    match char::from_u32(value) {
        Some(char) if !is_forbidden(char) => Ok((char, width)),
        _ => Err("control characters are not allowed"),
    }
}

fn is_forbidden(char: char) -> bool {
    !matches!(char,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{A0}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Whether valid UTF-8 holds a forbidden character; mostly it holds none.
fn holds_forbidden(text: &str) -> bool {
    let odd = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7F;
    let bytes = text.as_bytes();
    if bytes.is_ascii() {
        return bytes.iter().any(odd);
    }
    text.chars().any(is_forbidden)
}
