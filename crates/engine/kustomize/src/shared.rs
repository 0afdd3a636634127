//! Values that are one value at several places of an object.
//!
//! Kustomize puts one and the same node wherever it adds a label or an annotation that was not
//! there: into the metadata, the selector and the template. When an overlay then changes it at
//! one of these places, it changes at all of them. Users' objects look as they do because of
//! this, so it is kept: such entries bear the same number.

use crate::error::KustomizeError;
use crate::node::{Mapping, Node};
use crate::resource::Resource;

impl Resource {
    /// Changes the object; what changes at one place changes wherever it is shared.
    pub(crate) fn change<T>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<T, KustomizeError>,
    ) -> Result<T, KustomizeError> {
        if self.shared == 0 {
            return change(self);
        }
        let before = self.node.clone();
        let changed = change(self)?;
        spread(&before, &mut self.node);
        Ok(changed)
    }

    /// The number for values that are put at several places from now on.
    pub(crate) fn share(&mut self) -> u32 {
        self.shared += 1;
        self.shared
    }
}

type Values = Vec<(u32, Node)>;

/// Values with the number that they share, in the order in which patches walk.
fn collect(node: &Node, into: &mut Values) {
    match node {
        Node::Scalar(_) => {}
        Node::Sequence(items) => items.items().iter().for_each(|item| collect(item, into)),
        Node::Mapping(mapping) => {
            // Most of an object holds nothing that is shared, and is not sorted for nothing.
            let entries = mapping.entries().iter();
            let mut entries: Vec<_> =
                entries.filter(|entry| entry.shared != 0 || holds_shared(&entry.value)).collect();
            entries.sort_by(|one, other| one.key.text.cmp(&other.key.text));
            for entry in entries {
                if entry.shared != 0 {
                    into.push((entry.shared, entry.value.clone()));
                }
                collect(&entry.value, into);
            }
        }
    }
}

fn spread(before: &Node, after: &mut Node) {
    let (mut old, mut new) = (Values::new(), Values::new());
    collect(before, &mut old);
    collect(after, &mut new);
    let mut changed = Values::new();
    for (number, value) in new {
        let was = old.iter().find(|(other, _)| *other == number);
        if was.is_some_and(|(_, was)| *was != value) {
            // The last change counts.
            changed.retain(|(other, _)| *other != number);
            changed.push((number, value));
        }
    }
    if !changed.is_empty() {
        set(after, &changed);
    }
}

fn holds_shared(node: &Node) -> bool {
    match node {
        Node::Scalar(_) => false,
        Node::Sequence(items) => items.items().iter().any(holds_shared),
        Node::Mapping(mapping) => {
            mapping.entries().iter().any(|entry| entry.shared != 0 || holds_shared(&entry.value))
        }
    }
}

fn set(node: &mut Node, changed: &Values) {
    if !holds_shared(node) {
        return;
    }
    match node {
        Node::Scalar(_) => {}
        Node::Sequence(items) => items.items_mut().iter_mut().for_each(|item| set(item, changed)),
        Node::Mapping(mapping) => {
            for entry in mapping.entries_mut() {
                match changed.iter().find(|(number, _)| *number == entry.shared) {
                    Some((_, value)) => entry.value.clone_from(value),
                    None => set(&mut entry.value, changed),
                }
            }
        }
    }
}

/// Gives the last entry of a mapping, which was just added, its number.
pub(crate) fn mark_last(mapping: &mut Mapping, number: u32) {
    if let Some(entry) = mapping.entries_mut().last_mut() {
        entry.shared = number;
    }
}
