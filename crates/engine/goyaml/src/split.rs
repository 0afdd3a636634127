//! Streams of documents, cut as Kubernetes' tools cut them.
//!
//! They do not ask YAML where a document ends: a line that begins with `---` ends it, inside
//! a block of text too, and only blanks and a comment may follow on that line.

use std::borrow::Cow;

use goval::scan;

use crate::error::YamlError;

/// One document of a stream, not yet parsed; it may hold nothing but blanks and comments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The document's bytes; its last line ends with a line break.
    pub bytes: Cow<'a, [u8]>,
    /// The stream's line on which the chunk begins, counted from 1.
    pub line: u32,
}

/// Cuts a stream into its documents.
pub fn split(stream: &[u8]) -> Split<'_> {
    Split { stream, at: 0, line: 1, failed: false }
}

/// The documents of a stream; nothing comes after an error.
#[derive(Clone, Debug)]
pub struct Split<'a> {
    stream: &'a [u8],
    at: usize,
    line: u32,
    failed: bool,
}

impl Split<'_> {
    /// How many bytes of the stream were given out.
    pub fn consumed(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Split<'a> {
    type Item = Result<Chunk<'a>, YamlError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let begin = self.at;
        let line = self.line;
        loop {
            let start = self.at;
            let rest = &self.stream[start..];
            if rest.is_empty() {
                return (start > begin).then(|| Ok(self.chunk(begin, start, line)));
            }
            if !rest.starts_with(b"---") {
                let lines = scan::find_dashes(rest).map_or(rest, |at| &rest[..=at]);
                self.at = start + lines.len();
                self.line += scan::count_byte(b'\n', lines) as u32;
                continue;
            }
            let end = scan::find_byte(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let this_line = self.line;
            self.at = start + end;
            self.line += 1;
            if let Some(after) = rest[..end].strip_prefix(b"---") {
                let after = String::from_utf8_lossy(after);
                let after = after.trim();
                if !after.is_empty() && !after.starts_with('#') {
                    self.failed = true;
                    let problem = format!("invalid Yaml document separator: {after}");
                    return Some(Err(YamlError::bare(this_line - 1, 0, problem)));
                }
                if start > begin {
                    return Some(Ok(self.chunk(begin, start, line)));
                }
            }
        }
    }
}

impl<'a> Split<'a> {
    fn chunk(&self, begin: usize, end: usize, line: u32) -> Chunk<'a> {
        let bytes = &self.stream[begin..end];
        let bytes = if bytes.ends_with(b"\n") {
            Cow::Borrowed(bytes)
        } else {
            Cow::Owned([bytes, b"\n"].concat())
        };
        Chunk { bytes, line }
    }
}
