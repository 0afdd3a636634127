//! A chart's files from a directory.

use std::sync::Arc;

use filetree::{EntryKind, FileTree, Listed, TreeError, TreePath};

use crate::archive::FILE_BYTES_MAX;
use crate::cache::Cache;
use crate::error::Failure;
use crate::file::File;
use crate::ignore::Rules;

/// Directories inside each other.
const DEPTH_MAX: usize = 200;
/// Files of one chart, those that are ignored not counted.
const FILES_MAX: usize = 100_000;

/// Reads all files that `.helmignore` leaves, in the order of a walk.
pub(crate) fn read(
    tree: &dyn FileTree,
    path: &TreePath,
    cache: &Cache,
) -> Result<Vec<File>, Failure> {
    // What a list shows need not be asked for.
    let listed = tree.list(path);
    let listed_kind = |name: &str| {
        let entries = listed.as_ref().ok()?.as_ref()?;
        entries.iter().find(|entry| entry.name == name)?.kind
    };
    let chart_file = path.join("Chart.yaml").map_err(|error| Failure::chart(error.to_string()))?;
    if listed_kind("Chart.yaml").is_none() && !matches!(tree.kind(&chart_file), Ok(Some(_))) {
        return Err(Failure::chart(format!(
            "unable to detect chart at {path}/Chart.yaml: open {path}/Chart.yaml: no such file or directory"
        ))
        .with_hint("a chart's folder holds a file Chart.yaml; correct the source's path"));
    }
    let ignore_file =
        path.join(".helmignore").map_err(|error| Failure::chart(error.to_string()))?;
    let ignore_kind =
        listed_kind(".helmignore").map_or_else(|| tree.kind(&ignore_file), |kind| Ok(Some(kind)));
    let ignore = match ignore_kind {
        Ok(Some(EntryKind::File { .. })) => Some(tree.read(&ignore_file).map_err(unreadable)?),
        _ => None,
    };
    let rules = Rules::parse(ignore.as_deref().unwrap_or_default())
        .map_err(|problem| Failure::chart(problem).at_file(ignore_file.as_str()))?;
    let mut walk = Walk { tree, rules, ignore, cache, files: Vec::new() };
    walk.entries(listed.map_err(unreadable)?.unwrap_or_default(), path, "", 0)?;
    Ok(walk.files)
}

/// Whether nobody reads a file but templates, by `.Files`: that most never do.
fn is_for_templates_alone(name: &str) -> bool {
    let mut name = name;
    while let Some((_, inside)) =
        name.strip_prefix("charts/").and_then(|inside| inside.split_once('/'))
    {
        name = inside;
    }
    let is_looked_into = ["templates/", "crds/", "charts/"].iter().any(|of| name.starts_with(of));
    let is_known = matches!(
        name,
        "Chart.yaml"
            | "Chart.lock"
            | "values.yaml"
            | "values.schema.json"
            | "requirements.yaml"
            | "requirements.lock"
    );
    !is_looked_into && !is_known
}

fn unreadable(error: TreeError) -> Failure {
    match &error {
        TreeError::Broken { .. } => Failure::tree(error),
        _ => Failure::chart(error.to_string()),
    }
}

struct Walk<'a> {
    tree: &'a dyn FileTree,
    rules: Rules,
    /// `.helmignore` as it was read.
    ignore: Option<Arc<[u8]>>,
    cache: &'a Cache,
    files: Vec<File>,
}

impl Walk<'_> {
    fn directory(&mut self, path: &TreePath, inside: &str, depth: usize) -> Result<(), Failure> {
        if depth > DEPTH_MAX {
            return Err(Failure::chart(format!(
                "the chart has more than {DEPTH_MAX} directories inside each other at {path}"
            )));
        }
        let listed = self.tree.list(path).map_err(unreadable)?.unwrap_or_default();
        self.entries(listed, path, inside, depth)
    }

    fn entries(
        &mut self,
        listed: Vec<Listed>,
        path: &TreePath,
        inside: &str,
        depth: usize,
    ) -> Result<(), Failure> {
        for entry in listed {
            let name = match inside {
                "" => entry.name.clone(),
                inside => [inside, "/", &entry.name].concat(),
            };
            let Ok(child) = path.join(&entry.name) else { continue };
            match entry.kind {
                Some(EntryKind::Directory) => {
                    if !self.rules.ignores(&name, true) {
                        self.directory(&child, &name, depth + 1)?;
                    }
                }
                Some(EntryKind::File { size_bytes, .. }) => {
                    if !self.rules.ignores(&name, false) {
                        self.file(&child, &name, size_bytes)?;
                    }
                }
                Some(EntryKind::Submodule) => {}
                // A link is looked at before the rules are.
                None => {
                    let problem = match self.tree.entry(&child) {
                        Err(error) => error.to_string(),
                        Ok(_) => format!("lstat {child}: no such file or directory"),
                    };
                    return Err(Failure::chart(format!(
                        "error evaluating symlink {child}: {problem}"
                    ))
                    .at_file(child.as_str()));
                }
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &TreePath, name: &str, size_bytes: u64) -> Result<(), Failure> {
        if size_bytes > FILE_BYTES_MAX {
            return Err(Failure::chart(format!(
                "chart file {:?} is larger than the maximum file size {FILE_BYTES_MAX}",
                path.file_name()
            ))
            .at_file(path.as_str())
            .with_hint("a file that no template needs can be named in .helmignore"));
        }
        if self.files.len() == FILES_MAX {
            return Err(Failure::chart(format!("the chart has more than {FILES_MAX} files")));
        }
        if let Some(ignore) = self.ignore.take_if(|_| name == ".helmignore") {
            self.files.push(File::new(name, ignore));
            return Ok(());
        }
        let asks_later = self.cache.is_for_one() && is_for_templates_alone(name);
        let file = match asks_later.then(|| self.tree.later(path)).flatten() {
            Some(read) => File::open(name, read),
            None => File::new(name, self.content(path).map_err(unreadable)?),
        };
        self.files.push(file);
        Ok(())
    }

    /// A file's bytes, which another rendering may have read from the tree.
    fn content(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let read = || self.tree.read(path);
        match self.cache.keeps_files().then(|| self.tree.entry(path)).transpose()?.flatten() {
            Some(entry) => self.cache.file(entry.id, read),
            None => read(),
        }
    }
}
