//! A repository on this host: read where it lies, copied nowhere.

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
    store: Mutex<Option<Arc<Store>>>,
    /// Whether file events tell of every change.
    followed: AtomicBool,
    /// What the names pointed at, and the files that said so.
    seen: Mutex<Option<(RefFiles, Arc<RefList>)>>,
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
            followed: AtomicBool::new(false),
            seen: Mutex::default(),
        }
    }

    /// Whether file events tell of every change, so that what was seen stays true.
    pub(crate) fn is_followed(&self) -> bool {
        self.followed.load(Ordering::Acquire)
    }

    pub(crate) fn set_followed(&self, followed: bool) {
        self.followed.store(followed, Ordering::Release);
    }

    /// The store, opened at the first call that finds a repository.
    pub(crate) fn store(&self) -> Result<Arc<Store>, SourceError> {
        let mut store = self.store.lock();
        if let Some(store) = &*store {
            return Ok(store.clone());
        }
        let opened = Arc::new(Store::open(&self.path, &self.url, self.objects.clone())?);
        *store = Some(opened.clone());
        Ok(opened)
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
            *self.store.lock() = None;
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
