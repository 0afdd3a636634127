//! The two languages in which projects write patterns.

use globs::Glob;

/// A pattern that may begin with `!`.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    glob: Option<Glob>,
    deny: bool,
}

impl Pattern {
    /// Reads gobwas' language; `*` does not cross a separator. What does not parse matches nothing.
    pub fn new(text: &str, separators: &[char]) -> Self {
        let (deny, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        // Upstream's short way: one star is everything, whatever the separators.
        let glob = match !deny && text == "*" {
            true => Glob::new("**", &[]).ok(),
            false => Glob::new(text, separators).ok(),
        };
        Self { glob, deny }
    }

    /// Whether the pattern forbids.
    pub fn is_deny(&self) -> bool {
        self.deny
    }

    /// Whether the text matches; a pattern that forbids matches what it does not name.
    pub fn matches(&self, text: &str) -> bool {
        self.glob.as_ref().is_some_and(|glob| glob.matches(text)) != self.deny
    }
}

/// Whether one of a project's namespaces names this one: a glob, or a regular expression between slashes.
pub(crate) fn names_namespace(patterns: &[String], namespace: &str) -> bool {
    patterns.iter().any(|pattern| {
        let inner = pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
        let by_regex = inner
            .and_then(|text| regex::Regex::new(text).ok())
            .is_some_and(|regex| regex.is_match(namespace));
        by_regex || Glob::new(pattern, &[]).is_ok_and(|glob| glob.matches(namespace))
    })
}
