//! A repository on this host: read where it lies, copied nowhere.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use parking_lot::Mutex;

use crate::cache::ObjectCache;
use crate::error::{SourceError, chain};
use crate::ref_files::RefFiles;
use crate::refs::{RefList, RefTarget};
use crate::store::Store;

/// A `file://` repository.
pub(crate) struct Local {
    path: PathBuf,
    url: String,
    objects: Arc<ObjectCache>,
    /// With the directory that it reads: another one may stand at the path by now.
    store: Mutex<Option<(FileId, Arc<Store>)>>,
    /// Whether another repository has come to the path, and nobody has asked yet.
    replaced: AtomicBool,
    /// Held by who begins or ends to follow: one that ends what another has just begun would
    /// leave a repository that counts as followed and is not.
    pub(crate) following: tokio::sync::Mutex<()>,
    /// The directories of which file events tell every change.
    followed: Mutex<Option<FollowedDirs>>,
    /// What the names pointed at, and the files that said so.
    seen: Mutex<Option<(RefFiles, Arc<RefList>)>>,
}

/// A file or a directory, wherever it is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    /// A file system gives the number of what was removed to what is made next.
    inode: u64,
    /// Tells those two apart, where the file system keeps it.
    born: Option<SystemTime>,
}

impl FileId {
    /// What stands at a path; `None` where nothing does.
    fn at(path: &Path) -> Option<Self> {
        path.metadata().ok().map(|of| Self::of(&of))
    }

    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino(), born: metadata.created().ok() }
    }
}

/// Directories that are watched, as they were when that began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FollowedDirs(Vec<(PathBuf, FileId)>);

impl FollowedDirs {
    /// `None` where one of them is not there.
    pub(crate) fn of(dirs: &RefDirs) -> Option<Self> {
        let paths = [dirs.git_dir.clone(), dirs.common_dir.clone(), dirs.common_dir.join("refs")];
        let known = paths.into_iter().map(|path| FileId::at(&path).map(|dir| (path, dir)));
        known.collect::<Option<_>>().map(Self)
    }

    fn are_there(&self) -> bool {
        self.0.iter().all(|(path, dir)| FileId::at(path) == Some(*dir))
    }
}

/// The directories whose files say what the names point at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefDirs {
    /// Holds `HEAD`.
    pub(crate) git_dir: PathBuf,
    /// Holds `packed-refs` and `refs`; another directory where it is a linked work tree.
    pub(crate) common_dir: PathBuf,
}

impl Local {
    pub(crate) fn new(path: &Path, url: &str, objects: Arc<ObjectCache>) -> Self {
        Self {
            path: path.to_owned(),
            url: url.to_owned(),
            objects,
            store: Mutex::default(),
            replaced: AtomicBool::new(false),
            following: tokio::sync::Mutex::default(),
            followed: Mutex::default(),
            seen: Mutex::default(),
        }
    }

    /// Whether file events tell of every change, so that what was seen stays true.
    pub(crate) fn is_followed(&self) -> bool {
        self.followed.lock().is_some()
    }

    /// Whether the directories at the path are still those of which events tell; without events
    /// there is nothing to lose.
    pub(crate) fn follows_what_is_there(&self) -> bool {
        self.followed.lock().as_ref().is_none_or(FollowedDirs::are_there)
    }

    pub(crate) fn set_followed(&self, followed: Option<FollowedDirs>) {
        *self.followed.lock() = followed;
    }

    /// The store, opened at the first call that finds a repository, and anew where the directory
    /// was replaced by another.
    pub(crate) fn store(&self) -> Result<Arc<Store>, SourceError> {
        let mut store = self.store.lock();
        if let Some((dir, store)) = &*store
            && FileId::at(&store.git_dir()) == Some(*dir)
        {
            return Ok(store.clone());
        }
        if store.take().is_some() {
            self.replaced.store(true, Ordering::Release);
        }
        let opened = Arc::new(Store::open(&self.path, &self.url, self.objects.clone())?);
        *store = FileId::at(&opened.git_dir()).map(|dir| (dir, opened.clone()));
        Ok(opened)
    }

    /// Whether another repository came to the path since this was asked last.
    pub(crate) fn take_replaced(&self) -> bool {
        self.replaced.swap(false, Ordering::AcqRel)
    }

    /// What the names point at now; read anew where a file that says so was written.
    pub(crate) fn list(&self) -> Result<Arc<RefList>, SourceError> {
        let mut seen = self.seen.lock();
        if let Some((files, list)) = &*seen
            && files.are_as_they_were()
        {
            return Ok(list.clone());
        }
        *seen = None;
        let files = RefFiles::look(&self.ref_dirs()?, SystemTime::now());
        let list = Arc::new(self.read()?);
        *seen = files.map(|files| (files, list.clone()));
        Ok(list)
    }

    fn read(&self) -> Result<RefList, SourceError> {
        let store = self.store()?;
        let listed = store.with(|repo| {
            // A repository that was removed reads as one without names.
            if !repo.git_dir().join("HEAD").exists() {
                return Err(gix::Error::from_error(std::io::Error::from(
                    std::io::ErrorKind::NotFound,
                )));
            }
            read_refs(repo)
        });
        listed.map_err(|error| {
            if self.store.lock().take().is_some() {
                self.replaced.store(true, Ordering::Release);
            }
            SourceError::NotFound { url: self.url.clone(), reason: chain(&error) }
        })
    }

    pub(crate) fn ref_dirs(&self) -> Result<RefDirs, SourceError> {
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        Ok(self.store()?.with(|repo| RefDirs {
            git_dir: canonical(repo.git_dir()),
            common_dir: canonical(repo.common_dir()),
        }))
    }
}

fn read_refs(repo: &gix::Repository) -> Result<RefList, gix::Error> {
    let mut list = RefList::default();
    let target = |target: gix::refs::TargetRef<'_>, peeled| match target {
        gix::refs::TargetRef::Object(id) => RefTarget::Object { id: id.to_owned(), peeled },
        gix::refs::TargetRef::Symbolic(name) => RefTarget::Name(name.as_bstr().to_string()),
    };
    if let Some(head) = repo.try_find_reference("HEAD")? {
        list.insert("HEAD".to_owned(), target(head.target(), None));
    }
    for reference in repo.references()?.all()?.flatten() {
        let peeled = reference.inner.peeled;
        list.insert(reference.name().as_bstr().to_string(), target(reference.target(), peeled));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn a_repository_made_where_another_was_is_another_though_its_inode_may_be_the_same() {
        let dir = tempfile::tempdir().expect("a directory");
        let place = dir.path().join("repo");
        let mut known = Vec::new();
        for content in ["1", "2", "3", "4"] {
            let made = Fixture::new(&place, &[("a.yaml", content)]);
            let id = FileId::at(&made.dir().join(".git")).expect("it is there");
            assert!(!known.contains(&id), "{id:?}");
            known.push(id);
            std::fs::remove_dir_all(&place).expect("it was there");
        }
    }
}
