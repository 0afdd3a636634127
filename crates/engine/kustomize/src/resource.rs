//! One object on its way through a build, with what kustomize remembers about it.
//!
//! Kustomize keeps these things as annotations of its own in the object, and takes them out at
//! the end; here they are fields.

use crate::fields::set_in;
use crate::node::{Node, Tag, Text};
use crate::resid::{Gvk, ResId};
use crate::scope::CustomScopes;

/// What a generated object does with one that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Behavior {
    /// Nobody said; as `Create`.
    #[default]
    Unspecified,
    /// There must be none.
    Create,
    /// It takes the other's place.
    Replace,
    /// Its data are added to the other's.
    Merge,
}

impl Behavior {
    /// Reads a generator's `behavior`; what is unknown is unspecified.
    pub fn of(text: &str) -> Self {
        match text {
            "replace" => Behavior::Replace,
            "merge" => Behavior::Merge,
            "create" => Behavior::Create,
            _ => Behavior::Unspecified,
        }
    }
}

/// An id that a resource had before a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousId {
    /// The kind.
    pub kind: Text,
    /// The name.
    pub name: Text,
    /// The effective namespace.
    pub namespace: Text,
}

/// Where a resource comes from, for errors and `originAnnotations`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file from the tree's root; of a generated object the kustomization's.
    pub file: Text,
    /// Whether a generator made it.
    pub generated: bool,
}

/// One object.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The object; a mapping.
    pub node: Node,
    /// Its ids before each change, the oldest first.
    pub previous: Vec<PreviousId>,
    /// Prefixes that its name got, in order.
    pub prefixes: Vec<Text>,
    /// Suffixes that its name got, in order.
    pub suffixes: Vec<Text>,
    /// Who refers to it.
    pub ref_by: Vec<ResId>,
    /// What a generated object does with one that is there already.
    pub behavior: Behavior,
    /// Whether its name gets the hash of its content.
    pub needs_hash: bool,
    /// Whether a chart made it.
    pub helm_generated: bool,
    /// Variables that take their value from it.
    pub ref_vars: Vec<Text>,
    /// Where it comes from.
    pub origin: Origin,
    /// What a custom OpenAPI document says of kinds' scopes.
    pub scopes: CustomScopes,
    /// The last number that values at several places share, see `shared`.
    pub(crate) shared: u32,
}

impl Resource {
    /// A resource with no past.
    pub fn new(node: Node, origin: Origin) -> Self {
        Self {
            node,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            ref_by: Vec::new(),
            behavior: Behavior::Unspecified,
            needs_hash: false,
            helm_generated: false,
            ref_vars: Vec::new(),
            origin,
            scopes: None,
            shared: 0,
        }
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> Gvk {
        Gvk::of(&self.node)
    }

    /// `kind`, or `""`.
    pub fn kind(&self) -> &str {
        self.node.get("kind").and_then(Node::text).unwrap_or("")
    }

    /// `metadata.name`, or `""`.
    pub fn name(&self) -> &str {
        self.node.at(&["metadata", "name"]).and_then(Node::text).unwrap_or("")
    }

    /// `metadata.namespace`, or `""`.
    pub fn namespace(&self) -> &str {
        self.node.at(&["metadata", "namespace"]).and_then(Node::text).unwrap_or("")
    }

    /// Sets `metadata.name`.
    pub fn set_name(&mut self, name: impl Into<Text>) {
        self.set_metadata("name", name.into());
    }

    /// Sets `metadata.namespace`; `""` takes it away.
    pub fn set_namespace(&mut self, namespace: impl Into<Text>) {
        let namespace = namespace.into();
        if !namespace.is_empty() {
            self.set_metadata("namespace", namespace);
        } else if let Some(metadata) =
            self.node.at_mut(&["metadata"]).and_then(Node::as_mapping_mut)
        {
            metadata.remove("namespace");
        }
    }

    /// Sets `kind`.
    pub fn set_kind(&mut self, kind: impl Into<Text>) {
        if let Some(object) = self.node.as_mapping_mut() {
            set_in(object, &"kind".into(), kind.into(), Tag::Unset);
        }
    }

    fn set_metadata(&mut self, key: &'static str, value: Text) {
        if let Some(metadata) = self.node.ensure_mapping(&["metadata"]) {
            set_in(metadata, &key.into(), value, Tag::Unset);
        }
    }

    fn text_at(&self, key: &str) -> Text {
        let node = self.node.at(&["metadata", key]).and_then(Node::as_scalar);
        node.filter(|scalar| !scalar.is_null())
            .map(|scalar| scalar.text.clone())
            .unwrap_or_default()
    }

    /// The id that it has now.
    pub fn id(&self) -> ResId {
        ResId::new(self.gvk(), self.text_at("name"), self.text_at("namespace"), &self.scopes)
    }

    /// The ids that it had before, the oldest first; group and version are today's.
    pub fn previous_ids(&self) -> impl DoubleEndedIterator<Item = ResId> + '_ {
        let gvk = self.gvk();
        self.previous.iter().map(move |previous| {
            let gvk = Gvk { kind: previous.kind.clone(), ..gvk.clone() };
            ResId::new(gvk, previous.name.clone(), previous.namespace.clone(), &self.scopes)
        })
    }

    /// The first id it had.
    pub fn original_id(&self) -> ResId {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Remembers today's id before a change.
    pub fn store_previous_id(&mut self) {
        let id = self.id();
        let namespace = Text::from(id.effective_namespace().to_owned());
        self.previous.push(PreviousId { kind: id.gvk.kind, name: id.name, namespace });
    }

    /// Whether kustomize would keep annotations of its own in the object by now, so that
    /// `metadata.annotations` exists for patches.
    pub fn has_build_annotations(&self) -> bool {
        !self.previous.is_empty()
            || !self.prefixes.is_empty()
            || !self.suffixes.is_empty()
            || !self.ref_by.is_empty()
            || self.needs_hash
            || self.helm_generated
            || self.behavior != Behavior::Unspecified
    }

    /// A label's or annotation's text; `field` is `labels` or `annotations`.
    pub fn metadata_entry(&self, field: &str, key: &str) -> Option<&str> {
        let value = self.node.at(&["metadata", field])?.get(key)?;
        Some(value.text().unwrap_or(""))
    }

    /// Labels or annotations as text; `field` is `labels` or `annotations`.
    pub fn metadata_map(&self, field: &str) -> impl Iterator<Item = (&Text, &str)> {
        let mapping = self.node.at(&["metadata", field]).and_then(Node::as_mapping);
        let entries = mapping.into_iter().flat_map(|mapping| mapping.iter());
        entries.map(|(key, value)| (key, value.text().unwrap_or("")))
    }

    /// Sets a label or annotation.
    pub fn set_metadata_entry(&mut self, field: &str, key: &str, value: impl Into<Text>) {
        if let Some(map) = self.node.ensure_mapping(&["metadata", field]) {
            map.insert(key.to_owned(), Node::string(value.into()));
        }
    }
}
