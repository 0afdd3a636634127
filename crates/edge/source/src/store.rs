//! The objects of one repository on this disk.
//!
//! Reads only. A [`Store`] is shared by everybody who reads the repository; each read borrows
//! a handle of its own from a pool, so reads run side by side.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use filetree::ContentId;
use gix::ObjectId;
use gix::objs::Kind;
use parking_lot::{Mutex, RwLock};

use crate::cache::{DecodedTree, ItemKind, ObjectCache, TreeItem};
use crate::error::SourceError;

/// Handles that wait for the next reader; more are closed after use.
const IDLE_HANDLES_MAX: usize = 8;
/// Inflated delta bases that one handle keeps.
const PACK_CACHE_BYTES: usize = 4 << 20;

/// An object database with its references.
pub(crate) struct Store {
    /// For messages.
    url: String,
    path: PathBuf,
    opened: RwLock<Arc<Opened>>,
    objects: Arc<ObjectCache>,
    removed_when_dropped: AtomicBool,
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.removed_when_dropped.load(Ordering::Relaxed) {
            // What stays behind goes when the mirror is opened next.
            std::fs::remove_dir_all(&self.path).ok();
        }
    }
}

struct Opened {
    shared: gix::ThreadSafeRepository,
    idle: Mutex<Vec<gix::Repository>>,
}

/// Why an object could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ObjectError {
    #[error("object {0} is missing")]
    Missing(ObjectId),
    #[error("object {id} is no {wanted}")]
    Kind { id: ObjectId, wanted: &'static str },
    #[error("it has {size_bytes} bytes, more than the {limit_bytes} allowed")]
    TooLarge { size_bytes: u64, limit_bytes: u64 },
    #[error("{0}")]
    Broken(String),
}

impl Store {
    /// Opens a repository: a bare one, a work tree, or a linked work tree.
    pub(crate) fn open(
        path: &Path,
        url: &str,
        objects: Arc<ObjectCache>,
    ) -> Result<Self, SourceError> {
        let opened = RwLock::new(Arc::new(Opened::at(path, url)?));
        Ok(Self {
            url: url.to_owned(),
            path: path.to_owned(),
            opened,
            objects,
            removed_when_dropped: AtomicBool::new(false),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the repository from the disk once nobody reads it: for mirrors alone.
    pub(crate) fn remove_when_unused(&self) {
        self.removed_when_dropped.store(true, Ordering::Relaxed);
    }

    /// Looks at the disk anew; whoever reads now goes on with what was open.
    pub(crate) fn reopen(&self) -> Result<(), SourceError> {
        *self.opened.write() = Arc::new(Opened::at(&self.path, &self.url)?);
        Ok(())
    }

    /// Runs `read` with a handle of its own.
    pub(crate) fn with<R>(&self, read: impl FnOnce(&gix::Repository) -> R) -> R {
        let opened = self.opened.read().clone();
        let idle = opened.idle.lock().pop();
        let handle = idle.unwrap_or_else(|| opened.handle());
        let answer = read(&handle);
        let mut idle = opened.idle.lock();
        if idle.len() < IDLE_HANDLES_MAX {
            idle.push(handle);
        }
        answer
    }

    /// Reads again after looking at the disk anew where the first try found broken or no
    /// objects: somebody may have repacked the repository meanwhile.
    fn retried<R>(
        &self,
        read: impl Fn(&gix::Repository) -> Result<R, ObjectError>,
    ) -> Result<R, ObjectError> {
        match self.with(&read) {
            Err(ObjectError::Missing(_) | ObjectError::Broken(_)) => {
                self.reopen().map_err(|error| ObjectError::Broken(error.to_string()))?;
                self.with(&read)
            }
            answer => answer,
        }
    }

    /// The directory that holds `HEAD`.
    pub(crate) fn git_dir(&self) -> PathBuf {
        self.with(|repo| repo.git_dir().to_owned())
    }

    pub(crate) fn store_error(&self, error: &ObjectError) -> SourceError {
        SourceError::Store { url: self.url.clone(), reason: error.to_string() }
    }

    pub(crate) fn contains(&self, id: ObjectId) -> bool {
        self.with(|repo| repo.has_object(id))
    }

    /// A tree object's names; at most `limit_bytes` are inflated.
    pub(crate) fn tree(
        &self,
        id: ObjectId,
        limit_bytes: u64,
    ) -> Result<Arc<DecodedTree>, ObjectError> {
        if let Some(tree) = self.objects.tree(&id) {
            return Ok(tree);
        }
        let tree = Arc::new(self.retried(|repo| decode_tree(repo, id, limit_bytes))?);
        self.objects.keep_tree(id, tree.clone());
        Ok(tree)
    }

    /// A blob's size in bytes, from its header.
    pub(crate) fn size(&self, item: &TreeItem) -> Result<u64, ObjectError> {
        if let Some(size) = item.size_bytes() {
            return Ok(size);
        }
        let size = match self.objects.size(&item.id) {
            Some(size) => size,
            None => {
                let (_, size) = self.retried(|repo| header(repo, item.id))?;
                self.objects.keep_size(item.id, size);
                size
            }
        };
        item.learn_size(size);
        Ok(size)
    }

    /// A blob's bytes; one above the limit is not inflated.
    pub(crate) fn blob(&self, id: ObjectId, limit_bytes: u64) -> Result<Vec<u8>, ObjectError> {
        self.retried(|repo| inflate(repo, id, Kind::Blob, "file", limit_bytes))
    }

    /// Where a link leads, as it is written.
    pub(crate) fn link(&self, id: ObjectId) -> Result<Arc<str>, ObjectError> {
        /// As long as a path may be on the systems that make links.
        const LINK_BYTES_MAX: u64 = 4096;
        if let Some(target) = self.objects.link(&id) {
            return Ok(target);
        }
        let target: Arc<str> =
            String::from_utf8_lossy(&self.blob(id, LINK_BYTES_MAX)?).into_owned().into();
        self.objects.keep_link(id, target.clone());
        Ok(target)
    }

    /// Reads a commit's bytes and hands them, decoded, to `read`.
    pub(crate) fn commit<R>(
        &self,
        id: ObjectId,
        read: impl Fn(&gix::objs::CommitRef<'_>) -> R,
    ) -> Result<R, ObjectError> {
        /// Far beyond what anybody writes; keeps a hostile one from filling memory.
        const COMMIT_BYTES_MAX: u64 = 16 << 20;
        let bytes =
            self.retried(|repo| inflate(repo, id, Kind::Commit, "commit", COMMIT_BYTES_MAX))?;
        gix::objs::CommitRef::from_bytes(&bytes, id.kind())
            .map(|commit| read(&commit))
            .map_err(|error| ObjectError::Broken(format!("commit {id}: {error}")))
    }

    /// Follows annotated tags to the commit that they name.
    pub(crate) fn peel(&self, id: ObjectId) -> Result<ObjectId, ObjectError> {
        self.retried(|repo| {
            let object = repo.try_find_object(id).map_err(broken)?;
            let object = object.ok_or(ObjectError::Missing(id))?;
            let commit = object.peel_to_kind(Kind::Commit);
            commit.map(|commit| commit.id).map_err(|_| ObjectError::Kind { id, wanted: "commit" })
        })
    }

    /// The commits (tags are followed) whose id begins with `hex`: none, one, or several.
    pub(crate) fn commits_with_prefix(&self, hex: &str) -> Result<Vec<ObjectId>, ObjectError> {
        let Ok(prefix) = gix::hash::Prefix::from_hex(hex) else { return Ok(Vec::new()) };
        let mut found = HashSet::new();
        self.with(|repo| repo.objects.lookup_prefix(prefix, Some(&mut found)).map_err(broken))?;
        let commits: HashSet<ObjectId> =
            found.into_iter().filter_map(|id| self.peel(id).ok()).collect();
        Ok(commits.into_iter().collect())
    }
}

impl Opened {
    fn at(path: &Path, url: &str) -> Result<Self, SourceError> {
        let not_found = |reason: String| SourceError::NotFound { url: url.to_owned(), reason };
        // Isolated: neither this process's environment nor any user's configuration has a say,
        // and no `git` is run to find one.
        let options =
            gix::open::Options::isolated().with(gix::sec::Trust::Full).object_store_slots(
                gix::odb::store::init::Slots::AsNeededByDiskState { multiplier: 2.0, minimum: 64 },
            );
        let shared = gix::ThreadSafeRepository::open_opts(path, options)
            .map_err(|error| not_found(crate::error::chain(&error)))?;
        let opened = Self { shared, idle: Mutex::default() };
        let handle = opened.handle();
        let storage = handle.config_snapshot().string("extensions.refStorage");
        if storage.is_some_and(|storage| storage.as_slice() != b"files") {
            let what = "references kept as a reftable";
            return Err(SourceError::NotBuilt { url: url.to_owned(), what });
        }
        opened.idle.lock().push(handle);
        Ok(opened)
    }

    fn handle(&self) -> gix::Repository {
        let mut handle = self.shared.to_thread_local();
        handle.objects.set_pack_cache(|| {
            Box::new(gix::odb::pack::cache::lru::MemoryCappedHashmap::new(PACK_CACHE_BYTES))
        });
        handle
    }
}

pub(crate) fn content_id(id: &ObjectId) -> ContentId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_slice()[..20]);
    ContentId(bytes)
}

fn header(repo: &gix::Repository, id: ObjectId) -> Result<(Kind, u64), ObjectError> {
    let header = repo.try_find_header(id).map_err(broken)?.ok_or(ObjectError::Missing(id))?;
    Ok((header.kind(), header.size()))
}

fn inflate(
    repo: &gix::Repository,
    id: ObjectId,
    kind: Kind,
    wanted: &'static str,
    limit_bytes: u64,
) -> Result<Vec<u8>, ObjectError> {
    let (found, size_bytes) = header(repo, id)?;
    if found != kind {
        return Err(ObjectError::Kind { id, wanted });
    }
    if size_bytes > limit_bytes {
        return Err(ObjectError::TooLarge { size_bytes, limit_bytes });
    }
    let mut object = repo.try_find_object(id).map_err(broken)?.ok_or(ObjectError::Missing(id))?;
    Ok(std::mem::take(&mut object.data))
}

fn decode_tree(
    repo: &gix::Repository,
    id: ObjectId,
    limit_bytes: u64,
) -> Result<DecodedTree, ObjectError> {
    use gix::objs::tree::EntryKind;

    let bytes = inflate(repo, id, Kind::Tree, "directory", limit_bytes)?;
    let mut items = Vec::new();
    for entry in gix::objs::TreeRefIter::from_bytes(&bytes, id.kind()) {
        let entry = entry.map_err(|error| ObjectError::Broken(format!("tree {id}: {error}")))?;
        let kind = match entry.mode.kind() {
            EntryKind::Tree => ItemKind::Tree,
            EntryKind::Blob => ItemKind::File { executable: false },
            EntryKind::BlobExecutable => ItemKind::File { executable: true },
            EntryKind::Link => ItemKind::Link,
            EntryKind::Commit => ItemKind::Submodule,
        };
        let name = String::from_utf8_lossy(entry.filename).into_owned().into_boxed_str();
        items.push(TreeItem::new(name, kind, entry.oid.to_owned()));
    }
    Ok(DecodedTree::new(items))
}

fn broken(error: gix::Error) -> ObjectError {
    ObjectError::Broken(crate::error::chain(&error))
}
