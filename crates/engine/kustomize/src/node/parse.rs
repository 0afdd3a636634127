//! Text to nodes, by the rules of kustomize's YAML library: aliases and merges are written out.

use std::ops::Range;
use std::sync::Arc;

use goyaml::{Dialect, Document, Kind, Limits, NodeId, Style, YamlError};

use super::folded::printed_and_read;
use super::{Entry, Mapping, Node, Scalar, Sequence, Tag, Text, fast};

/// Reads the first document of a text; `None` for an empty one.
///
/// # Errors
///
/// [`YamlError`] for what is no YAML, or what expands beyond [`Limits`].
pub fn parse_first(bytes: &[u8]) -> Result<Option<Node>, YamlError> {
    if let Some(node) = std::str::from_utf8(bytes).ok().and_then(|text| fast::parse(&text.into())) {
        return Ok(Some(node));
    }
    parse_slowly(bytes)
}

pub(super) fn parse_slowly(bytes: &[u8]) -> Result<Option<Node>, YamlError> {
    let document = Document::parse(bytes, Dialect::V3, &Limits::default())?;
    make(&document, Purpose::Text)
}

/// Reads one object of a file of resources, which stands in a range of the file's text; `None` for an
/// empty text. What is read shares the whole text.
///
/// Kustomize itself treats these in two ways that nobody asked for: a key `<<` is lost also
/// where it stands in quotes, and folded text (`>`) is printed and read once more.
///
/// # Errors
///
/// As [`parse_first`].
pub fn parse_resource(source: &Arc<str>, range: Range<usize>) -> Result<Option<Node>, YamlError> {
    if let Some(node) = fast::parse_range(source, range.clone()) {
        return Ok(Some(node));
    }
    parse_odd_resource(&source.as_bytes()[range])
}

/// As [`parse_resource`], of bytes that may be no text.
///
/// # Errors
///
/// As [`parse_first`].
pub fn parse_odd_resource(bytes: &[u8]) -> Result<Option<Node>, YamlError> {
    let document = Document::parse(bytes, Dialect::V3, &Limits::default())?;
    make(&document, Purpose::Resource)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Resource,
    Text,
}

/// Makes nodes of a document that was read with [`Dialect::V3`]; `None` for an empty one.
///
/// # Errors
///
/// [`YamlError`] where an alias contains itself, a merge is of no mapping, or aliases expand
/// beyond [`Limits`].
fn make(document: &Document, purpose: Purpose) -> Result<Option<Node>, YamlError> {
    let Some(root) = document.root() else { return Ok(None) };
    let limits = Limits::default();
    let mut maker = Maker {
        document,
        purpose,
        source: document.text().into(),
        left: limits.nodes_max,
        depth_left: limits.depth_max,
    };
    maker.node(root).map(Some)
}

struct Maker<'a> {
    document: &'a Document,
    purpose: Purpose,
    source: Arc<str>,
    /// Nodes that may still be made.
    left: usize,
    depth_left: usize,
}

impl Maker<'_> {
    fn refused(&self, id: NodeId, problem: &str) -> YamlError {
        YamlError::refused(self.document.node(id), problem)
    }

    fn node(&mut self, id: NodeId) -> Result<Node, YamlError> {
        let Some(left) = self.left.checked_sub(1) else {
            return Err(self.refused(id, "document contains excessive aliasing"));
        };
        self.left = left;
        match self.document.node(id).kind() {
            Kind::Scalar => Ok(Node::Scalar(self.scalar(id))),
            Kind::Mapping => self.deeper(id, Self::mapping),
            Kind::Sequence => self.deeper(id, Self::sequence),
            Kind::Alias(target) => self.deeper(id, |maker, _| maker.node(target)),
        }
    }

    fn deeper(
        &mut self,
        id: NodeId,
        inside: impl FnOnce(&mut Self, NodeId) -> Result<Node, YamlError>,
    ) -> Result<Node, YamlError> {
        let Some(left) = self.depth_left.checked_sub(1) else {
            return Err(self.refused(id, "exceeded max depth, or an anchor contains itself"));
        };
        self.depth_left = left;
        let node = inside(self, id)?;
        self.depth_left += 1;
        Ok(node)
    }

    fn scalar(&self, id: NodeId) -> Scalar {
        let node = self.document.node(id);
        let text = match self.document.range(id) {
            Some(range) => Text::slice(&self.source, range),
            None => Text::from(self.document.value(id).to_owned()),
        };
        let text = match (self.purpose, node.style()) {
            (Purpose::Resource, Style::Folded) => printed_and_read(&text).map_or(text, Text::from),
            _ => text,
        };
        let quoted = node.style() != Style::Plain;
        let tag = match node.tag() {
            None | Some("!") if quoted => Tag::Str,
            None | Some("!") if &*text == "<<" => Tag::Merge,
            None | Some("!") => Tag::of(&text),
            Some("tag:yaml.org,2002:str") => Tag::Str,
            Some("tag:yaml.org,2002:int") => Tag::Int,
            Some("tag:yaml.org,2002:float") => Tag::Float,
            Some("tag:yaml.org,2002:bool") => Tag::Bool,
            Some("tag:yaml.org,2002:null") => Tag::Null,
            Some("tag:yaml.org,2002:timestamp") => Tag::Timestamp,
            Some("tag:yaml.org,2002:binary") => Tag::Binary,
            Some("tag:yaml.org,2002:merge") => Tag::Merge,
            Some(_) => Tag::Other,
        };
        // A tag that is written stays written, so that quotes do not count.
        let is_said = !matches!(node.tag(), None | Some("!"));
        let quoted = quoted && (!is_said || matches!(tag, Tag::Str | Tag::Other));
        Scalar { text, tag, quoted }
    }

    fn sequence(&mut self, id: NodeId) -> Result<Node, YamlError> {
        let document = self.document;
        let flow = document.node(id).style() == Style::Flow;
        let mut items = Vec::new();
        for child in document.children(id) {
            let mut item = self.node(child)?;
            if flow {
                quote_if_empty(&mut item);
            }
            items.push(item);
        }
        Ok(Node::Sequence(Sequence::from(items)))
    }

    fn mapping(&mut self, id: NodeId) -> Result<Node, YamlError> {
        let document = self.document;
        let flow = document.node(id).style() == Style::Flow;
        let mut entries: Vec<Entry> = Vec::new();
        let mut merges: Vec<NodeId> = Vec::new();
        let mut one_is_lost = self.purpose == Purpose::Text;
        let mut children = document.children(id);
        while let (Some(key), Some(value)) = (children.next(), children.next()) {
            let Node::Scalar(key) = self.node(key)? else {
                return Err(self.refused(key, "a mapping's key must be a scalar"));
            };
            if key.tag == Tag::Merge {
                if !merges.is_empty() {
                    return Err(self.refused(value, "duplicate merge key"));
                }
                merges.push(value);
                one_is_lost = true;
                continue;
            }
            if &*key.text == "<<" && !one_is_lost {
                one_is_lost = true;
                continue;
            }
            let mut value = self.node(value)?;
            if flow {
                quote_if_empty(&mut value);
            }
            entries.push(Entry::new(key, value));
        }
        for merge in merges {
            self.merge(merge, &mut entries)?;
        }
        Ok(Node::Mapping(Mapping::from(entries)))
    }

    /// Adds what a merge brings, behind what stands there itself.
    fn merge(&mut self, id: NodeId, entries: &mut Vec<Entry>) -> Result<(), YamlError> {
        let bad = "map merge requires map or sequence of maps as the value";
        match self.node(id)? {
            Node::Mapping(mapping) => add_missing(entries, mapping),
            Node::Sequence(sequence) => {
                for item in sequence.into_items() {
                    match item {
                        Node::Mapping(mapping) => add_missing(entries, mapping),
                        Node::Scalar(_) | Node::Sequence(_) => return Err(self.refused(id, bad)),
                    }
                }
            }
            Node::Scalar(_) => return Err(self.refused(id, bad)),
        }
        Ok(())
    }
}

/// In `[…]` and `{…}`, null of no text is printed in quotes, and read back as text.
fn quote_if_empty(node: &mut Node) {
    if let Node::Scalar(scalar) = node
        && scalar.is_null()
        && scalar.text.is_empty()
    {
        scalar.quoted = true;
    }
}

fn add_missing(entries: &mut Vec<Entry>, from: Mapping) {
    for entry in from.into_entries() {
        if !entries.iter().any(|known| known.key.text == entry.key.text) {
            entries.push(entry);
        }
    }
}
