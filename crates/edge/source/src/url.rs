//! Repository URLs: what they mean, what they share, how they are shown.

use std::path::PathBuf;

use crate::error::SourceError;

/// A repository URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoUrl {
    written: String,
    place: Place,
}

/// Where a repository is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A directory of this host: a bare repository or a work tree.
    File(PathBuf),
    /// A smart HTTP server. The URL has no user in it.
    Http {
        /// With scheme, host, port and path.
        url: url::Url,
        /// User and password that stood in the URL.
        user: Option<(String, String)>,
    },
    /// An SSH server.
    Ssh {
        /// Who logs in; `git` where the URL names nobody.
        user: String,
        /// Without brackets.
        host: String,
        /// 22 where the URL names none.
        port: u16,
        /// As the server's shell is told it: absolute, or relative to the login directory.
        path: String,
    },
}

impl RepoUrl {
    /// Takes a URL apart: `file://`, `http://`, `https://`, `ssh://` or scp-like `git@host:path`.
    ///
    /// # Errors
    ///
    /// [`SourceError::BadUrl`].
    pub fn parse(text: &str) -> Result<Self, SourceError> {
        let written = text.trim();
        let bad =
            |reason: &str| SourceError::BadUrl { url: redact(written), reason: reason.to_owned() };
        let place = match written.split_once("://") {
            Some(("file", path)) => Place::File(file_path(path).ok_or_else(|| {
                bad("a file URL has an absolute path, as in file:///srv/repository")
            })?),
            Some(("http" | "https", _)) => http(written).ok_or_else(|| bad("it has no host"))?,
            Some(("ssh" | "git+ssh" | "ssh+git", rest)) => {
                ssh(rest).ok_or_else(|| bad("it has no host or no path"))?
            }
            Some((scheme, _)) => return Err(bad(&format!("`{scheme}` is not served here"))),
            None => scp_like(written).ok_or_else(|| bad("it has no scheme"))?,
        };
        Ok(Self { written: written.to_owned(), place })
    }

    /// Where the repository is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The URL as it was written, blanks around it cut.
    pub fn as_written(&self) -> &str {
        &self.written
    }

    /// The URL for people: as written, without a password.
    pub fn shown(&self) -> String {
        redact(&self.written)
    }

    /// Equal keys are the same repository under the same address.
    ///
    /// A host's case, the default port and slashes at the end make no difference; a path's
    /// case does.
    pub fn key(&self) -> String {
        match &self.place {
            Place::File(path) => format!("file://{}", path.display()),
            Place::Http { url, .. } => url.as_str().trim_end_matches('/').to_owned(),
            Place::Ssh { user, host, port, path } => {
                let host = host.to_ascii_lowercase();
                format!("ssh://{user}@{host}:{port}/{}", path.trim_end_matches('/'))
            }
        }
    }

    /// User and password that stand in an HTTP URL.
    pub(crate) fn user(&self) -> Option<&(String, String)> {
        match &self.place {
            Place::Http { user, .. } => user.as_ref(),
            Place::File(_) | Place::Ssh { .. } => None,
        }
    }

    /// The host that is talked to; `None` for a `file://` repository.
    pub fn host(&self) -> Option<&str> {
        match &self.place {
            Place::File(_) => None,
            Place::Http { url, .. } => url.host_str(),
            Place::Ssh { host, .. } => Some(host),
        }
    }

    /// The first name of the path (`org` in `https://host/org/repo.git`), lower case.
    ///
    /// `None` where the path has fewer than two names.
    pub fn owner(&self) -> Option<String> {
        let path = match &self.place {
            Place::File(_) => return None,
            Place::Http { url, .. } => url.path(),
            Place::Ssh { path, .. } => path,
        };
        let path = path.trim_matches('/');
        let (owner, repo) = path.split_once('/')?;
        (!repo.is_empty()).then(|| owner.to_ascii_lowercase())
    }

    /// Reads a submodule's URL: one that begins with `./` or `../` is relative to this one.
    ///
    /// # Errors
    ///
    /// [`SourceError::BadUrl`].
    pub fn join(&self, submodule: &str) -> Result<Self, SourceError> {
        if !submodule.starts_with("./") && !submodule.starts_with("../") {
            if submodule.starts_with('/') {
                return Self::parse(&format!("file://{submodule}"));
            }
            return Self::parse(submodule);
        }
        let mut base = self.written.trim_end_matches('/').to_owned();
        let mut rest = submodule;
        let mut colon = false;
        loop {
            if let Some(after) = rest.strip_prefix("./") {
                rest = after;
            } else if let Some(after) = rest.strip_prefix("../") {
                rest = after;
                if let Some(cut) = base.rfind('/').filter(|cut| !base[..*cut].ends_with('/')) {
                    base.truncate(cut);
                } else if let Some(cut) = base.rfind(':').filter(|_| !base.contains("://")) {
                    base.truncate(cut);
                    colon = true;
                } else {
                    return Err(SourceError::BadUrl {
                        url: redact(submodule),
                        reason: format!("it climbs out of `{}`", self.shown()),
                    });
                }
            } else {
                break;
            }
        }
        Self::parse(&format!("{base}{}{rest}", if colon { ':' } else { '/' }))
    }
}

/// A URL with neither user nor password in it where it has both.
pub fn redact(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rsplit_once('@') {
        Some((user, host)) if scheme != "ssh" || user.contains(':') => {
            format!("{scheme}://{host}{}", &rest[end..])
        }
        _ => text.to_owned(),
    }
}

fn file_path(rest: &str) -> Option<PathBuf> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let trimmed = path.trim_end_matches('/');
    Some(PathBuf::from(percent_decoded(if trimmed.is_empty() { "/" } else { trimmed })))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        match hex {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

fn http(written: &str) -> Option<Place> {
    let mut url = url::Url::parse(written).ok()?;
    url.host_str().filter(|host| !host.is_empty())?;
    let user = percent_decoded(url.username());
    let password = percent_decoded(url.password().unwrap_or(""));
    let named = !user.is_empty() || !password.is_empty();
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_fragment(None);
    Some(Place::Http { url, user: named.then_some((user, password)) })
}

fn ssh(rest: &str) -> Option<Place> {
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(slash);
    let (user, host_and_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (user.split(':').next().unwrap_or(user), host),
        None => ("git", authority),
    };
    let (host, port) = split_port(host_and_port)?;
    match port {
        // `ssh://git@host:org/repo` is no URL, and in use all the same.
        Some(port) if port.parse::<u16>().is_err() && !port.is_empty() => {
            place_ssh(user, host, 22, format!("{port}{path}"))
        }
        port => {
            let port = port.filter(|port| !port.is_empty()).map_or(Some(22), |p| p.parse().ok())?;
            // git itself reads `/~user/…` as that user's home.
            let path = path.strip_prefix("/~").map_or(path.to_owned(), |home| format!("~{home}"));
            place_ssh(user, host, port, percent_decoded(&path))
        }
    }
}

fn scp_like(written: &str) -> Option<Place> {
    let (user, rest) = match written.split_once('@') {
        Some((user, rest)) if !user.contains(['/', ':']) => (user, rest),
        _ => ("git", written),
    };
    if let Some(bracketed) = rest.strip_prefix('[') {
        let (inside, after) = bracketed.split_once(']')?;
        let path = after.strip_prefix(':')?;
        // `[host:port]:path`; more than one colon inside is an IPv6 address.
        return match inside.split_once(':') {
            Some((host, port)) if !port.contains(':') => {
                place_ssh(user, host, port.parse().ok()?, path.to_owned())
            }
            _ => place_ssh(user, inside, 22, path.to_owned()),
        };
    }
    let (host, path) = rest.split_once(':')?;
    if host.contains('/') {
        return None;
    }
    place_ssh(user, host, 22, path.to_owned())
}

fn place_ssh(user: &str, host: &str, port: u16, path: String) -> Option<Place> {
    let usable = |text: &str| !text.is_empty() && !text.starts_with('-');
    if !usable(host) || !usable(user) || path.trim_matches('/').is_empty() {
        return None;
    }
    Some(Place::Ssh { user: percent_decoded(user), host: host.to_owned(), port, path })
}

fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        return Some((host, after.strip_prefix(':')));
    }
    Some(match text.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (text, None),
    })
}

#[cfg(test)]
mod tests;
