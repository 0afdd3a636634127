//! Addresses of repositories, as kustomizations write them.

use crate::error::Need;

/// A directory of a repository elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepositorySpec {
    /// As it was written.
    pub(crate) raw: String,
    /// What git clones.
    pub(crate) url: String,
    /// The directory in the repository; `""` for its root.
    pub(crate) path: String,
    /// A branch, tag or commit.
    pub(crate) reference: Option<String>,
    pub(crate) submodules: bool,
}

impl RepositorySpec {
    /// Reads an address; `None` for what is none, such as a path.
    pub(crate) fn parse(raw: &str) -> Option<Self> {
        if raw.starts_with('/') {
            return None;
        }
        let (address, query) = raw.split_once('?').unwrap_or((raw, ""));
        let (host, rest, whole) = host(address)?;
        let (repository, path) = parts(rest, whole)?;
        if repository.is_empty() || leaves(path) {
            return None;
        }
        let (reference, submodules) = read_query(query);
        Some(Self {
            raw: raw.to_owned(),
            url: format!("{host}{repository}"),
            path: path.trim_start_matches('/').to_owned(),
            reference,
            submodules,
        })
    }

    /// What must be fetched.
    pub(crate) fn need(&self) -> Need {
        Need::Repository {
            url: self.url.clone(),
            reference: self.reference.clone(),
            submodules: self.submodules,
        }
    }

    /// Whether an address of a web server plainly means a repository, and not a file on it.
    pub(crate) fn is_plain(&self) -> bool {
        let (address, query) = self.raw.split_once('?').unwrap_or((&self.raw, ""));
        let after_scheme = address.split_once("://").map_or(address, |(_, rest)| rest);
        let named = query.contains("ref=") || query.contains("version=");
        let marked =
            after_scheme.contains("//") || address.contains(".git") || address.contains("_git/");
        let lower = address.to_ascii_lowercase();
        let file = [".yaml", ".yml", ".json"].iter().any(|ending| lower.ends_with(ending));
        named || marked || !file
    }
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// The part before the repository's path, what follows it, and whether all of that is the path.
fn host(address: &str) -> Option<(String, &str, bool)> {
    let address = strip(address, "git::").unwrap_or(address);
    let schemes = ["ssh://", "https://", "http://", "file://"];
    let found = schemes.iter().find_map(|scheme| Some((*scheme, strip(address, scheme)?)));
    let (scheme, rest) = found.unwrap_or(("", address));
    let (user, rest) = user(rest);
    let lower = rest.to_ascii_lowercase();
    let github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    if scheme == "file://" {
        return Some((scheme.to_owned(), address.get(scheme.len()..)?, true));
    }
    let slash = rest.find('/');
    let colon = if scp { rest.find(':').filter(|at| *at > 0) } else { None };
    let cut = match (slash, colon) {
        (None, _) if scp => rest.find(':'),
        (Some(slash), Some(colon)) => Some(slash.min(colon)),
        (slash, _) => slash,
    };
    let (host, path) = cut.map_or((rest, ""), |at| rest.split_at(at + 1));
    if github {
        return Some(match scheme == "ssh://" || !user.is_empty() {
            true => (format!("{user}github.com:"), path, false),
            false => ("https://github.com/".to_owned(), path, false),
        });
    }
    (!host.is_empty()).then(|| (format!("{scheme}{user}{host}"), path, false))
}

/// `name@` in front, if it is there.
fn user(rest: &str) -> (&str, &str) {
    let Some(at) = rest.find('@') else { return ("", rest) };
    let name = &rest[..at];
    let good = name.starts_with(|char: char| char.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if good { rest.split_at(at + 1) } else { ("", rest) }
}

/// The repository's path and the directory in it.
fn parts(path: &str, whole: bool) -> Option<(&str, &str)> {
    if let Some(at) = path.find("_git/") {
        let after = at + "_git/".len();
        let end = path[after..].find('/').map_or(path.len(), |length| after + length);
        return Some((&path[..end], path[end..].trim_start_matches('/')));
    }
    if let Some((repository, directory)) = path.split_once("//") {
        return Some((repository, directory));
    }
    if let Some(at) = path.find(".git") {
        return Some(path.split_at(at + ".git".len()));
    }
    if whole {
        return Some((path, ""));
    }
    // Mostly the organisation and the repository.
    let first = path.find('/')?;
    let end = path[first + 1..].find('/').map_or(path.len(), |length| first + 1 + length);
    Some((&path[..end], path[end..].trim_start_matches('/')))
}

/// Whether a directory lies outside of the repository.
fn leaves(path: &str) -> bool {
    let mut depth = 0i64;
    for name in path.trim_start_matches('/').split('/') {
        match name {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

fn read_query(query: &str) -> (Option<String>, bool) {
    let mut reference = None;
    let mut version = None;
    let mut submodules = true;
    for (key, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let value = decoded(value);
        match key {
            "ref" if reference.is_none() && !value.is_empty() => reference = Some(value),
            "version" if version.is_none() && !value.is_empty() => version = Some(value),
            "submodules" => match &*value {
                "0" | "f" | "F" | "false" | "False" | "FALSE" => submodules = false,
                _ => {}
            },
            _ => {}
        }
    }
    (reference.or(version), submodules)
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            (b'+', _, _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::RepositorySpec;

    fn read(raw: &str) -> Option<(String, String, String)> {
        let spec = RepositorySpec::parse(raw)?;
        Some((spec.url, spec.path, spec.reference.unwrap_or_default()))
    }

    fn is(url: &str, path: &str, reference: &str) -> Option<(String, String, String)> {
        Some((url.to_owned(), path.to_owned(), reference.to_owned()))
    }

    #[test]
    fn addresses_of_repositories_are_told_from_paths() {
        let hub = "https://github.com/o/r";
        assert_eq!(read("github.com/o/r//a/b?ref=v1"), is(hub, "a/b", "v1"));
        assert_eq!(read("https://github.com/o/r/a?ref=main"), is(hub, "a", "main"));
        assert_eq!(read("git@github.com:o/r.git//a"), is("git@github.com:o/r.git", "a", ""));
        assert_eq!(
            read("ssh://git@example.com/o/r.git"),
            is("ssh://git@example.com/o/r.git", "", "")
        );
        assert_eq!(
            read("https://example.com/x/_git/r/a"),
            is("https://example.com/x/_git/r", "a", "")
        );
        assert_eq!(read("../base"), None);
        assert_eq!(read("base/app.yaml"), None);
        assert_eq!(read("github.com/o/r//../x"), None);
    }
}
