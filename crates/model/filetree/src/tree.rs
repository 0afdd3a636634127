//! The trait, and what a tree answers.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::path::TreePath;

/// Names content: the same id is the same bytes (git's object id, or a SHA-1 made like it).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentId(pub [u8; 20]);

impl fmt::Debug for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ContentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What stands at a path, links followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Bytes.
        size_bytes: u64,
        /// Whether its mode lets it be executed.
        executable: bool,
    },
    /// A directory.
    Directory,
    /// A submodule that is not part of this snapshot.
    Submodule,
}

/// What stands at a path, and the id of its content (of a directory: of its whole subtree).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// File or directory.
    pub kind: EntryKind,
    /// Equal ids are equal content.
    pub id: ContentId,
}

/// Why a tree did not answer. "There is no such file" is an answer, not an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// A link leads out of the tree, or round in a circle.
    #[error("`{path}` is a link that leaves the repository or never ends")]
    Link {
        /// From the tree's root.
        path: String,
    },
    /// A directory was read as a file.
    #[error("`{path}` is a directory")]
    IsDirectory {
        /// From the tree's root.
        path: String,
    },
    /// There is no such file (only where a file's content was asked for).
    #[error("`{path}` does not exist")]
    Missing {
        /// From the tree's root.
        path: String,
    },
    /// The file is larger than a reader accepts.
    #[error("`{path}` has {size_bytes} bytes, more than the {limit_bytes} allowed")]
    TooLarge {
        /// From the tree's root.
        path: String,
        /// Bytes.
        size_bytes: u64,
        /// Bytes.
        limit_bytes: u64,
    },
    /// The store behind the tree is broken.
    #[error("`{path}` cannot be read: {reason}")]
    Broken {
        /// From the tree's root.
        path: String,
        /// What the store said.
        reason: String,
    },
}

/// One revision's files.
///
/// Links inside the tree are followed by every method, and one that leads out of the tree
/// is [`TreeError::Link`]. Implementations answer from one snapshot.
pub trait FileTree: Send + Sync {
    /// Returns what stands at `path`; `None` where nothing does.
    ///
    /// # Errors
    ///
    /// [`TreeError::Link`], or [`TreeError::Broken`].
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError>;

    /// Returns what stands at `path` as [`FileTree::entry`] does, without its content's id: of a
    /// directory that may be much less work.
    ///
    /// # Errors
    ///
    /// As [`FileTree::entry`].
    fn kind(&self, path: &TreePath) -> Result<Option<EntryKind>, TreeError> {
        Ok(self.entry(path)?.map(|entry| entry.kind))
    }

    /// Returns where `path` leads, with no link on the way; `None` where nothing stands.
    ///
    /// The answer as it stands here is right for trees without links alone.
    ///
    /// # Errors
    ///
    /// As [`FileTree::entry`].
    fn place(&self, path: &TreePath) -> Result<Option<TreePath>, TreeError> {
        Ok(self.kind(path)?.map(|_| path.clone()))
    }

    /// Returns a file's bytes.
    ///
    /// # Errors
    ///
    /// [`TreeError::Missing`], [`TreeError::IsDirectory`], [`TreeError::TooLarge`] (known
    /// before the content is inflated), or as [`FileTree::entry`].
    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError>;

    /// Opens a file whose bytes may never be needed; `None` leaves the caller to read it, which
    /// also says what is wrong with it.
    ///
    /// Trees whose files are read quickly need not have this.
    fn later(&self, path: &TreePath) -> Option<Later> {
        let _ = path;
        None
    }

    /// Returns the names in a directory, sorted by byte, each with what it is (links
    /// followed; a link that leads out is listed as what reading it would say: an error
    /// only when it is read). `None` where there is no directory at `path`.
    ///
    /// # Errors
    ///
    /// As [`FileTree::entry`].
    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError>;
}

/// Reads an open file; called once.
pub type Later = Box<dyn Fn() -> io::Result<Arc<[u8]>> + Send + Sync>;

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The name alone.
    pub name: String,
    /// What it is; `None` for a link that leads nowhere or out of the tree.
    pub kind: Option<EntryKind>,
    /// Whether the name itself is a link.
    pub link: bool,
}
