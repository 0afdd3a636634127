//! Why a repository did not answer.

use std::sync::Arc;

/// Why a repository, a revision or a file tree could not be had.
///
/// Each message names the repository (never with a password in it), the thing, and the next
/// step where there is one. Errors are values that several waiting callers share, so causes
/// are kept as text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// The URL is none that git could use.
    #[error(
        "`{url}` is no repository URL: {reason}; write https://, ssh://, git@host:path or file://"
    )]
    BadUrl {
        /// As it was written, without a password.
        url: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A `file://` repository where the setting does not allow one.
    #[error(
        "`{url}` reads this host's own files, which is off; allow file repositories in the settings, or use a URL that a server answers"
    )]
    FileNotAllowed {
        /// The repository.
        url: String,
    },

    /// There is no repository at the place.
    #[error(
        "there is no git repository at `{url}`: {reason}; check the URL, and that the credentials may read it"
    )]
    NotFound {
        /// The repository.
        url: String,
        /// What was found instead.
        reason: String,
    },

    /// No branch, tag, commit or version of that name.
    #[error("`{revision}` is no branch, tag, commit or matching version in `{url}`{hint}")]
    UnknownRevision {
        /// The repository.
        url: String,
        /// As it was asked for.
        revision: String,
        /// Begins with `; `, or is empty.
        hint: String,
    },

    /// An abbreviated commit that several objects begin with.
    #[error("`{revision}` begins several commits in `{url}`; write more of it")]
    AmbiguousRevision {
        /// The repository.
        url: String,
        /// As it was asked for.
        revision: String,
    },

    /// The server wants other credentials.
    #[error("`{url}` refused access: {reason}; check the repository's credentials")]
    AccessRefused {
        /// The repository.
        url: String,
        /// What the server said.
        reason: String,
    },

    /// The server's SSH key is not the one that is known.
    #[error(
        "`{url}` was not contacted: {reason}; compare the server's key with its owner, then add it to the known hosts"
    )]
    HostKey {
        /// The repository.
        url: String,
        /// Which key, and why not.
        reason: String,
    },

    /// The credentials cannot be used as they stand.
    #[error("the credentials of `{url}` cannot be used: {reason}")]
    BadCredentials {
        /// The repository.
        url: String,
        /// Which field, and what is wrong with it.
        reason: String,
    },

    /// The server did not answer, or not as git's protocol wants.
    #[error("`{url}` could not be reached: {reason}")]
    Unreachable {
        /// The repository.
        url: String,
        /// What happened.
        reason: String,
    },

    /// It took longer than it may.
    #[error("`{url}` took longer than {limit_s} s to {what}; raise the limit if it is that large")]
    TimedOut {
        /// The repository.
        url: String,
        /// `fetch`, `list its branches and tags`.
        what: &'static str,
        /// Seconds.
        limit_s: u64,
    },

    /// There is no file or artifact at the place.
    #[error(
        "there is nothing at `{url}` (HTTP {code}); check the URL, the name and the version, and that the credentials may read it"
    )]
    Absent {
        /// What was asked for.
        url: String,
        /// HTTP status.
        code: u16,
    },

    /// A file or artifact is larger than is accepted.
    #[error("`{url}` is larger than the {limit_bytes} bytes that it may have")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// Bytes.
        limit_bytes: u64,
    },

    /// More data than is accepted.
    #[error(
        "`{url}` sent more than the {limit_bytes} bytes that one fetch may have; raise the limit, or set a depth"
    )]
    PackTooLarge {
        /// The repository.
        url: String,
        /// Bytes.
        limit_bytes: u64,
    },

    /// Something that upstream has and that is not here yet.
    #[error("`{url}` needs {what}, which is not built yet")]
    NotBuilt {
        /// The repository.
        url: String,
        /// What is missing, as a noun.
        what: &'static str,
    },

    /// A submodule could not be had.
    #[error("submodule `{path}` of `{url}`")]
    Submodule {
        /// The repository that names the submodule.
        url: String,
        /// Where it stands, from that repository's root.
        path: String,
        /// Why.
        #[source]
        cause: Arc<SourceError>,
    },

    /// The objects on this disk are broken or gone.
    #[error("the objects of `{url}` cannot be read: {reason}")]
    Store {
        /// The repository.
        url: String,
        /// What the store said.
        reason: String,
    },
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Try again later; the same question may be answered.
    Retry,
    /// Wait until the repository has what was asked for.
    NewCommit,
    /// Wait until somebody changes the URL, the credentials or a limit.
    NewSettings,
}

impl SourceError {
    /// What a caller can do about this error.
    pub fn remedy(&self) -> Remedy {
        match self {
            SourceError::Unreachable { .. }
            | SourceError::TimedOut { .. }
            | SourceError::Store { .. } => Remedy::Retry,
            SourceError::UnknownRevision { .. } | SourceError::AmbiguousRevision { .. } => {
                Remedy::NewCommit
            }
            SourceError::BadUrl { .. }
            | SourceError::Absent { .. }
            | SourceError::TooLarge { .. }
            | SourceError::FileNotAllowed { .. }
            | SourceError::NotFound { .. }
            | SourceError::AccessRefused { .. }
            | SourceError::HostKey { .. }
            | SourceError::BadCredentials { .. }
            | SourceError::PackTooLarge { .. }
            | SourceError::NotBuilt { .. } => Remedy::NewSettings,
            SourceError::Submodule { cause, .. } => cause.remedy(),
        }
    }
}

/// An error with its causes, as one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        next = cause.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
