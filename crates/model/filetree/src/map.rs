//! A tree in memory: for tests, and for files that were handed over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha1::{Digest, Sha1};

use crate::path::TreePath;
use crate::tree::{ContentId, Entry, EntryKind, FileTree, Listed, TreeError};

/// Files by path, with no links.
#[derive(Clone, Debug, Default)]
pub struct MapTree {
    files: BTreeMap<TreePath, Arc<[u8]>>,
}

impl MapTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a file; the same path again replaces it.
    #[must_use]
    pub fn with(mut self, path: &TreePath, content: impl AsRef<[u8]>) -> Self {
        self.insert(path.clone(), content.as_ref());
        self
    }

    /// Adds a file; the same path again replaces it.
    pub fn insert(&mut self, path: TreePath, content: &[u8]) {
        self.files.insert(path, content.into());
    }

    fn under<'a>(
        &'a self,
        path: &'a TreePath,
    ) -> impl Iterator<Item = (&'a TreePath, &'a Arc<[u8]>)> {
        self.files.iter().filter(move |(file, _)| *file != path && file.starts_with(path))
    }
}

fn blob_id(content: &[u8]) -> ContentId {
    let mut hash = Sha1::new();
    hash.update(format!("blob {}\0", content.len()));
    hash.update(content);
    ContentId(hash.finalize().into())
}

impl FileTree for MapTree {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        if let Some(content) = self.files.get(path) {
            let kind = EntryKind::File { size_bytes: content.len() as u64, executable: false };
            return Ok(Some(Entry { kind, id: blob_id(content) }));
        }
        let mut hash = Sha1::new();
        let mut found = path.is_root();
        for (file, content) in self.under(path) {
            found = true;
            hash.update(file.as_str());
            hash.update([0]);
            hash.update(blob_id(content).0);
        }
        let id = ContentId(hash.finalize().into());
        Ok(found.then_some(Entry { kind: EntryKind::Directory, id }))
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        if let Some(content) = self.files.get(path) {
            return Ok(content.clone());
        }
        let path_text = path.to_string();
        Err(match self.entry(path)? {
            Some(_) => TreeError::IsDirectory { path: path_text },
            None => TreeError::Missing { path: path_text },
        })
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        if self.files.contains_key(path) {
            return Ok(None);
        }
        let depth = path.names().count();
        let names: BTreeSet<&str> =
            self.under(path).filter_map(|(file, _)| file.names().nth(depth)).collect();
        if names.is_empty() && !path.is_root() {
            return Ok(None);
        }
        let mut listed = Vec::with_capacity(names.len());
        for name in names {
            let child = path.join(name).expect("a name of a stored path climbs nowhere");
            let kind = self.entry(&child)?.map(|entry| entry.kind);
            listed.push(Listed { name: name.to_owned(), kind, link: false });
        }
        Ok(Some(listed))
    }
}
