//! What a kustomization changes, in kustomize's order.

use super::origin::ConfiguredBy;
use super::plugin::Plugin;
use super::{Build, Gathered, Target};
use crate::config::{FieldSpec, TransformerConfig, merge_all, merge_one};
use crate::error::{Inside, KustomizeError};
use crate::kustomization::Label;
use crate::patch::PatchStep;
use crate::replacements::Replacements;
use crate::resource::Resource;
use crate::transform::{
    AffixStep, EntriesStep, ImageStep, NamespaceStep, ReplicaStep, Step, Subjects, paths,
};

/// A label that a validator may leave.
const VALIDATED_BY: &str = "validated-by";

impl Target<'_> {
    pub(super) fn transform(
        &self,
        build: &mut Build<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), KustomizeError> {
        let config = gathered.config.get().clone();
        let steps = self.steps(build, &config)?;
        let plugins = self.plugins(build, &self.kustomization.transformers)?;
        for (kind, step) in steps {
            step.apply(&mut gathered.resources, &build.schema).inside(|| self.place(kind))?;
            if let Some(origin) = &self.origin {
                let file = origin.file(self.file_name);
                origin.note_change(&mut gathered.resources, &file, ConfiguredBy::builtin(kind))?;
            }
        }
        for (config, plugin) in plugins {
            let step = as_transformer(&config, plugin)?;
            step.apply(&mut gathered.resources, &build.schema)
                .inside(|| self.place(config.kind()))?;
            if let Some(origin) = &self.origin {
                let (api_version, kind) = (config.gvk().api_version(), config.kind());
                let by = ConfiguredBy {
                    api_version: &api_version,
                    kind,
                    name: config.name(),
                    namespace: config.namespace(),
                };
                let file = origin.configured_in(&config, self.file_name);
                origin.note_change(&mut gathered.resources, &file, by)?;
            }
        }
        Ok(())
    }

    /// Runs what may look at resources and not change them.
    pub(super) fn validate(
        &self,
        build: &mut Build<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), KustomizeError> {
        let plugins = self.plugins(build, &self.kustomization.validators)?;
        for (config, plugin) in plugins {
            let before = gathered.resources.clone();
            let step = as_transformer(&config, plugin)?;
            step.apply(&mut gathered.resources, &build.schema)
                .inside(|| self.place(config.kind()))?;
            let same = before.len() == gathered.resources.len()
                && before.iter().zip(&gathered.resources).all(|(before, after)| {
                    before.node == after.node || before.node == without_mark(after).node
                });
            if !same {
                return Err(KustomizeError::said(format!(
                    "validator shouldn't modify the resource map: {}",
                    super::called(&config)
                )));
            }
        }
        Ok(())
    }

    /// The builtin steps, ready, each with the name of its plugin.
    fn steps(
        &self,
        build: &Build<'_>,
        config: &TransformerConfig,
    ) -> Result<Vec<(&'static str, Step)>, KustomizeError> {
        let kustomization = &self.kustomization;
        let source = self.source(build);
        let mut steps = Vec::new();
        let configuring =
            |kind: &'static str| move || format!("trouble configuring builtin {kind}");
        if !kustomization.patches_strategic_merge.is_empty() {
            let kind = "PatchStrategicMergeTransformer";
            let step = PatchStep::read_strategic(&kustomization.patches_strategic_merge, &source);
            steps.push((kind, Step::Patch(self.at(step.inside(configuring(kind)))?)));
        }
        for patch in &kustomization.patches {
            let kind = "PatchTransformer";
            let step = PatchStep::read(patch, &source);
            steps.push((kind, Step::Patch(self.at(step.inside(configuring(kind)))?)));
        }
        if !kustomization.namespace.is_empty() {
            let step = NamespaceStep::new(
                &kustomization.namespace,
                &config.namespace,
                Subjects::Default,
                false,
            );
            steps.push(("NamespaceTransformer", Step::Namespace(step)));
        }
        if !kustomization.name_prefix.is_empty() {
            let affix = kustomization.name_prefix.clone();
            let step = AffixStep { affix, specs: paths(&config.name_prefix) };
            steps.push(("PrefixTransformer", Step::Prefix(step)));
        }
        if !kustomization.name_suffix.is_empty() {
            let affix = kustomization.name_suffix.clone();
            let step = AffixStep { affix, specs: paths(&config.name_suffix) };
            steps.push(("SuffixTransformer", Step::Suffix(step)));
        }
        self.label_steps(config, &mut steps)?;
        if let Some(entries) = &kustomization.common_annotations
            && !entries.is_empty()
        {
            let specs = paths(&config.common_annotations);
            let step = EntriesStep { entries: entries.clone(), specs };
            steps.push(("AnnotationsTransformer", Step::Entries(step)));
        }
        for patch in &kustomization.patches_json6902 {
            let kind = "PatchJson6902Transformer";
            let step = PatchStep::read_json6902(patch, &source);
            steps.push((kind, Step::Patch(self.at(step.inside(configuring(kind)))?)));
        }
        for replica in &kustomization.replicas {
            let step = ReplicaStep::new(replica.clone(), &config.replicas);
            steps.push(("ReplicaCountTransformer", Step::Replicas(step)));
        }
        for image in &kustomization.images {
            let kind = "ImageTagTransformer";
            let step = ImageStep::new(image.clone(), paths(&config.images));
            steps.push((kind, Step::Image(self.at(step.inside(configuring(kind)))?)));
        }
        if !kustomization.replacements.is_empty() {
            let kind = "ReplacementTransformer";
            let step = Replacements::read(&kustomization.replacements, &source);
            steps.push((kind, Step::Replacements(self.at(step.inside(configuring(kind)))?)));
        }
        Ok(steps)
    }

    fn at<T>(&self, result: Result<T, KustomizeError>) -> Result<T, KustomizeError> {
        result.inside(|| format!("in `{}`", self.file()))
    }

    fn label_steps(
        &self,
        config: &TransformerConfig,
        steps: &mut Vec<(&'static str, Step)>,
    ) -> Result<(), KustomizeError> {
        let kind = "LabelTransformer";
        for label in &self.kustomization.labels {
            let specs = label_specs(label, config).map_err(|problem| {
                KustomizeError::said(format!("failed to merge labels: {problem}"))
            })?;
            let step = EntriesStep { entries: label.pairs.clone(), specs: paths(&specs) };
            steps.push((kind, Step::Entries(step)));
        }
        let common = self.kustomization.common_labels.clone().unwrap_or_default();
        if !common.is_empty() || !self.kustomization.labels.is_empty() {
            let step = EntriesStep { entries: common, specs: paths(&config.common_labels) };
            steps.push((kind, Step::Entries(step)));
        }
        Ok(())
    }
}

fn label_specs(label: &Label, config: &TransformerConfig) -> Result<Vec<FieldSpec>, String> {
    let mut specs = label.fields.clone();
    merge_all(&mut specs, &config.labels)?;
    if label.include_selectors {
        merge_all(&mut specs, &config.common_labels)?;
    } else {
        if label.include_templates {
            merge_all(&mut specs, &config.template_labels)?;
        }
        merge_one(&mut specs, FieldSpec::anywhere("metadata/labels", true))?;
    }
    Ok(specs)
}

fn as_transformer(config: &Resource, plugin: Plugin) -> Result<Step, KustomizeError> {
    match plugin {
        Plugin::Step(step) => Ok(*step),
        Plugin::Generate(..) | Plugin::Chart(..) | Plugin::Made(_) => {
            Err(KustomizeError::said(format!("plugin {} not a transformer", super::called(config))))
        }
    }
}

fn without_mark(resource: &Resource) -> Resource {
    let mut resource = resource.clone();
    if resource.metadata_entry("labels", VALIDATED_BY).is_none() {
        return resource;
    }
    let labels = resource.node.at_mut(&["metadata", "labels"]);
    if let Some(labels) = labels.and_then(crate::node::Node::as_mapping_mut) {
        labels.remove(VALIDATED_BY);
        if labels.is_empty()
            && let Some(metadata) = resource.node.get_mut("metadata")
            && let Some(metadata) = metadata.as_mapping_mut()
        {
            metadata.remove("labels");
        }
    }
    resource
}
