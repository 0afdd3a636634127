//! Classes of characters, as Go's Unicode tables have them.

mod tables;

use std::cmp::Ordering;

use tables::{DIGIT, LETTER, PRINT};

/// `unicode.IsPrint` and `strconv.IsPrint`: letters, marks, numbers, punctuation, symbols, and
/// the ASCII space.
pub fn is_print(char: char) -> bool {
    if char.is_ascii() {
        return (' '..='~').contains(&char);
    }
    within(PRINT, char)
}

/// `unicode.IsLetter`.
pub fn is_letter(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_alphabetic();
    }
    within(LETTER, char)
}

/// `unicode.IsDigit`: decimal digits of any script.
pub fn is_digit(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_digit();
    }
    within(DIGIT, char)
}

/// The first character of a text and its length in bytes, as `utf8.DecodeRune` gives it: a byte
/// that begins no character is U+FFFD, one byte long. `None` at the end.
#[inline]
pub fn first_char(bytes: &[u8]) -> Option<(char, usize)> {
    let first = *bytes.first()?;
    if first < 0x80 {
        return Some((char::from(first), 1));
    }
    Some(first_wide_char(bytes))
}

fn first_wide_char(bytes: &[u8]) -> (char, usize) {
    let longest = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(longest) {
        Ok(text) => text,
        Err(error) => {
            std::str::from_utf8(&longest[..error.valid_up_to()]).expect("it is valid up to there")
        }
    };
    valid.chars().next().map_or(('\u{FFFD}', 1), |char| (char, char.len_utf8()))
}

/// How many characters a text has, each stray byte counted as one.
pub fn char_count(bytes: &[u8]) -> usize {
    bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() + chunk.invalid().len()).sum()
}

fn within(ranges: &[(u32, u32)], char: char) -> bool {
    let code = u32::from(char);
    ranges
        .binary_search_by(|(first, last)| {
            if code < *first {
                Ordering::Greater
            } else if code > *last {
                Ordering::Less
            } else {
                Ordering::Equal
            }
        })
        .is_ok()
}
