//! Executing a template.

use std::sync::Arc;

use goval::{Context, Str, Value};

use crate::error::{Cause, ExecError, ParseError};
use crate::functions::Functions;
use crate::machine::Machine;
use crate::parsed::Parsed;
use crate::set::TemplateSet;

/// What the caller may do while a template executes.
pub trait Hooks {
    /// Whether to give up. Asked every few thousand steps.
    fn should_stop(&mut self) -> bool {
        false
    }

    /// Parses the text of a `tpl`. An implementation may keep what it parsed.
    ///
    /// # Errors
    ///
    /// [`Parsed::new`]'s.
    fn parse_tpl(
        &mut self,
        text: &Str,
        functions: &Arc<Functions>,
    ) -> Result<Arc<Parsed>, ParseError> {
        Parsed::new(text.as_bytes(), functions)
    }
}

/// Hooks that do nothing.
pub struct NoHooks;

impl Hooks for NoHooks {}

/// Executes a template of a set and returns its text.
///
/// A missing key gives the zero value of the map's elements (Go's `missingkey=zero`), which for
/// maps of anything prints as `<no value>`: see [`without_no_value`].
///
/// # Errors
///
/// The first failure, with Go's words and the places that led to it.
pub fn execute(
    set: &TemplateSet,
    name: &str,
    data: &Value,
    context: &mut Context<'_>,
    hooks: &mut dyn Hooks,
) -> Result<Vec<u8>, ExecError> {
    let Some(entry) = set.find(name.as_bytes()) else {
        return Err(ExecError {
            stack: Vec::new(),
            message: not_found(name.as_bytes(), set.root_name()),
            cause: Cause::Template,
        });
    };
    Machine::new(context, hooks).run(set, entry, data)
}

/// Go's words for a template that is not there.
pub(crate) fn not_found(name: &[u8], root_name: &str) -> String {
    let (name, root) = (goval::quote_bytes(name), goval::quote(root_name));
    format!("template: no template {name} associated with template {root}")
}

/// The text without any `<no value>` in it, wherever it came from: Helm does so with what a file
/// and what a `tpl` gives.
pub fn without_no_value(text: Vec<u8>) -> Vec<u8> {
    const NO_VALUE: &[u8] = b"<no value>";
    let mut kept = Vec::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = goval::scan::find_byte(b'<', &text[from..]) {
        from += at;
        if text[from..].starts_with(NO_VALUE) {
            kept.extend_from_slice(&text[copied..from]);
            from += NO_VALUE.len();
            copied = from;
        } else {
            from += 1;
        }
    }
    if copied == 0 {
        return text;
    }
    kept.extend_from_slice(&text[copied..]);
    kept
}
