//! Times as the API writes them: RFC 3339 in UTC, to the second or to the microsecond.
//!
//! What is accepted and what is said about the rest follows Go's `time.Parse`.

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds after them.
    pub nanoseconds: u32,
}

/// Seconds from 1970 back to the year 1, Go's zero time, which JSON shows as `null`.
const ZERO_SECONDS: i64 = -62_135_596_800;

const TO_SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const TO_MICROSECONDS: &str = "2006-01-02T15:04:05.000000Z07:00";

impl Moment {
    /// Reads a time; fractions of a second are allowed.
    ///
    /// # Errors
    ///
    /// What Go's parser says of the text.
    pub fn parse(text: &str) -> Result<Moment, String> {
        Parser { layout: TO_SECONDS, text, rest: text }.moment(false)
    }

    /// Reads a time with exactly six digits of a fraction.
    ///
    /// # Errors
    ///
    /// What Go's parser says of the text.
    pub fn parse_micro(text: &str) -> Result<Moment, String> {
        Parser { layout: TO_MICROSECONDS, text, rest: text }.moment(true)
    }

    /// Whether this is Go's zero time.
    pub fn is_zero(self) -> bool {
        self.seconds == ZERO_SECONDS && self.nanoseconds == 0
    }

    /// Writes the time in UTC; what is finer than a second is cut off.
    pub fn to_seconds_text(self) -> String {
        format!("{}Z", self.date_and_time())
    }

    /// Writes the time in UTC with six digits of a fraction.
    pub fn to_micro_text(self) -> String {
        format!("{}.{:06}Z", self.date_and_time(), self.nanoseconds / 1000)
    }

    fn date_and_time(self) -> String {
        let days = self.seconds.div_euclid(86_400);
        let second = self.seconds.rem_euclid(86_400);
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

struct Parser<'a> {
    layout: &'static str,
    text: &'a str,
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn moment(mut self, micro: bool) -> Result<Moment, String> {
        let year = self.digits(4, "2006")?;
        self.literal("-")?;
        let month = self.digits(2, "01")?;
        if !(1..=12).contains(&month) {
            return Err(self.out_of_range("month"));
        }
        self.literal("-")?;
        let day = self.digits(2, "02")?;
        self.literal("T")?;
        let hour = self.hour()?;
        self.literal(":")?;
        let minute = self.digits(2, "04")?;
        if minute > 59 {
            return Err(self.out_of_range("minute"));
        }
        self.literal(":")?;
        let second = self.digits(2, "05")?;
        if second > 59 {
            return Err(self.out_of_range("second"));
        }
        let nanoseconds = if micro { self.micro()? } else { self.fraction() };
        let offset = self.zone()?;
        if !self.rest.is_empty() {
            return Err(format!(
                "parsing time {}: extra text: {}",
                quote(self.text),
                quote(self.rest)
            ));
        }
        if day < 1 || day > days_in(year, month) {
            return Err(self.out_of_range("day"));
        }
        let days = days_from_civil(year, month, day);
        Ok(Moment {
            seconds: days * 86_400 + hour * 3600 + minute * 60 + second - offset,
            nanoseconds,
        })
    }

    fn literal(&mut self, wanted: &'static str) -> Result<(), String> {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(self.cannot(wanted)),
        }
    }

    fn digits(&mut self, count: usize, element: &'static str) -> Result<i64, String> {
        let number = self.rest.get(..count).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let Some(number) = number.and_then(|digits| digits.parse().ok()) else {
            return Err(self.cannot(element));
        };
        self.rest = &self.rest[count..];
        Ok(number)
    }

    /// Go takes an hour of one digit.
    fn hour(&mut self) -> Result<i64, String> {
        let digits = self.rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let hour = self.digits(digits.max(1), "15")?;
        if hour < 24 { Ok(hour) } else { Err(self.out_of_range("hour")) }
    }

    fn fraction(&mut self) -> u32 {
        let Some(after) = self.rest.strip_prefix(['.', ',']) else { return 0 };
        let count = after.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return 0;
        }
        self.rest = &after[count..];
        let nine = format!("{:0<9}", &after[..count.min(9)]);
        nine.parse().expect("nine digits are a number")
    }

    fn micro(&mut self) -> Result<u32, String> {
        let digits = self.rest.strip_prefix(['.', ',']).and_then(|after| after.get(..6));
        match digits.filter(|d| d.bytes().all(|b| b.is_ascii_digit())) {
            Some(digits) => {
                self.rest = &self.rest[7..];
                Ok(digits.parse::<u32>().expect("six digits are a number") * 1000)
            }
            None => Err(self.cannot(".000000")),
        }
    }

    /// The seconds by which the zone is ahead of UTC.
    fn zone(&mut self) -> Result<i64, String> {
        const ELEMENT: &str = "Z07:00";
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok(0);
        }
        let parts = self.rest.get(..6).and_then(|zone| {
            let sign = match zone.as_bytes()[0] {
                b'+' => 1,
                b'-' => -1,
                _ => return None,
            };
            if zone.as_bytes()[3] != b':' {
                return None;
            }
            let digits = |part: &str| {
                part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse::<i64>().ok())?
            };
            Some((sign, digits(&zone[1..3])?, digits(&zone[4..6])?))
        });
        let Some((sign, hours, minutes)) = parts else { return Err(self.cannot(ELEMENT)) };
        self.rest = &self.rest[6..];
        if hours > 24 {
            return Err(self.out_of_range("time zone offset hour"));
        }
        if minutes > 60 {
            return Err(self.out_of_range("time zone offset minute"));
        }
        Ok(sign * (hours * 3600 + minutes * 60))
    }

    fn cannot(&self, element: &str) -> String {
        format!(
            "parsing time {} as {}: cannot parse {} as {}",
            quote(self.text),
            quote(self.layout),
            quote(self.rest),
            quote(element)
        )
    }

    fn out_of_range(&self, what: &str) -> String {
        format!("parsing time {}: {what} out of range", quote(self.text))
    }
}

/// As Go quotes what it cannot read as a time: bytes that are not plain are told by their numbers.
fn quote(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' | 0x7f => out.push(char::from(byte)),
            _ => {
                let _infallible = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out + "\""
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970 of a date; the year is counted from March so that the leap day ends it.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}
