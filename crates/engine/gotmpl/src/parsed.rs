//! Parsed templates.

use std::sync::{Arc, OnceLock};

use goval::Str;

use crate::ast::{Ast, Node, Span};
use crate::code::{Code, Constant, Op};
use crate::compile::compile;
use crate::error::ParseError;
use crate::functions::Functions;
use crate::lexer::line_of;
use crate::parser::{multiple_definition, parse};

/// A text, parsed: its main template and those that it defines. It never changes, and may be
/// shared by renderings and threads; it does not know under which name it will be used.
#[derive(Debug)]
pub struct Parsed {
    main: Arc<Tree>,
    /// In the order of the text.
    defined: Vec<(Str, Arc<Tree>)>,
    /// Where the text's end was read.
    end: u32,
}

/// One template's code.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Made when it is first asked for: of what a library defines most is never executed.
    code: OnceLock<Code>,
    body: Span,
    /// Nothing but space and comments.
    pub(crate) is_empty: bool,
    pub(crate) shared: Arc<Shared>,
}

impl Tree {
    /// Its instructions.
    pub(crate) fn code(&self) -> &Code {
        self.code.get_or_init(|| compile(&self.shared.ast, &self.shared.functions, self.body))
    }
}

/// What the templates of one text have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ast: Ast,
    pub(crate) functions: Arc<Functions>,
}

impl Parsed {
    /// Parses a text, which it keeps. Names of functions are checked against `functions`, which
    /// the templates keep and call.
    ///
    /// # Errors
    ///
    /// The first mistake, in Go's words.
    pub fn new(
        text: impl Into<Arc<[u8]>>,
        functions: &Arc<Functions>,
    ) -> Result<Arc<Self>, ParseError> {
        let found = parse(&text.into(), functions)?;
        let shared = Arc::new(Shared { ast: found.ast, functions: Arc::clone(functions) });
        let tree = |body| {
            Arc::new(Tree {
                code: OnceLock::new(),
                body,
                is_empty: shared.ast.is_empty(body),
                shared: Arc::clone(&shared),
            })
        };
        let defined = found.defined.into_iter().map(|of| (of.name, tree(of.body))).collect();
        Ok(Arc::new(Self { main: tree(found.main), defined, end: found.end }))
    }

    /// About how many bytes it holds, for caches that count them.
    pub fn size_bytes(&self) -> usize {
        let ast = &self.main.shared.ast;
        let code = |tree: &Tree| {
            tree.code().ops.len() * size_of::<Op>()
                + tree.code().constants.len() * size_of::<Constant>()
        };
        ast.text.len()
            + ast.nodes.len() * size_of::<Node>()
            + (ast.kids.len() + ast.names.len()) * size_of::<u32>()
            + ast.strings.iter().map(|text| text.len() + 2 * size_of::<Str>()).sum::<usize>()
            + code(&self.main)
            + self.defined.iter().map(|(name, tree)| name.len() + code(tree)).sum::<usize>()
    }

    /// The templates, the main one called `name`.
    pub(crate) fn trees_under(&self, name: &str) -> Result<Vec<(Str, Arc<Tree>)>, ParseError> {
        let mut trees = self.defined.clone();
        let known = trees.iter_mut().find(|(defined, _)| defined.as_bytes() == name.as_bytes());
        match known {
            None => trees.push((Str::from(name), Arc::clone(&self.main))),
            Some((_, tree)) if tree.is_empty => *tree = Arc::clone(&self.main),
            Some(_) if self.main.is_empty => {}
            Some(_) => {
                return Err(ParseError {
                    line: line_of(&self.main.shared.ast.text, self.end),
                    message: multiple_definition(&goval::quote(name)),
                    action_line: None,
                });
            }
        }
        Ok(trees)
    }
}
