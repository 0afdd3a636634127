//! Asking for manifests.

use std::sync::Arc;

use crd::{AppProject, Application};

use crate::BoxFuture;
use crate::answer::{RenderFailure, Rendered};

/// How new the answer must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// Revisions as last seen by the repository's poll or file events.
    #[default]
    Known,
    /// Ask the repository what its branches and tags point at now.
    Latest,
    /// As `Latest`, and use no cached rendering (upstream's hard refresh).
    Hard,
}

/// One rendering of one Application.
#[derive(Clone, Debug)]
pub struct RenderRequest {
    /// The Application; its sources, name and namespace are what is read.
    pub application: Arc<Application>,
    /// Its project: sources are checked against it before anything is fetched.
    pub project: Arc<AppProject>,
    /// Render these revisions instead of the sources' own (a sync to a revision, a retry that
    /// stays with the revision it began with); one a source, in their order. Empty: the sources' own.
    pub revisions: Vec<String>,
    /// Render these sources instead of the Application's (a rollback). Empty: its own.
    pub sources: Vec<crd::ApplicationSource>,
    /// How new the answer must be.
    pub freshness: Freshness,
    /// The destination's version as `1.36` or `v1.36.2`, for templates that ask.
    pub kube_version: String,
    /// The destination's API versions (`apps/v1`, `apps/v1/Deployment`), for templates that ask.
    pub api_versions: Arc<[String]>,
}

/// A repository has new content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoChange {
    /// As Applications write it, normalised (see `crd::normalize_repo_url`).
    pub repo_url: String,
}

/// Told about each change; it must not block.
pub type RepoListener = Box<dyn Fn(&RepoChange) + Send + Sync>;

/// Turns an Application's sources into objects.
pub trait Renderer: Send + Sync {
    /// Renders, or answers from a cache that is exact.
    fn render<'a>(
        &'a self,
        request: RenderRequest,
    ) -> BoxFuture<'a, Result<Arc<Rendered>, RenderFailure>>;

    /// Calls `listener` whenever a repository in use has new content.
    fn on_change(&self, listener: RepoListener);
}
