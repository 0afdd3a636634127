//! How resources are told apart: group, version, kind, name and namespace.

use std::fmt;

use crate::node::{Node, Text};
use crate::scope::{CustomScopes, is_cluster_scoped};

/// Group, version and kind; `""` where unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk {
    /// `""` for the core group.
    pub group: Text,
    /// `v1`
    pub version: Text,
    /// `Deployment`
    pub kind: Text,
}

impl Gvk {
    /// Reads `apiVersion` and `kind`.
    pub fn of(node: &Node) -> Self {
        let field =
            |key: &str| node.get(key).and_then(Node::as_scalar).map(|scalar| scalar.text.clone());
        let api_version = field("apiVersion").unwrap_or_default();
        let (group, version) = split_api_version(&api_version);
        Self { group, version, kind: field("kind").unwrap_or_default() }
    }

    /// `group/version`, or `version` in the core group.
    pub fn api_version(&self) -> String {
        match &*self.group {
            "" => self.version.to_string(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// Whether every part that the selector names is equal.
    pub fn is_selected(&self, selector: &Gvk) -> bool {
        (selector.group.is_empty() || selector.group == self.group)
            && (selector.version.is_empty() || selector.version == self.version)
            && (selector.kind.is_empty() || selector.kind == self.kind)
    }
}

/// Cuts `group/version`; without `/` all of it is the version.
pub fn split_api_version(api_version: &Text) -> (Text, Text) {
    match api_version.find('/') {
        Some(at) => (api_version.part(0..at), api_version.part(at + 1..api_version.len())),
        None => (Text::default(), api_version.clone()),
    }
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &Text, none: &'static str| match text.is_empty() {
            true => Text::from(none),
            false => text.clone(),
        };
        write!(
            f,
            "{}.{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]")
        )
    }
}

/// The namespace of what lives in none, where namespaces are compared.
pub const NO_NAMESPACE: &str = "_non_namespaceable_";

/// What names a resource in one build.
#[derive(Clone, Debug, Default)]
pub struct ResId {
    /// Group, version and kind.
    pub gvk: Gvk,
    /// The object's name.
    pub name: Text,
    /// As it is written; `""` where it is not.
    pub namespace: Text,
    /// Whether its kind is known to live in no namespace.
    pub cluster_scoped: bool,
}

impl ResId {
    /// Puts an id together; the scope is looked up.
    pub fn new(gvk: Gvk, name: Text, namespace: Text, custom: &CustomScopes) -> Self {
        let cluster_scoped = is_cluster_scoped(&gvk, custom);
        Self { gvk, name, namespace, cluster_scoped }
    }

    /// The namespace that counts: `default` where none is written.
    pub fn effective_namespace(&self) -> &str {
        match &*self.namespace {
            _ if self.cluster_scoped => NO_NAMESPACE,
            "" => "default",
            namespace => namespace,
        }
    }

    /// Whether the effective namespaces are equal.
    pub fn same_namespace(&self, other: &ResId) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }

    /// Whether group, version, kind and name are equal.
    pub fn same_gvkn(&self, other: &ResId) -> bool {
        self.name == other.name && self.gvk == other.gvk
    }

    /// Whether every part that the selector names is equal.
    pub fn is_selected_by(&self, selector: &ResId) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.same_namespace(self))
            && self.gvk.is_selected(&selector.gvk)
    }

    /// Whether it lives in the default namespace.
    pub fn in_default_namespace(&self) -> bool {
        !self.cluster_scoped && matches!(&*self.namespace, "" | "default")
    }
}

/// Two ids are one if they are equal in all but the writing of the default namespace.
impl PartialEq for ResId {
    fn eq(&self, other: &Self) -> bool {
        self.same_gvkn(other) && self.same_namespace(other)
    }
}

impl Eq for ResId {}

impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &Text, none: &'static str| match text.is_empty() {
            true => Text::from(none),
            false => text.clone(),
        };
        let (name, namespace) = (or(&self.name, "[noName]"), or(&self.namespace, "[noNs]"));
        write!(f, "{}/{name}.{namespace}", self.gvk)
    }
}
