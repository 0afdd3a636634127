//! A short way for the YAML that charts mostly give: maps, lists and texts in block style.
//!
//! It answers exactly what the real reader answers, or not at all: whatever is unusual (tags,
//! anchors, tabs, flow style beyond words and quoted texts, odd indentation, anything wrong) is
//! left to the real reader, and so are all errors.

mod chars;
mod flow;
mod make;

use std::borrow::Cow;

use goval::scan::{find_any, find_byte};

use crate::decode::json_number;
use crate::resolve::{Dialect, Scalar, resolve};

use chars::Tabs;

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

/// The bytes with which texts begin that mean something else in all: numbers, truth, nothing.
const MAY_MEAN: [bool; 256] = {
    let mut may = [false; 256];
    let begins = b"yYnNtTfFoO~<.+-0123456789";
    let mut at = 0;
    while at < begins.len() {
        may[begins[at] as usize] = true;
        at += 1;
    }
    may
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

/// The beginning of a map's entry.
struct Entry<'a> {
    key: &'a str,
    /// Where its value begins.
    behind: usize,
    /// The line's.
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
    tabs: Tabs,
    /// Room for a text that stands on several lines.
    room: String,
}

impl<'a> Reader<'a> {
    /// A reader of a text in which every character is usual.
    fn new(bytes: &'a [u8], is_cut: bool) -> Option<Self> {
        if bytes.len() > BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        let tabs = chars::usual(bytes)?;
        // A line of dashes may begin the document.
        let at = if text.starts_with("---\n") { 4 } else { 0 };
        let bytes = text.as_bytes();
        Some(Reader { text, bytes, at, peeked: None, is_cut, tabs, room: String::new() })
    }

    #[inline]
    fn line_end(&self, from: usize) -> usize {
        let rest = &self.bytes[from..];
        from + find_byte(b'\n', rest).unwrap_or(rest.len())
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
        first: Option<Entry<'a>>,
        depth: usize,
    ) -> Option<M::Node> {
        let mut entries = make.map();
        let mut next = first;
        loop {
            let Entry { key, behind, end } = match next.take() {
                Some(first) => first,
                None => match self.peek()? {
                    Some(line) if line.indent == indent => {
                        // No key begins with the dash of an item.
                        let (key, behind) = self.key(line)?;
                        Entry { key, behind, end: line.end }
                    }
                    Some(line) if line.indent > indent => return None,
                    _ => return Some(make.map_done(entries)),
                },
            };
            make.key(&mut entries, key);
            let place = Place { start: behind, end, indent, in_map: true, depth };
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
                    let key = match self.bytes[start] {
                        b'#' | b'\n' => None,
                        _ if self.is_item(inner) => return None,
                        _ => self.key(inner),
                    };
                    let item = match key {
                        Some((key, behind)) => {
                            if depth > DEPTH_MAX {
                                return None;
                            }
                            let first = Entry { key, behind, end: line.end };
                            self.map(make, inner.indent, Some(first), depth + 1)?
                        }
                        None => {
                            let place =
                                Place { start, end: line.end, indent, in_map: false, depth };
                            self.value(make, place)?
                        }
                    };
                    make.pushed(&mut items, item);
                }
                Some(line) if line.indent > indent => return None,
                _ => return Some(make.list_done(items)),
            }
        }
    }

    /// A key, and where its value begins.
    #[inline]
    fn key(&self, line: Line) -> Option<(&'a str, usize)> {
        let text = self.text;
        let content = &self.bytes[line.start..line.end];
        let (key, len) = match content.first()? {
            quote @ (b'"' | b'\'') => {
                let len = find_byte(*quote, &content[1..])?;
                let inside = &content[1..=len];
                if inside[..len].iter().any(|byte| matches!(byte, b'\\' | b'\t' | b'"')) {
                    return None;
                }
                (&text[line.start + 1..line.start + 1 + len], len + 2)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let len = content.iter().position(|byte| !IS_KEYS[usize::from(*byte)])?;
                let key = &text[line.start..line.start + len];
                if len <= 5
                    && MAY_MEAN[usize::from(content[0])]
                    && !matches!(resolve(Dialect::V2, key), Scalar::Str)
                {
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
                Some(next) if next.indent > indent => match self.bytes[next.start] {
                    b'[' | b'{' => self.flow(make, next.start, indent, depth),
                    _ => self.node(make, next.indent, depth + 1),
                },
                Some(next) if in_map && next.indent == indent && self.is_item(next) => {
                    self.list(make, indent, depth + 1)
                }
                _ => Some(make.null()),
            },
            Some(b'|' | b'>') => self.block(make, content, indent),
            Some(b'"' | b'\'') => self.quoted(make, content, indent),
            Some(b'[' | b'{') => self.flow(make, start, indent, depth),
            Some(b'}' | b']' | b',' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`') => None,
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
        let (first, commented) = plain_text(content)?;
        let behind = self.at;
        match self.peek()? {
            // A comment ends the text, and no line of it may follow.
            Some(next) if next.indent > indent && commented => None,
            Some(next) if next.indent > indent => {
                self.at = behind;
                self.plain_lines(make, first, indent)
            }
            _ => scalar(make, first),
        }
    }

    /// The same where the text goes on behind its first line.
    fn plain_lines<M: Make>(
        &mut self,
        make: &mut M,
        first: &str,
        indent: usize,
    ) -> Option<M::Node> {
        let mut text = self.take_room();
        text.push_str(first);
        let mut breaks = 0;
        let mut commented = false;
        let mut is_one = true;
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
            is_one = false;
            match breaks {
                0 => text.push(' '),
                breaks => push_breaks(&mut text, breaks),
            }
            breaks = 0;
            text.push_str(more);
            self.at = line_end + 1;
        }
        self.nothing_deeper(indent)?;
        let made = if is_one { scalar(make, first) } else { Some(make.text(text.as_str().into())) };
        self.room = text;
        made
    }

    /// An empty text with what room there is.
    fn take_room(&mut self) -> String {
        let mut room = std::mem::take(&mut self.room);
        room.clear();
        room
    }

    fn quoted<M: Make>(&mut self, make: &mut M, content: &str, indent: usize) -> Option<M::Node> {
        let quote = content.as_bytes()[0];
        if let Some(inside) = one_piece(content, quote, self.tabs) {
            self.nothing_deeper(indent)?;
            return Some(make.text(inside.into()));
        }
        let mut text = self.take_room();
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
                    let made = make.text(text.as_str().into());
                    self.room = text;
                    return Some(made);
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
                breaks => push_breaks(&mut text, breaks),
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
        let mut text = self.take_room();
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
                        push_breaks(&mut text, breaks);
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
                    push_breaks(&mut text, breaks - 1);
                }
                _ => push_breaks(&mut text, breaks),
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
            Chomp::Keep => push_breaks(&mut text, breaks),
        }
        let made = make.text(text.as_str().into());
        self.room = text;
        Some(made)
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

/// Adds so many line breaks.
#[inline]
fn push_breaks(text: &mut String, count: usize) {
    for _ in 0..count {
        text.push('\n');
    }
}

/// The text of one line of a plain scalar, and whether a comment ends it.
#[inline]
fn plain_text(content: &str) -> Option<(&str, bool)> {
    let bytes = content.as_bytes();
    let mut from = 0;
    while let Some(found) = first_mark(&bytes[from..]) {
        let at = from + found;
        match bytes[at] {
            b':' if !matches!(bytes.get(at + 1), None | Some(b' ')) => {}
            b'#' if at > 0 && bytes[at - 1] == b' ' => {
                return Some((without_end_blanks(&content[..at]), true));
            }
            b'#' => {}
            _ => return None,
        }
        from = at + 1;
    }
    Some((without_end_blanks(content), false))
}

/// Where the first byte is that may not be a plain text's.
#[inline]
fn first_mark(bytes: &[u8]) -> Option<usize> {
    find_any([b':', b'#', b'\t'], bytes)
}

#[inline]
fn without_end_blanks(text: &str) -> &str {
    match text.as_bytes().last() {
        Some(b' ') => text.trim_end_matches(' '),
        _ => text,
    }
}

/// What stands in quotes where it needs no work, and nothing stands behind.
fn one_piece(content: &str, quote: u8, tabs: Tabs) -> Option<&str> {
    let inside = &content[1..];
    let end = match quote {
        b'"' => find_any([b'"', b'\\'], inside.as_bytes())?,
        _ => find_byte(quote, inside.as_bytes())?,
    };
    let is_end = inside.as_bytes()[end] == quote && is_blank(&inside[end + 1..]);
    let text = &inside[..end];
    (is_end && (tabs == Tabs::None || !text.contains('\t'))).then_some(text)
}

#[inline]
fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ')
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
#[inline]
fn scalar<M: Make>(make: &mut M, text: &str) -> Option<M::Node> {
    if text.as_bytes().first().is_some_and(|first| !MAY_MEAN[usize::from(*first)]) {
        return Some(make.text(Cow::Borrowed(text)));
    }
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
