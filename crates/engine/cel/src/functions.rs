//! Functions and methods, those that Kubernetes adds among them.

use std::cmp::Ordering;

use kubetypes::quantity::{Family, Quantity};
use regex::Regex;

use crate::eval::EvalError;
use crate::times;
use crate::value::{Value, equal, order};
use crate::versions::Version;

type Evaluated = Result<Value, EvalError>;

/// The type of that name, where types may be named.
pub fn type_named(name: &str) -> Option<&'static str> {
    const TYPES: [&str; 10] =
        ["bool", "bytes", "double", "int", "list", "map", "null_type", "string", "type", "uint"];
    TYPES.into_iter().find(|known| *known == name)
}

/// Whether functions stand below the name, as in `sets.contains`.
pub fn is_library(name: &str) -> bool {
    ["sets", "optional", "lists", "ip", "format", "strings"].contains(&name)
}

/// A value as messages and `string()` show it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(on) => on.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Uint(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Text(text) => text.to_string(),
        Value::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", shown(key), shown(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Optional(inside) => match inside {
            Some(inside) => format!("optional({})", shown(inside)),
            None => "optional.none()".to_owned(),
        },
        Value::Quantity(quantity) => quantity.canonical(),
        Value::Url(parts) => format!("{}://{}{}", parts[0], parts[1], parts[2]),
        Value::Address(address) => address.to_string(),
        Value::Block(address, bits) => format!("{address}/{bits}"),
        Value::Time(time) => times::shown_time(*time),
        Value::Span(span) => times::shown_span(*span),
        Value::Version(version) => {
            let [major, minor, patch] = version.numbers;
            format!("{major}.{minor}.{patch}")
        }
        Value::Format(name) => name.to_string(),
        Value::Type(name) => (*name).to_owned(),
    }
}

fn wrong(words: impl Into<String>) -> EvalError {
    EvalError(words.into())
}

fn none() -> EvalError {
    EvalError::no_overload()
}

/// Calls a function.
///
/// # Errors
///
/// Where it takes no such values, or refuses them.
pub fn function(name: &str, given: &[Value]) -> Evaluated {
    match (name, given) {
        ("size", [of]) => size(of),
        ("dyn", [value]) => Ok(value.clone()),
        ("type", [value]) => Ok(Value::Type(value.kind())),
        ("int", [value]) => to_int(value),
        ("uint", [value]) => match to_int(value)? {
            Value::Int(number) => u64::try_from(number)
                .map(Value::Uint)
                .map_err(|_| wrong("unsigned integer overflow")),
            _ => Err(none()),
        },
        ("double", [value]) => match value {
            Value::Double(_) => Ok(value.clone()),
            Value::Int(number) => Ok(Value::Double(*number as f64)),
            Value::Uint(number) => Ok(Value::Double(*number as f64)),
            Value::Text(text) => text.parse().map(Value::Double).map_err(|_| {
                wrong(format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
            }),
            _ => Err(none()),
        },
        ("string", [value]) => Ok(Value::text(&shown(value))),
        ("bytes", [Value::Text(text)]) => Ok(Value::Bytes(text.as_bytes().into())),
        ("bool", [Value::Bool(on)]) => Ok(Value::Bool(*on)),
        ("bool", [Value::Text(text)]) => match &**text {
            "1" | "t" | "true" | "TRUE" | "True" => Ok(Value::Bool(true)),
            "0" | "f" | "false" | "FALSE" | "False" => Ok(Value::Bool(false)),
            _ => Err(wrong("Type conversion error from 'string' to 'bool'")),
        },
        ("timestamp", [value]) => match value {
            Value::Time(_) => Ok(value.clone()),
            Value::Int(seconds) => jiff::Timestamp::from_second(*seconds)
                .map(Value::Time)
                .map_err(|_| wrong("timestamp overflow")),
            Value::Text(text) => {
                times::time_of(text).map(Value::Time).ok_or_else(|| unconverted("Timestamp"))
            }
            _ => Err(none()),
        },
        ("duration", [value]) => match value {
            Value::Span(_) => Ok(value.clone()),
            Value::Text(text) => {
                times::span_of(text).map(Value::Span).ok_or_else(|| unconverted("Duration"))
            }
            _ => Err(none()),
        },
        ("semver", [Value::Text(text)]) => version(text, false),
        ("semver", [Value::Text(text), Value::Bool(loosely)]) => version(text, *loosely),
        ("isSemver", [Value::Text(text)]) => Ok(Value::Bool(version(text, false).is_ok())),
        ("isSemver", [Value::Text(text), Value::Bool(loosely)]) => {
            Ok(Value::Bool(version(text, *loosely).is_ok()))
        }
        ("matches", [Value::Text(text), Value::Text(pattern)]) => matches(text, pattern),
        ("quantity", [Value::Text(text)]) => quantity(text)
            .map(|found| Value::Quantity(found.into()))
            .ok_or_else(|| wrong("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")),
        ("isQuantity", [Value::Text(text)]) => Ok(Value::Bool(quantity(text).is_some())),
        ("url", [Value::Text(text)]) => url(text)
            .map(|parts| Value::Url(parts.into()))
            .ok_or_else(|| wrong(format!("URL parse error during conversion from string: parse {text:?}: invalid URI for request"))),
        ("isURL", [Value::Text(text)]) => Ok(Value::Bool(url(text).is_some())),
        ("ip", [Value::Text(text)]) => address(text)
            .map(Value::Address)
            .ok_or_else(|| wrong(format!("IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"))),
        ("isIP", [Value::Text(text)]) => Ok(Value::Bool(address(text).is_some())),
        ("ip.isCanonical", [Value::Text(text)]) => {
            let found = address(text).ok_or_else(|| wrong("not an address"))?;
            Ok(Value::Bool(found.to_string() == **text))
        }
        ("cidr", [Value::Text(text)]) => block(text)
            .map(|(address, bits)| Value::Block(address, bits))
            .ok_or_else(|| wrong(format!("network address parse error during conversion from string: netip.ParsePrefix({text:?}): no '/'"))),
        ("isCIDR", [Value::Text(text)]) => Ok(Value::Bool(block(text).is_some())),
        ("optional.none", []) => Ok(Value::Optional(None)),
        ("optional.of", [value]) => Ok(Value::Optional(Some(value.clone().into()))),
        ("optional.ofNonZeroValue", [value]) => {
            let empty = match value {
                Value::Null | Value::Bool(false) | Value::Int(0) | Value::Uint(0) => true,
                Value::Text(text) => text.is_empty(),
                Value::List(items) => items.is_empty(),
                Value::Map(entries) => entries.is_empty(),
                _ => false,
            };
            Ok(Value::Optional((!empty).then(|| value.clone().into())))
        }
        ("sets.contains", [Value::List(of), Value::List(items)]) => {
            Ok(Value::Bool(items.iter().all(|item| has(of, item))))
        }
        ("sets.intersects", [Value::List(a), Value::List(b)]) => {
            Ok(Value::Bool(a.iter().any(|item| has(b, item))))
        }
        ("sets.equivalent", [Value::List(a), Value::List(b)]) => Ok(Value::Bool(
            a.iter().all(|item| has(b, item)) && b.iter().all(|item| has(a, item)),
        )),
        ("lists.range", [Value::Int(count)]) => {
            Ok(Value::list((0..(*count).min(100_000)).map(Value::Int).collect()))
        }
        _ => match name.strip_prefix("format.") {
            Some("named") => match given {
                [Value::Text(name)] => {
                    let known = FORMATS.contains(&&**name);
                    let found = known.then(|| Value::Format(name.clone()).into());
                    Ok(Value::Optional(found))
                }
                _ => Err(none()),
            },
            Some(format) if given.is_empty() && FORMATS.contains(&format) => {
                Ok(Value::Format(format.into()))
            }
            _ => Err(none()),
        },
    }
}

const FORMATS: [&str; 13] = [
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "qualifiedName",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];

fn unconverted(to: &str) -> EvalError {
    wrong(format!("type conversion error from 'string' to 'google.protobuf.{to}'"))
}

fn version(text: &str, loosely: bool) -> Evaluated {
    let found = if loosely { Version::parse_loosely(text) } else { Version::parse(text) };
    found.map(|found| Value::Version(found.into())).ok_or_else(|| {
        let why = match text.split('.').count() {
            0..=2 => "No Major.Minor.Patch elements found",
            _ => "Invalid character(s) found",
        };
        wrong(why)
    })
}

fn version_method(of: &Version, name: &str, given: &[Value]) -> Evaluated {
    let number = |at: usize| {
        i64::try_from(of.numbers[at]).map(Value::Int).map_err(|_| wrong("integer overflow"))
    };
    match (name, given) {
        ("major", []) => number(0),
        ("minor", []) => number(1),
        ("patch", []) => number(2),
        ("isGreaterThan", [Value::Version(other)]) => Ok(Value::Bool(*of > **other)),
        ("isLessThan", [Value::Version(other)]) => Ok(Value::Bool(*of < **other)),
        ("compareTo", [Value::Version(other)]) => Ok(Value::Int(of.cmp(other) as i64)),
        _ => Err(none()),
    }
}

fn has(list: &[Value], wanted: &Value) -> bool {
    list.iter().any(|item| equal(item, wanted))
}

fn size(of: &Value) -> Evaluated {
    let count = match of {
        Value::Text(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.len(),
        Value::Map(entries) => entries.len(),
        _ => return Err(none()),
    };
    Ok(Value::Int(count as i64))
}

fn to_int(value: &Value) -> Evaluated {
    match value {
        Value::Int(_) => Ok(value.clone()),
        Value::Uint(number) => {
            i64::try_from(*number).map(Value::Int).map_err(|_| wrong("integer overflow"))
        }
        Value::Double(number) if number.abs() < 9.2e18 => Ok(Value::Int(*number as i64)),
        Value::Double(_) => Err(wrong("integer overflow")),
        Value::Time(time) => Ok(Value::Int(time.as_second())),
        Value::Span(span) => {
            i64::try_from(span.as_nanos()).map(Value::Int).map_err(|_| wrong("integer overflow"))
        }
        Value::Text(text) => text
            .parse()
            .map(Value::Int)
            .map_err(|_| wrong(format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))),
        _ => Err(none()),
    }
}

fn matches(text: &str, pattern: &str) -> Evaluated {
    let pattern =
        Regex::new(pattern).map_err(|_| wrong(format!("error parsing regexp: {pattern}")))?;
    Ok(Value::Bool(pattern.is_match(text)))
}

fn quantity(text: &str) -> Option<Quantity> {
    Quantity::parse(text).ok()
}

fn address(text: &str) -> Option<std::net::IpAddr> {
    let found: std::net::IpAddr = text.parse().ok()?;
    let mapped = matches!(found, std::net::IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    (!mapped).then_some(found)
}

fn block(text: &str) -> Option<(std::net::IpAddr, u8)> {
    let (start, bits) = text.split_once('/')?;
    let start = address(start)?;
    let bits: u8 = bits.parse().ok()?;
    (bits <= if start.is_ipv4() { 32 } else { 128 }).then_some((start, bits))
}

/// Scheme, host, path, query and fragment of an absolute URL, or of a path.
fn url(text: &str) -> Option<[String; 5]> {
    if text.is_empty() || text.contains(|sign: char| sign.is_control() || sign == ' ') {
        return None;
    }
    let (rest, query) = text.split_once('?').unwrap_or((text, ""));
    let (scheme, rest) = match rest.split_once("://") {
        Some((scheme, rest)) => (scheme, rest),
        None if rest.starts_with('/') => ("", rest),
        None => return None,
    };
    let good = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '+' | '-' | '.');
    if !scheme.chars().all(good) {
        return None;
    }
    let (host, path) = match (scheme, rest.find('/')) {
        ("", _) => ("", rest),
        (_, Some(at)) => rest.split_at(at),
        (_, None) => (rest, ""),
    };
    Some([scheme, host, path, query, ""].map(str::to_owned))
}

fn number(value: &Value) -> Result<usize, EvalError> {
    match value {
        Value::Int(number) => {
            usize::try_from(*number).map_err(|_| wrong(format!("index out of range: {number}")))
        }
        _ => Err(none()),
    }
}

/// Calls a method.
///
/// # Errors
///
/// Where it takes no such values, or refuses them.
pub fn method(of: &Value, name: &str, given: &[Value]) -> Evaluated {
    match of {
        Value::Text(text) => text_method(text, name, given),
        Value::List(items) => list_method(items, name, given),
        Value::Quantity(quantity) => quantity_method(quantity, name, given),
        Value::Url(parts) => url_method(parts, name),
        Value::Address(address) => address_method(*address, name),
        Value::Block(address, bits) => block_method(*address, *bits, name, given),
        Value::Time(time) => times::time_method(*time, name, given),
        Value::Span(span) => times::span_method(*span, name, given),
        Value::Version(version) => version_method(version, name, given),
        Value::Format(format) => match (name, given) {
            ("validate", [Value::Text(text)]) => Ok(validated(format, text)),
            _ => Err(none()),
        },
        Value::Optional(inside) => match (name, inside) {
            ("hasValue", inside) => Ok(Value::Bool(inside.is_some())),
            ("value", Some(inside)) => Ok((**inside).clone()),
            ("value", None) => Err(wrong("optional.none() dereference")),
            _ => Err(none()),
        },
        other if name == "size" => size(other),
        _ => Err(none()),
    }
}

fn text_method(text: &str, name: &str, given: &[Value]) -> Evaluated {
    let letters = || -> Vec<char> { text.chars().collect() };
    let found =
        |at: Option<usize>| Ok(Value::Int(at.map_or(-1, |at| text[..at].chars().count() as i64)));
    match (name, given) {
        ("size", []) => size(&Value::text(text)),
        ("contains", [Value::Text(part)]) => Ok(Value::Bool(text.contains(&**part))),
        ("startsWith", [Value::Text(part)]) => Ok(Value::Bool(text.starts_with(&**part))),
        ("endsWith", [Value::Text(part)]) => Ok(Value::Bool(text.ends_with(&**part))),
        ("matches", [Value::Text(pattern)]) => matches(text, pattern),
        ("lowerAscii", []) => Ok(Value::text(&text.to_ascii_lowercase())),
        ("upperAscii", []) => Ok(Value::text(&text.to_ascii_uppercase())),
        ("trim", []) => Ok(Value::text(text.trim())),
        ("reverse", []) => Ok(Value::text(&text.chars().rev().collect::<String>())),
        ("replace", [Value::Text(from), Value::Text(to)]) => {
            Ok(Value::text(&text.replace(&**from, to)))
        }
        ("replace", [Value::Text(from), Value::Text(to), Value::Int(count)]) => {
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            Ok(Value::text(&text.replacen(&**from, to, count)))
        }
        ("split", [Value::Text(by)]) => Ok(Value::list(split(text, by, usize::MAX))),
        ("split", [Value::Text(by), Value::Int(count)]) => {
            Ok(Value::list(split(text, by, usize::try_from(*count).unwrap_or(usize::MAX))))
        }
        ("indexOf", [Value::Text(part)]) => found(text.find(&**part)),
        ("lastIndexOf", [Value::Text(part)]) => found(text.rfind(&**part)),
        ("charAt", [at]) => {
            let (letters, at) = (letters(), number(at)?);
            match letters.get(at) {
                Some(letter) => Ok(Value::text(&letter.to_string())),
                None if at == letters.len() => Ok(Value::text("")),
                None => Err(wrong(format!("index out of range: {at}"))),
            }
        }
        ("substring", [from, rest @ ..]) => {
            let letters = letters();
            let from = number(from)?;
            let to = rest.first().map_or(Ok(letters.len()), number)?;
            match letters.get(from..to) {
                Some(part) => Ok(Value::text(&part.iter().collect::<String>())),
                None => Err(wrong(format!("index out of range: {}", from.max(to)))),
            }
        }
        ("find", [Value::Text(pattern)]) => {
            let pattern = Regex::new(pattern).map_err(|_| wrong("error parsing regexp"))?;
            Ok(Value::text(pattern.find(text).map_or("", |found| found.as_str())))
        }
        ("findAll", [Value::Text(pattern), ..]) => {
            let pattern = Regex::new(pattern).map_err(|_| wrong("error parsing regexp"))?;
            let all = pattern.find_iter(text).map(|found| Value::text(found.as_str()));
            Ok(Value::list(all.collect()))
        }
        ("format", [Value::List(values)]) => format(text, values),
        _ => Err(none()),
    }
}

fn split(text: &str, by: &str, count: usize) -> Vec<Value> {
    match (by, count) {
        (_, 0) => Vec::new(),
        ("", _) => text.chars().map(|letter| Value::text(&letter.to_string())).collect(),
        _ => text.splitn(count, by).map(Value::text).collect(),
    }
}

/// `'%s is %d'.format([…])`.
fn format(text: &str, values: &[Value]) -> Evaluated {
    let mut out = String::new();
    let (mut signs, mut values) = (text.chars(), values.iter());
    while let Some(sign) = signs.next() {
        if sign != '%' {
            out.push(sign);
            continue;
        }
        let mut clause = signs.next();
        let mut digits = String::new();
        while let Some(more) = clause.filter(|sign| sign.is_ascii_digit() || *sign == '.') {
            digits.push(more);
            clause = signs.next();
        }
        if clause == Some('%') {
            out.push('%');
            continue;
        }
        let value = values.next().ok_or_else(|| wrong("index 0 out of range"))?;
        match (clause, value) {
            (Some('s' | 'd'), value) => out.push_str(&shown(value)),
            (Some('f'), value) => {
                let places = digits.trim_start_matches('.').parse().unwrap_or(6);
                let number = match value {
                    Value::Double(number) => *number,
                    Value::Int(number) => *number as f64,
                    _ => return Err(none()),
                };
                out.push_str(&format!("{number:.places$}"));
            }
            (Some('x'), Value::Int(number)) => out.push_str(&format!("{number:x}")),
            (Some('b'), Value::Int(number)) => out.push_str(&format!("{number:b}")),
            _ => return Err(wrong("unrecognized formatting clause")),
        }
    }
    Ok(Value::text(&out))
}

fn list_method(items: &[Value], name: &str, given: &[Value]) -> Evaluated {
    let place = |at: Option<usize>| Ok(Value::Int(at.map_or(-1, |at| at as i64)));
    match (name, given) {
        ("size", []) => Ok(Value::Int(items.len() as i64)),
        ("join", rest) => {
            let by = match rest {
                [] => String::new(),
                [Value::Text(by)] => by.to_string(),
                _ => return Err(none()),
            };
            let all: Vec<String> = items.iter().map(shown).collect();
            Ok(Value::text(&all.join(&by)))
        }
        ("isSorted", []) => Ok(Value::Bool(
            items.windows(2).all(|pair| order(&pair[0], &pair[1]) != Some(Ordering::Greater)),
        )),
        ("sum", []) => items.iter().try_fold(Value::Int(0), |sum, item| match (sum, item) {
            (Value::Int(sum), Value::Int(item)) => {
                sum.checked_add(*item).map(Value::Int).ok_or_else(|| wrong("integer overflow"))
            }
            (Value::Double(sum), Value::Double(item)) => Ok(Value::Double(sum + item)),
            (Value::Int(0), item @ (Value::Double(_) | Value::Uint(_))) => Ok(item.clone()),
            _ => Err(none()),
        }),
        ("min" | "max", []) => {
            let wanted = if name == "min" { Ordering::Less } else { Ordering::Greater };
            let best = items.iter().fold(None::<&Value>, |best, item| match best {
                Some(best) if order(item, best) != Some(wanted) => Some(best),
                _ => Some(item),
            });
            best.cloned().ok_or_else(|| wrong(format!("{name} called on empty list")))
        }
        ("indexOf", [wanted]) => place(items.iter().position(|item| equal(item, wanted))),
        ("lastIndexOf", [wanted]) => place(items.iter().rposition(|item| equal(item, wanted))),
        ("includes", [wanted]) => Ok(Value::Bool(has(items, wanted))),
        ("reverse", []) => Ok(Value::list(items.iter().rev().cloned().collect())),
        ("distinct", []) => {
            let mut out: Vec<Value> = Vec::new();
            for item in items {
                if !has(&out, item) {
                    out.push(item.clone());
                }
            }
            Ok(Value::list(out))
        }
        ("sort", []) => {
            let mut out = items.to_vec();
            out.sort_by(|a, b| order(a, b).unwrap_or(Ordering::Equal));
            Ok(Value::list(out))
        }
        ("slice", [from, to]) => items
            .get(number(from)?..number(to)?)
            .map(|part| Value::list(part.to_vec()))
            .ok_or_else(|| wrong("cannot slice list")),
        ("flatten", _) => {
            let mut out = Vec::new();
            for item in items {
                match item {
                    Value::List(inside) => out.extend(inside.iter().cloned()),
                    other => out.push(other.clone()),
                }
            }
            Ok(Value::list(out))
        }
        ("first", []) => Ok(Value::Optional(items.first().map(|item| item.clone().into()))),
        ("last", []) => Ok(Value::Optional(items.last().map(|item| item.clone().into()))),
        _ => Err(none()),
    }
}

fn quantity_method(of: &Quantity, name: &str, given: &[Value]) -> Evaluated {
    let other = |value: &Value| match value {
        Value::Quantity(quantity) => Ok((**quantity).clone()),
        Value::Int(number) => Ok(Quantity::new(*number, Family::Decimal)),
        _ => Err(none()),
    };
    let changed = |change: fn(&mut Quantity, &Quantity), by: &Value| {
        let mut sum = of.clone();
        change(&mut sum, &other(by)?);
        Ok(Value::Quantity(sum.into()))
    };
    let whole = of.milli_value() % 1000 == 0;
    match (name, given) {
        ("isGreaterThan", [by]) => Ok(Value::Bool(*of > other(by)?)),
        ("isLessThan", [by]) => Ok(Value::Bool(*of < other(by)?)),
        ("compareTo", [by]) => Ok(Value::Int(match of.cmp(&other(by)?) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        })),
        ("sign", []) => Ok(Value::Int(i64::from(of.sign()))),
        ("isInteger", []) => Ok(Value::Bool(whole)),
        ("asInteger", []) if whole => Ok(Value::Int(of.value())),
        ("asInteger", []) => Err(wrong("cannot convert value to integer")),
        ("asApproximateFloat", []) => Ok(Value::Double(of.milli_value() as f64 / 1000.0)),
        ("add", [by]) => changed(Quantity::add, by),
        ("sub", [by]) => changed(Quantity::sub, by),
        _ => Err(none()),
    }
}

fn url_method(parts: &[String; 5], name: &str) -> Evaluated {
    let host = parts[1].rsplit('@').next().unwrap_or_default();
    let (name_of, port) = match host.rfind(':') {
        Some(at) if host[at + 1..].bytes().all(|byte| byte.is_ascii_digit()) => {
            (&host[..at], &host[at + 1..])
        }
        _ => (host, ""),
    };
    Ok(match name {
        "getScheme" => Value::text(&parts[0]),
        "getHost" => Value::text(host),
        "getHostname" => Value::text(name_of.trim_start_matches('[').trim_end_matches(']')),
        "getPort" => Value::text(port),
        "getEscapedPath" => Value::text(&parts[2]),
        "getQuery" => {
            let mut all: Vec<(String, Vec<Value>)> = Vec::new();
            for pair in parts[3].split('&').filter(|pair| !pair.is_empty()) {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                match all.iter_mut().find(|(known, _)| known == key) {
                    Some((_, values)) => values.push(Value::text(value)),
                    None => all.push((key.to_owned(), vec![Value::text(value)])),
                }
            }
            let entries =
                all.into_iter().map(|(key, values)| (Value::text(&key), Value::list(values)));
            Value::map(entries.collect())
        }
        _ => return Err(none()),
    })
}

fn address_method(address: std::net::IpAddr, name: &str) -> Evaluated {
    use std::net::IpAddr;
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    let link_multicast = match address {
        IpAddr::V4(v4) => v4.octets()[..3] == [224, 0, 0],
        IpAddr::V6(v6) => v6.segments()[0] & 0xff0f == 0xff02,
    };
    Ok(match name {
        "family" => Value::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => Value::Bool(address.is_unspecified()),
        "isLoopback" => Value::Bool(address.is_loopback()),
        "isLinkLocalMulticast" => Value::Bool(link_multicast),
        "isLinkLocalUnicast" => Value::Bool(link_local),
        "isGlobalUnicast" => Value::Bool(
            !address.is_unspecified()
                && !address.is_loopback()
                && !address.is_multicast()
                && !link_local,
        ),
        _ => return Err(none()),
    })
}

fn wide(address: std::net::IpAddr) -> (u128, u32) {
    match address {
        std::net::IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        std::net::IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

fn in_block(block: (std::net::IpAddr, u8), address: std::net::IpAddr) -> bool {
    let ((start, length), (one, other)) = (wide(block.0), wide(address));
    let hidden = length - u32::from(block.1);
    length == other && (hidden == 128 || start >> hidden == one >> hidden)
}

fn block_method(start: std::net::IpAddr, bits: u8, name: &str, given: &[Value]) -> Evaluated {
    match (name, given) {
        ("ip", []) => Ok(Value::Address(start)),
        ("prefixLength", []) => Ok(Value::Int(i64::from(bits))),
        ("containsIP", [other]) => {
            let found = match other {
                Value::Text(text) => address(text).ok_or_else(|| wrong("not an address"))?,
                Value::Address(address) => *address,
                _ => return Err(none()),
            };
            Ok(Value::Bool(in_block((start, bits), found)))
        }
        ("containsCIDR", [other]) => {
            let (found, inner) = match other {
                Value::Text(text) => block(text).ok_or_else(|| wrong("not a block"))?,
                Value::Block(address, bits) => (*address, *bits),
                _ => return Err(none()),
            };
            Ok(Value::Bool(inner >= bits && in_block((start, bits), found)))
        }
        _ => Err(none()),
    }
}

/// What a format says of a text: nothing, or a list of refusals.
fn validated(format: &str, text: &str) -> Value {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let label = |text: &str| {
        let bytes = text.as_bytes();
        text.len() <= 63
            && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
            && bytes.first().is_some_and(|byte| inner(*byte))
            && bytes.last().is_some_and(|byte| inner(*byte))
    };
    let word = |text: &str| {
        let bytes = text.as_bytes();
        text.len() <= 63
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
            && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
            && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
    };
    let subdomain = |text: &str| text.len() <= 253 && text.split('.').all(label);
    // What a name begins with may end in a sign that no name ends in.
    let (format, text) = match format.strip_suffix("Prefix") {
        Some(format) => (format, text.trim_end_matches('-')),
        None => (format, text),
    };
    let good = match format {
        "uri" => url(text).is_some(),
        "byte" => text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)),
        "date" => times::day_of(text).is_some(),
        "datetime" => times::time_of(text).is_some(),
        "dns1123Label" => label(text),
        "dns1123Subdomain" => subdomain(text),
        "dns1035Label" => label(text) && text.starts_with(|first: char| first.is_ascii_lowercase()),
        "labelValue" => text.is_empty() || word(text),
        "qualifiedName" => match text.split_once('/') {
            Some((domain, name)) => subdomain(domain) && word(name),
            None => word(text),
        },
        _ => {
            text.len() == 36
                && text.bytes().enumerate().all(|(at, byte)| match at {
                    8 | 13 | 18 | 23 => byte == b'-',
                    _ => byte.is_ascii_hexdigit(),
                })
        }
    };
    let refusal = || Value::list(vec![Value::text(&format!("not a {format}"))]);
    Value::Optional((!good).then(|| refusal().into()))
}
