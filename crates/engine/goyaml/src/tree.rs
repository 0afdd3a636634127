//! Tokens to nodes.
//!
//! One loop with a stack of open collections: depth is a number here, never the call stack.

use std::collections::HashMap;

use crate::decode::Limits;
use crate::document::{Document, Kind, NO_NODE, Node, NodeId, Style, Text};
use crate::error::{Stage, YamlError};
use crate::input;
use crate::resolve::Dialect;
use crate::scanner::{Scanner, TOO_DEEP};
use crate::token::{Mark, Token, TokenKind};

const CORE_PREFIX: &str = "tag:yaml.org,2002:";

impl Document {
    /// Reads the first document of a text; what follows it is not looked at, as in Go.
    ///
    /// # Errors
    ///
    /// [`YamlError`] for what is no YAML, or goes beyond `limits`.
    pub fn parse(bytes: &[u8], dialect: Dialect, limits: &Limits) -> Result<Self, YamlError> {
        let input = input::read(bytes);
        let (nodes, root) = {
            let scanner = Scanner::new(&input, limits.depth_max);
            let mut builder = Builder {
                scanner,
                text: &input.text,
                dialect,
                nodes: Vec::with_capacity(bytes.len() / 24 + 4),
                nodes_max: limits.nodes_max,
                depth_max: limits.depth_max,
                anchors: HashMap::new(),
                tags: Vec::new(),
                open: Vec::new(),
            };
            let root = builder.document().map_err(|error| seen_by_go(error, &input))?;
            (builder.nodes, root)
        };
        Ok(Document { text: input.text, nodes, root })
    }
}

/// Collections inside each other that Go's reader takes.
const GO_DEPTH_MAX: usize = 10_000;

/// Go's own refusal where a text is too deep for Go too; else the error as it is.
fn seen_by_go(error: YamlError, input: &input::Input) -> YamlError {
    if !error.problem().starts_with(TOO_DEEP) {
        return error;
    }
    let mut scanner = Scanner::new(input, GO_DEPTH_MAX);
    loop {
        match scanner.peek() {
            Err(other) if other.problem().starts_with(TOO_DEEP) => return other,
            Err(_) => return error,
            Ok(token) if matches!(token.kind, TokenKind::StreamEnd) => return error,
            Ok(_) => drop(scanner.take()),
        }
    }
}

/// What an open collection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wants {
    BlockItem,
    IndentlessItem,
    BlockKey,
    BlockValue,
    FlowItem { first: bool },
    PairKey,
    PairValue,
    PairEnd,
    FlowKey { first: bool },
    FlowValue,
    FlowNoValue,
}

struct Open {
    wants: Wants,
    node: u32,
    last_child: u32,
}

/// Where a node stands, which decides what it may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Block,
    /// A sequence may stand at the column of its key.
    BlockOrIndentless,
    Flow,
}

struct Builder<'a> {
    scanner: Scanner<'a>,
    text: &'a str,
    dialect: Dialect,
    nodes: Vec<Node>,
    nodes_max: usize,
    depth_max: usize,
    anchors: HashMap<Box<str>, u32>,
    /// Handles with what they stand for.
    tags: Vec<(String, String)>,
    open: Vec<Open>,
}

fn refused(at: Mark, problem: impl Into<String>) -> YamlError {
    YamlError::at(Stage::Parser, at.line, at.column, problem)
}

impl Builder<'_> {
    fn document(&mut self) -> Result<Option<NodeId>, YamlError> {
        let explicit = matches!(
            self.scanner.peek()?.kind,
            TokenKind::VersionDirective { .. }
                | TokenKind::TagDirective { .. }
                | TokenKind::DocumentStart
        );
        if self.scanner.peek()?.kind == TokenKind::StreamEnd {
            return Ok(None);
        }
        self.directives()?;
        if explicit {
            let token = self.scanner.peek()?;
            if token.kind != TokenKind::DocumentStart {
                return Err(refused(token.start, "did not find expected <document start>"));
            }
            self.scanner.take();
        }
        let token = self.scanner.peek()?;
        let start = token.start;
        let empty = explicit
            && matches!(
                token.kind,
                TokenKind::VersionDirective { .. }
                    | TokenKind::TagDirective { .. }
                    | TokenKind::DocumentStart
                    | TokenKind::DocumentEnd
                    | TokenKind::StreamEnd
            );
        if empty {
            self.empty_scalar(start)?;
        } else {
            self.node(Place::Block)?;
            while let Some(top) = self.open.last() {
                self.advance(top.wants)?;
            }
        }
        // Go looks at what ends the document before it gives the document back.
        self.scanner.peek()?;
        Ok(Some(NodeId(0)))
    }

    fn directives(&mut self) -> Result<(), YamlError> {
        let mut versioned = false;
        loop {
            let token = self.scanner.peek()?;
            let start = token.start;
            match &token.kind {
                TokenKind::VersionDirective { major, minor } => {
                    if versioned {
                        return Err(refused(start, "found duplicate %YAML directive"));
                    }
                    let known = match self.dialect {
                        Dialect::V2 => (*major, *minor) == (1, 1),
                        Dialect::V3 => *major == 1 && matches!(minor, 1 | 2),
                    };
                    if !known {
                        return Err(refused(start, "found incompatible YAML document"));
                    }
                    versioned = true;
                }
                TokenKind::TagDirective { handle, prefix } => {
                    if self.tags.iter().any(|(known, _)| known == handle) {
                        return Err(refused(start, "found duplicate %TAG directive"));
                    }
                    self.tags.push((handle.clone(), prefix.clone()));
                }
                _ => break,
            }
            self.scanner.take();
        }
        for (handle, prefix) in [("!", "!"), ("!!", CORE_PREFIX)] {
            if !self.tags.iter().any(|(known, _)| known == handle) {
                self.tags.push((handle.to_owned(), prefix.to_owned()));
            }
        }
        Ok(())
    }

    fn top(&mut self) -> &mut Open {
        self.open.last_mut().expect("the loop in `document` runs while a collection is open")
    }

    /// Makes one step inside the innermost collection.
    fn advance(&mut self, wants: Wants) -> Result<(), YamlError> {
        match wants {
            Wants::BlockItem => self.block_item(),
            Wants::IndentlessItem => self.indentless_item(),
            Wants::BlockKey => self.block_key(),
            Wants::BlockValue => self.block_value(),
            Wants::FlowItem { first } => self.flow_item(first),
            Wants::PairKey => self.pair_key(),
            Wants::PairValue => self.flow_value(Wants::PairEnd, &TokenKind::FlowSequenceEnd),
            Wants::PairEnd => {
                self.scanner.peek()?;
                self.close();
                Ok(())
            }
            Wants::FlowKey { first } => self.flow_key(first),
            Wants::FlowValue => {
                self.flow_value(Wants::FlowKey { first: false }, &TokenKind::FlowMappingEnd)
            }
            Wants::FlowNoValue => {
                let at = self.scanner.peek()?.start;
                self.top().wants = Wants::FlowKey { first: false };
                self.empty_scalar(at)
            }
        }
    }

    /// Takes the token peeked at; says where it ends (it is one of one character).
    fn take_mark(&mut self) -> Mark {
        let token = self.scanner.take();
        Mark {
            index: token.start.index + 1,
            column: token.start.column + 1,
            line: token.start.line,
        }
    }

    fn block_item(&mut self) -> Result<(), YamlError> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::BlockEntry => {
                let after = self.take_mark();
                match self.scanner.peek()?.kind {
                    TokenKind::BlockEntry | TokenKind::BlockEnd => self.empty_scalar(after),
                    _ => self.node(Place::Block),
                }
            }
            TokenKind::BlockEnd => {
                self.scanner.take();
                self.close();
                Ok(())
            }
            _ => Err(refused(token.start, "did not find expected '-' indicator")),
        }
    }

    fn indentless_item(&mut self) -> Result<(), YamlError> {
        if self.scanner.peek()?.kind != TokenKind::BlockEntry {
            self.close();
            return Ok(());
        }
        let after = self.take_mark();
        match self.scanner.peek()?.kind {
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                self.empty_scalar(after)
            }
            _ => self.node(Place::Block),
        }
    }

    fn block_key(&mut self) -> Result<(), YamlError> {
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::Key => {
                let after = token.start;
                self.scanner.take();
                self.top().wants = Wants::BlockValue;
                self.block_part(after)
            }
            TokenKind::BlockEnd => {
                self.scanner.take();
                self.close();
                Ok(())
            }
            _ => Err(refused(token.start, "did not find expected key")),
        }
    }

    fn block_value(&mut self) -> Result<(), YamlError> {
        let token = self.scanner.peek()?;
        let start = token.start;
        let is_value = token.kind == TokenKind::Value;
        self.top().wants = Wants::BlockKey;
        if !is_value {
            return self.empty_scalar(start);
        }
        let after = self.take_mark();
        self.block_part(after)
    }

    /// A key or value of a block mapping, which may be left out.
    fn block_part(&mut self, after: Mark) -> Result<(), YamlError> {
        match self.scanner.peek()?.kind {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => self.empty_scalar(after),
            _ => self.node(Place::BlockOrIndentless),
        }
    }

    fn flow_item(&mut self, first: bool) -> Result<(), YamlError> {
        if self.scanner.peek()?.kind != TokenKind::FlowSequenceEnd && !first {
            let token = self.scanner.peek()?;
            if token.kind != TokenKind::FlowEntry {
                return Err(refused(token.start, "did not find expected ',' or ']'"));
            }
            self.scanner.take();
        }
        self.top().wants = Wants::FlowItem { first: false };
        let token = self.scanner.peek()?;
        match token.kind {
            TokenKind::FlowSequenceEnd => {
                self.scanner.take();
                self.close();
                Ok(())
            }
            TokenKind::Key => {
                let start = token.start;
                self.scanner.take();
                let node = Node { style: Style::Flow, ..Node::at(start, Kind::Mapping) };
                self.open_node(node, None, Wants::PairKey)
            }
            _ => self.node(Place::Flow),
        }
    }

    fn pair_key(&mut self) -> Result<(), YamlError> {
        let token = self.scanner.peek()?;
        let left_out = matches!(
            token.kind,
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd
        );
        self.top().wants = Wants::PairValue;
        if left_out {
            // Go drops the token here, whatever it is.
            let after = self.take_mark();
            return self.empty_scalar(after);
        }
        self.node(Place::Flow)
    }

    fn flow_value(&mut self, then: Wants, end: &TokenKind) -> Result<(), YamlError> {
        self.top().wants = then;
        if self.scanner.peek()?.kind == TokenKind::Value {
            self.scanner.take();
            let token = self.scanner.peek()?;
            if token.kind != TokenKind::FlowEntry && token.kind != *end {
                return self.node(Place::Flow);
            }
        }
        let at = self.scanner.peek()?.start;
        self.empty_scalar(at)
    }

    fn flow_key(&mut self, first: bool) -> Result<(), YamlError> {
        if self.scanner.peek()?.kind != TokenKind::FlowMappingEnd && !first {
            let token = self.scanner.peek()?;
            if token.kind != TokenKind::FlowEntry {
                return Err(refused(token.start, "did not find expected ',' or '}'"));
            }
            self.scanner.take();
        }
        match self.scanner.peek()?.kind {
            TokenKind::FlowMappingEnd => {
                self.scanner.take();
                self.close();
                Ok(())
            }
            TokenKind::Key => {
                self.scanner.take();
                self.top().wants = Wants::FlowValue;
                let token = self.scanner.peek()?;
                let at = token.start;
                match token.kind {
                    TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                        self.empty_scalar(at)
                    }
                    _ => self.node(Place::Flow),
                }
            }
            _ => {
                self.top().wants = Wants::FlowNoValue;
                self.node(Place::Flow)
            }
        }
    }

    /// Reads a node: a leaf whole, a collection's beginning.
    fn node(&mut self, place: Place) -> Result<(), YamlError> {
        let start = self.scanner.peek()?.start;
        if matches!(self.scanner.peek()?.kind, TokenKind::Alias(_)) {
            return self.alias();
        }
        let (anchor, tag) = self.properties()?;
        let token = self.scanner.peek()?;
        let at = token.start;
        let block = place != Place::Flow;
        let (kind, style, wants, take) = match token.kind {
            TokenKind::BlockEntry if place == Place::BlockOrIndentless => {
                (Kind::Sequence, Style::Plain, Wants::IndentlessItem, false)
            }
            TokenKind::Scalar(..) => return self.scalar(start, anchor, tag),
            TokenKind::FlowSequenceStart => {
                (Kind::Sequence, Style::Flow, Wants::FlowItem { first: true }, true)
            }
            TokenKind::FlowMappingStart => {
                (Kind::Mapping, Style::Flow, Wants::FlowKey { first: true }, true)
            }
            TokenKind::BlockSequenceStart if block => {
                (Kind::Sequence, Style::Plain, Wants::BlockItem, true)
            }
            TokenKind::BlockMappingStart if block => {
                (Kind::Mapping, Style::Plain, Wants::BlockKey, true)
            }
            _ if anchor.is_some() || tag.is_some() => {
                let implicit = tag.is_none();
                let node = Node { implicit, tag, ..Node::at(start, Kind::Scalar) };
                return self.add(node, anchor).map(drop);
            }
            _ => return Err(refused(at, "did not find expected node content")),
        };
        if take {
            self.scanner.take();
        }
        self.open_node(Node { style, tag, ..Node::at(start, kind) }, anchor, wants)
    }

    fn alias(&mut self) -> Result<(), YamlError> {
        let Token { kind: TokenKind::Alias(name), start } = self.scanner.take() else {
            unreachable!("`node` looked at the token")
        };
        let Some(target) = self.anchors.get(name.of(self.text)).copied() else {
            let problem = format!("unknown anchor '{}' referenced", name.of(self.text));
            return Err(YamlError::unnamed(start.line, start.column, problem));
        };
        let node = Node { value: name, ..Node::at(start, Kind::Alias(NodeId(target))) };
        self.add(node, None).map(drop)
    }

    /// Reads an anchor and a tag, in either order.
    fn properties(&mut self) -> Result<(Option<Text>, Option<Box<str>>), YamlError> {
        let mut anchor = None;
        let mut tag = None;
        loop {
            match self.scanner.peek()?.kind {
                TokenKind::Anchor(_) if anchor.is_none() => {
                    let TokenKind::Anchor(name) = self.scanner.take().kind else { continue };
                    anchor = Some(name);
                }
                TokenKind::Tag { .. } if tag.is_none() => {
                    let token = self.scanner.take();
                    let TokenKind::Tag { handle, suffix } = token.kind else { continue };
                    tag = Some((handle, suffix, token.start));
                }
                _ => break,
            }
        }
        let Some((handle, suffix, at)) = tag else { return Ok((anchor, None)) };
        if handle.is_empty() {
            let tag = (!suffix.is_empty()).then(|| suffix.into());
            return Ok((anchor, tag));
        }
        match self.tags.iter().find(|(known, _)| *known == handle) {
            Some((_, prefix)) if prefix.len() + suffix.len() > 0 => {
                Ok((anchor, Some(format!("{prefix}{suffix}").into())))
            }
            _ => Err(refused(at, "found undefined tag handle")),
        }
    }

    fn scalar(
        &mut self,
        start: Mark,
        anchor: Option<Text>,
        tag: Option<Box<str>>,
    ) -> Result<(), YamlError> {
        let TokenKind::Scalar(text, style) = self.scanner.take().kind else {
            unreachable!("`node` looked at the token")
        };
        let implicit = match tag.as_deref() {
            None => style == Style::Plain,
            Some(tag) => tag == "!",
        };
        let node = Node { style, implicit, tag, value: text, ..Node::at(start, Kind::Scalar) };
        self.add(node, anchor).map(drop)
    }

    fn empty_scalar(&mut self, at: Mark) -> Result<(), YamlError> {
        self.add(Node { implicit: true, ..Node::at(at, Kind::Scalar) }, None).map(drop)
    }

    fn open_node(
        &mut self,
        node: Node,
        anchor: Option<Text>,
        wants: Wants,
    ) -> Result<(), YamlError> {
        if self.open.len() >= self.depth_max {
            let problem = format!("{TOO_DEEP} of {}", self.depth_max);
            return Err(YamlError::at(Stage::Scanner, node.line, node.column, problem));
        }
        let node = self.add(node, anchor)?;
        self.open.push(Open { wants, node, last_child: NO_NODE });
        Ok(())
    }

    fn add(&mut self, node: Node, anchor: Option<Text>) -> Result<u32, YamlError> {
        let id = self.nodes.len() as u32;
        if self.nodes.len() >= self.nodes_max {
            let problem = format!("document has more than {} nodes", self.nodes_max);
            return Err(YamlError::at(Stage::Scanner, node.line, node.column, problem));
        }
        if let Some(anchor) = anchor {
            self.anchors.insert(anchor.of(self.text).into(), id);
        }
        self.nodes.push(node);
        if let Some(top) = self.open.last_mut() {
            match top.last_child {
                NO_NODE => self.nodes[top.node as usize].first_child = id,
                last => self.nodes[last as usize].next = id,
            }
            top.last_child = id;
        }
        Ok(id)
    }

    fn close(&mut self) {
        self.open.pop();
    }
}
