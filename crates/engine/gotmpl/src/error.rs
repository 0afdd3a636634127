//! What goes wrong, in Go's words and with places.

use std::fmt;
use std::sync::Arc;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The line, counted from 1.
    pub line: usize,
    /// What Go says, without the place.
    pub message: String,
    /// Where the unfinished action began, where Go says so; a line.
    pub(crate) action_line: Option<usize>,
}

impl ParseError {
    /// What Go says when the text was parsed under `name`: `template: NAME:LINE: …`.
    pub fn text(&self, name: &str) -> String {
        format!("template: {name}:{}: {}", self.line, self.message_for(name))
    }

    /// The message alone, as it reads when the text was parsed under `name`.
    pub fn message_for(&self, name: &str) -> String {
        let Some(started) = self.action_line else {
            return self.message.clone();
        };
        // Go avoids "action in action".
        let joint = if self.message.ends_with(" action") { "" } else { " in action" };
        format!("{}{joint} started at {name}:{started}", self.message)
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ParseError {}

/// Why an execution ended early.
///
/// `Display` is Go's text, all of the chain in one line:
/// `template: FILE:LINE:COLUMN: executing "NAME" at <NODE>: error calling include: template: …`.
#[derive(Clone, Debug)]
pub struct ExecError {
    /// Where it happened and what led there, outermost first. Empty when the template to execute
    /// is not there.
    pub stack: Vec<Place>,
    /// What happened, without places: `nil pointer evaluating interface {}.y`,
    /// `error calling required: …`.
    pub message: String,
    /// What kind of trouble it is.
    pub cause: Cause,
}

/// The kinds of trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The template asks for what the data does not allow, or is not there.
    Template,
    /// A function or method said so itself.
    Function {
        /// Its name.
        name: String,
        /// Its words (`message` without `error calling NAME: `).
        said: String,
    },
    /// The text given to `tpl` does not parse.
    Tpl(ParseError),
    /// A budget is used up.
    Budget,
    /// The caller asked to stop.
    Stopped,
}

/// One place in a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The name under which the text was parsed: a file; `gotpl` for the text of a `tpl`.
    pub file: Arc<str>,
    /// Counted from 1.
    pub line: usize,
    /// Bytes from the line's start, counted from 0.
    pub column: usize,
    /// The template being executed.
    pub template: String,
    /// What was executed, as Go prints it.
    pub node: String,
    /// What leads from this place to the next one of the stack; `None` at the last.
    pub leads: Option<Leads>,
}

/// How one place leads to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leads {
    /// `{{template}}`: Go's text leaves such places out.
    Template,
    /// `include`.
    Include {
        /// The function's name.
        function: &'static str,
    },
    /// `tpl`.
    Tpl {
        /// The function's name.
        function: &'static str,
        /// The text that was executed.
        text: goval::Str,
    },
}

/// Longer texts of errors end here: a `tpl` in a `tpl` repeats its text at each level.
const TEXT_BYTES_MAX: usize = 4 << 20;

impl fmt::Display for ExecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut written = 0;
        for place in &self.stack {
            if matches!(place.leads, Some(Leads::Template)) {
                continue;
            }
            let text = place.text();
            written += text.len();
            if written > TEXT_BYTES_MAX {
                f.write_str("…: ")?;
                break;
            }
            f.write_str(&text)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExecError {}

impl Place {
    /// Go's text for this place, up to what happened there.
    fn text(&self) -> String {
        let Self { file, line, column, template, node, leads } = self;
        let template = goval::quote(template);
        let mut text =
            format!("template: {file}:{line}:{column}: executing {template} at <{node}>: ");
        match leads {
            None | Some(Leads::Template) => {}
            Some(Leads::Include { function }) => {
                text.push_str("error calling ");
                text.push_str(function);
                text.push_str(": ");
            }
            Some(Leads::Tpl { function, text: of }) => {
                text.push_str("error calling ");
                text.push_str(function);
                text.push_str(": error during tpl function execution for ");
                text.push_str(&goval::quote_bytes(of));
                text.push_str(": ");
            }
        }
        text
    }
}
