//! What an engine needs besides a source's files, fetched through the one gate.

use std::sync::Arc;

use desired::RenderFailure;
use filetree::FileTree;
use policy::Project;
use render::{Fetched, Need};
use source::{Credentials, Freshness, Revision, Want};

use crate::artifacts::{ArtifactError, shelf_of};
use crate::failure::{At, from_artifact, from_settings, from_source, not_supported};
use crate::pin::Pin;
use crate::plan::permitted;
use crate::repositories::Unusable;
use crate::service::{Inner, Job};

/// Rounds of fetching for one rendering: a base may need a base. What is still missing then is
/// an error.
pub(crate) const NEEDS_ROUNDS_MAX: usize = 8;

/// Fetches what a source needs.
pub(crate) async fn fetch(
    inner: &Inner,
    job: &Job,
    index: usize,
    needs: &[Need],
    into: &mut Fetched,
) -> Result<(), RenderFailure> {
    let at = job.at(index);
    for need in needs {
        match need {
            Need::ValueFile { url } => {
                let content = value_file(inner, job, at, url).await?;
                into.add_file(need.clone(), content);
            }
            Need::Chart { repository, name, version } => {
                let (archive, tree) = chart(inner, job, at, repository, name, version).await?;
                into.add_file(need.clone(), archive);
                into.add_tree(need.clone(), tree);
            }
            Need::Repository { url, revision } => {
                let found = inner.repositories.find(url, job.project(), &job.snapshot).await;
                let found = found.map_err(|unusable| match unusable {
                    Unusable::Settings(error) => from_settings(&error, at),
                    Unusable::Source(error) => from_source(&error, at, job.revisions()),
                })?;
                let failed = |error| from_source(&error, at, job.revisions());
                let revision = Revision { text: revision, tag_prefix: "" };
                let resolved = found.repository.resolve(revision, Freshness::Known).await;
                let commit = resolved.map_err(failed)?.commit;
                let tree = found.repository.tree(commit, &found.options).await.map_err(failed)?;
                into.add_tree(need.clone(), tree);
            }
        }
    }
    Ok(())
}

async fn value_file(
    inner: &Inner,
    job: &Job,
    at: At,
    url: &str,
) -> Result<Arc<[u8]>, RenderFailure> {
    let scheme = url.split("://").next().unwrap_or_default();
    let allowed = &job.snapshot.rendering.value_file_schemes;
    if !allowed.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return Err(not_supported(format!(
            "the value file {} is not read: `{scheme}` is not among helm.valuesFileSchemes ({})",
            source::redact(url),
            allowed.join(", ")
        )));
    }
    // No secret is known for it: a value file's server is nobody's repository.
    let nobody = Credentials::default();
    let got = inner.artifacts.web().get(url, &nobody, Want::File, Freshness::Known).await;
    Ok(got.map_err(|error| from_source(&error, at, job.revisions()))?.content)
}

async fn chart(
    inner: &Inner,
    job: &Job,
    at: At,
    repository: &str,
    name: &str,
    version: &str,
) -> Result<(Arc<[u8]>, Arc<dyn FileTree>), RenderFailure> {
    let failed = |error: ArtifactError| from_artifact(&error, at, job.revisions());
    let settings = &job.snapshot.repositories;
    let alias = repository.strip_prefix('@').or_else(|| repository.strip_prefix("alias:"));
    let found = match alias {
        Some(alias) => {
            let known = settings.list().find(|known| known.name == alias);
            known.ok_or_else(|| {
                not_supported(format!(
                    "chart {name} is wanted from repository {repository}, and no repository has the name `{alias}`; add one (`repo add --type helm --name {alias}`)"
                ))
            })?
        }
        None => {
            let found = settings.find(repository, job.project());
            found.map_err(|error| from_settings(&error, at))?
        }
    };
    let globals = inner.surroundings.global_projects(&job.request.project);
    let globals: Vec<_> = globals.iter().map(AsRef::as_ref).collect();
    let project = Project::new(&job.request.project, &globals);
    if let Err(refused) = permitted(&project, &found.url) {
        return Err(RenderFailure {
            message: format!(
                "helm repos {} are not permitted in project '{}'",
                source::redact(&found.url),
                project.name()
            ),
            ..refused
        });
    }
    let pass = job.planned(at.index).source.helm.as_ref().is_some_and(|helm| helm.pass_credentials);
    let shelf = shelf_of(&found, name, pass, &job.snapshot).map_err(failed)?;
    let resolved = inner.artifacts.resolve(&shelf, version, Freshness::Known).await;
    match resolved.map_err(failed)? {
        Pin::Artifact(artifact) => {
            let archive = inner.artifacts.archive(&shelf, &artifact).await.map_err(failed)?;
            let tree = inner
                .artifacts
                .tree(&shelf, &artifact, &job.snapshot.rendering)
                .await
                .map_err(failed)?;
            Ok((archive, tree))
        }
        Pin::Commit(_) => unreachable!("a chart is no commit"),
    }
}
