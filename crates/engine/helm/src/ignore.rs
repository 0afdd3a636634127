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
    negated: bool,
    directories_only: bool,
    whole_path: bool,
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
        for rule in &self.rules {
            let wrong_kind = rule.directories_only && !is_directory;
            if rule.negated {
                if wrong_kind || !rule.matches(path) {
                    return true;
                }
            } else if !wrong_kind && rule.matches(path) {
                return true;
            }
        }
        false
    }
}

impl Rule {
    fn matches(&self, path: &str) -> bool {
        let name = if self.whole_path { path } else { crate::file::base(path) };
        file_match(&self.pattern, name).unwrap_or(false)
    }
}
