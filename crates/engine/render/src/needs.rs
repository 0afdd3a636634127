//! What a source needs besides its own files, and what was fetched for it.
//!
//! An engine fetches nothing. It answers [`crate::RenderError::Needs`]; the caller fetches, adds
//! to [`Fetched`], and asks again.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use filetree::FileTree;

/// Something to fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A file of values: `https://…`.
    ValueFile {
        /// As the source has it, variables replaced.
        url: String,
    },
    /// A chart that another one depends on, as an archive.
    Chart {
        /// `https://…`, `oci://…`, `@name` or `alias:name`.
        repository: String,
        /// Its name.
        name: String,
        /// A version or a range of them.
        version: String,
    },
    /// A repository's files at a revision (a remote base).
    Repository {
        /// As it was written, without path and query.
        url: String,
        /// Branch, tag or commit; empty is `HEAD`.
        revision: String,
    },
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Need::ValueFile { url } => write!(f, "value file {url}"),
            Need::Chart { repository, name, version } => {
                write!(f, "chart {name} {version} of {repository}")
            }
            Need::Repository { url, revision } => write!(f, "repository {url} at {revision:?}"),
        }
    }
}

/// What was fetched, by what was needed.
#[derive(Clone, Default)]
pub struct Fetched {
    files: BTreeMap<Need, Arc<[u8]>>,
    trees: BTreeMap<Need, Arc<dyn FileTree>>,
}

impl Fetched {
    /// Adds a file or an archive.
    pub fn add_file(&mut self, need: Need, content: Arc<[u8]>) {
        self.files.insert(need, content);
    }

    /// Adds a repository's files.
    pub fn add_tree(&mut self, need: Need, tree: Arc<dyn FileTree>) {
        self.trees.insert(need, tree);
    }

    /// A file or an archive that was fetched.
    pub fn file(&self, need: &Need) -> Option<&Arc<[u8]>> {
        self.files.get(need)
    }

    /// A repository that was fetched.
    pub fn tree(&self, need: &Need) -> Option<&Arc<dyn FileTree>> {
        self.trees.get(need)
    }

    /// Whether it was fetched.
    pub fn has(&self, need: &Need) -> bool {
        self.files.contains_key(need) || self.trees.contains_key(need)
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.files.keys().chain(self.trees.keys())).finish()
    }
}

/// What a source reaches besides its own files.
#[derive(Clone, Default)]
pub struct Reach<'a> {
    /// Other sources' files by their `ref`, without the `$`.
    pub refs: BTreeMap<String, &'a dyn FileTree>,
    /// What was fetched for it.
    pub fetched: Fetched,
}

impl fmt::Debug for Reach<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach")
            .field("refs", &self.refs.keys())
            .field("fetched", &self.fetched)
            .finish()
    }
}

/// The questions of one rendering about its destination, with their answers.
///
/// With what was read, they say exactly when another rendering gives the same: a new API that
/// nobody asked for changes nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Whether the Kubernetes version was looked at.
    pub kube_version: bool,
    /// API versions that were asked for, and whether they were there.
    pub api_versions: BTreeMap<String, bool>,
    /// Whether the whole list of API versions was looked at.
    pub all_api_versions: bool,
}

impl Asked {
    /// Whether a destination with this version and these API versions answers the same as the one
    /// that was asked, which had `before`.
    pub fn holds(&self, before: (&str, &[String]), now: (&str, &[String])) -> bool {
        let same_version = !self.kube_version || before.0 == now.0;
        let same_list = || before.1 == now.1;
        let same_answers = || {
            let has = |asked: &str| now.1.iter().any(|known| known == asked);
            self.api_versions.iter().all(|(asked, there)| has(asked) == *there)
        };
        same_version && (same_list() || (!self.all_api_versions && same_answers()))
    }
}
