//! A kustomization file: all its fields, and what is done to deprecated ones.

mod fields;
mod parts;

pub(crate) use fields::{Fields, Problem, with_texts};
pub(crate) use parts::gvk;
pub use parts::{
    ChartArgs, FieldOptions, GeneratorArgs, GeneratorOptions, HelmChart, HelmGlobals, Image, Label,
    ObjectMeta, Patch, PatchOptions, Replacement, ReplacementField, Replica, Selector, SortOptions,
    SourceSelector, TargetSelector, Var,
};

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::KustomizeError;

/// The names that a kustomization file may have.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

const EMPTY: &str = "kustomization.yaml is empty";
const KIND: &str = "Kustomization";
/// The kind of a kustomization that works on what its parent has.
pub const COMPONENT_KIND: &str = "Component";
const VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";

/// A kustomization file, field by field; see kustomize's own documentation of each.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct Kustomization {
    pub api_version: String,
    pub kind: String,
    pub metadata: Option<ObjectMeta>,
    pub openapi: Option<BTreeMap<String, String>>,
    pub name_prefix: String,
    pub name_suffix: String,
    pub namespace: String,
    pub common_labels: Option<BTreeMap<String, String>>,
    pub labels: Vec<Label>,
    pub common_annotations: Option<BTreeMap<String, String>>,
    pub patches_strategic_merge: Vec<String>,
    pub patches_json6902: Vec<Patch>,
    pub patches: Vec<Patch>,
    /// Whether `patches` is written, and null.
    pub patches_are_null: bool,
    pub images: Vec<Image>,
    pub replacements: Vec<ReplacementField>,
    pub replicas: Vec<Replica>,
    pub vars: Vec<Var>,
    pub sort_options: Option<SortOptions>,
    pub resources: Vec<String>,
    pub components: Vec<String>,
    pub crds: Vec<String>,
    pub config_map_generator: Vec<GeneratorArgs>,
    pub secret_generator: Vec<GeneratorArgs>,
    pub helm_globals: Option<HelmGlobals>,
    pub helm_charts: Vec<HelmChart>,
    pub generator_options: Option<GeneratorOptions>,
    pub configurations: Vec<String>,
    pub generators: Vec<String>,
    pub transformers: Vec<String>,
    pub validators: Vec<String>,
    pub build_metadata: Vec<String>,
}

impl Kustomization {
    /// Reads a file's content; deprecated fields move to where they belong, each with a warning.
    ///
    /// `root` is named by errors.
    ///
    /// # Errors
    ///
    /// With kustomize's words: no YAML, an unknown field, a value of the wrong type, an empty
    /// file, a wrong kind or version.
    pub fn read(
        bytes: &[u8],
        root: &str,
        warnings: &mut Vec<String>,
    ) -> Result<Self, KustomizeError> {
        let invalid = |problem: String| {
            KustomizeError::said(problem).inside("invalid Kustomization".to_owned())
        };
        let value = goyaml::to_json(bytes)
            .map_err(|error| invalid(format!("error converting YAML to JSON: {error}")))?;
        let read = Self::of(value, warnings).map_err(|problem| match &*problem {
            EMPTY => KustomizeError::said(problem),
            _ => invalid(problem),
        })?;
        read.check(root)?;
        Ok(read)
    }

    fn of(value: Value, warnings: &mut Vec<String>) -> Result<Self, Problem> {
        let mut fields = Fields::of("Kustomization", value)?;
        for (name, instead, how) in [
            ("bases", "resources", ""),
            ("commonLabels", "labels", ""),
            ("imageTags", "images", ""),
            ("patchesJson6902", "patches", ""),
            ("patchesStrategicMerge", "patches", ""),
            ("vars", "replacements", "[EXPERIMENTAL] "),
        ] {
            if fields.has(name) {
                warnings.push(format!(
                    "# Warning: '{name}' is deprecated. Please use '{instead}' instead. {how}Run \
                     'kustomize edit fix' to update your Kustomization automatically."
                ));
            }
        }
        if fields.hold_nothing(
            &["apiVersion", "kind"],
            &["bases", "imageTags", "helmChartInflationGenerator"],
        ) {
            return Err(EMPTY.to_owned());
        }
        let mut resources = fields.texts("resources")?;
        resources.extend(fields.texts("bases")?);
        let mut images = fields.list("images", Image::of)?;
        images.extend(fields.list("imageTags", Image::of)?);
        let mut helm_globals = fields.object("helmGlobals", HelmGlobals::of)?;
        let mut helm_charts = fields.list("helmCharts", HelmChart::of)?;
        let old_charts = fields.list("helmChartInflationGenerator", ChartArgs::of)?;
        if helm_globals.is_none() {
            let mut globals = HelmGlobals::default();
            for chart in &old_charts {
                chart.add_globals(&mut globals);
            }
            helm_globals = (globals != HelmGlobals::default()).then_some(globals);
        }
        helm_charts.extend(old_charts.into_iter().map(HelmChart::from));
        let read = Self {
            api_version: fields.text("apiVersion")?,
            kind: fields.text("kind")?,
            metadata: fields.object("metadata", ObjectMeta::of)?,
            openapi: fields.map("openapi")?,
            name_prefix: fields.text("namePrefix")?,
            name_suffix: fields.text("nameSuffix")?,
            namespace: fields.text("namespace")?,
            common_labels: fields.map("commonLabels")?,
            labels: fields.list("labels", Label::of)?,
            common_annotations: fields.map("commonAnnotations")?,
            patches_strategic_merge: fields.texts("patchesStrategicMerge")?,
            patches_json6902: fields.list("patchesJson6902", Patch::of)?,
            patches_are_null: fields.is_null("patches"),
            patches: fields.list("patches", Patch::of)?,
            images,
            replacements: fields.list("replacements", ReplacementField::of)?,
            replicas: fields.list("replicas", Replica::of)?,
            vars: fields.list("vars", Var::of)?,
            sort_options: fields.object("sortOptions", SortOptions::of)?,
            resources,
            components: fields.texts("components")?,
            crds: fields.texts("crds")?,
            config_map_generator: fields.list("configMapGenerator", GeneratorArgs::config_map)?,
            secret_generator: fields.list("secretGenerator", GeneratorArgs::secret)?,
            helm_globals,
            helm_charts,
            generator_options: fields.object("generatorOptions", GeneratorOptions::of)?,
            configurations: fields.texts("configurations")?,
            generators: fields.texts("generators")?,
            transformers: fields.texts("transformers")?,
            validators: fields.texts("validators")?,
            build_metadata: fields.texts("buildMetadata")?,
        };
        fields.end()?;
        Ok(read)
    }

    fn check(&self, root: &str) -> Result<(), KustomizeError> {
        let mut problems = Vec::new();
        let kind = if self.kind.is_empty() { KIND } else { &self.kind };
        if kind != KIND && kind != COMPONENT_KIND {
            problems.push(format!("kind should be {KIND} or {COMPONENT_KIND}"));
        }
        let version = if kind == COMPONENT_KIND { COMPONENT_VERSION } else { VERSION };
        if !self.api_version.is_empty() && self.api_version != version {
            problems.push(format!("apiVersion for {kind} should be {version}"));
        }
        if problems.is_empty() {
            return Ok(());
        }
        let problems = problems.join("\n");
        Err(KustomizeError::said(format!(
            "Failed to read kustomization file under {root}:\n{problems}"
        )))
    }

    /// Whether it is a component.
    pub fn is_component(&self) -> bool {
        self.kind == COMPONENT_KIND
    }
}

#[cfg(test)]
mod tests;
