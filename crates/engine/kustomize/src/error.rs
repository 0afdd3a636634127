//! Why a kustomization does not build.

use std::fmt;

use filetree::TreeError;
use goyaml::YamlError;

use crate::node::NodeJsonError;

/// What a build needs that the tree does not hold; given it, the same build goes on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// A directory of a repository elsewhere.
    Repository {
        /// As git takes it.
        url: String,
        /// A branch, tag or commit; `None` for the default branch.
        reference: Option<String>,
        /// Whether submodules are wanted too.
        submodules: bool,
    },
    /// One file at an address.
    File {
        /// `https://…`
        url: String,
    },
    /// A chart that is not in the kustomization's chart directory.
    Chart {
        /// The chart's name.
        name: String,
        /// The repository's address.
        repository: String,
        /// `None` for the newest.
        version: Option<String>,
    },
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::Repository { url, reference: Some(reference), .. } => {
                write!(f, "repository `{url}` at `{reference}`")
            }
            Need::Repository { url, reference: None, .. } => write!(f, "repository `{url}`"),
            Need::File { url } => write!(f, "file `{url}`"),
            Need::Chart { name, repository, version: Some(version) } => {
                write!(f, "chart `{name}` {version} of `{repository}`")
            }
            Need::Chart { name, repository, version: None } => {
                write!(f, "chart `{name}` of `{repository}`")
            }
        }
    }
}

/// Why a kustomization does not build: what is wrong, and inside of what it is.
///
/// The words of [`fmt::Display`] go from the outermost kustomization to the cause, parted by
/// `: `, as kustomize's do.
#[derive(Debug)]
pub struct KustomizeError {
    /// From the innermost outwards.
    contexts: Vec<String>,
    cause: Box<Cause>,
}

/// What is wrong, without where.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// In words.
    #[error("{0}")]
    Said(String),
    /// Something must be fetched first.
    #[error("{} must be fetched first", list(.0))]
    Needs(Vec<Need>),
    /// The tree did not answer.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A file is no YAML.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// An object has no JSON.
    #[error(transparent)]
    Json(#[from] NodeJsonError),
}

fn list(needs: &[Need]) -> String {
    let needs: Vec<String> = needs.iter().map(Need::to_string).collect();
    needs.join(", ")
}

impl KustomizeError {
    /// An error in words.
    pub fn said(problem: impl Into<String>) -> Self {
        Cause::Said(problem.into()).into()
    }

    /// Says inside of what it happened.
    #[must_use]
    pub fn inside(mut self, what: impl Into<String>) -> Self {
        self.contexts.push(what.into());
        self
    }

    /// What is wrong, without where.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// What must be fetched before the build can go on; empty where that does not help.
    pub fn needs(&self) -> &[Need] {
        match &*self.cause {
            Cause::Needs(needs) => needs,
            Cause::Said(_) | Cause::Tree(_) | Cause::Yaml(_) | Cause::Json(_) => &[],
        }
    }
}

impl fmt::Display for KustomizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.contexts.iter().rev() {
            write!(f, "{context}: ")?;
        }
        write!(f, "{}", self.cause)
    }
}

impl std::error::Error for KustomizeError {}

impl<T: Into<Cause>> From<T> for KustomizeError {
    fn from(cause: T) -> Self {
        Self { contexts: Vec::new(), cause: Box::new(cause.into()) }
    }
}

/// Says inside of what a step failed.
pub trait Inside<T> {
    /// Adds where it happened.
    ///
    /// # Errors
    ///
    /// The same error, with the place in front.
    fn inside<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T, KustomizeError>;
}

impl<T, E: Into<KustomizeError>> Inside<T> for Result<T, E> {
    fn inside<S: Into<String>>(self, what: impl FnOnce() -> S) -> Result<T, KustomizeError> {
        self.map_err(|error| error.into().inside(what()))
    }
}
