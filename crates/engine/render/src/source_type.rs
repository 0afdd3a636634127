//! Which engine a source is for.

use std::fmt;

use crd::ApplicationSource;
use filetree::{EntryKind, FileTree, TreePath};

use crate::error::RenderError;
use crate::run::Options;

/// How a source is rendered, in the words of `status.sourceType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceType {
    /// A chart.
    Helm,
    /// A kustomization.
    Kustomize,
    /// Plain files and Jsonnet.
    Directory,
    /// A config management plugin.
    Plugin,
}

impl SourceType {
    /// As `status.sourceType` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceType::Helm => "Helm",
            SourceType::Kustomize => "Kustomize",
            SourceType::Directory => "Directory",
            SourceType::Plugin => "Plugin",
        }
    }
}

impl fmt::Display for SourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Finds a source's type: the block that it has, else the files in its directory.
pub(crate) fn detect(
    tree: &dyn FileTree,
    source: &ApplicationSource,
    path: &TreePath,
    options: &Options,
) -> Result<SourceType, RenderError> {
    if let Some(source_type) = explicit(source)? {
        let enabled = match source_type {
            SourceType::Helm => options.helm,
            SourceType::Kustomize => options.kustomize,
            SourceType::Directory | SourceType::Plugin => true,
        };
        return Ok(if enabled { source_type } else { SourceType::Directory });
    }
    let mut found = SourceType::Directory;
    for entry in tree.list(path)?.unwrap_or_default() {
        if !entry.link && !matches!(entry.kind, Some(EntryKind::File { .. })) {
            continue;
        }
        // Upstream looks at names alone, and the last one in the directory's order counts.
        found = match entry.name.as_str() {
            "kustomization.yaml" | "kustomization.yml" | "Kustomization" if options.kustomize => {
                SourceType::Kustomize
            }
            name if name.ends_with("Chart.yaml") && options.helm => SourceType::Helm,
            _ => continue,
        };
    }
    Ok(found)
}

pub(crate) fn explicit(source: &ApplicationSource) -> Result<Option<SourceType>, RenderError> {
    let blocks = [
        (source.kustomize.is_some(), SourceType::Kustomize),
        (source.helm.is_some(), SourceType::Helm),
        (source.directory.is_some(), SourceType::Directory),
        (source.plugin.is_some(), SourceType::Plugin),
    ];
    let present: Vec<SourceType> =
        blocks.into_iter().filter(|(there, _)| *there).map(|(_, block)| block).collect();
    match present.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(*one)),
        several => {
            let types: Vec<&str> = several.iter().map(|block| block.as_str()).collect();
            Err(RenderError::TwoTypes { types: types.join(",") })
        }
    }
}
