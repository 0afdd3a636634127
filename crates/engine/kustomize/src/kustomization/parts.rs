//! What a kustomization's fields are made of.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Fields, Problem};
use crate::config::FieldSpec;
use crate::node::Text;
use crate::resid::{Gvk, ResId};

/// Reads group, version and kind where they stand among other fields.
pub(crate) fn gvk(fields: &mut Fields) -> Result<Gvk, Problem> {
    Ok(Gvk {
        group: fields.text("group")?.into(),
        version: fields.text("version")?.into(),
        kind: fields.text("kind")?.into(),
    })
}

fn id(fields: &mut Fields) -> Result<ResId, Problem> {
    let gvk = gvk(fields)?;
    let name = Text::from(fields.text("name")?);
    Ok(ResId { gvk, name, namespace: fields.text("namespace")?.into(), cluster_scoped: false })
}

/// An object's metadata, as far as kustomizations have it.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct ObjectMeta {
    pub name: String,
    pub namespace: String,
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
}

impl ObjectMeta {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("ObjectMeta", value)?;
        let read = Self {
            name: fields.text("name")?,
            namespace: fields.text("namespace")?,
            labels: fields.map("labels")?,
            annotations: fields.map("annotations")?,
        };
        fields.end().map(|()| read)
    }
}

/// An item of `labels`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct Label {
    pub pairs: BTreeMap<String, String>,
    pub include_selectors: bool,
    pub include_templates: bool,
    pub fields: Vec<FieldSpec>,
}

impl Label {
    pub(super) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("Label", value)?;
        let read = Self {
            pairs: fields.map("pairs")?.unwrap_or_default(),
            include_selectors: fields.flag("includeSelectors")?,
            include_templates: fields.flag("includeTemplates")?,
            fields: fields.list("fields", FieldSpec::of)?,
        };
        fields.end().map(|()| read)
    }
}

/// Which resources something is done to; the parts of the id are regular expressions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    /// Group, version, kind, name and namespace; `""` for any.
    pub id: ResId,
    /// In Kubernetes' selector syntax; `""` for any.
    pub annotation_selector: String,
    /// In Kubernetes' selector syntax; `""` for any.
    pub label_selector: String,
}

impl Selector {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("Selector", value)?;
        let read = Self {
            id: id(&mut fields)?,
            annotation_selector: fields.text("annotationSelector")?,
            label_selector: fields.text("labelSelector")?,
        };
        fields.end().map(|()| read)
    }
}

/// What a patch may change besides content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchOptions {
    /// The name.
    pub allow_name_change: bool,
    /// The kind.
    pub allow_kind_change: bool,
}

impl PatchOptions {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        // A map to Go: further keys are left alone.
        let mut fields = Fields::of("PatchArgs", value)?;
        let read = Self {
            allow_name_change: fields.flag("allowNameChange")?,
            allow_kind_change: fields.flag("allowKindChange")?,
        };
        fields.end().map(|()| read)
    }
}

/// An item of `patches` or `patchesJson6902`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// A file with the patch.
    pub path: String,
    /// The patch itself.
    pub patch: String,
    /// What it is applied to.
    pub target: Option<Selector>,
    /// What it may change besides content.
    pub options: PatchOptions,
}

impl Patch {
    pub(super) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("Patch", value)?;
        let read = Self {
            path: fields.text("path")?,
            patch: fields.text("patch")?,
            target: fields.object("target", Selector::of)?,
            options: fields.object("options", PatchOptions::of)?.unwrap_or_default(),
        };
        fields.end().map(|()| read)
    }
}

/// An item of `images`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct Image {
    pub name: String,
    pub new_name: String,
    pub tag_suffix: String,
    pub new_tag: String,
    pub digest: String,
}

impl Image {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("Image", value)?;
        let read = Self {
            name: fields.text("name")?,
            new_name: fields.text("newName")?,
            tag_suffix: fields.text("tagSuffix")?,
            new_tag: fields.text("newTag")?,
            digest: fields.text("digest")?,
        };
        fields.end().map(|()| read)
    }
}

/// An item of `replicas`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct Replica {
    pub name: String,
    pub count: i64,
}

impl Replica {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("Replica", value)?;
        let read = Self { name: fields.text("name")?, count: fields.number("count")? };
        fields.end().map(|()| read)
    }
}

/// How a replacement cuts and sets text.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct FieldOptions {
    pub delimiter: String,
    pub index: i64,
    pub encoding: String,
    pub create: bool,
}

impl FieldOptions {
    fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("FieldOptions", value)?;
        let read = Self {
            delimiter: fields.text("delimiter")?,
            index: fields.number("index")?,
            encoding: fields.text("encoding")?,
            create: fields.flag("create")?,
        };
        fields.end().map(|()| read)
    }
}

/// Where a replacement takes its value from.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct SourceSelector {
    pub id: ResId,
    pub field_path: String,
    pub options: Option<FieldOptions>,
}

impl SourceSelector {
    fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("SourceSelector", value)?;
        let read = Self {
            id: id(&mut fields)?,
            field_path: fields.text("fieldPath")?,
            options: fields.object("options", FieldOptions::of)?,
        };
        fields.end().map(|()| read)
    }
}

/// Where a replacement puts its value.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct TargetSelector {
    pub select: Option<Selector>,
    pub reject: Vec<Selector>,
    pub field_paths: Vec<String>,
    pub options: Option<FieldOptions>,
}

impl TargetSelector {
    fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("TargetSelector", value)?;
        let read = Self {
            select: fields.object("select", Selector::of)?,
            reject: fields.list("reject", Selector::of)?,
            field_paths: fields.texts("fieldPaths")?,
            options: fields.object("options", FieldOptions::of)?,
        };
        fields.end().map(|()| read)
    }
}

/// One value and the places that it is put.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct Replacement {
    pub source: Option<SourceSelector>,
    pub targets: Vec<TargetSelector>,
    pub source_value: Option<String>,
}

impl Replacement {
    /// Reads the fields; `path` is not among them.
    fn fill(fields: &mut Fields) -> Result<Self, Problem> {
        Ok(Self {
            source: fields.object("source", SourceSelector::of)?,
            targets: fields.list("targets", TargetSelector::of)?,
            source_value: match fields.has("sourceValue") {
                true => Some(fields.text("sourceValue")?),
                false => fields.object("sourceValue", |_| Ok(String::new()))?,
            },
        })
    }

    /// Reads a replacement that stands in a file of its own.
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::lax("Replacement", value)?;
        Self::fill(&mut fields)
    }
}

/// An item of `replacements`: a replacement, or a file with some.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplacementField {
    /// What stands there itself.
    pub replacement: Replacement,
    /// A file; `""` for none.
    pub path: String,
}

impl ReplacementField {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("ReplacementField", value)?;
        let replacement = Replacement::fill(&mut fields)?;
        let read = Self { replacement, path: fields.text("path")? };
        fields.end().map(|()| read)
    }
}

/// An item of `vars`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Var {
    /// As `$(name)` names it.
    pub name: String,
    /// The object that has the value.
    pub object: ResId,
    /// `apiVersion`, which comes before group and version; `""` where it is not written.
    pub api_version: String,
    /// The field that has it; `metadata.name` where none is written.
    pub field_path: String,
}

impl Var {
    pub(super) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("Var", value)?;
        let name = fields.text("name")?;
        let target = fields.object("objref", |value| {
            let mut fields = Fields::of("Target", value)?;
            let api_version = fields.text("apiVersion")?;
            let mut object = id(&mut fields)?;
            match api_version.split('/').collect::<Vec<_>>()[..] {
                [""] => {}
                [version] => object.gvk.version = Text::from(version.to_owned()),
                [group, version] => {
                    object.gvk.group = Text::from(group.to_owned());
                    object.gvk.version = Text::from(version.to_owned());
                }
                _ => {}
            }
            fields.end().map(|()| (api_version, object))
        })?;
        let (api_version, object) = target.unwrap_or_default();
        let field_path = fields.object("fieldref", |value| {
            let mut fields = Fields::of("FieldSelector", value)?;
            let path = fields.text("fieldPath")?;
            fields.end().map(|()| path)
        })?;
        let field_path = field_path.filter(|path| !path.is_empty());
        let field_path = field_path.unwrap_or_else(|| "metadata.name".to_owned());
        fields.end().map(|()| Self { name, object, api_version, field_path })
    }
}

/// The order of what is printed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SortOptions {
    /// `legacy` or `fifo`.
    pub order: String,
    /// Kinds that come first and last with `legacy`.
    pub legacy: Option<(Vec<String>, Vec<String>)>,
}

impl SortOptions {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("SortOptions", value)?;
        let order = fields.text("order")?;
        let legacy = fields.object("legacySortOptions", |value| {
            let mut fields = Fields::of("LegacySortOptions", value)?;
            let lists = (fields.texts("orderFirst")?, fields.texts("orderLast")?);
            fields.end().map(|()| lists)
        })?;
        fields.end().map(|()| Self { order, legacy })
    }
}

/// What generated objects have besides data.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct GeneratorOptions {
    pub labels: Option<BTreeMap<String, String>>,
    pub annotations: Option<BTreeMap<String, String>>,
    pub disable_name_suffix_hash: bool,
    pub immutable: bool,
}

impl GeneratorOptions {
    pub(super) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("GeneratorOptions", value)?;
        let read = Self {
            labels: fields.map("labels")?,
            annotations: fields.map("annotations")?,
            disable_name_suffix_hash: fields.flag("disableNameSuffixHash")?,
            immutable: fields.flag("immutable")?,
        };
        fields.end().map(|()| read)
    }

    /// One generator's options with those of the whole kustomization behind them; a switch
    /// that is on for all cannot be turned off for one.
    pub fn over(local: Option<Self>, global: Option<&Self>) -> Option<Self> {
        let Some(global) = global else { return local };
        let local = local.unwrap_or_default();
        let behind = |local: Option<BTreeMap<String, String>>,
                      global: &Option<BTreeMap<String, String>>| {
            let mut all = global.clone().unwrap_or_default();
            all.extend(local.unwrap_or_default());
            Some(all)
        };
        Some(Self {
            labels: behind(local.labels, &global.labels),
            annotations: behind(local.annotations, &global.annotations),
            disable_name_suffix_hash: local.disable_name_suffix_hash
                || global.disable_name_suffix_hash,
            immutable: local.immutable || global.immutable,
        })
    }
}

/// An item of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct GeneratorArgs {
    pub name: String,
    pub namespace: String,
    pub behavior: String,
    pub literals: Vec<String>,
    pub files: Vec<String>,
    pub envs: Vec<String>,
    pub options: Option<GeneratorOptions>,
    /// A secret's type.
    pub secret_type: String,
}

impl GeneratorArgs {
    pub(super) fn config_map(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("ConfigMapArgs", value)?;
        let read = Self::fill(&mut fields)?;
        fields.end().map(|()| read)
    }

    pub(super) fn secret(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("SecretArgs", value)?;
        let read = Self { secret_type: fields.text("type")?, ..Self::fill(&mut fields)? };
        fields.end().map(|()| read)
    }

    /// Reads the fields that both kinds have.
    pub(crate) fn fill(fields: &mut Fields) -> Result<Self, Problem> {
        let mut envs = fields.texts("envs")?;
        envs.extend(Some(fields.text("env")?).filter(|env| !env.is_empty()));
        Ok(Self {
            name: fields.text("name")?,
            namespace: fields.text("namespace")?,
            behavior: fields.text("behavior")?,
            literals: fields.texts("literals")?,
            files: fields.texts("files")?,
            envs,
            options: fields.object("options", GeneratorOptions::of)?,
            secret_type: String::new(),
        })
    }
}

/// Where charts are.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct HelmGlobals {
    pub chart_home: String,
    pub config_home: String,
}

impl HelmGlobals {
    pub(crate) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("HelmGlobals", value)?;
        let read = Self::fill(&mut fields)?;
        fields.end().map(|()| read)
    }

    pub(crate) fn fill(fields: &mut Fields) -> Result<Self, Problem> {
        Ok(Self { chart_home: fields.text("chartHome")?, config_home: fields.text("configHome")? })
    }
}

/// An item of `helmCharts`.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields have the names that users write")]
pub struct HelmChart {
    pub name: String,
    pub version: String,
    pub repo: String,
    pub release_name: String,
    pub namespace: String,
    pub additional_values_files: Vec<String>,
    pub values_file: String,
    pub values_inline: Value,
    pub values_merge: String,
    pub include_crds: bool,
    pub skip_hooks: bool,
    pub api_versions: Vec<String>,
    pub kube_version: String,
    pub name_template: String,
    pub skip_tests: bool,
    pub debug: bool,
    pub devel: bool,
}

impl HelmChart {
    pub(super) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("HelmChart", value)?;
        let read = Self::fill(&mut fields)?;
        fields.end().map(|()| read)
    }

    pub(crate) fn fill(fields: &mut Fields) -> Result<Self, Problem> {
        Ok(Self {
            name: fields.text("name")?,
            version: fields.text("version")?,
            repo: fields.text("repo")?,
            release_name: fields.text("releaseName")?,
            namespace: fields.text("namespace")?,
            additional_values_files: fields.texts("additionalValuesFiles")?,
            values_file: fields.text("valuesFile")?,
            values_inline: fields.object("valuesInline", object)?.unwrap_or_default(),
            values_merge: fields.text("valuesMerge")?,
            include_crds: fields.flag("includeCRDs")?,
            skip_hooks: fields.flag("skipHooks")?,
            api_versions: fields.texts("apiVersions")?,
            kube_version: fields.text("kubeVersion")?,
            name_template: fields.text("nameTemplate")?,
            skip_tests: fields.flag("skipTests")?,
            debug: fields.flag("debug")?,
            devel: fields.flag("devel")?,
        })
    }
}

fn object(value: Value) -> Result<Value, Problem> {
    match value {
        Value::Object(_) => Ok(value),
        _ => Err("json: cannot unmarshal into Go value of type map[string]interface {}".to_owned()),
    }
}

/// An item of `helmChartInflationGenerator`, as it was written once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartArgs {
    chart: HelmChart,
    globals: HelmGlobals,
}

impl ChartArgs {
    pub(super) fn of(value: Value) -> Result<Self, Problem> {
        let mut fields = Fields::of("HelmChartArgs", value)?;
        let chart = HelmChart {
            name: fields.text("chartName")?,
            version: fields.text("chartVersion")?,
            repo: fields.text("chartRepoUrl")?,
            values_file: fields.text("values")?,
            values_inline: fields.object("valuesLocal", object)?.unwrap_or_default(),
            values_merge: fields.text("valuesMerge")?,
            release_name: fields.text("releaseName")?,
            ..HelmChart::default()
        };
        let globals = HelmGlobals {
            chart_home: fields.text("chartHome")?,
            config_home: fields.text("helmHome")?,
        };
        for unused in ["chartRepoName", "helmBin", "releaseNamespace"] {
            fields.text(unused)?;
        }
        fields.texts("extraArgs")?;
        fields.end().map(|()| Self { chart, globals })
    }

    pub(super) fn add_globals(&self, globals: &mut HelmGlobals) {
        if !self.globals.config_home.is_empty() {
            globals.config_home.clone_from(&self.globals.config_home);
        }
        if !self.globals.chart_home.is_empty() {
            globals.chart_home.clone_from(&self.globals.chart_home);
        }
    }
}

impl From<ChartArgs> for HelmChart {
    fn from(args: ChartArgs) -> Self {
        args.chart
    }
}
