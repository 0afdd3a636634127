//! Which scalars are dates and times.
//!
//! Go tries four layouts: `2006-1-2`, that with ` 15:4:5` and an optional fraction, and with
//! `T` or `t` before the time and a zone (`Z`, `+07:00`) after it.

/// Whether Go reads the text as a date or a time.
pub(crate) fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let year = two(&bytes[..2]) * 100 + two(&bytes[2..4]);
    let mut at = Reader { rest: &bytes[5..] };
    let Some(month) = at.number(1..=12) else { return false };
    if !at.skip(b'-') {
        return false;
    }
    let Some(day) = at.number(1..=31) else { return false };
    if day > days_in(year, month) {
        return false;
    }
    match at.rest.first() {
        None => true,
        Some(b' ') => {
            // A layout's blank takes any number of blanks.
            while at.skip(b' ') {}
            at.time() && at.rest.is_empty()
        }
        Some(b'T' | b't') => {
            at.rest = &at.rest[1..];
            at.time() && at.zone() && at.rest.is_empty()
        }
        Some(_) => false,
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn skip(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    /// One or two digits.
    fn number(&mut self, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let count = self.rest.iter().take(2).take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at_checked(count.max(1))?;
        if count == 0 {
            return None;
        }
        self.rest = rest;
        Some(two(digits)).filter(|value| range.contains(value))
    }

    fn time(&mut self) -> bool {
        let whole = self.number(0..=23).is_some()
            && self.skip(b':')
            && self.number(0..=59).is_some()
            && self.skip(b':')
            && self.number(0..=59).is_some();
        if !whole {
            return false;
        }
        if let [b'.' | b',', digit, ..] = self.rest
            && digit.is_ascii_digit()
        {
            let digits = self.rest[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.rest = &self.rest[1 + digits..];
        }
        true
    }

    fn zone(&mut self) -> bool {
        if self.skip(b'Z') {
            return true;
        }
        if !(self.skip(b'+') || self.skip(b'-')) {
            return false;
        }
        match self.rest {
            [a, b, b':', c, d, rest @ ..]
                if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) =>
            {
                let within = two(&[*a, *b]) <= 24 && two(&[*c, *d]) <= 60;
                self.rest = rest;
                within
            }
            _ => false,
        }
    }
}

fn two(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
