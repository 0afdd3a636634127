//! The seam to `kubevalid` and `structural`: what is wrong with an object.

use serde_json::Value;

use crate::api::problem::Cause;
use crate::cluster::Cluster;
use crate::kinds::Kind;

/// Returns what is wrong with a new object, beyond its metadata.
pub fn create(cluster: &Cluster, kind: &Kind, object: &Value) -> Vec<Cause> {
    let _seam = (cluster, kind, object);
    Vec::new()
}

/// Returns what is wrong with an updated object, beyond its metadata.
pub fn update(
    cluster: &Cluster,
    kind: &Kind,
    subresource: &str,
    old: &Value,
    new: &Value,
) -> Vec<Cause> {
    let _seam = (cluster, kind, subresource, old, new);
    Vec::new()
}

/// Returns what the client is told beside the answer.
pub fn warnings(kind: &Kind, new: &Value, old: Option<&Value>) -> Vec<String> {
    let _seam = (kind, new, old);
    Vec::new()
}
