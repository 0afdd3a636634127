//! Why a source gave no objects.

use desired::Remedy;
use filetree::{PathError, TreeError};

/// Why a source could not be turned into objects.
///
/// Each message names the file (and line), says what is wrong in upstream's words where
/// upstream has any, and ends with the next step.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The source's path is none.
    #[error("{path}: {problem}; correct the source's path, or commit the directory")]
    BadPath {
        /// As the source has it.
        path: String,
        /// Upstream's words.
        problem: &'static str,
    },

    /// The source says in two ways how it is rendered.
    #[error("multiple application sources defined: {types}; keep one of them")]
    TwoTypes {
        /// The blocks, with commas.
        types: String,
    },

    /// Something must be fetched first; ask again with it in [`crate::Fetched`].
    #[error("it needs {}, and nobody fetched it", words(needs))]
    Needs {
        /// What is missing.
        needs: Vec<crate::Need>,
    },

    /// A chart does not render; what Helm says comes first.
    #[error("{failure}")]
    Chart {
        /// What is wrong, where, and what to do.
        failure: Box<helm::Failure>,
    },

    /// A file of values, or a chart that another one needs, is not there.
    #[error("{problem}")]
    ValueFiles {
        /// Upstream's words.
        problem: String,
    },

    /// A `.argocd-source` file cannot be used.
    #[error("error while parsing source parameters: {file}: {problem}; correct the file")]
    Overrides {
        /// From the repository's root.
        file: String,
        /// What is wrong.
        problem: String,
    },

    /// A file does not parse, or is no manifest.
    #[error("Failed to unmarshal \"{name}\": {problem} ({file}:{line}:{column}); {advice}")]
    Unreadable {
        /// The file's name alone.
        name: String,
        /// From the repository's root.
        file: String,
        /// Counted from 1.
        line: u32,
        /// Counted from 1.
        column: u32,
        /// What is wrong.
        problem: String,
        /// The next step.
        advice: &'static str,
    },

    /// A kustomization does not build.
    #[error("`kustomize build {path}` failed: Error: {problem}")]
    Kustomization {
        /// The source's directory.
        path: String,
        /// Kustomize's words, with what they are about.
        problem: String,
    },

    /// A config management plugin gave no manifests.
    #[error("{problem}")]
    Plugin {
        /// Its words, or why it could not be asked.
        problem: String,
    },

    /// A Jsonnet program gives no value.
    #[error("Failed to evaluate jsonnet \"{file}\": {problem}")]
    Jsonnet {
        /// From the repository's root.
        file: String,
        /// The interpreter's words, with the stack.
        problem: String,
    },

    /// A JSON file holds more than one object.
    #[error(
        "Found multiple objects in \"{name}\". Only single objects are allowed in JSON files. ({file}); make it a List, or one file an object"
    )]
    SeveralInJson {
        /// The file's name alone.
        name: String,
        /// From the repository's root.
        file: String,
    },

    /// The manifests of one directory are too large together.
    #[error(
        "failed to get potentially valid manifests: exceeded max combined manifest file size ({limit_bytes} bytes, reached at {file}); exclude files that are no manifests, or raise reposerver.max.combined.directory.manifests.size"
    )]
    TooLarge {
        /// The file that went over it.
        file: String,
        /// Bytes.
        limit_bytes: u64,
    },

    /// A link leads out of the repository.
    #[error(
        "failed to get potentially valid manifests: invalid manifest file \"{file}\": illegal filepath in symlink; replace the link by a file, or let it point inside the repository"
    )]
    BadLink {
        /// From the repository's root.
        file: String,
    },

    /// The file tree did not answer.
    #[error("failed to read the repository's files: {cause}")]
    Tree {
        /// What it said.
        cause: TreeError,
    },
}

impl RenderError {
    /// What a caller can do.
    pub fn remedy(&self) -> Remedy {
        match self {
            RenderError::TwoTypes { .. } => Remedy::NewSpec,
            RenderError::Tree { cause: TreeError::Broken { .. } } | RenderError::Plugin { .. } => {
                Remedy::Retry
            }
            RenderError::Chart { failure } if failure.fault() == helm::Fault::Files => {
                Remedy::Retry
            }
            RenderError::BadPath { .. }
            | RenderError::Needs { .. }
            | RenderError::Chart { .. }
            | RenderError::ValueFiles { .. }
            | RenderError::Overrides { .. }
            | RenderError::Unreadable { .. }
            | RenderError::Jsonnet { .. }
            | RenderError::Kustomization { .. }
            | RenderError::SeveralInJson { .. }
            | RenderError::TooLarge { .. }
            | RenderError::BadLink { .. }
            | RenderError::Tree { .. } => Remedy::NewCommit,
        }
    }

    /// The file and line that are wrong, where one is.
    pub fn place(&self) -> Option<(&str, u32)> {
        match self {
            RenderError::Unreadable { file, line, .. } => Some((file, *line)),
            RenderError::Chart { failure } => {
                failure.place().map(|place| (place.file.as_str(), place.line))
            }
            RenderError::Overrides { file, .. }
            | RenderError::Jsonnet { file, .. }
            | RenderError::SeveralInJson { file, .. }
            | RenderError::TooLarge { file, .. }
            | RenderError::BadLink { file } => Some((file, 0)),
            RenderError::BadPath { .. }
            | RenderError::TwoTypes { .. }
            | RenderError::Needs { .. }
            | RenderError::ValueFiles { .. }
            | RenderError::Plugin { .. }
            | RenderError::Kustomization { .. }
            | RenderError::Tree { .. } => None,
        }
    }
}

impl From<TreeError> for RenderError {
    fn from(cause: TreeError) -> Self {
        RenderError::Tree { cause }
    }
}

impl From<PathError> for RenderError {
    fn from(error: PathError) -> Self {
        RenderError::BadPath { path: error.path, problem: "app path outside root" }
    }
}

fn words(needs: &[crate::Need]) -> String {
    let words: Vec<String> = needs.iter().map(ToString::to_string).collect();
    words.join(", ")
}
