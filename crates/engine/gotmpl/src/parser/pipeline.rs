//! Pipelines: `$x := f a (g b).c | h`. Parentheses nest on the heap.

use goval::Str;

use crate::ast::{NodeId, NodeKind, Pipe, Span, Symbol};
use crate::constant::Number;
use crate::error::ParseError;
use crate::lexer::{Keyword, Token, TokenKind};

use super::{Parser, index};

/// Parentheses nest no deeper, in Go as here.
const PAREN_DEPTH_MAX: usize = 10_000;

/// A pipeline that is not yet closed. What it holds stands on top of stacks that all open
/// pipelines share.
struct Open {
    at: u32,
    assigns: bool,
    /// How many it declares.
    declared: usize,
    /// Where its variables and commands begin.
    parts: usize,
    /// Where the arguments of the command being read begin.
    args: usize,
    command_at: u32,
}

/// What was found where an operand may stand.
enum Term {
    None,
    Paren,
    Node(NodeId),
}

impl Parser<'_> {
    /// Reads a pipeline up to `end` and passes over that.
    pub(super) fn pipeline(
        &mut self,
        context: &str,
        end: &TokenKind,
    ) -> Result<NodeId, ParseError> {
        let first = self.open_pipeline(context)?;
        // Most pipelines have no parentheses: only the first one is at hand at all times.
        let mut open = vec![first];
        loop {
            let inside = open.len() > 1;
            let context = if inside { "parenthesized pipeline" } else { context };
            let end = if inside { &TokenKind::RightParen } else { end };
            let token = self.next_non_space();
            if token.kind == *end {
                let pipeline = open.pop().expect("there is one");
                let pipe = self.close_pipeline(pipeline, context)?;
                if open.is_empty() {
                    return Ok(pipe);
                }
                self.scope().paren_depth -= 1;
                let operand = self.with_fields(pipe)?;
                self.args.push(operand);
            } else if begins_command(&token.kind) {
                self.back_up();
                let pipeline = open.last_mut().expect("there is one");
                pipeline.command_at = self.peek_non_space().start;
                if !self.operand_or_paren()? {
                    self.open_paren(&mut open)?;
                    continue;
                }
            } else {
                return Err(self.unexpected(&token, context));
            }
            // An operand was read: what follows it may be the next one.
            loop {
                let token = self.next();
                let pipeline = open.last_mut().expect("there is one");
                match token.kind {
                    TokenKind::Space => {
                        if !self.operand_or_paren()? {
                            self.open_paren(&mut open)?;
                            break;
                        }
                    }
                    TokenKind::RightDelim | TokenKind::RightParen => {
                        self.back_up();
                        self.end_command(pipeline)?;
                        break;
                    }
                    TokenKind::Pipe => {
                        self.end_command(pipeline)?;
                        break;
                    }
                    _ => return Err(self.unexpected(&token, "operand")),
                }
            }
        }
    }

    fn open_paren(&mut self, open: &mut Vec<Open>) -> Result<(), ParseError> {
        if self.scope().paren_depth >= PAREN_DEPTH_MAX {
            return Err(self.error("max expression depth exceeded"));
        }
        self.scope().paren_depth += 1;
        open.push(self.open_pipeline("parenthesized pipeline")?);
        Ok(())
    }

    /// The declarations at a pipeline's beginning.
    fn open_pipeline(&mut self, context: &str) -> Result<Open, ParseError> {
        let at = self.peek_non_space().start;
        let mut pipeline = Open {
            at,
            assigns: false,
            declared: 0,
            parts: self.parts.len(),
            args: self.args.len(),
            command_at: at,
        };
        loop {
            let variable = self.peek_non_space();
            if variable.kind != TokenKind::Variable {
                return Ok(pipeline);
            }
            self.next();
            let after = self.peek();
            let next = self.peek_non_space();
            match next.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    pipeline.assigns = next.kind == TokenKind::Assign;
                    self.next_non_space();
                    self.declare(&variable, &mut pipeline);
                    return Ok(pipeline);
                }
                TokenKind::Char if self.source(&next) == b"," => {
                    self.next_non_space();
                    self.declare(&variable, &mut pipeline);
                    if context != "range" || pipeline.declared >= 2 {
                        return Err(self.error(&format!("too many declarations in {context}")));
                    }
                    match self.peek_non_space().kind {
                        TokenKind::Variable | TokenKind::RightDelim | TokenKind::RightParen => {}
                        _ => return Err(self.error("range can only initialize variables")),
                    }
                }
                _ if after.kind == TokenKind::Space => {
                    self.scope().tokens.back_up_three(variable, after);
                    return Ok(pipeline);
                }
                _ => {
                    self.scope().tokens.back_up_two(variable);
                    return Ok(pipeline);
                }
            }
        }
    }

    fn declare(&mut self, variable: &Token, pipeline: &mut Open) {
        let name = Span { start: variable.start, end: variable.end };
        let node = self.add(NodeKind::Variable { name, names: Span::default() }, variable.start);
        self.parts.push(node);
        pipeline.declared += 1;
        self.scope().variables.push(name);
    }

    fn close_pipeline(&mut self, pipeline: Open, context: &str) -> Result<NodeId, ParseError> {
        let begin = pipeline.parts + pipeline.declared;
        if self.parts.len() == begin {
            return Err(self.error(&format!("missing value for {context}")));
        }
        for (stage, command) in self.parts[begin..].iter().enumerate().skip(1) {
            let NodeKind::Command { args } = self.ast.kind(*command) else {
                unreachable!("a pipeline is made of commands");
            };
            let first = self.ast.kids(args)[0];
            if self.is_literal(first) {
                let stage = stage + 1;
                let message = format!("non executable command in pipeline stage {stage}");
                return Err(self.error(&message));
            }
        }
        let start = index(self.ast.kids.len());
        self.ast.kids.extend_from_slice(&self.parts[pipeline.parts..]);
        self.parts.truncate(pipeline.parts);
        let middle = start + index(pipeline.declared);
        let declared = Span { start, end: middle };
        let commands = Span { start: middle, end: index(self.ast.kids.len()) };
        let kind = NodeKind::Pipe(Pipe { declared, assigns: pipeline.assigns, commands });
        Ok(self.add(kind, pipeline.at))
    }

    fn end_command(&mut self, pipeline: &Open) -> Result<(), ParseError> {
        if self.args.len() == pipeline.args {
            return Err(self.error("empty command"));
        }
        let start = index(self.ast.kids.len());
        self.ast.kids.extend_from_slice(&self.args[pipeline.args..]);
        self.args.truncate(pipeline.args);
        let args = Span { start, end: index(self.ast.kids.len()) };
        let command = self.add(NodeKind::Command { args }, pipeline.command_at);
        self.parts.push(command);
        Ok(())
    }

    /// Reads an operand, if one is there; `false` behind a left parenthesis.
    fn operand_or_paren(&mut self) -> Result<bool, ParseError> {
        match self.term()? {
            Term::None => {}
            Term::Paren => return Ok(false),
            Term::Node(node) => {
                let node = self.with_fields(node)?;
                self.args.push(node);
            }
        }
        Ok(true)
    }

    /// Takes the fields that follow an operand.
    fn with_fields(&mut self, node: NodeId) -> Result<NodeId, ParseError> {
        let first = self.peek();
        if first.kind != TokenKind::Field {
            return Ok(node);
        }
        let at = first.start;
        match self.ast.kind(node) {
            NodeKind::Field { names } => {
                let names = self.more_names(names);
                Ok(self.add(NodeKind::Field { names }, at))
            }
            NodeKind::Variable { name, names } => {
                let names = self.more_names(names);
                Ok(self.add(NodeKind::Variable { name, names }, at))
            }
            _ if self.is_literal(node) => {
                // All of them are read before anything is said.
                self.more_names(Span::default());
                let shown = goval::quote(&self.ast.print(node));
                Err(self.error(&format!("unexpected . after term {shown}")))
            }
            _ => {
                let names = self.more_names(Span::default());
                Ok(self.add(NodeKind::Chain { of: node, names }, at))
            }
        }
    }

    /// Names, and those of the fields that come next.
    fn more_names(&mut self, before: Span) -> Span {
        let start = index(self.ast.names.len());
        self.ast.names.extend_from_within(before.range());
        while self.peek().kind == TokenKind::Field {
            let field = self.next();
            let name = self.symbol(&field);
            self.ast.names.push(name);
        }
        Span { start, end: index(self.ast.names.len()) }
    }

    /// The number of a field's name.
    fn symbol(&mut self, field: &Token) -> u32 {
        let name = &self.ast.text[field.start as usize + 1..field.end as usize];
        if let Some(known) = self.symbols.get(name) {
            return *known;
        }
        let name = Str::from(name);
        let number = index(self.ast.symbols.len());
        let is_method = name.as_utf8().is_some_and(|name| self.functions.is_method(name));
        self.ast.symbols.push(Symbol { name: name.clone(), is_method });
        self.symbols.insert(name, number);
        number
    }

    fn term(&mut self) -> Result<Term, ParseError> {
        let token = self.next_non_space();
        let text = Span { start: token.start, end: token.end };
        let kind = match token.kind {
            TokenKind::Identifier => match self.functions.find(self.source(&token)) {
                Some(function) => NodeKind::Identifier { name: text, function },
                None => {
                    let name = goval::quote_bytes(self.source(&token));
                    return Err(self.error(&format!("function {name} not defined")));
                }
            },
            TokenKind::Keyword(Keyword::Dot) => NodeKind::Dot,
            TokenKind::Keyword(Keyword::Nil) => NodeKind::Nil,
            TokenKind::Variable => {
                self.check_declared(&token)?;
                NodeKind::Variable { name: text, names: Span::default() }
            }
            TokenKind::Field => {
                let name = self.symbol(&token);
                let start = index(self.ast.names.len());
                self.ast.names.push(name);
                NodeKind::Field { names: Span { start, end: start + 1 } }
            }
            TokenKind::Bool => NodeKind::Bool(self.source(&token) == b"true"),
            TokenKind::CharConstant | TokenKind::Complex | TokenKind::Number => {
                let source = self.source(&token);
                let number = match token.kind {
                    TokenKind::CharConstant => Number::char(text, source),
                    TokenKind::Complex => Number::complex(text, source),
                    _ => Number::plain(text, source),
                };
                let number = number.map_err(|message| self.error(&message))?;
                self.ast.numbers.push(number);
                NodeKind::Number(index(self.ast.numbers.len() - 1))
            }
            TokenKind::LeftParen => return Ok(Term::Paren),
            TokenKind::String | TokenKind::RawString => {
                let value = self.unquote(&token)?;
                let value = self.add_string(value);
                NodeKind::String { quoted: text, value }
            }
            _ => {
                self.back_up();
                return Ok(Term::None);
            }
        };
        Ok(Term::Node(self.add(kind, token.start)))
    }

    fn check_declared(&mut self, token: &Token) -> Result<(), ParseError> {
        let name = self.source(token);
        let known = name == b"$"
            || self.scope.variables.iter().any(|variable| self.ast.source(*variable) == name);
        if known {
            return Ok(());
        }
        let name = goval::quote_bytes(name);
        Err(self.error(&format!("undefined variable {name}")))
    }

    fn is_literal(&self, node: NodeId) -> bool {
        matches!(
            self.ast.kind(node),
            NodeKind::Bool(_)
                | NodeKind::Dot
                | NodeKind::Nil
                | NodeKind::Number(_)
                | NodeKind::String { .. }
        )
    }
}

fn begins_command(kind: &TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Bool
            | TokenKind::CharConstant
            | TokenKind::Complex
            | TokenKind::Keyword(Keyword::Dot | Keyword::Nil)
            | TokenKind::Field
            | TokenKind::Identifier
            | TokenKind::Number
            | TokenKind::RawString
            | TokenKind::String
            | TokenKind::Variable
            | TokenKind::LeftParen
    )
}
