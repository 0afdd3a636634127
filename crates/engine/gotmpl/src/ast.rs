//! What the parser found: nodes in one list, each with its place in the text.

use std::ops::Range;
use std::sync::Arc;

use goval::Str;

use crate::constant::Number;

/// A node's place in the list.
pub(crate) type NodeId = u32;

/// Some neighbours in one of the lists.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(crate) fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// The byte of the text that Go names for it.
    pub(crate) at: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum NodeKind {
    /// A part of the text.
    Text(Span),
    Action {
        pipe: NodeId,
    },
    Pipe(Pipe),
    Command {
        args: Span,
    },
    Dot,
    Nil,
    Bool(bool),
    Number(u32),
    String {
        quoted: Span,
        value: u32,
    },
    /// `.a.b`
    Field {
        names: Span,
    },
    /// `$x.a.b`: the variable's name is a part of the text.
    Variable {
        name: Span,
        names: Span,
    },
    /// `(…).a.b`
    Chain {
        of: NodeId,
        names: Span,
    },
    /// A function's name is a part of the text; its number in the table.
    Identifier {
        name: Span,
        function: u32,
    },
    If(Branch),
    With(Branch),
    Range(Branch),
    Template {
        name: u32,
        pipe: Option<NodeId>,
    },
    Break,
    Continue,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Pipe {
    /// Nodes of variables.
    pub(crate) declared: Span,
    /// `=`, not `:=`.
    pub(crate) assigns: bool,
    pub(crate) commands: Span,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Branch {
    pub(crate) pipe: NodeId,
    pub(crate) body: Span,
    pub(crate) other: Option<Span>,
}

/// All that was found in one text.
#[derive(Debug, Default)]
pub(crate) struct Ast {
    pub(crate) text: Arc<[u8]>,
    pub(crate) nodes: Vec<Node>,
    /// Children of nodes.
    pub(crate) kids: Vec<NodeId>,
    /// Names of fields, as places in `symbols`.
    pub(crate) names: Vec<u32>,
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) numbers: Vec<Number>,
    pub(crate) strings: Vec<Str>,
}

/// A field's name.
#[derive(Debug)]
pub(crate) struct Symbol {
    pub(crate) name: Str,
    /// Whether a named type has a method of that name.
    pub(crate) is_method: bool,
}

/// A piece of a node that is yet to be printed.
enum Piece {
    Node(NodeId),
    /// In parentheses where it is a pipeline.
    Operand(NodeId),
    Names(Span),
    Word(&'static str),
}

impl Ast {
    /// Gives back memory that was taken in advance: trees are kept for long.
    pub(crate) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
        self.kids.shrink_to_fit();
        self.names.shrink_to_fit();
        self.symbols.shrink_to_fit();
        self.numbers.shrink_to_fit();
        self.strings.shrink_to_fit();
    }

    pub(crate) fn kind(&self, id: NodeId) -> NodeKind {
        self.nodes[id as usize].kind
    }

    pub(crate) fn kids(&self, span: Span) -> &[NodeId] {
        &self.kids[span.range()]
    }

    pub(crate) fn source(&self, span: Span) -> &[u8] {
        &self.text[span.range()]
    }

    pub(crate) fn symbol(&self, name: u32) -> &Symbol {
        &self.symbols[self.names[name as usize] as usize]
    }

    /// The line of a node, counted from 1, and its byte on that line, counted from 0.
    pub(crate) fn place(&self, id: NodeId) -> (usize, usize) {
        let before = &self.text[..self.nodes[id as usize].at as usize];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        (line, before.len() - line_start)
    }

    /// A node as Go prints it: with single spaces, and literals as they were written.
    pub(crate) fn print(&self, id: NodeId) -> String {
        let mut out = Vec::new();
        let mut open = vec![Piece::Node(id)];
        while let Some(piece) = open.pop() {
            match piece {
                Piece::Word(word) => out.extend_from_slice(word.as_bytes()),
                Piece::Names(names) => {
                    for name in names.range() {
                        out.push(b'.');
                        out.extend_from_slice(&self.symbol(name as u32).name);
                    }
                }
                Piece::Operand(id) if matches!(self.kind(id), NodeKind::Pipe(_)) => {
                    out.push(b'(');
                    open.push(Piece::Word(")"));
                    open.push(Piece::Node(id));
                }
                Piece::Operand(id) => open.push(Piece::Node(id)),
                Piece::Node(id) => self.print_node(id, &mut out, &mut open),
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }

    /// Prints the beginning of a node; what is left comes on top of `open`, the next piece last.
    fn print_node(&self, id: NodeId, out: &mut Vec<u8>, open: &mut Vec<Piece>) {
        match self.kind(id) {
            NodeKind::Text(span) => out.extend_from_slice(self.source(span)),
            NodeKind::Action { pipe } => {
                out.extend_from_slice(b"{{");
                open.push(Piece::Word("}}"));
                open.push(Piece::Node(pipe));
            }
            NodeKind::Pipe(pipe) => {
                let mut pieces = Vec::new();
                for (at, variable) in self.kids(pipe.declared).iter().enumerate() {
                    if at > 0 {
                        pieces.push(Piece::Word(", "));
                    }
                    pieces.push(Piece::Node(*variable));
                }
                if pipe.declared.len() > 0 {
                    pieces.push(Piece::Word(if pipe.assigns { " = " } else { " := " }));
                }
                for (at, command) in self.kids(pipe.commands).iter().enumerate() {
                    if at > 0 {
                        pieces.push(Piece::Word(" | "));
                    }
                    pieces.push(Piece::Node(*command));
                }
                open.extend(pieces.into_iter().rev());
            }
            NodeKind::Command { args } => {
                for (at, arg) in self.kids(args).iter().enumerate().rev() {
                    open.push(Piece::Operand(*arg));
                    if at > 0 {
                        open.push(Piece::Word(" "));
                    }
                }
            }
            NodeKind::Dot => out.push(b'.'),
            NodeKind::Nil => out.extend_from_slice(b"nil"),
            NodeKind::Bool(true) => out.extend_from_slice(b"true"),
            NodeKind::Bool(false) => out.extend_from_slice(b"false"),
            NodeKind::Number(number) => {
                out.extend_from_slice(self.source(self.numbers[number as usize].text));
            }
            NodeKind::String { quoted, .. } => out.extend_from_slice(self.source(quoted)),
            NodeKind::Field { names } => open.push(Piece::Names(names)),
            NodeKind::Variable { name, names } => {
                out.extend_from_slice(self.source(name));
                open.push(Piece::Names(names));
            }
            NodeKind::Chain { of, names } => {
                open.push(Piece::Names(names));
                open.push(Piece::Operand(of));
            }
            NodeKind::Identifier { name, .. } => out.extend_from_slice(self.source(name)),
            NodeKind::Template { name, pipe } => {
                let name = goval::quote_bytes(&self.strings[name as usize]);
                out.extend_from_slice(format!("{{{{template {name}").as_bytes());
                open.push(Piece::Word("}}"));
                if let Some(pipe) = pipe {
                    open.push(Piece::Node(pipe));
                    open.push(Piece::Word(" "));
                }
            }
            NodeKind::Break => out.extend_from_slice(b"{{break}}"),
            NodeKind::Continue => out.extend_from_slice(b"{{continue}}"),
            // Only their pipelines are ever named.
            NodeKind::If(branch) | NodeKind::With(branch) | NodeKind::Range(branch) => {
                open.push(Piece::Node(branch.pipe));
            }
        }
    }
}

impl Ast {
    /// Whether a list holds nothing but space: then it never takes another's place.
    pub(crate) fn is_empty(&self, list: Span) -> bool {
        self.kids(list).iter().all(|node| match self.kind(*node) {
            NodeKind::Text(span) => {
                String::from_utf8_lossy(self.source(span)).chars().all(char::is_whitespace)
            }
            _ => false,
        })
    }
}
