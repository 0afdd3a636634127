//! What a login is made of, and what comes of it.

use std::fmt;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

/// A token, and until when it holds.
#[derive(Clone)]
pub struct Login {
    /// What the cluster's API server takes as a bearer token.
    pub token: String,
    /// When it stops to hold.
    pub expires: Timestamp,
}

/// Shows no token.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What the process runs in.
pub struct Surroundings<'a> {
    /// Reads a variable of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The time.
    pub now: Timestamp,
}

impl Surroundings<'_> {
    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// A variable without which there is no login.
    pub(crate) fn need(&self, name: &'static str) -> Result<String, CloudError> {
        self.get(name).ok_or(CloudError::Missing { what: name })
    }

    /// The time after a while.
    pub(crate) fn after(&self, wait: SignedDuration) -> Timestamp {
        self.now.checked_add(wait).unwrap_or(self.now)
    }

    /// Reads a file that a variable or a setting names.
    pub(crate) fn read(&self, path: &str) -> Result<String, CloudError> {
        std::fs::read_to_string(path).map_err(|cause| CloudError::File { path: path.into(), cause })
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    /// Nothing says who we are.
    #[error("`{what}` is not set; give it to the process, or mount what sets it")]
    Missing {
        /// A variable of the environment, or several.
        what: &'static str,
    },
    /// A file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Something does not say what it must.
    #[error("{what} cannot be used: {why}")]
    Unusable {
        /// A file, a profile or an answer.
        what: String,
        /// What is wrong, without secrets.
        why: String,
    },
    /// A server cannot be reached.
    #[error("{server} cannot be reached")]
    Unreachable {
        /// Its address, without the query.
        server: String,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A server says no.
    #[error("{server} answers {status}: {said}")]
    Refused {
        /// Its address, without the query.
        server: String,
        /// As in 403.
        status: u16,
        /// The beginning of what it says.
        said: String,
    },
}
