//! Which hosts are reached through a proxy.

use std::net::IpAddr;

use crate::credentials::Credentials;

/// How a host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// As the process's environment says.
    Environment,
    Direct,
    Through(url::Url),
}

/// Finds out how a host is reached, as Go's `httpproxy` decides it for upstream.
///
/// This host itself is never reached through a proxy. The error says what is wrong.
pub(crate) fn way_to(credentials: &Credentials, host: &str, port: u16) -> Result<Way, String> {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return Ok(Way::Direct);
    }
    if credentials.proxy.is_empty() {
        return Ok(Way::Environment);
    }
    if excepted(&credentials.no_proxy, &host, address, port) {
        return Ok(Way::Direct);
    }
    let text = credentials.proxy.as_str();
    let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let proxy = url::Url::parse(&text).map_err(|error| format!("the proxy is no URL: {error}"))?;
    match proxy.scheme() {
        "http" | "https" | "socks5" | "socks5h" if proxy.has_host() => Ok(Way::Through(proxy)),
        scheme => Err(format!("`{scheme}` is no kind of proxy; write http, https or socks5")),
    }
}

fn excepted(no_proxy: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    no_proxy.split(',').map(|rule| rule.trim().to_ascii_lowercase()).any(|rule| {
        if rule.is_empty() {
            return false;
        }
        if rule == "*" {
            return true;
        }
        if let Some((network, bits)) = rule.split_once('/')
            && let (Ok(network), Ok(bits), Some(address)) = (network.parse(), bits.parse(), address)
        {
            return in_network(address, network, bits);
        }
        let (name, rule_port) = match rule.rsplit_once(':') {
            Some((name, text)) if !name.contains(':') => (name, text.parse().ok()),
            _ => (rule.as_str(), None),
        };
        if rule_port.is_some_and(|rule_port: u16| rule_port != port) {
            return false;
        }
        if let Ok(rule_address) = name.parse::<IpAddr>() {
            return address == Some(rule_address);
        }
        // `.example.com` and `*.example.com` are what is under it, `example.com` that and itself.
        let name = name.strip_prefix('*').unwrap_or(name);
        match name.strip_prefix('.') {
            Some(_) => host.ends_with(name),
            None => host == name || host.ends_with(&format!(".{name}")),
        }
    })
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(address) & mask == u32::from(network) & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(address) & mask == u128::from(network) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exceptions_are_those_of_go() {
        let way = |no_proxy: &str, host: &str, port: u16| {
            let proxy = "proxy:3128".to_owned();
            let credentials =
                Credentials { proxy, no_proxy: no_proxy.to_owned(), ..Credentials::default() };
            way_to(&credentials, host, port).expect("the proxy is fine")
        };
        let direct = |no_proxy: &str, host: &str| way(no_proxy, host, 443) == Way::Direct;
        assert!(direct("", "localhost") && direct("", "127.0.0.1") && direct("", "::1"));
        assert!(!direct("", "example.com"));
        assert!(direct("example.com", "example.com") && direct("example.com", "a.example.com"));
        assert!(!direct("example.com", "notexample.com"));
        assert!(direct(".example.com", "a.example.com") && !direct(".example.com", "example.com"));
        assert!(direct("other, *.example.com", "a.example.com") && direct("*", "anything"));
        assert!(direct("10.0.0.0/8", "10.1.2.3") && !direct("10.0.0.0/8", "11.1.2.3"));
        assert!(direct("fd00::/8", "fd12::1") && direct("10.1.2.3", "10.1.2.3"));
        assert!(direct("example.com:443", "example.com"));
        assert_eq!(way("example.com:8443", "example.com", 443), way("", "x", 443));
    }
}
