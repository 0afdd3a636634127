//! Paths to one field: `spec.containers.[name=web].image`, `data.app\.yaml`, `args.0`, `args.-`.

use crate::error::KustomizeError;
use crate::node::Node;
use crate::patch::{raw_text, wrong_kind};

/// Cuts a path at its dots; `\.` is a dot, and what stands in brackets stays together (without
/// them where it holds no `=`: then it is a name that has dots).
pub(crate) fn split_path(path: &str) -> Vec<String> {
    let pieces = split_escaped(path);
    let mut parts = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut whole = piece;
        for more in pieces.by_ref() {
            whole.push('.');
            whole.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        if whole.contains('=') {
            parts.push(whole);
        } else {
            parts.push(whole.trim_matches(['[', ']']).to_owned());
        }
    }
    parts
}

fn split_escaped(path: &str) -> Vec<String> {
    let mut pieces = path.split('.').peekable();
    let mut first = pieces.next().unwrap_or_default();
    if first.is_empty() && pieces.peek().is_some() {
        first = pieces.next().unwrap_or_default();
    }
    let mut parts = vec![first.to_owned()];
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push('.');
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// Cuts `[name=value]`.
///
/// # Errors
///
/// Where there is no `=`.
pub(super) fn name_and_value(part: &str) -> Result<(&str, &str), KustomizeError> {
    let inside = part.strip_suffix(']').unwrap_or(part);
    let inside = inside.strip_prefix('[').unwrap_or(inside);
    inside.split_once('=').ok_or_else(|| {
        KustomizeError::said(
            "list path element must contain fieldName=fieldValue for element to match",
        )
    })
}

/// Whether a part chooses items of a list by what they say.
pub(super) fn is_choice(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

/// Go's `strconv.Atoi`.
pub(super) fn whole_number(part: &str) -> Option<i64> {
    part.parse().ok()
}

/// The node at the end of a path, `None` where there is none.
///
/// # Errors
///
/// Where something on the way is of another shape than the path says.
pub(crate) fn lookup<'a>(
    node: &'a Node,
    path: &[String],
) -> Result<Option<&'a Node>, KustomizeError> {
    let mut at = node;
    for part in path.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        let Some(place) = step(at, part)? else { return Ok(None) };
        at = inner(at, place);
    }
    Ok(Some(at))
}

/// As [`lookup`], but tells the way: places in mappings and lists.
pub(super) fn locate(node: &Node, path: &[String]) -> Option<Vec<usize>> {
    let mut at = node;
    let mut places = Vec::with_capacity(path.len());
    for part in path.iter().map(|part| part.trim()).filter(|part| !part.is_empty()) {
        let place = step(at, part).ok()??;
        places.push(place);
        at = inner(at, place);
    }
    Some(places)
}

fn inner(node: &Node, place: usize) -> &Node {
    match node {
        Node::Mapping(mapping) => &mapping.entries()[place].value,
        Node::Sequence(sequence) => &sequence.items()[place],
        Node::Scalar(_) => node,
    }
}

/// Where in a mapping or a list a part of a path leads.
fn step(at: &Node, part: &str) -> Result<Option<usize>, KustomizeError> {
    if let Some(index) = whole_number(part) {
        let Ok(index) = usize::try_from(index) else {
            let problem = format!("array index {index} cannot be negative");
            return Err(KustomizeError::said(problem));
        };
        let length = items(at)?.len();
        return Ok(Some(index).filter(|&index| index < length));
    }
    match part {
        "-" => Ok(items(at)?.len().checked_sub(1)),
        "*" => Err(KustomizeError::said("wildcard is not supported in PathGetter")),
        part if is_choice(part) => {
            let (name, value) = name_and_value(part)?;
            Ok(items(at)?.iter().position(|item| match name {
                "" => raw_text(item) == value,
                name => item.get(name).is_some_and(|field| raw_text(field) == value),
            }))
        }
        name => {
            field(at, name)?;
            Ok(at.as_mapping().and_then(|mapping| mapping.position(name)))
        }
    }
}

pub(super) fn items(node: &Node) -> Result<&[Node], KustomizeError> {
    match node {
        Node::Sequence(sequence) => Ok(sequence.items()),
        node if node.is_null() => Ok(&[]),
        node => Err(wrong_kind("SequenceNode", node)),
    }
}

pub(super) fn field<'a>(node: &'a Node, name: &str) -> Result<Option<&'a Node>, KustomizeError> {
    match node {
        Node::Mapping(mapping) => Ok(mapping.get(name)),
        node if node.is_null() => Ok(None),
        node => Err(wrong_kind("MappingNode", node)),
    }
}
