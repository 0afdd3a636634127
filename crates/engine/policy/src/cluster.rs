//! Which cluster a destination means.

use crd::ApplicationDestination;

/// The cluster that the controller runs in, as destinations name it.
pub const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// Its name.
pub const IN_CLUSTER_NAME: &str = "in-cluster";

/// A cluster that is known here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// URL of its API.
    pub server: String,
    /// What people call it.
    pub name: String,
    /// The project that it belongs to; `""`: every project's.
    pub project: String,
}

/// Finds the cluster that a destination means (CRD-04).
///
/// # Errors
///
/// Upstream's words; a name that stands where the URL belongs is answered with the place where it belongs.
pub fn resolve<'a>(
    destination: &ApplicationDestination,
    clusters: &'a [Cluster],
) -> Result<&'a Cluster, String> {
    let ApplicationDestination { server, name, .. } = destination;
    if !name.is_empty() && !server.is_empty() {
        return Err(format!(
            "application destination can't have both name and server defined: {name} {server}"
        ));
    }
    if !server.is_empty() {
        let wanted = server.trim_end_matches('/');
        if let Some(found) =
            clusters.iter().find(|cluster| cluster.server.trim_end_matches('/') == wanted)
        {
            return Ok(found);
        }
        // This cluster is always known, unless the settings say otherwise.
        let missing = match wanted == crd::keys::IN_CLUSTER_SERVER {
            true => "is disabled",
            false => "not found",
        };
        let mut words =
            format!("error getting cluster by server \"{server}\": cluster \"{wanted}\" {missing}");
        if clusters.iter().any(|cluster| cluster.name == *server) {
            words.push_str(&format!(
                ": \"{server}\" is the name of a cluster: set destination.name to \"{server}\" and leave destination.server out"
            ));
        } else if !server.contains("://") {
            words.push_str(
                ": destination.server takes the URL of a cluster's API; a cluster's name goes into destination.name",
            );
        }
        return Err(words);
    }
    if name.is_empty() {
        return Err("Destination server missing from app spec".to_owned());
    }
    let found: Vec<&Cluster> = clusters.iter().filter(|cluster| cluster.name == *name).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let mut words = format!("there are no clusters with this name: {name}");
            if name.contains("://") {
                words.push_str(": a URL goes into destination.server");
            }
            Err(words)
        }
        several => {
            let servers: Vec<&str> =
                several.iter().map(|cluster| cluster.server.as_str()).collect();
            Err(format!(
                "there are {} clusters with the same name: [{}]",
                several.len(),
                servers.join(" ")
            ))
        }
    }
}
