//! What can go wrong with a request to a cluster.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use manifest::Gvk;
use serde::Deserialize;

use crate::write::Refusal;

/// Why a request to a cluster gave no answer that can be used.
///
/// The server's own words are kept whole in `message`. Where the request was about a Secret,
/// the values of its data are starred out of them first.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 404: there is no such object, or no such kind any more.
    #[error("{message}")]
    NotFound {
        /// The server's words.
        message: String,
    },
    /// 409 with reason `AlreadyExists`.
    #[error("{message}")]
    AlreadyExists {
        /// The server's words.
        message: String,
    },
    /// 409: somebody else wrote in between, or owns a field that was applied without force.
    #[error("{message}")]
    Conflict {
        /// The server's words.
        message: String,
        /// One a field, for a conflict between field managers.
        causes: Vec<Cause>,
    },
    /// 422: the object as it stands cannot be accepted.
    #[error("{message}")]
    Invalid {
        /// The server's words.
        message: String,
        /// One a field.
        causes: Vec<Cause>,
    },
    /// 400: the request does not parse, or names fields that do not exist.
    #[error("{message}")]
    BadRequest {
        /// The server's words.
        message: String,
    },
    /// 403: not allowed, by access rules, quota or an admission webhook.
    #[error("{message}")]
    Forbidden {
        /// The server's words.
        message: String,
    },
    /// 401: the credentials are not accepted.
    #[error("{message}")]
    Unauthorized {
        /// The server's words.
        message: String,
    },
    /// 413, or an object too large for the server's store.
    #[error("{message}")]
    TooLarge {
        /// The server's words.
        message: String,
    },
    /// 410: what was asked from is forgotten; list again.
    #[error("{message}")]
    Gone {
        /// The server's words.
        message: String,
    },
    /// 429, after the waits that the server asked for.
    #[error("{message}")]
    Throttled {
        /// The server's words.
        message: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// 405: the kind cannot be used that way.
    #[error("{message}")]
    MethodNotAllowed {
        /// The server's words.
        message: String,
    },
    /// 502, 503 or 504: nobody behind the address answers just now.
    #[error("{message}")]
    Unavailable {
        /// The server's words.
        message: String,
    },
    /// Any other status that is no success.
    #[error("{message}")]
    Server {
        /// The HTTP status.
        code: u16,
        /// As in `InternalError`.
        reason: String,
        /// The server's words.
        message: String,
    },
    /// No connection, or one that broke.
    #[error("cannot reach the cluster at `{server}`")]
    Unreachable {
        /// The server's URL.
        server: String,
        /// What the connection said.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
    /// No answer in time. The server may have carried the request out all the same.
    #[error("the cluster at `{server}` gave no answer in {waited_s} s")]
    Timeout {
        /// The server's URL.
        server: String,
        /// Seconds.
        waited_s: u64,
    },
    /// The cluster serves no such kind.
    #[error("the server could not find the requested resource: no kind `{}` in version `{}`", gvk.kind, gvk.api_version())]
    KindUnknown {
        /// The kind asked for.
        gvk: Gvk,
    },
    /// The gate did not let the write through. Nothing was sent.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer, or the request, is not what the API speaks.
    #[error("{what}")]
    Malformed {
        /// What does not read, with no part of any object's data.
        what: String,
    },
}

/// One reason among several that the server gives.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// As in `FieldValueRequired` or `FieldManagerConflict`.
    pub reason: String,
    /// The server's words.
    pub message: String,
    /// As in `spec.replicas`.
    pub field: String,
}

/// What a caller can do about an [`ApiError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Try again later; the same request may work.
    Retry,
    /// Read the object or the list again, and ask anew.
    ReadAgain,
    /// The object must change first.
    ChangeObject,
    /// Somebody must grant access, or renew the credentials.
    GrantAccess,
    /// The kind must be installed first.
    InstallKind,
}

impl ApiError {
    /// The HTTP status that the server answered with; `None` where it did not answer.
    pub fn code(&self) -> Option<u16> {
        Some(match self {
            Self::NotFound { .. } => 404,
            Self::AlreadyExists { .. } | Self::Conflict { .. } => 409,
            Self::Invalid { .. } => 422,
            Self::BadRequest { .. } => 400,
            Self::Forbidden { .. } => 403,
            Self::Unauthorized { .. } => 401,
            Self::TooLarge { .. } => 413,
            Self::Gone { .. } => 410,
            Self::Throttled { .. } => 429,
            Self::MethodNotAllowed { .. } => 405,
            Self::Unavailable { .. } => 503,
            Self::Server { code, .. } => *code,
            Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::KindUnknown { .. }
            | Self::Refused(_)
            | Self::Malformed { .. } => return None,
        })
    }

    /// What a caller can do about it.
    pub fn remedy(&self) -> Remedy {
        match self {
            ApiError::Throttled { .. }
            | ApiError::Unavailable { .. }
            | ApiError::Server { .. }
            | ApiError::Unreachable { .. }
            | ApiError::Timeout { .. } => Remedy::Retry,
            ApiError::NotFound { .. }
            | ApiError::AlreadyExists { .. }
            | ApiError::Conflict { .. }
            | ApiError::Gone { .. } => Remedy::ReadAgain,
            ApiError::Invalid { .. }
            | ApiError::BadRequest { .. }
            | ApiError::TooLarge { .. }
            | ApiError::MethodNotAllowed { .. }
            | ApiError::Malformed { .. } => Remedy::ChangeObject,
            ApiError::Forbidden { .. } | ApiError::Unauthorized { .. } | ApiError::Refused(_) => {
                Remedy::GrantAccess
            }
            ApiError::KindUnknown { .. } => Remedy::InstallKind,
        }
    }

    /// The server's reasons, field by field; empty where it gave none.
    pub fn causes(&self) -> &[Cause] {
        match self {
            ApiError::Conflict { causes, .. } | ApiError::Invalid { causes, .. } => causes,
            ApiError::NotFound { .. }
            | ApiError::AlreadyExists { .. }
            | ApiError::BadRequest { .. }
            | ApiError::Forbidden { .. }
            | ApiError::Unauthorized { .. }
            | ApiError::TooLarge { .. }
            | ApiError::Gone { .. }
            | ApiError::Throttled { .. }
            | ApiError::MethodNotAllowed { .. }
            | ApiError::Unavailable { .. }
            | ApiError::Server { .. }
            | ApiError::Unreachable { .. }
            | ApiError::Timeout { .. }
            | ApiError::KindUnknown { .. }
            | ApiError::Refused(_)
            | ApiError::Malformed { .. } => &[],
        }
    }

    /// The whole story in one line: the message, then each cause that lies behind it.
    pub fn message(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(inner) = cause {
            let said = inner.to_string();
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = inner.source();
        }
        text
    }

    /// Whether the server was never heard: nothing is known of what it would say.
    pub fn is_connection(&self) -> bool {
        matches!(self, ApiError::Unreachable { .. } | ApiError::Timeout { .. })
    }

    /// Returns what a `Status` of the API server means.
    pub(crate) fn from_status(code: StatusCode, status: Status) -> Self {
        let Status { message, reason, details, .. } = status;
        let message = match message.is_empty() {
            true => format!("the server answered {code}"),
            false => message,
        };
        match (code.as_u16(), reason.as_str()) {
            (404, _) => ApiError::NotFound { message },
            (409, "AlreadyExists") => ApiError::AlreadyExists { message },
            (409, _) => ApiError::Conflict { message, causes: details.causes },
            (422, _) => ApiError::Invalid { message, causes: details.causes },
            (400, _) => ApiError::BadRequest { message },
            (403, _) => ApiError::Forbidden { message },
            (401, _) => ApiError::Unauthorized { message },
            (413, _) | (_, "RequestEntityTooLarge") => ApiError::TooLarge { message },
            (410, _) => ApiError::Gone { message },
            (429, _) => ApiError::Throttled {
                message,
                retry_after: details.retry_after_seconds.map(Duration::from_secs),
            },
            (405 | 415 | 406, _) => ApiError::MethodNotAllowed { message },
            (502..=504, _) => ApiError::Unavailable { message },
            (code, _) => {
                // etcd's refusal reaches the client as an internal error.
                if message.contains("etcdserver: request is too large")
                    || message.contains("trying to send message larger than max")
                {
                    return ApiError::TooLarge { message };
                }
                ApiError::Server { code, reason, message }
            }
        }
    }

    /// Changes every text that came from the server.
    pub(crate) fn map_text(self, change: impl Fn(String) -> String) -> Self {
        let each = |causes: Vec<Cause>| {
            causes.into_iter().map(|c| Cause { message: change(c.message), ..c }).collect()
        };
        match self {
            ApiError::NotFound { message } => ApiError::NotFound { message: change(message) },
            ApiError::AlreadyExists { message } => {
                ApiError::AlreadyExists { message: change(message) }
            }
            ApiError::Conflict { message, causes } => {
                ApiError::Conflict { message: change(message), causes: each(causes) }
            }
            ApiError::Invalid { message, causes } => {
                ApiError::Invalid { message: change(message), causes: each(causes) }
            }
            ApiError::BadRequest { message } => ApiError::BadRequest { message: change(message) },
            ApiError::Forbidden { message } => ApiError::Forbidden { message: change(message) },
            ApiError::Unauthorized { message } => {
                ApiError::Unauthorized { message: change(message) }
            }
            ApiError::TooLarge { message } => ApiError::TooLarge { message: change(message) },
            ApiError::Gone { message } => ApiError::Gone { message: change(message) },
            ApiError::Throttled { message, retry_after } => {
                ApiError::Throttled { message: change(message), retry_after }
            }
            ApiError::MethodNotAllowed { message } => {
                ApiError::MethodNotAllowed { message: change(message) }
            }
            ApiError::Unavailable { message } => ApiError::Unavailable { message: change(message) },
            ApiError::Server { code, reason, message } => {
                ApiError::Server { code, reason, message: change(message) }
            }
            ApiError::Malformed { what } => ApiError::Malformed { what: change(what) },
            same @ (ApiError::Unreachable { .. }
            | ApiError::Timeout { .. }
            | ApiError::KindUnknown { .. }
            | ApiError::Refused(_)) => same,
        }
    }
}

/// The body of an answer that is no success.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) message: String,
    pub(crate) reason: String,
    pub(crate) code: u16,
    pub(crate) details: Details,
}

/// What a [`Status`] says beside its message.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Details {
    #[serde(deserialize_with = "null_is_empty")]
    pub(crate) causes: Vec<Cause>,
    pub(crate) retry_after_seconds: Option<u64>,
}

fn null_is_empty<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<Cause>, D::Error> {
    Ok(Option::<Vec<Cause>>::deserialize(from)?.unwrap_or_default())
}
