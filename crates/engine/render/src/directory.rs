//! Plain directories: every manifest file, in the order of a walk.

use std::sync::Arc;

use crd::ApplicationSourceDirectory;
use desired::{DesiredObject, Origin};
use filetree::{Entry, EntryKind, FileTree, Listed, TreeError, TreePath};
use globs::Glob;

use crate::error::RenderError;
use crate::known::{Format, KnownFiles};
use crate::manifests::{self, Problem};
use crate::programs;
use crate::run::{Input, desired_object};
use crate::text;

/// A file with this in it, anywhere, is no manifest.
const SKIP_MARKER: &str = "+argocd:skip-file-rendering";

/// Directories inside each other; git itself has no such bound, people do.
const DEPTH_MAX: usize = 200;

/// What a directory holds.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) objects: Vec<DesiredObject>,
    pub(crate) notes: Vec<String>,
}

/// Reads a directory's manifests.
///
/// As upstream does, all files are found and weighed before the first one is parsed. What is
/// `known` is taken from there.
pub(crate) fn read(
    tree: &dyn FileTree,
    root: &TreePath,
    directory: &ApplicationSourceDirectory,
    input: &Input<'_>,
    known: &KnownFiles<'_>,
) -> Result<Found, RenderError> {
    let options = input.options;
    let mut walk = Walk {
        tree,
        root,
        known,
        any_extension: directory.disable_extension_filter,
        recurse: directory.recurse,
        include: Filter::new(&directory.include),
        exclude: Filter::new(&directory.exclude),
        bytes_max: options.combined_bytes_max,
        bytes: 0,
        files: Vec::new(),
        notes: Vec::new(),
    };
    if walk.any_extension && directory.include.is_empty() && directory.exclude.is_empty() {
        walk.notes.push(
            "disableExtensionFilter is enabled without include or exclude; all files in the directory will be read and considered as manifests"
                .to_owned(),
        );
    }
    walk.directory(root, 0)?;
    let env = input.build_env();
    let mut found = Found { objects: Vec::with_capacity(walk.files.len()), notes: walk.notes };
    for (file, content) in walk.files {
        let bytes = match content {
            Content::Bytes(bytes) => bytes,
            Content::Known(objects) => {
                found.objects.extend(objects.iter().map(|known| DesiredObject {
                    object: known.object.clone(),
                    hash: known.hash,
                    origin: Origin {
                        source: input.source_index,
                        file: file.as_str().to_owned(),
                        line: known.origin.line,
                    },
                }));
                continue;
            }
        };
        let content = text::decode(&bytes);
        let objects = match Format::of(file.file_name()) {
            Format::Jsonnet if !options.jsonnet => continue,
            Format::Jsonnet => {
                programs::evaluate(tree, root, &file, &content, &directory.jsonnet, &env)?
            }
            Format::Json => json_file(&file, &content)?,
            Format::Stream => yaml_file(&file, &content)?,
        };
        let objects = objects.into_iter();
        found.objects.extend(
            objects.map(|manifest| desired_object(&file, manifest.line, manifest.object, input)),
        );
    }
    Ok(found)
}

/// What a file is read from.
enum Content<'a> {
    Bytes(Arc<[u8]>),
    /// It gave these before.
    Known(&'a [DesiredObject]),
}

/// A glob, as a source has it.
enum Filter {
    None,
    Glob(Glob),
    /// What is no glob matches nothing.
    Broken,
}

impl Filter {
    fn new(pattern: &str) -> Self {
        if pattern.is_empty() {
            return Filter::None;
        }
        Glob::new(pattern, &[]).map_or(Filter::Broken, Filter::Glob)
    }

    /// Whether the path matches; `unset` where there is no pattern.
    fn matches(&self, path: &str, unset: bool) -> bool {
        match self {
            Filter::None => unset,
            Filter::Glob(glob) => glob.matches(path),
            Filter::Broken => false,
        }
    }
}

struct Walk<'a> {
    tree: &'a dyn FileTree,
    root: &'a TreePath,
    known: &'a KnownFiles<'a>,
    any_extension: bool,
    recurse: bool,
    include: Filter,
    exclude: Filter,
    bytes_max: Option<u64>,
    bytes: u64,
    files: Vec<(TreePath, Content<'a>)>,
    notes: Vec<String>,
}

impl Walk<'_> {
    fn directory(&mut self, path: &TreePath, depth: usize) -> Result<(), RenderError> {
        if depth > DEPTH_MAX {
            let text =
                format!("skipping directory \"{path}\": more than {DEPTH_MAX} directories deep");
            self.notes.push(text);
            return Ok(());
        }
        for entry in self.tree.list(path)?.unwrap_or_default() {
            let Ok(child) = path.join(&entry.name) else { continue };
            match entry.kind {
                Some(EntryKind::Directory) if !entry.link => {
                    if self.recurse {
                        self.directory(&child, depth + 1)?;
                    }
                }
                _ => self.file(child, &entry)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, path: TreePath, entry: &Listed) -> Result<(), RenderError> {
        if !self.any_extension && !is_manifest_name(&entry.name) {
            return Ok(());
        }
        // A link is looked at first, as upstream does: one that leads out is always an error.
        if !entry.link && self.is_filtered(&path) {
            return Ok(());
        }
        let found = match self.tree.entry(&path) {
            Ok(found) => found,
            Err(TreeError::Link { .. }) => {
                return Err(RenderError::BadLink { file: path.to_string() });
            }
            Err(error) => return Err(error.into()),
        };
        let Some(Entry { kind: EntryKind::File { size_bytes, .. }, id }) = found else {
            self.notes.push(match found {
                None => {
                    format!("skipping manifest file \"{path}\": destination of symlink is missing")
                }
                Some(_) => format!(
                    "skipping manifest file \"{path}\": ignoring symlink to non-regular file"
                ),
            });
            return Ok(());
        };
        if entry.link && self.is_filtered(&path) {
            return Ok(());
        }
        // Refuse what is too large before it is inflated. A file that says to be skipped
        // does not count, and cannot be told without being read: one within the bound may be.
        let format = Format::of(path.file_name());
        let counts = format != Format::Jsonnet;
        if let Some(limit_bytes) = self.bytes_max
            && counts
            && size_bytes > limit_bytes
        {
            return Err(RenderError::TooLarge { file: path.to_string(), limit_bytes });
        }
        let content = match self.known.get(id, format) {
            Some(objects) => Content::Known(objects),
            None => {
                let bytes = self.tree.read(&path)?;
                if text::decode(&bytes).contains(SKIP_MARKER) {
                    return Ok(());
                }
                Content::Bytes(bytes)
            }
        };
        if counts {
            self.bytes += size_bytes;
            if let Some(limit_bytes) = self.bytes_max
                && self.bytes > limit_bytes
            {
                return Err(RenderError::TooLarge { file: path.to_string(), limit_bytes });
            }
        }
        self.files.push((path, content));
        Ok(())
    }

    fn is_filtered(&self, path: &TreePath) -> bool {
        let relative = self.relative(path);
        self.exclude.matches(relative, false) || !self.include.matches(relative, true)
    }

    /// The path as patterns see it: from the source's directory.
    fn relative<'p>(&self, path: &'p TreePath) -> &'p str {
        let text = path.as_str();
        text.strip_prefix(self.root.as_str()).map_or(text, |rest| rest.trim_start_matches('/'))
    }
}

fn is_manifest_name(name: &str) -> bool {
    [".yaml", ".yml", ".json", ".jsonnet"].iter().any(|ending| name.ends_with(ending))
        && !name.contains('\n')
}

pub(crate) fn unreadable(file: &TreePath, problem: Problem) -> RenderError {
    RenderError::Unreadable {
        name: file.file_name().to_owned(),
        file: file.to_string(),
        line: problem.line,
        column: problem.column,
        problem: problem.words,
        advice: problem.advice,
    }
}

fn yaml_file(file: &TreePath, content: &str) -> Result<Vec<manifests::Manifest>, RenderError> {
    let stream = manifests::read_stream(content);
    let Some(problem) = stream.problem else { return Ok(stream.manifests) };
    // A file that is wrong is an error only if it was meant: YAML of other tools lies about.
    let meant = problem.certain
        || stream.any_object
        || ["apiVersion:", "kind:", "metadata:"].iter().all(|word| content.contains(word));
    if meant { Err(unreadable(file, problem)) } else { Ok(Vec::new()) }
}

fn json_file(file: &TreePath, content: &str) -> Result<Vec<manifests::Manifest>, RenderError> {
    match manifests::read_json(content) {
        Ok(manifests::JsonFile::Manifests(manifests)) => Ok(manifests),
        Ok(manifests::JsonFile::OciManifest) => Ok(Vec::new()),
        Ok(manifests::JsonFile::Several) => Err(RenderError::SeveralInJson {
            name: file.file_name().to_owned(),
            file: file.to_string(),
        }),
        Err(problem) => Err(unreadable(file, problem)),
    }
}
