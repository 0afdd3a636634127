//! `helm.valueFiles`: which files they are, in which order.

use std::collections::BTreeSet;
use std::sync::Arc;

use filetree::{EntryKind, FileTree, TreeError, TreePath};
use globs::PathGlob;

use crate::env::BuildEnv;
use crate::error::RenderError;
use crate::needs::{Need, Reach};

/// Directories inside each other that a pattern is followed into.
const DEPTH_MAX: usize = 100;
/// Files that one pattern may stand for.
const MATCHES_MAX: usize = 10_000;

/// Where files of values may lie.
pub(crate) struct Places<'a> {
    /// The source's own files.
    pub(crate) tree: &'a dyn FileTree,
    /// The source's directory.
    pub(crate) path: &'a TreePath,
    pub(crate) reach: &'a Reach<'a>,
    pub(crate) env: &'a BuildEnv,
}

/// A file of values: its name for messages, and its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) content: Arc<[u8]>,
}

/// What an entry stands for, before anything is read.
#[derive(Clone)]
enum Place<'a> {
    Url(String),
    /// Whose files, under which name (`""` is the source itself), and which of them.
    Local {
        tree: &'a dyn FileTree,
        of: &'a str,
        path: TreePath,
    },
}

impl Place<'_> {
    fn key(&self) -> String {
        match self {
            Place::Url(url) => url.clone(),
            Place::Local { of, path, .. } => format!("{of}:{path}"),
        }
    }

    /// As messages show it.
    fn name(&self) -> String {
        match self {
            Place::Url(url) => url.clone(),
            Place::Local { of: "", path, .. } => path.as_str().to_owned(),
            Place::Local { of, path, .. } => format!("${of}/{path}"),
        }
    }

    fn is_pattern(&self) -> bool {
        match self {
            Place::Url(_) => false,
            Place::Local { path, .. } => path.as_str().contains(['*', '?', '[']),
        }
    }
}

impl<'a> Places<'a> {
    /// The files that a list of entries stands for.
    ///
    /// A file that is named itself keeps its place, and is left out where a pattern matches it
    /// too. What stands twice counts where it stands first.
    ///
    /// # Errors
    ///
    /// [`RenderError::ValueFiles`], or [`RenderError::Needs`] for what must be fetched.
    pub(crate) fn read(
        &self,
        entries: &[String],
        ignore_missing: bool,
    ) -> Result<Vec<Found>, RenderError> {
        let named: BTreeSet<String> = entries
            .iter()
            .filter_map(|entry| self.resolve(entry).ok())
            .filter(|place| !place.is_pattern())
            .map(|place| place.key())
            .collect();
        let mut places: Vec<Place<'a>> = Vec::new();
        let mut seen = BTreeSet::new();
        for entry in entries {
            let place = self.resolve(entry).map_err(|problem| refused(&problem))?;
            if !place.is_pattern() {
                if seen.insert(place.key()) {
                    places.push(place);
                }
                continue;
            }
            let matches = expand(&place, entry)?;
            if matches.is_empty() && !ignore_missing {
                return Err(refused(&format!(
                    "values file glob {} matched no files",
                    goval::quote(entry)
                )));
            }
            for place in matches {
                if !named.contains(&place.key()) && seen.insert(place.key()) {
                    places.push(place);
                }
            }
        }
        let mut found = Vec::new();
        let mut needs = Vec::new();
        for place in places {
            match self.content(&place)? {
                Content::Of(content) => found.push(Found { name: place.name(), content }),
                Content::Missing if ignore_missing => {}
                Content::Missing => {
                    return Err(RenderError::ValueFiles {
                        problem: format!("open {}: no such file or directory", place.name()),
                    });
                }
                Content::Needed(need) => needs.push(need),
            }
        }
        if needs.is_empty() { Ok(found) } else { Err(RenderError::Needs { needs }) }
    }

    /// One file that a parameter names.
    ///
    /// # Errors
    ///
    /// As [`Places::read`].
    pub(crate) fn read_one(&self, entry: &str) -> Result<Found, RenderError> {
        let place = self.resolve(entry).map_err(|problem| RenderError::ValueFiles {
            problem: format!("error resolving helm value file path: {problem}"),
        })?;
        match self.content(&place)? {
            Content::Of(content) => Ok(Found { name: place.name(), content }),
            Content::Missing => Err(RenderError::ValueFiles {
                problem: format!(
                    "failed parsing --set-file data: open {}: no such file or directory",
                    place.name()
                ),
            }),
            Content::Needed(need) => Err(RenderError::Needs { needs: vec![need] }),
        }
    }

    /// What an entry names. Variables are replaced behind a `$ref`, else in all of it.
    fn resolve(&self, entry: &str) -> Result<Place<'a>, String> {
        let outside = |file: &str| format!("file '{file}' resolved to outside repository root");
        let of_other = entry.strip_prefix('$').and_then(|rest| {
            let (name, rest) = rest.split_once('/').unwrap_or((rest, ""));
            Some((self.reach.refs.get_key_value(name)?, rest))
        });
        if let Some(((name, tree), rest)) = of_other {
            let file = self.env.substitute(&format!("/{rest}"));
            let path = TreePath::parse(&file).map_err(|_| outside(&file))?;
            return not_root(Place::Local { tree: *tree, of: name, path });
        }
        let file = self.env.substitute(entry);
        if has_scheme(&file) {
            return Ok(Place::Url(file));
        }
        let path = match file.strip_prefix('/') {
            Some(from_root) => TreePath::parse(from_root),
            None => self.path.join(&file),
        };
        let path = path.map_err(|_| outside(&file))?;
        not_root(Place::Local { tree: self.tree, of: "", path })
    }

    fn content(&self, place: &Place<'_>) -> Result<Content, RenderError> {
        match place {
            Place::Url(url) => {
                let need = Need::ValueFile { url: url.clone() };
                let fetched = self.reach.fetched.file(&need).cloned();
                Ok(fetched.map_or(Content::Needed(need), Content::Of))
            }
            Place::Local { tree, path, .. } => match tree.read(path) {
                Ok(content) => Ok(Content::Of(content)),
                Err(TreeError::Missing { .. }) => Ok(Content::Missing),
                Err(TreeError::IsDirectory { .. }) => Err(RenderError::ValueFiles {
                    problem: format!("read {}: is a directory", place.name()),
                }),
                Err(TreeError::Link { .. }) => Err(refused(&format!(
                    "file '{}' resolved to outside repository root",
                    place.name()
                ))),
                Err(error) => Err(error.into()),
            },
        }
    }
}

enum Content {
    Of(Arc<[u8]>),
    Missing,
    Needed(Need),
}

fn refused(problem: &str) -> RenderError {
    RenderError::ValueFiles {
        problem: format!(
            "error resolving helm value files: error resolving value file path: {problem}"
        ),
    }
}

fn not_root(place: Place<'_>) -> Result<Place<'_>, String> {
    match &place {
        Place::Local { path, .. } if path.is_root() => {
            Err("path resolved to repository root, which is not allowed".to_owned())
        }
        _ => Ok(place),
    }
}

/// Whether Go's `url.Parse` finds a scheme.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|char: char| char.is_ascii_alphabetic())
            && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char))
    })
}

/// The files that a pattern matches: those of a directory before those below it.
fn expand<'a>(place: &Place<'a>, entry: &str) -> Result<Vec<Place<'a>>, RenderError> {
    let Place::Local { tree, of, path: pattern } = place else { return Ok(Vec::new()) };
    let glob = PathGlob::new(pattern.as_str()).map_err(|error| {
        refused(&format!("error expanding glob pattern {}: {error}", goval::quote(entry)))
    })?;
    // Nothing above the first name with a pattern in it needs to be looked through.
    let fixed: Vec<&str> =
        pattern.names().take_while(|name| !name.contains(['*', '?', '[', '{', '\\'])).collect();
    let start = TreePath::parse(&fixed.join("/"))?;
    let deepest = if pattern.as_str().contains("**") {
        DEPTH_MAX
    } else {
        pattern.names().count().saturating_sub(fixed.len())
    };
    let mut paths = Vec::new();
    walk(*tree, &start, &glob, deepest, &mut paths)?;
    Ok(paths.into_iter().map(|path| Place::Local { tree: *tree, of, path }).collect())
}

fn walk(
    tree: &dyn FileTree,
    directory: &TreePath,
    glob: &PathGlob,
    depth_left: usize,
    into: &mut Vec<TreePath>,
) -> Result<(), RenderError> {
    let Some(depth_left) = depth_left.checked_sub(1) else { return Ok(()) };
    let mut directories = Vec::new();
    for entry in tree.list(directory)?.unwrap_or_default() {
        let path = directory.join(&entry.name)?;
        if glob.matches(path.as_str()) && into.len() < MATCHES_MAX {
            into.push(path.clone());
        }
        if entry.kind == Some(EntryKind::Directory) && !entry.link {
            directories.push(path);
        }
    }
    for directory in directories {
        walk(tree, &directory, glob, depth_left, into)?;
    }
    Ok(())
}
