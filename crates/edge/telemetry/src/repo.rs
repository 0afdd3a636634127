//! The numbers of the part that reads sources and renders, under upstream's names.

use crate::metrics::{Counter, Gauge, Histogram, Registry};

/// Upper bounds of how long a request to a git server takes, in seconds.
const GIT_S: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0];

/// Upper bounds of how long a render waits for its turn, in seconds.
const WAIT_S: &[f64] = &[0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0];

/// Each field is one family; its labels stand in the order of its doc.
#[derive(Clone)]
pub struct RepoMetrics {
    /// `repo, request_type` (`ls-remote` or `fetch`).
    pub git_requests: Counter,
    /// `repo, request_type`, in seconds.
    pub git_request_duration: Histogram,
    /// `repo, revision`.
    pub git_fetch_fails: Counter,
    /// `repo, revision`.
    pub git_ls_remote_fails: Counter,
    /// `repo`: renders that wait or run.
    pub pending_requests: Gauge,
    /// No labels; how long a render waited for its turn, in seconds.
    pub parallelism_wait: Histogram,
}

impl RepoMetrics {
    /// Registers all families.
    pub fn new(registry: &Registry) -> Self {
        Self {
            git_requests: registry.counter(
                "argocd_git_request_total",
                "Requests to git servers.",
                &["repo", "request_type"],
            ),
            git_request_duration: registry.histogram(
                "argocd_git_request_duration_seconds",
                "Time that requests to git servers took, in seconds.",
                &["repo", "request_type"],
                GIT_S,
            ),
            git_fetch_fails: registry.counter(
                "argocd_git_fetch_fail_total",
                "Fetches that failed.",
                &["repo", "revision"],
            ),
            git_ls_remote_fails: registry.counter(
                "argocd_git_lsremote_fail_total",
                "Looks at a repository's references that failed.",
                &["repo", "revision"],
            ),
            pending_requests: registry.gauge(
                "argocd_repo_pending_request_total",
                "Renders that wait or run.",
                &["repo"],
            ),
            parallelism_wait: registry.histogram(
                "argocd_repo_parallelism_wait_duration_seconds",
                "Time that renders waited for their turn, in seconds.",
                &[],
                WAIT_S,
            ),
        }
    }
}
