//! Names of many kinds, and what is said of one that is none.
//!
//! Each rule answers with its refusals; none is a good name. `prefix`: the text begins a name
//! that the server completes.

use std::net::IpAddr;

use manifest::field::FieldError;

use crate::cursor::At;

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const LABEL_1035: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const NAME_PART: &str = "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const WILDCARD: &str = "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const CONFIG_KEY: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

fn is_inner_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| is_inner_lower(*byte) || *byte == b'-')
        && bytes.first().is_some_and(|byte| is_inner_lower(*byte))
        && bytes.last().is_some_and(|byte| is_inner_lower(*byte))
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_name_part(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

fn completed(text: &str, prefix: bool) -> String {
    // A dash at the end is fine: the server's letters follow.
    match text.strip_suffix('-').filter(|_| prefix) {
        Some(start) => format!("{start}a"),
        None => text.to_owned(),
    }
}

fn too_long(text: &str, limit: usize) -> Option<String> {
    (text.len() > limit).then(|| format!("must be no more than {limit} characters"))
}

/// A domain in which names are looked for, which may have underscores.
pub fn searched_domain(text: &str) -> Vec<String> {
    const WORDS: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*')";
    let is_part = |part: &str| {
        let part = part.strip_prefix('_').unwrap_or(part);
        // Within, an underscore is as good as a dash.
        !part.starts_with('_') && !part.ends_with('_') && is_label(&part.replace('_', "-"))
    };
    let mut refusals: Vec<String> = too_long(text, 253).into_iter().collect();
    if !text.split('.').all(is_part) {
        refusals.push(WORDS.to_owned());
    }
    refusals
}

/// `a.b-c`, as most objects are named.
pub fn subdomain(text: &str, prefix: bool) -> Vec<String> {
    let text = completed(text, prefix);
    let mut refusals: Vec<String> = too_long(&text, 253).into_iter().collect();
    if !is_subdomain(&text) {
        refusals.push(SUBDOMAIN.to_owned());
    }
    refusals
}

/// As [`subdomain`], of kinds whose rules are younger: they count bytes, and look at the whole name alone.
pub fn long_name(text: &str, prefix: bool) -> Vec<String> {
    if prefix {
        return Vec::new();
    }
    let in_bytes = |words: String| words.replace("253 characters", "253 bytes");
    subdomain(text, prefix).into_iter().map(in_bytes).collect()
}

/// `a-b`, as namespaces are named.
pub fn label(text: &str, prefix: bool) -> Vec<String> {
    let text = completed(text, prefix);
    let mut refusals: Vec<String> = too_long(&text, 63).into_iter().collect();
    if !is_label(&text) {
        // A name that is wrong by its dots alone has words of its own.
        let words = if is_subdomain(&text) { "must not contain dots" } else { LABEL };
        refusals.push(words.to_owned());
    }
    refusals
}

/// `a-b` that starts with a letter.
pub fn label_1035(text: &str) -> Vec<String> {
    let mut refusals: Vec<String> = too_long(text, 63).into_iter().collect();
    if !is_label(text) || !text.starts_with(|first: char| first.is_ascii_lowercase()) {
        refusals.push(LABEL_1035.to_owned());
    }
    refusals
}

/// Anything that may stand between two slashes of a URL.
pub fn path_segment(text: &str, prefix: bool) -> Vec<String> {
    if !prefix && matches!(text, "." | "..") {
        return vec![format!("may not be '{text}'")];
    }
    ["/", "%"]
        .into_iter()
        .filter(|sign| text.contains(sign))
        .map(|sign| format!("may not contain '{sign}'"))
        .collect()
}

/// `*.example.com`.
pub fn wildcard_subdomain(text: &str) -> Vec<String> {
    match text.strip_prefix("*.") {
        Some(rest) if is_subdomain(rest) => Vec::new(),
        _ => vec![WILDCARD.to_owned()],
    }
}

/// The key of a label or annotation: `name`, or `example.com/name`.
pub fn qualified(text: &str) -> Vec<String> {
    let mut refusals = Vec::new();
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts.as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                refusals.push("prefix part must be non-empty".to_owned());
            } else {
                let wrong = subdomain(prefix, false);
                refusals.extend(wrong.into_iter().map(|words| format!("prefix part {words}")));
            }
            *name
        }
        _ => {
            return vec![format!(
                "a valid label key must {NAME_PART} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        refusals.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        refusals.push("name part must be no more than 63 bytes".to_owned());
    }
    if !is_name_part(name) {
        refusals.push(format!("name part must {NAME_PART}"));
    }
    refusals
}

/// The value of a label.
pub fn label_value(text: &str) -> Vec<String> {
    let mut refusals = Vec::new();
    if text.len() > 63 {
        refusals.push("must be no more than 63 bytes".to_owned());
    }
    if !text.is_empty() && !is_name_part(text) {
        refusals.push(LABEL_VALUE.to_owned());
    }
    refusals
}

/// `example.com/name`.
pub fn domain_path(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.is_empty() {
        errors.push(at.required(""));
        return;
    }
    let Some((domain, path)) =
        at.text().split_once('/').filter(|(domain, path)| !domain.is_empty() && !path.is_empty())
    else {
        errors.push(at.invalid("must be a domain-prefixed path (such as \"acme.io/foo\")"));
        return;
    };
    let wrong = |text: &str, words: String| FieldError::invalid(at.path.clone(), text, words);
    errors.extend(subdomain(domain, false).into_iter().map(|words| wrong(domain, words)));
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:/".contains(&byte);
    if !path.bytes().all(good) {
        let words =
            r"Invalid path (regex used for validation is '[A-Za-z0-9/\-._~%!$&'()*+,;=:]+')";
        errors.push(wrong(path, words.to_owned()));
    }
}

/// A key of a ConfigMap or Secret: it becomes a file's name.
pub fn config_key(text: &str) -> Vec<String> {
    let mut refusals: Vec<String> = too_long(text, 253).into_iter().collect();
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if text.is_empty() || !text.bytes().all(good) {
        refusals.push(CONFIG_KEY.to_owned());
    }
    if matches!(text, "." | "..") {
        refusals.push(format!("must not be '{text}'"));
    } else if text.starts_with("..") {
        refusals.push("must not start with '..'".to_owned());
    }
    refusals
}

/// The name of an environment variable.
pub fn environment(text: &str) -> Vec<String> {
    let good = |byte: u8| (0x20..0x7f).contains(&byte) && byte != b'=';
    match !text.is_empty() && text.bytes().all(good) {
        true => Vec::new(),
        false => vec![
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
                .to_owned(),
        ],
    }
}

/// The name of a port.
pub fn port_name(text: &str) -> Vec<String> {
    let mut refusals = Vec::new();
    if text.len() > 15 {
        refusals.push("must be no more than 15 characters".to_owned());
    }
    if text.is_empty() || !text.bytes().all(|byte| is_inner_lower(byte) || byte == b'-') {
        refusals.push(
            "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned(),
        );
    }
    if !text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        refusals.push("must contain at least one letter (a-z)".to_owned());
    }
    if text.contains("--") {
        refusals.push("must not contain consecutive hyphens".to_owned());
    }
    if text.starts_with('-') || text.ends_with('-') {
        refusals.push("must not begin or end with a hyphen".to_owned());
    }
    refusals
}

/// The number of a port.
pub fn port_number(number: i64) -> Vec<String> {
    match (1..=65535).contains(&number) {
        true => Vec::new(),
        false => vec!["must be between 1 and 65535, inclusive".to_owned()],
    }
}

/// The name of an HTTP header.
pub fn header(text: &str) -> Vec<String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    match !text.is_empty() && text.bytes().all(good) {
        true => Vec::new(),
        false => vec![
            "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')"
                .to_owned(),
        ],
    }
}

/// An address, of either family, in any of its forms but those that programs read differently.
pub fn address(text: &str) -> Vec<String> {
    let words = match parsed_address(text) {
        None => "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        Some(_) if text.parse::<IpAddr>().is_err() => "must not have leading 0s",
        Some(address) if is_mapped(address) => "must not be an IPv4-mapped IPv6 address",
        Some(_) => return Vec::new(),
    };
    vec![words.to_owned()]
}

/// Reads an address, leading zeros or not.
pub fn parsed_address(text: &str) -> Option<IpAddr> {
    text.parse().ok().or_else(|| with_leading_zeros(text))
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}

/// An address that traffic may come to from outside.
pub fn outside_address(text: &str) -> Vec<String> {
    let Some(address) = parsed_address(text).map(|address| address.to_canonical()) else {
        return self::address(text);
    };
    let mut refusals = Vec::new();
    if address.is_unspecified() {
        refusals.push(format!("may not be unspecified ({text})"));
    }
    if address.is_loopback() {
        refusals.push("may not be in the loopback range (127.0.0.0/8, ::1/128)".to_owned());
    }
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if link_local {
        refusals.push("may not be in the link-local range (169.254.0.0/16, fe80::/10)".to_owned());
    }
    if matches!(address, IpAddr::V4(v4) if v4.octets()[..3] == [224, 0, 0]) {
        refusals.push(
            "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)".to_owned(),
        );
    }
    refusals
}

/// A block of addresses; answers the address and the bits.
pub fn block(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address = parsed_address(address)?;
    let bits: u8 = bits.bytes().all(|byte| byte.is_ascii_digit()).then(|| bits.parse().ok())??;
    (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
}

/// What is said of a text that is no block, or not written as one.
pub fn block_refusal(text: &str) -> Option<&'static str> {
    let Some((address, bits)) = block(text) else { return Some(NO_BLOCK) };
    let (written, length) = text.split_once('/').unwrap_or_default();
    if written.parse::<IpAddr>().is_err() || (length.len() > 1 && length.starts_with('0')) {
        Some("must not have leading 0s in IP or prefix length")
    } else if is_mapped(address) {
        Some("must not have an IPv4-mapped IPv6 address")
    } else if first_of(address, bits) != address {
        Some("must not have bits set beyond the prefix length")
    } else {
        None
    }
}

/// What is said of a text that is no block of addresses.
const NO_BLOCK: &str = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

/// A share in percent (`25%`).
pub fn percent(text: &str) -> Result<u64, String> {
    let digits = text.strip_suffix('%').unwrap_or("");
    let good = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse() {
        Ok(share) if good => Ok(share),
        _ => Err("a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')".to_owned()),
    }
}

/// An address in the one form that new kinds take.
pub fn address_refusals(text: &str) -> Vec<String> {
    let mut refusals = address(text);
    if let (true, Some(parsed)) = (refusals.is_empty(), parsed_address(text))
        && parsed.to_string() != text
    {
        refusals.push(format!("must be in canonical form (\"{parsed}\")"));
    }
    refusals
}

/// An address of the old family as old programs wrote it, `010.0.0.1`.
pub fn with_leading_zeros(text: &str) -> Option<IpAddr> {
    let parts: Vec<u8> = text
        .split('.')
        .map(|part| match part.bytes().all(|byte| byte.is_ascii_digit()) {
            true => part.parse().ok(),
            false => None,
        })
        .collect::<Option<_>>()?;
    let octets: [u8; 4] = parts.try_into().ok()?;
    Some(IpAddr::from(octets))
}

/// A block of addresses in the one form that new kinds take.
pub fn network(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let text = at.text();
    let refused = block_refusal(text).map(str::to_owned).or_else(|| {
        let (first, bits) = block(text)?;
        let canonical = format!("{first}/{bits}");
        (canonical != text).then(|| format!("must be in canonical form (\"{canonical}\")"))
    });
    errors.extend(refused.map(|words| at.invalid(words)));
}

/// The first address of the block in which an address is.
pub fn first_of(address: IpAddr, bits: u8) -> IpAddr {
    let first = |wide: u128, length: u32| match length - u32::from(bits).min(length) {
        128 => 0,
        hidden => wide >> hidden << hidden,
    };
    match address {
        IpAddr::V4(v4) => {
            let masked = first(u128::from(u32::from(v4)), 32);
            // What was 32 bits wide before some were taken away is so now.
            std::net::Ipv4Addr::from(masked as u32).into()
        }
        IpAddr::V6(v6) => std::net::Ipv6Addr::from(first(u128::from(v6), 128)).into(),
    }
}
