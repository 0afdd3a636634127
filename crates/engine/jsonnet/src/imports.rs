//! Imports, asked of the thread that holds the tree.
//!
//! A program's values cannot leave the thread they were made on, and a tree is borrowed by
//! the thread that asked for the evaluation: the two talk.

use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use filetree::{EntryKind, FileTree, TreeError, TreePath};
use jrsonnet_evaluator::error::{ErrorKind, Result};
use jrsonnet_evaluator::{ImportResolver, bail};
use jrsonnet_gcmodule::Trace;
use jrsonnet_parser::{SourceFile, SourcePath};

use crate::rewrite::with_our_operators;

/// What the program's thread says.
pub(crate) enum Said<T> {
    /// It wants a file.
    Asks(Question, Sender<Answer>),
    /// It ended.
    Ends(T),
}

/// A question about the tree.
pub(crate) enum Question {
    /// Which of these is a file? The first one counts.
    Which(Vec<TreePath>),
    /// What does it hold?
    Read(TreePath),
}

/// The answer.
pub(crate) enum Answer {
    Which(std::result::Result<Option<TreePath>, TreeError>),
    Read(std::result::Result<Vec<u8>, TreeError>),
}

/// Answers from the tree.
pub(crate) fn answer(tree: &dyn FileTree, question: Question) -> Answer {
    match question {
        Question::Which(paths) => Answer::Which(which(tree, paths)),
        Question::Read(path) => Answer::Read(tree.read(&path).map(|bytes| bytes.to_vec())),
    }
}

fn which(
    tree: &dyn FileTree,
    paths: Vec<TreePath>,
) -> std::result::Result<Option<TreePath>, TreeError> {
    for path in paths {
        let found = tree.entry(&path)?;
        if found.is_some_and(|entry| matches!(entry.kind, EntryKind::File { .. })) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Resolves imports: beside the file that imports, then in the libraries from the last one
/// to the first, as go-jsonnet does.
#[derive(Trace)]
pub(crate) struct Imports {
    #[trace(skip)]
    pub(crate) ask: Box<dyn Fn(Question, Sender<Answer>) -> bool>,
    /// Where a program's own imports start from.
    #[trace(skip)]
    pub(crate) base: TreePath,
    #[trace(skip)]
    pub(crate) libraries: Vec<TreePath>,
}

impl Imports {
    fn ask(&self, question: Question) -> Result<Answer> {
        let (sender, answers): (Sender<Answer>, Receiver<Answer>) = channel();
        let answer = if (self.ask)(question, sender) { answers.recv().ok() } else { None };
        match answer {
            Some(answer) => Ok(answer),
            None => bail!(ErrorKind::ImportIo("nobody waits for this program any more".to_owned())),
        }
    }
}

impl ImportResolver for Imports {
    fn resolve_from(&self, from: &SourcePath, path: &str) -> Result<SourcePath> {
        let beside = from
            .downcast_ref::<SourceFile>()
            .and_then(|file| TreePath::parse(&file.path().to_string_lossy()).ok())
            .and_then(|file| file.parent())
            .unwrap_or_else(|| self.base.clone());
        // An absolute path has no meaning in a tree; one that climbs out is not there.
        let places = if path.starts_with('/') {
            Vec::new()
        } else {
            let bases = std::iter::once(&beside).chain(self.libraries.iter().rev());
            bases.filter_map(|base| base.join(path).ok()).collect()
        };
        match self.ask(Question::Which(places))? {
            Answer::Which(Ok(Some(found))) => {
                Ok(SourcePath::new(SourceFile::new(PathBuf::from(found.as_str()))))
            }
            Answer::Which(Err(error)) => bail!(ErrorKind::ImportIo(error.to_string())),
            _ => bail!(ErrorKind::ImportFileNotFound(from.clone(), path.to_owned())),
        }
    }

    fn resolve(&self, path: &Path) -> Result<SourcePath> {
        bail!(ErrorKind::AbsoluteImportNotSupported(path.to_owned()))
    }

    fn load_file_contents(&self, resolved: &SourcePath) -> Result<Vec<u8>> {
        let path = resolved.path().and_then(|path| TreePath::parse(&path.to_string_lossy()).ok());
        let Some(path) = path else {
            bail!(ErrorKind::ImportIo(format!("`{resolved}` is no file of the tree")))
        };
        // Other files may be wanted as text.
        let is_program = [".jsonnet", ".libsonnet"].iter().any(|end| path.as_str().ends_with(end));
        match self.ask(Question::Read(path))? {
            Answer::Read(Ok(bytes)) if is_program => Ok(match String::from_utf8(bytes) {
                Ok(text) => with_our_operators(&text).into_bytes(),
                Err(no_text) => no_text.into_bytes(),
            }),
            Answer::Read(Ok(bytes)) => Ok(bytes),
            Answer::Read(Err(error)) => bail!(ErrorKind::ImportIo(error.to_string())),
            Answer::Which(_) => bail!(ErrorKind::ImportIo("answered beside the point".to_owned())),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}
