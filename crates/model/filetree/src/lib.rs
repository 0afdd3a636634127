//! The files of one revision, read only, by safe relative path.
//!
//! [`FileTree`] is the one trait through which an engine reaches something outside itself.
//! It stands for a snapshot: the same question always has the same answer. [`Recording`]
//! wraps a tree and writes down what was asked, so that a later revision that answers the
//! same questions the same way needs no new rendering.
//!
//! A path never leaves the tree: [`TreePath`] refuses `..` beyond the root, and a tree
//! follows no link out of it.

mod map;
mod path;
mod recording;
mod tree;

pub use map::MapTree;
pub use path::{PathError, TreePath};
pub use recording::{Question, ReadSet, Recording};
pub use tree::{ContentId, Entry, EntryKind, FileTree, Later, Listed, TreeError};

#[cfg(test)]
mod tests;
