//! The forms that numbers and times have in TOML.

/// Each underscore follows a digit, and the last character is one; digits are those of any base.
pub(super) fn underscores_hold(number: &str) -> bool {
    let mut after_digit = false;
    for char in number.chars() {
        if char == '_' && !after_digit {
            return false;
        }
        after_digit = char.is_ascii_hexdigit();
    }
    after_digit
}

/// Whether a zero stands before other digits.
pub(super) fn leads_with_zero(number: &str) -> bool {
    match number.as_bytes() {
        [b'0', base, ..] => !matches!(base, b'b' | b'o' | b'x'),
        [b'-' | b'+', b'0', _, ..] => true,
        _ => false,
    }
}

/// Whether a text is a date, a time of the day, or both with or without an offset.
pub(super) fn is_time(text: &str) -> bool {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (Some(date), Some(clock)),
        None if text.contains(':') => (None, Some(text)),
        None => (Some(text), None),
    };
    if !date.is_none_or(is_date) {
        return false;
    }
    let Some(clock) = clock else { return true };
    let zone = clock.find(['Z', '+', '-']);
    let (clock, zone) = clock.split_at(zone.unwrap_or(clock.len()));
    let zone_fits = match zone.as_bytes() {
        [] | [b'Z'] => true,
        [b'+' | b'-', offset @ ..] => fits(offset, "00:00") && part(&zone[1..3]) <= 24,
        _ => false,
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let is_clock = match clock.len() {
        5 => fits(clock.as_bytes(), "00:00"),
        _ => fits(clock.as_bytes(), "00:00:00") && part(&clock[6..8]) < 60,
    };
    let digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    (date.is_some() || zone.is_empty())
        && zone_fits
        && digits
        && is_clock
        && part(&clock[..2]) < 24
        && part(&clock[3..5]) < 60
}

fn is_date(date: &str) -> bool {
    if !fits(date.as_bytes(), "0000-00-00") {
        return false;
    }
    let (year, month, day) = (part(&date[..4]), part(&date[5..7]), part(&date[8..]));
    let leaps = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(leaps),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// Whether digits stand where the form has zeros, and all else is equal.
fn fits(text: &[u8], form: &str) -> bool {
    let fit = |(one, form): (&u8, u8)| match form {
        b'0' => one.is_ascii_digit(),
        other => *one == other,
    };
    text.len() == form.len() && text.iter().zip(form.bytes()).all(fit)
}

fn part(digits: &str) -> u32 {
    digits.parse().unwrap_or(u32::MAX)
}
