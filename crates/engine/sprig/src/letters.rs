//! Characters as Go's `unicode` sees them: one to one, with title case apart.

use std::sync::LazyLock;

use regex::Regex;

/// The characters of bytes with their widths; a byte that is no UTF-8 is U+FFFD, one wide.
pub(crate) fn runes(text: &[u8]) -> impl Iterator<Item = (char, usize)> + '_ {
    text.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|char| (char, char.len_utf8()));
        valid.chain(chunk.invalid().iter().map(|_| ('\u{FFFD}', 1)))
    })
}

/// `unicode.ToUpper`.
pub(crate) fn to_upper(char: char) -> char {
    let code = u32::from(char);
    match code {
        0x1F80..=0x1F87 | 0x1F90..=0x1F97 | 0x1FA0..=0x1FA7 => shifted(code, 8),
        0x1FB3 | 0x1FC3 | 0x1FF3 => shifted(code, 9),
        _ => single(char.to_uppercase(), char),
    }
}

/// `unicode.ToLower`.
pub(crate) fn to_lower(char: char) -> char {
    if char == '\u{130}' { 'i' } else { single(char.to_lowercase(), char) }
}

/// `unicode.ToTitle`.
pub(crate) fn to_title(char: char) -> char {
    match u32::from(char) {
        0x1C4..=0x1C6 => '\u{1C5}',
        0x1C7..=0x1C9 => '\u{1C8}',
        0x1CA..=0x1CC => '\u{1CB}',
        0x1F1..=0x1F3 => '\u{1F2}',
        // Georgian has capitals, and no title case.
        0x10D0..=0x10FA | 0x10FD..=0x10FF => char,
        _ => to_upper(char),
    }
}

/// `unicode.IsTitle`.
pub(crate) fn is_title(char: char) -> bool {
    static TITLE: Class = LazyLock::new(|| class(r"^\p{Lt}"));
    !char.is_ascii() && holds(&TITLE, char)
}

/// `unicode.IsUpper`: the category, which is less than the property.
pub(crate) fn is_upper(char: char) -> bool {
    static UPPER: Class = LazyLock::new(|| class(r"^\p{Lu}"));
    if char.is_ascii() { char.is_ascii_uppercase() } else { holds(&UPPER, char) }
}

/// `unicode.IsLower`: the category, which is less than the property.
pub(crate) fn is_lower(char: char) -> bool {
    static LOWER: Class = LazyLock::new(|| class(r"^\p{Ll}"));
    if char.is_ascii() { char.is_ascii_lowercase() } else { holds(&LOWER, char) }
}

/// `unicode.IsNumber`.
pub(crate) fn is_number(char: char) -> bool {
    static NUMBER: Class = LazyLock::new(|| class(r"^\p{N}"));
    if char.is_ascii() { char.is_ascii_digit() } else { holds(&NUMBER, char) }
}

/// `unicode.IsPunct`.
pub(crate) fn is_punct(char: char) -> bool {
    static PUNCT: Class = LazyLock::new(|| class(r"^\p{P}"));
    holds(&PUNCT, char)
}

type Class = LazyLock<Regex>;

fn class(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern compiles")
}

fn holds(class: &Regex, char: char) -> bool {
    class.is_match(char.encode_utf8(&mut [0; 4]))
}

/// The one character of a mapping; a mapping to several is none of Go's.
fn single(mut mapped: impl Iterator<Item = char>, char: char) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

fn shifted(code: u32, by: u32) -> char {
    char::from_u32(code + by).expect("the Greek block has no gaps that are no characters")
}
