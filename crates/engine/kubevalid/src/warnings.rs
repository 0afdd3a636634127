//! What the server says beside its answer of objects that it takes.

use manifest::Gvk;
use serde_json::Value;

use crate::cursor::At;

/// Names what a client is told of an object that is kept.
pub fn warnings(gvk: &Gvk, new: &Value, old: Option<&Value>) -> Vec<String> {
    let object = At::root(new);
    let mut said = Vec::new();
    match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("discovery.k8s.io", "EndpointSlice")
            if old.is_none() && object.at("addressType").text() == "FQDN" =>
        {
            said.push("spec.addressType: FQDN endpoints are deprecated".to_owned());
        }
        ("", "PersistentVolumeClaim" | "PersistentVolume") => {
            const OLD: &str = "volume.beta.kubernetes.io/storage-class";
            if object.to(&["metadata", "annotations", OLD]).is_set() {
                said.push(format!(
                    "metadata.annotations[{OLD}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
                ));
            }
        }
        _ => {}
    }
    said
}
