//! Devices: what this release does not keep, and who may look over everybody's shoulder.

use manifest::field::FieldError;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

/// Namespaces say with this label that their claims may have access for administrators.
const ADMINS: &str = "resource.kubernetes.io/admin-access";
/// Values of attributes that are lists are switched off.
const LISTS: [&str; 4] = ["bools", "ints", "strings", "versions"];

/// Drops what the release has switched off.
pub(super) fn prepare_slice(slice: &mut Value) {
    let devices = slice.pointer_mut("/spec/devices").and_then(Value::as_array_mut);
    for device in devices.into_iter().flatten().filter_map(Value::as_object_mut) {
        device.remove("nodeAllocatableResourceMappings");
        let attributes = device.get_mut("attributes").and_then(Value::as_object_mut);
        for attribute in attributes.into_iter().flat_map(|all| all.values_mut()) {
            if let Some(fields) = attribute.as_object_mut() {
                fields.retain(|name, _| !LISTS.contains(&name.as_str()));
            }
        }
    }
}

/// Says why a new claim may not ask for an administrator's access.
pub(super) fn admin_access(cluster: &Cluster, kind: &Kind, object: &Value) -> Option<FieldError> {
    let requests = match kind.kind.as_str() {
        "ResourceClaim" => "/spec/devices/requests",
        "ResourceClaimTemplate" => "/spec/spec/devices/requests",
        _ => return None,
    };
    let requests = object.pointer(requests).and_then(Value::as_array)?;
    let index = requests.iter().position(|request| request["exactly"]["adminAccess"] == true)?;
    let namespace = cluster.store.get("/namespaces", meta::text(object, "namespace"))?.value();
    if manifest::label(&namespace, ADMINS) == Some("true") {
        return None;
    }
    // The server names the place of a claim in a template as well.
    Some(FieldError::forbidden(
        format!("spec.devices.requests[{index}].adminAccess"),
        format!(
            "admin access to devices requires the `{ADMINS}: true` label on the containing namespace"
        ),
    ))
}
