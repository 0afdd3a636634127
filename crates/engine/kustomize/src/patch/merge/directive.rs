//! `$patch: delete|replace|merge`, on a mapping, or alone in an item of a list.

use super::list::is_dropped;
use super::raw_text;
use crate::error::KustomizeError;
use crate::node::{Node, Text};

const KEY: &str = "$patch";

/// What a patch says to do with the node that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    /// Take it away.
    Delete,
    /// Put this in its place.
    Replace,
    /// Nothing special.
    Merge,
}

/// Takes the directive out of a patch's node.
///
/// # Errors
///
/// Where it is none of the three; it stays in the node then.
pub(super) fn take(node: &mut Node) -> Result<Directive, KustomizeError> {
    match node {
        Node::Scalar(_) => Ok(Directive::Merge),
        Node::Mapping(mapping) => {
            let Some(value) = mapping.get(KEY) else { return Ok(Directive::Merge) };
            let directive = read(raw_text(value))?;
            mapping.remove(KEY);
            Ok(directive)
        }
        Node::Sequence(sequence) => {
            // Only the first item that has a directive counts, and only where it has no more.
            let first = sequence.items().iter().find_map(|item| {
                let mapping = item.as_mapping()?;
                Some((mapping.len(), mapping.get(KEY)?))
            });
            let Some((1, value)) = first else { return Ok(Directive::Merge) };
            let said = Text::from(raw_text(value).to_owned());
            let directive = read(&said)?;
            sequence.items_mut().retain(|item| {
                let says_so = item.get(KEY).is_some_and(|value| raw_text(value) == &*said);
                !is_dropped(item) && !says_so
            });
            Ok(directive)
        }
    }
}

fn read(text: &str) -> Result<Directive, KustomizeError> {
    match text {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        other => Err(KustomizeError::said(format!("unknown patch strategy '{other}'"))),
    }
}
