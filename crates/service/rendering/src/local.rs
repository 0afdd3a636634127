//! `tiphys render PATH`: a directory on the disk to objects.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crd::ApplicationSource;
use filetree::{FileTree, TreePath};
use render::{Input, Options, Printed, Reach, RenderError, render_printed, render_source};
use serde_json::Value;

use crate::disk::DiskTree;

/// Why a path could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// There is nothing at the path, or it cannot be read.
    #[error("`{path}` cannot be read: {cause}")]
    Unreadable {
        /// As it was given.
        path: PathBuf,
        /// What the host said.
        cause: io::Error,
    },

    /// The path lies outside of the root.
    #[error("`{path}` lies outside of `{root}`; give a --root that holds both")]
    Outside {
        /// As it was given.
        path: PathBuf,
        /// The root.
        root: PathBuf,
    },

    /// It does not render.
    #[error(transparent)]
    Render(#[from] RenderError),
}

impl LocalError {
    /// Whether the command was used wrongly (exit code 1), and not the files at fault (20).
    pub fn is_usage(&self) -> bool {
        match self {
            LocalError::Unreadable { .. } | LocalError::Outside { .. } => true,
            LocalError::Render(_) => false,
        }
    }
}

/// Renders a directory as a source whose path it is, and returns the objects in their order.
///
/// `source` says what else the source says: which engine, which parameters. `root` is what links and references may reach; where it is not given, the Git work tree
/// around the path, else the path itself. Nothing is added to the objects.
///
/// # Errors
///
/// [`LocalError`].
pub fn render_path(
    path: &Path,
    root: Option<&Path>,
    source: &ApplicationSource,
    options: &Options,
) -> Result<Vec<Arc<Value>>, LocalError> {
    render_path_as(path, root, &of_nobody(source, options, &Reach::default()))
}

/// As [`render_path`], for those who only print the objects as JSON.
///
/// # Errors
///
/// [`LocalError`].
pub fn render_path_printed(
    path: &Path,
    root: Option<&Path>,
    source: &ApplicationSource,
    options: &Options,
) -> Result<Vec<Printed>, LocalError> {
    let reach = Reach::default();
    with_tree(path, root, &of_nobody(source, options, &reach), render_printed)
}

/// A source that belongs to no Application.
fn of_nobody<'a>(
    source: &'a ApplicationSource,
    options: &'a Options,
    reach: &'a Reach<'a>,
) -> Input<'a> {
    Input {
        source,
        source_index: 0,
        app_name: "",
        namespace: "",
        project: crd::keys::DEFAULT_PROJECT,
        revision: "",
        kube_version: "",
        api_versions: &[],
        options,
        reach,
    }
}

/// The same for an Application: `input` says everything but the source's path.
///
/// # Errors
///
/// [`LocalError`].
pub fn render_path_as(
    path: &Path,
    root: Option<&Path>,
    input: &Input<'_>,
) -> Result<Vec<Arc<Value>>, LocalError> {
    let rendered = with_tree(path, root, input, render_source)?;
    Ok(rendered.objects.into_iter().map(|desired| desired.object).collect())
}

fn with_tree<T>(
    path: &Path,
    root: Option<&Path>,
    input: &Input<'_>,
    render: impl FnOnce(&dyn FileTree, &Input<'_>) -> Result<T, RenderError>,
) -> Result<T, LocalError> {
    let place = place_of(path)?;
    let (tree, relative) = tree_around(path, &place, root)?;
    let source = ApplicationSource { path: relative.as_str().to_owned(), ..input.source.clone() };
    let input = Input { source: &source, ..*input };
    Ok(render(&tree, &input)?)
}

/// Returns where a path leads, with no link in it.
///
/// # Errors
///
/// [`LocalError::Unreadable`].
pub fn place_of(path: &Path) -> Result<PathBuf, LocalError> {
    path.canonicalize().map_err(|cause| LocalError::Unreadable { path: path.to_owned(), cause })
}

/// Returns the files that a source at `place` may reach, and where it lies in them: those below
/// `root`, or the Git work tree around it, or itself. `path` is the place as it was given.
///
/// # Errors
///
/// All but [`LocalError::Render`].
pub fn tree_around(
    path: &Path,
    place: &Path,
    root: Option<&Path>,
) -> Result<(DiskTree, TreePath), LocalError> {
    let root = match root {
        Some(root) => place_of(root)?,
        // It has no link in it either: what it is part of has none.
        None => work_tree_around(place).unwrap_or(place).to_owned(),
    };
    let outside = || LocalError::Outside { path: path.to_owned(), root: root.clone() };
    let relative = place.strip_prefix(&root).map_err(|_| outside())?;
    let relative = relative.to_str().ok_or_else(outside)?;
    let relative = TreePath::parse(relative).map_err(|_| outside())?;
    let tree = DiskTree::straight(root.clone())
        .map_err(|cause| LocalError::Unreadable { path: root, cause })?;
    Ok((tree, relative))
}

/// The nearest directory, from the path up, that holds a `.git`.
fn work_tree_around(path: &Path) -> Option<&Path> {
    path.ancestors().find(|directory| directory.join(".git").exists())
}
