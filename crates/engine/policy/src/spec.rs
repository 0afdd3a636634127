//! Whether an Application's spec holds together, and its project allows it.

use crd::{AppProject, Application, ApplicationSource, ApplicationSpec, SourceHydrator};

use crate::cluster::{Cluster, resolve};
use crate::pattern::Pattern;
use crate::project::Project;

/// Returns what is wrong with a spec, in upstream's words; each is an `InvalidSpecError`.
pub fn check(spec: &ApplicationSpec, project: &Project, clusters: &[Cluster]) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(hydrator) = &spec.source_hydrator {
        problems.extend(check_hydrator(hydrator, project));
    } else if !spec.sources.is_empty() {
        for source in &spec.sources {
            if let Some(problem) = incomplete(source, true) {
                return vec![problem];
            }
            problems.extend(forbidden(source, project));
        }
    } else {
        let source = spec.source.clone().unwrap_or_default();
        if let Some(problem) = incomplete(&source, false) {
            return vec![problem];
        }
        problems.extend(forbidden(&source, project));
    }
    let cluster = match resolve(&spec.destination, clusters) {
        Ok(cluster) => cluster,
        Err(words) => {
            problems.push(words);
            return problems;
        }
    };
    if !project.permits_destination(cluster, &spec.destination.namespace) {
        let server = if spec.destination.name.is_empty() { &cluster.server } else { &cluster.name };
        problems.push(format!(
            "application destination server '{server}' and namespace '{}' do not match any of the allowed destinations in project '{}'",
            spec.destination.namespace,
            project.name()
        ));
    }
    problems
}

fn forbidden(source: &ApplicationSource, project: &Project) -> Option<String> {
    (!project.permits_source(&source.repo_url)).then(|| {
        format!(
            "application repo {} is not permitted in project '{}'",
            source.repo_url,
            project.name()
        )
    })
}

fn incomplete(source: &ApplicationSource, several: bool) -> Option<String> {
    let place = !source.path.is_empty()
        || !source.chart.is_empty()
        || (several && !source.r#ref.is_empty());
    if source.repo_url.is_empty() || !place {
        return Some(match several {
            true => format!(
                "spec.source.repoURL and either source.path, source.chart, or source.ref are required for source {}",
                source.repo_url
            ),
            false => {
                "spec.source.repoURL and either spec.source.path or spec.source.chart are required"
                    .to_owned()
            }
        });
    }
    (!source.chart.is_empty() && source.target_revision.is_empty()).then(|| {
        "spec.source.targetRevision is required if the manifest source is a helm chart".to_owned()
    })
}

fn check_hydrator(hydrator: &SourceHydrator, project: &Project) -> Vec<String> {
    let mut problems = Vec::new();
    if hydrator.dry_source.repo_url.is_empty() {
        problems.push("spec.sourceHydrator.drySource.repoURL is required".to_owned());
    }
    if hydrator.sync_source.target_branch.is_empty() {
        problems.push("spec.sourceHydrator.syncSource.targetBranch is required".to_owned());
    }
    if hydrator.hydrate_to.as_ref().is_some_and(|to| to.target_branch.is_empty()) {
        problems.push("when spec.sourceHydrator.hydrateTo is set, spec.sourceHydrator.hydrateTo.path is required".to_owned());
    }
    if problems.is_empty() && !project.permits_source(&hydrator.dry_source.repo_url) {
        problems.push(format!(
            "application repo {} is not permitted in project '{}'",
            hydrator.dry_source.repo_url,
            project.name()
        ));
    }
    problems
}

/// Returns what this version does not do and what, left out silently, would change what is applied.
///
/// Each is a reason to refuse the sync; the words name the field and what to do.
pub fn not_built(application: &Application, project: &AppProject) -> Vec<String> {
    let spec = &application.spec;
    let mut problems = Vec::new();
    if spec.source_hydrator.is_some() {
        problems.push(
            "spec.sourceHydrator is not supported yet: nothing is synced; use spec.source with the hydrated branch"
                .to_owned(),
        );
    }
    let name = &project.metadata.name;
    if !project.spec.signature_keys.is_empty() {
        problems.push(format!(
            "project '{name}' demands signed commits (signatureKeys), which are not verified yet: nothing is synced; take spec.signatureKeys out of the project, or use another one"
        ));
    }
    let sources = spec.source.iter().chain(&spec.sources);
    let rules = project.spec.source_integrity.iter().flat_map(|integrity| &integrity.git);
    for policy in rules.flat_map(|git| &git.policies) {
        let demands = policy.gpg.as_ref().is_none_or(|gpg| gpg.mode != "none");
        let applies = sources.clone().any(|source| {
            let url = crd::normalize_repo_url(&source.repo_url);
            policy
                .repos
                .iter()
                .any(|repo| Pattern::new(&crd::normalize_repo_url(&repo.url), &['/']).matches(&url))
        });
        if demands && applies {
            problems.push(format!(
                "project '{name}' demands verified sources (sourceIntegrity), which are not verified yet: nothing is synced; take the policy out of the project, or use another one"
            ));
            break;
        }
    }
    problems
}
