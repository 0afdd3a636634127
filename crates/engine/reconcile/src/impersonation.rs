//! As whom an Application's objects are written (SYN-35).

use policy::Cluster;

use crate::facts::{Facts, Impersonation};

/// Returns the account as which the Application's objects are written; `None`: as the controller.
///
/// # Errors
///
/// Upstream's words where an account is demanded and the project names none that can be used.
pub fn account(facts: &Facts, cluster: &Cluster) -> Result<Option<String>, String> {
    let enforced = match facts.rules.impersonation {
        Impersonation::Off => return Ok(None),
        Impersonation::WhereNamed => false,
        Impersonation::Enforced => true,
    };
    let specs = facts.project.iter().chain(&facts.global_projects).map(|project| &project.spec);
    let rules = specs.flat_map(|spec| &spec.destination_service_accounts);
    let found = policy::service_account(rules, &facts.application, cluster)
        .map_err(|words| format!("failed to derive service account to impersonate: {words}"))?;
    if found.is_none() && enforced {
        return Err(format!(
            "no matching service account found for destination server {} and namespace {}",
            cluster.server, facts.application.spec.destination.namespace
        ));
    }
    Ok(found)
}
