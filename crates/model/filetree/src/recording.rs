//! Writing down what was asked of a tree.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha1::{Digest, Sha1};

use crate::path::TreePath;
use crate::tree::{ContentId, Entry, EntryKind, FileTree, Listed, TreeError};

/// What was asked about a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// What stands there, and with which content.
    Entry,
    /// Which names a directory holds.
    Names,
    /// Whether a directory stands there, whatever it holds.
    Directory,
    /// Where it leads, by a link.
    Place,
}

/// Questions with their answers, by content. `None`: nothing stands there, or it cannot be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    answers: BTreeMap<(TreePath, Question), Option<ContentId>>,
}

impl ReadSet {
    /// Whether `tree` answers every question as it was answered when this was recorded.
    ///
    /// A tree that cannot answer does not hold: the rendering then says why.
    pub fn holds_in(&self, tree: &dyn FileTree) -> bool {
        self.first_change(tree).is_none()
    }

    /// The first question that `tree` answers otherwise; `None`: the set holds.
    pub fn first_change(&self, tree: &dyn FileTree) -> Option<(&TreePath, Question)> {
        let mut asked = self.answers.iter();
        let changed = asked.find(|((path, asked), known)| answer(tree, path, *asked) != **known);
        changed.map(|((path, question), _)| (path, *question))
    }

    /// Whether `tree` answers this one question otherwise; not if it was never asked.
    pub fn differs_at(&self, tree: &dyn FileTree, (path, question): &(TreePath, Question)) -> bool {
        let known = self.answers.get(&(path.clone(), *question));
        known.is_some_and(|known| answer(tree, path, *question) != *known)
    }

    /// How many questions there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The questions with their answers, in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, Question, Option<ContentId>)> {
        self.answers.iter().map(|((path, question), id)| (path, *question, *id))
    }

    /// Adds another set's questions; both must come from the same tree.
    pub fn extend(&mut self, other: ReadSet) {
        self.answers.extend(other.answers);
    }
}

fn answer(tree: &dyn FileTree, path: &TreePath, question: Question) -> Option<ContentId> {
    match question {
        Question::Entry => tree.entry(path).ok().flatten().map(|entry| entry.id),
        Question::Names => tree.list(path).ok().flatten().map(|listed| names_id(&listed)),
        Question::Directory => {
            (tree.kind(path) == Ok(Some(EntryKind::Directory))).then_some(A_DIRECTORY)
        }
        Question::Place => tree.place(path).ok().flatten().map(|place| place_id(&place)),
    }
}

fn place_id(place: &TreePath) -> ContentId {
    ContentId(Sha1::digest(place.as_str()).into())
}

/// Stands for a directory of which nothing else was asked.
const A_DIRECTORY: ContentId = ContentId([0; 20]);

fn names_id(listed: &[Listed]) -> ContentId {
    let mut hash = Sha1::new();
    for entry in listed {
        let kind = match entry.kind {
            Some(EntryKind::File { .. }) => b'f',
            Some(EntryKind::Directory) => b'd',
            Some(EntryKind::Submodule) => b's',
            None => b'-',
        };
        hash.update(entry.name.as_bytes());
        hash.update([0, kind, u8::from(entry.link)]);
    }
    ContentId(hash.finalize().into())
}

/// A tree that remembers what it was asked.
pub struct Recording {
    tree: Arc<dyn FileTree>,
    asked: Mutex<ReadSet>,
}

impl Recording {
    /// Wraps a tree.
    pub fn new(tree: Arc<dyn FileTree>) -> Self {
        Self { tree, asked: Mutex::default() }
    }

    /// Returns what was asked so far.
    pub fn read_set(&self) -> ReadSet {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same, of a recording that is over.
    pub fn into_read_set(self) -> ReadSet {
        self.asked.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: &TreePath, question: Question, answer: Option<ContentId>) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.answers.insert((path.clone(), question), answer);
    }
}

impl FileTree for Recording {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let got = self.tree.entry(path);
        let id = got.as_ref().ok().and_then(|entry| entry.map(|entry| entry.id));
        self.note(path, Question::Entry, id);
        got
    }

    fn kind(&self, path: &TreePath) -> Result<Option<EntryKind>, TreeError> {
        let got = self.tree.kind(path)?;
        if got == Some(EntryKind::Directory) {
            self.note(path, Question::Directory, Some(A_DIRECTORY));
            return Ok(got);
        }
        Ok(self.entry(path)?.map(|entry| entry.kind))
    }

    fn place(&self, path: &TreePath) -> Result<Option<TreePath>, TreeError> {
        let got = self.tree.place(path)?;
        match &got {
            // Where no link is on the way, what stands there is all that is to be known.
            Some(place) if place == path => {
                self.kind(path)?;
            }
            Some(place) => self.note(path, Question::Place, Some(place_id(place))),
            None => self.note(path, Question::Place, None),
        }
        Ok(got)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        self.entry(path)?;
        self.tree.read(path)
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        let got = self.tree.list(path);
        let id = got.as_ref().ok().and_then(|listed| listed.as_deref().map(names_id));
        self.note(path, Question::Names, id);
        got
    }
}
