//! The kubeconfig that lets ordinary tools in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::identity::Identity;

/// Returns a kubeconfig with a context a cluster, as JSON, which every reader of YAML reads.
pub(super) fn text(identity: &Identity, clusters: &[(&str, String)], current: &str) -> String {
    let name = |cluster: &str| {
        if cluster == super::MAIN { "simulated".to_owned() } else { format!("simulated-{cluster}") }
    };
    let entries: Vec<_> = clusters
        .iter()
        .map(|(cluster, url)| {
            json!({
                "name": name(cluster),
                "cluster": {
                    "server": url,
                    "certificate-authority-data": STANDARD.encode(&identity.ca_pem),
                },
            })
        })
        .collect();
    let contexts: Vec<_> = clusters
        .iter()
        .map(|(cluster, _)| {
            let name = name(cluster);
            json!({"name": name, "context": {"cluster": name, "user": "simulated-admin"}})
        })
        .collect();
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": name(current),
        "clusters": entries,
        "contexts": contexts,
        "users": [{
            "name": "simulated-admin",
            "user": {
                "token": identity.token,
                "client-certificate-data": STANDARD.encode(&identity.client_cert_pem),
                "client-key-data": STANDARD.encode(&identity.client_key_pem),
            },
        }],
        "preferences": {},
    });
    let mut text = serde_json::to_string_pretty(&config).expect("a value is always serializable");
    text.push('\n');
    text
}
