//! Durations as Go writes them, and as fields of objects have them.

const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a Go duration (`1h30m`, `-1.5s`, `100ms`, `0`) as nanoseconds; `None` where the text is none, or
/// one too long for Go (about 292 years).
pub fn go_nanoseconds(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut sum: u128 = 0;
    loop {
        let whole = digits(rest);
        rest = &rest[whole.len()..];
        let fraction = match rest.strip_prefix('.') {
            Some(behind) => {
                let fraction = digits(behind);
                rest = &behind[fraction.len()..];
                fraction
            }
            None => "",
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
        let (_, size) = UNITS.iter().find(|(unit, _)| *unit == &rest[..end])?;
        rest = &rest[end..];
        if !whole.is_empty() {
            let part = whole.parse::<u128>().ok()?.checked_mul(*size)?;
            sum = sum.checked_add(part)?;
        }
        let mut scale = *size;
        for digit in fraction.bytes() {
            scale /= 10;
            sum += scale * u128::from(digit - b'0');
        }
        if sum > i64::MAX.unsigned_abs().into() {
            return None;
        }
        if rest.is_empty() {
            let sum = i64::try_from(sum).ok()?;
            return Some(if negative { -sum } else { sum });
        }
    }
}

fn digits(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    &text[..end]
}
