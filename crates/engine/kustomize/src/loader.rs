//! Reaching files and directories from a kustomization, within what it may reach.

use std::collections::BTreeMap;
use std::sync::Arc;

use filetree::{EntryKind, FileTree, TreePath};

use crate::error::{KustomizeError, Need};
use crate::remote::RepositorySpec;

/// What was fetched for a build, by what was needed.
#[derive(Clone, Default)]
pub struct Fetched {
    /// Repositories, from their root.
    pub repositories: BTreeMap<Need, Arc<dyn FileTree>>,
    /// Files.
    pub files: BTreeMap<Need, Arc<[u8]>>,
}

/// Which files a kustomization may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictor {
    /// Those in or below its directory.
    #[default]
    RootOnly,
    /// All of the tree.
    None,
}

/// Files and directories as one kustomization sees them.
pub(crate) struct Loader<'a> {
    tree: &'a dyn FileTree,
    root: TreePath,
    restrictor: LoadRestrictor,
    /// The repository that the tree is, if it was fetched.
    repository: Option<RepositorySpec>,
    /// Who asked for this directory.
    referrer: Option<&'a Loader<'a>>,
    fetched: &'a Fetched,
}

impl<'a> Loader<'a> {
    /// A loader at the directory that is built.
    pub(crate) fn new(
        tree: &'a dyn FileTree,
        root: TreePath,
        restrictor: LoadRestrictor,
        fetched: &'a Fetched,
    ) -> Result<Self, KustomizeError> {
        match tree.kind(&root)? {
            Some(EntryKind::Directory) => {
                let root = followed(tree, root)?;
                Ok(Self { tree, root, restrictor, repository: None, referrer: None, fetched })
            }
            Some(_) => Err(KustomizeError::said(format!("'{root}' is not a directory"))),
            None => Err(KustomizeError::said(format!("'{root}' doesn't exist"))),
        }
    }

    /// The directory, from the tree's root.
    pub(crate) fn root(&self) -> &TreePath {
        &self.root
    }

    /// The tree that the directory lies in.
    pub(crate) fn tree(&self) -> &'a dyn FileTree {
        self.tree
    }

    /// How deep kustomizations lie in each other here.
    pub(crate) fn depth(&self) -> usize {
        let mut depth = 0;
        let mut at = self.referrer;
        while let Some(loader) = at {
            depth += 1;
            at = loader.referrer;
        }
        depth
    }

    /// Returns a file's content.
    ///
    /// # Errors
    ///
    /// Where there is none, or it must not be read, or it must be fetched first.
    pub(crate) fn load(&self, path: &str) -> Result<Arc<[u8]>, KustomizeError> {
        if is_remote_file(path) {
            let need = Need::File { url: path.to_owned() };
            let file = self.fetched.files.get(&need).cloned();
            return file.ok_or_else(|| crate::error::Cause::Needs(vec![need]).into());
        }
        let full = self.resolve(path)?;
        match self.tree.kind(&full)? {
            Some(EntryKind::File { .. }) => {}
            Some(_) => {
                return Err(KustomizeError::said(format!("'{full}' must resolve to a file")));
            }
            None => {
                return Err(KustomizeError::said(format!(
                    "evalsymlink failure on '{full}' : lstat {full}: no such file or directory"
                )));
            }
        }
        if self.restrictor == LoadRestrictor::RootOnly {
            // What counts is where the file lies, not which links lead to it.
            let place = followed(self.tree, full.clone())?;
            let parent = place.parent().unwrap_or_default();
            if !parent.starts_with(&self.root) {
                let root = &self.root;
                let to =
                    if place == full { String::new() } else { format!(" (a link to '{place}')") };
                return Err(KustomizeError::said(format!(
                    "security; file '{full}'{to} is not in or below '{root}'"
                )));
            }
        }
        Ok(self.tree.read(&full)?)
    }

    /// Where a path leads, from the tree's root.
    pub(crate) fn resolve(&self, path: &str) -> Result<TreePath, KustomizeError> {
        let root = &self.root;
        if path.starts_with('/') {
            return Err(KustomizeError::said(format!(
                "security; file '{path}' is not in or below '{root}'"
            )));
        }
        self.root.join(path).map_err(|error| {
            KustomizeError::said(format!("security; file '{path}' is not in or below '{root}'"))
                .inside(error.to_string())
        })
    }

    /// Returns a loader at another directory, or at a directory of a repository elsewhere.
    ///
    /// # Errors
    ///
    /// Where there is no such directory, where it was come from, or where it must be fetched
    /// first.
    pub(crate) fn at<'b>(&'b self, path: &str) -> Result<Loader<'b>, KustomizeError>
    where
        'a: 'b,
    {
        if path.is_empty() {
            return Err(KustomizeError::said("new root cannot be empty"));
        }
        if let Some(spec) = RepositorySpec::parse(path) {
            return self.at_repository(spec);
        }
        if path.starts_with('/') {
            return Err(KustomizeError::said(format!("new root '{path}' cannot be absolute")));
        }
        let no_directory =
            |problem: String| KustomizeError::said(problem).inside("must build at directory");
        let root = self.root.join(path).map_err(|error| no_directory(error.to_string()))?;
        match self.tree.kind(&root)? {
            Some(EntryKind::Directory) => {}
            Some(EntryKind::Submodule) => {
                return Err(no_directory(format!("'{root}' is a submodule that is not fetched")));
            }
            Some(EntryKind::File { .. }) => {
                return Err(no_directory(format!("not a valid directory: '{root}' is file")));
            }
            None => {
                return Err(no_directory(format!(
                    "evalsymlink failure on '{root}' : lstat {root}: no such file or directory"
                )));
            }
        }
        let root = followed(self.tree, root)?;
        self.refuse_cycle(&root)?;
        Ok(Loader {
            tree: self.tree,
            root,
            restrictor: self.restrictor,
            repository: None,
            referrer: Some(self),
            fetched: self.fetched,
        })
    }

    fn refuse_cycle(&self, candidate: &TreePath) -> Result<(), KustomizeError> {
        let mut at = Some(self);
        while let Some(loader) = at {
            let visited = &loader.root;
            if std::ptr::addr_eq(loader.tree, self.tree) && visited.starts_with(candidate) {
                return Err(KustomizeError::said(format!(
                    "cycle detected: candidate root '{candidate}' contains visited root \
                     '{visited}'"
                )));
            }
            at = loader.referrer;
        }
        Ok(())
    }

    fn at_repository<'b>(&'b self, spec: RepositorySpec) -> Result<Loader<'b>, KustomizeError>
    where
        'a: 'b,
    {
        let mut at = Some(self);
        while let Some(loader) = at {
            if let Some(visited) = &loader.repository
                && visited.raw.starts_with(&spec.raw)
            {
                return Err(KustomizeError::said(format!(
                    "cycle detected: URI '{}' referenced by previous URI '{}'",
                    spec.raw, visited.raw
                )));
            }
            at = loader.referrer;
        }
        let need = spec.need();
        let Some(tree) = self.fetched.repositories.get(&need) else {
            return Err(crate::error::Cause::Needs(vec![need]).into());
        };
        let tree: &'b dyn FileTree = &**tree;
        let root =
            TreePath::parse(&spec.path).map_err(|error| KustomizeError::said(error.to_string()))?;
        match tree.kind(&root)? {
            Some(EntryKind::Directory) => {}
            Some(_) => {
                return Err(KustomizeError::said(format!(
                    "'{root}' refers to file '{}'; expecting directory",
                    root.file_name()
                )));
            }
            None => {
                return Err(KustomizeError::said(format!(
                    "'{root}' doesn't exist in repository '{}'",
                    spec.url
                )));
            }
        }
        let root = followed(tree, root)?;
        Ok(Loader {
            tree,
            root,
            restrictor: LoadRestrictor::RootOnly,
            repository: Some(spec),
            referrer: Some(self),
            fetched: self.fetched,
        })
    }
}

/// Where a path leads, links followed.
fn followed(tree: &dyn FileTree, path: TreePath) -> Result<TreePath, KustomizeError> {
    Ok(tree.place(&path)?.unwrap_or(path))
}

/// Whether a path is the address of a file.
pub(crate) fn is_remote_file(path: &str) -> bool {
    let scheme = path.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|s| s.eq_ignore_ascii_case("http") || s.eq_ignore_ascii_case("https"))
}
