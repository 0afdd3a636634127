//! A short way for the YAML that charts mostly give: maps, lists and texts in block style.
//!
//! It answers exactly what the real reader answers, or not at all: whatever is unusual (tags,
//! anchors, tabs, flow style beyond lists of words, odd indentation, anything wrong) is left to
//! the real reader, and so are all errors.

mod make;

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use crate::decode::json_number;
use crate::resolve::{Dialect, Scalar, resolve};

pub use make::{Make, Tree};

/// Collections inside each other; the real reader takes more.
const DEPTH_MAX: usize = 80;
/// Longer texts are left to the real reader, which counts nodes.
const BYTES_MAX: usize = 16 << 20;

/// Reads a text that is one map or list, or nothing, where nothing in it is unusual: what it
/// makes is what the real reader's value is. `None` says nothing about the text.
pub fn quickly<M: Make>(bytes: &[u8], make: &mut M) -> Option<M::Node> {
    let with_break;
    let (text, is_cut) = match bytes {
        [] | [.., b'\n'] => (bytes, false),
        _ => {
            with_break = [bytes, b"\n"].concat();
            (with_break.as_slice(), true)
        }
    };
    let mut reader = Reader::new(text, is_cut)?;
    let Some(first) = reader.peek()? else { return Some(make.null()) };
    let made = reader.node(make, first.indent, 0)?;
    reader.peek()?.is_none().then_some(made)
}

/// Whether every character may stand in YAML, and none ends a line but `\n`.
fn is_usual(text: &str) -> bool {
    const WORD: usize = 8;
    let bytes = text.as_bytes();
    let (words, rest) = bytes.as_chunks::<WORD>();
    let behind = bytes.len() - rest.len();
    words.iter().enumerate().all(|(at, word)| {
        is_usual_ascii(u64::from_le_bytes(*word))
            || (at * WORD..(at + 1) * WORD).all(|at| is_usual_at(bytes, at))
    }) && (behind..bytes.len()).all(|at| is_usual_at(bytes, at))
}

/// Whether all of eight bytes are printable ASCII or line breaks.
#[inline]
fn is_usual_ascii(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGH: u64 = ONES << 7;
    let low = word & !HIGH;
    let controls = !(low + ONES * (0x80 - 0x20));
    let deletions = low + ONES;
    let others = word ^ (ONES * b'\n' as u64);
    let breaks = !(((others & !HIGH) + !HIGH) | others);
    (word | controls & !breaks | deletions) & HIGH == 0
}

fn is_usual_at(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'\n' | b'\t' | b' '..=b'~' => true,
        // Control characters, other ends of lines, byte order marks and what is no character.
        0xC2 => bytes.get(at + 1).is_some_and(|next| *next >= 0xA0),
        0xE2 => !matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xA8 | 0xA9])),
        0xEF => !matches!(bytes.get(at + 1..at + 3), Some([0xBB, 0xBF] | [0xBF, 0xBE | 0xBF])),
        0x80..=0xFF => true,
        _ => false,
    }
}

/// The bytes of which plain keys are made.
const IS_KEYS: [bool; 256] = {
    let mut is = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        is[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-');
        byte += 1;
    }
    is
};

/// How many blanks a text begins with.
#[inline]
fn blanks(text: &[u8]) -> usize {
    const WORD: usize = 8;
    const BLANKS: u64 = u64::from_le_bytes([b' '; WORD]);
    let (words, rest) = text.as_chunks::<WORD>();
    for (at, word) in words.iter().enumerate() {
        let others = u64::from_le_bytes(*word) ^ BLANKS;
        if others != 0 {
            return at * WORD + others.trailing_zeros() as usize / 8;
        }
    }
    text.len() - rest.len() + rest.iter().take_while(|byte| **byte == b' ').count()
}

/// A line with something on it.
#[derive(Clone, Copy)]
struct Line {
    indent: usize,
    /// Behind the indentation.
    start: usize,
    /// Before the line break.
    end: usize,
}

struct Reader<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// The beginning of a line.
    at: usize,
    /// What was found at a place where one looked before.
    peeked: Option<(usize, Option<Line>)>,
    /// Whether the last line break is none of the text's.
    is_cut: bool,
}

impl<'a> Reader<'a> {
    /// A reader of a text in which every character is usual.
    fn new(bytes: &'a [u8], is_cut: bool) -> Option<Self> {
        if bytes.len() > BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok().filter(|text| is_usual(text))?;
        // A line of dashes may begin the document.
        let at = if text.starts_with("---\n") { 4 } else { 0 };
        Some(Reader { text, bytes: text.as_bytes(), at, peeked: None, is_cut })
    }

    #[inline]
    fn line_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        from + memchr(b'\n', rest).unwrap_or(rest.len())
    }

    /// The next line that is neither blank nor a comment; the outer `None` is a way out.
    #[inline]
    fn peek(&mut self) -> Option<Option<Line>> {
        match self.peeked {
            Some((at, line)) if at == self.at => Some(line),
            _ => {
                let line = self.look()?;
                self.peeked = Some((self.at, line));
                Some(line)
            }
        }
    }

    fn look(&mut self) -> Option<Option<Line>> {
        while self.at < self.bytes.len() {
            // Every line has an end.
            let start = self.at + blanks(&self.bytes[self.at..]);
            match self.bytes[start] {
                b'\n' => self.at = start + 1,
                b'#' => self.at = self.line_end(start) + 1,
                b'\t' | b'%' => return None,
                _ => {
                    let indent = start - self.at;
                    let end = self.line_end(start);
                    let content = &self.bytes[start..end];
                    if indent == 0 && (content.starts_with(b"---") || content.starts_with(b"...")) {
                        return None;
                    }
                    return Some(Some(Line { indent, start, end }));
                }
            }
        }
        Some(None)
    }

    /// Whether a list's item begins here.
    #[inline]
    fn is_item(&self, line: Line) -> bool {
        self.bytes[line.start] == b'-'
            && (line.start + 1 == line.end || self.bytes[line.start + 1] == b' ')
    }

    fn node<M: Make>(&mut self, make: &mut M, indent: usize, depth: usize) -> Option<M::Node> {
        let line = self.peek()??;
        if depth > DEPTH_MAX {
            return None;
        }
        match self.is_item(line) {
            true => self.list(make, indent, depth),
            false => self.map(make, indent, None, depth),
        }
    }

    /// A map whose keys stand at `indent`; the first may stand behind a `- `.
    fn map<M: Make>(
        &mut self,
        make: &mut M,
        indent: usize,
        first: Option<Line>,
        depth: usize,
    ) -> Option<M::Node> {
        let mut entries = make.map();
        let mut next = first;
        loop {
            let line = match next.take() {
                Some(line) => line,
                None => match self.peek()? {
                    Some(line) if line.indent == indent => {
                        if self.is_item(line) {
                            return None;
                        }
                        line
                    }
                    Some(line) if line.indent > indent => return None,
                    _ => return Some(make.map_done(entries)),
                },
            };
            let (key, behind) = self.key(line)?;
            make.key(&mut entries, key);
            let place = Place { start: behind, end: line.end, indent, in_map: true, depth };
            let value = self.value(make, place)?;
            make.entry(&mut entries, key, value);
        }
    }

    fn list<M: Make>(&mut self, make: &mut M, indent: usize, depth: usize) -> Option<M::Node> {
        let mut items = make.list();
        loop {
            match self.peek()? {
                Some(line) if line.indent == indent && self.is_item(line) => {
                    let mut start = line.start + 1;
                    while start < line.end && self.bytes[start] == b' ' {
                        start += 1;
                    }
                    let inner = Line { indent: indent + start - line.start, start, end: line.end };
                    make.item(&mut items);
                    let item = if start < line.end && self.is_item(inner) {
                        return None;
                    } else if start < line.end
                        && self.bytes[start] != b'#'
                        && self.key(inner).is_some()
                    {
                        if depth > DEPTH_MAX {
                            return None;
                        }
                        self.map(make, inner.indent, Some(inner), depth + 1)?
                    } else {
                        let place = Place { start, end: line.end, indent, in_map: false, depth };
                        self.value(make, place)?
                    };
                    make.pushed(&mut items, item);
                }
                Some(line) if line.indent > indent => return None,
                _ => return Some(make.list_done(items)),
            }
        }
    }

    /// A key, and where its value begins.
    fn key(&self, line: Line) -> Option<(&'a str, usize)> {
        let text = self.text;
        let content = &self.bytes[line.start..line.end];
        let (key, len) = match content.first()? {
            quote @ (b'"' | b'\'') => {
                let len = memchr(*quote, &content[1..])?;
                let inside = &content[1..=len];
                if inside.contains(&b'\\') || inside.contains(&b'\t') {
                    return None;
                }
                (&text[line.start + 1..line.start + 1 + len], len + 2)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let len = content.iter().position(|byte| !IS_KEYS[usize::from(*byte)])?;
                let key = &text[line.start..line.start + len];
                if len <= 5 && !matches!(resolve(Dialect::V2, key), Scalar::Str) {
                    return None;
                }
                (key, len)
            }
            _ => return None,
        };
        if content.get(len) != Some(&b':') || !matches!(content.get(len + 1), None | Some(b' ')) {
            return None;
        }
        Some((key, line.start + len + 1))
    }

    /// What stands at a place, and on the lines that belong to it.
    fn value<M: Make>(&mut self, make: &mut M, place: Place) -> Option<M::Node> {
        let Place { mut start, end, indent, in_map, depth } = place;
        while start < end && self.bytes[start] == b' ' {
            start += 1;
        }
        self.at = end + 1;
        let content = &self.text[start..end];
        let bytes = content.as_bytes();
        match bytes.first() {
            // A `#` behind a blank; one directly behind the colon is no value's beginning either.
            None | Some(b'#') => match self.peek()? {
                Some(next) if next.indent > indent => self.node(make, next.indent, depth + 1),
                Some(next) if in_map && next.indent == indent && self.is_item(next) => {
                    self.list(make, indent, depth + 1)
                }
                _ => Some(make.null()),
            },
            Some(b'|' | b'>') => self.block(make, content, indent),
            Some(b'"' | b'\'') => self.quoted(make, content, indent),
            Some(b'[') => self.words(make, content, indent),
            Some(b'{') if content.trim_end() == "{}" => {
                self.nothing_deeper(indent)?;
                let nothing = make.map();
                Some(make.map_done(nothing))
            }
            Some(b'{' | b'}' | b']' | b',' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`') => None,
            Some(b'-' | b'?' | b':') if matches!(bytes.get(1), None | Some(b' ')) => None,
            Some(_) => self.plain(make, content, indent),
        }
    }

    /// Refuses a line that would belong to a value that is at its end.
    #[inline]
    fn nothing_deeper(&mut self, indent: usize) -> Option<()> {
        match self.peek()? {
            Some(next) if next.indent > indent => None,
            _ => Some(()),
        }
    }

    fn plain<M: Make>(&mut self, make: &mut M, content: &str, indent: usize) -> Option<M::Node> {
        let (first, mut commented) = plain_text(content)?;
        let mut text: Option<String> = None;
        let mut breaks = 0;
        // A comment ends the text, and no line of it may follow.
        while !commented {
            // Blank lines are line breaks where the text goes on.
            let line_end = self.line_end(self.at.min(self.bytes.len()));
            let Some(line) =
                self.bytes.get(self.at..line_end).filter(|_| self.at < self.bytes.len())
            else {
                break;
            };
            let spaces = blanks(line);
            if spaces == line.len() {
                breaks += 1;
                self.at = line_end + 1;
                continue;
            }
            if spaces <= indent || line[spaces] == b'#' {
                break;
            }
            if line[spaces] == b'\t' {
                return None;
            }
            let (more, ended) = plain_text(&self.text[self.at + spaces..line_end])?;
            commented = ended;
            let text = text.get_or_insert_with(|| first.to_owned());
            match breaks {
                0 => text.push(' '),
                breaks => text.extend(std::iter::repeat_n('\n', breaks)),
            }
            breaks = 0;
            text.push_str(more);
            self.at = line_end + 1;
        }
        self.nothing_deeper(indent)?;
        match text {
            Some(text) => Some(make.text(text.into())),
            None => scalar(make, first),
        }
    }

    fn quoted<M: Make>(&mut self, make: &mut M, content: &str, indent: usize) -> Option<M::Node> {
        let quote = content.as_bytes()[0];
        if let Some(inside) = one_piece(content, quote) {
            self.nothing_deeper(indent)?;
            return Some(make.text(inside.into()));
        }
        let mut text = String::new();
        let mut rest = &content[1..];
        loop {
            let is_escaped = match quoted_text(rest, quote, &mut text)? {
                LineEnd::Closed(behind) => {
                    let inner = behind.trim_start_matches(' ');
                    let comment = inner.len() < behind.len() && inner.starts_with('#');
                    if !inner.is_empty() && !comment {
                        return None;
                    }
                    self.nothing_deeper(indent)?;
                    return Some(make.text(text.into()));
                }
                LineEnd::Open { is_escaped } => is_escaped,
            };
            let mut breaks = 0;
            loop {
                let line_end = self.line_end(self.at.min(self.bytes.len()));
                let line =
                    self.bytes.get(self.at..line_end).filter(|_| self.at < self.bytes.len())?;
                let spaces = blanks(line);
                if spaces == line.len() {
                    breaks += 1;
                    self.at = line_end + 1;
                    continue;
                }
                if spaces <= indent || line[spaces] == b'\t' {
                    return None;
                }
                rest = &self.text[self.at + spaces..line_end];
                self.at = line_end + 1;
                break;
            }
            match breaks {
                0 if is_escaped => {}
                0 => text.push(' '),
                breaks => text.extend(std::iter::repeat_n('\n', breaks)),
            }
        }
    }

    /// `|`: lines as they stand; `>`: lines that make one.
    fn block<M: Make>(&mut self, make: &mut M, header: &str, indent: usize) -> Option<M::Node> {
        let is_folded = header.starts_with('>');
        let mut chomp = None;
        let mut inner = None;
        for byte in header.trim_end_matches(' ').bytes().skip(1) {
            match byte {
                b'-' if chomp.is_none() => chomp = Some(Chomp::Strip),
                b'+' if chomp.is_none() => chomp = Some(Chomp::Keep),
                b'1'..=b'9' if inner.is_none() => inner = Some(indent + usize::from(byte - b'0')),
                _ => return None,
            }
        }
        let mut text = String::new();
        let mut breaks = 0;
        // Whether the line before may be one with the next: it is there, and begins with no blank.
        let mut may_fold = false;
        while self.at < self.bytes.len() {
            let line_end = self.line_end(self.at);
            let line = &self.bytes[self.at..line_end];
            let spaces = blanks(line);
            if spaces == line.len() {
                match inner {
                    // A blank line that is longer than the text's indentation is text.
                    Some(inner) if spaces > inner => {
                        text.extend(std::iter::repeat_n('\n', breaks));
                        text.push_str(&self.text[self.at + inner..line_end]);
                        breaks = 1;
                        may_fold = false;
                    }
                    None if spaces > indent + 1 => return None,
                    _ => breaks += 1,
                }
                self.at = line_end + 1;
                continue;
            }
            let own = match inner {
                Some(own) => own,
                None if spaces > indent && line[spaces] != b'\t' => {
                    inner = Some(spaces);
                    spaces
                }
                None => break,
            };
            if spaces < own {
                if spaces > indent || line[spaces] == b'\t' {
                    return None;
                }
                break;
            }
            let begins_blank = matches!(line[own], b' ' | b'\t');
            match breaks {
                1 if may_fold && !begins_blank => text.push(' '),
                _ if may_fold && !begins_blank => {
                    text.extend(std::iter::repeat_n('\n', breaks - 1));
                }
                _ => text.extend(std::iter::repeat_n('\n', breaks)),
            }
            text.push_str(&self.text[self.at + own..line_end]);
            breaks = 1;
            may_fold = is_folded && !begins_blank;
            self.at = line_end + 1;
        }
        if self.is_cut && self.at >= self.bytes.len() {
            return None;
        }
        match chomp.unwrap_or(Chomp::Clip) {
            Chomp::Keep if inner.is_none() => return None,
            Chomp::Strip => {}
            Chomp::Clip if text.is_empty() => {}
            Chomp::Clip if inner.is_some() => text.push('\n'),
            Chomp::Clip => {}
            Chomp::Keep => text.extend(std::iter::repeat_n('\n', breaks)),
        }
        Some(make.text(text.into()))
    }

    /// `[a, "b"]` on one line, of words and quoted texts alone.
    fn words<M: Make>(&mut self, make: &mut M, content: &str, indent: usize) -> Option<M::Node> {
        let inside = content.trim_end_matches(' ').strip_prefix('[')?.strip_suffix(']')?;
        self.nothing_deeper(indent)?;
        let mut items = make.list();
        let mut rest = inside.trim_matches(' ');
        while !rest.is_empty() {
            make.item(&mut items);
            let quote = rest.as_bytes()[0];
            rest = if matches!(quote, b'"' | b'\'') {
                let mut text = String::new();
                let LineEnd::Closed(behind) = quoted_text(&rest[1..], quote, &mut text)? else {
                    return None;
                };
                let item = make.text(text.into());
                make.pushed(&mut items, item);
                behind
            } else {
                let usual = |char: char| {
                    char.is_ascii_alphanumeric() || matches!(char, '_' | '.' | '/' | '-')
                };
                let len = rest.find(|char| !usual(char)).unwrap_or(rest.len());
                if len == 0 || rest.starts_with('-') {
                    return None;
                }
                let item = scalar(make, &rest[..len])?;
                make.pushed(&mut items, item);
                &rest[len..]
            };
            rest = rest.trim_start_matches(' ');
            if !rest.is_empty() {
                rest = rest.strip_prefix(',')?.trim_start_matches(' ');
                if rest.is_empty() {
                    return None;
                }
            }
        }
        Some(make.list_done(items))
    }
}

/// Where a value begins, and what is around it.
#[derive(Clone, Copy)]
struct Place {
    /// Behind the key or the dash.
    start: usize,
    /// The line's.
    end: usize,
    /// The collection's around it.
    indent: usize,
    /// Whether that is a map.
    in_map: bool,
    /// How many collections are around it.
    depth: usize,
}

enum Chomp {
    Strip,
    Clip,
    Keep,
}

/// The text of one line of a plain scalar, and whether a comment ends it.
fn plain_text(content: &str) -> Option<(&str, bool)> {
    let bytes = content.as_bytes();
    let mut from = 0;
    while let Some(found) = memchr3(b':', b'#', b'\t', &bytes[from..]) {
        let at = from + found;
        match bytes[at] {
            b':' if !matches!(bytes.get(at + 1), None | Some(b' ')) => {}
            b'#' if at > 0 && bytes[at - 1] == b' ' => {
                return Some((content[..at].trim_end_matches(' '), true));
            }
            b'#' => {}
            _ => return None,
        }
        from = at + 1;
    }
    Some((content.trim_end_matches(' '), false))
}

/// What stands in quotes where it needs no work, and nothing stands behind.
fn one_piece(content: &str, quote: u8) -> Option<&str> {
    let inside = &content[1..];
    let end = memchr(quote, inside.as_bytes())?;
    let text = &inside[..end];
    let unusual = |byte: &u8| *byte == b'\t' || (*byte == b'\\' && quote == b'"');
    (inside[end + 1..].trim_start_matches(' ').is_empty() && !text.as_bytes().iter().any(unusual))
        .then_some(text)
}

/// How a line of a quoted text ends.
enum LineEnd<'a> {
    /// The text ends; this follows.
    Closed(&'a str),
    /// The text goes on; an escaped line break is none.
    Open { is_escaped: bool },
}

/// Adds a quoted text up to its end or the line's.
fn quoted_text<'a>(content: &'a str, quote: u8, into: &mut String) -> Option<LineEnd<'a>> {
    let bytes = content.as_bytes();
    let mut from = 0;
    let mut at = 0;
    // What the line's end takes no blanks from.
    let mut kept = into.len();
    while at < bytes.len() {
        match bytes[at] {
            b'\t' => return None,
            b'\'' if quote == b'\'' => {
                into.push_str(&content[from..at]);
                if bytes.get(at + 1) != Some(&b'\'') {
                    return Some(LineEnd::Closed(&content[at + 1..]));
                }
                into.push('\'');
                at += 2;
                from = at;
            }
            b'"' if quote == b'"' => {
                into.push_str(&content[from..at]);
                return Some(LineEnd::Closed(&content[at + 1..]));
            }
            b'\\' if quote == b'"' => {
                into.push_str(&content[from..at]);
                into.push(match bytes.get(at + 1) {
                    None => return Some(LineEnd::Open { is_escaped: true }),
                    Some(b'"') => '"',
                    Some(b'\\') => '\\',
                    Some(b'/') => '/',
                    Some(b' ') => ' ',
                    Some(b'n') => '\n',
                    Some(b't') => '\t',
                    _ => return None,
                });
                kept = into.len();
                at += 2;
                from = at;
            }
            _ => at += 1,
        }
    }
    into.push_str(&content[from..]);
    // Blanks at the end of a line are none of the text's, unless they were escaped.
    into.truncate(into.trim_end_matches(' ').len().max(kept));
    Some(LineEnd::Open { is_escaped: false })
}

/// A plain scalar's value.
fn scalar<M: Make>(make: &mut M, text: &str) -> Option<M::Node> {
    Some(match resolve(Dialect::V2, text) {
        Scalar::Null => make.null(),
        Scalar::Bool(value) => make.bool(value),
        Scalar::Int(value) => make.number(value.into())?,
        Scalar::Uint(value) => make.number(value.into())?,
        Scalar::Float(value) => make.number(json_number(value)?)?,
        Scalar::Timestamp | Scalar::Merge | Scalar::Str => make.text(Cow::Borrowed(text)),
    })
}

#[cfg(test)]
mod tests;
