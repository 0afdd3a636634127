//! What the admission plugin ServiceAccount does: each pod runs as an account, whose token it finds.

use serde_json::{Value, json};

use crate::api::problem::Problem;
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::meta;

/// Where programs look for their token.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Seconds that a token is good for.
const TOKEN_S: u64 = 3607;

/// Gives a new pod its account and the account's token.
///
/// # Errors
///
/// 403 where the account is not there; the server itself is let through, and everybody where no
/// controllers run.
pub(super) fn admit(
    cluster: &Cluster,
    kind: &Kind,
    server_side: bool,
    pod: &mut Value,
) -> Result<(), Problem> {
    if manifest::annotation(pod, "kubernetes.io/config.mirror").is_some() {
        return Ok(());
    }
    let namespace = meta::text(pod, "namespace").to_owned();
    let named = pod["spec"]["serviceAccountName"].as_str().unwrap_or_default();
    let account = if named.is_empty() { "default" } else { named }.to_owned();
    let found = cluster.store.get("/serviceaccounts", &format!("{namespace}/{account}"));
    let Some(found) = found else {
        // Without controllers nobody makes the account that each namespace has.
        if server_side || (!cluster.controllers && account == "default") {
            return Ok(());
        }
        let refusals = kubevalid::path_refusals(&account);
        let why = match refusals.is_empty() {
            true => format!("serviceaccount \"{account}\" not found"),
            false => format!("invalid resource name \"{account}\": [{}]", refusals.join(" ")),
        };
        let why = format!("error looking up service account {namespace}/{account}: {why}");
        return Err(Problem::forbidden(kind, meta::name_asked(pod), &why));
    };
    let found = found.value();
    pod["spec"]["serviceAccountName"] = json!(account);
    pod["spec"]["serviceAccount"] = json!(account);
    let wanted = pod["spec"].get("automountServiceAccountToken").and_then(Value::as_bool);
    let wanted = wanted.or(found["automountServiceAccountToken"].as_bool());
    if wanted.unwrap_or(true) {
        mount_token(cluster, pod);
    }
    let pulls = pod["spec"]["imagePullSecrets"].as_array().is_some_and(|list| !list.is_empty());
    if let (false, Some(secrets)) = (pulls, found["imagePullSecrets"].as_array())
        && !secrets.is_empty()
    {
        pod["spec"]["imagePullSecrets"] = json!(secrets);
    }
    Ok(())
}

fn mount_token(cluster: &Cluster, pod: &mut Value) {
    let volumes = pod["spec"]["volumes"].as_array();
    let name = |volume: &Value| volume["name"].as_str().unwrap_or_default().to_owned();
    let there =
        volumes.into_iter().flatten().map(name).find(|name| name.starts_with("kube-api-access-"));
    let has_volume = there.is_some();
    let volume = there.unwrap_or_else(|| cluster.generate_name("kube-api-access-"));
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        let Some(containers) = pod["spec"].get_mut(list).and_then(Value::as_array_mut) else {
            continue;
        };
        for container in containers.iter_mut().filter(|container| container.is_object()) {
            let mounts = &mut container["volumeMounts"];
            if !mounts.is_array() {
                *mounts = json!([]);
            }
            let Some(mounts) = mounts.as_array_mut() else { continue };
            if !mounts.iter().any(|mount| mount["mountPath"] == TOKEN_PATH) {
                mounts.push(json!({"name": volume, "readOnly": true, "mountPath": TOKEN_PATH}));
                mounted = true;
            }
        }
    }
    if has_volume || !mounted {
        return;
    }
    let volumes = &mut pod["spec"]["volumes"];
    if !volumes.is_array() {
        *volumes = json!([]);
    }
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(json!({"name": volume, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_S, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}},
        ]}}));
    }
}
