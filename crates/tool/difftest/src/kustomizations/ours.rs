//! Our own engine, asked as the real program is.

use std::path::Path;

use filetree::TreePath;
use kustomize::edit::Overlay;
use kustomize::{Extras, Options, build as build_tree};
use serde_json::Value;

use super::tool::Disk;

/// Builds a directory below a root; the answer is the objects, or what is wrong.
pub fn build(root: &Path, directory: &str, overlay: Overlay) -> Result<Vec<Value>, String> {
    let tree = Disk { root: root.to_owned() };
    let path = TreePath::parse(directory).map_err(|error| error.to_string())?;
    let options = Options { overlay, ..Options::default() };
    let built = build_tree(&tree, &path, &options, &Extras::default());
    let built = built.map_err(|error| error.to_string())?;
    Ok(built.objects.into_iter().map(|object| object.value).collect())
}
