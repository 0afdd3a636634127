//! The one form in which every part of this crate holds YAML.
//!
//! A scalar keeps its text, its tag and whether it was quoted until the end: edits of names
//! and images act on text, and only the printed object has types. Collections are shared and
//! copied when they are written to, so that cloning a document costs nothing.

mod fast;
mod folded;
mod json;
mod mapping;
mod parse;
mod print;
mod text;
mod timestamp;

pub use json::NodeJsonError;
pub use mapping::{Entry, Mapping};
pub use parse::{parse_first, parse_odd_resource, parse_resource};
pub use text::Text;

use std::sync::Arc;

/// What a scalar is, by its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// Nobody said: the text decides when it is read (only in nodes that were made, not read).
    Unset,
    /// `!!str`
    Str,
    /// `!!int`
    Int,
    /// `!!float`
    Float,
    /// `!!bool`
    Bool,
    /// `!!null`
    Null,
    /// `!!timestamp`
    Timestamp,
    /// `!!binary`
    Binary,
    /// `!!merge`
    Merge,
    /// Any other; it reads as text.
    Other,
}

impl Tag {
    /// The tag that YAML gives to a plain scalar of this text.
    pub fn of(text: &str) -> Self {
        match goyaml::resolve(goyaml::Dialect::V3, text) {
            goyaml::Scalar::Null => Tag::Null,
            goyaml::Scalar::Bool(_) => Tag::Bool,
            goyaml::Scalar::Int(_) | goyaml::Scalar::Uint(_) => Tag::Int,
            goyaml::Scalar::Float(_) => Tag::Float,
            goyaml::Scalar::Timestamp => Tag::Timestamp,
            goyaml::Scalar::Merge => Tag::Merge,
            goyaml::Scalar::Str => Tag::Str,
        }
    }

    /// As an error message of kustomize's names it.
    pub fn short(self) -> &'static str {
        match self {
            Tag::Unset => "",
            Tag::Str => "!!str",
            Tag::Int => "!!int",
            Tag::Float => "!!float",
            Tag::Bool => "!!bool",
            Tag::Null => "!!null",
            Tag::Timestamp => "!!timestamp",
            Tag::Binary => "!!binary",
            Tag::Merge => "!!merge",
            Tag::Other => "!other",
        }
    }
}

/// Text with its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text, quotes and escapes resolved.
    pub text: Text,
    /// What it is.
    pub tag: Tag,
    /// Whether it was written in quotes or as a block of text (`|`, `>`).
    pub quoted: bool,
}

impl Scalar {
    /// A string, whatever its text looks like.
    pub fn string(text: impl Into<Text>) -> Self {
        Self { text: text.into(), tag: Tag::Str, quoted: false }
    }

    /// What the text would be if it stood plain in a file.
    pub fn plain(text: impl Into<Text>) -> Self {
        let text = text.into();
        Self { tag: Tag::of(&text), text, quoted: false }
    }

    /// As kyaml's `NewScalarRNode`: no tag yet, the text decides when it is printed.
    pub fn unset(text: impl Into<Text>) -> Self {
        Self { text: text.into(), tag: Tag::Unset, quoted: false }
    }

    /// `null`.
    pub fn null() -> Self {
        Self { text: Text::from("null"), tag: Tag::Null, quoted: false }
    }

    /// Whether its tag is `!!null`.
    pub fn is_null(&self) -> bool {
        self.tag == Tag::Null
    }
}

/// A YAML value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Text with its type.
    Scalar(Scalar),
    /// Keys and values, in order.
    Mapping(Mapping),
    /// Items.
    Sequence(Sequence),
}

/// Items in order, shared until written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence(Arc<Vec<Node>>);

impl Sequence {
    /// The items.
    pub fn items(&self) -> &[Node] {
        &self.0
    }

    /// The items, to be changed.
    pub fn items_mut(&mut self) -> &mut Vec<Node> {
        Arc::make_mut(&mut self.0)
    }

    /// The items, moved out.
    pub fn into_items(self) -> Vec<Node> {
        Arc::unwrap_or_clone(self.0)
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<Node>> for Sequence {
    fn from(items: Vec<Node>) -> Self {
        Self(Arc::new(items))
    }
}

impl Node {
    /// A string, whatever its text looks like.
    pub fn string(text: impl Into<Text>) -> Self {
        Node::Scalar(Scalar::string(text))
    }

    /// `null`.
    pub fn null() -> Self {
        Node::Scalar(Scalar::null())
    }

    /// `{}`.
    pub fn mapping() -> Self {
        Node::Mapping(Mapping::default())
    }

    /// `[]`.
    pub fn sequence() -> Self {
        Node::Sequence(Sequence::default())
    }

    /// Whether this is a scalar tagged `!!null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Node::Scalar(scalar) if scalar.is_null())
    }

    /// Whether this is null, `{}` or `[]`.
    pub fn is_null_or_empty(&self) -> bool {
        match self {
            Node::Scalar(scalar) => scalar.is_null(),
            Node::Mapping(mapping) => mapping.is_empty(),
            Node::Sequence(sequence) => sequence.is_empty(),
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match self {
            Node::Scalar(scalar) => Some(scalar),
            Node::Mapping(_) | Node::Sequence(_) => None,
        }
    }

    /// The scalar, to be changed.
    pub fn as_scalar_mut(&mut self) -> Option<&mut Scalar> {
        match self {
            Node::Scalar(scalar) => Some(scalar),
            Node::Mapping(_) | Node::Sequence(_) => None,
        }
    }

    /// A scalar's text, whatever its tag; `None` for collections and null.
    pub fn text(&self) -> Option<&str> {
        self.as_scalar().filter(|scalar| !scalar.is_null()).map(|scalar| &*scalar.text)
    }

    /// The mapping, if it is one.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        match self {
            Node::Mapping(mapping) => Some(mapping),
            Node::Scalar(_) | Node::Sequence(_) => None,
        }
    }

    /// The mapping, to be changed.
    pub fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match self {
            Node::Mapping(mapping) => Some(mapping),
            Node::Scalar(_) | Node::Sequence(_) => None,
        }
    }

    /// The sequence, if it is one.
    pub fn as_sequence(&self) -> Option<&Sequence> {
        match self {
            Node::Sequence(sequence) => Some(sequence),
            Node::Scalar(_) | Node::Mapping(_) => None,
        }
    }

    /// The sequence, to be changed.
    pub fn as_sequence_mut(&mut self) -> Option<&mut Sequence> {
        match self {
            Node::Sequence(sequence) => Some(sequence),
            Node::Scalar(_) | Node::Mapping(_) => None,
        }
    }

    /// A field of a mapping; `None` for anything else.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_mapping()?.get(key)
    }

    /// A field of a mapping, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.as_mapping_mut()?.get_mut(key)
    }

    /// The node at the end of a path of mapping keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The node at the end of a path of mapping keys, to be changed.
    ///
    /// Nothing is copied where the path does not lead anywhere.
    pub fn at_mut(&mut self, path: &[&str]) -> Option<&mut Node> {
        self.at(path)?;
        path.iter().try_fold(self, |node, key| node.get_mut(key))
    }

    /// The mapping at the end of a path of mapping keys; what is missing or null is made.
    ///
    /// `None` where something on the path is no mapping.
    pub fn ensure_mapping(&mut self, path: &[&str]) -> Option<&mut Mapping> {
        let mut node = self;
        for key in path {
            node = node.as_mapping_mut()?.get_or_insert_with(key, Node::mapping);
            if node.is_null() {
                *node = Node::mapping();
            }
        }
        node.as_mapping_mut()
    }
}

#[cfg(test)]
mod tests;
