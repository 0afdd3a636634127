//! Which service account an Application's objects are written as (SYN-35).

use crd::{Application, ApplicationDestinationServiceAccount};
use globs::Glob;

use crate::cluster::Cluster;

/// Characters that no account's name has.
const NEVER_IN_A_NAME: &[char] = &['!', '*', '[', ']', '{', '}', '\\', '/'];

/// Returns the account (`system:serviceaccount:namespace:name`) of the first rule that fits the
/// Application's destination; `None`: no rule does.
///
/// # Errors
///
/// Upstream's words where a rule that fits names no account, or a pattern does not read.
pub fn service_account<'r>(
    rules: impl IntoIterator<Item = &'r ApplicationDestinationServiceAccount>,
    application: &Application,
    cluster: &Cluster,
) -> Result<Option<String>, String> {
    let destination = &application.spec.destination;
    let fits = |what: &str, pattern: &str, text: &str| {
        Glob::new(pattern, &[])
            .map(|glob| glob.matches(text))
            .map_err(|error| format!("invalid glob pattern for destination {what}: {error}"))
    };
    for rule in rules {
        let server = fits("server", &rule.server, &cluster.server)?;
        let namespace = fits("namespace", &rule.namespace, &destination.namespace)?;
        if !server || !namespace {
            continue;
        }
        let name = rule.default_service_account.as_str();
        if name.trim_matches(' ').is_empty() || name.contains(NEVER_IN_A_NAME) {
            return Err(format!("default service account contains invalid chars '{name}'"));
        }
        let home = match destination.namespace.as_str() {
            "" => application.metadata.namespace.as_str(),
            namespace => namespace,
        };
        return Ok(Some(match name.contains(':') {
            true => format!("system:serviceaccount:{name}"),
            false => format!("system:serviceaccount:{home}:{name}"),
        }));
    }
    Ok(None)
}
