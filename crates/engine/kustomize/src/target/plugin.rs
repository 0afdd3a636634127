//! Builtin plugins with a configuration of their own, as `generators`, `transformers` and
//! `validators` name them.

use serde_json::Value;

use super::{Source, Target};
use crate::config::FieldSpec;
use crate::error::{Inside, KustomizeError};
use crate::generate::Generated;
use crate::kustomization::{
    Fields, GeneratorArgs, HelmChart, HelmGlobals, Image, Patch, PatchOptions, Problem,
    ReplacementField, Replica, Selector, with_texts,
};
use crate::node::Node;
use crate::patch::{PatchSource, PatchStep};
use crate::replacements::Replacements;
use crate::resource::Resource;
use crate::transform::{
    AffixStep, EntriesStep, ImageStep, NamespaceStep, ReplicaStep, Step, Subjects, ValueAddStep,
    ValueTarget, paths,
};

/// A plugin that is configured.
pub(super) enum Plugin {
    Generate(Generated, GeneratorArgs),
    Chart(Box<HelmChart>, HelmGlobals),
    /// What it makes is known already.
    Made(Box<Resource>),
    Step(Box<Step>),
}

/// Configures the plugin that a resource describes.
///
/// # Errors
///
/// For what is no builtin plugin (nothing else runs here), and for a bad configuration.
pub(super) fn of(
    config: &Resource,
    target: &Target<'_>,
    source: &Source<'_>,
) -> Result<Plugin, KustomizeError> {
    let gvk = config.gvk();
    if !gvk.group.is_empty() || &*gvk.version != "builtin" {
        let mut problem = format!(
            "external plugins disabled; unable to load external plugin '{}'",
            config.original_id().gvk.kind
        );
        let function = ["config.kubernetes.io/function", "config.k8s.io/function"]
            .iter()
            .any(|key| config.metadata_entry("annotations", key).is_some());
        if function {
            problem.push_str(" (functions run programs or containers, which nothing here does)");
        }
        return Err(KustomizeError::said(problem));
    }
    let failing = || format!("plugin {} fails configuration", super::called(config));
    let value = config.node.to_json().inside(failing)?;
    let value = if gvk.kind.ends_with("Generator") { value } else { with_texts(value) };
    let plugin = configured(&gvk.kind, value, config, target, source);
    plugin.map_err(Failed::into_error).inside(failing)
}

/// Why a configuration is bad: in words of the decoder, or of the plugin.
enum Failed {
    Unreadable(Problem),
    Refused(KustomizeError),
}

impl Failed {
    fn into_error(self) -> KustomizeError {
        match self {
            Failed::Unreadable(problem) => KustomizeError::said(format!(
                "error unmarshaling JSON: while decoding JSON: {problem}"
            )),
            Failed::Refused(error) => error,
        }
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Failed::Unreadable(problem)
    }
}

impl From<KustomizeError> for Failed {
    fn from(error: KustomizeError) -> Self {
        Failed::Refused(error)
    }
}

fn said(problem: impl Into<String>) -> Failed {
    Failed::Refused(KustomizeError::said(problem))
}

fn configured(
    kind: &str,
    value: Value,
    config: &Resource,
    target: &Target<'_>,
    source: &Source<'_>,
) -> Result<Plugin, Failed> {
    let mut fields = Fields::lax("Plugin", value)?;
    let step = match kind {
        "ConfigMapGenerator" | "SecretGenerator" => {
            let secret_type = fields.text("type")?;
            let mut args = GeneratorArgs { secret_type, ..GeneratorArgs::fill(&mut fields)? };
            if args.name.is_empty() {
                args.name = config.name().to_owned();
            }
            if args.namespace.is_empty() {
                args.namespace = config.namespace().to_owned();
            }
            let what = match kind {
                "SecretGenerator" => Generated::Secret,
                _ => Generated::ConfigMap,
            };
            return Ok(Plugin::Generate(what, args));
        }
        "HelmChartInflationGenerator" => {
            let globals = HelmGlobals::fill(&mut fields)?;
            return Ok(Plugin::Chart(Box::new(HelmChart::fill(&mut fields)?), globals));
        }
        "IAMPolicyGenerator" => return iam_policy(&mut fields, config, source),
        "AnnotationsTransformer" | "LabelTransformer" => {
            let what = if kind == "LabelTransformer" { "labels" } else { "annotations" };
            let entries = fields.map(what)?.unwrap_or_default();
            let specs = paths(&specs(&mut fields)?);
            Step::Entries(EntriesStep { entries, specs })
        }
        "HashTransformer" => Step::Hash,
        "ImageTagTransformer" => {
            let image = fields.object("imageTag", Image::of)?.unwrap_or_default();
            Step::Image(ImageStep::new(image, paths(&specs(&mut fields)?))?)
        }
        "NamespaceTransformer" => {
            let subjects = Subjects::of(&fields.text("setRoleBindingSubjects")?)?;
            let unset_only = fields.flag("unsetOnly")?;
            let specs = specs(&mut fields)?;
            let step = NamespaceStep::new(config.namespace(), &specs, subjects, unset_only);
            Step::Namespace(step)
        }
        "PatchJson6902Transformer" => {
            let patch = Patch {
                path: fields.text("path")?,
                patch: fields.text("jsonOp")?,
                target: fields.object("target", Selector::of)?,
                options: PatchOptions::default(),
            };
            Step::Patch(PatchStep::read_json6902(&patch, source)?)
        }
        "PatchStrategicMergeTransformer" => {
            let mut items = fields.texts("paths")?;
            items.extend(Some(fields.text("patches")?).filter(|patch| !patch.is_empty()));
            if items.is_empty() {
                return Err(said("empty file path and empty patch content"));
            }
            Step::Patch(PatchStep::read_strategic(&items, source)?)
        }
        "PatchTransformer" => {
            let patch = Patch {
                path: fields.text("path")?,
                patch: fields.text("patch")?,
                target: fields.object("target", Selector::of)?,
                options: fields.object("options", PatchOptions::of)?.unwrap_or_default(),
            };
            Step::Patch(PatchStep::read(&patch, source)?)
        }
        "PrefixTransformer" | "SuffixTransformer" => {
            let is_prefix = kind == "PrefixTransformer";
            let affix = fields.text(if is_prefix { "prefix" } else { "suffix" })?;
            if !fields.has("fieldSpecs") {
                return Err(said("fieldSpecs is not expected to be nil"));
            }
            let step = AffixStep { affix, specs: paths(&specs(&mut fields)?) };
            if is_prefix { Step::Prefix(step) } else { Step::Suffix(step) }
        }
        "PrefixSuffixTransformer" => {
            let (prefix, suffix) = (fields.text("prefix")?, fields.text("suffix")?);
            if !fields.has("fieldSpecs") {
                return Err(said("fieldSpecs is not expected to be nil"));
            }
            let specs = paths(&specs(&mut fields)?);
            let prefix = AffixStep { affix: prefix, specs: specs.clone() };
            let suffix = AffixStep { affix: suffix, specs };
            Step::Several(vec![Step::Prefix(prefix), Step::Suffix(suffix)])
        }
        "ReplacementTransformer" => {
            let items = fields.list("replacements", ReplacementField::of)?;
            Step::Replacements(Replacements::read(&items, source)?)
        }
        "ReplicaCountTransformer" => {
            let replica = fields.object("replica", Replica::of)?.unwrap_or_default();
            Step::Replicas(ReplicaStep::new(replica, &specs(&mut fields)?))
        }
        "ValueAddTransformer" => value_add(&mut fields, target, source)?,
        _ => return Err(said(format!("unable to load builtin {}", config.gvk()))),
    };
    Ok(Plugin::Step(Box::new(step)))
}

fn specs(fields: &mut Fields) -> Result<Vec<FieldSpec>, Problem> {
    fields.list("fieldSpecs", FieldSpec::of)
}

fn value_add(
    fields: &mut Fields,
    target: &Target<'_>,
    source: &Source<'_>,
) -> Result<Step, Failed> {
    let value = fields.text("value")?;
    let value = match value.trim() {
        "" => target.directory_name(),
        value => value,
    };
    let mut targets = fields.list("targets", value_target)?;
    let file = fields.text("targetFilePath")?;
    if !file.is_empty() {
        let content = source.load(&file)?;
        let read = goyaml::to_json(&content).map_err(|error| said(error.to_string()))?;
        targets.extend(Fields::lax("Targets", with_texts(read))?.list("targets", value_target)?);
    }
    if targets.is_empty() {
        return Err(said("must specify at least one target"));
    }
    if targets.iter().any(|target| target.field_path.is_empty()) {
        return Err(said("fieldPath cannot be empty"));
    }
    Ok(Step::ValueAdd(ValueAddStep { value: value.to_owned(), targets }))
}

fn value_target(value: Value) -> Result<ValueTarget, Problem> {
    let mut fields = Fields::lax("Target", value)?;
    let selector = fields.object("selector", Selector::of)?;
    let field_path = fields.text("fieldPath")?;
    let position = fields.number("filePathPosition")?;
    let file_path_position = usize::try_from(position)
        .map_err(|_| format!("value of FilePathPosition ({position}) cannot be negative"))?;
    Ok(ValueTarget { selector, field_path, file_path_position })
}

/// A service account that stands for one of Google's.
fn iam_policy(
    fields: &mut Fields,
    config: &Resource,
    source: &Source<'_>,
) -> Result<Plugin, Failed> {
    let cloud = fields.text("cloud")?;
    if cloud != "gke" {
        return Err(said(format!("cloud provider {cloud} not supported yet")));
    }
    let part = |value: Value, keys: [&str; 2]| -> Result<[String; 2], Problem> {
        let mut fields = Fields::lax("IAMPolicyGenerator", value)?;
        Ok([fields.text(keys[0])?, fields.text(keys[1])?])
    };
    let [name, namespace] = part(fields.value("kubernetesService"), ["name", "namespace"])?;
    let [account, project] = part(fields.value("serviceAccount"), ["name", "projectId"])?;
    let mut made = Resource::new(Node::mapping(), source.origin.clone());
    made.scopes.clone_from(&config.scopes);
    if let Some(object) = made.node.as_mapping_mut() {
        object.insert("apiVersion", Node::string("v1"));
        object.insert("kind", Node::string("ServiceAccount"));
    }
    let email = format!("{account}@{project}.iam.gserviceaccount.com");
    made.set_metadata_entry("annotations", "iam.gke.io/gcp-service-account", email);
    made.set_name(name);
    made.set_namespace(namespace);
    Ok(Plugin::Made(Box::new(made)))
}
