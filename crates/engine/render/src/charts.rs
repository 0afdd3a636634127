//! Charts: what a source says of one, as Helm is asked for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crd::{ApplicationSource, ApplicationSourceHelm};
use desired::{DesiredObject, Origin};
use filetree::{FileTree, TreePath};
use helm::{Chance, ChartSource, HelmError, NeededChart, Request, ValuesFile, Vendored};
use serde_json::Value;

use crate::env::BuildEnv;
use crate::error::RenderError;
use crate::hash::object_hash;
use crate::manifests;
use crate::needs::{Asked, Need, Reach};
use crate::run::{Input, RenderedSource};
use crate::source_type::SourceType;
use crate::value_files::Places;

/// What charts are rendered with; it belongs to the caller and outlives renderings.
pub struct ChartMeans<'a> {
    /// What was parsed before.
    pub cache: &'a helm::Cache,
    /// Which Helm.
    pub profile: helm::Profile,
    /// Chance and time.
    pub chance: &'a mut dyn Chance,
    /// Whether to give up; asked every few thousand steps.
    pub should_stop: &'a mut dyn FnMut() -> bool,
    /// What a rendering may cost.
    pub limits: helm::Limits,
}

/// The release's name where nothing gives one, as Helm's.
pub const NO_NAME: &str = "release-name";
/// The release's namespace where nothing gives one, as Helm's.
pub const NO_NAMESPACE: &str = "default";

/// How values from the source itself are called in messages.
const OWN_VALUES: &str = "<temp file with values from source.helm.values/valuesObject>";

/// Renders a source that is a chart.
pub(crate) fn render(
    tree: &dyn FileTree,
    path: &TreePath,
    source: &ApplicationSource,
    input: &Input<'_>,
    means: &mut ChartMeans<'_>,
) -> Result<RenderedSource, RenderError> {
    let no_helm = ApplicationSourceHelm::default();
    let helm = source.helm.as_deref().unwrap_or(&no_helm);
    let env = input.build_env();
    let places = Places { tree, path, reach: input.reach, env: &env };
    let mut values_files: Vec<ValuesFile> = places
        .read(&helm.value_files, helm.ignore_missing_value_files)?
        .into_iter()
        .map(|found| ValuesFile { name: found.name, content: found.content })
        .collect();
    if let Some(content) = own_values(helm) {
        values_files.push(ValuesFile { name: OWN_VALUES.to_owned(), content });
    }
    let parameters = Parameters::new(helm, &env, &places)?;
    let kube_version = plain_version(first_of(&helm.kube_version, input.kube_version));
    let api_versions = match helm.api_versions.as_slice() {
        [] => input.api_versions.to_vec(),
        own => one_by_one(own),
    };
    let read_file = |asked: &str| {
        let found = parameters.files.get(asked);
        found.cloned().ok_or_else(|| format!("open {asked}: no such file or directory"))
    };
    let request = Request {
        chart: ChartSource::Directory { tree, path },
        vendored: &[],
        release_name: release_name(helm, input.app_name),
        namespace: first_of(first_of(&helm.namespace, input.namespace), NO_NAMESPACE),
        kube_version: (!kube_version.is_empty()).then_some(kube_version.as_str()),
        api_versions: &api_versions,
        values_files: &values_files,
        set: &parameters.set,
        set_string: &parameters.set_string,
        set_file: &parameters.set_file,
        read_file: &read_file,
        include_definitions: !helm.skip_crds,
        skip_tests: helm.skip_tests,
        skip_schema_validation: helm.skip_schema_validation,
        profile: means.profile,
        limits: means.limits,
        reading: READING,
    };
    let rendering = render_chart(request, input.reach, means)?;
    let mut objects = Vec::new();
    for document in rendering.documents {
        let file = path.join(&document.stored_at)?.as_str().to_owned();
        objects.extend(document.contents.into_objects().into_iter().map(|made| DesiredObject {
            object: made.object,
            hash: made.hash,
            origin: Origin { source: input.source_index, file: file.clone(), line: 0 },
        }));
    }
    Ok(RenderedSource {
        objects,
        source_type: SourceType::Helm,
        notes: Vec::new(),
        asked: Asked {
            kube_version: rendering.asked.kube_version,
            api_versions: rendering.asked.api_versions,
            all_api_versions: rendering.asked.all_api_versions,
        },
    })
}

/// Renders a chart; charts that it needs are looked for beside it and among what was fetched.
///
/// # Errors
///
/// [`RenderError::Needs`] for what nobody fetched yet, else what Helm refuses.
pub fn render_chart(
    request: Request<'_>,
    reach: &Reach<'_>,
    means: &mut ChartMeans<'_>,
) -> Result<helm::Rendering, RenderError> {
    let folder = match &request.chart {
        ChartSource::Directory { path, .. } => path.as_str().to_owned(),
        ChartSource::Archive { .. } => String::new(),
    };
    let mut rendered = helm::render(&request, means.chance, means.should_stop, means.cache);
    if let Err(HelmError::Needs { needs, lock, .. }) = &rendered {
        let gathered = gather(needs, lock.as_deref(), &request.chart, reach)?;
        let vendored: Vec<Vendored<'_>> = gathered.iter().map(Gathered::vendored).collect();
        let request = Request { vendored: &vendored, ..request.clone() };
        rendered = helm::render(&request, means.chance, means.should_stop, means.cache);
    }
    rendered.map_err(|error| match error {
        HelmError::Failed(failure) => {
            RenderError::Chart { failure: Box::new(failure.seen_from_root(&folder)) }
        }
        missing @ HelmError::Needs { .. } => {
            RenderError::ValueFiles { problem: missing.to_string() }
        }
    })
}

/// Documents' objects with their hashes, as Argo CD reads what Helm prints.
pub const READING: helm::Reading = helm::Reading { objects: read_objects, as_text: None };

/// As [`READING`] for those who only print objects: as JSON texts where that is less work, and
/// without hashes.
pub const READING_TEXTS: helm::Reading =
    helm::Reading { objects: read_objects_alone, as_text: Some(manifests::stands_alone) };

/// As [`READING`], without hashes.
pub const READING_ALONE: helm::Reading =
    helm::Reading { objects: read_objects_alone, as_text: None };

/// A document's objects, as Argo CD reads what Helm prints.
pub fn read_objects(value: Value) -> Result<Vec<helm::Object>, String> {
    let objects = manifests::objects_of(value)?;
    Ok(objects
        .into_iter()
        .map(|object| helm::Object { hash: object_hash(&object), object: Arc::new(object) })
        .collect())
}

fn read_objects_alone(value: Value) -> Result<Vec<helm::Object>, String> {
    let objects = manifests::objects_of(value)?;
    Ok(objects
        .into_iter()
        .map(|object| helm::Object { hash: 0, object: Arc::new(object) })
        .collect())
}

fn first_of<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}

/// The name of the release: the source's, else the Application's without its namespace.
fn release_name<'a>(helm: &'a ApplicationSourceHelm, app_name: &'a str) -> &'a str {
    if !helm.release_name.is_empty() {
        return &helm.release_name;
    }
    match app_name.split_once('_') {
        Some((_, name)) if !name.is_empty() => name,
        _ if app_name.is_empty() => NO_NAME,
        _ => app_name,
    }
}

/// API versions, where commas separate several in one, and nothing is none.
pub fn one_by_one(api_versions: &[String]) -> Vec<String> {
    let given = api_versions.iter().filter(|one| !one.is_empty());
    given.flat_map(|one| one.split(',')).map(str::to_owned).collect()
}

/// A Kubernetes version's numbers alone, as many as there are: Argo CD drops what a provider adds
/// to them. What is no version is left for Helm to refuse.
pub fn plain_version(version: &str) -> String {
    let numbers = version.trim_start();
    let numbers = numbers.strip_prefix('v').unwrap_or(numbers);
    let end = numbers.find(|char: char| !char.is_ascii_digit() && char != '.');
    let parts: Vec<&str> = numbers[..end.unwrap_or(numbers.len())]
        .split('.')
        .take_while(|part| !part.is_empty())
        .collect();
    let is_version = parts.len() >= 2 && (parts[0] == "0" || !parts[0].starts_with('0'));
    let values: Option<Vec<u64>> = parts.iter().map(|part| part.parse().ok()).collect();
    match values.filter(|_| is_version) {
        Some(values) => values.iter().map(u64::to_string).collect::<Vec<_>>().join("."),
        None => version.to_owned(),
    }
}

/// Values that the source itself has: an object wins over a text.
fn own_values(helm: &ApplicationSourceHelm) -> Option<Arc<[u8]>> {
    if let Some(object) = &helm.values_object
        && !object.is_null()
    {
        let text = serde_json::to_vec(object).expect("a JSON value prints to memory");
        return Some(text.into());
    }
    (!helm.values.is_empty()).then(|| helm.values.as_bytes().into())
}

/// Parameters as Helm's flags; sorted by name, where upstream has no order at all.
struct Parameters {
    set: Vec<String>,
    set_string: Vec<String>,
    set_file: Vec<String>,
    /// What the flags of files name.
    files: BTreeMap<String, Arc<[u8]>>,
}

impl Parameters {
    fn new(
        helm: &ApplicationSourceHelm,
        env: &BuildEnv,
        places: &Places<'_>,
    ) -> Result<Self, RenderError> {
        let mut typed = BTreeMap::new();
        let mut texts = BTreeMap::new();
        for parameter in &helm.parameters {
            let into = if parameter.force_string { &mut texts } else { &mut typed };
            into.insert(parameter.name.as_str(), env.substitute(&parameter.value));
        }
        let flags = |of: BTreeMap<&str, String>| {
            of.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect()
        };
        let mut by_name = BTreeMap::new();
        for parameter in &helm.file_parameters {
            by_name.insert(parameter.name.as_str(), parameter.path.as_str());
        }
        let mut set_file = Vec::new();
        let mut files = BTreeMap::new();
        for (name, entry) in by_name {
            let found = places.read_one(entry)?;
            set_file.push(format!("{name}={}", escaped(&found.name)));
            files.insert(found.name, found.content);
        }
        Ok(Self { set: flags(typed), set_string: flags(texts), set_file, files })
    }
}

/// A value in which commas do not end it; `{…}` is a list, and stays one.
fn escaped(value: &str) -> String {
    if value.starts_with('{') && value.ends_with('}') {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut last = '\0';
    for char in value.chars() {
        if char == ',' && last != '\\' {
            out.push('\\');
        }
        out.push(char);
        last = char;
    }
    out
}

/// A chart that another one depends on, found or fetched.
enum Gathered<'a> {
    Archive { name: String, bytes: Arc<[u8]> },
    Directory { name: String, tree: &'a dyn FileTree, path: TreePath },
}

impl Gathered<'_> {
    fn vendored(&self) -> Vendored<'_> {
        match self {
            Gathered::Archive { name, bytes } => {
                Vendored { name, chart: ChartSource::Archive { bytes: bytes.clone(), name } }
            }
            Gathered::Directory { name, tree, path } => {
                Vendored { name, chart: ChartSource::Directory { tree: *tree, path } }
            }
        }
    }
}

/// Finds the charts that are missing: beside this one, or among what was fetched.
fn gather<'a>(
    needs: &[NeededChart],
    lock: Option<&[u8]>,
    chart: &ChartSource<'a>,
    reach: &Reach<'_>,
) -> Result<Vec<Gathered<'a>>, RenderError> {
    let locked = lock.map(locked_versions).unwrap_or_default();
    let mut gathered = Vec::new();
    let mut unmet = Vec::new();
    for needed in needs.iter().filter(|needed| needed.missing) {
        let name = needed.name.clone();
        let refused = |problem: String| RenderError::ValueFiles {
            problem: format!("error building helm chart dependencies: {problem}"),
        };
        if needed.repository.is_empty() {
            return Err(refused(format!(
                "directory charts/{name} not found; put the chart there, or give the dependency a repository"
            )));
        }
        if let Some(local) = needed.repository.strip_prefix("file://") {
            let ChartSource::Directory { tree, path } = chart else {
                return Err(refused(format!("directory {local} not found")));
            };
            let directory = match local.strip_prefix('/') {
                Some(from_root) => TreePath::parse(from_root),
                None => path.join(local),
            };
            let directory = directory.map_err(|_| {
                refused(format!("{} leads out of the repository", needed.repository))
            })?;
            gathered.push(Gathered::Directory { name, tree: *tree, path: directory });
            continue;
        }
        let version = locked.get(&name).unwrap_or(&needed.version).clone();
        let repository = needed.repository.clone();
        let need = Need::Chart { repository, name: name.clone(), version };
        match reach.fetched.file(&need) {
            Some(bytes) => gathered.push(Gathered::Archive { name, bytes: bytes.clone() }),
            None => unmet.push(need),
        }
    }
    if unmet.is_empty() { Ok(gathered) } else { Err(RenderError::Needs { needs: unmet }) }
}

/// The versions that a lock file names.
fn locked_versions(lock: &[u8]) -> BTreeMap<String, String> {
    let lock = goyaml::to_json(lock).unwrap_or_default();
    let listed = lock.get("dependencies").and_then(Value::as_array);
    let pair = |one: &Value| {
        let text = |field: &str| Some(one.get(field)?.as_str()?.to_owned());
        Some((text("name")?, text("version")?))
    };
    listed.into_iter().flatten().filter_map(pair).collect()
}
