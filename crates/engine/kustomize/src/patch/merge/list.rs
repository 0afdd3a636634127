//! Lists whose items are told apart by the values of their merge keys.
//!
//! The result has first the patch's items in their order (an item that the object has too is
//! merged into it), then the object's others. With several keys (`containerPort` and
//! `protocol`), items that agree where both say something count as one. Items that lack keys
//! have consequences that nobody would think of; the order of the steps here is upstream's, so
//! that those come out the same.

use super::directive::{self, Directive};
use super::{Merged, Outcome, Walker, is_nothing, is_text_in_1_1, raw_text, wrong_kind};
use crate::node::{Entry, Node, Scalar, Sequence, Tag, Text};
use crate::patch::schema::TypeId;

/// Whether rebuilding a list leaves the item out.
pub(super) fn is_dropped(item: &Node) -> bool {
    item.is_null() || item.as_mapping().is_some_and(|mapping| mapping.is_empty())
}

/// The values of an item's keys, `""` for what it lacks.
type Values = Vec<Text>;

/// Items of both lists; lists here are places in it, since one item can stand in several.
struct Items {
    nodes: Vec<Node>,
}

type List = Vec<usize>;

impl Walker<'_> {
    pub(super) fn lists(
        &self,
        object: Option<&mut Node>,
        patch: Option<&mut Node>,
        keys: &[Box<str>],
        items: Option<TypeId>,
    ) -> Merged<Outcome> {
        if is_nothing(object.as_deref()) {
            return match patch {
                Some(patch) => {
                    self.settle_list(patch, keys, items)?;
                    Ok(Outcome::Patch)
                }
                None => Ok(Outcome::Gone),
            };
        }
        if patch.as_ref().is_some_and(|patch| patch.is_null()) {
            return Ok(Outcome::Gone);
        }
        let mut patch = patch;
        if let Some(patch) = &mut patch {
            match directive::take(patch)? {
                Directive::Delete => return Ok(Outcome::Gone),
                Directive::Replace => {
                    self.settle_list(patch, keys, items)?;
                    return Ok(Outcome::Patch);
                }
                Directive::Merge => {}
            }
        }
        let Some(object) = object.and_then(Node::as_sequence_mut) else {
            return Ok(Outcome::Object);
        };
        let mut nodes = object.items().to_vec();
        let objects: List = (0..nodes.len()).collect();
        if let Some(patch) = patch.as_deref().and_then(Node::as_sequence) {
            nodes.extend_from_slice(patch.items());
        }
        let patches: List = (objects.len()..nodes.len()).collect();
        if nodes.is_empty() {
            return Ok(Outcome::Object);
        }
        let mut items_of_both = Items { nodes };
        let merged = self.merge_items(&mut items_of_both, objects, Some(patches), keys, items)?;
        *object = items_of_both.take(&merged);
        Ok(Outcome::Object)
    }

    /// Walks a list that came from the patch as a whole: it is merged with itself.
    pub(super) fn settle_list(
        &self,
        list: &mut Node,
        keys: &[Box<str>],
        of_items: Option<TypeId>,
    ) -> Merged<()> {
        let Some(sequence) = list.as_sequence_mut() else { return Ok(()) };
        if sequence.is_empty() {
            return Ok(());
        }
        let nodes = sequence.items().to_vec();
        let all: List = (0..nodes.len()).collect();
        let mut items = Items { nodes };
        let merged = self.merge_items(&mut items, all, None, keys, of_items)?;
        *sequence = items.take(&merged);
        Ok(())
    }

    /// Returns the merged list; without `patches` the object's list stands for both.
    fn merge_items(
        &self,
        items: &mut Items,
        mut objects: List,
        patches: Option<List>,
        keys: &[Box<str>],
        of: Option<TypeId>,
    ) -> Merged<List> {
        let scalars = keys.is_empty();
        let keys: Vec<&str> =
            if scalars { vec![""] } else { keys.iter().map(|key| &**key).collect() };
        let mut all: Vec<Values> = Vec::new();
        for &place in patches.iter().flatten().chain(&objects) {
            let values = if scalars {
                vec![text(raw_text(&items.nodes[place]))]
            } else {
                items.values(place, &keys)
            };
            if !all.contains(&values) {
                all.push(values);
            }
        }
        if keys.len() > 1 {
            fill_in(&mut all);
        }
        let mut made = List::new();
        let mut last_keys = keys.clone();
        for values in &all {
            let (keys, values) = said(&all, values, &keys);
            let (match_keys, match_values) = said(std::slice::from_ref(&values), &values, &keys);
            let object = items.first_match(&objects, &match_keys, &match_values);
            let merged = match &patches {
                None => match object {
                    Some(place) => self.settle(&mut items.nodes[place], of)?.then_some(place),
                    None => None,
                },
                Some(patches) => {
                    let patch = items.first_match(patches, &match_keys, &match_values);
                    self.merge_pair(items, object, patch, of)?
                }
            };
            let merged = merged.filter(|&place| !is_dropped(&items.nodes[place]));
            match merged {
                None => items.set(&mut objects, None, &keys, &values)?,
                Some(place) => {
                    items.complete(place, &keys, &values)?;
                    items.set(&mut made, Some(place), &keys, &values)?;
                }
            }
            last_keys = keys;
        }
        items.append(&mut made, &objects, &last_keys)?;
        Ok(made)
    }

    fn merge_pair(
        &self,
        items: &mut Items,
        object: Option<usize>,
        patch: Option<usize>,
        of: Option<TypeId>,
    ) -> Merged<Option<usize>> {
        let mut take = |place: Option<usize>| {
            place.map(|place| std::mem::replace(&mut items.nodes[place], Node::null()))
        };
        let (mut object_node, mut patch_node) = (take(object), take(patch));
        let outcome = self.walk(object_node.as_mut(), patch_node.as_mut(), of);
        for (place, node) in [(object, object_node), (patch, patch_node)] {
            if let (Some(place), Some(node)) = (place, node) {
                items.nodes[place] = node;
            }
        }
        Ok(match outcome? {
            Outcome::Gone | Outcome::Null => None,
            Outcome::Object => object,
            Outcome::Patch => patch,
        })
    }
}

fn text(of: &str) -> Text {
    Text::from(of.to_owned())
}

/// The keys of which any item says a value, with the values of one item; all keys where no
/// item says any.
fn said<'k>(all: &[Values], values: &[Text], keys: &[&'k str]) -> (Vec<&'k str>, Values) {
    let is_said =
        |at: usize| all.iter().any(|values| values.get(at).is_some_and(|v| !v.is_empty()));
    let places: Vec<usize> = (0..keys.len()).filter(|&at| is_said(at)).collect();
    if places.is_empty() {
        return (keys.to_vec(), values.to_vec());
    }
    let kept = |at: &usize| !values[*at].is_empty() || is_said(*at);
    (
        places.iter().map(|&at| keys[at]).collect(),
        (0..values.len()).filter(kept).map(|at| values[at].clone()).collect(),
    )
}

/// Gives items that could be the same the values that either of them says.
fn fill_in(all: &mut [Values]) {
    for one in 0..all.len() {
        let values = all[one].clone();
        for other in 0..all.len() {
            if let Some(both) = agree(&values, &all[other]) {
                all[one].clone_from(&both);
                all[other] = both;
            }
        }
    }
}

/// The values of both, where at least one is equal and none contradicts.
fn agree(one: &[Text], other: &[Text]) -> Option<Values> {
    let mut equal = false;
    let mut both = Vec::with_capacity(one.len());
    for (one, other) in one.iter().zip(other) {
        both.push(match (one.is_empty(), other.is_empty()) {
            _ if one == other => {
                equal = true;
                one.clone()
            }
            (false, false) => return None,
            (false, true) => one.clone(),
            (true, _) => other.clone(),
        });
    }
    (equal && one.len() == other.len()).then_some(both)
}

impl Items {
    fn take(self, list: &List) -> Sequence {
        Sequence::from(list.iter().map(|&place| self.nodes[place].clone()).collect::<Vec<_>>())
    }

    fn values(&self, place: usize, keys: &[&str]) -> Values {
        let value = |key: &&str| {
            let value = self.nodes[place].get(key).filter(|value| !value.is_null_or_empty());
            text(value.map_or("", raw_text))
        };
        keys.iter().map(value).collect()
    }

    /// The first item whose keys have exactly these values.
    fn first_match(&self, list: &List, keys: &[&str], values: &[Text]) -> Option<usize> {
        let node = |place: &usize| &self.nodes[*place];
        if keys.first().is_none_or(|key| key.is_empty()) {
            let wanted = values.first().map_or("", |value| &**value);
            return list.iter().copied().find(|place| raw_text(node(place)) == wanted);
        }
        list.iter().copied().find(|place| {
            let Some(mapping) = node(place).as_mapping() else { return false };
            keys.iter().zip(values).all(|(key, value)| {
                mapping.get(key).is_some_and(|found| raw_text(found) == &**value)
            })
        })
    }

    /// Whether an item has this value in a key; no value asks for any.
    fn has(&self, place: usize, key: &str, value: &str) -> Merged<bool> {
        match &self.nodes[place] {
            node if node.is_null() => Ok(false),
            Node::Scalar(scalar) if key.is_empty() => Ok(*value == *scalar.text),
            node if key.is_empty() => Err(wrong_kind("ScalarNode", node)),
            Node::Mapping(mapping) => Ok(mapping
                .get(key)
                .is_some_and(|found| value.is_empty() || raw_text(found) == value)),
            node => Err(wrong_kind("MappingNode", node)),
        }
    }

    /// Whether an item is one of those that `set` means; keys without a value are as the last
    /// one that had.
    fn is_meant(&self, place: usize, keys: &[&str], values: &[Text]) -> Merged<bool> {
        let mut last = false;
        for (at, key) in keys.iter().enumerate() {
            if let Some(value) = values.get(at) {
                last = self.has(place, key, value)?;
            }
            if !last {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts an item in the place of those with these values, or at the end; without an item
    /// those go.
    fn set(
        &self,
        list: &mut List,
        item: Option<usize>,
        keys: &[&str],
        values: &[Text],
    ) -> Merged<()> {
        let of_mappings = keys.first().is_some_and(|key| !key.is_empty())
            && values.first().is_some_and(|value| !value.is_empty());
        let mut found = false;
        let mut kept = List::with_capacity(list.len() + 1);
        for &place in &*list {
            let node = &self.nodes[place];
            if is_dropped(node) {
                continue;
            }
            if of_mappings && node.as_mapping().is_none() {
                kept.push(place);
            } else if self.is_meant(place, keys, values)? {
                found = true;
                kept.extend(item);
            } else if !values.is_empty() {
                kept.push(place);
            }
        }
        *list = kept;
        if let Some(item) = item
            && !found
            && !self.nodes[item].is_null()
        {
            list.push(item);
        }
        Ok(())
    }

    /// Gives an item the keys that it lacks.
    fn complete(&mut self, place: usize, keys: &[&str], values: &[Text]) -> Merged<()> {
        for (key, value) in keys.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
            match &mut self.nodes[place] {
                Node::Mapping(mapping) if !mapping.contains(key) => {
                    let quoted = !is_text_in_1_1(value);
                    let value = Scalar { text: value.clone(), tag: Tag::Unset, quoted };
                    let key = Scalar::unset((*key).to_owned());
                    mapping.entries_mut().push(Entry::new(key, Node::Scalar(value)));
                }
                Node::Mapping(_) => {}
                Node::Scalar(scalar) if key.is_empty() => {
                    scalar.text = value.clone();
                    scalar.tag = Tag::Unset;
                }
                node if key.is_empty() => return Err(wrong_kind("ScalarNode", node)),
                node => return Err(wrong_kind("MappingNode", node)),
            }
        }
        Ok(())
    }

    /// Adds the object's items behind those that were made.
    fn append(&self, made: &mut List, objects: &List, keys: &[&str]) -> Merged<()> {
        for &place in objects {
            let node = &self.nodes[place];
            if keys.first().is_none_or(|key| key.is_empty()) {
                self.set(made, Some(place), &[""], &[text(raw_text(node))])?;
                continue;
            }
            let mut values = Values::new();
            for key in keys {
                let found = match node {
                    node if node.is_null() => None,
                    Node::Mapping(mapping) => mapping.get(key),
                    node => return Err(wrong_kind("MappingNode", node)),
                };
                match found {
                    Some(value) => values.push(text(raw_text(value))),
                    None => made.push(place),
                }
            }
            if keys.len() > 1 {
                self.set(made, None, keys, &values)?;
            }
            self.set(made, Some(place), keys, &values)?;
        }
        Ok(())
    }
}
