//! The files of one commit, read from the object database as they are asked for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use filetree::{Entry, EntryKind, FileTree, Listed, TreeError, TreePath};
use gix::ObjectId;
use parking_lot::Mutex;

use crate::cache::{DecodedTree, ItemKind, TreeItem};
use crate::store::{ObjectError, Store, content_id};

/// Links in one path; more are taken for a circle, as Linux does.
const LINKS_MAX: usize = 40;
/// How a file begins whose content Git LFS keeps elsewhere.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// Limits and choices of one tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TreeRules {
    /// Bytes of one file or directory.
    pub(crate) object_bytes_max: u64,
    /// Whether a Git LFS pointer is an error rather than a file.
    pub(crate) lfs: bool,
}

/// A commit's files, submodules mounted where they were fetched.
pub(crate) struct GitTree {
    root: Layer,
    /// By the commit that the repository names; a commit is its content, whatever its URL.
    submodules: HashMap<ObjectId, Layer>,
    rules: TreeRules,
    /// Where a file was found last: most questions are about its neighbours.
    last: Mutex<Option<Beside>>,
}

/// One repository's part of the tree.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) store: Arc<Store>,
    /// The id of a tree object.
    pub(crate) tree: ObjectId,
}

/// A directory on the way down.
#[derive(Clone)]
struct Spot {
    store: Arc<Store>,
    id: ObjectId,
    tree: Arc<DecodedTree>,
    /// Its place among the items of the directory above.
    at: usize,
}

/// Where a file was found.
struct Beside {
    /// Its directory's path, without links.
    directory: Box<str>,
    spot: Spot,
    /// Its place in the directory.
    at: usize,
}

/// The directories from the root down to where a walk ended, links resolved.
type Way = Vec<Spot>;

/// What a walk ended at.
#[derive(Clone, Copy)]
enum End {
    /// The last directory of the way itself.
    Directory,
    /// A name in the last directory of the way.
    File(usize),
    Submodule(ObjectId),
}

enum Stop {
    Link,
    Object(ObjectError),
}

impl From<ObjectError> for Stop {
    fn from(error: ObjectError) -> Self {
        Stop::Object(error)
    }
}

impl Stop {
    fn at(self, path: &TreePath) -> TreeError {
        let path = path.to_string();
        match self {
            Stop::Link => TreeError::Link { path },
            Stop::Object(ObjectError::TooLarge { size_bytes, limit_bytes }) => {
                TreeError::TooLarge { path, size_bytes, limit_bytes }
            }
            Stop::Object(error) => TreeError::Broken { path, reason: error.to_string() },
        }
    }
}

impl GitTree {
    pub(crate) fn new(root: Layer, submodules: HashMap<ObjectId, Layer>, rules: TreeRules) -> Self {
        Self { root, submodules, rules, last: Mutex::default() }
    }

    fn spot(&self, store: &Arc<Store>, id: ObjectId, at: usize) -> Result<Spot, ObjectError> {
        let tree = store.tree(id, self.rules.object_bytes_max)?;
        Ok(Spot { store: store.clone(), id, tree, at })
    }

    fn find(&self, path: &TreePath) -> Result<(Way, Option<End>), Stop> {
        let mut way = vec![self.spot(&self.root.store, self.root.tree, 0)?];
        let end = self.walk(&mut way, path.names().map(Cow::Borrowed).collect())?;
        if let Some(End::File(at)) = end {
            let (directory, _) = split(path);
            // With a link on the way it stands elsewhere.
            if names_of(&way).eq(directory.split('/').filter(|name| !name.is_empty())) {
                let spot = last(&way).clone();
                *self.last.lock() = Some(Beside { directory: directory.into(), spot, at });
            }
        }
        Ok((way, end))
    }

    /// Returns a file that stands in the directory in which one was found last: that directory,
    /// and the file's place in it. `None` says nothing: [`GitTree::find`] does.
    fn beside(&self, path: &TreePath) -> Option<(Spot, usize)> {
        let (directory, name) = split(path);
        let mut last = self.last.lock();
        let last = last.as_mut().filter(|last| *last.directory == *directory)?;
        let items = last.spot.tree.items();
        // Most ask for one after the other.
        let next = last.at + 1;
        let at = match items.get(next) {
            Some(item) if *item.name == *name => next,
            _ => last.spot.tree.position(name)?,
        };
        last.at = at;
        let is_file = matches!(items[at].kind, ItemKind::File { .. });
        is_file.then(|| (last.spot.clone(), at))
    }

    /// Goes down from the last of `way` by `names`, following links; `None`: nothing is there.
    fn walk(&self, way: &mut Way, mut names: Vec<Cow<'_, str>>) -> Result<Option<End>, Stop> {
        names.reverse();
        let mut links = 0;
        while let Some(name) = names.pop() {
            match &*name {
                "" | "." => continue,
                ".." if way.len() == 1 => return Err(Stop::Link),
                ".." => {
                    way.pop();
                    continue;
                }
                _ => {}
            }
            let here = last(way);
            let Some(at) = here.tree.position(&name) else { return Ok(None) };
            let item = &here.tree.items()[at];
            let next = match item.kind {
                ItemKind::Tree => self.spot(&here.store, item.id, at)?,
                ItemKind::File { .. } => return Ok(names.is_empty().then_some(End::File(at))),
                ItemKind::Submodule => match self.submodules.get(&item.id) {
                    Some(layer) => self.spot(&layer.store, layer.tree, at)?,
                    None => return Ok(names.is_empty().then_some(End::Submodule(item.id))),
                },
                ItemKind::Link => {
                    links += 1;
                    let target = here.store.link(item.id)?;
                    if links > LINKS_MAX || target.starts_with('/') {
                        return Err(Stop::Link);
                    }
                    names.extend(target.split('/').rev().map(|name| Cow::Owned(name.to_owned())));
                    continue;
                }
            };
            way.push(next);
        }
        Ok(Some(End::Directory))
    }

    fn listed(&self, way: &Way, item: &TreeItem) -> Result<Listed, ObjectError> {
        let kind = match item.kind {
            ItemKind::Tree => Some(EntryKind::Directory),
            ItemKind::File { .. } => Some(file_kind(&last(way).store, item)?),
            ItemKind::Submodule if self.submodules.contains_key(&item.id) => {
                Some(EntryKind::Directory)
            }
            ItemKind::Submodule => Some(EntryKind::Submodule),
            ItemKind::Link => {
                let mut way = way.clone();
                match self.walk(&mut way, vec![Cow::Borrowed(&*item.name)]) {
                    Ok(end) => end.map(|end| entry(&way, end)).transpose()?.map(|e| e.kind),
                    Err(Stop::Link) => None,
                    Err(Stop::Object(error)) => return Err(error),
                }
            }
        };
        let link = item.kind == ItemKind::Link;
        Ok(Listed { name: item.name.clone().into(), kind, link })
    }
}

impl FileTree for GitTree {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        if let Some((here, at)) = self.beside(path) {
            let found = file_entry(&here, at).map_err(|error| Stop::Object(error).at(path));
            return found.map(Some);
        }
        let (way, end) = self.find(path).map_err(|stop| stop.at(path))?;
        end.map(|end| entry(&way, end).map_err(|error| Stop::Object(error).at(path))).transpose()
    }

    fn place(&self, path: &TreePath) -> Result<Option<TreePath>, TreeError> {
        let (way, end) = self.find(path).map_err(|stop| stop.at(path))?;
        let file = match end {
            None => return Ok(None),
            Some(End::File(at)) => Some(&*last(&way).tree.items()[at].name),
            // It stands in the directory above, and its name is its own.
            Some(End::Submodule(_)) => Some(path.file_name()),
            Some(End::Directory) => None,
        };
        let names: Vec<&str> = names_of(&way).chain(file).collect();
        let place = TreePath::parse(&names.join("/"));
        place.map(Some).map_err(|error| TreeError::Broken {
            path: path.to_string(),
            reason: error.to_string(),
        })
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let (here, at) = match self.beside(path) {
            Some(found) => found,
            None => {
                let (way, end) = self.find(path).map_err(|stop| stop.at(path))?;
                match end {
                    Some(End::File(at)) => (last(&way).clone(), at),
                    Some(End::Directory | End::Submodule(_)) => {
                        return Err(TreeError::IsDirectory { path: path.to_string() });
                    }
                    None => return Err(TreeError::Missing { path: path.to_string() }),
                }
            }
        };
        let bytes = here
            .store
            .blob(here.tree.items()[at].id, self.rules.object_bytes_max)
            .map_err(|error| Stop::Object(error).at(path))?;
        if self.rules.lfs && bytes.starts_with(LFS_POINTER) {
            let reason = "Git LFS keeps its content, and reading from LFS is not built yet".into();
            return Err(TreeError::Broken { path: path.to_string(), reason });
        }
        Ok(bytes.into())
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        let (way, end) = self.find(path).map_err(|stop| stop.at(path))?;
        if !matches!(end, Some(End::Directory)) {
            return Ok(None);
        }
        let items = last(&way).tree.items().iter();
        let listed: Result<_, _> = items.map(|item| self.listed(&way, item)).collect();
        listed.map(Some).map_err(|error| Stop::Object(error).at(path))
    }
}

fn last(way: &Way) -> &Spot {
    way.last().expect("a way begins with the root, which is never popped")
}

/// A path's directory and its last name.
fn split(path: &TreePath) -> (&str, &str) {
    path.as_str().rsplit_once('/').unwrap_or(("", path.as_str()))
}

/// The names of a way's directories, from the root's first child down.
fn names_of(way: &Way) -> impl Iterator<Item = &str> {
    way.windows(2).map(|two| &*two[0].tree.items()[two[1].at].name)
}

fn file_entry(here: &Spot, at: usize) -> Result<Entry, ObjectError> {
    let item = &here.tree.items()[at];
    Ok(Entry { kind: file_kind(&here.store, item)?, id: content_id(&item.id) })
}

fn entry(way: &Way, end: End) -> Result<Entry, ObjectError> {
    let here = last(way);
    Ok(match end {
        End::Directory => Entry { kind: EntryKind::Directory, id: content_id(&here.id) },
        End::Submodule(commit) => Entry { kind: EntryKind::Submodule, id: content_id(&commit) },
        End::File(at) => file_entry(here, at)?,
    })
}

fn file_kind(store: &Store, item: &TreeItem) -> Result<EntryKind, ObjectError> {
    let executable = matches!(item.kind, ItemKind::File { executable: true });
    Ok(EntryKind::File { size_bytes: store.size(item)?, executable })
}

#[cfg(test)]
mod tests;
