//! One spelling for the many ways in which a repository's URL is written.

/// Returns the URL as it is compared: lower case, no `.git`, no `ssh://`, and
/// `git@host:path` as `git@host/path`. A URL that cannot be read is returned as it stands.
///
/// The rule is upstream's (`NormalizeGitURLAllowInvalid`): URLs are one repository exactly when
/// these are one text.
pub fn normalize_repo_url(url: &str) -> String {
    normalized(url).filter(|text| !text.is_empty()).unwrap_or_else(|| url.to_owned())
}

/// Whether two URLs name one repository.
pub fn same_repo_url(left: &str, right: &str) -> bool {
    let left = normalize_repo_url(left);
    !left.is_empty() && left == normalize_repo_url(right)
}

/// Whether the URL is reached over SSH: `ssh://user@host/path` or `user@host:path`.
pub fn is_ssh_url(url: &str) -> bool {
    ssh_user(url).is_some()
}

/// The user of an SSH URL; `None` where the URL is not reached over SSH.
///
/// An SSH URL has an `@` with something behind it, and before it, but for the scheme,
/// neither `/` nor `:`.
pub fn ssh_user(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("ssh://").unwrap_or(url);
    let (user, host) = rest.rsplit_once('@')?;
    (!user.contains(['/', ':']) && !host.is_empty()).then_some(user)
}

fn normalized(url: &str) -> Option<String> {
    let mut url = url.trim().to_lowercase();
    if is_ssh_url(&url) && !url.starts_with("ssh://") {
        url = format!("ssh://{}", url.replacen(':', "/", 1));
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    let printed = reprinted(url)?;
    Some(printed.strip_prefix("ssh://").map(str::to_owned).unwrap_or(printed))
}

/// Reads a URL and prints it again, as Go's `net/url` does; `None` where that cannot be read.
fn reprinted(url: &str) -> Option<String> {
    if url.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return None;
    }
    let (url, fragment) = match url.split_once('#') {
        Some((url, fragment)) => (url, Some(fragment)),
        None => (url, None),
    };
    let (scheme, rest) = split_scheme(url)?;
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let mut text = String::new();
    if let Some(scheme) = scheme {
        text.push_str(scheme);
        text.push(':');
    }
    if let Some(rest) =
        rest.strip_prefix("//").filter(|_| scheme.is_some() || !rest.starts_with("///"))
    {
        let end = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        check_authority(authority)?;
        text.push_str("//");
        text.push_str(authority);
        text.push_str(&escaped(path, false)?);
    } else if scheme.is_some() && !rest.starts_with('/') {
        // Opaque, as in `mailto:somebody`.
        text.push_str(rest);
    } else {
        // Without a scheme, a colon in the first part would be one.
        if scheme.is_none() && rest.split('/').next().is_some_and(|part| part.contains(':')) {
            return None;
        }
        text.push_str(&escaped(rest, false)?);
    }
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    if let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) {
        text.push('#');
        text.push_str(&escaped(fragment, true)?);
    }
    Some(text)
}

/// Splits the scheme off; a text that begins with `:` is no URL.
fn split_scheme(url: &str) -> Option<(Option<&str>, &str)> {
    for (at, letter) in url.char_indices() {
        match letter {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return None,
            ':' => return Some((Some(&url[..at]), &url[at + 1..])),
            _ => break,
        }
    }
    Some((None, url))
}

/// A host may be followed by a port, which is digits.
fn check_authority(authority: &str) -> Option<()> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.contains(|letter: char| letter == ' ' || "<>\"^`{}|\\".contains(letter)) {
        return None;
    }
    let port = match host.rsplit_once(']') {
        Some((_, behind)) => behind,
        None if host.starts_with('[') => return None,
        None => host.find(':').map_or("", |at| &host[at..]),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    (port.is_empty() || port.starts_with(':')).then_some(())?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(())
}

/// Escapes what may not stand in a path; escapes that are there stay, and must be whole.
fn escaped(path: &str, fragment: bool) -> Option<String> {
    let bytes = path.as_bytes();
    let mut text = String::with_capacity(path.len());
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'%' => {
                let whole = bytes.get(at + 1..at + 3)?.iter().all(u8::is_ascii_hexdigit);
                whole.then_some(())?;
                text.push('%');
            }
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => text.push(char::from(byte)),
            _ if b"-_.~$&+,/:;=@!'()*[]".contains(&byte) => text.push(char::from(byte)),
            b'?' if fragment => text.push('?'),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    Some(text)
}
