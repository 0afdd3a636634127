//! Strategic merge as kustomize does it, which is not as the API server does it.
//!
//! The patch and the object are walked together. A field of the patch takes the place of the
//! object's; null takes it away; mappings merge; lists are replaced, unless the schema gives
//! them keys (then see `list`). Every part of the object is walked, also where the patch says
//! nothing, and that tidies it: a field without a value goes, items of one name become one.

mod directive;
mod list;

use std::collections::BTreeSet;

use super::schema::{Schema, TypeId};
use crate::error::KustomizeError;
use crate::node::{Entry, Mapping, Node, Scalar, Tag, Text};
use directive::Directive;

/// Merges a patch into an object; `false` where the patch deletes it.
///
/// # Errors
///
/// Where both have a field that is of another shape in each, a directive is not known, or
/// either is nested too deep.
pub fn merge(object: &mut Node, patch: Node, schema: &Schema) -> Result<bool, KustomizeError> {
    if !is_within(object, DEPTH_MAX) || !is_within(&patch, DEPTH_MAX) {
        let problem = format!("a patch or its object is nested deeper than {DEPTH_MAX}");
        return Err(KustomizeError::said(problem));
    }
    let mut patch = patch;
    let outcome = Walker { schema }.walk(Some(object), Some(&mut patch), None)?;
    // A patch that says `$patch: replace` of the whole object replaces nothing, as upstream.
    Ok(!matches!(outcome, Outcome::Gone))
}

/// Collections inside each other that are merged: the walk calls itself for each.
const DEPTH_MAX: usize = 250;

/// Whether no more collections lie in each other.
fn is_within(node: &Node, depth: usize) -> bool {
    match node {
        Node::Scalar(_) => return true,
        _ if depth == 0 => return false,
        Node::Mapping(mapping) => {
            for entry in mapping.entries() {
                if !is_within(&entry.value, depth - 1) {
                    return false;
                }
            }
        }
        Node::Sequence(items) => {
            for item in items.items() {
                if !is_within(item, depth - 1) {
                    return false;
                }
            }
        }
    }
    true
}

/// What stands for two nodes after they were walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing.
    Gone,
    /// The object's node.
    Object,
    /// The patch's node.
    Patch,
    /// The object's null, which was written out.
    Null,
}

/// What a pair of nodes is, by the first of them that is not null.
enum Shape {
    Nothing,
    Scalar,
    Mapping,
    Sequence,
}

struct Walker<'a> {
    schema: &'a Schema,
}

type Merged<T> = Result<T, KustomizeError>;

fn is_nothing(node: Option<&Node>) -> bool {
    node.is_none_or(Node::is_null)
}

/// A scalar's text also where it is null; `""` for collections.
pub(crate) fn raw_text(node: &Node) -> &str {
    node.as_scalar().map_or("", |scalar| &*scalar.text)
}

impl Walker<'_> {
    /// The type that an object inside an object says of itself.
    fn own_type(&self, node: Option<&Node>) -> Option<TypeId> {
        let mapping = node?.as_mapping()?;
        let text = |key: &str| mapping.get(key).and_then(Node::text);
        self.schema.of_kind(text("apiVersion")?, text("kind")?)
    }

    fn field_type(&self, of: Option<TypeId>, name: &str) -> Option<TypeId> {
        self.schema.field(of?, name)
    }

    /// Merges the patch's node into the object's.
    fn walk(
        &self,
        object: Option<&mut Node>,
        patch: Option<&mut Node>,
        of: Option<TypeId>,
    ) -> Merged<Outcome> {
        let of = of
            .or_else(|| self.own_type(object.as_deref()))
            .or_else(|| self.own_type(patch.as_deref()));
        let first = [object.as_deref(), patch.as_deref()];
        let shape = match first.into_iter().flatten().find(|node| !node.is_null()) {
            None => Shape::Nothing,
            Some(Node::Scalar(_)) => Shape::Scalar,
            Some(Node::Mapping(_)) => Shape::Mapping,
            Some(Node::Sequence(_)) => Shape::Sequence,
        };
        check_shape(&shape, first)?;
        match shape {
            Shape::Nothing => Ok(match (object, patch) {
                (Some(object), None) if !raw_text(object).is_empty() => Outcome::Null,
                (_, Some(_)) => Outcome::Patch,
                (_, None) => Outcome::Gone,
            }),
            Shape::Scalar if patch.is_some() => Ok(Outcome::Patch),
            Shape::Scalar => {
                object.into_iter().for_each(quote_if_unset);
                Ok(Outcome::Object)
            }
            Shape::Mapping => self.mappings(object, patch, of),
            Shape::Sequence => match of.and_then(|of| Some((of, self.schema.merge_keys(of)?))) {
                Some((of, keys)) => self.lists(object, patch, keys, self.schema.items(of)),
                None if patch.is_some() => Ok(Outcome::Patch),
                None => Ok(Outcome::Object),
            },
        }
    }

    fn mappings(
        &self,
        object: Option<&mut Node>,
        patch: Option<&mut Node>,
        of: Option<TypeId>,
    ) -> Merged<Outcome> {
        let (object, patch) = match (object.filter(|node| !node.is_null()), patch) {
            (Some(object), None) => {
                self.tidy_fields(object, of)?;
                return Ok(Outcome::Object);
            }
            (_, None) => return Ok(Outcome::Gone),
            (None, Some(patch)) => {
                // What it says that nobody knows stays in it here, as upstream.
                if directive::take(patch).is_ok_and(|found| found == Directive::Delete) {
                    return Ok(Outcome::Gone);
                }
                self.settle_fields(patch, of)?;
                return Ok(Outcome::Patch);
            }
            (Some(_), Some(patch)) if patch.is_null() => return Ok(Outcome::Gone),
            (Some(object), Some(patch)) => (object, patch),
        };
        match directive::take(patch)? {
            Directive::Delete => return Ok(Outcome::Gone),
            Directive::Replace => {
                self.settle_fields(patch, of)?;
                return Ok(Outcome::Patch);
            }
            Directive::Merge => {}
        }
        let (Some(object), Some(patch)) = (object.as_mapping_mut(), patch.as_mapping_mut()) else {
            return Ok(Outcome::Object);
        };
        let names: BTreeSet<Text> = patch.iter().map(|(name, _)| name.clone()).collect();
        self.tidy_others(object, of, |name| names.contains(name))?;
        for name in &names {
            let field = self.field_type(of, name);
            let place = patch.position(name).expect("the name is the patch's");
            let Entry { key, value, .. } = &mut patch.entries_mut()[place];
            let outcome = self.walk(object.get_mut(name), Some(value), field)?;
            set_field(object, key, outcome, value);
        }
        Ok(Outcome::Object)
    }

    /// Walks the fields of a mapping of the object of which the patch says nothing.
    fn tidy_fields(&self, object: &mut Node, of: Option<TypeId>) -> Merged<()> {
        match object.as_mapping_mut() {
            Some(object) => self.tidy_others(object, of, |_| false),
            None => Ok(()),
        }
    }

    fn tidy_others(
        &self,
        object: &mut Mapping,
        of: Option<TypeId>,
        skip: impl Fn(&str) -> bool,
    ) -> Merged<()> {
        let mut at = 0;
        while at < object.len() {
            let Entry { key, value, .. } = &object.entries()[at];
            if skip(&key.text) {
                at += 1;
                continue;
            }
            let field = self.field_type(of, &key.text);
            if self.is_tidy(value, field) {
                at += 1;
                continue;
            }
            let value = &mut object.entries_mut()[at].value;
            match self.walk(Some(value), None, field)? {
                Outcome::Gone | Outcome::Patch => {
                    object.entries_mut().remove(at);
                }
                Outcome::Object | Outcome::Null => at += 1,
            }
        }
        Ok(())
    }

    /// Whether walking a node of which the patch says nothing would leave it as it is.
    fn is_tidy(&self, node: &Node, of: Option<TypeId>) -> bool {
        match node {
            Node::Scalar(scalar) if scalar.is_null() => !scalar.text.is_empty(),
            Node::Scalar(scalar) => scalar.quoted || scalar.tag != Tag::Unset,
            Node::Mapping(mapping) => {
                let of = of.or_else(|| self.own_type(Some(node)));
                mapping.iter().all(|(name, value)| self.is_tidy(value, self.field_type(of, name)))
            }
            Node::Sequence(sequence) => {
                let Some(of) = of else { return true };
                let Some(keys) = self.schema.merge_keys(of) else { return true };
                let items = self.schema.items(of);
                let [key] = keys else { return sequence.is_empty() };
                let mut names: Vec<&str> = Vec::with_capacity(sequence.len());
                sequence.items().iter().all(|item| {
                    let name = item.get(key).and_then(Node::text).unwrap_or("");
                    let told_apart = !name.is_empty() && !names.contains(&name);
                    names.push(name);
                    told_apart && self.is_tidy(item, items)
                })
            }
        }
    }

    /// Walks a node of the patch that came into the object as a whole; `false` where it goes.
    fn settle(&self, node: &mut Node, of: Option<TypeId>) -> Merged<bool> {
        let of = of.or_else(|| self.own_type(Some(node)));
        match node {
            Node::Scalar(scalar) => Ok(!scalar.is_null()),
            Node::Mapping(_) => {
                if directive::take(node)? == Directive::Delete {
                    return Ok(false);
                }
                self.settle_fields(node, of)?;
                Ok(true)
            }
            Node::Sequence(_) => {
                let Some(of) = of else { return Ok(true) };
                let Some(keys) = self.schema.merge_keys(of) else { return Ok(true) };
                if directive::take(node)? == Directive::Delete {
                    return Ok(false);
                }
                self.settle_list(node, keys, self.schema.items(of))?;
                Ok(true)
            }
        }
    }

    fn settle_fields(&self, node: &mut Node, of: Option<TypeId>) -> Merged<()> {
        let Some(mapping) = node.as_mapping_mut() else { return Ok(()) };
        let mut at = 0;
        while at < mapping.len() {
            let Entry { key, value, .. } = &mut mapping.entries_mut()[at];
            let field = self.field_type(of, &key.text);
            if self.settle(value, field)? {
                at += 1;
            } else {
                mapping.entries_mut().remove(at);
            }
        }
        Ok(())
    }
}

/// Puts the outcome of a field's walk into the object.
fn set_field(object: &mut Mapping, key: &Scalar, outcome: Outcome, patch: &Node) {
    let name = &key.text;
    match outcome {
        Outcome::Object | Outcome::Null => {}
        Outcome::Gone => {
            object.remove(name);
        }
        Outcome::Patch if patch.is_null() => {
            object.remove(name);
        }
        Outcome::Patch => match object.get_mut(name) {
            Some(there) => {
                // How the field was written stays, and that can decide the new value's type.
                let quoted =
                    there.as_scalar().is_some_and(|scalar| scalar.quoted && !scalar.is_null());
                *there = patch.clone();
                if let Some(scalar) = there.as_scalar_mut() {
                    scalar.quoted = quoted;
                }
            }
            None => {
                let mut value = patch.clone();
                quote_if_unset(&mut value);
                // A key loses its tag and keeps its quotes.
                let key = Scalar { tag: Tag::Unset, ..key.clone() };
                object.entries_mut().push(Entry::new(key, value));
            }
        },
    }
}

/// Text of no type that YAML 1.1 would not read as text is quoted when it is set.
fn quote_if_unset(node: &mut Node) {
    if let Node::Scalar(scalar) = node
        && scalar.tag == Tag::Unset
        && !scalar.quoted
    {
        scalar.quoted = !is_text_in_1_1(&scalar.text);
    }
}

pub(crate) fn is_text_in_1_1(text: &str) -> bool {
    text.is_empty()
        || text.contains('\n')
        || goyaml::to_json(text.as_bytes()).map_or(true, |value| value.is_string())
}

fn check_shape(shape: &Shape, nodes: [Option<&Node>; 2]) -> Merged<()> {
    let expected = match shape {
        Shape::Nothing => return Ok(()),
        Shape::Scalar => "ScalarNode",
        Shape::Mapping => "MappingNode",
        Shape::Sequence => "SequenceNode",
    };
    let mut nodes = nodes.into_iter().flatten().filter(|node| !node.is_null());
    match nodes.find(|node| node_kind(node) != expected) {
        Some(node) => Err(wrong_kind(expected, node)),
        None => Ok(()),
    }
}

fn node_kind(node: &Node) -> &'static str {
    match node {
        Node::Scalar(_) => "ScalarNode",
        Node::Mapping(_) => "MappingNode",
        Node::Sequence(_) => "SequenceNode",
    }
}

/// As kyaml says it.
pub(crate) fn wrong_kind(expected: &str, node: &Node) -> KustomizeError {
    let contents = node.to_json().ok().and_then(|value| goyaml::to_yaml(&value).ok());
    let contents = contents.unwrap_or_default();
    KustomizeError::said(format!(
        "wrong node kind: expected {expected} but got {}: node contents:\n{contents}",
        node_kind(node)
    ))
}

#[cfg(test)]
mod tests;
