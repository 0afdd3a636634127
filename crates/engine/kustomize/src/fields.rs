//! Walking to fields and setting them, as kustomize's field specs do.

use crate::config::FieldSpec;
use crate::error::{Inside, KustomizeError};
use crate::node::{Entry, Mapping, Node, Scalar, Sequence, Tag, Text};
use crate::resid::{Gvk, ResId};

/// What is made where a field is missing, if its spec wants it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// Nothing.
    Nothing,
    /// A scalar with this tag.
    Scalar(Tag),
    /// A mapping.
    Mapping,
}

/// Cuts a path at its `/`; `\/` stands for one.
pub(crate) fn path_parts(path: &str) -> Vec<Text> {
    let mut parts: Vec<String> = Vec::new();
    let mut joined = false;
    for part in path.split('/') {
        match parts.last_mut() {
            Some(last) if joined => {
                last.push('/');
                last.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
        joined = part.ends_with('\\');
        if joined && let Some(last) = parts.last_mut() {
            last.pop();
        }
    }
    if joined && let Some(last) = parts.last_mut() {
        // Nothing follows: the sign stands for itself.
        last.push('\\');
    }
    parts.into_iter().map(Text::from).collect()
}

/// A field spec with its path cut.
#[derive(Clone, Debug)]
pub(crate) struct FieldPath {
    gvk: Gvk,
    path: Text,
    parts: Vec<Text>,
    create: bool,
}

impl From<&FieldSpec> for FieldPath {
    fn from(spec: &FieldSpec) -> Self {
        Self {
            gvk: spec.gvk.clone(),
            path: spec.path.clone(),
            parts: path_parts(&spec.path),
            create: spec.create,
        }
    }
}

impl FieldPath {
    /// The path as it is written.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// A field of objects of every kind that is made where it is missing.
    pub(crate) fn created(path: &str) -> Self {
        let spec = FieldSpec { gvk: Gvk::default(), path: path.to_owned().into(), create: true };
        Self::from(&spec)
    }

    /// Whether it is a field of role bindings alone.
    pub(crate) fn is_for_bindings(&self) -> bool {
        matches!(&*self.gvk.kind, "RoleBinding" | "ClusterRoleBinding")
    }

    /// Whether it is a field of objects of this kind.
    pub(crate) fn is_of(&self, gvk: &Gvk) -> bool {
        gvk.is_selected(&self.gvk)
    }

    /// Calls `set` with each node that the path leads to, if the object's kind has the field.
    ///
    /// # Errors
    ///
    /// Where the path leads through a scalar, and what `set` says.
    pub(crate) fn visit(
        &self,
        object: &mut Node,
        made: Made,
        set: &mut dyn FnMut(&mut Node) -> Result<(), KustomizeError>,
    ) -> Result<(), KustomizeError> {
        if !self.is_of(&Gvk::of(object)) {
            return Ok(());
        }
        self.visit_any(object, made, set)
    }

    /// As [`FieldPath::visit`], for objects of any kind.
    pub(crate) fn visit_any(
        &self,
        object: &mut Node,
        made: Made,
        set: &mut dyn FnMut(&mut Node) -> Result<(), KustomizeError>,
    ) -> Result<(), KustomizeError> {
        let made = if self.create { made } else { Made::Nothing };
        if made == Made::Nothing && !leads_somewhere(object, &self.parts) {
            return Ok(());
        }
        walk(object, &self.parts, made, set).map_err(|error| {
            let id = id_for_errors(object);
            error.inside(format!("considering field '{}' of object {id}", self.path))
        })
    }
}

fn id_for_errors(object: &Node) -> ResId {
    let text =
        |path: &[&str]| Text::from(object.at(path).and_then(Node::text).unwrap_or("").to_owned());
    let (name, namespace) = (text(&["metadata", "name"]), text(&["metadata", "namespace"]));
    ResId { gvk: Gvk::of(object), name, namespace, cluster_scoped: false }
}

fn key_of(part: &str) -> (&str, bool) {
    match part.strip_suffix("[]") {
        Some(key) => (key, true),
        None => (part, false),
    }
}

/// Whether a walk that makes nothing would come to any end, or to an error: looked at first so
/// that nothing that is shared is copied in vain.
fn leads_somewhere(node: &Node, parts: &[Text]) -> bool {
    let Some((part, rest)) = parts.split_first() else { return true };
    match node {
        Node::Scalar(scalar) => !scalar.is_null(),
        Node::Sequence(items) => items.items().iter().any(|item| leads_somewhere(item, parts)),
        Node::Mapping(mapping) => {
            let (key, is_list) = key_of(part);
            match mapping.get(key) {
                None => key.is_empty(),
                Some(child) => (is_list && child.is_null()) || leads_somewhere(child, rest),
            }
        }
    }
}

fn walk(
    node: &mut Node,
    parts: &[Text],
    made: Made,
    set: &mut dyn FnMut(&mut Node) -> Result<(), KustomizeError>,
) -> Result<(), KustomizeError> {
    let Some((part, rest)) = parts.split_first() else { return set(node) };
    match node {
        Node::Scalar(scalar) if scalar.is_null() => Ok(()),
        Node::Scalar(_) => Err(KustomizeError::said("expected sequence or mapping node")),
        Node::Sequence(items) if items.is_empty() => Ok(()),
        Node::Sequence(items) => {
            for item in items.items_mut() {
                walk(item, parts, made, set)
                    .inside(|| format!("visit traversal on path: {parts:?}"))?;
            }
            Ok(())
        }
        Node::Mapping(mapping) => {
            let (key, is_list) = key_of(part);
            if key.is_empty() {
                return Err(KustomizeError::said("cannot set or create an empty field name"));
            }
            match child(mapping, key, is_list, rest.is_empty(), made) {
                Some(child) => walk(child, rest, made, set),
                None => Ok(()),
            }
        }
    }
}

/// The value of a key; made where it is missing, and made anew where it is null.
fn child<'a>(
    mapping: &'a mut Mapping,
    key: &str,
    is_list: bool,
    last: bool,
    made: Made,
) -> Option<&'a mut Node> {
    let made = if is_list { Made::Nothing } else { made };
    let fresh = |tag: Tag, text: Text| Node::Scalar(Scalar { text, tag, quoted: false });
    let Some(at) = mapping.position(key) else {
        let value = match made {
            Made::Nothing => return None,
            Made::Scalar(_) if last => fresh(Tag::Unset, Text::default()),
            Made::Scalar(_) | Made::Mapping => Node::mapping(),
        };
        let entries = mapping.entries_mut();
        entries.push(Entry::new(Scalar::unset(key.to_owned()), value));
        return entries.last_mut().map(|entry| &mut entry.value);
    };
    let value = &mut mapping.entries_mut()[at].value;
    if value.is_null() {
        match made {
            Made::Nothing if is_list => *value = Node::Sequence(Sequence::default()),
            Made::Nothing => {}
            Made::Scalar(tag) if last => {
                if let Some(scalar) = value.as_scalar_mut() {
                    scalar.tag = tag;
                }
            }
            Made::Scalar(_) | Made::Mapping => *value = Node::mapping(),
        }
    }
    Some(value)
}

fn kind_name(node: &Node) -> &'static str {
    match node {
        Node::Scalar(_) => "ScalarNode",
        Node::Mapping(_) => "MappingNode",
        Node::Sequence(_) => "SequenceNode",
    }
}

/// A node is of the wrong kind.
pub(crate) fn wrong_kind(expected: &str, node: &Node) -> KustomizeError {
    KustomizeError::said(format!(
        "wrong node kind: expected {expected} but got {}",
        kind_name(node)
    ))
}

/// Puts text where a scalar stands; it stays quoted if it was.
pub(crate) fn set_scalar(node: &mut Node, text: Text, tag: Tag) -> Result<(), KustomizeError> {
    match node {
        Node::Scalar(scalar) => {
            scalar.text = text;
            scalar.tag = tag;
            Ok(())
        }
        node => Err(wrong_kind("ScalarNode", node)),
    }
}

/// Sets a field of a mapping; it stays quoted if it was. On null nothing is seen of it.
pub(crate) fn set_entry(
    node: &mut Node,
    key: &Text,
    text: Text,
    tag: Tag,
) -> Result<(), KustomizeError> {
    match node {
        Node::Scalar(scalar) if scalar.is_null() => Ok(()),
        Node::Mapping(mapping) => {
            set_in(mapping, key, text, tag);
            Ok(())
        }
        node => Err(wrong_kind("MappingNode", node)),
    }
}

/// Sets a field of a mapping; it stays quoted if it was.
pub(crate) fn set_in(mapping: &mut Mapping, key: &Text, text: Text, tag: Tag) {
    match mapping.position(key) {
        Some(at) => {
            let value = &mut mapping.entries_mut()[at].value;
            let quoted = value.as_scalar().is_some_and(|scalar| scalar.quoted);
            *value = Node::Scalar(Scalar { text, tag, quoted });
        }
        None => {
            let quoted = matches!(tag, Tag::Str | Tag::Unset) && is_no_text_in_1_1(&text);
            let value = Node::Scalar(Scalar { text, tag, quoted });
            mapping.insert(key, value);
        }
    }
}

/// Whether YAML 1.1 reads a plain scalar as something else than text.
pub(crate) fn is_no_text_in_1_1(text: &str) -> bool {
    use goyaml::Scalar::{Merge, Str, Timestamp};
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    !matches!(goyaml::resolve(goyaml::Dialect::V2, text), Str | Merge | Timestamp)
}
