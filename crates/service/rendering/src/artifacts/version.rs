//! Which version a revision wants.

use source::semver::{Constraint, Version};

/// What a revision asks for.
#[derive(Debug)]
pub(crate) enum Wanted {
    /// Exactly this: a digest, or a whole version.
    Exact(String),
    /// The highest that fits.
    Range(Constraint),
    /// A tag that is no version.
    Name(String),
}

impl Wanted {
    /// Reads a revision; none at all is the highest release.
    pub(crate) fn of(revision: &str) -> Self {
        let revision = revision.trim();
        if revision.starts_with("sha256:") || is_whole(revision) {
            return Wanted::Exact(revision.to_owned());
        }
        let text = if revision.is_empty() { "*" } else { revision };
        match Constraint::parse(text) {
            Some(constraint) => Wanted::Range(constraint),
            None => Wanted::Name(revision.to_owned()),
        }
    }

    /// The one of `versions` that is wanted; of equals the first.
    pub(crate) fn best<'a>(&self, versions: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        match self {
            Wanted::Exact(exact) => {
                let versions: Vec<&str> = versions.collect();
                let same = |text: &&&str| **text == exact;
                let means_the_same = |text: &&&str| {
                    let (one, other) = (Version::parse(text), Version::parse(exact));
                    one.is_some() && one == other
                };
                let found = versions.iter().find(same);
                found.or_else(|| versions.iter().find(means_the_same)).copied()
            }
            Wanted::Range(constraint) => constraint.highest(versions),
            Wanted::Name(name) => versions.into_iter().find(|version| version == name),
        }
    }
}

/// `1.2.3`, perhaps with a `v` before and more behind: a version, and no range.
fn is_whole(text: &str) -> bool {
    let numbers = text.strip_prefix('v').unwrap_or(text);
    let core = numbers.split(['-', '+']).next().unwrap_or("");
    let parts: Vec<&str> = core.split('.').collect();
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(number) && Version::parse(text).is_some()
}
