//! The common sort of YAML, read straight to nodes.
//!
//! Blocks of mappings and sequences, scalars plain, quoted or literal: what people and tools
//! write. Everything else (tags, anchors, most of flow style, tabs, odd indentation, errors)
//! is refused with `None`, and the whole document is then read by the full parser. So nothing
//! here decides what is an error, and what is read here reads the same there.

use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr3_iter};

use super::{Entry, Mapping, Node, Scalar, Sequence, Tag, Text};

/// Collections in each other; deeper ones are for the full parser, which has a limit of its own.
const DEPTH_MAX: usize = 128;
/// Bytes of one document.
const BYTES_MAX: usize = 16 << 20;
/// A key's bytes: YAML's limit is 1,024 characters up to the colon.
const KEY_BYTES_MAX: usize = 900;

/// Reads a document that holds only common things and is not empty.
pub(super) fn parse(source: &Arc<str>) -> Option<Node> {
    parse_range(source, 0..source.len())
}

/// As [`parse`], of a document that stands in a range of a text.
pub(super) fn parse_range(source: &Arc<str>, range: Range<usize>) -> Option<Node> {
    let start = range.start;
    // What is behind the range is not there for the reader.
    let text = &source.as_bytes()[..range.end];
    if text.len() > BYTES_MAX || holds_rare_chars(&text[start..]) {
        return None;
    }
    let mut reader =
        Reader { source, text, start, at: start, depth: 0, entries: Vec::new(), items: Vec::new() };
    if text[start..].starts_with(b"---") {
        reader.at += 3;
        reader.end_of_line()?;
    }
    let column = reader.skip_to_content()?;
    if reader.at >= text.len() || column != 0 {
        return None;
    }
    let node = reader.block(0, -1)?;
    (reader.at >= text.len()).then_some(node)
}

/// Characters that are line breaks to YAML alone, that it forbids, or that need care.
fn holds_rare_chars(text: &[u8]) -> bool {
    let odd = |byte: u8| (byte < b' ' && byte != b'\n') || byte == 0x7F;
    // Without a branch for each byte this is done many at a time.
    if text.iter().fold(false, |found, byte| found | odd(*byte)) {
        return true;
    }
    if text.is_ascii() {
        return false;
    }
    memchr3_iter(0xC2, 0xE2, 0xEF, text).any(|at| match text[at..] {
        // C1 controls, one of them a line break.
        [0xC2, second, ..] => second < 0xA0,
        [0xE2, 0x80, 0xA8 | 0xA9, ..] => true,
        // The byte order mark, and what is no character.
        [0xEF, 0xBB, 0xBF, ..] | [0xEF, 0xBF, 0xBE | 0xBF, ..] => true,
        _ => false,
    })
}

struct Reader<'a> {
    source: &'a Arc<str>,
    text: &'a [u8],
    /// Where the document begins.
    start: usize,
    /// Where content begins that is not read yet; the end, where there is none.
    at: usize,
    depth: usize,
    /// Entries of the mappings that are open, the innermost last.
    entries: Vec<Entry>,
    /// Items of the sequences that are open, the innermost last.
    items: Vec<Node>,
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'$')
}

impl Reader<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    /// Goes from a line's beginning to the next content; the answer is its column.
    fn skip_to_content(&mut self) -> Option<usize> {
        loop {
            let line = self.at;
            self.skip_blanks();
            match self.text.get(self.at) {
                None => return Some(0),
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.skip_line(),
                Some(first) => {
                    let column = self.at - line;
                    let marks = column == 0
                        && (*first == b'%'
                            || self.text[self.at..].starts_with(b"...")
                            || (line > self.start && self.text[self.at..].starts_with(b"---")));
                    return (!marks).then_some(column);
                }
            }
        }
    }

    /// Goes behind the blanks that stand here, many at a time.
    fn skip_blanks(&mut self) {
        const BLANKS: u64 = u64::from_le_bytes([b' '; 8]);
        while let Some(next) = self.text[self.at..].first_chunk::<8>() {
            let others = u64::from_le_bytes(*next) ^ BLANKS;
            if others != 0 {
                self.at += (others.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    fn skip_line(&mut self) {
        self.at = memchr(b'\n', &self.text[self.at..])
            .map_or(self.text.len(), |length| self.at + length + 1);
    }

    /// Goes behind the line break if nothing but blanks and a comment stands before it.
    fn end_of_line(&mut self) -> Option<()> {
        let start = self.at;
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        match self.text.get(self.at) {
            None => Some(()),
            Some(b'\n') => {
                self.at += 1;
                Some(())
            }
            Some(b'#') if self.at > start => {
                self.skip_line();
                Some(())
            }
            Some(_) => None,
        }
    }

    fn slice(&self, start: usize, end: usize) -> Text {
        Text::slice(self.source, start as u32..end as u32)
    }

    fn plain(&self, text: Text) -> Scalar {
        Scalar { tag: Tag::of(&text), text, quoted: false }
    }

    /// Reads the collection or scalar whose content begins here, in this column; `parent` is
    /// the column of the collection that it stands in.
    fn block(&mut self, column: usize, parent: isize) -> Option<Node> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let here = self.byte(self.at);
        let node = if here == b'-' && matches!(self.byte(self.at + 1), b' ' | b'\n') {
            self.sequence(column)?
        } else if let Some(key) = self.key() {
            self.mapping(column, key)?
        } else {
            if column as isize <= parent {
                return None;
            }
            // Outside of all collections a scalar is rare.
            if parent < 0 {
                return None;
            }
            self.value(parent as usize)?
        };
        self.depth -= 1;
        Some(node)
    }

    /// The key that begins here, and where its colon is; nothing is passed.
    fn key(&self) -> Option<(Scalar, usize)> {
        let start = self.at;
        let first = self.byte(start);
        let (key, colon) = match first {
            b'"' | b'\'' => {
                let (text, end) = self.quoted(first)?;
                if text == *"<<" {
                    return None;
                }
                (Scalar { text, tag: Tag::Str, quoted: true }, end)
            }
            b'-' => return None,
            _ => {
                let run = self.text[start..].iter().take_while(|byte| is_key_byte(**byte)).count();
                if run == 0 {
                    return None;
                }
                (self.plain(self.slice(start, start + run)), start + run)
            }
        };
        let is_key = self.text.get(colon) == Some(&b':')
            && matches!(self.byte(colon + 1), b' ' | b'\n')
            && colon - start < KEY_BYTES_MAX;
        is_key.then_some((key, colon))
    }

    /// A quoted text on one line without escapes, and where it ends.
    fn quoted(&self, quote: u8) -> Option<(Text, usize)> {
        let start = self.at + 1;
        let length = memchr3_iter(quote, b'\n', b'\\', &self.text[start..])
            .find(|at| quote == b'"' || self.text[start + at] != b'\\')?;
        let end = start + length;
        if self.text[end] != quote {
            return None;
        }
        let doubled = quote == b'\'' && self.byte(end + 1) == b'\'';
        (!doubled).then(|| (self.slice(start, end), end + 1))
    }

    /// A quoted text that is no key: over several lines, and with the common escapes.
    fn quoted_value(&mut self, quote: u8) -> Option<Text> {
        if let Some((text, end)) = self.quoted(quote) {
            self.at = end;
            return Some(text);
        }
        let mut out = String::new();
        let mut from = self.at + 1;
        loop {
            let specials = memchr3_iter(quote, b'\n', b'\\', &self.text[from..]);
            let special =
                specials.map(|at| from + at).find(|at| quote == b'"' || self.text[*at] != b'\\')?;
            let part = self.source.get(from..special)?;
            from = special + 1;
            match self.text[special] {
                b'\n' => {
                    out.push_str(part.trim_end_matches(' '));
                    match self.empty_lines(&mut from)? {
                        0 => out.push(' '),
                        empty => out.extend(std::iter::repeat_n('\n', empty)),
                    }
                }
                b'\\' => {
                    out.push_str(part);
                    let escaped = *self.text.get(from)?;
                    from += 1;
                    match escaped {
                        b'"' | b'\\' | b'\'' | b' ' => out.push(char::from(escaped)),
                        b'n' => out.push('\n'),
                        b't' => out.push('\t'),
                        b'r' => out.push('\r'),
                        b'\n' => {
                            let empty = self.empty_lines(&mut from)?;
                            out.extend(std::iter::repeat_n('\n', empty));
                        }
                        _ => return None,
                    }
                }
                _ => {
                    out.push_str(part);
                    if quote == b'"' || self.text.get(from) != Some(&quote) {
                        self.at = from;
                        return Some(out.into());
                    }
                    out.push('\'');
                    from += 1;
                }
            }
        }
    }

    /// Goes from a line's beginning to the next content; counts empty lines before it.
    fn empty_lines(&self, at: &mut usize) -> Option<usize> {
        let mut empty = 0;
        loop {
            let line = *at;
            while self.text.get(*at) == Some(&b' ') {
                *at += 1;
            }
            match self.text.get(*at)? {
                b'\n' => {
                    empty += 1;
                    *at += 1;
                }
                // It may be the end of the document.
                b'-' | b'.' if *at == line => return None,
                _ => return Some(empty),
            }
        }
    }

    fn mapping(&mut self, column: usize, first: (Scalar, usize)) -> Option<Node> {
        let mine = self.entries.len();
        let (mut key, mut colon) = first;
        loop {
            self.at = colon + 1;
            while self.text.get(self.at) == Some(&b' ') {
                self.at += 1;
            }
            let value = match self.text.get(self.at) {
                Some(b'\n' | b'#') | None => self.below(column, true)?,
                Some(_) => self.value(column)?,
            };
            self.entries.push(Entry::new(key, value));
            // Here a line begins.
            let next = self.skip_to_content()?;
            if self.at >= self.text.len() || next < column {
                let entries: Vec<Entry> = self.entries.drain(mine..).collect();
                return Some(self.leave(Node::Mapping(Mapping::from(entries)), next));
            }
            if next > column {
                return None;
            }
            (key, colon) = self.key()?;
        }
    }

    fn sequence(&mut self, column: usize) -> Option<Node> {
        let mine = self.items.len();
        loop {
            let dash = self.at;
            self.at += 1;
            while self.text.get(self.at) == Some(&b' ') {
                self.at += 1;
            }
            let item = match self.text.get(self.at) {
                Some(b'\n' | b'#') | None => self.below(column, false)?,
                Some(b'-') if matches!(self.byte(self.at + 1), b' ' | b'\n') => {
                    self.block(column + (self.at - dash), column as isize)?
                }
                Some(_) => match self.key() {
                    Some(key) => {
                        self.depth += 1;
                        if self.depth > DEPTH_MAX {
                            return None;
                        }
                        let mapping = self.mapping(column + (self.at - dash), key)?;
                        self.depth -= 1;
                        mapping
                    }
                    None => self.value(column)?,
                },
            };
            self.items.push(item);
            let next = self.skip_to_content()?;
            let is_item =
                self.byte(self.at) == b'-' && matches!(self.byte(self.at + 1), b' ' | b'\n');
            // A sequence may stand at its key's column.
            let is_over =
                self.at >= self.text.len() || next < column || (next == column && !is_item);
            if is_over {
                let items: Vec<Node> = self.items.drain(mine..).collect();
                return Some(self.leave(Node::Sequence(Sequence::from(items)), next));
            }
            if next > column {
                return None;
            }
        }
    }

    /// Goes back to the beginning of the line, for whoever goes on there.
    fn leave(&mut self, node: Node, column: usize) -> Node {
        if self.at < self.text.len() {
            self.at -= column;
        }
        node
    }

    /// The value that stands on the lines below, if one does.
    fn below(&mut self, column: usize, of_key: bool) -> Option<Node> {
        self.skip_line();
        let next = self.skip_to_content()?;
        let is_item = self.byte(self.at) == b'-' && matches!(self.byte(self.at + 1), b' ' | b'\n');
        let is_there =
            self.at < self.text.len() && (next > column || (of_key && next == column && is_item));
        if is_there {
            return self.block(next, column as isize);
        }
        let null = Node::Scalar(Scalar { text: Text::default(), tag: Tag::Null, quoted: false });
        Some(self.leave(null, next))
    }

    /// A scalar that begins here; `parent` is the column of its collection.
    fn value(&mut self, parent: usize) -> Option<Node> {
        let first = self.byte(self.at);
        match first {
            b'"' | b'\'' => {
                let text = self.quoted_value(first)?;
                self.end_of_line()?;
                Some(Node::Scalar(Scalar { text, tag: Tag::Str, quoted: true }))
            }
            b'|' => self.literal(parent),
            b'[' | b'{' => {
                let mut end = self.at + 1;
                while self.text.get(end) == Some(&b' ') {
                    end += 1;
                }
                let node = match (first, self.byte(end)) {
                    (b'[', b']') => {
                        self.at = end + 1;
                        Node::sequence()
                    }
                    (b'{', b'}') => {
                        self.at = end + 1;
                        Node::mapping()
                    }
                    (b'[', _) => self.flow_texts()?,
                    _ => return None,
                };
                self.end_of_line()?;
                Some(node)
            }
            b'>' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b']' | b'}' | b',' | b'#' | b'?'
            | b':' => None,
            b'-' if matches!(self.byte(self.at + 1), b' ' | b'\n') => None,
            _ => self.plain_value(parent),
        }
    }

    /// `[a, "b"]` on one line.
    fn flow_texts(&mut self) -> Option<Node> {
        let mut items = Vec::new();
        self.at += 1;
        loop {
            while self.text.get(self.at) == Some(&b' ') {
                self.at += 1;
            }
            let first = self.byte(self.at);
            let scalar = match first {
                b'"' | b'\'' => {
                    let (text, end) = self.quoted(first)?;
                    self.at = end;
                    Scalar { text, tag: Tag::Str, quoted: true }
                }
                _ if is_key_byte(first) => {
                    let start = self.at;
                    if first == b'-' && !is_key_byte(self.byte(start + 1)) {
                        return None;
                    }
                    while is_key_byte(self.byte(self.at)) {
                        self.at += 1;
                    }
                    self.plain(self.slice(start, self.at))
                }
                _ => return None,
            };
            items.push(Node::Scalar(scalar));
            while self.text.get(self.at) == Some(&b' ') {
                self.at += 1;
            }
            match self.byte(self.at) {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(Node::Sequence(Sequence::from(items)));
                }
                _ => return None,
            }
        }
    }

    /// The end of a plain scalar's part on this line, and where the line ends.
    fn plain_line(&self, start: usize) -> Option<(usize, usize)> {
        let line_end =
            memchr(b'\n', &self.text[start..]).map_or(self.text.len(), |length| start + length);
        let mut end = line_end;
        for at in memchr::memchr2_iter(b':', b'#', &self.text[start..line_end]) {
            let at = start + at;
            if self.text[at] == b':' {
                // What looks like a key here is for the full parser.
                if matches!(self.byte(at + 1), b' ' | b'\n') {
                    return None;
                }
            } else if at > start && self.text[at - 1] == b' ' {
                end = at;
                break;
            }
        }
        while end > start && self.text[end - 1] == b' ' {
            end -= 1;
        }
        Some((end, line_end))
    }

    fn plain_value(&mut self, parent: usize) -> Option<Node> {
        let start = self.at;
        let (end, line_end) = self.plain_line(start)?;
        let commented = self.text[end..line_end].contains(&b'#');
        self.at = (line_end + 1).min(self.text.len());
        let mut folded: Option<String> = None;
        loop {
            // Does the next line belong to it?
            let mut at = self.at;
            let mut empty = 0;
            let next = loop {
                let line = at;
                while self.text.get(at) == Some(&b' ') {
                    at += 1;
                }
                match self.text.get(at) {
                    None => break None,
                    Some(b'\n') => {
                        empty += 1;
                        at += 1;
                    }
                    Some(first) => break (at - line > parent).then_some((at, *first)),
                }
            };
            let Some((next, first)) = next else { break };
            if commented || first == b'#' {
                return None;
            }
            let (next_end, line_end) = self.plain_line(next)?;
            if self.text[next_end..line_end].contains(&b'#') {
                return None;
            }
            let text = match &mut folded {
                Some(text) => text,
                none => none.insert(self.source.get(start..end)?.to_owned()),
            };
            match empty {
                0 => text.push(' '),
                empty => text.extend(std::iter::repeat_n('\n', empty)),
            }
            text.push_str(self.source.get(next..next_end)?);
            self.at = (line_end + 1).min(self.text.len());
        }
        let text = match folded {
            Some(text) => text.into(),
            None => self.slice(start, end),
        };
        Some(Node::Scalar(self.plain(text)))
    }

    /// `|`, `|-` or `|+`, without a number.
    fn literal(&mut self, parent: usize) -> Option<Node> {
        self.at += 1;
        let chomp = self.byte(self.at);
        if matches!(chomp, b'-' | b'+') {
            self.at += 1;
        }
        self.end_of_line()?;
        let mut text = String::new();
        let mut indent = None;
        // Line breaks that count only if more text follows, or if they are to be kept.
        let mut breaks = 0;
        loop {
            let line = self.at;
            let mut at = line;
            while self.text.get(at) == Some(&b' ') && indent.is_none_or(|indent| at - line < indent)
            {
                at += 1;
            }
            match self.text.get(at) {
                None => {
                    self.at = at;
                    break;
                }
                Some(b'\n') => {
                    // An empty line that is indented deeper than the first text changes how
                    // that one reads.
                    if indent.is_none() && at > line {
                        return None;
                    }
                    breaks += 1;
                    self.at = at + 1;
                    continue;
                }
                Some(_) => {}
            }
            let column = at - line;
            match indent {
                None if column <= parent => break,
                None => indent = Some(column),
                Some(indent) if column < indent => break,
                Some(_) => {}
            }
            let end = memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |length| at + length);
            text.extend(std::iter::repeat_n('\n', breaks));
            text.push_str(self.source.get(at..end)?);
            breaks = usize::from(end < self.text.len());
            self.at = (end + 1).min(self.text.len());
        }
        let last = match chomp {
            b'-' => 0,
            b'+' => breaks,
            // Without any text the breaks are not part of it.
            _ if text.is_empty() => return None,
            _ => breaks.min(1),
        };
        text.extend(std::iter::repeat_n('\n', last));
        Some(Node::Scalar(Scalar { text: text.into(), tag: Tag::Str, quoted: true }))
    }
}
