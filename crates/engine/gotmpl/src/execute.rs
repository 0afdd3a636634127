//! Executing a template.

use std::sync::Arc;

use goval::{Context, Str, Value};

use crate::error::{Cause, ExecError, ParseError};
use crate::functions::Functions;
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
        Parsed::new(text, functions)
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
    _data: &Value,
    _context: &mut Context<'_>,
    _hooks: &mut dyn Hooks,
) -> Result<Vec<u8>, ExecError> {
    let Some(_entry) = set.find(name.as_bytes()) else {
        let root = goval::quote(set.root_name());
        let name = goval::quote(name);
        return Err(ExecError {
            stack: Vec::new(),
            message: format!("template: no template {name} associated with template {root}"),
            cause: Cause::Template,
        });
    };
    Ok(Vec::new())
}

/// The text without any `<no value>` in it, wherever it came from: Helm does so with what a file
/// and what a `tpl` gives.
pub fn without_no_value(text: Vec<u8>) -> Vec<u8> {
    const NO_VALUE: &[u8] = b"<no value>";
    let mut found = false;
    let mut kept = Vec::new();
    let mut rest = &text[..];
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        if rest[at..].starts_with(NO_VALUE) {
            found = true;
            kept.extend_from_slice(&rest[..at]);
            rest = &rest[at + NO_VALUE.len()..];
        } else {
            kept.extend_from_slice(&rest[..=at]);
            rest = &rest[at + 1..];
        }
    }
    if !found {
        return text;
    }
    kept.extend_from_slice(rest);
    kept
}
