//! From tokens to nodes. Blocks and parentheses nest on the heap.

mod pipeline;
mod tokens;

use std::collections::HashMap;
use std::sync::Arc;

use goval::Str;

use crate::ast::{Ast, Branch, Node, NodeId, NodeKind, Span};
use crate::error::ParseError;
use crate::functions::Functions;
use crate::hash::NameHash;
use crate::lexer::{Keyword, Lexer, Token, TokenKind};

use tokens::Tokens;

/// What a text holds.
pub(crate) struct Found {
    pub(crate) ast: Ast,
    pub(crate) main: Span,
    /// In the order in which they ended.
    pub(crate) defined: Vec<Definition>,
    /// Where the text's end was read: errors name its line.
    pub(crate) end: u32,
}

/// A template that a text defines.
pub(crate) struct Definition {
    pub(crate) name: Str,
    pub(crate) body: Span,
}

/// How long a text has a node, in the mean.
const BYTES_A_NODE: usize = 16;

/// Parses a text, which the tree keeps.
pub(crate) fn parse(text: &Arc<[u8]>, functions: &Functions) -> Result<Found, ParseError> {
    if u32::try_from(text.len()).is_err() {
        return Err(ParseError {
            line: 1,
            message: "the text is longer than four gigabytes".to_owned(),
            action_line: None,
        });
    }
    let lexer = Lexer::new(text, !functions.contains("break"), !functions.contains("continue"));
    // About what charts' templates take.
    let usual = text.len() / BYTES_A_NODE;
    let parser = Parser {
        functions,
        lexer,
        ast: Ast {
            text: Arc::clone(text),
            nodes: Vec::with_capacity(usual),
            kids: Vec::with_capacity(usual),
            ..Ast::default()
        },
        symbols: HashMap::default(),
        scope: Scope::default(),
        outer: Vec::new(),
        blocks: vec![Block { kind: BlockKind::Main, nodes: Vec::new() }],
        defined: Vec::new(),
        parts: Vec::new(),
        args: Vec::new(),
    };
    parser.run()
}

struct Parser<'t> {
    functions: &'t Functions,
    lexer: Lexer<'t>,
    ast: Ast,
    symbols: HashMap<Str, u32, NameHash>,
    /// Of the template whose definition we are in, or of the main one.
    scope: Scope,
    /// Those around it, outermost first.
    outer: Vec<Scope>,
    /// What is open, outermost first.
    blocks: Vec<Block>,
    defined: Vec<Definition>,
    /// Variables and commands of all open pipelines.
    parts: Vec<NodeId>,
    /// Arguments of all open commands.
    args: Vec<NodeId>,
}

/// What the parsing of one template knows.
#[derive(Default)]
struct Scope {
    tokens: Tokens,
    /// The variables that may be read here, besides `$`. Parts of the text.
    variables: Vec<Span>,
    /// Where the current action began.
    action_at: Option<u32>,
    range_depth: usize,
    paren_depth: usize,
}

struct Block {
    kind: BlockKind,
    nodes: Vec<NodeId>,
}

enum BlockKind {
    Main,
    Define { name: Str },
    Block { at: u32, name: u32, pipe: NodeId },
    Control(Control),
}

#[derive(Clone)]
struct Control {
    word: Word,
    at: u32,
    pipe: NodeId,
    /// The body, once `else` was met.
    body: Option<Span>,
    /// How many variables there were before.
    variables: usize,
    /// `else if`: ends together with what is around it.
    chained: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Word {
    If,
    With,
    Range,
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::With => "with",
            Self::Range => "range",
        }
    }
}

/// What ends a list of nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    End,
    Else,
}

impl Stop {
    fn text(self) -> &'static str {
        match self {
            Self::End => "{{end}}",
            Self::Else => "{{else}}",
        }
    }
}

impl Parser<'_> {
    fn run(mut self) -> Result<Found, ParseError> {
        loop {
            if self.blocks.len() == 1 {
                match self.peek().kind {
                    TokenKind::Eof => break,
                    TokenKind::LeftDelim => {
                        let delimiter = self.next();
                        if self.next_non_space().kind == TokenKind::Keyword(Keyword::Define) {
                            self.define()?;
                            continue;
                        }
                        self.scope().tokens.back_up_two(delimiter);
                    }
                    _ => {}
                }
            } else if self.peek_non_space().kind == TokenKind::Eof {
                return Err(self.error("unexpected EOF"));
            }
            self.text_or_action()?;
        }
        self.ast.shrink();
        let end = self.last_start();
        let main = self.blocks.pop().expect("the main block is never closed before");
        let main = self.add_kids(&main.nodes);
        Ok(Found { ast: self.ast, main, defined: self.defined, end })
    }

    fn text_or_action(&mut self) -> Result<(), ParseError> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => {
                let span = Span { start: token.start, end: token.end };
                let node = self.add(NodeKind::Text(span), token.start);
                self.append(node);
                Ok(())
            }
            TokenKind::LeftDelim => {
                self.scope().action_at = Some(token.start);
                self.action()
            }
            _ => Err(self.unexpected(&token, "input")),
        }
    }

    /// What follows a left delimiter.
    fn action(&mut self) -> Result<(), ParseError> {
        let token = self.next_non_space();
        let TokenKind::Keyword(keyword) = token.kind else {
            return self.plain_action();
        };
        match keyword {
            Keyword::Block => self.block()?,
            Keyword::Break => self.leave_loop(&token, NodeKind::Break)?,
            Keyword::Continue => self.leave_loop(&token, NodeKind::Continue)?,
            Keyword::Else => self.otherwise()?,
            Keyword::End => {
                self.expect(&TokenKind::RightDelim, "end")?;
                self.scope().action_at = None;
                self.stop(Stop::End)?;
                self.scope().action_at = None;
            }
            Keyword::If => self.control(Word::If, false)?,
            Keyword::Range => self.control(Word::Range, false)?,
            Keyword::With => self.control(Word::With, false)?,
            Keyword::Template => {
                let token = self.next_non_space();
                let name = self.template_name(&token, "template clause")?;
                let mut pipe = None;
                if self.next_non_space().kind != TokenKind::RightDelim {
                    self.back_up();
                    pipe = Some(self.pipeline("template clause", &TokenKind::RightDelim)?);
                }
                let node = self.add(NodeKind::Template { name, pipe }, token.start);
                self.append(node);
                self.scope().action_at = None;
            }
            Keyword::Dot | Keyword::Define | Keyword::Nil => return self.plain_action(),
        }
        Ok(())
    }

    fn plain_action(&mut self) -> Result<(), ParseError> {
        self.back_up();
        let at = self.peek().start;
        let pipe = self.pipeline("command", &TokenKind::RightDelim)?;
        let node = self.add(NodeKind::Action { pipe }, at);
        self.append(node);
        self.scope().action_at = None;
        Ok(())
    }

    fn leave_loop(&mut self, token: &Token, kind: NodeKind) -> Result<(), ParseError> {
        let word = if matches!(kind, NodeKind::Break) { "{{break}}" } else { "{{continue}}" };
        let next = self.next_non_space();
        if next.kind != TokenKind::RightDelim {
            return Err(self.unexpected(&next, word));
        }
        if self.scope().range_depth == 0 {
            return Err(self.error(&format!("{word} outside {{{{range}}}}")));
        }
        let node = self.add(kind, token.start);
        self.append(node);
        self.scope().action_at = None;
        Ok(())
    }

    /// The head of a control structure, its keyword being behind.
    fn control(&mut self, word: Word, chained: bool) -> Result<(), ParseError> {
        let variables = self.scope().variables.len();
        let pipe = self.pipeline(word.name(), &TokenKind::RightDelim)?;
        if word == Word::Range {
            self.scope().range_depth += 1;
        }
        let at = self.ast.nodes[pipe as usize].at;
        let control = Control { word, at, pipe, body: None, variables, chained };
        self.blocks.push(Block { kind: BlockKind::Control(control), nodes: Vec::new() });
        self.skip_space();
        Ok(())
    }

    /// A list's first token is looked at before anything else.
    fn skip_space(&mut self) {
        self.peek_non_space();
    }

    fn otherwise(&mut self) -> Result<(), ParseError> {
        let next = self.peek_non_space();
        if matches!(next.kind, TokenKind::Keyword(Keyword::If | Keyword::With)) {
            self.scope().action_at = None;
            return self.stop(Stop::Else);
        }
        self.expect(&TokenKind::RightDelim, "else")?;
        self.scope().action_at = None;
        self.stop(Stop::Else)
    }

    /// `{{end}}` or `{{else}}`: closes or divides the innermost block.
    fn stop(&mut self, stop: Stop) -> Result<(), ParseError> {
        let mut block = self.blocks.pop().expect("the main block is never closed");
        match block.kind {
            BlockKind::Main => Err(self.error(&format!("unexpected {}", stop.text()))),
            BlockKind::Define { .. } if stop == Stop::Else => {
                Err(self.error("unexpected {{else}} in define clause"))
            }
            BlockKind::Block { .. } if stop == Stop::Else => {
                // Said where the block's head was read.
                self.leave_scope();
                Err(self.error("unexpected {{else}} in block clause"))
            }
            BlockKind::Define { name } => {
                let body = self.add_kids(&block.nodes);
                self.add_definition(name, body)?;
                self.leave_scope();
                Ok(())
            }
            BlockKind::Block { at, name, pipe } => {
                let body = self.add_kids(&block.nodes);
                self.add_definition(self.ast.strings[name as usize].clone(), body)?;
                self.leave_scope();
                let node = self.add(NodeKind::Template { name, pipe: Some(pipe) }, at);
                self.append(node);
                self.scope().action_at = None;
                Ok(())
            }
            BlockKind::Control(ref mut control) if stop == Stop::Else => {
                if control.body.is_some() {
                    return Err(self.error("expected end; found {{else}}"));
                }
                control.body = Some(self.add_kids(&block.nodes));
                block.nodes.clear();
                let word = control.word;
                if word == Word::Range {
                    self.scope().range_depth -= 1;
                }
                self.blocks.push(block);
                let chain = match self.peek().kind {
                    TokenKind::Keyword(Keyword::If) => word == Word::If,
                    TokenKind::Keyword(Keyword::With) => word == Word::With,
                    _ => false,
                };
                if chain {
                    self.next();
                    self.control(word, true)
                } else {
                    self.skip_space();
                    Ok(())
                }
            }
            BlockKind::Control(control) => {
                self.close(control, block.nodes);
                Ok(())
            }
        }
    }

    /// Ends control structures: the innermost, and those that it continues.
    fn close(&mut self, mut control: Control, mut nodes: Vec<NodeId>) {
        loop {
            let list = self.add_kids(&nodes);
            let (body, other) = match control.body {
                Some(body) => (body, Some(list)),
                None => {
                    if control.word == Word::Range {
                        self.scope().range_depth -= 1;
                    }
                    (list, None)
                }
            };
            self.scope().variables.truncate(control.variables);
            let branch = Branch { pipe: control.pipe, body, other };
            let kind = match control.word {
                Word::If => NodeKind::If(branch),
                Word::With => NodeKind::With(branch),
                Word::Range => NodeKind::Range(branch),
            };
            let node = self.add(kind, control.at);
            self.append(node);
            if !control.chained {
                return;
            }
            let around = self.blocks.pop().expect("it continues the block around it");
            let BlockKind::Control(outer) = around.kind else {
                unreachable!("only control structures are continued");
            };
            control = outer;
            nodes = around.nodes;
        }
    }

    /// A definition's head, `define` being behind.
    fn define(&mut self) -> Result<(), ParseError> {
        self.enter_scope();
        let token = self.next_non_space();
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(&token, "define clause"));
        }
        let name = self.unquote(&token)?;
        self.expect(&TokenKind::RightDelim, "define clause")?;
        self.blocks.push(Block { kind: BlockKind::Define { name }, nodes: Vec::new() });
        self.skip_space();
        Ok(())
    }

    /// A block's head, `block` being behind.
    fn block(&mut self) -> Result<(), ParseError> {
        let token = self.next_non_space();
        let name = self.template_name(&token, "block clause")?;
        let pipe = self.pipeline("block clause", &TokenKind::RightDelim)?;
        self.enter_scope();
        let kind = BlockKind::Block { at: token.start, name, pipe };
        self.blocks.push(Block { kind, nodes: Vec::new() });
        self.skip_space();
        Ok(())
    }

    fn enter_scope(&mut self) {
        self.outer.push(std::mem::take(&mut self.scope));
    }

    fn leave_scope(&mut self) {
        self.scope = self.outer.pop().expect("the main scope is never left");
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Result<u32, ParseError> {
        if !matches!(token.kind, TokenKind::String | TokenKind::RawString) {
            return Err(self.unexpected(token, context));
        }
        let name = self.unquote(token)?;
        Ok(self.add_string(name))
    }

    fn add_definition(&mut self, name: Str, body: Span) -> Result<(), ParseError> {
        let is_empty = self.ast.is_empty(body);
        match self.defined.iter_mut().find(|known| known.name == name) {
            None => self.defined.push(Definition { name, body }),
            Some(known) if self.ast.is_empty(known.body) => known.body = body,
            Some(_) if is_empty => {}
            Some(_) => {
                let name = goval::quote_bytes(&name);
                return Err(self.error(&multiple_definition(&name)));
            }
        }
        Ok(())
    }

    fn unquote(&mut self, token: &Token) -> Result<Str, ParseError> {
        let source = self.source(token);
        // Most literals stand for themselves.
        let stands = |byte: &u8| byte.is_ascii() & !matches!(byte, b'\\' | b'"' | b'\n');
        if let [b'"', inner @ .., b'"'] = source
            && inner.iter().all(stands)
        {
            return Ok(inner.into());
        }
        let unquoted = goval::unquote(source);
        unquoted.map(Str::from).ok_or_else(|| self.error("invalid syntax"))
    }

    fn append(&mut self, node: NodeId) {
        self.blocks.last_mut().expect("the main block is never closed").nodes.push(node);
    }

    fn add(&mut self, kind: NodeKind, at: u32) -> NodeId {
        self.ast.nodes.push(Node { kind, at });
        index(self.ast.nodes.len() - 1)
    }

    fn add_kids(&mut self, nodes: &[NodeId]) -> Span {
        let start = index(self.ast.kids.len());
        self.ast.kids.extend_from_slice(nodes);
        Span { start, end: index(self.ast.kids.len()) }
    }

    fn add_string(&mut self, text: Str) -> u32 {
        self.ast.strings.push(text);
        index(self.ast.strings.len() - 1)
    }
}

/// Go's words for two templates of one name.
pub(crate) fn multiple_definition(quoted_name: &str) -> String {
    format!("template: multiple definition of template {quoted_name}")
}

/// There are fewer nodes than bytes, and the text is shorter than four gigabytes.
fn index(length: usize) -> u32 {
    u32::try_from(length).expect("no list is longer than the text")
}
