//! Formats of strings that the API server checks in custom objects.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether `text` has the format; `None` for a format that nobody checks.
pub fn holds(format: &str, text: &str) -> Option<bool> {
    // Dashes in a format's name do not count.
    let format: String = format.chars().filter(|letter| *letter != '-').collect();
    Some(match format.as_str() {
        "ipv4" => is_ipv4(text),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => is_cidr(text),
        "mac" => is_mac(text),
        "uuid" => is_uuid(text, None, None),
        "uuid3" => is_uuid(text, Some(b'3'), None),
        "uuid4" => is_uuid(text, Some(b'4'), Some(b"89ab")),
        "uuid5" => is_uuid(text, Some(b'5'), Some(b"89ab")),
        "hostname" => is_hostname(text),
        "email" => is_email(text),
        "uri" => is_uri(text),
        "byte" => is_base64(text),
        "date" => is_date(text),
        "datetime" => is_date_time(text),
        "duration" => is_duration(text),
        "hexcolor" => {
            let digits = text.strip_prefix('#').unwrap_or(text);
            matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        }
        "bsonobjectid" => text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "ssn" => is_ssn(text),
        "password" => true,
        "k8sshortname" => is_label(text),
        "k8slongname" => text.len() <= 253 && text.split('.').all(is_label),
        _ => return None,
    })
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    (1..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
        && bytes.first().is_some_and(|byte| inner(*byte))
        && bytes.last().is_some_and(|byte| inner(*byte))
}

fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let Ok(bits) = bits.parse::<u8>() else { return false };
    (address.parse::<Ipv4Addr>().is_ok() && bits <= 32)
        || (address.parse::<Ipv6Addr>().is_ok() && bits <= 128)
}

fn is_mac(text: &str) -> bool {
    let pairs = |separator: char| {
        let parts: Vec<&str> = text.split(separator).collect();
        matches!(parts.len(), 6 | 8 | 20)
            && parts.iter().all(|part| part.len() == 2 && u8::from_str_radix(part, 16).is_ok())
    };
    pairs(':') || pairs('-')
}

fn is_uuid(text: &str, version: Option<u8>, variant: Option<&[u8]>) -> bool {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    (groups == [8, 4, 4, 4, 12] || groups == [32])
        && digits.iter().all(u8::is_ascii_hexdigit)
        && version.is_none_or(|version| digits.get(12) == Some(&version))
        && variant.is_none_or(|known| {
            digits.get(16).is_some_and(|digit| known.contains(&digit.to_ascii_lowercase()))
        })
}

/// One label, or labels before a last one of letters alone.
fn is_hostname(text: &str) -> bool {
    let is_inner = |sign: char| {
        sign.is_ascii_alphanumeric()
            || "$+<=>^`|~".contains(sign)
            || (!sign.is_ascii() && sign.is_alphabetic())
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|sign| is_inner(sign) || sign == '-')
            && label.starts_with(is_inner)
            && label.ends_with(is_inner)
    };
    if text.len() > 255 {
        return false;
    }
    match text.rsplit_once('.') {
        None => is_label(text) && text.chars().skip(2).all(|sign| sign != '-'),
        Some((first, last)) => {
            first.split('.').all(is_label)
                && (2..=63).contains(&last.chars().count())
                && last.chars().all(char::is_alphabetic)
        }
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
}

fn is_uri(text: &str) -> bool {
    if text.starts_with('/') {
        return !text.contains(' ');
    }
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    !rest.contains(' ')
        && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !text.is_empty()
        && text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

fn number(text: &str, low: u32, high: u32) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u32>().is_ok_and(|value| (low..=high).contains(&value))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return false };
    if year.len() != 4 || month.len() != 2 || day.len() != 2 {
        return false;
    }
    let leap = year.parse::<u32>().is_ok_and(|year| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    });
    let days = match *month {
        "02" if leap => 29,
        "02" => 28,
        "04" | "06" | "09" | "11" => 30,
        _ => 31,
    };
    number(year, 0, 9999) && number(month, 1, 12) && number(day, 1, days)
}

fn is_date_time(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    let Some((date, rest)) = upper.split_once('T') else { return false };
    let (time, zone) = match rest.find(['Z', '+', '-']) {
        Some(at) => rest.split_at(at),
        None => return false,
    };
    let zone_holds = zone == "Z"
        || zone[1..].split_once(':').is_some_and(|(hour, minute)| {
            hour.len() == 2 && minute.len() == 2 && number(hour, 0, 23) && number(minute, 0, 59)
        });
    let (whole, part) = time.split_once('.').unwrap_or((time, "0"));
    let parts: Vec<&str> = whole.split(':').collect();
    let [hour, minute, second] = parts.as_slice() else { return false };
    is_date(date)
        && zone_holds
        && parts.iter().all(|part| part.len() == 2)
        && number(hour, 0, 23)
        && number(minute, 0, 59)
        && number(second, 0, 59)
        && !part.is_empty()
        && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// As Go reads a duration (`1h30m`), or as `22 ns`, `3 days`.
fn is_duration(text: &str) -> bool {
    let body = text.trim_start_matches(['+', '-']);
    if body == "0" {
        return true;
    }
    let mut rest = body;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
        let Some(at) = digits.filter(|at| *at > 0) else { return false };
        if rest[..at].parse::<f64>().is_err() {
            return false;
        }
        let unit = rest[at..].trim_start();
        let end = unit
            .find(|letter: char| letter.is_ascii_digit() || letter == '.')
            .unwrap_or(unit.len());
        if !UNITS.contains(&unit[..end].trim()) {
            return false;
        }
        rest = &unit[end..];
        parts += 1;
    }
    parts > 0
}

const UNITS: [&str; 40] = [
    "ns",
    "us",
    "µs",
    "μs",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "w",
    "nano",
    "nanos",
    "nanosecond",
    "nanoseconds",
    "micro",
    "micros",
    "microsecond",
    "microseconds",
    "milli",
    "millis",
    "millisecond",
    "milliseconds",
    "sec",
    "secs",
    "second",
    "seconds",
    "min",
    "mins",
    "minute",
    "minutes",
    "hr",
    "hrs",
    "hour",
    "hours",
    "day",
    "days",
    "wk",
    "wks",
    "week",
    "weeks",
];

fn is_ssn(text: &str) -> bool {
    let digits: String = text.chars().filter(|letter| !matches!(letter, '-' | ' ')).collect();
    digits.len() == 9 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// An address of the older family, leading zeros or not, also where it is written as one of the newer.
fn is_ipv4(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let digits = |part: &&str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u16>().is_ok_and(|number| number < 256)
    };
    let mapped =
        |text: &str| text.parse::<Ipv6Addr>().is_ok_and(|ip| ip.to_ipv4_mapped().is_some());
    (parts.len() == 4 && parts.iter().all(digits)) || mapped(text)
}
