//! `.helmignore`: which files of a directory are no part of its chart.

use globs::file_match;

/// The rules of one chart, in their order.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    pattern: String,
    shape: Shape,
    negated: bool,
    directories_only: bool,
    whole_path: bool,
}

/// What most patterns are, and so need no real matching.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// The name itself.
    Name,
    /// `*`, and how names end.
    Ending,
    /// Anything else; what matches begins with so many bytes of the pattern.
    Other { begins: usize },
}

impl Shape {
    fn of(pattern: &str, whole_path: bool) -> Self {
        let special = |text: &str| text.find(['*', '?', '[', '\\']);
        match special(pattern) {
            None => Shape::Name,
            // A star takes no slash, of which a last name has none.
            Some(0)
                if !whole_path && special(&pattern[1..]).is_none() && pattern.starts_with('*') =>
            {
                Shape::Ending
            }
            Some(begins) => Shape::Other { begins },
        }
    }
}

impl Rules {
    /// Reads the file's text, and adds the rule that always holds: no dot files in `templates`.
    ///
    /// # Errors
    ///
    /// Helm's words for a pattern that is none.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(text);
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        let mut rules = Self::default();
        for line in text.lines() {
            rules.add(line.trim())?;
        }
        rules.add("templates/.?*")?;
        Ok(rules)
    }

    fn add(&mut self, line: &str) -> Result<(), String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        file_match(line, "abc").map_err(|bad| bad.to_string())?;
        let (negated, line) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (directories_only, line) = match line.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let (whole_path, pattern) = match line.strip_prefix('/') {
            Some(rest) => (true, rest),
            None => (line.contains('/'), line),
        };
        self.rules.push(Rule {
            pattern: pattern.to_owned(),
            shape: Shape::of(pattern, whole_path),
            negated,
            directories_only,
            whole_path,
        });
        Ok(())
    }

    /// Whether the file or directory at `path` is no part of the chart.
    ///
    /// The first rule that decides counts. A negated rule decides about everything that it
    /// does *not* match, and ignores that: so it is upstream.
    pub(crate) fn ignores(&self, path: &str, is_directory: bool) -> bool {
        let name = crate::file::base(path);
        for rule in &self.rules {
            let wrong_kind = rule.directories_only && !is_directory;
            if rule.negated {
                if wrong_kind || !rule.matches(path, name) {
                    return true;
                }
            } else if !wrong_kind && rule.matches(path, name) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    /// `name` is the path's last one.
    fn matches(&self, path: &str, name: &str) -> bool {
        let name = if self.whole_path { path } else { name };
        match self.shape {
            Shape::Name => name == self.pattern,
            Shape::Ending => name.ends_with(&self.pattern[1..]),
            Shape::Other { begins } => {
                name.as_bytes().starts_with(&self.pattern.as_bytes()[..begins])
                    && file_match(&self.pattern, name).unwrap_or(false)
            }
        }
    }
}

#[cfg(test)]
mod tests;
