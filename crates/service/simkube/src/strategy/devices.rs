//! Devices: who may look over everybody's shoulder.

use manifest::field::FieldError;
use serde_json::Value;

use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

/// Namespaces say with this label that their claims may have access for administrators.
const ADMINS: &str = "resource.kubernetes.io/admin-access";

/// A taint of a device that does not say since when it is there is there from now on.
pub(super) fn date_taints(slice: &mut Value, now: &str) {
    let devices = slice.pointer_mut("/spec/devices").and_then(Value::as_array_mut);
    let taints = devices.into_iter().flatten().filter_map(|device| device.get_mut("taints"));
    for taint in taints.filter_map(Value::as_array_mut).flatten() {
        if let Some(fields) = taint.as_object_mut()
            && fields.get("timeAdded").is_none_or(Value::is_null)
        {
            fields.insert("timeAdded".to_owned(), now.into());
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
