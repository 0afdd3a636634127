//! Parsed templates.

use std::sync::Arc;

use goval::Str;

use crate::error::ParseError;
use crate::functions::Functions;

/// A text, parsed: its main template and those that it defines. It never changes, and may be
/// shared by renderings and threads; it does not know under which name it will be used.
#[derive(Debug)]
pub struct Parsed {
    main: Arc<Tree>,
    /// In the order of the text.
    defined: Vec<(Str, Arc<Tree>)>,
}

/// One template's code.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Nothing but space and comments.
    pub(crate) is_empty: bool,
}

impl Parsed {
    /// Parses a text. Names of functions are checked against `functions`, which the templates
    /// keep and call.
    ///
    /// # Errors
    ///
    /// The first mistake, in Go's words.
    pub fn new(_text: &[u8], _functions: &Arc<Functions>) -> Result<Arc<Self>, ParseError> {
        Ok(Arc::new(Self { main: Arc::new(Tree { is_empty: true }), defined: Vec::new() }))
    }

    /// The templates, the main one called `name`.
    pub(crate) fn trees_under(&self, name: &str) -> Result<Vec<(Str, Arc<Tree>)>, ParseError> {
        let mut trees = self.defined.clone();
        trees.push((Str::from(name), Arc::clone(&self.main)));
        Ok(trees)
    }
}
