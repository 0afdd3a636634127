//! Names of images in registries.

/// A repository in a registry: `host[:port]/path`, and how the registry is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Image {
    host: String,
    path: String,
    plain_http: bool,
}

/// A name that names no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` names no image in a registry: {reason}; write oci://host/path")]
pub struct BadImage {
    /// As it was given.
    pub name: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl Image {
    /// Reads `oci://host[:port]/path` or the same without the scheme.
    ///
    /// # Errors
    ///
    /// [`BadImage`].
    pub fn parse(name: &str, plain_http: bool) -> Result<Self, BadImage> {
        let bad = |reason| BadImage { name: crate::url::redact(name), reason };
        let rest = name.strip_prefix("oci://").unwrap_or(name).trim_end_matches('/');
        if rest.contains("://") {
            return Err(bad("its scheme is another one"));
        }
        let (host, path) = rest.split_once('/').ok_or_else(|| bad("it has no path"))?;
        let host_fits = |char: char| {
            char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | ':' | '[' | ']')
        };
        if host.is_empty() || !host.chars().all(host_fits) {
            return Err(bad("its host is none"));
        }
        let path_fits = |char: char| {
            char.is_ascii_lowercase()
                || char.is_ascii_digit()
                || matches!(char, '.' | '-' | '_' | '/')
        };
        let parts_fit = path.split('/').all(|part| {
            part.starts_with(|char: char| char.is_ascii_alphanumeric()) && !part.contains("..")
        });
        if !path.chars().all(path_fits) || !parts_fit {
            return Err(bad("its path is none"));
        }
        Ok(Self { host: host.to_owned(), path: path.to_owned(), plain_http })
    }

    /// The image below this one.
    ///
    /// # Errors
    ///
    /// [`BadImage`].
    pub fn join(&self, name: &str) -> Result<Self, BadImage> {
        Self::parse(&format!("{}/{}/{name}", self.host, self.path), self.plain_http)
    }

    /// `host[:port]`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Without the host.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The registry's URL for a request about this image.
    pub(crate) fn url(&self, tail: &str) -> String {
        let scheme = if self.plain_http { "http" } else { "https" };
        format!("{scheme}://{}/v2/{}/{tail}", self.host, self.path)
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "oci://{}/{}", self.host, self.path)
    }
}
