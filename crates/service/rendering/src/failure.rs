//! Failures in the words of the port.

use desired::{Remedy, RenderFailure};
use render::RenderError;
use source::SourceError;

use crate::artifacts::ArtifactError;

const COMPARISON_ERROR: &str = "ComparisonError";
const INVALID_SPEC_ERROR: &str = "InvalidSpecError";

/// Where in an Application something failed: source number `index` of `count`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) index: usize,
    pub(crate) count: usize,
}

impl At {
    fn says(self, problem: &dyn std::fmt::Display) -> String {
        format!(
            "failed to generate manifest for source {} of {}: {problem}",
            self.index + 1,
            self.count
        )
    }
}

/// The spec, or the project's rules, do not allow a rendering.
pub(crate) fn invalid_spec(message: String) -> RenderFailure {
    RenderFailure {
        message,
        condition: INVALID_SPEC_ERROR,
        remedy: Remedy::NewSpec,
        revisions: Vec::new(),
    }
}

/// Something that is not there yet, and would change what is applied.
pub(crate) fn not_supported(message: String) -> RenderFailure {
    RenderFailure { condition: COMPARISON_ERROR, ..invalid_spec(message) }
}

/// A repository did not answer.
pub(crate) fn from_source(error: &SourceError, at: At, revisions: Vec<String>) -> RenderFailure {
    let remedy = match error.remedy() {
        source::Remedy::Retry => Remedy::Retry,
        source::Remedy::NewCommit => Remedy::NewCommit,
        source::Remedy::NewSettings => Remedy::NewSpec,
    };
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    RenderFailure { message: at.says(&text), condition: COMPARISON_ERROR, remedy, revisions }
}

/// A chart or an image could not be had.
pub(crate) fn from_artifact(
    error: &ArtifactError,
    at: At,
    revisions: Vec<String>,
) -> RenderFailure {
    let remedy = match error {
        ArtifactError::Source(error) => return from_source(error, at, revisions),
        ArtifactError::NoChart { .. } | ArtifactError::NoVersion { .. } => Remedy::NewCommit,
        ArtifactError::Index { .. } | ArtifactError::Archive { .. } => Remedy::Retry,
        ArtifactError::Image(_) | ArtifactError::Layers { .. } => Remedy::NewSpec,
    };
    RenderFailure { message: at.says(error), condition: COMPARISON_ERROR, remedy, revisions }
}

/// A repository's secret cannot be used.
pub(crate) fn from_settings(error: &settings::RepositoryError, at: At) -> RenderFailure {
    not_supported(at.says(error))
}

/// An engine refused.
pub(crate) fn from_engine(error: &RenderError, at: At, revisions: Vec<String>) -> RenderFailure {
    RenderFailure {
        message: at.says(error),
        condition: COMPARISON_ERROR,
        remedy: error.remedy(),
        revisions,
    }
}
