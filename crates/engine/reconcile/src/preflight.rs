//! Whether there is anything to compare at all.

use policy::{Cluster, Project};

use crate::conditions::{Condition, Kind};
use crate::facts::Facts;
use crate::names::project_name;

/// What a comparison may stand on.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The project's rules.
    pub project: Project,
    /// The destination.
    pub cluster: Cluster,
}

/// Checks an Application against its project and the clusters.
///
/// # Errors
///
/// The conditions that keep the Application from being compared.
pub fn preflight(facts: &Facts) -> Result<Ground, Vec<Condition>> {
    let application = &facts.application;
    let Some(given) = &facts.project else {
        let words = format!(
            "Application referencing project {} which does not exist",
            project_name(application)
        );
        return Err(vec![Condition::new(Kind::InvalidSpecError, words)]);
    };
    let globals: Vec<_> = facts.global_projects.iter().map(AsRef::as_ref).collect();
    let project = Project::new(given, &globals);
    let metadata = &application.metadata;
    if !project.permits_namespace(&metadata.namespace, &facts.rules.control_plane) {
        let words = format!(
            "application '{}' in namespace '{}' is not permitted to use project '{}'",
            metadata.name,
            metadata.namespace,
            project.name()
        );
        return Err(vec![Condition::new(Kind::UnknownError, words)]);
    }
    let problems = policy::check(&application.spec, &project, &facts.clusters);
    if !problems.is_empty() {
        let conditions =
            problems.into_iter().map(|words| Condition::new(Kind::InvalidSpecError, words));
        return Err(conditions.collect());
    }
    let refused = policy::not_built(application, given);
    if !refused.is_empty() {
        let conditions =
            refused.into_iter().map(|words| Condition::new(Kind::ComparisonError, words));
        return Err(conditions.collect());
    }
    match policy::resolve(&application.spec.destination, &facts.clusters) {
        Ok(cluster) => Ok(Ground { project, cluster: cluster.clone() }),
        Err(words) => Err(vec![Condition::new(Kind::InvalidSpecError, words)]),
    }
}
