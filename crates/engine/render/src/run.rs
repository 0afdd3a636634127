//! The one place where a source meets its engine.

use crd::ApplicationSource;
use desired::{DesiredObject, Origin};
use filetree::{EntryKind, FileTree, TreePath};
use serde_json::Value;
use std::sync::Arc;

use crate::charts::{self, ChartMeans};
use crate::directory;
use crate::env::BuildEnv;
use crate::error::RenderError;
use crate::hash::object_hash;
use crate::known::KnownFiles;
use crate::kustomizations;
use crate::needs::{Asked, Reach};
use crate::overrides;
use crate::source_type::{SourceType, detect};

/// What the installation allows, from its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// `helm.enable`; off reads charts as plain directories.
    pub helm: bool,
    /// `kustomize.enable`; off reads kustomizations as plain directories.
    pub kustomize: bool,
    /// `jsonnet.enable`; off passes Jsonnet files over.
    pub jsonnet: bool,
    /// `reposerver.max.combined.directory.manifests.size`, in bytes; `None` is unlimited.
    pub combined_bytes_max: Option<u64>,
    /// `kustomize.buildOptions`: flags of `kustomize build`.
    pub kustomize_build_options: String,
    /// Whether objects have their hashes; those who only print objects need none.
    pub hashes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            helm: true,
            kustomize: true,
            jsonnet: true,
            combined_bytes_max: Some(10_000_000),
            kustomize_build_options: String::new(),
            hashes: true,
        }
    }
}

/// Everything that a rendering depends on besides the files.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The source as the Application has it.
    pub source: &'a ApplicationSource,
    /// Its place among the Application's sources, counted from 0.
    pub source_index: usize,
    /// The name that tracking uses (`namespace_name` outside the control plane's namespace).
    pub app_name: &'a str,
    /// The destination's namespace.
    pub namespace: &'a str,
    /// The Application's project.
    pub project: &'a str,
    /// The commit, in full.
    pub revision: &'a str,
    /// The destination's version, for templates that ask.
    pub kube_version: &'a str,
    /// The destination's API versions, for templates that ask.
    pub api_versions: &'a [String],
    /// What the installation allows.
    pub options: &'a Options,
    /// What the source reaches besides its own files.
    pub reach: &'a Reach<'a>,
}

impl Input<'_> {
    /// The variables that sources may use.
    pub fn build_env(&self) -> BuildEnv {
        BuildEnv::new(self.source, self.app_name, self.namespace, self.project, self.revision)
    }
}

/// What one source gave.
#[derive(Clone, Debug)]
pub struct RenderedSource {
    /// In upstream's order.
    pub objects: Vec<DesiredObject>,
    /// Which engine made them.
    pub source_type: SourceType,
    /// What a log should say: files that were passed over, and why.
    pub notes: Vec<String>,
    /// What was asked about the destination.
    pub asked: Asked,
}

/// Renders one source.
///
/// A source with only a `ref` gives files to others and no objects; callers leave it out.
///
/// # Errors
///
/// [`RenderError`], the first one in the order of the files.
pub fn render_source(
    tree: &dyn FileTree,
    input: &Input<'_>,
) -> Result<RenderedSource, RenderError> {
    let means = ChartMeans {
        cache: &helm::Cache::default(),
        profile: helm::Profile::default(),
        chance: &mut sprig::Stable::new(*b"tiphys renders one thing always.", 0),
        should_stop: &mut || false,
        limits: helm::Limits::default(),
    };
    render_source_with(tree, input, means)
}

/// As [`render_source`], with what the caller keeps between renderings.
///
/// # Errors
///
/// As [`render_source`].
pub fn render_source_with(
    tree: &dyn FileTree,
    input: &Input<'_>,
    means: ChartMeans<'_>,
) -> Result<RenderedSource, RenderError> {
    render_source_again(tree, input, means, &KnownFiles::default())
}

/// As [`render_source_with`], for a directory of which some files are known: those are neither
/// read nor parsed, and their objects are shared. The answer is the same.
///
/// # Errors
///
/// As [`render_source`].
pub fn render_source_again(
    tree: &dyn FileTree,
    input: &Input<'_>,
    mut means: ChartMeans<'_>,
    known: &KnownFiles<'_>,
) -> Result<RenderedSource, RenderError> {
    let path = app_path(tree, &input.source.path)?;
    let source = overrides::apply(tree, input.source, &path, input.app_name)?;
    let source_type = detect(tree, &source, &path, input.options)?;
    let found = match source_type {
        SourceType::Helm => {
            return charts::render(tree, &path, &source, input, &mut means);
        }
        SourceType::Kustomize => {
            return kustomizations::render(tree, &path, &source, input);
        }
        SourceType::Plugin => {
            return Err(RenderError::Plugin {
                problem: "the source is for a config management plugin, and no plugin was asked: plugins answer where the controller runs, through their sockets".to_owned(),
            });
        }
        SourceType::Directory => {
            let directory = source.directory.as_deref().cloned().unwrap_or_default();
            directory::read(tree, &path, &directory, input, known)?
        }
    };
    Ok(RenderedSource {
        objects: found.objects,
        source_type,
        notes: found.notes,
        asked: Asked::default(),
    })
}

/// An object for those who only print it.
#[derive(Clone, Debug)]
pub enum Printed {
    /// The object.
    Object(Arc<Value>),
    /// Its JSON text with sorted keys, as [`goyaml::JsonText`] writes it.
    Json(Arc<String>),
    /// The same in pieces.
    Pieces(Vec<String>),
}

/// Renders one source to what is printed as JSON: as text where that is less work.
///
/// # Errors
///
/// As [`render_source`].
pub fn render_printed(tree: &dyn FileTree, input: &Input<'_>) -> Result<Vec<Printed>, RenderError> {
    let path = app_path(tree, &input.source.path)?;
    let source = overrides::apply(tree, input.source, &path, input.app_name)?;
    if detect(tree, &source, &path, input.options)? == SourceType::Kustomize {
        return kustomizations::render_texts(tree, &path, &source, input);
    }
    let objects = render_source(tree, input)?.objects;
    Ok(objects.into_iter().map(|desired| Printed::Object(desired.object)).collect())
}

/// Objects with their hashes and where they came from: file, line, object.
pub(crate) fn desired_objects(
    objects: Vec<(TreePath, u32, Value)>,
    input: &Input<'_>,
) -> Vec<DesiredObject> {
    let objects = objects.into_iter();
    objects.map(|(file, line, object)| desired_object(&file, line, object, input)).collect()
}

/// An object with its hash and where it came from.
pub(crate) fn desired_object(
    file: &TreePath,
    line: u32,
    object: Value,
    input: &Input<'_>,
) -> DesiredObject {
    DesiredObject {
        hash: if input.options.hashes { object_hash(&object) } else { 0 },
        object: Arc::new(object),
        origin: Origin { source: input.source_index, file: file.as_str().to_owned(), line },
    }
}

/// Checks the source's path as upstream does.
pub(crate) fn app_path(tree: &dyn FileTree, path: &str) -> Result<TreePath, RenderError> {
    let bad = |problem| RenderError::BadPath { path: path.to_owned(), problem };
    if path.starts_with('/') {
        return Err(bad("app path is absolute"));
    }
    let parsed = TreePath::parse(path).map_err(|_| bad("app path outside root"))?;
    // Asking what a directory is would tie the rendering to all that lies in it.
    match tree.list(&parsed) {
        Ok(Some(_)) => return Ok(parsed),
        Ok(None) => {}
        Err(filetree::TreeError::Link { .. }) => return Err(bad("app path outside root")),
        Err(error) => return Err(error.into()),
    }
    match tree.entry(&parsed)?.map(|entry| entry.kind) {
        None => Err(bad("app path does not exist")),
        Some(EntryKind::File { .. }) => Err(bad("app path is not a directory")),
        Some(EntryKind::Directory | EntryKind::Submodule) => Ok(parsed),
    }
}
