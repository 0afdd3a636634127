//! `namespace`.

use std::collections::HashMap;

use crate::config::FieldSpec;
use crate::error::{Inside, KustomizeError};
use crate::fields::{FieldPath, Made, set_scalar, wrong_kind};
use crate::node::{Node, Tag, Text};
use crate::resource::Resource;
use crate::scope::is_cluster_scoped;

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Those whose name is `default`.
    #[default]
    Default,
    /// All service accounts.
    ServiceAccounts,
    /// None.
    None,
}

impl Subjects {
    /// Reads `setRoleBindingSubjects`.
    pub(crate) fn of(text: &str) -> Result<Self, KustomizeError> {
        match text {
            "" | "defaultOnly" => Ok(Subjects::Default),
            "allServiceAccounts" => Ok(Subjects::ServiceAccounts),
            "none" => Ok(Subjects::None),
            other => Err(KustomizeError::said(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \
                 \"defaultOnly\", \"none\" or \"allServiceAccounts\""
            ))),
        }
    }
}

/// Sets the namespace of everything that lives in one.
#[derive(Debug)]
pub(crate) struct NamespaceStep {
    namespace: Text,
    /// Fields besides `metadata.namespace`.
    specs: Vec<FieldPath>,
    own: FieldPath,
    subjects: Subjects,
    /// Whether only what has no namespace gets one.
    unset_only: bool,
}

impl NamespaceStep {
    pub(crate) fn new(
        namespace: &str,
        specs: &[FieldSpec],
        subjects: Subjects,
        unset_only: bool,
    ) -> Self {
        let specs = specs.iter().filter(|spec| spec.path != *"metadata/namespace");
        Self {
            namespace: namespace.to_owned().into(),
            specs: specs.map(FieldPath::from).collect(),
            own: FieldPath::from(&FieldSpec::anywhere("metadata/namespace", true)),
            subjects,
            unset_only,
        }
    }

    pub(crate) fn apply(&self, resources: &mut [Resource]) -> Result<(), KustomizeError> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let key = |resource: &Resource| {
            let id = resource.id();
            let namespace = Text::from(id.effective_namespace().to_owned());
            (id.gvk, id.name, namespace)
        };
        let mut ids: HashMap<_, usize> = HashMap::new();
        for resource in resources.iter() {
            *ids.entry(key(resource)).or_default() += 1;
        }
        for resource in resources {
            if resource.helm_generated || resource.node.is_null_or_empty() {
                continue;
            }
            if let Some(count) = ids.get_mut(&key(resource)) {
                *count -= 1;
            }
            resource.store_previous_id();
            self.apply_to(resource)?;
            let count = ids.entry(key(resource)).or_default();
            *count += 1;
            if *count > 1 {
                let id = resource.id();
                return Err(KustomizeError::said(format!(
                    "namespace transformation produces ID conflict: {id}"
                )));
            }
        }
        Ok(())
    }

    /// Sets the namespace of one object.
    pub(crate) fn apply_to(&self, resource: &mut Resource) -> Result<(), KustomizeError> {
        let gvk = resource.gvk();
        let cluster_scoped = is_cluster_scoped(&gvk, &resource.scopes);
        let is_core = gvk.group.is_empty() && gvk.version == *"v1";
        let set = &mut |node: &mut Node| self.set(node);
        if !cluster_scoped {
            self.own.visit_any(&mut resource.node, Made::Scalar(Tag::Unset), set)?;
        }
        let is_binding = matches!(&*gvk.kind, "RoleBinding" | "ClusterRoleBinding");
        if is_binding {
            self.set_in_subjects(&mut resource.node)
                .inside(|| "setting namespace on (cluster)role binding subjects")?;
        }
        for spec in &self.specs {
            let skipped = (spec.path() == "metadata/name" && !is_core)
                || (is_binding && spec.path() == "subjects/namespace" && spec.is_for_bindings());
            if skipped {
                continue;
            }
            spec.visit(&mut resource.node, Made::Scalar(Tag::Str), set)
                .inside(|| "namespace transformation failed")?;
        }
        Ok(())
    }

    fn set(&self, node: &mut Node) -> Result<(), KustomizeError> {
        let is_set = node.text().is_some_and(|text| !text.is_empty());
        if self.unset_only && is_set {
            return Ok(());
        }
        set_scalar(node, self.namespace.clone(), Tag::Str)
    }

    fn set_in_subjects(&self, object: &mut Node) -> Result<(), KustomizeError> {
        let (key, wanted) = match self.subjects {
            Subjects::None => return Ok(()),
            Subjects::Default => ("name", "default"),
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
        };
        let items = match object.get("subjects") {
            None => return Ok(()),
            Some(node) if node.is_null() => return Ok(()),
            Some(Node::Sequence(items)) => items.items(),
            Some(other) => return Err(wrong_kind("SequenceNode", other)),
        };
        let is_wanted = |item: &Node| super::reads(item.get(key), wanted);
        for item in items.iter().filter(|item| !item.is_null()) {
            if !matches!(item, Node::Mapping(_)) {
                return Err(wrong_kind("MappingNode", item));
            }
            if let Some(name @ (Node::Mapping(_) | Node::Sequence(_))) = item.get(key) {
                return Err(wrong_kind("ScalarNode", name));
            }
        }
        if !items.iter().any(is_wanted) {
            return Ok(());
        }
        let items = object.get_mut("subjects").and_then(Node::as_sequence_mut);
        let items = items.into_iter().flat_map(|items| items.items_mut());
        for item in items.filter(|item| is_wanted(item)) {
            if let Some(subject) = item.as_mapping_mut() {
                self.set(subject.get_or_insert_with("namespace", || Node::string("")))?;
            }
        }
        Ok(())
    }
}
