//! JSON text with indentation, written piece by piece: what `serde_json` prints of an object that
//! stands in a list, without the object.

use std::fmt::Write as _;

use serde_json::Value;

/// What stands before a map's first entry, a list's first item, and one that is not the first:
/// then come as many of the blanks as it stands to the right.
const FIRST_ENTRY: &str = "{\n                                                                ";
const FIRST_ITEM: &str = "[\n                                                                ";
const NEXT: &str = ",\n                                                                ";

/// A JSON text that is being written. Everything stands two blanks a level to the right, and the
/// whole one level, as an item of a list does.
#[derive(Debug)]
pub struct JsonText {
    text: String,
    /// Collections around what is written.
    depth: usize,
}

impl JsonText {
    /// An empty text with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), depth: 1 }
    }

    /// What was written so far.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What was written.
    pub fn into_string(self) -> String {
        self.text
    }

    /// Takes out what was written so far, and goes on behind it.
    pub fn take(&mut self) -> String {
        let room = self.text.capacity();
        std::mem::replace(&mut self.text, String::with_capacity(room))
    }

    /// Takes back all but the first bytes.
    pub fn truncate(&mut self, bytes: usize) {
        self.text.truncate(bytes);
    }

    /// How many collections are around what is written, the outer list included.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Adds what is JSON already.
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a text in quotes.
    #[inline]
    pub fn string(&mut self, text: &str) {
        self.text.reserve(text.len() + 2);
        self.text.push('"');
        match first_escaped(text.as_bytes()) {
            None => self.text.push_str(text),
            Some(at) => self.escaped(text, at),
        }
        self.text.push('"');
    }

    /// Adds a text with escapes, the first of which is for the byte at `first`.
    fn escaped(&mut self, text: &str, first: usize) {
        let mut rest = text;
        let mut next = Some(first);
        while let Some(at) = next {
            self.text.push_str(&rest[..at]);
            match rest.as_bytes()[at] {
                b'"' => self.text.push_str("\\\""),
                b'\\' => self.text.push_str("\\\\"),
                b'\n' => self.text.push_str("\\n"),
                b'\t' => self.text.push_str("\\t"),
                b'\r' => self.text.push_str("\\r"),
                0x08 => self.text.push_str("\\b"),
                0x0C => self.text.push_str("\\f"),
                byte => write!(self.text, "\\u{byte:04x}").expect("a string takes all"),
            }
            rest = &rest[at + 1..];
            next = first_escaped(rest.as_bytes());
        }
        self.text.push_str(rest);
    }

    /// Adds what stands before an entry's value: its key, which needs no escapes, and where the
    /// entry is the first, the bracket. Answers where the key's quotes begin and where the value
    /// does.
    pub fn key(&mut self, is_first: bool, key: &str) -> (usize, usize) {
        self.text.reserve(key.len() + self.depth * 2 + 6);
        self.part(is_first, '{');
        let start = self.text.len();
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\": ");
        (start, self.text.len())
    }

    /// Adds a value that is no collection, or an empty one.
    pub fn scalar(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.string(text),
            value => write!(self.text, "{value}").expect("a string takes all"),
        }
    }

    /// Goes one level in; the collection's bracket comes with its first part.
    pub fn enter(&mut self) {
        self.depth += 1;
    }

    /// What stands before a part: `bracket` where it is the first.
    #[inline]
    pub fn part(&mut self, is_first: bool, bracket: char) {
        let line = match (is_first, bracket) {
            (false, _) => NEXT,
            (true, '{') => FIRST_ENTRY,
            (true, _) => FIRST_ITEM,
        };
        let blanks = self.depth * 2;
        match line.get(..blanks + 2) {
            Some(line) => self.text.push_str(line),
            None => {
                self.text.push_str(&line[..1]);
                self.next_line();
            }
        }
    }

    /// Goes one level out; a collection without parts is the two brackets alone.
    pub fn leave(&mut self, is_empty: bool, brackets: [char; 2]) {
        self.depth -= 1;
        if is_empty {
            self.text.push(brackets[0]);
        } else {
            self.next_line();
        }
        self.text.push(brackets[1]);
    }

    /// A line break, and blanks.
    fn next_line(&mut self) {
        let mut left = self.depth * 2;
        self.text.push('\n');
        while left > 0 {
            let some = left.min(NEXT.len() - 2);
            self.text.push_str(&NEXT[2..2 + some]);
            left -= some;
        }
    }
}

/// A value as [`JsonText`] writes it.
pub fn json_text_of(value: &Value) -> String {
    // A list of one is indented as it is in a list of many.
    let list = serde_json::to_string_pretty(&[value]).expect("a JSON value prints to memory");
    let inside = list.strip_prefix("[\n  ").and_then(|list| list.strip_suffix("\n]"));
    inside.expect("a list of one is printed so").to_owned()
}

/// Where the first byte is that JSON writes as an escape.
fn first_escaped(text: &[u8]) -> Option<usize> {
    const BLOCK: usize = 16;
    let (blocks, rest) = text.as_chunks::<BLOCK>();
    let clean = blocks.iter().take_while(|block| !has_escaped(block)).count() * BLOCK;
    // The last bytes together with some before them, where there are some.
    if clean + rest.len() == text.len()
        && let Some(last) = text.last_chunk::<BLOCK>()
        && !has_escaped(last)
    {
        return None;
    }
    first_in_words(&text[clean..]).map(|at| clean + at)
}

/// Whether one of the bytes is escaped; all are looked at together.
#[inline]
fn has_escaped<const N: usize>(block: &[u8; N]) -> bool {
    let found = block.iter().fold(0, |found, byte| {
        found | u8::from(*byte < b' ') | u8::from(*byte == b'"') | u8::from(*byte == b'\\')
    });
    found != 0
}

/// As [`first_escaped`], eight bytes at a time.
#[inline]
fn first_in_words(text: &[u8]) -> Option<usize> {
    const WORD: usize = 8;
    let (words, rest) = text.as_chunks::<WORD>();
    for (at, word) in words.iter().enumerate() {
        if let Some(inside) = first_escaped_of(u64::from_le_bytes(*word)) {
            return Some(at * WORD + inside);
        }
    }
    // The last bytes together with some that were looked at before, where there are some.
    match text.last_chunk::<WORD>() {
        Some(last) => first_escaped_of(u64::from_le_bytes(*last)).map(|at| text.len() - WORD + at),
        None => rest.iter().position(|byte| is_escaped(*byte)),
    }
}

/// The same of eight bytes, the first of which is the lowest.
#[inline]
fn first_escaped_of(word: u64) -> Option<usize> {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGH: u64 = ONES << 7;
    // What is subtracted runs over into the next byte only behind a byte that was found.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    let found = below(word, b' ') | is(b'"') | is(b'\\');
    (found != 0).then(|| found.trailing_zeros() as usize / 8)
}

/// Whether JSON writes the byte as an escape.
fn is_escaped(byte: u8) -> bool {
    byte < b' ' || matches!(byte, b'"' | b'\\')
}
