//! What a request asks for, and whether it may be done at all.

use std::collections::BTreeSet;

use crd::{AppProject, ApplicationSource};
use desired::{RenderFailure, RenderRequest};
use policy::Project;

use crate::failure::{invalid_spec, not_supported};
use crate::surroundings::Surroundings;

/// The sources of a request, in their order.
pub(crate) struct Plan {
    pub(crate) sources: Vec<Planned>,
    /// What somebody should mend, though it stops nothing.
    pub(crate) warnings: Vec<String>,
    /// The patterns of repositories that the project permits: what else is fetched depends on
    /// them.
    pub(crate) permitted: Vec<String>,
}

/// One source.
pub(crate) struct Planned {
    pub(crate) source: ApplicationSource,
    /// What is resolved: the request's revision, else the source's own.
    pub(crate) revision: String,
    /// Whether it gives files to others, and no objects.
    pub(crate) only_files: bool,
}

/// Reads a request, and refuses what cannot or may not be rendered before anything is fetched.
pub(crate) fn plan(
    request: &RenderRequest,
    surroundings: &dyn Surroundings,
) -> Result<Plan, RenderFailure> {
    if let Some(problem) =
        policy::not_built(&request.application, &request.project).into_iter().next()
    {
        return Err(not_supported(problem));
    }
    let spec = &request.application.spec;
    let own = spec.effective_sources();
    let sources: &[ApplicationSource] =
        if request.sources.is_empty() { &own } else { &request.sources };
    if sources.is_empty() {
        return Err(invalid_spec(
            "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
                .to_owned(),
        ));
    }
    let several = sources.len() > 1 || spec.has_multiple_sources();
    check_refs(sources)?;
    let globals = surroundings.global_projects(&request.project);
    let globals: Vec<&AppProject> = globals.iter().map(AsRef::as_ref).collect();
    let project = Project::new(&request.project, &globals);
    let mut planned = Vec::with_capacity(sources.len());
    for (index, source) in sources.iter().enumerate() {
        permitted(&project, &source.repo_url)?;
        let asked = request.revisions.get(index).filter(|revision| !revision.is_empty());
        planned.push(Planned {
            source: source.clone(),
            revision: asked.unwrap_or(&source.target_revision).clone(),
            only_files: several && source.path.is_empty() && source.chart.is_empty(),
        });
    }
    let projects = std::iter::once(request.project.as_ref()).chain(globals.iter().copied());
    let permitted = projects.flat_map(|project| project.spec.source_repos.iter().cloned());
    Ok(Plan {
        sources: planned,
        warnings: project.warnings().to_vec(),
        permitted: permitted.collect(),
    })
}

/// Whether the project lets its Applications use a repository; asked before each fetch.
pub(crate) fn permitted(project: &Project, repo_url: &str) -> Result<(), RenderFailure> {
    if project.permits_source(repo_url) {
        return Ok(());
    }
    Err(invalid_spec(format!(
        "application repo {repo_url} is not permitted in project '{}'",
        project.name()
    )))
}

/// A `ref` is a short name, and names one source.
fn check_refs(sources: &[ApplicationSource]) -> Result<(), RenderFailure> {
    let mut seen = BTreeSet::new();
    for source in sources.iter().filter(|source| !source.r#ref.is_empty()) {
        let name = &source.r#ref;
        let fits = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
        if !name.chars().all(fits) {
            return Err(invalid_spec(format!(
                "source.ref {name} cannot contain any special characters except '_' and '-'"
            )));
        }
        if !seen.insert(name) {
            return Err(invalid_spec(format!(
                "invalid sources: multiple sources had the same `ref` key: {name}"
            )));
        }
    }
    Ok(())
}
