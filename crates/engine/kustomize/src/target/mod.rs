//! One kustomization: what it takes in, makes, changes and hands to its parent.

mod generators;
mod origin;
mod plugin;
mod transformers;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::charts::Charts;
use crate::config::{SharedConfig, TransformerConfig, from_crds, from_file};
use crate::error::{Cause, Inside, KustomizeError, Need};
use crate::kustomization::{FILE_NAMES, Kustomization};
use crate::loader::{Fetched, Loader, is_remote_file};
use crate::node::Text;
use crate::options::Options;
use crate::patch::{PatchSource, Schema};
use crate::read::{self, ReadError};
use crate::remote::RepositorySpec;
use crate::resmap;
use crate::resource::{Origin, Resource};
use crate::scope::CustomScopes;
use crate::vars::Vars;
pub(crate) use origin::ORIGIN;
use origin::OriginPath;

/// Kustomizations inside each other.
const DEPTH_MAX: usize = 100;
/// Kustomizations read in one build; one that several name counts each time.
const KUSTOMIZATIONS_MAX: usize = 10_000;
/// Objects in one build.
const OBJECTS_MAX: usize = 200_000;

/// What all kustomizations of one build share.
pub(crate) struct Build<'a> {
    pub(crate) options: &'a Options,
    pub(crate) fetched: &'a Fetched,
    pub(crate) charts: Option<&'a dyn Charts>,
    pub(crate) warnings: Vec<String>,
    /// The first kustomization that names a schema sets it for all that comes after.
    pub(crate) schema: Arc<Schema>,
    schema_is_set: bool,
    scopes: CustomScopes,
    /// What the outermost kustomization's `buildMetadata` asks for.
    metadata: Vec<String>,
    read: usize,
}

impl<'a> Build<'a> {
    pub(crate) fn new(
        options: &'a Options,
        fetched: &'a Fetched,
        charts: Option<&'a dyn Charts>,
    ) -> Self {
        Self {
            options,
            fetched,
            charts,
            warnings: Vec::new(),
            schema: Schema::builtin(),
            schema_is_set: false,
            scopes: None,
            metadata: Vec::new(),
            read: 0,
        }
    }

    fn set_schema(
        &mut self,
        kustomization: &Kustomization,
        loader: &Loader<'_>,
    ) -> Result<(), KustomizeError> {
        let Some(openapi) = &kustomization.openapi else { return Ok(()) };
        let file = openapi.get("path").map(|path| loader.load(path)).transpose()?;
        if self.schema_is_set {
            return Ok(());
        }
        match (file, openapi.get("version").filter(|version| !version.is_empty())) {
            (Some(_), Some(_)) => Err(KustomizeError::said(
                "builtin version and custom schema provided, cannot use both",
            )),
            (Some(file), None) => {
                let read = Schema::read(&file);
                self.schema = Arc::new(read.map_err(|e| KustomizeError::said(e.to_string()))?);
                self.scopes = custom_scopes(&file);
                self.schema_is_set = true;
                Ok(())
            }
            (None, Some(version)) if version == "v1.21.2" => {
                self.schema_is_set = true;
                Ok(())
            }
            (None, Some(_)) => {
                Err(KustomizeError::said("the specified OpenAPI version is not built in"))
            }
            (None, None) => Ok(()),
        }
    }
}

/// Which kinds live in a namespace, by the paths of an OpenAPI document.
fn custom_scopes(file: &[u8]) -> CustomScopes {
    let document = goyaml::to_json(file).ok()?;
    let mut scopes: HashMap<(String, String), bool> = HashMap::new();
    for (path, operations) in document.get("paths")?.as_object()? {
        let Some(gvk) =
            operations.get("get").and_then(|get| get.get("x-kubernetes-group-version-kind"))
        else {
            continue;
        };
        let text = |key: &str| gvk.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        let api_version = match &*text("group") {
            "" => text("version"),
            group => format!("{group}/{}", text("version")),
        };
        let namespaced = path.contains("namespaces/{namespace}");
        *scopes.entry((api_version, text("kind"))).or_default() |= namespaced;
    }
    (!scopes.is_empty()).then(|| Arc::new(scopes))
}

/// What was gathered so far: resources, fields for transformers, variables.
pub(crate) struct Gathered {
    pub(crate) resources: Vec<Resource>,
    pub(crate) config: SharedConfig,
    pub(crate) vars: Vars,
}

impl Gathered {
    pub(crate) fn nothing() -> Self {
        Self { resources: Vec::new(), config: SharedConfig::empty(), vars: Vars::default() }
    }

    fn merge(&mut self, other: Gathered) -> Result<(), KustomizeError> {
        resmap::append_all(&mut self.resources, other.resources)?;
        if self.resources.len() > OBJECTS_MAX {
            return Err(KustomizeError::said(format!("more than {OBJECTS_MAX} objects")));
        }
        self.config.merge(&other.config).map_err(KustomizeError::said)?;
        self.vars.merge(other.vars)
    }
}

/// One kustomization that was read.
pub(crate) struct Target<'a> {
    loader: &'a Loader<'a>,
    pub(crate) kustomization: Kustomization,
    file_name: &'static str,
    /// Where it lies from where the build began; only kept where an annotation will say it.
    origin: Option<OriginPath>,
    /// A parent's namespace, for charts that have none.
    charts_namespace: String,
}

impl<'a> Target<'a> {
    /// Reads the kustomization that the build begins with.
    pub(crate) fn outermost(
        build: &mut Build<'_>,
        loader: &'a Loader<'a>,
    ) -> Result<Self, KustomizeError> {
        let (kustomization, file_name) = load(build, loader)?;
        build.metadata.clone_from(&kustomization.build_metadata);
        let origin = (!build.metadata.is_empty()).then(OriginPath::default);
        build.set_schema(&kustomization, loader)?;
        Ok(Self { loader, kustomization, file_name, origin, charts_namespace: String::new() })
    }

    /// The file from the tree's root, as an error or an origin names it.
    pub(crate) fn file(&self) -> String {
        let root = self.loader.root();
        match root.is_root() {
            true => self.file_name.to_owned(),
            false => format!("{root}/{}", self.file_name),
        }
    }

    fn made_here(&self) -> Origin {
        Origin { file: self.file().into(), generated: true }
    }

    /// Takes in, makes and changes all that the kustomization says.
    pub(crate) fn gather(
        &self,
        build: &mut Build<'_>,
        so_far: Gathered,
    ) -> Result<Gathered, KustomizeError> {
        let mut gathered = so_far;
        self.take_in(build, &mut gathered, &self.kustomization.resources)
            .inside(|| "accumulating resources")?;
        self.configure(&mut gathered.config)?;
        self.generate(build, &mut gathered)?;
        let mut gathered = self.add_components(build, gathered)?;
        self.transform(build, &mut gathered)?;
        self.validate(build, &mut gathered)?;
        let Gathered { resources, vars, .. } = &mut gathered;
        vars.add(&self.kustomization.vars, resources).inside(|| "merging vars")?;
        Ok(gathered)
    }

    fn configure(&self, config: &mut SharedConfig) -> Result<(), KustomizeError> {
        let mut own = SharedConfig::defaults();
        let merging = |problem: String| KustomizeError::said(problem).inside("merging config");
        for path in &self.kustomization.configurations {
            let read = from_file(&self.loader.load(path)?)
                .inside(|| format!("in configuration `{path}`"))?;
            own.merge_config(read).map_err(merging)?;
        }
        config.merge(&own).map_err(merging)?;
        let mut hints = SharedConfig::empty();
        for path in &self.kustomization.crds {
            let read = self.loader.load(path).and_then(|content| from_crds(&content, path));
            let read: TransformerConfig =
                read.inside(|| format!("loading CRDs [{}]", self.kustomization.crds.join(" ")))?;
            hints.merge_config(read).map_err(merging)?;
        }
        config.merge(&hints).map_err(|problem| KustomizeError::said(problem).inside("merging CRDs"))
    }

    /// Takes in files, directories and what lies elsewhere, in order.
    ///
    /// What must be fetched first is looked for in all of them before it is asked for.
    fn take_in(
        &self,
        build: &mut Build<'_>,
        gathered: &mut Gathered,
        paths: &[String],
    ) -> Result<(), KustomizeError> {
        let mut needs: Vec<Need> = Vec::new();
        for path in paths {
            let Err(error) = self.take_in_one(build, gathered, path) else { continue };
            if error.needs().is_empty() {
                return Err(error);
            }
            needs.extend(error.needs().iter().cloned());
        }
        needs.sort();
        needs.dedup();
        if needs.is_empty() { Ok(()) } else { Err(Cause::Needs(needs).into()) }
    }

    fn take_in_one(
        &self,
        build: &mut Build<'_>,
        gathered: &mut Gathered,
        path: &str,
    ) -> Result<(), KustomizeError> {
        let is_repository =
            is_remote_file(path) && RepositorySpec::parse(path).is_some_and(|spec| spec.is_plain());
        let mut no_file = format!("accumulating resources from '{path}'");
        if !is_repository {
            let Err(failed) = self.take_in_file(build, gathered, path) else { return Ok(()) };
            if !failed.error.needs().is_empty() {
                return Err(failed.error);
            }
            let as_directory = self.loader.at(path);
            if failed.malformed && as_directory.is_err() {
                return Err(failed.error);
            }
            no_file = failed.error.to_string();
        }
        let context = || format!("accumulation err='{no_file}'");
        let child = self.loader.at(path).inside(context)?;
        let child = self.child(build, &child, path, false, Gathered::nothing()).inside(context)?;
        gathered.merge(child).inside(context)
    }

    fn take_in_file(
        &self,
        build: &Build<'_>,
        gathered: &mut Gathered,
        path: &str,
    ) -> Result<(), ReadError> {
        let at_file =
            |error: KustomizeError| error.inside(format!("accumulating resources from '{path}'"));
        let plain = |error: KustomizeError| ReadError { error, malformed: false };
        let content = self.loader.load(path).map_err(|error| plain(at_file(error)))?;
        let file = match self.loader.resolve(path) {
            Ok(full) if !is_remote_file(path) => full.as_str().to_owned(),
            _ => path.to_owned(),
        };
        let origin = Origin { file: file.into(), generated: false };
        let read = read::resources_of_file(content, &origin).map_err(|failed| ReadError {
            malformed: failed.malformed,
            error: at_file(match failed.malformed {
                true => KustomizeError::said(format!("{} in File: {path}", failed.error)),
                false => failed.error,
            }),
        })?;
        let mut resources = read;
        self.prepare(build, &mut resources);
        if let Some(origin) = &self.origin {
            let text = origin.append(path).to_yaml();
            for resource in &mut resources {
                resource.set_metadata_entry("annotations", origin::ORIGIN, text.clone());
            }
        }
        resmap::append_all(&mut gathered.resources, resources)
            .inside(|| format!("merging resources from '{path}'"))
            .map_err(plain)
    }

    fn prepare(&self, build: &Build<'_>, resources: &mut [Resource]) {
        if build.scopes.is_some() {
            for resource in resources {
                resource.scopes.clone_from(&build.scopes);
            }
        }
    }

    fn add_components(
        &self,
        build: &mut Build<'_>,
        gathered: Gathered,
    ) -> Result<Gathered, KustomizeError> {
        let mut gathered = gathered;
        for path in &self.kustomization.components {
            let child = self
                .loader
                .at(path)
                .inside(|| "loader.New")
                .inside(|| "accumulating components")?;
            let with = self
                .child(build, &child, path, true, gathered)
                .inside(|| "accumulateDirectory")
                .inside(|| "accumulating components")?;
            gathered = Gathered::nothing();
            gathered.merge(with).inside(|| "accumulating components")?;
        }
        Ok(gathered)
    }

    fn child(
        &self,
        build: &mut Build<'_>,
        loader: &Loader<'_>,
        path: &str,
        is_component: bool,
        so_far: Gathered,
    ) -> Result<Gathered, KustomizeError> {
        let root = loader.root();
        if loader.depth() > DEPTH_MAX {
            return Err(KustomizeError::said(format!(
                "more than {DEPTH_MAX} kustomizations inside each other at '{root}'"
            )));
        }
        let (kustomization, file_name) =
            load(build, loader).inside(|| format!("couldn't make target for path '{root}'"))?;
        build.set_schema(&kustomization, loader)?;
        match (is_component, kustomization.is_component()) {
            (true, false) => {
                let kind = match &*kustomization.kind {
                    "" => "Kustomization",
                    kind => kind,
                };
                return Err(KustomizeError::said(format!(
                    "expected kind 'Component' for path '{root}' but got '{kind}'"
                )));
            }
            (false, true) => {
                return Err(KustomizeError::said(format!(
                    "expected kind != 'Component' for path '{root}'"
                )));
            }
            (true, true) | (false, false) => {}
        }
        let charts_namespace = match &*self.kustomization.namespace {
            "" => self.charts_namespace.clone(),
            namespace => namespace.to_owned(),
        };
        let origin = self.origin.as_ref().map(|origin| origin.append(path));
        let target = Target { loader, kustomization, file_name, origin, charts_namespace };
        target.gather(build, so_far).inside(|| format!("recursed accumulation of path '{root}'"))
    }

    fn source<'s>(&'s self, build: &Build<'_>) -> Source<'s> {
        Source { loader: self.loader, origin: self.made_here(), scopes: build.scopes.clone() }
    }
}

/// Finds and reads a directory's kustomization file.
fn load(
    build: &mut Build<'_>,
    loader: &Loader<'_>,
) -> Result<(Kustomization, &'static str), KustomizeError> {
    let root = loader.root();
    build.read += 1;
    if build.read > KUSTOMIZATIONS_MAX {
        return Err(KustomizeError::said(format!(
            "more than {KUSTOMIZATIONS_MAX} kustomizations in one build"
        )));
    }
    let mut found = None;
    for name in FILE_NAMES {
        let Ok(content) = loader.load(name) else { continue };
        if found.is_some() {
            return Err(KustomizeError::said(format!(
                "Found multiple kustomization files under: {root}\n"
            )));
        }
        found = Some((content, name));
    }
    let Some((content, name)) = found else {
        return Err(KustomizeError::said(format!(
            "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in \
             directory '{root}'"
        )));
    };
    let read = Kustomization::read(&content, root.as_str(), &mut build.warnings)?;
    Ok((read, name))
}

/// Files as patches and plugins ask for them.
struct Source<'a> {
    loader: &'a Loader<'a>,
    origin: Origin,
    scopes: CustomScopes,
}

impl PatchSource for Source<'_> {
    fn load(&self, path: &str) -> Result<Arc<[u8]>, KustomizeError> {
        self.loader.load(path)
    }

    fn resources(&self, text: &[u8]) -> Result<Vec<Resource>, KustomizeError> {
        let mut resources = read::resources(text, &self.origin)?;
        for resource in &mut resources {
            resource.scopes.clone_from(&self.scopes);
        }
        Ok(resources)
    }
}

/// The name of a resource for an error.
fn called(resource: &Resource) -> Text {
    resource.original_id().to_string().into()
}
