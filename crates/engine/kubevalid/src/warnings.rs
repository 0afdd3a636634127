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
    if old.is_none() {
        said.extend(hostname(gvk, &object));
    }
    said
}

/// Pods are called after what makes them, and programs see that name.
fn hostname(gvk: &Gvk, object: &At<'_>) -> Option<String> {
    let used = match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("", "Pod") => "the Pod's hostname",
        ("apps", "Deployment" | "ReplicaSet")
        | ("batch", "Job" | "CronJob")
        | ("", "ReplicationController") => "Pod names and hostnames",
        _ => return None,
    };
    let name = object.to(&["metadata", "name"]);
    let refusals = crate::names::label(name.text(), false);
    (!refusals.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in {used}, which can result in surprising behavior; a DNS label is recommended: [{}]",
            refusals.join(" ")
        )
    })
}
