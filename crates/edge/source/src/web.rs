//! Files and artifacts from servers that are no git servers: chart repositories, registries,
//! value files.
//!
//! The one gate through which anything but git is fetched: schemes, sizes, times and
//! credentials are checked here and nowhere else. What a server said is kept by its validators
//! (`ETag`, `Last-Modified`), so that asking again costs a question and not the answer.

mod download;
mod image;
mod registry;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

pub use download::{Bytes, Digest256};
pub use image::{BadImage, Image};
pub use registry::{Layer, Manifest};

use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::repository::Freshness;
use crate::transport::http;

/// How much may be fetched.
#[derive(Clone, Copy, Debug)]
pub struct WebLimits {
    /// One index of a chart repository, in bytes (upstream's `helm.index` cap).
    pub index_bytes_max: u64,
    /// One chart or layer, in bytes, as it is sent.
    pub archive_bytes_max: u64,
    /// One file of values or manifest of an image, in bytes.
    pub file_bytes_max: u64,
    /// Answers that are kept to be asked about again, in bytes; the longest unused go first.
    pub kept_bytes_max: u64,
    /// An answer is believed so long by whoever does not want the newest.
    pub believed_for: Duration,
    /// From the first byte of a request to the last of its answer.
    pub timeout: Duration,
    /// Pages of tags that a registry is asked for.
    pub tag_pages_max: usize,
}

impl Default for WebLimits {
    fn default() -> Self {
        Self {
            index_bytes_max: 1 << 30,
            archive_bytes_max: 100 << 20,
            file_bytes_max: 10 << 20,
            kept_bytes_max: 128 << 20,
            believed_for: Duration::from_secs(120),
            timeout: Duration::from_secs(90),
            tag_pages_max: 100,
        }
    }
}

/// What is asked for, which decides how large it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The index of a chart repository.
    Index,
    /// A chart.
    Archive,
    /// A file of values.
    File,
}

/// The gate; clones are the same one.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

struct Inner {
    limits: WebLimits,
    /// By server and credentials.
    clients: Mutex<HashMap<(String, [u8; 16]), reqwest::Client>>,
    kept: Mutex<download::Kept>,
    tokens: Mutex<registry::Tokens>,
}

impl Web {
    /// Makes the gate; nothing is contacted yet.
    pub fn new(limits: WebLimits) -> Self {
        Self {
            inner: Arc::new(Inner {
                limits,
                clients: Mutex::default(),
                kept: Mutex::new(download::Kept::new(limits.kept_bytes_max)),
                tokens: Mutex::default(),
            }),
        }
    }

    /// Fetches a file over `http://` or `https://`; `Known` is satisfied with what was fetched
    /// or confirmed a while ago ([`WebLimits::believed_for`]).
    ///
    /// User, password and token go to the URL's own server only, however it redirects.
    ///
    /// # Errors
    ///
    /// [`SourceError::BadUrl`], [`SourceError::BadCredentials`], [`SourceError::AccessRefused`],
    /// [`SourceError::Absent`], [`SourceError::TooLarge`], [`SourceError::TimedOut`] or
    /// [`SourceError::Unreachable`].
    pub async fn get(
        &self,
        url: &str,
        credentials: &Credentials,
        want: Want,
        freshness: Freshness,
    ) -> Result<Bytes, SourceError> {
        let limits = &self.inner.limits;
        let bytes_max = match want {
            Want::Index => limits.index_bytes_max,
            Want::Archive => limits.archive_bytes_max,
            Want::File => limits.file_bytes_max,
        };
        download::get(&self.inner, url, credentials, bytes_max, freshness).await
    }

    /// The tags of an image, in the registry's order.
    ///
    /// # Errors
    ///
    /// As [`Web::get`].
    pub async fn tags(
        &self,
        image: &Image,
        credentials: &Credentials,
    ) -> Result<Vec<String>, SourceError> {
        registry::tags(&self.inner, image, credentials).await
    }

    /// The manifest behind a tag or digest.
    ///
    /// # Errors
    ///
    /// As [`Web::get`]; [`SourceError::Unreachable`] too where the answer is no manifest.
    pub async fn manifest(
        &self,
        image: &Image,
        reference: &str,
        credentials: &Credentials,
    ) -> Result<Manifest, SourceError> {
        registry::manifest(&self.inner, image, reference, credentials).await
    }

    /// A layer's bytes, checked against its digest.
    ///
    /// # Errors
    ///
    /// As [`Web::get`].
    pub async fn layer(
        &self,
        image: &Image,
        layer: &Layer,
        credentials: &Credentials,
    ) -> Result<Bytes, SourceError> {
        registry::layer(&self.inner, image, layer, credentials).await
    }
}

impl Inner {
    fn client(
        &self,
        url: &url::Url,
        credentials: &Credentials,
    ) -> Result<reqwest::Client, SourceError> {
        let server = url.origin().ascii_serialization();
        let key = (server, credentials.fingerprint());
        if let Some(client) = self.clients.lock().get(&key) {
            return Ok(client.clone());
        }
        let client = http::client(credentials, url).map_err(|reason| {
            SourceError::BadCredentials { url: crate::url::redact(url.as_str()), reason }
        })?;
        let mut clients = self.clients.lock();
        if clients.len() >= CLIENTS_MAX {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }
}

/// Connections are kept to so many servers; more begins anew.
const CLIENTS_MAX: usize = 256;

#[cfg(test)]
mod tests;
