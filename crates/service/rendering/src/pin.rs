//! What a revision turned out to be.

use std::sync::Arc;

use source::{CommitId, Layer};

/// What a source's revision turned out to be: the same pin is the same files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Pin {
    /// A commit of a Git repository.
    Commit(CommitId),
    /// A chart or an image, which are never changed under one name.
    Artifact(Arc<Artifact>),
}

/// One version of a chart, or one image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Artifact {
    /// The chart's version, or the image's digest: what `status.sync.revision` says.
    pub(crate) revision: String,
    /// Where it is.
    pub(crate) place: ArtifactPlace,
}

/// Where an artifact's archive is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArtifactPlace {
    /// A file of a chart repository, and its SHA-256 in hexadecimal where the index tells it.
    File { url: String, digest: String },
    /// A layer of an image.
    Layer(Layer),
}

impl std::fmt::Display for ArtifactPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ArtifactPlace::File { url, .. } => f.write_str(&source::redact(url)),
            ArtifactPlace::Layer(layer) => f.write_str(&layer.digest),
        }
    }
}

impl Pin {
    /// What the source's revision is called.
    pub(crate) fn revision(&self) -> String {
        match self {
            Pin::Commit(commit) => commit.to_string(),
            Pin::Artifact(artifact) => artifact.revision.clone(),
        }
    }

    /// The commit, where it is one.
    pub(crate) fn commit(&self) -> Option<CommitId> {
        match self {
            Pin::Commit(commit) => Some(*commit),
            Pin::Artifact(_) => None,
        }
    }
}
