//! What bytes mean to the scanner. A position beyond the end reads as 0, which no text holds.

/// Letters, digits, `_` and `-`: what names of anchors and directives are made of.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What a tag may be made of besides words and `%`.
pub(crate) fn is_tag_mark(byte: u8) -> bool {
    matches!(
        byte,
        b';' | b'/'
            | b'?'
            | b':'
            | b'@'
            | b'&'
            | b'='
            | b'+'
            | b'$'
            | b','
            | b'.'
            | b'!'
            | b'~'
            | b'*'
            | b'\''
            | b'('
            | b')'
            | b'['
            | b']'
    )
}

/// A space or a tab.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Reads the byte at `at`; 0 beyond the end.
#[inline(always)]
pub(crate) fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// How many bytes the line break at `at` has, 0 where there is none.
///
/// CR, LF, CR LF, and the three breaks of Unicode.
#[inline(always)]
pub(crate) fn break_len(text: &[u8], at: usize) -> usize {
    match byte(text, at) {
        b'\n' => 1,
        b'\r' => 1 + usize::from(byte(text, at + 1) == b'\n'),
        0xC2 if byte(text, at + 1) == 0x85 => 2,
        0xE2 if byte(text, at + 1) == 0x80 && matches!(byte(text, at + 2), 0xA8 | 0xA9) => 3,
        _ => 0,
    }
}

/// A line break or the end.
#[inline(always)]
pub(crate) fn ends_line(text: &[u8], at: usize) -> bool {
    byte(text, at) == 0 || break_len(text, at) > 0
}

/// A blank, a line break or the end.
#[inline(always)]
pub(crate) fn ends_word(text: &[u8], at: usize) -> bool {
    is_blank(byte(text, at)) || ends_line(text, at)
}

/// How many bytes the character has that begins with `lead`.
#[inline(always)]
pub(crate) fn width(lead: u8) -> usize {
    match lead {
        0..=0xBF => 1,
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 3,
        _ => 4,
    }
}

/// How many characters the bytes are.
#[inline(always)]
pub(crate) fn count_chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}
