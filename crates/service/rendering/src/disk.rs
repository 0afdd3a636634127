//! A directory of this host as a file tree.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use filetree::{ContentId, Entry, EntryKind, FileTree, Later, Listed, TreeError, TreePath};
use sha1::{Digest, Sha1};

/// A file that is read is not larger.
const FILE_BYTES_MAX: u64 = 256 << 20;
/// Links that lead to links.
const LINKS_MAX: usize = 40;
/// Files that stay open; processes may have a thousand.
const OPEN_MAX: usize = 200;
/// Room into which a thread reads files that are smaller.
const ROOM_BYTES: usize = 64 << 10;

thread_local! {
    static ROOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The files below a directory, as they lie there, committed or not.
///
/// Links are followed as long as they stay below the root; `.git` is not there. It is no
/// snapshot: whoever writes meanwhile may be seen halfway. A content id names a file's place,
/// size and moment of change instead of its bytes.
#[derive(Debug)]
pub struct DiskTree {
    root: PathBuf,
    /// Directories that were found with no link on the way.
    straight: Mutex<HashSet<String>>,
    /// Files, none of them a link, and their sizes, as a list of their directory showed them:
    /// who reads them next need not ask again.
    listed: Mutex<HashMap<String, u64>>,
    /// How many files were opened to be read later.
    open: AtomicUsize,
}

/// What lies at a path when its last name is not followed.
enum Step {
    Missing,
    Link(PathBuf),
    Other(fs::Metadata),
}

impl DiskTree {
    /// The tree below `root`.
    ///
    /// # Errors
    ///
    /// Where there is no such directory.
    pub fn new(root: &Path) -> io::Result<Self> {
        Self::straight(root.canonicalize()?)
    }

    /// The tree below `root`, to which no link leads.
    ///
    /// # Errors
    ///
    /// As [`DiskTree::new`].
    pub fn straight(root: PathBuf) -> io::Result<Self> {
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "not a directory"));
        }
        Ok(Self {
            root,
            straight: Mutex::default(),
            listed: Mutex::default(),
            open: AtomicUsize::new(0),
        })
    }

    /// The root, with no link in it.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Follows a path name by name; `None` where nothing is. The answer has no link in it.
    fn follow(&self, path: &TreePath) -> Result<Option<(TreePath, fs::Metadata)>, TreeError> {
        let parent = path.as_str().rsplit_once('/').map_or("", |(parent, _)| parent);
        if !path.is_root() && self.is_straight(parent) {
            match self.step(path, path)? {
                Step::Missing => return Ok(None),
                Step::Other(found) => return Ok(Some((path.clone(), found))),
                Step::Link(_) => {}
            }
        }
        let found = self.follow_all(path)?;
        if let Some((at, metadata)) = &found {
            let at = if metadata.is_dir() { Some(at.clone()) } else { at.parent() };
            if let Some(at) = at {
                self.are_straight(at);
            }
        }
        Ok(found)
    }

    /// Remembers a directory, and those around it, to which no link leads.
    fn are_straight(&self, directory: TreePath) {
        let mut straight = self.straight.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = Some(directory);
        while let Some(directory) = at {
            if !straight.insert(directory.as_str().to_owned()) {
                return;
            }
            at = directory.parent();
        }
    }

    fn is_straight(&self, directory: &str) -> bool {
        self.straight.lock().unwrap_or_else(PoisonError::into_inner).contains(directory)
    }

    fn follow_all(&self, path: &TreePath) -> Result<Option<(TreePath, fs::Metadata)>, TreeError> {
        let mut left: Vec<String> = path.names().map(str::to_owned).collect();
        left.reverse();
        let mut at = TreePath::root();
        let mut metadata = self.metadata(&at, path)?;
        let mut links = 0;
        let out = || TreeError::Link { path: path.to_string() };
        while let Some(name) = left.pop() {
            let child = at.join(&name).map_err(|_| out())?;
            match self.step(&child, path)? {
                Step::Missing => return Ok(None),
                Step::Other(found) => {
                    if !left.is_empty() && !found.is_dir() {
                        return Ok(None);
                    }
                    at = child;
                    metadata = found;
                }
                Step::Link(target) => {
                    links += 1;
                    if links > LINKS_MAX {
                        return Err(out());
                    }
                    let target = self.inside(&at, &target).ok_or_else(out)?;
                    left.extend(
                        target.names().map(str::to_owned).collect::<Vec<_>>().into_iter().rev(),
                    );
                    at = TreePath::root();
                    metadata = self.metadata(&at, path)?;
                }
            }
        }
        Ok(Some((at, metadata)))
    }

    /// Where a link in `directory` leads, from the root; `None` where that is outside.
    fn inside(&self, directory: &TreePath, target: &Path) -> Option<TreePath> {
        if let Ok(rest) = target.strip_prefix(&self.root) {
            return TreePath::parse(rest.to_str()?).ok();
        }
        if target.is_absolute() {
            return None;
        }
        directory.join(target.to_str()?).ok()
    }

    fn host_path(&self, path: &TreePath) -> PathBuf {
        self.root.join(path.as_str())
    }

    fn metadata(&self, path: &TreePath, asked: &TreePath) -> Result<fs::Metadata, TreeError> {
        fs::symlink_metadata(self.host_path(path)).map_err(|error| broken(asked, &error))
    }

    fn step(&self, path: &TreePath, asked: &TreePath) -> Result<Step, TreeError> {
        if path.file_name() == ".git" {
            return Ok(Step::Missing);
        }
        let host_path = self.host_path(path);
        match fs::symlink_metadata(&host_path) {
            Ok(found) if found.is_symlink() => match fs::read_link(&host_path) {
                Ok(target) => Ok(Step::Link(target)),
                Err(error) => Err(broken(asked, &error)),
            },
            Ok(found) => Ok(Step::Other(found)),
            Err(error) if is_absence(&error) => Ok(Step::Missing),
            Err(error) => Err(broken(asked, &error)),
        }
    }

    /// The id of a directory: of all that lies below it.
    fn directory_id(&self, path: &TreePath) -> Result<ContentId, TreeError> {
        let mut sha = Sha1::new();
        for listed in self.list(path)?.unwrap_or_default() {
            sha.update(listed.name.as_bytes());
            sha.update([0]);
            let Ok(child) = path.join(&listed.name) else { continue };
            // A link is named by where it leads, so that no circle is walked.
            match self.step(&child, path)? {
                Step::Missing => {}
                Step::Link(target) => sha.update(target.as_os_str().as_encoded_bytes()),
                Step::Other(found) if found.is_dir() => sha.update(self.directory_id(&child)?.0),
                Step::Other(found) => sha.update(file_id(&found).0),
            }
        }
        Ok(ContentId(sha.finalize().into()))
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn broken(path: &TreePath, error: &io::Error) -> TreeError {
    TreeError::Broken { path: path.to_string(), reason: error.to_string() }
}

fn file_id(metadata: &fs::Metadata) -> ContentId {
    let mut sha = Sha1::new();
    let facts = [
        metadata.dev(),
        metadata.ino(),
        metadata.len(),
        metadata.mtime() as u64,
        metadata.mtime_nsec() as u64,
        metadata.ctime() as u64,
        metadata.ctime_nsec() as u64,
    ];
    facts.iter().for_each(|fact| sha.update(fact.to_be_bytes()));
    ContentId(sha.finalize().into())
}

/// `None` for what is neither a file nor a directory: reading a pipe may never end.
fn kind_of(metadata: &fs::Metadata) -> Option<EntryKind> {
    if metadata.is_dir() {
        return Some(EntryKind::Directory);
    }
    metadata.is_file().then(|| EntryKind::File {
        size_bytes: metadata.len(),
        executable: metadata.permissions().mode() & 0o111 != 0,
    })
}

/// The bytes of a file of about that size.
fn read_whole(path: &Path, size_bytes: u64) -> io::Result<Arc<[u8]>> {
    read_open(&fs::File::open(path)?, size_bytes)
}

/// As [`read_whole`], of an open file.
fn read_open(file: &fs::File, size_bytes: u64) -> io::Result<Arc<[u8]>> {
    let size = size_bytes as usize;
    if size >= ROOM_BYTES {
        return read_large(file, size);
    }
    ROOM.with_borrow_mut(|room| {
        if room.is_empty() {
            *room = vec![0; ROOM_BYTES];
        }
        // There is room for one byte more: where it stays empty, the file ends as it was listed.
        let count = filled(file, &mut room[..=size], size)?;
        if count <= size {
            return Ok(room[..count].into());
        }
        let mut bytes = room[..count].to_vec();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    })
}

fn read_large(file: &fs::File, size: usize) -> io::Result<Arc<[u8]>> {
    // Read to where it stays; a file that is being written may be of another size.
    let mut bytes: Arc<[u8]> = std::iter::repeat_n(0, size).collect();
    let room = Arc::get_mut(&mut bytes).expect("nobody else has it yet");
    let count = filled(file, room, size)?;
    let mut more = Vec::new();
    if count == size && file.take(FILE_BYTES_MAX).read_to_end(&mut more)? == 0 {
        return Ok(bytes);
    }
    Ok([&bytes[..count], &more].concat().into())
}

/// Reads until the room is full, the file is at its end, or as many bytes are there as were
/// `expected`, and says how many those are.
fn filled(mut file: &fs::File, room: &mut [u8], expected: usize) -> io::Result<usize> {
    let mut count = 0;
    while count < room.len() && (count != expected || expected == 0) {
        match file.read(&mut room[count..]) {
            Ok(0) => break,
            Ok(some) => count += some,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

impl FileTree for DiskTree {
    fn kind(&self, path: &TreePath) -> Result<Option<EntryKind>, TreeError> {
        Ok(self.follow(path)?.and_then(|(_, metadata)| kind_of(&metadata)))
    }

    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let Some((at, metadata)) = self.follow(path)? else { return Ok(None) };
        let Some(kind) = kind_of(&metadata) else { return Ok(None) };
        let id = match kind {
            EntryKind::Directory => self.directory_id(&at)?,
            EntryKind::File { .. } | EntryKind::Submodule => file_id(&metadata),
        };
        Ok(Some(Entry { kind, id }))
    }

    fn place(&self, path: &TreePath) -> Result<Option<TreePath>, TreeError> {
        let found = self.follow(path)?;
        Ok(found.filter(|(_, metadata)| kind_of(metadata).is_some()).map(|(at, _)| at))
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        let listed =
            self.listed.lock().unwrap_or_else(PoisonError::into_inner).remove(path.as_str());
        // What has changed since is looked at once more.
        if let Some(Ok(bytes)) = listed.map(|size| read_whole(&self.host_path(path), size)) {
            return Ok(bytes);
        }
        let text = path.to_string();
        let Some((at, metadata)) = self.follow(path)? else {
            return Err(TreeError::Missing { path: text });
        };
        match kind_of(&metadata) {
            None | Some(EntryKind::Submodule) => Err(TreeError::Missing { path: text }),
            Some(EntryKind::Directory) => Err(TreeError::IsDirectory { path: text }),
            Some(EntryKind::File { size_bytes, .. }) if size_bytes > FILE_BYTES_MAX => {
                Err(TreeError::TooLarge { path: text, size_bytes, limit_bytes: FILE_BYTES_MAX })
            }
            Some(EntryKind::File { size_bytes, .. }) => {
                read_whole(&self.host_path(&at), size_bytes).map_err(|error| broken(path, &error))
            }
        }
    }

    fn later(&self, path: &TreePath) -> Option<Later> {
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let size = *listed.get(path.as_str())?;
        drop(listed);
        if self.open.fetch_add(1, Ordering::Relaxed) >= OPEN_MAX {
            return None;
        }
        let file = fs::File::open(self.host_path(path)).ok()?;
        Some(Box::new(move || read_open(&file, size)))
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        let Some((at, metadata)) = self.follow(path)? else { return Ok(None) };
        if !metadata.is_dir() {
            return Ok(None);
        }
        let entries = fs::read_dir(self.host_path(&at)).map_err(|error| broken(path, &error))?;
        self.are_straight(at.clone());
        let mut listed = Vec::new();
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| broken(path, &error))?;
            // A name that is no text cannot be written in any setting.
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            if name == ".git" {
                continue;
            }
            let own = entry.metadata().ok();
            let link = own.as_ref().is_some_and(fs::Metadata::is_symlink);
            let child = at.join(&name).ok();
            let found = match own {
                Some(own) if !link => child.is_some().then_some(own),
                _ => child
                    .as_ref()
                    .and_then(|child| self.follow(child).ok().flatten())
                    .map(|(_, metadata)| metadata),
            };
            let kind = found.and_then(|metadata| kind_of(&metadata));
            if let (Some(child), Some(EntryKind::File { size_bytes, .. }), false) =
                (child, kind, link)
                && size_bytes <= FILE_BYTES_MAX
            {
                files.push((child.as_str().to_owned(), size_bytes));
            }
            listed.push(Listed { name, kind, link });
        }
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(listed))
    }
}
