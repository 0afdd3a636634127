//! In which styles a text can be written.

use goval::scan::{find_any, find_where};

use crate::chars::{break_len, byte, is_blank, width};
use crate::resolve::Dialect;

/// What a text allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Analysis {
    pub(crate) multiline: bool,
    /// Plain in block context.
    pub(crate) plain_allowed: bool,
    pub(crate) single_quoted_allowed: bool,
    /// `|` or `>`.
    pub(crate) block_allowed: bool,
}

impl Analysis {
    pub(crate) fn of(text: &str, dialect: Dialect) -> Self {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Self {
                multiline: false,
                plain_allowed: true,
                single_quoted_allowed: true,
                block_allowed: false,
            };
        }
        if is_simple(bytes) {
            return Self {
                multiline: false,
                plain_allowed: true,
                single_quoted_allowed: true,
                block_allowed: true,
            };
        }
        Self::in_full(text, dialect)
    }

    fn in_full(text: &str, dialect: Dialect) -> Self {
        let bytes = text.as_bytes();
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let mut special = false;
        let mut tab = false;
        let mut line_breaks = false;
        let mut at_an_end = false;
        let mut trailing_space = false;
        let mut break_space = false;
        let mut space_break = false;
        let mut after_blank = true;
        let mut after_space = false;
        let mut after_break = false;
        let mut at = 0;
        while at < bytes.len() {
            let here = bytes[at];
            let next = at + width(here);
            let last = next >= bytes.len();
            let before_blank = last || is_blank(bytes[next]);
            indicators |= match here {
                b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
                | b'"' | b'%' | b'@' | b'`' => at == 0,
                b'?' | b'-' => at == 0 && before_blank,
                b':' => before_blank,
                b'#' => after_blank,
                _ => false,
            };
            let char = match here {
                ..0x80 => char::from(here),
                _ => text[at..].chars().next().expect("`at` is a character's first byte"),
            };
            // A tab keeps a text out of blocks in the older library only.
            if char == '\t' && dialect == Dialect::V3 {
                tab = true;
            } else {
                special |= !is_printable(char);
            }
            let is_break = break_len(bytes, at) > 0;
            if here == b' ' {
                at_an_end |= at == 0 || last;
                trailing_space |= last;
                break_space |= after_break;
            } else if is_break {
                line_breaks = true;
                at_an_end |= at == 0 || last;
                space_break |= after_space;
            }
            after_space = here == b' ';
            after_break = is_break;
            after_blank = is_blank(here) || is_break || here == 0;
            at = next;
        }
        let broken = space_break || special;
        Self {
            multiline: line_breaks,
            plain_allowed: !(at_an_end
                || break_space
                || broken
                || tab
                || line_breaks
                || indicators),
            single_quoted_allowed: !(break_space || broken || tab),
            block_allowed: !(trailing_space || broken),
        }
    }
}

/// Most texts: ASCII in one line that begins with a letter or digit, without the signs that mean
/// something inside of a plain scalar.
fn is_simple(bytes: &[u8]) -> bool {
    let first = byte(bytes, 0);
    (first.is_ascii_alphanumeric() || first == b'/')
        && bytes.last() != Some(&b' ')
        && find_where(bytes, |byte| !(b' '..=b'~').contains(&byte)).is_none()
        && find_any([b':', b'#'], bytes).is_none()
}

/// Whether a character is written as it is: no control character, no byte order mark, and
/// nothing beyond the first plane.
pub(crate) fn is_printable(char: char) -> bool {
    matches!(char,
        '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}
