//! A document's nodes, as they were written.

use crate::token::Mark;

/// Names a node of one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(crate) u32);

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Scalar,
    /// Keys and values, in turn, as its children.
    Mapping,
    /// Items as its children.
    Sequence,
    /// Stands for another node.
    Alias(NodeId),
}

/// How a node was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes, and every collection in block style.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
    /// A collection as `[…]` or `{…}`.
    Flow,
}

/// Text that stands in the input as it is, or was made from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Text {
    /// Bytes of the input.
    Range(u32, u32),
    Owned(Box<str>),
}

impl Text {
    pub(crate) const EMPTY: Text = Text::Range(0, 0);

    pub(crate) fn of<'a>(&'a self, text: &'a str) -> &'a str {
        match self {
            Text::Range(start, end) => &text[*start as usize..*end as usize],
            Text::Owned(owned) => owned,
        }
    }
}

pub(crate) const NO_NODE: u32 = u32::MAX;

/// One node.
#[derive(Clone, Debug)]
pub struct Node {
    pub(crate) kind: Kind,
    pub(crate) style: Style,
    /// Whether the value decides the type: a plain scalar with no tag.
    pub(crate) implicit: bool,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) tag: Option<Box<str>>,
    pub(crate) value: Text,
    pub(crate) first_child: u32,
    pub(crate) next: u32,
}

impl Node {
    /// A node with nothing in it.
    pub(crate) fn at(mark: Mark, kind: Kind) -> Self {
        Self {
            kind,
            style: Style::Plain,
            implicit: false,
            line: mark.line,
            column: mark.column,
            tag: None,
            value: Text::EMPTY,
            first_child: NO_NODE,
            next: NO_NODE,
        }
    }

    /// What the node is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How it was written.
    pub fn style(&self) -> Style {
        self.style
    }

    /// Its line in the input, counted from 1.
    pub fn line(&self) -> u32 {
        self.line + 1
    }

    /// Its first character in the line, counted from 1.
    pub fn column(&self) -> u32 {
        self.column + 1
    }

    /// Its tag in full (`tag:yaml.org,2002:str`), where one was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }
}

/// The first document of a text.
#[derive(Clone, Debug)]
pub struct Document {
    pub(crate) text: String,
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Option<NodeId>,
}

impl Document {
    /// The outermost node; `None` for an empty text.
    pub fn root(&self) -> Option<NodeId> {
        self.root
    }

    /// Returns a node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// Returns a scalar's text, an alias' name, or `""`.
    pub fn value(&self, id: NodeId) -> &str {
        self.node(id).value.of(&self.text)
    }

    /// The text that scalars' ranges are in: the input, decoded.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a node's value stands in [`Document::text`], if it stands there as it reads.
    pub fn range(&self, id: NodeId) -> Option<std::ops::Range<u32>> {
        match self.node(id).value {
            Text::Range(start, end) => Some(start..end),
            Text::Owned(_) => None,
        }
    }

    /// The nodes inside a collection: items, or keys and values in turn.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let mut at = self.node(id).first_child;
        std::iter::from_fn(move || {
            let id = (at != NO_NODE).then_some(NodeId(at))?;
            at = self.node(id).next;
            Some(id)
        })
    }
}
