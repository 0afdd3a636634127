//! Who counts what is asked of git servers.

use std::time::Duration;

/// What was asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// What its branches and tags point at (upstream's `ls-remote`).
    LsRemote,
    /// Objects (upstream's `fetch`).
    Fetch,
}

impl RequestKind {
    /// The value of the label `request_type` in upstream's metrics.
    pub fn label(self) -> &'static str {
        match self {
            RequestKind::LsRemote => "ls-remote",
            RequestKind::Fetch => "fetch",
        }
    }
}

/// Told about every request to a git server once it ended; it must not block.
///
/// Feeds upstream's `argocd_git_request_total`, `argocd_git_request_duration_seconds`,
/// `argocd_git_fetch_fail_total` and `argocd_git_lsremote_fail_total`.
pub trait Observer: Send + Sync {
    /// One request ended. `repo` has no password in it.
    fn git_request(&self, repo: &str, kind: RequestKind, elapsed: Duration, ok: bool);
}

/// Counts nothing.
pub(crate) struct NoObserver;

impl Observer for NoObserver {
    fn git_request(&self, _: &str, _: RequestKind, _: Duration, _: bool) {}
}
