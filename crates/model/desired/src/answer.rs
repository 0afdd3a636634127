//! Manifests, and why there are none.

use std::sync::Arc;

use serde_json::Value;

/// One object that should be in the destination.
#[derive(Clone, Debug)]
pub struct DesiredObject {
    /// The object as its source wrote it, with no tracking metadata and no namespace added.
    pub object: Arc<Value>,
    /// A hash of the object's content; equal hashes are equal objects.
    pub hash: u64,
    /// Where it came from.
    pub origin: Origin,
}

/// Where an object was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Index into the sources.
    pub source: usize,
    /// From the repository's root; `""` where an engine made the object from several files.
    pub file: String,
    /// Line of the document's first field, counted from 1; 0 where unknown.
    pub line: u32,
}

/// What one source answered with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceRevision {
    /// The commit, or the chart's version.
    pub revision: String,
    /// `Helm`, `Kustomize`, `Directory`, `Plugin`.
    pub source_type: String,
}

/// A whole rendering.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// In the order in which the sources gave them.
    pub objects: Arc<[DesiredObject]>,
    /// Changes exactly when `objects` changes: equal keys are equal renderings.
    pub key: u64,
    /// One a source, in their order.
    pub sources: Vec<SourceRevision>,
    /// What users should know (a pattern with blanks around it, for one): condition type, message.
    pub warnings: Vec<(String, String)>,
}

/// What a caller can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Try again later; the same input may work.
    Retry,
    /// Wait for a new commit: the same input never works.
    NewCommit,
    /// Wait for the Application, its project or the settings to change.
    NewSpec,
}

/// Why there are no manifests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderFailure {
    /// For people: the thing, the place (`file:line`) and the next step.
    pub message: String,
    /// `ComparisonError` or `InvalidSpecError`, the condition that upstream sets.
    pub condition: &'static str,
    /// What a caller can do.
    pub remedy: Remedy,
    /// Revisions that were resolved before it failed, one a source; may be empty.
    pub revisions: Vec<String>,
}
