//! URLs by Go's `net/url`.

use goval::{Context, Map, Str, Value, quote_bytes};

use crate::args::{Answer, map, text};

/// A URL in parts; texts are bytes.
#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    raw_path: Vec<u8>,
    force_query: bool,
    query: Vec<u8>,
    fragment: Vec<u8>,
    raw_fragment: Vec<u8>,
    omit_host: bool,
}

struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

/// Where a text stands, which decides what is escaped in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    UserPassword,
    Fragment,
}

pub(crate) fn url_parse(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let raw = text(args, 0)?;
    let url = parse(raw).map_err(|problem| {
        let quoted = quote_bytes(before_fragment(raw, &problem));
        format!("unable to parse url: parse {quoted}: {problem}")
    })?;
    let dict = Map::new();
    let userinfo = url.user.as_ref().map(user_text).unwrap_or_default();
    for (key, value) in [
        ("scheme", url.scheme.clone()),
        ("host", url.host.clone()),
        ("hostname", hostname(&url.host).to_vec()),
        ("path", url.path.clone()),
        ("query", url.query.clone()),
        ("opaque", url.opaque.clone()),
        ("fragment", url.fragment.clone()),
        ("userinfo", userinfo),
    ] {
        dict.insert(Str::from(key), Value::str(value));
    }
    Ok(Value::Map(dict))
}

/// Go names the URL without its fragment, unless the fragment is what it does not like.
fn before_fragment<'a>(raw: &'a [u8], problem: &str) -> &'a [u8] {
    match raw.iter().position(|byte| *byte == b'#') {
        Some(at) => match parse(&raw[..at]) {
            Err(same) if same == problem => &raw[..at],
            _ => raw,
        },
        None => raw,
    }
}

fn part(dict: Option<&Map>, key: &str) -> Result<Vec<u8>, String> {
    match dict.and_then(|dict| dict.get(key.as_bytes())) {
        None => Ok(Vec::new()),
        Some(Value::Str(text)) => Ok(text.to_vec()),
        Some(Value::Nil) => Err(crate::args::NIL_POINTER.to_owned()),
        Some(other) => {
            let kind = other.kind().name();
            Err(format!("unable to parse {key} key, must be of type string, but {kind} found"))
        }
    }
}

pub(crate) fn url_join(_: &mut Context<'_>, args: &[Value]) -> Answer {
    let dict = map(args, 0)?;
    let mut url = Url {
        scheme: part(dict, "scheme")?,
        host: part(dict, "host")?,
        path: part(dict, "path")?,
        query: part(dict, "query")?,
        opaque: part(dict, "opaque")?,
        fragment: part(dict, "fragment")?,
        ..Url::default()
    };
    let userinfo = part(dict, "userinfo")?;
    if !userinfo.is_empty() {
        let whole = [b"proto://", userinfo.as_slice(), b"@host"].concat();
        let parsed = parse(&whole).map_err(|problem| {
            let quoted = quote_bytes(&whole);
            format!("unable to parse userinfo in dict: parse {quoted}: {problem}")
        })?;
        url.user = parsed.user;
    }
    Ok(Value::str(url_text(&url)))
}

fn parse(raw: &[u8]) -> Result<Url, String> {
    let (rest, fragment) = match raw.iter().position(|byte| *byte == b'#') {
        Some(at) => (&raw[..at], &raw[at + 1..]),
        None => (raw, &b""[..]),
    };
    let mut url = parse_without_fragment(rest)?;
    if !fragment.is_empty() {
        url.fragment = unescape(fragment, Part::Fragment)?;
        if escape(&url.fragment, Part::Fragment) != fragment {
            url.raw_fragment = fragment.to_vec();
        }
    }
    Ok(url)
}

fn parse_without_fragment(raw: &[u8]) -> Result<Url, String> {
    if raw.iter().any(|byte| *byte < b' ' || *byte == 0x7F) {
        return Err("net/url: invalid control character in URL".to_owned());
    }
    let mut url = Url::default();
    if raw == b"*" {
        url.path = b"*".to_vec();
        return Ok(url);
    }
    let (scheme, mut rest) = scheme_of(raw)?;
    url.scheme = scheme.to_ascii_lowercase();
    if rest.last() == Some(&b'?') && rest.iter().filter(|byte| **byte == b'?').count() == 1 {
        url.force_query = true;
        rest = &rest[..rest.len() - 1];
    } else if let Some(at) = rest.iter().position(|byte| *byte == b'?') {
        url.query = rest[at + 1..].to_vec();
        rest = &rest[..at];
    }
    if rest.first() != Some(&b'/') {
        if !url.scheme.is_empty() {
            url.opaque = rest.to_vec();
            return Ok(url);
        }
        let segment = rest.split(|byte| *byte == b'/').next().unwrap_or_default();
        if segment.contains(&b':') {
            return Err("first path segment in URL cannot contain colon".to_owned());
        }
    }
    if (!url.scheme.is_empty() || !rest.starts_with(b"///")) && rest.starts_with(b"//") {
        let end = rest[2..].iter().position(|byte| *byte == b'/').map_or(rest.len(), |at| at + 2);
        let authority = &rest[2..end];
        rest = &rest[end..];
        (url.user, url.host) = parse_authority(&url.scheme, authority)?;
    } else if !url.scheme.is_empty() && rest.starts_with(b"/") {
        url.omit_host = true;
    }
    url.path = unescape(rest, Part::Path)?;
    if escape(&url.path, Part::Path) != rest {
        url.raw_path = rest.to_vec();
    }
    Ok(url)
}

fn scheme_of(raw: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (at, byte) in raw.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at == 0 => return Ok((b"", raw)),
            b'0'..=b'9' | b'+' | b'-' | b'.' => {}
            b':' if at == 0 => return Err("missing protocol scheme".to_owned()),
            b':' => return Ok((&raw[..at], &raw[at + 1..])),
            _ => return Ok((b"", raw)),
        }
    }
    Ok((b"", raw))
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), String> {
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, &authority[at + 1..])?;
    let userinfo = &authority[..at];
    let valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !userinfo.iter().all(valid) {
        return Err("net/url: invalid userinfo".to_owned());
    }
    let user = match userinfo.iter().position(|byte| *byte == b':') {
        None => User { name: unescape(userinfo, Part::UserPassword)?, password: None },
        Some(at) => User {
            name: unescape(&userinfo[..at], Part::UserPassword)?,
            password: Some(unescape(&userinfo[at + 1..], Part::UserPassword)?),
        },
    };
    Ok((Some(user), host))
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    let shown = quote_bytes;
    if let Some(open) = host.iter().rposition(|byte| *byte == b'[') {
        if open > 0 {
            return Err("invalid IP-literal".to_owned());
        }
        let Some(close) = host.iter().rposition(|byte| *byte == b']') else {
            return Err("missing ']' in host".to_owned());
        };
        let port = &host[close + 1..];
        if !is_port(port) {
            return Err(format!("invalid port {} after host", shown(port)));
        }
        let zone = host[..close].windows(3).position(|part| part == b"%25");
        let address;
        let whole = match zone {
            Some(zone) => {
                address = unescape(&host[1..zone], Part::Host)?;
                let name = unescape(&host[zone..close], Part::Zone)?;
                let tail = unescape(&host[close..], Part::Host)?;
                [b"[".as_slice(), &address, &name, &tail].concat()
            }
            None => {
                address = unescape(&host[1..close], Part::Host)?;
                unescape(host, Part::Host)?
            }
        };
        let inside = String::from_utf8_lossy(&address).into_owned();
        return match inside.parse::<std::net::Ipv6Addr>() {
            Ok(_) => Ok(whole),
            Err(_) if inside.parse::<std::net::Ipv4Addr>().is_ok() => {
                Err("invalid IP-literal".to_owned())
            }
            Err(_) => Err(format!("invalid host: {}", parse_addr_error(&inside))),
        };
    }
    // Some databases take a list of hosts; only the web's schemes are strict.
    let strict = matches!(scheme, b"http" | b"https");
    let is_colon = |byte: &u8| *byte == b':';
    let first = host.iter().position(is_colon);
    let colon = if strict { first } else { host.iter().rposition(is_colon) };
    if let Some(colon) = colon {
        let port = &host[colon..];
        if !is_port(port) {
            return Err(format!("invalid port {} after host", shown(port)));
        }
    }
    unescape(host, Part::Host)
}

fn parse_addr_error(text: &str) -> String {
    format!("ParseAddr({}): unable to parse IP", goval::quote(text))
}

fn is_port(port: &[u8]) -> bool {
    match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// The host without its port and brackets.
fn hostname(host: &[u8]) -> &[u8] {
    let mut name = host;
    if let Some(colon) = host.iter().rposition(|byte| *byte == b':')
        && is_port(&host[colon..])
    {
        name = &host[..colon];
    }
    match name {
        [b'[', inside @ .., b']'] => inside,
        name => name,
    }
}

fn should_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    match part {
        Part::Host | Part::Zone => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
        Part::Path => !b"$&+,/:;=@".contains(&byte),
        Part::UserPassword => !b"$&+,;=".contains(&byte),
        Part::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
    }
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        if should_escape(*byte, part) {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
    }
    out
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let shown = quote_bytes;
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte == b'%' {
            let digits =
                text.get(at + 1..at + 3).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
            let Some(digits) = digits else {
                let end = text.len().min(at + 3);
                return Err(format!("invalid URL escape {}", shown(&text[at..end])));
            };
            let hex = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
            let value = hex(digits[0]) << 4 | hex(digits[1]);
            // In a host only what is no ASCII may be escaped, and a percent sign.
            if part == Part::Host && hex(digits[0]) < 8 && digits != b"25" {
                return Err(format!("invalid URL escape {}", shown(&text[at..at + 3])));
            }
            if part == Part::Zone
                && digits != b"25"
                && value != b' '
                && should_escape(value, Part::Host)
            {
                return Err(format!("invalid URL escape {}", shown(&text[at..at + 3])));
            }
            out.push(value);
            at += 3;
            continue;
        }
        if matches!(part, Part::Host | Part::Zone) && byte < 0x80 && should_escape(byte, part) {
            return Err(format!("invalid character {} in host name", shown(&text[at..=at])));
        }
        out.push(byte);
        at += 1;
    }
    Ok(out)
}

fn user_text(user: &User) -> Vec<u8> {
    let mut out = escape(&user.name, Part::UserPassword);
    if let Some(password) = &user.password {
        out.push(b':');
        out.extend_from_slice(&escape(password, Part::UserPassword));
    }
    out
}

/// The path as it was written, where that is a way to write it.
fn escaped_path(url: &Url) -> Vec<u8> {
    if !url.raw_path.is_empty()
        && unescape(&url.raw_path, Part::Path).is_ok_and(|path| path == url.path)
    {
        return url.raw_path.clone();
    }
    if url.path == b"*" {
        return url.path.clone();
    }
    escape(&url.path, Part::Path)
}

fn url_text(url: &Url) -> Vec<u8> {
    let mut out = Vec::new();
    if !url.scheme.is_empty() {
        out.extend_from_slice(&url.scheme);
        out.push(b':');
    }
    if url.opaque.is_empty() {
        if !url.scheme.is_empty() || !url.host.is_empty() || url.user.is_some() {
            let skipped = url.omit_host && url.host.is_empty() && url.user.is_none();
            if !skipped {
                if !url.host.is_empty() || !url.path.is_empty() || url.user.is_some() {
                    out.extend_from_slice(b"//");
                }
                if let Some(user) = &url.user {
                    out.extend_from_slice(&user_text(user));
                    out.push(b'@');
                }
                out.extend_from_slice(&escape(&url.host, Part::Host));
            }
        }
        let path = escaped_path(url);
        if !path.is_empty() && path[0] != b'/' && !url.host.is_empty() {
            out.push(b'/');
        }
        if out.is_empty() {
            // A colon in the first segment would make it a scheme.
            let segment = path.split(|byte| *byte == b'/').next().unwrap_or_default();
            if segment.contains(&b':') {
                out.extend_from_slice(b"./");
            }
        }
        out.extend_from_slice(&path);
    } else {
        out.extend_from_slice(&url.opaque);
    }
    if url.force_query || !url.query.is_empty() {
        out.push(b'?');
        out.extend_from_slice(&url.query);
    }
    if !url.fragment.is_empty() {
        out.push(b'#');
        let raw = &url.raw_fragment;
        if raw.is_empty() {
            out.extend_from_slice(&escape(&url.fragment, Part::Fragment));
        } else {
            out.extend_from_slice(raw);
        }
    }
    out
}
