//! The builtin transformers, each a value that is made before any of them runs.

mod hash;
mod image;
mod namespace;
mod value_add;

pub(crate) use hash::hash_of;
pub(crate) use image::ImageStep;
pub(crate) use namespace::{NamespaceStep, Subjects};
pub(crate) use value_add::{ValueAddStep, ValueTarget};

use std::collections::BTreeMap;

use crate::config::FieldSpec;
use crate::error::KustomizeError;
use crate::fields::{FieldPath, Made, set_entry, set_scalar};
use crate::kustomization::{Replica, SortOptions};
use crate::node::{Node, Tag, Text};
use crate::order;
use crate::patch::{PatchStep, Schema};
use crate::replacements::Replacements;
use crate::resid::{Gvk, ResId};
use crate::resource::Resource;
use crate::shared::mark_last;

/// One step that changes resources.
#[derive(Debug)]
pub(crate) enum Step {
    Patch(PatchStep),
    Namespace(NamespaceStep),
    Prefix(AffixStep),
    Suffix(AffixStep),
    /// Labels or annotations.
    Entries(EntriesStep),
    Replicas(ReplicaStep),
    Image(ImageStep),
    Replacements(Replacements),
    ValueAdd(ValueAddStep),
    Hash,
    /// One after the other.
    Several(Vec<Step>),
}

impl Step {
    /// Does it.
    ///
    /// # Errors
    ///
    /// With kustomize's words.
    pub(crate) fn apply(
        &self,
        resources: &mut Vec<Resource>,
        schema: &Schema,
    ) -> Result<(), KustomizeError> {
        match self {
            Step::Patch(step) => step.apply(resources, schema)?,
            Step::Namespace(step) => step.apply(resources)?,
            Step::Prefix(step) => step.apply(resources, true)?,
            Step::Suffix(step) => step.apply(resources, false)?,
            Step::Entries(step) => step.apply(resources)?,
            Step::Replicas(step) => step.apply(resources)?,
            Step::Image(step) => step.apply(resources)?,
            Step::Replacements(step) => step.apply(resources)?,
            Step::ValueAdd(step) => step.apply(resources)?,
            Step::Hash => add_hashes(resources)?,
            Step::Several(steps) => {
                steps.iter().try_for_each(|step| step.apply(resources, schema))?;
            }
        }
        resources.retain(|resource| !resource.node.is_null_or_empty());
        Ok(())
    }
}

pub(crate) fn paths(specs: &[FieldSpec]) -> Vec<FieldPath> {
    specs.iter().map(FieldPath::from).collect()
}

/// `namePrefix` or `nameSuffix`.
#[derive(Debug)]
pub(crate) struct AffixStep {
    pub(crate) affix: String,
    pub(crate) specs: Vec<FieldPath>,
}

impl AffixStep {
    fn apply(&self, resources: &mut [Resource], front: bool) -> Result<(), KustomizeError> {
        let affix = Text::from(self.affix.clone());
        for resource in resources {
            let gvk = original_gvk(resource);
            let kept = matches!(&*gvk.kind, "CustomResourceDefinition" | "Namespace")
                || (&*gvk.kind == "APIService" && &*gvk.group == "apiregistration.k8s.io");
            if kept {
                continue;
            }
            for spec in self.specs.iter().filter(|spec| spec.is_of(&gvk)) {
                if spec.path() == "metadata/name" && !affix.is_empty() {
                    let list = if front { &mut resource.prefixes } else { &mut resource.suffixes };
                    list.push(affix.clone());
                    resource.store_previous_id();
                }
                spec.visit(&mut resource.node, Made::Scalar(Tag::Str), &mut |node| {
                    let old = node.as_scalar().map_or("", |scalar| &scalar.text);
                    let new = if front { format!("{affix}{old}") } else { format!("{old}{affix}") };
                    set_scalar(node, new.into(), Tag::Unset)
                })?;
            }
        }
        Ok(())
    }
}

/// Today's group and version with the first kind.
pub(crate) fn original_gvk(resource: &Resource) -> Gvk {
    let gvk = resource.gvk();
    match resource.previous.first() {
        Some(first) => Gvk { kind: first.kind.clone(), ..gvk },
        None => gvk,
    }
}

/// `labels`, `commonLabels` or `commonAnnotations`.
#[derive(Debug)]
pub(crate) struct EntriesStep {
    pub(crate) entries: BTreeMap<String, String>,
    pub(crate) specs: Vec<FieldPath>,
}

impl EntriesStep {
    fn apply(&self, resources: &mut [Resource]) -> Result<(), KustomizeError> {
        let entries: Vec<(Text, Text)> = self
            .entries
            .iter()
            .map(|(key, value)| (key.clone().into(), value.clone().into()))
            .collect();
        for resource in resources {
            let gvk = resource.gvk();
            let specs: Vec<&FieldPath> =
                self.specs.iter().filter(|spec| spec.is_of(&gvk)).collect();
            for (key, value) in &entries {
                resource.change(|resource| {
                    let number = resource.share();
                    for spec in &specs {
                        spec.visit_any(&mut resource.node, Made::Mapping, &mut |node| {
                            let added = node.get(key).is_none();
                            set_entry(node, key, value.clone(), Tag::Str)?;
                            if let (true, Some(mapping)) = (added, node.as_mapping_mut()) {
                                mark_last(mapping, number);
                            }
                            Ok(())
                        })?;
                    }
                    Ok(())
                })?;
            }
        }
        Ok(())
    }
}

/// An item of `replicas`.
#[derive(Debug)]
pub(crate) struct ReplicaStep {
    replica: Replica,
    specs: Vec<FieldPath>,
    /// The kinds of `specs`, for the error.
    kinds: Vec<Gvk>,
}

impl ReplicaStep {
    pub(crate) fn new(replica: Replica, specs: &[FieldSpec]) -> Self {
        let kinds = specs.iter().map(|spec| spec.gvk.clone()).collect();
        Self { replica, specs: paths(specs), kinds }
    }

    fn apply(&self, resources: &mut [Resource]) -> Result<(), KustomizeError> {
        let mut found = false;
        let count = Text::from(self.replica.count.to_string());
        for resource in resources {
            let is_named = *resource.name() == self.replica.name
                || resource.previous.iter().any(|previous| *previous.name == *self.replica.name);
            if !is_named {
                continue;
            }
            let named = |id: &ResId| *id.name == *self.replica.name;
            let ids: Vec<ResId> =
                resource.previous_ids().chain([resource.id()]).filter(named).collect();
            for spec in &self.specs {
                if !ids.iter().any(|id| spec.is_of(&id.gvk)) {
                    continue;
                }
                found = true;
                spec.visit(&mut resource.node, Made::Scalar(Tag::Int), &mut |node| {
                    set_scalar(node, count.clone(), Tag::Int)
                })?;
            }
        }
        if found {
            return Ok(());
        }
        let kinds: Vec<String> = self.kinds.iter().map(Gvk::to_string).collect();
        Err(KustomizeError::said(format!(
            "resource with name {} does not match a config with the following GVK [{}]",
            self.replica.name,
            kinds.join(" ")
        )))
    }
}

/// Orders resources as `sortOptions` says.
///
/// # Errors
///
/// For an unknown order, and where two resources have one id.
pub(crate) fn sort(
    resources: &mut Vec<Resource>,
    options: &SortOptions,
) -> Result<(), KustomizeError> {
    match (&*options.order, &options.legacy) {
        ("legacy", None) => {
            order::legacy_sort(resources, Resource::id, &order::FIRST, &order::LAST);
        }
        ("legacy", Some((first, last))) => {
            order::legacy_sort(resources, Resource::id, first, last);
        }
        ("fifo", None) => return Ok(()),
        ("fifo", Some(_)) => {
            return Err(KustomizeError::said(
                "the field 'sortOptions.legacySortOptions' is set but the selected sort order is \
                 'fifo', not 'legacy'",
            ));
        }
        _ => {
            return Err(KustomizeError::said(
                "the field 'sortOptions.order' must be one of [fifo, legacy]",
            ));
        }
    }
    crate::resmap::refuse_twins(resources)
        .map_err(|error| error.inside("SortOrderTransformer: Failed to append to resources"))
}

/// Adds the hash of its content to the name of what was generated.
pub(crate) fn add_hashes(resources: &mut [Resource]) -> Result<(), KustomizeError> {
    for resource in resources.iter_mut().filter(|resource| resource.needs_hash) {
        let hash = hash_of(resource)?;
        resource.store_previous_id();
        let name = format!("{}-{hash}", resource.name());
        resource.set_name(name);
    }
    Ok(())
}

/// Whether a node's text is that.
pub(crate) fn reads(node: Option<&Node>, text: &str) -> bool {
    node.and_then(Node::as_scalar).is_some_and(|scalar| scalar.text == *text)
}

#[cfg(test)]
mod tests;
