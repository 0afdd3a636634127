//! kubectl's words for what was done, and upstream's additions to what a server said.

use manifest::Gvk;

use crate::model::TaskResult;

/// The server's words where it serves nothing of a group and version.
pub const NOT_SERVED: &str = "the server could not find the requested resource";

/// Returns `deployment.apps/web configured`.
pub fn done(gvk: &Gvk, name: &str, verb: &str, dry_run: bool) -> String {
    let kind = gvk.kind.to_lowercase();
    let group = if gvk.group.is_empty() { String::new() } else { format!(".{}", gvk.group) };
    let dry_run = if dry_run { " (dry run)" } else { "" };
    format!("{kind}{group}/{name} {verb}{dry_run}")
}

/// Adds what a person can do about a server's message.
///
/// `installed` is the version at which the cluster serves the kind, with its group, if it does.
pub fn augment(result: &TaskResult, installed: Option<&Gvk>) -> Option<String> {
    let key = &result.id.key;
    if result.message.contains(NOT_SERVED) {
        return Some(match installed {
            None => format!(
                "The Kubernetes API could not find {}/{} for requested resource {}/{}. Make sure the \"{}\" CRD is installed on the destination cluster.",
                key.group, key.kind, key.namespace, key.name, key.kind
            ),
            Some(gvk) => format!(
                "The Kubernetes API could not find version \"{}\" of {}/{} for requested resource {}/{}. Version \"{}\" of {}/{} is installed on the destination cluster.",
                result.version,
                key.group,
                key.kind,
                key.namespace,
                key.name,
                gvk.version,
                gvk.group,
                gvk.kind
            ),
        });
    }
    if result.message.contains("metadata.annotations: Too long: must have at most 262144 bytes") {
        return Some(format!(
            "{} \n -Additional Info: This error usually means that you are trying to add a large resource on client side. Consider using Server-side apply or syncing with replace enabled. Note: Syncing with Replace enabled is potentially destructive as it may cause resource deletion and re-creation.",
            result.message
        ));
    }
    None
}
