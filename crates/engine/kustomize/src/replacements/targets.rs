//! Every field that a path means: `*` for all items, `[name=regex]` for some, made where the
//! replacement says so.

use super::lookup::{field, is_choice, items, name_and_value, whole_number};
use crate::error::KustomizeError;
use crate::node::{Node, Scalar, Tag};
use crate::selector::go_regex;

/// What is made at the end of a path that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    Scalar,
    Mapping,
    Sequence,
}

impl Made {
    /// What can take such a value.
    pub(super) fn like(value: &Node) -> Self {
        match value {
            Node::Scalar(_) => Made::Scalar,
            Node::Mapping(_) => Made::Mapping,
            Node::Sequence(_) => Made::Sequence,
        }
    }

    /// What must stand before the rest of a path.
    fn before(self, next: Option<&String>) -> Node {
        match next.map(String::as_str) {
            None | Some("") => match self {
                Made::Scalar => Node::Scalar(Scalar::unset("")),
                Made::Mapping => Node::mapping(),
                Made::Sequence => Node::sequence(),
            },
            Some(part) if is_choice(part) || is_index(part) => Node::sequence(),
            Some(_) => Node::mapping(),
        }
    }
}

fn is_index(part: &str) -> bool {
    whole_number(part).is_some_and(|index| index >= 0)
}

/// The way from an object to a node: places in mappings and lists. `None` for a node that is
/// no part of the object, because it stands in a text that was read: what is put there is lost,
/// as upstream.
pub(super) type Place = Option<Vec<usize>>;

/// The node at a place.
pub(super) fn at<'a>(node: &'a mut Node, place: &Place) -> Option<&'a mut Node> {
    place.as_ref()?.iter().try_fold(node, |node, &index| match node {
        Node::Mapping(mapping) => {
            mapping.entries_mut().get_mut(index).map(|entry| &mut entry.value)
        }
        Node::Sequence(sequence) => sequence.items_mut().get_mut(index),
        Node::Scalar(_) => None,
    })
}

/// Puts a value into a node: of a scalar only the text changes, never its type.
pub(super) fn put(node: &mut Node, value: &Node) {
    match node {
        Node::Scalar(scalar) => {
            scalar.text = match value {
                Node::Scalar(value) => value.text.clone(),
                Node::Mapping(_) | Node::Sequence(_) => "".into(),
            };
        }
        Node::Mapping(_) | Node::Sequence(_) => node.clone_from(value),
    }
}

/// Finds, and with `create` makes, the nodes that a path means.
///
/// # Errors
///
/// Where something on the way is of another shape, an index is beyond the list, or an
/// expression is none.
pub(super) fn find(
    node: &mut Node,
    path: &[String],
    create: Option<Made>,
) -> Result<Vec<Place>, KustomizeError> {
    if create.is_some() && path.iter().all(String::is_empty) {
        // What would be made is a scalar, and here stands the object.
        return Err(KustomizeError::said(
            "wrong node kind: expected ScalarNode but got MappingNode",
        ));
    }
    let mut found = Vec::new();
    walk(node, path, create, &mut Some(Vec::new()), &mut found)?;
    Ok(found)
}

fn walk(
    node: &mut Node,
    path: &[String],
    create: Option<Made>,
    place: &mut Place,
    found: &mut Vec<Place>,
) -> Result<(), KustomizeError> {
    let Some((part, rest)) = path.split_first() else {
        found.push(place.clone());
        return Ok(());
    };
    if is_index(part) {
        index_item(node, part, rest, create, place, found)
    } else if is_choice(part) {
        chosen_items(node, part, rest, create, place, found)
    } else if part == "*" {
        for index in 0..items(node)?.len() {
            walk_item(node, index, rest, create, place, found)?;
        }
        Ok(())
    } else {
        named_field(node, part, rest, create, place, found)
    }
}

fn walk_item(
    node: &mut Node,
    index: usize,
    rest: &[String],
    create: Option<Made>,
    place: &mut Place,
    found: &mut Vec<Place>,
) -> Result<(), KustomizeError> {
    let item = match node {
        Node::Mapping(mapping) => &mut mapping.entries_mut()[index].value,
        Node::Sequence(sequence) => &mut sequence.items_mut()[index],
        Node::Scalar(_) => return Ok(()),
    };
    if let Some(place) = place {
        place.push(index);
    }
    walk(item, rest, create, place, found)?;
    if let Some(place) = place {
        place.pop();
    }
    Ok(())
}

fn named_field(
    node: &mut Node,
    name: &str,
    rest: &[String],
    create: Option<Made>,
    place: &mut Place,
    found: &mut Vec<Place>,
) -> Result<(), KustomizeError> {
    if field(node, name)?.is_none() {
        let Some(create) = create else { return Ok(()) };
        let made = create.before(rest.first());
        match node {
            Node::Mapping(mapping) => mapping.insert(name.to_owned(), made),
            // What is made under null is never printed.
            _ => return walk(&mut made.clone(), rest, Some(create), &mut None, found),
        }
    }
    let Some(mapping) = node.as_mapping_mut() else { return Ok(()) };
    let Some(index) = mapping.position(name) else { return Ok(()) };
    let value = &mapping.entries()[index].value;
    if let (Node::Scalar(scalar), false) = (value, rest.is_empty()) {
        let read = crate::node::parse_first(scalar.text.as_bytes())?;
        let mut read = read.unwrap_or_else(|| Node::Scalar(Scalar::unset("")));
        return walk(&mut read, rest, create, &mut None, found);
    }
    walk_item(node, index, rest, create, place, found)
}

fn index_item(
    node: &mut Node,
    part: &str,
    rest: &[String],
    create: Option<Made>,
    place: &mut Place,
    found: &mut Vec<Place>,
) -> Result<(), KustomizeError> {
    let index = whole_number(part).and_then(|index| usize::try_from(index).ok());
    let index = index.unwrap_or(usize::MAX);
    let length = items(node)?.len();
    if let (Some(create), true) = (create, length == index) {
        let item = create.before(rest.first());
        match node {
            Node::Sequence(sequence) => sequence.items_mut().push(item),
            _ => return walk(&mut item.clone(), rest, Some(create), &mut None, found),
        }
    }
    let length = items(node)?.len();
    if index >= length {
        return Err(KustomizeError::said(format!(
            "index {part} specified but only {length} elements found"
        )));
    }
    walk_item(node, index, rest, create, place, found)
}

fn chosen_items(
    node: &mut Node,
    part: &str,
    rest: &[String],
    create: Option<Made>,
    place: &mut Place,
    found: &mut Vec<Place>,
) -> Result<(), KustomizeError> {
    let (name, pattern) = name_and_value(part)?;
    let before = found.len();
    choose(node, name, pattern, rest, create, place, found)?;
    if found.len() > before || create.is_none() {
        return Ok(());
    }
    let value = Node::Scalar(Scalar::unset(pattern.to_owned()));
    let item = match name {
        "" => value,
        name => {
            let mut item = Node::mapping();
            if let Some(mapping) = item.as_mapping_mut() {
                mapping.insert(name.to_owned(), value);
            }
            item
        }
    };
    match node {
        Node::Sequence(sequence) => sequence.items_mut().push(item),
        // What is made under null is never printed.
        node if node.is_null() => {
            let mut list = Node::Sequence(vec![item].into());
            return choose(&mut list, name, pattern, rest, create, &mut None, found);
        }
        _ => return Err(KustomizeError::said(format!("failed to create element for {part:?}"))),
    }
    choose(node, name, pattern, rest, create, place, found)
}

fn choose(
    node: &mut Node,
    name: &str,
    pattern: &str,
    rest: &[String],
    create: Option<Made>,
    place: &mut Place,
    found: &mut Vec<Place>,
) -> Result<(), KustomizeError> {
    let length = items(node)?.len();
    if length == 0 {
        return Ok(());
    }
    let regex = go_regex(pattern)?;
    for index in 0..length {
        let item = &items(node)?[index];
        let said = match name {
            "" => Some(item),
            name => item.get(name),
        };
        if !said.is_some_and(|said| regex.is_match(printed(said).trim())) {
            continue;
        }
        // Items that are scalars end a path, whatever follows.
        let rest = if name.is_empty() { &[] } else { rest };
        walk_item(node, index, rest, create, place, found)?;
    }
    Ok(())
}

/// A scalar as it is printed, quotes included.
fn printed(node: &Node) -> String {
    match node {
        Node::Scalar(scalar) => {
            let needs_quotes = matches!(scalar.tag, Tag::Str) && Tag::of(&scalar.text) != Tag::Str;
            if scalar.quoted || needs_quotes {
                format!("\"{}\"", scalar.text)
            } else {
                scalar.text.to_string()
            }
        }
        other => {
            let value = other.to_json().ok();
            value.and_then(|value| goyaml::to_yaml(&value).ok()).unwrap_or_default()
        }
    }
}
