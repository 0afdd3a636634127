//! What a repository's names point at, and which of them a revision means.

use std::collections::BTreeMap;

use gix::ObjectId;

use crate::semver::{Constraint, Version};

/// `HEAD` and every reference, by full name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RefList {
    refs: BTreeMap<String, RefTarget>,
}

/// What a name points at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RefTarget {
    /// An object: a commit, or an annotated tag and, where that is known, its commit.
    Object { id: ObjectId, peeled: Option<ObjectId> },
    /// Another name.
    Name(String),
}

/// A revision as an Application writes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revision<'a> {
    /// Branch, tag, full reference, `HEAD`, commit (7 hex digits or more), or version constraint;
    /// empty is `HEAD`.
    pub text: &'a str,
    /// Only tags that begin so count as versions, and the rest of their name is the version.
    pub tag_prefix: &'a str,
}

impl<'a> From<&'a str> for Revision<'a> {
    fn from(text: &'a str) -> Self {
        Self { text, tag_prefix: "" }
    }
}

/// What a revision means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A name; `id` may still be an annotated tag.
    Named { name: String, id: ObjectId },
    /// A whole commit id.
    Commit(ObjectId),
    /// The beginning of a commit id, lower case.
    Abbreviated(String),
    /// Nothing here.
    Unknown {
        /// Begins with `; `, or is empty.
        hint: String,
    },
}

impl RefList {
    pub(crate) fn insert(&mut self, name: String, target: RefTarget) {
        self.refs.insert(name, target);
    }

    /// Short names of branches, then of tags, each sorted.
    pub(crate) fn branches_and_tags(&self) -> (Vec<String>, Vec<String>) {
        let under = |prefix: &str| {
            self.refs
                .keys()
                .filter_map(|name| name.strip_prefix(prefix).map(str::to_owned))
                .collect()
        };
        (under("refs/heads/"), under("refs/tags/"))
    }

    /// Names of tags that point at a commit, directly or as annotated tags.
    pub(crate) fn tags_at(
        &self,
        commit: ObjectId,
        peel: impl Fn(ObjectId) -> Option<ObjectId>,
    ) -> Vec<String> {
        let points_at = |target: &RefTarget| match target {
            RefTarget::Object { id, peeled } => {
                *id == commit || peeled.or_else(|| peel(*id)) == Some(commit)
            }
            RefTarget::Name(_) => false,
        };
        self.refs
            .iter()
            .filter_map(|(name, target)| Some((name.strip_prefix("refs/tags/")?, target)))
            .filter(|(_, target)| points_at(target))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// Every id that a name points at.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.refs.values().filter_map(|target| match target {
            RefTarget::Object { id, .. } => Some(*id),
            RefTarget::Name(_) => None,
        })
    }

    /// Finds out what a revision means.
    ///
    /// The order is upstream's (`util/git`, `util/versions`): a whole commit id is taken as it
    /// is; then a version constraint that some tag fits; then a name; then the beginning of a
    /// commit id. Of a tag and a branch with one name the tag is meant, as in git itself
    /// (upstream takes either).
    pub(crate) fn meaning(&self, revision: Revision<'_>) -> Meaning {
        let text = revision.text;
        if let Some(commit) = whole_commit(text) {
            return Meaning::Commit(commit);
        }
        let text = if text.is_empty() { "HEAD" } else { text };
        let mut hint = String::new();
        let pinned = format!("{}{text}", revision.tag_prefix);
        let mut name = text;
        if Version::parse(text).is_some() {
            name = &pinned;
        } else if let Some(constraint) = Constraint::parse(text) {
            let prefix = format!("refs/tags/{}", revision.tag_prefix);
            let tags = || self.refs.keys().filter_map(|tag| tag.strip_prefix(&prefix));
            if let Some(tag) = constraint.highest(tags())
                && let Some(named) = self.named(format!("{prefix}{tag}"))
            {
                return named;
            }
            hint = format!("; none of its {} tags fits the constraint", tags().count());
        }
        if let Some(named) = self.by_name(name) {
            return named;
        }
        if text.len() >= 7 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Meaning::Abbreviated(text.to_ascii_lowercase());
        }
        if hint.is_empty() {
            hint = self.hint(name);
        }
        Meaning::Unknown { hint }
    }

    fn by_name(&self, name: &str) -> Option<Meaning> {
        if name == "HEAD" || name.starts_with("refs/") {
            return self.named(name.to_owned());
        }
        // `heads/main` is no name of `refs/heads/main` to upstream, `pull/1/head` is one.
        let kinds = ["refs/tags/", "refs/heads/", "refs/remotes/"];
        let half = kinds.iter().any(|kind| name.starts_with(&kind["refs/".len()..]));
        kinds
            .iter()
            .chain((!half).then_some(&"refs/"))
            .find_map(|prefix| self.named(format!("{prefix}{name}")))
    }

    fn named(&self, name: String) -> Option<Meaning> {
        let mut target = self.refs.get(&name)?;
        // Longer chains of names are made by nobody but circles.
        for _ in 0..5 {
            match target {
                RefTarget::Object { id, peeled } => {
                    return Some(Meaning::Named { name, id: peeled.unwrap_or(*id) });
                }
                RefTarget::Name(next) => target = self.refs.get(next)?,
            }
        }
        None
    }

    fn hint(&self, name: &str) -> String {
        let (branches, tags) = self.branches_and_tags();
        if branches.is_empty() && tags.is_empty() {
            return "; it has no commits yet".to_owned();
        }
        let other_default = match name {
            "main" => "master",
            "master" => "main",
            name => name,
        };
        let near = |known: &&String| {
            known.eq_ignore_ascii_case(name)
                || *known == other_default
                || known.strip_prefix('v') == Some(name)
                || name.strip_prefix("origin/") == Some(known.as_str())
                || name.strip_prefix("heads/") == Some(known.as_str())
        };
        match branches.iter().chain(&tags).find(near) {
            Some(known) => format!("; did you mean `{known}`?"),
            None => String::new(),
        }
    }
}

/// A whole commit id, in either case.
pub(crate) fn whole_commit(text: &str) -> Option<ObjectId> {
    (text.len() == 40)
        .then(|| ObjectId::from_hex(text.to_ascii_lowercase().as_bytes()).ok())
        .flatten()
}

#[cfg(test)]
mod tests;
