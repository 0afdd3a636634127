//! Files of resources: cut into documents, lists taken apart.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use goyaml::YamlError;

use crate::error::KustomizeError;
use crate::node::{Node, parse_odd_resource, parse_resource};
use crate::resource::{Origin, Resource};

/// Objects that one file may hold, lists taken apart.
const OBJECTS_MAX: usize = 200_000;

/// Why a file gives no resources.
#[derive(Debug)]
pub(crate) struct ReadError {
    /// What is wrong.
    pub(crate) error: KustomizeError,
    /// Whether it is no YAML, so that it certainly was meant as a file.
    pub(crate) malformed: bool,
}

impl From<ReadError> for KustomizeError {
    fn from(error: ReadError) -> Self {
        error.error
    }
}

impl ReadError {
    fn said(problem: impl Into<String>) -> Self {
        Self { error: KustomizeError::said(problem), malformed: false }
    }
}

/// Reads resources.
///
/// # Errors
///
/// What is no YAML, and an object without kind or name.
pub(crate) fn resources(bytes: &[u8], origin: &Origin) -> Result<Vec<Resource>, ReadError> {
    made(&Texts::of(bytes)?, origin)
}

/// As [`resources`], of a file whose bytes nobody else needs: their memory is free for what is read.
///
/// # Errors
///
/// As [`resources`].
pub(crate) fn resources_of_file(
    bytes: Arc<[u8]>,
    origin: &Origin,
) -> Result<Vec<Resource>, ReadError> {
    let texts = Texts::of(&bytes)?;
    drop(bytes);
    made(&texts, origin)
}

fn made(texts: &Texts, origin: &Origin) -> Result<Vec<Resource>, ReadError> {
    let nodes = flattened(nodes(texts)?)?;
    Ok(nodes.into_iter().map(|node| Resource::new(node, origin.clone())).collect())
}

/// The documents of a stream, each with a kind and a name.
fn nodes(texts: &Texts) -> Result<Vec<Node>, ReadError> {
    let mut nodes = documents(texts)?;
    nodes.retain(|node| !node.is_null_or_empty());
    nodes.iter().try_for_each(check)?;
    Ok(nodes)
}

/// The texts of a stream's documents.
enum Texts {
    /// Parts of one text.
    Parts(Arc<str>, Vec<Range<usize>>),
    /// Of a stream that is no text.
    Odd(Vec<Vec<u8>>),
}

impl Texts {
    fn of(bytes: &[u8]) -> Result<Self, ReadError> {
        let (bytes, ranges) = split(bytes)?;
        Ok(match std::str::from_utf8(&bytes) {
            Ok(text) => Texts::Parts(text.into(), ranges),
            Err(_) => Texts::Odd(ranges.into_iter().map(|range| bytes[range].to_vec()).collect()),
        })
    }

    fn read(&self) -> Vec<Result<Option<Node>, YamlError>> {
        match self {
            Texts::Parts(text, ranges) => {
                ranges.iter().map(|range| parse_resource(text, range.clone())).collect()
            }
            Texts::Odd(texts) => texts.iter().map(|text| parse_odd_resource(text)).collect(),
        }
    }
}

/// The documents of a stream; those that are empty or null are left out.
fn documents(texts: &Texts) -> Result<Vec<Node>, ReadError> {
    let read = texts.read();
    let single = read.len() == 1;
    let mut nodes = Vec::with_capacity(read.len());
    for node in read {
        let node = node.map_err(|error| ReadError {
            error: KustomizeError::from(error).inside("MalformedYAMLError"),
            malformed: true,
        })?;
        match node {
            Some(node) if !node.is_null() => nodes.push(node),
            Some(_) | None => {}
        }
    }
    if single && let Some(list) = nodes.first() {
        let kind = list.get("kind").and_then(Node::text).unwrap_or("");
        let is_list = matches!(kind, "List" | "ResourceList")
            && (list.get("items").is_some() || list.get("functionConfig").is_some());
        if is_list {
            let items = list.get("items").and_then(Node::as_sequence);
            return Ok(items.map_or_else(Vec::new, |items| items.items().to_vec()));
        }
    }
    Ok(nodes)
}

/// A stream with plain line breaks, and where its documents are.
type Cut<'a> = (Cow<'a, [u8]>, Vec<Range<usize>>);

/// Cuts a stream at lines that begin with `---`; the first line is none of them.
fn split(bytes: &[u8]) -> Result<Cut<'_>, ReadError> {
    let text: Cow<'_, [u8]> = if find(bytes, b"\r\n", 0).is_some() {
        let mut text = Vec::with_capacity(bytes.len());
        let mut from = 0;
        while let Some(at) = find(bytes, b"\r\n", from) {
            text.extend_from_slice(&bytes[from..at]);
            text.push(b'\n');
            from = at + 2;
        }
        text.extend_from_slice(&bytes[from..]);
        Cow::Owned(text)
    } else {
        Cow::Borrowed(bytes)
    };
    let mut ranges = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(at) = find(&text, b"\n---", from) {
        let Some(length) = text[at + 4..].iter().position(|byte| *byte == b'\n') else { break };
        let after = String::from_utf8_lossy(&text[at + 4..at + 4 + length]);
        let after = after.trim();
        if !after.is_empty() && !after.starts_with('#') {
            let separator = String::from_utf8_lossy(&text[at + 1..at + 4 + length]);
            let separator = separator.trim().to_owned();
            return Err(ReadError::said(format!("invalid document separator: {separator}")));
        }
        // The line break before the separator ends the document.
        ranges.push(start..at + 1);
        start = at + 4 + length + 1;
        from = start;
    }
    if start < text.len() || !ranges.is_empty() {
        ranges.push(start..text.len());
    }
    Ok((text, ranges))
}

fn find(text: &[u8], wanted: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find(text.get(from..)?, wanted).map(|at| from + at)
}

/// Every object has a kind, and a name unless it is a list.
pub(crate) fn check(node: &Node) -> Result<(), ReadError> {
    let text = |path: &[&str]| node.at(path).and_then(Node::text).unwrap_or("");
    let kind = text(&["kind"]);
    let name = text(&["metadata", "name"]);
    if !kind.is_empty() && (kind.ends_with("List") || !name.is_empty()) {
        return Ok(());
    }
    let has = |path: &[&str]| node.at(path).is_some_and(|node| !node.is_null_or_empty());
    let has_any = has(&["kind"])
        || has(&["apiVersion"])
        || ["name", "namespace", "labels", "annotations"].iter().any(|key| has(&["metadata", key]));
    if !has_any {
        return Err(ReadError::said("missing Resource metadata"));
    }
    let missing = if kind.is_empty() { "kind" } else { "metadata.name" };
    let map = |field: &str| {
        let entries = node.at(&["metadata", field]).and_then(Node::as_mapping);
        let entries = entries.into_iter().flat_map(|mapping| mapping.iter());
        let mut entries: Vec<String> =
            entries.map(|(key, value)| format!("{key}:{}", value.text().unwrap_or(""))).collect();
        entries.sort();
        entries.join(" ")
    };
    Err(ReadError::said(format!(
        "missing {missing} in object {{{{{} {kind}}} {{{{{name} {}}} map[{}] map[{}]}}}}",
        text(&["apiVersion"]),
        text(&["metadata", "namespace"]),
        map("labels"),
        map("annotations"),
    )))
}

/// Puts the items of lists at the end of all.
fn flattened(nodes: Vec<Node>) -> Result<Vec<Node>, ReadError> {
    let is_list = |node: &Node| {
        node.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"))
    };
    if !nodes.iter().any(is_list) {
        return Ok(nodes);
    }
    let mut waiting = VecDeque::from(nodes);
    let mut flat = Vec::new();
    while let Some(node) = waiting.pop_front() {
        if !is_list(&node) {
            flat.push(node);
            continue;
        }
        let kind = node.get("kind").and_then(Node::text).unwrap_or("").to_owned();
        let Some(items) = node.get("items") else {
            flat.push(node);
            continue;
        };
        let items = match items {
            Node::Sequence(items) => items,
            items if items.is_null() => continue,
            items => {
                let found = match items {
                    Node::Mapping(_) => "map[string]interface {}",
                    Node::Scalar(_) | Node::Sequence(_) => "string",
                };
                return Err(ReadError::said(format!(
                    "expected array in {kind}/items, but found {found}"
                )));
            }
        };
        for item in items.items() {
            let item = as_json(item).map_err(|error| {
                let expanding = format!("trouble expanding list of {kind}");
                ReadError { error: error.inside(expanding), malformed: false }
            })?;
            if item.is_null_or_empty() {
                continue;
            }
            let nested = item.get("kind").and_then(Node::text) == Some("List");
            match item.get("items").and_then(Node::as_sequence) {
                Some(inner) if nested => {
                    for inner in inner.items().iter().filter(|inner| !inner.is_null_or_empty()) {
                        check(inner)?;
                        waiting.push_back(inner.clone());
                    }
                }
                _ => {
                    check(&item)?;
                    waiting.push_back(item);
                }
            }
        }
        if waiting.len() + flat.len() > OBJECTS_MAX {
            return Err(ReadError::said(format!("more than {OBJECTS_MAX} objects in one file")));
        }
    }
    Ok(flat)
}

/// The node with its values settled, as it is when it was written as JSON and read again.
fn as_json(node: &Node) -> Result<Node, KustomizeError> {
    Ok(Node::from_json(&node.to_json()?))
}

#[cfg(test)]
mod tests;
