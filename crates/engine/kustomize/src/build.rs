//! The whole way from a directory to objects.

use std::collections::BTreeMap;
use std::sync::Arc;

use filetree::{FileTree, TreePath};
use serde_json::Value;

use crate::charts::Charts;
use crate::config::FieldSpec;
use crate::edit::Place;
use crate::error::{Inside, KustomizeError};
use crate::kustomization::{Kustomization, SortOptions};
use crate::loader::{Fetched, Loader};
use crate::names::fix_references;
use crate::node::{Entry, Mapping, Node, Scalar, Tag};
use crate::options::{Options, Reorder};
use crate::read::check;
use crate::resmap::refuse_twins;
use crate::resource::Resource;
use crate::target::{Build, Gathered, Target};
use crate::transform::{EntriesStep, Step, add_hashes, paths, sort};

/// What a build may use besides the tree.
#[derive(Clone, Default)]
pub struct Extras {
    /// What was fetched because an earlier build needed it.
    pub fetched: Fetched,
    /// Who renders `helmCharts`; without, a chart is an error.
    pub charts: Option<Arc<dyn Charts>>,
}

/// An object with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct BuiltObject {
    /// As Argo CD reads what kustomize prints.
    pub value: Value,
    /// The file from the tree's root; of a generated object the kustomization's.
    pub file: String,
}

/// What a build gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Built {
    /// The objects in kustomize's order.
    pub objects: Vec<BuiltObject>,
    /// What kustomize says besides, a line each.
    pub warnings: Vec<String>,
    /// What a person would do by hand to change the kustomization as the overlay did.
    pub commands: Vec<String>,
}

/// Objects with this annotation, unless it is `false`, stay at home.
const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";
/// What objects get with `managedByLabel`.
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "kustomize-v5.8.1");

/// Annotations that kustomize takes away, whoever wrote them.
const TAKEN_AWAY: [&str; 19] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    "internal.config.kubernetes.io/helm-generated",
];

/// Builds the kustomization in a directory.
///
/// The same tree, options and extras give the same answer.
///
/// # Errors
///
/// In kustomize's words where it refuses, too. [`KustomizeError::needs`] names what must be
/// fetched before the build can go on.
pub fn build(
    tree: &dyn FileTree,
    directory: &TreePath,
    options: &Options,
    extras: &Extras,
) -> Result<Built, KustomizeError> {
    let Settled { resources, warnings, commands } = resources(tree, directory, options, extras)?;
    let mut objects = Vec::with_capacity(resources.len());
    // Each one is let go as soon as it is printed: what it held is used for the next.
    for resource in resources {
        let value = value_of(&resource)?;
        objects.push(BuiltObject { value, file: resource.origin.file.to_string() });
    }
    Ok(Built { objects, warnings, commands })
}

/// What a build gives to those who only print the objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BuiltTexts {
    /// The objects in kustomize's order, as [`goyaml::JsonText`] writes them, with sorted keys; each
    /// in pieces.
    pub objects: Vec<Vec<String>>,
    /// What kustomize says besides, a line each.
    pub warnings: Vec<String>,
}

/// Builds as [`build`], without making values of what is printed at once.
///
/// # Errors
///
/// As [`build`].
pub fn build_texts(
    tree: &dyn FileTree,
    directory: &TreePath,
    options: &Options,
    extras: &Extras,
) -> Result<BuiltTexts, KustomizeError> {
    let Settled { resources, warnings, .. } = resources(tree, directory, options, extras)?;
    let texts = resources.into_iter().map(|resource| resource.node.into_json_pieces());
    if let Some(objects) = texts.collect() {
        return Ok(BuiltTexts { objects, warnings });
    }
    // Something unusual is in them; what is printed already is gone.
    let Built { objects, warnings, .. } = build(tree, directory, options, extras)?;
    let texts = objects.iter().map(|object| vec![goyaml::json_text_of(&object.value)]);
    Ok(BuiltTexts { objects: texts.collect(), warnings })
}

fn value_of(resource: &Resource) -> Result<Value, KustomizeError> {
    resource.node.to_json().inside(|| {
        let id = resource.id();
        format!("printing {id} of `{}`", resource.origin.file)
    })
}

/// What is left to be printed.
struct Settled {
    resources: Vec<Resource>,
    warnings: Vec<String>,
    /// What stands for the overlay.
    commands: Vec<String>,
}

fn resources(
    tree: &dyn FileTree,
    directory: &TreePath,
    options: &Options,
    extras: &Extras,
) -> Result<Settled, KustomizeError> {
    let mut build = Build::new(options, &extras.fetched, extras.charts.as_deref());
    let loader = Loader::new(tree, directory.clone(), options.load_restrictor, &extras.fetched)?;
    let mut target = Target::outermost(&mut build, &loader)?;
    let commands = options.overlay.apply(&mut target.kustomization, Place { tree, directory })?;
    let gathered = target.gather(&mut build, Gathered::nothing())?;
    let resources = settle(&mut build, &target.kustomization, gathered)
        .inside(|| format!("in `{}`", target.file()))?;
    // One file that several name says the same each time.
    let mut warnings = build.warnings;
    warnings.dedup();
    Ok(Settled { resources, warnings, commands })
}

/// What is done once everything is gathered.
fn settle(
    build: &mut Build<'_>,
    kustomization: &Kustomization,
    gathered: Gathered,
) -> Result<Vec<Resource>, KustomizeError> {
    let Gathered { mut resources, config, vars } = gathered;
    add_hashes(&mut resources)?;
    fix_references(&mut resources, config.get())?;
    let unused = vars.resolve(&mut resources, &config.get().var_reference)?;
    if !unused.is_empty() {
        let unused = unused.join(",");
        build.warnings.push(format!("well-defined vars that were never replaced: {unused}"));
    }
    for resource in &resources {
        check(&resource.node)?;
    }
    resources.retain(|resource| {
        let local = resource.metadata_entry("annotations", LOCAL_CONFIG);
        local.is_none_or(|local| local == "false")
    });
    // A replacement of names may have made two of one.
    refuse_twins(&resources)?;
    match (&kustomization.sort_options, build.options.reorder) {
        (Some(options), _) => {
            sort(&mut resources, options)?;
        }
        (None, Reorder::Legacy) => {
            sort(&mut resources, &SortOptions { order: "legacy".to_owned(), legacy: None })?;
        }
        (None, Reorder::None) => {}
    }
    let wants = |what: &str| kustomization.build_metadata.iter().any(|wanted| wanted == what);
    if build.options.managed_by_label || wants("managedByLabel") {
        let (key, value) = MANAGED_BY;
        let step = Step::Entries(EntriesStep {
            entries: BTreeMap::from([(key.to_owned(), value.to_owned())]),
            specs: paths(&[FieldSpec::anywhere("metadata/labels", true)]),
        });
        step.apply(&mut resources, &build.schema)?;
    }
    let keeps_origin = wants("originAnnotations");
    let keeps_transformations = wants("transformerAnnotations");
    for resource in &mut resources {
        tidy_annotations(resource, keeps_origin, keeps_transformations);
    }
    Ok(resources)
}

/// Takes kustomize's own annotations away. What stays is text, and no empty map of it stays.
fn tidy_annotations(resource: &mut Resource, keeps_origin: bool, keeps_transformations: bool) {
    let gone = |key: &str| {
        TAKEN_AWAY.contains(&key)
            || (!keeps_origin && key == "config.kubernetes.io/origin")
            || (!keeps_transformations && key == "alpha.config.kubernetes.io/transformations")
    };
    let is_text = |entry: &Entry| match &entry.value {
        Node::Scalar(scalar) => scalar.tag == Tag::Str && Tag::of(&entry.key.text) == Tag::Str,
        Node::Mapping(_) | Node::Sequence(_) => false,
    };
    let metadata = resource.node.get("metadata").and_then(Node::as_mapping);
    let annotations = metadata.and_then(|metadata| metadata.get("annotations"));
    let is_tidy = match annotations {
        None => metadata.is_some(),
        Some(Node::Mapping(map)) => {
            !map.is_empty()
                && map.entries().iter().all(|entry| is_text(entry) && !gone(&entry.key.text))
        }
        Some(Node::Scalar(_) | Node::Sequence(_)) => false,
    };
    if is_tidy {
        return;
    }
    let texts: Vec<Entry> = annotations
        .and_then(Node::as_mapping)
        .into_iter()
        .flat_map(Mapping::entries)
        .filter(|entry| !gone(&entry.key.text))
        .map(|entry| {
            let text =
                entry.value.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
            let value = Node::Scalar(Scalar { text, tag: Tag::Str, quoted: true });
            Entry::new(Scalar::unset(entry.key.text.clone()), value)
        })
        .collect();
    let Some(metadata) = resource.node.ensure_mapping(&["metadata"]) else { return };
    metadata.remove("annotations");
    if !texts.is_empty() {
        metadata.insert("annotations", Node::Mapping(texts.into()));
    }
}

#[cfg(test)]
mod tests;
