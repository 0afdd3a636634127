//! Collections in brackets, of words and quoted texts on one line each.

use goval::scan::find_any;

use crate::resolve::{Dialect, Scalar, resolve};

use super::chars::Tabs;
use super::{DEPTH_MAX, LineEnd, MAY_MEAN, Make, Reader, blanks, quoted_text, scalar};

/// The bytes of which words are made.
#[inline]
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'/' | b'-')
}

impl<'a> Reader<'a> {
    /// The collection that begins at `start`, and nothing behind it; `indent` is that of the
    /// collection around it.
    pub(super) fn flow<M: Make>(
        &mut self,
        make: &mut M,
        start: usize,
        indent: usize,
        depth: usize,
    ) -> Option<M::Node> {
        let (made, at) = self.brackets(make, start, indent, depth + 1)?;
        let end = self.line_end(at);
        let behind = &self.bytes[at..end];
        let spaces = blanks(behind);
        let commented = spaces > 0 && behind.get(spaces) == Some(&b'#');
        if spaces < behind.len() && !commented {
            return None;
        }
        self.at = end + 1;
        self.nothing_deeper(indent)?;
        Some(made)
    }

    /// What the bracket at `at` begins, and where it ends.
    fn brackets<M: Make>(
        &self,
        make: &mut M,
        at: usize,
        indent: usize,
        depth: usize,
    ) -> Option<(M::Node, usize)> {
        if depth > DEPTH_MAX {
            return None;
        }
        match self.bytes[at] {
            b'[' => self.items(make, at + 1, indent, depth),
            _ => self.entries(make, at + 1, indent, depth),
        }
    }

    fn items<M: Make>(
        &self,
        make: &mut M,
        at: usize,
        indent: usize,
        depth: usize,
    ) -> Option<(M::Node, usize)> {
        let mut items = make.list();
        let mut at = self.next_part(at, indent)?;
        while self.bytes[at] != b']' {
            make.item(&mut items);
            let (item, behind) = self.part(make, at, indent, depth)?;
            make.pushed(&mut items, item);
            at = self.behind_comma(behind, b']', indent)?;
        }
        Some((make.list_done(items), at + 1))
    }

    fn entries<M: Make>(
        &self,
        make: &mut M,
        at: usize,
        indent: usize,
        depth: usize,
    ) -> Option<(M::Node, usize)> {
        let mut entries = make.map();
        let mut at = self.next_part(at, indent)?;
        while self.bytes[at] != b'}' {
            let (key, behind) = self.flow_key(at)?;
            make.key(&mut entries, key);
            let value_at = self.next_part(behind, indent)?;
            let (value, behind) = self.part(make, value_at, indent, depth)?;
            make.entry(&mut entries, key, value);
            at = self.behind_comma(behind, b'}', indent)?;
        }
        Some((make.map_done(entries), at + 1))
    }

    /// Behind the comma that follows a part, or at the bracket that does.
    fn behind_comma(&self, at: usize, close: u8, indent: usize) -> Option<usize> {
        let at = self.next_part(at, indent)?;
        match self.bytes[at] {
            b',' => self.next_part(at + 1, indent),
            byte => (byte == close).then_some(at),
        }
    }

    /// The next byte that is neither blank nor a comment's.
    fn next_part(&self, mut at: usize, indent: usize) -> Option<usize> {
        loop {
            match *self.bytes.get(at)? {
                b' ' => at += 1,
                b'#' if matches!(self.bytes[at - 1], b' ' | b'\n') => at = self.line_end(at),
                b'\n' => {
                    let start = at + 1;
                    at = start + blanks(self.bytes.get(start..)?);
                    match *self.bytes.get(at)? {
                        b'\n' | b'#' => {}
                        b']' | b'}' if at - start >= indent => {}
                        _ if at - start > indent => {}
                        _ => return None,
                    }
                }
                b'\t' | b'#' => return None,
                _ => return Some(at),
            }
        }
    }

    /// A key and the colon, and what is behind them.
    fn flow_key(&self, at: usize) -> Option<(&'a str, usize)> {
        let (key, end) = match self.bytes[at] {
            quote @ (b'"' | b'\'') => {
                let (text, end) = self.in_quotes(at, quote)?;
                if text.bytes().any(|byte| matches!(byte, b'\\' | b'\t' | b'"')) {
                    return None;
                }
                (text, end)
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let (word, end) = self.word(at)?;
                if MAY_MEAN[usize::from(self.bytes[at])]
                    && !matches!(resolve(Dialect::V2, word), Scalar::Str)
                {
                    return None;
                }
                (word, end)
            }
            _ => return None,
        };
        let is_key = self.bytes.get(end) == Some(&b':')
            && matches!(self.bytes.get(end + 1), Some(b' ' | b'\n'));
        is_key.then_some((key, end + 1))
    }

    /// A value inside brackets, and what is behind it.
    fn part<M: Make>(
        &self,
        make: &mut M,
        at: usize,
        indent: usize,
        depth: usize,
    ) -> Option<(M::Node, usize)> {
        match self.bytes[at] {
            b'[' | b'{' => self.brackets(make, at, indent, depth + 1),
            quote @ (b'"' | b'\'') => {
                if let Some((text, end)) = self.in_quotes(at, quote) {
                    return Some((make.text(text.into()), end));
                }
                let line_end = self.line_end(at);
                let mut text = String::new();
                let LineEnd::Closed(behind) =
                    quoted_text(&self.text[at + 1..line_end], quote, &mut text)?
                else {
                    return None;
                };
                Some((make.text(text.into()), line_end - behind.len()))
            }
            b'-' => None,
            _ => {
                let (word, end) = self.word(at)?;
                matches!(self.bytes.get(end), Some(b' ' | b'\n' | b',' | b']' | b'}'))
                    .then_some(())?;
                Some((scalar(make, word)?, end))
            }
        }
    }

    fn word(&self, at: usize) -> Option<(&'a str, usize)> {
        let length = self.bytes[at..].iter().position(|byte| !is_word(*byte))?;
        (length > 0).then(|| (&self.text[at..at + length], at + length))
    }

    /// What stands in quotes on one line and needs no work.
    fn in_quotes(&self, at: usize, quote: u8) -> Option<(&'a str, usize)> {
        let inside = &self.bytes[at + 1..];
        let end = find_any([quote, b'\n'], inside)?;
        let text = &self.text[at + 1..at + 1 + end];
        let is_whole = inside[end] == quote
            // Two are one that does not end the text.
            && (quote == b'"' || inside.get(end + 1) != Some(&b'\''))
            && (quote == b'\'' || !text.contains('\\'))
            && (self.tabs == Tabs::None || !text.contains('\t'));
        is_whole.then_some((text, at + end + 2))
    }
}
