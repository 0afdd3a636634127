//! What a rendering is asked for, and what it gives.

use std::sync::Arc;

use filetree::{FileTree, TreePath};

use crate::asked::Asked;
use crate::document::{Contents, Reading};
use crate::profile::Profile;

/// Where a chart's files come from.
#[derive(Clone)]
pub enum ChartSource<'a> {
    /// A directory; its `.helmignore` holds.
    Directory {
        /// The files.
        tree: &'a dyn FileTree,
        /// The chart's folder.
        path: &'a TreePath,
    },
    /// A packed chart (`.tgz`), and its name for messages.
    Archive {
        /// The archive.
        bytes: Arc<[u8]>,
        /// As messages show it.
        name: &'a str,
    },
}

/// A chart that was fetched for another one.
#[derive(Clone)]
pub struct Vendored<'a> {
    /// The chart's name.
    pub name: &'a str,
    /// Its files.
    pub chart: ChartSource<'a>,
}

/// One values file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesFile {
    /// As messages show it.
    pub name: String,
    /// Its content.
    pub content: Arc<[u8]>,
}

/// Reads a file that a `--set-file` names.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Arc<[u8]>, String>;

/// A chart with everything that decides what it gives.
#[derive(Clone)]
pub struct Request<'a> {
    /// The chart.
    pub chart: ChartSource<'a>,
    /// Charts that were fetched because `charts/` has them not.
    pub vendored: &'a [Vendored<'a>],
    /// The release's name.
    pub release_name: &'a str,
    /// The release's namespace.
    pub namespace: &'a str,
    /// The cluster's version; the profile's own where it is `None`.
    pub kube_version: Option<&'a str>,
    /// What the cluster serves besides what every chart sees.
    pub api_versions: &'a [String],
    /// Values files; later ones are written over earlier ones.
    pub values_files: &'a [ValuesFile],
    /// `--set` lines.
    pub set: &'a [String],
    /// `--set-string` lines.
    pub set_string: &'a [String],
    /// `--set-file` lines.
    pub set_file: &'a [String],
    /// Reads the files that `set_file` names.
    pub read_file: ReadFile<'a>,
    /// Whether the `crds` folders are part of the answer.
    pub include_definitions: bool,
    /// Whether hooks that are tests are left out.
    pub skip_tests: bool,
    /// Whether values are held against the charts' schemas.
    pub skip_schema_validation: bool,
    /// Which Helm.
    pub profile: Profile,
    /// What it may cost.
    pub limits: Limits,
    /// What documents are read into.
    pub reading: Reading,
}

/// What a rendering may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of templates: nodes executed, elements visited.
    pub steps_max: u64,
    /// Bytes of text and values that templates make.
    pub bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps_max: 500_000_000, bytes_max: 4 << 30 }
    }
}

/// What a chart gave.
#[derive(Clone, Debug)]
pub struct Rendering {
    /// In the order in which Helm prints them.
    pub documents: Vec<Document>,
    /// What was asked besides the files.
    pub asked: Asked,
}

/// One document that Helm prints.
#[derive(Clone, Debug)]
pub struct Document {
    /// The template's name, as Helm prints it: `chart/templates/x.yaml`.
    pub source: String,
    /// Where the template lies, from the chart's folder.
    pub stored_at: String,
    /// What it is.
    pub part: Part,
    /// Its text, which ends with a line break; `None` where texts of objects were asked for
    /// ([`Reading::as_text`]): who only prints objects needs no other text.
    pub text: Option<Arc<[u8]>>,
    /// What it holds; a comment holds nothing.
    pub contents: Contents,
}

/// Which part of Helm's answer a document belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A file of a `crds` folder.
    Definition,
    /// An object of the release.
    Manifest,
    /// A hook.
    Hook,
}
