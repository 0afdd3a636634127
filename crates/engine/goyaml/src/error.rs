//! What is wrong with a document.

use std::fmt;

/// Why a document was refused, in the words of the Go library.
///
/// The text is Go's, so it names a line where Go does (Go counts a parser's lines from 0, and
/// names none in the first). [`YamlError::line`] and [`YamlError::column`] are exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlError {
    problem: String,
    named_line: Option<u32>,
    bare: bool,
    line: u32,
    column: u32,
}

/// Which of Go's two counts of lines an error uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The scanner adds one to its line.
    Scanner,
    /// The parser does not.
    Parser,
}

impl YamlError {
    pub(crate) fn at(
        stage: Stage,
        line_from_0: u32,
        column_from_0: u32,
        problem: impl Into<String>,
    ) -> Self {
        let named_line = match (line_from_0, stage) {
            (0, _) => None,
            (line, Stage::Scanner) => Some(line + 1),
            (line, Stage::Parser) => Some(line),
        };
        Self {
            problem: problem.into(),
            named_line,
            bare: false,
            line: line_from_0 + 1,
            column: column_from_0 + 1,
        }
    }

    /// An error in whose text Go names no line.
    pub(crate) fn unnamed(
        line_from_0: u32,
        column_from_0: u32,
        problem: impl Into<String>,
    ) -> Self {
        Self {
            problem: problem.into(),
            named_line: None,
            bare: false,
            line: line_from_0 + 1,
            column: column_from_0 + 1,
        }
    }

    /// An error that does not come from the YAML library, and has no `yaml: ` in front.
    pub(crate) fn bare(line_from_0: u32, column_from_0: u32, problem: impl Into<String>) -> Self {
        Self { bare: true, ..Self::unnamed(line_from_0, column_from_0, problem) }
    }

    /// A reader's own refusal of a node that parsed.
    pub fn refused(node: &crate::document::Node, problem: impl Into<String>) -> Self {
        Self::unnamed(node.line, node.column, problem)
    }

    /// What is wrong, with no place.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// Where it is wrong: a line of the input, counted from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Where it is wrong: a character of the line, counted from 1.
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.bare {
            f.write_str("yaml: ")?;
        }
        if let Some(line) = self.named_line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl std::error::Error for YamlError {}
