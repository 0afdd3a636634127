//! A document whose fields were changed, printed again as kustomize's YAML library does:
//! indents of two, lists at their key's column, scalars quoted as they were.
//!
//! Comments stay where the text was laid out this way before; else they are lost.

use std::fmt::Write;

use goyaml::{Dialect, Document, Kind, Limits, NodeId, Style};
use serde_json::Value;

use crate::node::{Node, Scalar, Tag, parse_first};

/// Prints a changed document; `before` is its text before the change.
pub(super) fn print(before: &str, document: &Node) -> String {
    let Ok(written) = Document::parse(before.as_bytes(), Dialect::V3, &Limits::default()) else {
        return Printer { written: None, out: String::new() }.whole(document, None);
    };
    let root = written.root();
    let printed =
        |node: &Node| Printer { written: Some(&written), out: String::new() }.whole(node, root);
    let after = printed(document);
    let unchanged = parse_first(before.as_bytes()).ok().flatten().map(|node| printed(&node));
    unchanged.and_then(|unchanged| with_comments(before, &unchanged, &after)).unwrap_or(after)
}

/// Puts the changed lines into the text as it was, where that differs from what would be
/// printed by nothing but comments and empty lines.
fn with_comments(before: &str, unchanged: &str, after: &str) -> Option<String> {
    if !before.contains('#') {
        return None;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (unchanged.lines().collect(), after.lines().collect());
    let same = |(old, new): &(&&str, &&str)| old == new;
    let head = old.iter().zip(&new).take_while(same).count();
    let rest = old.len().min(new.len()) - head;
    let tail = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(same).count();
    let changed = head..old.len() - tail;
    let mut lines = old.iter().enumerate();
    let mut out = String::with_capacity(before.len() + 16);
    let mut comments = String::new();
    for line in before.lines() {
        let trimmed = line.trim_start();
        if trimmed.starts_with('#') {
            comments.push_str(line.trim_end());
            comments.push('\n');
            continue;
        }
        if trimmed.is_empty() {
            continue;
        }
        let (at, old) = lines.next()?;
        let comment = line.strip_prefix(old)?.trim();
        if !(comment.is_empty() || comment.starts_with('#')) {
            return None;
        }
        let in_changed = changed.contains(&at);
        // Comments between lines that are replaced go with them.
        if !in_changed || at == head {
            out.push_str(&comments);
        }
        comments.clear();
        // A changed line keeps its comment where it stays one line.
        let one_line = changed.len() == 1 && new.len() == head + 1 + tail;
        let written: &[&str] = match in_changed {
            true if at == head => &new[head..new.len() - tail],
            true => &[],
            false => std::slice::from_ref(old),
        };
        for line in written {
            out.push_str(line);
            if !comment.is_empty() && (!in_changed || one_line) {
                out.push(' ');
                out.push_str(comment);
            }
            out.push('\n');
        }
    }
    out.push_str(&comments);
    lines.next().is_none().then(|| out.trim().to_owned())
}

struct Printer<'a> {
    written: Option<&'a Document>,
    out: String,
}

impl Printer<'_> {
    fn whole(mut self, node: &Node, written: Option<NodeId>) -> String {
        match node {
            Node::Scalar(scalar) => self.scalar(scalar, written, 0),
            node if self.is_flow(node, written) => self.flow(node, written),
            node => self.block(node, written, 0),
        }
        self.out.trim().to_owned()
    }

    fn style(&self, written: Option<NodeId>) -> Style {
        match (self.written, written) {
            (Some(document), Some(id)) => document.node(id).style(),
            _ => Style::Plain,
        }
    }

    /// Aliases are written out, and what they stand for gives no style.
    fn children(&self, written: Option<NodeId>, kind: Kind) -> Vec<NodeId> {
        match (self.written, written) {
            (Some(document), Some(id)) if document.node(id).kind() == kind => {
                document.children(id).collect()
            }
            _ => Vec::new(),
        }
    }

    fn is_flow(&self, node: &Node, written: Option<NodeId>) -> bool {
        let empty = match node {
            Node::Mapping(mapping) => mapping.is_empty(),
            Node::Sequence(sequence) => sequence.is_empty(),
            Node::Scalar(_) => return false,
        };
        empty || self.style(written) == Style::Flow
    }

    /// The written node of each value of a mapping, keys beside them.
    fn values(
        &self,
        node: &Node,
        written: Option<NodeId>,
    ) -> Vec<(Option<NodeId>, Option<NodeId>)> {
        let children = self.children(written, Kind::Mapping);
        let Node::Mapping(mapping) = node else { return Vec::new() };
        let Some(document) = self.written else { return vec![(None, None); mapping.len()] };
        mapping
            .iter()
            .map(|(key, _)| {
                let mut pairs = children.chunks_exact(2);
                let pair = pairs.find(|pair| document.value(pair[0]) == &**key);
                (pair.map(|pair| pair[0]), pair.map(|pair| pair[1]))
            })
            .collect()
    }

    fn block(&mut self, node: &Node, written: Option<NodeId>, indent: usize) {
        match node {
            Node::Mapping(mapping) => {
                let places = self.values(node, written);
                for (at, (entry, (key, value))) in mapping.entries().iter().zip(places).enumerate()
                {
                    if at > 0 {
                        self.indent(indent);
                    }
                    self.scalar(&entry.key, key, indent);
                    self.out.truncate(self.out.trim_end_matches('\n').len());
                    self.out.push(':');
                    self.value(&entry.value, value, indent, false);
                }
            }
            Node::Sequence(sequence) => {
                let places = self.children(written, Kind::Sequence);
                for (at, item) in sequence.items().iter().enumerate() {
                    if at > 0 {
                        self.indent(indent);
                    }
                    self.out.push('-');
                    self.value(item, places.get(at).copied(), indent, true);
                }
            }
            Node::Scalar(scalar) => self.scalar(scalar, written, indent),
        }
    }

    /// What stands behind a key or a dash.
    fn value(&mut self, node: &Node, written: Option<NodeId>, indent: usize, of_list: bool) {
        match node {
            Node::Scalar(scalar) => {
                self.out.push(' ');
                self.scalar(scalar, written, indent + 2);
            }
            node if self.is_flow(node, written) => {
                self.out.push(' ');
                self.flow(node, written);
                self.out.push('\n');
            }
            node if of_list => {
                self.out.push(' ');
                self.block(node, written, indent + 2);
            }
            Node::Sequence(_) => {
                self.out.push('\n');
                self.indent(indent);
                self.block(node, written, indent);
            }
            Node::Mapping(_) => {
                self.out.push('\n');
                self.indent(indent + 2);
                self.block(node, written, indent + 2);
            }
        }
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    fn flow(&mut self, node: &Node, written: Option<NodeId>) {
        match node {
            Node::Scalar(scalar) => {
                let style = self.style(written);
                self.out.push_str(&in_line(scalar, style, true));
            }
            Node::Mapping(mapping) => {
                let places = self.values(node, written);
                self.out.push('{');
                for (at, (entry, (key, value))) in mapping.entries().iter().zip(places).enumerate()
                {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    let style = self.style(key);
                    self.out.push_str(&in_line(&entry.key, style, true));
                    self.out.push_str(": ");
                    self.flow(&entry.value, value);
                }
                self.out.push('}');
            }
            Node::Sequence(sequence) => {
                let places = self.children(written, Kind::Sequence);
                self.out.push('[');
                for (at, item) in sequence.items().iter().enumerate() {
                    if at > 0 {
                        self.out.push_str(", ");
                    }
                    self.flow(item, places.get(at).copied());
                }
                self.out.push(']');
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, written: Option<NodeId>, indent: usize) {
        let style = self.style(written);
        let as_block = match style {
            Style::Literal | Style::Folded => true,
            Style::Plain => scalar.text.contains('\n'),
            Style::SingleQuoted | Style::DoubleQuoted | Style::Flow => false,
        };
        let lone = scalar.text.ends_with([' ', '\t']) || scalar.text.is_empty();
        if !as_block || lone || scalar.text.contains(" \n") {
            let line = in_line(scalar, style, false);
            if line.is_empty() && self.out.ends_with([':', ' ']) {
                self.out.truncate(self.out.trim_end_matches(' ').len());
            }
            self.out.push_str(&line);
            self.out.push('\n');
            return;
        }
        let tag = tag_of(scalar);
        if !tag.is_empty() {
            let _ = write!(self.out, "{tag} ");
        }
        self.out.push(if style == Style::Folded { '>' } else { '|' });
        if scalar.text.starts_with([' ', '\n']) {
            self.out.push('2');
        }
        let body = scalar.text.trim_end_matches('\n');
        match scalar.text.len() - body.len() {
            0 => self.out.push('-'),
            1 if !body.is_empty() => {}
            _ => self.out.push('+'),
        }
        self.out.push('\n');
        let indent = indent.max(2);
        // Upstream looks at the text's first character where it means the next line's.
        let breaks_twice = style == Style::Folded
            && !scalar.text.trim_start_matches('\n').starts_with([' ', '\t']);
        for line in scalar.text.strip_suffix('\n').unwrap_or(&scalar.text).split('\n') {
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
                if breaks_twice && !line.starts_with([' ', '\t']) {
                    self.out.push('\n');
                }
            }
            self.out.push('\n');
        }
        if breaks_twice && !scalar.text.ends_with('\n') && self.out.ends_with("\n\n") {
            self.out.pop();
        }
    }
}

/// The tag that must be written for a scalar; `""` where its text says it.
fn tag_of(scalar: &Scalar) -> &'static str {
    match scalar.tag {
        Tag::Unset | Tag::Str => "",
        tag if tag == Tag::of(&scalar.text) => "",
        tag => tag.short(),
    }
}

/// A scalar on one line.
fn in_line(scalar: &Scalar, style: Style, in_flow: bool) -> String {
    let text: &str = &scalar.text;
    let natural = Tag::of(text);
    let tag = tag_of(scalar);
    let mut out = String::new();
    if !tag.is_empty() {
        let _ = write!(out, "{tag} ");
    }
    let must_quote = scalar.tag == Tag::Str && natural != Tag::Str;
    // The printer of the other dialect knows which text cannot stand plain; what it quotes
    // twice is text that only looks like another type.
    let other = goyaml::to_yaml(&Value::String(text.to_owned())).unwrap_or_default();
    let in_flow_unsafe = in_flow && text.contains([',', '[', ']', '{', '}', '?']);
    let unsafe_plain = other.starts_with('\'') || in_flow_unsafe || (in_flow && text.is_empty());
    let needs_escapes = text.chars().any(|char| char.is_control() || char == '\u{feff}');
    let quoted = match style {
        _ if needs_escapes => double_quoted(text),
        Style::DoubleQuoted => double_quoted(text),
        Style::SingleQuoted => single_quoted(text),
        _ if must_quote => double_quoted(text),
        _ if unsafe_plain => single_quoted(text),
        _ => text.to_owned(),
    };
    out.push_str(&quoted);
    out.truncate(out.trim_end_matches(' ').len());
    out
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{85}' => out.push_str("\\N"),
            '\u{a0}' => out.push_str("\\_"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            char if (char as u32) < 0x20 || char as u32 == 0x7f => {
                let _ = write!(out, "\\x{:02X}", char as u32);
            }
            char => out.push(char),
        }
    }
    out.push('"');
    out
}
