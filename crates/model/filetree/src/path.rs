//! Paths that cannot leave the tree.

use std::fmt;

/// A path from the tree's root: `/` between names, no `.`, `..` or empty name; `""` is the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

/// A path that climbs out of the tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` leads out of the repository")]
pub struct PathError {
    /// As it was written.
    pub path: String,
}

impl TreePath {
    /// The tree's root.
    pub fn root() -> Self {
        Self::default()
    }

    /// Reads a path from the root; a leading `/` changes nothing.
    ///
    /// # Errors
    ///
    /// [`PathError`] where `..` climbs above the root.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        Self::root().join(path)
    }

    /// Appends a relative path, resolving `.` and `..` by name alone.
    ///
    /// # Errors
    ///
    /// [`PathError`] where `..` climbs above the root.
    pub fn join(&self, relative: &str) -> Result<Self, PathError> {
        let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains('/');
        if is_name(relative) && !self.0.is_empty() {
            return Ok(Self([self.0.as_str(), "/", relative].concat()));
        }
        let mut names: Vec<&str> = self.names().collect();
        for name in relative.split('/') {
            match name {
                "" | "." => {}
                ".." => {
                    if names.pop().is_none() {
                        return Err(PathError { path: relative.to_owned() });
                    }
                }
                name => names.push(name),
            }
        }
        Ok(Self(names.join("/")))
    }

    /// The names from the root down.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(
            self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.to_owned()),
        ))
    }

    /// The last name; `""` for the root.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or("")
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this path is `other` or lies under it.
    pub fn starts_with(&self, other: &TreePath) -> bool {
        other.is_root()
            || self.0 == other.0
            || self.0.strip_prefix(&other.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The path as text; `""` for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}
