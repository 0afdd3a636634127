//! The order of keys: letters as they are, digits as numbers, other signs first.

use crate::resolve::Dialect;

/// Whether key `one` comes before key `other` in Go's natural order.
///
/// After a digit the newer library puts letters first.
pub(crate) fn less(one: &str, other: &str, dialect: Dialect) -> bool {
    let bytes = one.bytes().zip(other.bytes());
    let Some(mut at) = bytes.into_iter().position(|(a, b)| a != b) else {
        return one.len() < other.len();
    };
    while !one.is_char_boundary(at) {
        at -= 1;
    }
    let before = &one.as_bytes()[..at];
    let (one, other) = (&one[at..], &other[at..]);
    let first = |text: &str| text.chars().next().expect("both go on where they differ");
    let (a, b) = (first(one), first(other));
    let after_digit = dialect == Dialect::V3 && before.last().is_some_and(u8::is_ascii_digit);
    match (goval::is_letter(a), goval::is_letter(b)) {
        (true, true) => return a < b,
        (true, false) => return after_digit,
        (false, true) => return !after_digit,
        (false, false) => {}
    }
    // Behind a digit that is no zero, a zero is part of a number.
    let in_number = (a == '0' || b == '0')
        && before.iter().rev().take_while(|byte| byte.is_ascii_digit()).any(|byte| *byte != b'0');
    let start = i64::from(in_number);
    let (a_number, a_digits) = number(one, start);
    let (b_number, b_digits) = number(other, start);
    if a_number != b_number {
        return a_number < b_number;
    }
    if a_digits != b_digits {
        return a_digits < b_digits;
    }
    a < b
}

fn number(text: &str, start: i64) -> (i64, usize) {
    let digits = text.bytes().take_while(u8::is_ascii_digit);
    digits.fold((start, 0), |(value, count), digit| {
        (value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0')), count + 1)
    })
}

/// Sorts by merging: the order above is none in every case, and a sort of the standard library
/// may refuse such a one.
pub(crate) fn sort<T>(items: &mut Vec<T>, less: impl Fn(&T, &T) -> bool + Copy) {
    // Most are in order.
    if items.windows(2).all(|pair| less(&pair[0], &pair[1])) {
        return;
    }
    let mut right = items.split_off(items.len() / 2);
    sort(items, less);
    sort(&mut right, less);
    let mut merged = Vec::with_capacity(items.len() + right.len());
    let mut left = std::mem::take(items).into_iter().peekable();
    let mut right = right.into_iter().peekable();
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        merged.extend(if less(other, one) { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    *items = merged;
}

/// Whether the text is a number to YAML 1.1 that Go leaves alone, as `190:20:30`:
/// `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`.
pub(crate) fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !text.starts_with(|char: char| char.is_ascii_digit()) {
        return false;
    }
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut parts = whole.split(':');
    let first = parts.next().is_some_and(digits);
    let mut count = 0;
    let sixtieths = parts.all(|part| {
        count += 1;
        matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9'])
    });
    first && sixtieths && count > 0 && digits(fraction)
}
