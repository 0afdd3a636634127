//! What a commit says about itself, and which files two commits differ in.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use gix::ObjectId;

use crate::cache::{DecodedTree, ItemKind, TreeItem};
use crate::store::{ObjectError, Store};

/// A commit's id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitId(pub(crate) ObjectId);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no whole commit id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no commit id of 40 hex digits")]
pub struct NoCommitId(String);

impl FromStr for CommitId {
    type Err = NoCommitId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        crate::refs::whole_commit(text).map(Self).ok_or_else(|| NoCommitId(text.to_owned()))
    }
}

/// What a commit says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitMetadata {
    /// `Name <mail>`.
    pub author: String,
    /// When it was written: seconds since 1970.
    pub author_date_s: i64,
    /// When it became this commit: seconds since 1970.
    pub commit_date_s: i64,
    /// Blanks at both ends are cut.
    pub message: String,
    /// Short names of the tags that point at it, sorted.
    pub tags: Vec<String>,
    /// The commits before it.
    pub parents: Vec<CommitId>,
}

pub(crate) fn metadata(store: &Store, commit: ObjectId) -> Result<CommitMetadata, ObjectError> {
    store.commit(commit, |decoded| {
        let author = decoded.author().ok();
        let seconds =
            |actor: Option<gix::actor::SignatureRef<'_>>| actor.map_or(0, |a| a.seconds());
        CommitMetadata {
            author: author.map_or_else(String::new, |a| format!("{} <{}>", a.name, a.email)),
            author_date_s: seconds(author),
            commit_date_s: seconds(decoded.committer().ok()),
            message: decoded.message.to_string().trim().to_owned(),
            tags: Vec::new(),
            parents: decoded.parents().map(CommitId).collect(),
        }
    })
}

/// The files that differ between two trees, sorted; of a moved one both names.
pub(crate) fn changed_paths(
    store: &Store,
    before: ObjectId,
    after: ObjectId,
    limit_bytes: u64,
) -> Result<Vec<String>, ObjectError> {
    let mut changed = Vec::new();
    let diff = Diff { store, limit_bytes };
    diff.trees(Some(before), Some(after), &mut String::new(), &mut changed)?;
    changed.sort_unstable();
    Ok(changed)
}

struct Diff<'a> {
    store: &'a Store,
    limit_bytes: u64,
}

impl Diff<'_> {
    fn trees(
        &self,
        before: Option<ObjectId>,
        after: Option<ObjectId>,
        path: &mut String,
        changed: &mut Vec<String>,
    ) -> Result<(), ObjectError> {
        let load = |id: Option<ObjectId>| match id {
            Some(id) => self.store.tree(id, self.limit_bytes),
            None => Ok(Arc::new(DecodedTree::new(Vec::new()))),
        };
        let (before, after) = (load(before)?, load(after)?);
        let (mut old, mut new) =
            (before.items().iter().peekable(), after.items().iter().peekable());
        loop {
            let order = match (old.peek(), new.peek()) {
                (None, None) => return Ok(()),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(old), Some(new)) => old.name.as_bytes().cmp(new.name.as_bytes()),
            };
            let old = if order.is_le() { old.next() } else { None };
            let new = if order.is_ge() { new.next() } else { None };
            self.items(old, new, path, changed)?;
        }
    }

    fn items(
        &self,
        old: Option<&TreeItem>,
        new: Option<&TreeItem>,
        path: &mut String,
        changed: &mut Vec<String>,
    ) -> Result<(), ObjectError> {
        if let (Some(old), Some(new)) = (old, new)
            && (old.kind, old.id) == (new.kind, new.id)
        {
            return Ok(());
        }
        let Some(item) = old.or(new) else { return Ok(()) };
        let parent_len = path.len();
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&item.name);
        let tree = |item: Option<&TreeItem>| {
            item.filter(|item| item.kind == ItemKind::Tree).map(|item| item.id)
        };
        let (old_tree, new_tree) = (tree(old), tree(new));
        if [(old, old_tree), (new, new_tree)].iter().any(|(item, t)| item.is_some() && t.is_none())
        {
            changed.push(path.clone());
        }
        if old_tree.is_some() || new_tree.is_some() {
            self.trees(old_tree, new_tree, path, changed)?;
        }
        path.truncate(parent_len);
        Ok(())
    }
}
