//! Kustomizations: what a source says of one, as Kustomize is asked for it.

use std::sync::Arc;

use crd::{ApplicationSource, ApplicationSourceKustomize, IntOrString, KustomizePatch};
use filetree::{FileTree, TreePath};
use helm::ChartSource;
use kustomize::edit::Overlay;
use kustomize::kustomization::{Patch, PatchOptions, Selector};
use kustomize::node::Text;
use kustomize::resid::{Gvk, ResId};
use kustomize::scope::CustomScopes;
use kustomize::{ChartRequest, Charts, Extras, KustomizeError};

use crate::charts::READING;
use crate::env::BuildEnv;
use crate::error::RenderError;
use crate::needs::{Asked, Need};
use crate::run::{Input, Printed, RenderedSource, desired_objects};
use crate::source_type::SourceType;

/// Renders a source that is a kustomization.
pub(crate) fn render(
    tree: &dyn FileTree,
    path: &TreePath,
    source: &ApplicationSource,
    input: &Input<'_>,
) -> Result<RenderedSource, RenderError> {
    let (built, asked) = built(path, source, input, |options, extras| {
        kustomize::build(tree, path, options, extras)
    })?;
    let mut objects = Vec::with_capacity(built.objects.len());
    for object in built.objects {
        let file = TreePath::parse(&object.file).unwrap_or_else(|_| path.clone());
        objects.push((file, 0, object.value));
    }
    Ok(RenderedSource {
        objects: desired_objects(objects, input),
        source_type: SourceType::Kustomize,
        notes: built.warnings,
        asked,
    })
}

/// As [`render`], to JSON texts.
pub(crate) fn render_texts(
    tree: &dyn FileTree,
    path: &TreePath,
    source: &ApplicationSource,
    input: &Input<'_>,
) -> Result<Vec<Printed>, RenderError> {
    let (built, _) = built(path, source, input, |options, extras| {
        kustomize::build_texts(tree, path, options, extras)
    })?;
    Ok(built.objects.into_iter().map(Printed::Pieces).collect())
}

/// Builds, again and again until nothing is needed any more.
fn built<T>(
    path: &TreePath,
    source: &ApplicationSource,
    input: &Input<'_>,
    build: impl Fn(&kustomize::Options, &Extras) -> Result<T, KustomizeError>,
) -> Result<(T, Asked), RenderError> {
    let none = ApplicationSourceKustomize::default();
    let given = source.kustomize.as_deref().unwrap_or(&none);
    let failed = |error: KustomizeError| RenderError::Kustomization {
        path: path.to_string(),
        problem: error.to_string(),
    };
    if !given.version.is_empty() {
        return Err(RenderError::Kustomization {
            path: path.to_string(),
            problem: format!(
                "kustomize version {} is not registered: Kustomize 5.8.1 is built in; take spec.source.kustomize.version out",
                given.version
            ),
        });
    }
    let mut options =
        kustomize::Options::parse(&input.options.kustomize_build_options).map_err(failed)?;
    let env = input.build_env();
    options.overlay = overlay(given, &env)
        .map_err(|problem| RenderError::Kustomization { path: path.to_string(), problem })?;
    let mut asked = Asked::default();
    if options.enable_helm {
        // Charts may ask for any of it.
        asked = Asked { kube_version: true, all_api_versions: true, ..Asked::default() };
        let version = first_of(&given.kube_version, input.kube_version);
        options.helm_kube_version = (!version.is_empty()).then(|| version.to_owned());
        options.helm_api_versions = match given.api_versions.as_slice() {
            [] => input.api_versions.to_vec(),
            own => own.to_vec(),
        };
    }
    let mut extras = Extras { charts: Some(Arc::new(Inflation::default())), ..Extras::default() };
    // Each need that is met may show the next one; the caller is asked for what is missing.
    loop {
        match build(&options, &extras) {
            Ok(built) => return Ok((built, asked)),
            Err(error) => {
                let mut missing = Vec::new();
                let needs = error.needs();
                for needed in needs {
                    if !meet(needed, input, &mut extras) {
                        missing.push(need_of(needed));
                    }
                }
                if needs.is_empty() {
                    return Err(failed(error));
                }
                if !missing.is_empty() {
                    return Err(RenderError::Needs { needs: missing });
                }
            }
        }
    }
}

fn first_of<'a>(one: &'a str, other: &'a str) -> &'a str {
    if one.is_empty() { other } else { one }
}

fn need_of(needed: &kustomize::Need) -> Need {
    match needed {
        kustomize::Need::Repository { url, reference, .. } => {
            Need::Repository { url: url.clone(), revision: reference.clone().unwrap_or_default() }
        }
        kustomize::Need::File { url } => Need::ValueFile { url: url.clone() },
        kustomize::Need::Chart { name, repository, version } => Need::Chart {
            repository: repository.clone(),
            name: name.clone(),
            version: version.clone().unwrap_or_default(),
        },
    }
}

/// Hands over what was fetched; `false` where it was not.
fn meet(needed: &kustomize::Need, input: &Input<'_>, extras: &mut Extras) -> bool {
    let fetched = &input.reach.fetched;
    let need = need_of(needed);
    match needed {
        kustomize::Need::File { .. } => match fetched.file(&need) {
            Some(content) => {
                extras.fetched.files.insert(needed.clone(), content.clone());
                true
            }
            None => false,
        },
        kustomize::Need::Repository { .. } | kustomize::Need::Chart { .. } => {
            match fetched.tree(&need) {
                Some(tree) => {
                    extras.fetched.repositories.insert(needed.clone(), tree.clone());
                    true
                }
                None => false,
            }
        }
    }
}

/// The source's parameters, variables replaced: in images and labels always, in annotations
/// where the source wants it.
fn overlay(given: &ApplicationSourceKustomize, env: &BuildEnv) -> Result<Overlay, String> {
    let mut replicas = Vec::with_capacity(given.replicas.len());
    for replica in &given.replicas {
        let count = match &replica.count {
            IntOrString::Int(count) => *count,
            IntOrString::String(text) => text
                .parse()
                .map_err(|_| format!("expected integer value for count. Received: {text}"))?,
        };
        replicas.push((replica.name.clone(), count));
    }
    let labels = given.common_labels.iter();
    let annotations = given.common_annotations.iter();
    Ok(Overlay {
        name_prefix: given.name_prefix.clone(),
        name_suffix: given.name_suffix.clone(),
        namespace: given.namespace.clone(),
        images: given.images.iter().map(|image| env.substitute(image)).collect(),
        replicas,
        common_labels: labels.map(|(key, value)| (key.clone(), env.substitute(value))).collect(),
        force_common_labels: given.force_common_labels,
        label_without_selector: given.label_without_selector,
        label_include_templates: given.label_include_templates,
        common_annotations: annotations
            .map(|(key, value)| match given.common_annotations_envsubst {
                true => (key.clone(), env.substitute(value)),
                false => (key.clone(), value.clone()),
            })
            .collect(),
        force_common_annotations: given.force_common_annotations,
        patches: given.patches.iter().map(patch).collect(),
        components: given.components.clone(),
        ignore_missing_components: given.ignore_missing_components,
    })
}

fn patch(given: &KustomizePatch) -> Patch {
    let option = |name: &str| given.options.get(name).copied().unwrap_or(false);
    Patch {
        path: given.path.clone(),
        patch: given.patch.clone(),
        target: given.target.as_ref().map(|target| {
            let text = |text: &String| Text::from(text.clone());
            let gvk = Gvk {
                group: text(&target.group),
                version: text(&target.version),
                kind: text(&target.kind),
            };
            Selector {
                id: ResId::new(
                    gvk,
                    text(&target.name),
                    text(&target.namespace),
                    &CustomScopes::default(),
                ),
                annotation_selector: target.annotation_selector.clone(),
                label_selector: target.label_selector.clone(),
            }
        }),
        options: PatchOptions {
            allow_name_change: option("allowNameChange"),
            allow_kind_change: option("allowKindChange"),
        },
    }
}

/// Renders the charts that a kustomization names.
#[derive(Default)]
struct Inflation {
    cache: helm::Cache,
}

impl Charts for Inflation {
    fn template(&self, request: &ChartRequest<'_>) -> Result<String, String> {
        let values: Vec<helm::ValuesFile> = (request.values.iter().enumerate())
            .map(|(at, content)| helm::ValuesFile {
                name: format!("values {}", at + 1),
                content: content.as_slice().into(),
            })
            .collect();
        let no_file = |asked: &str| Err(format!("open {asked}: no such file or directory"));
        let name = request.release_name.or(request.name_template).unwrap_or("release-name");
        let asked = helm::Request {
            chart: ChartSource::Directory { tree: request.tree, path: &request.chart },
            vendored: &[],
            release_name: name,
            namespace: request.namespace.unwrap_or("default"),
            kube_version: request.kube_version,
            api_versions: request.api_versions,
            values_files: &values,
            set: &[],
            set_string: &[],
            set_file: &[],
            read_file: &no_file,
            include_definitions: request.include_crds,
            skip_tests: request.skip_tests,
            skip_schema_validation: false,
            profile: helm::Profile::default(),
            limits: helm::Limits::default(),
            reading: READING,
        };
        // The same each time: kustomize itself would give other passwords with each build.
        let mut chance = sprig::Stable::new(*b"tiphys renders charts in kustomi", 0);
        let rendered = helm::render(&asked, &mut chance, &mut || false, &self.cache)
            .map_err(|error| error.to_string())?;
        let mut printed = String::new();
        for document in &rendered.documents {
            if request.skip_hooks && document.part == helm::Part::Hook {
                continue;
            }
            printed.push_str("---\n");
            printed
                .push_str(&String::from_utf8_lossy(document.text.as_deref().unwrap_or_default()));
        }
        Ok(printed)
    }
}
