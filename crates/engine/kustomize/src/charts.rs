//! `helmCharts`: this crate says what to render, another one renders it.

use filetree::{EntryKind, FileTree, TreePath};
use serde_json::{Map, Value};

use crate::error::{Cause, Inside, KustomizeError, Need};
use crate::kustomization::{HelmChart, HelmGlobals};
use crate::loader::{Fetched, Loader};
use crate::node::{Entry, Node, Scalar, Tag, parse_first};
use crate::options::Options;
use crate::patch::{Schema, merge};
use crate::read;
use crate::resource::{Origin, Resource};

/// Whoever renders charts.
pub trait Charts: Send + Sync {
    /// Returns what `helm template` prints.
    ///
    /// # Errors
    ///
    /// In words, as helm says it.
    fn template(&self, request: &ChartRequest<'_>) -> Result<String, String>;
}

/// One `helm template`.
#[derive(Clone)]
pub struct ChartRequest<'a> {
    /// Where the chart lies.
    pub tree: &'a dyn FileTree,
    /// The chart's directory in it.
    pub chart: TreePath,
    /// `None` for a generated name.
    pub release_name: Option<&'a str>,
    /// `--name-template`
    pub name_template: Option<&'a str>,
    /// `--namespace`
    pub namespace: Option<&'a str>,
    /// Values files as YAML; a later one counts more.
    pub values: Vec<Vec<u8>>,
    /// `--api-versions`
    pub api_versions: &'a [String],
    /// `--kube-version`
    pub kube_version: Option<&'a str>,
    /// `--include-crds`
    pub include_crds: bool,
    /// `--skip-tests`
    pub skip_tests: bool,
    /// `--no-hooks`
    pub skip_hooks: bool,
}

/// Everything around a chart.
pub(crate) struct Inflation<'a> {
    pub(crate) loader: &'a Loader<'a>,
    pub(crate) options: &'a Options,
    pub(crate) charts: Option<&'a dyn Charts>,
    pub(crate) fetched: &'a Fetched,
    pub(crate) origin: Origin,
}

fn or_none(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

impl Inflation<'_> {
    /// Renders a chart to resources.
    ///
    /// # Errors
    ///
    /// Where helm is not enabled, the chart must be fetched first, values do not parse or
    /// merge, or the chart does not render.
    pub(crate) fn render(
        &self,
        chart: &HelmChart,
        globals: &HelmGlobals,
    ) -> Result<Vec<Resource>, KustomizeError> {
        if !self.options.enable_helm {
            return Err(KustomizeError::said("must specify --enable-helm"));
        }
        if chart.name.is_empty() {
            return Err(KustomizeError::said("chart name cannot be empty"));
        }
        let merging = match &*chart.values_merge {
            "" | "override" => Merging::Override,
            "merge" => Merging::Merge,
            "replace" => Merging::Replace,
            _ => {
                return Err(KustomizeError::said(
                    "valuesMerge must be one of [merge override replace]",
                ));
            }
        };
        let additional = chart
            .additional_values_files
            .iter()
            .map(|file| self.loader.load(file).map(|content| content.to_vec()))
            .collect::<Result<Vec<_>, _>>()
            .inside(|| "could not load additionalValuesFile")?;
        let (tree, directory) = self.find(chart, globals)?;
        let file = match &*chart.values_file {
            "" => tree.read(
                &directory
                    .join("values.yaml")
                    .map_err(|error| KustomizeError::said(error.to_string()))?,
            )?,
            file => self.loader.load(file)?,
        };
        let mut values = vec![values(&file, &chart.values_inline, merging)?];
        values.extend(additional);
        let Some(charts) = self.charts else {
            return Err(KustomizeError::said(format!(
                "chart `{}` cannot be rendered: no Helm engine was given",
                chart.name
            )));
        };
        let api_versions = match self.options.helm_api_versions.is_empty() {
            true => &chart.api_versions,
            false => &self.options.helm_api_versions,
        };
        let kube_version = match &self.options.helm_kube_version {
            Some(version) => Some(&**version),
            None => or_none(&chart.kube_version),
        };
        if !chart.release_name.is_empty() && !chart.name_template.is_empty() {
            return Err(KustomizeError::said("cannot set --name-template and also specify a name"));
        }
        let request = ChartRequest {
            tree,
            chart: directory,
            release_name: or_none(&chart.release_name),
            name_template: or_none(&chart.name_template),
            namespace: or_none(&chart.namespace),
            values,
            api_versions,
            kube_version,
            include_crds: chart.include_crds,
            skip_tests: chart.skip_tests,
            skip_hooks: chart.skip_hooks,
        };
        let printed = charts
            .template(&request)
            .map_err(KustomizeError::said)
            .inside(|| format!("rendering chart `{}`", chart.name))?;
        let mut resources = read::resources(printed.as_bytes(), &self.origin)
            .inside(|| "could not parse bytes into resource map")?;
        for resource in &mut resources {
            resource.helm_generated = true;
        }
        Ok(resources)
    }

    fn find(
        &self,
        chart: &HelmChart,
        globals: &HelmGlobals,
    ) -> Result<(&dyn FileTree, TreePath), KustomizeError> {
        let home = or_none(&globals.chart_home).unwrap_or("charts");
        let mut home = self.loader.resolve(home)?;
        let join = |home: &TreePath, name: &str| {
            home.join(name).map_err(|error| KustomizeError::said(error.to_string()))
        };
        if !chart.version.is_empty() && !chart.repo.is_empty() {
            home = join(&home, &format!("{}-{}", chart.name, chart.version))?;
        }
        let directory = join(&home, &chart.name)?;
        let tree = self.loader.tree();
        let found = tree.kind(&directory)?;
        if matches!(found, Some(EntryKind::Directory)) {
            return Ok((tree, directory));
        }
        if chart.repo.is_empty() {
            return Err(KustomizeError::said(format!(
                "no repo specified for pull, no chart found at '{directory}'"
            )));
        }
        let need = Need::Chart {
            name: chart.name.clone(),
            repository: chart.repo.clone(),
            version: or_none(&chart.version).map(str::to_owned),
        };
        match self.fetched.repositories.get(&need) {
            Some(tree) => Ok((&**tree, TreePath::root())),
            None => Err(Cause::Needs(vec![need]).into()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Merging {
    /// What stands in the kustomization counts more.
    Override,
    /// What stands in the file counts more.
    Merge,
    /// The file does not count.
    Replace,
}

/// The file's values and those of the kustomization in one.
fn values(file: &[u8], inline: &Value, merging: Merging) -> Result<Vec<u8>, KustomizeError> {
    let empty = inline.as_object().is_none_or(Map::is_empty);
    if empty {
        return Ok(file.to_vec());
    }
    let inline = Node::from_json(inline);
    let merged = if merging == Merging::Replace {
        inline
    } else {
        let file = parse_first(file).inside(|| "could not parse values file into rnode")?;
        let file = file.unwrap_or_else(Node::mapping);
        let (mut under, over) = match merging {
            Merging::Override => (file, inline),
            Merging::Merge | Merging::Replace => (inline, file),
        };
        let there =
            merge(&mut under, over, &Schema::builtin()).inside(|| "could not merge values")?;
        if there { under } else { Node::mapping() }
    };
    Ok(with_texts_as_keys(merged).to_json()?.to_string().into_bytes())
}

/// Helm makes texts of the keys of values, whatever they are.
fn with_texts_as_keys(node: Node) -> Node {
    match node {
        Node::Mapping(mapping) => {
            let entries = mapping.into_entries().into_iter().map(|entry| {
                let key = Scalar { tag: Tag::Str, ..entry.key };
                Entry::new(key, with_texts_as_keys(entry.value))
            });
            Node::Mapping(entries.collect::<Vec<_>>().into())
        }
        Node::Sequence(items) => {
            let items = items.into_items().into_iter().map(with_texts_as_keys);
            Node::Sequence(items.collect::<Vec<_>>().into())
        }
        scalar @ Node::Scalar(_) => scalar,
    }
}
