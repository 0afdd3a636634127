//! What a cluster must hold before a controller starts: our three kinds, a namespace, the
//! settings and the `default` project, as upstream has them after its first start.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use cluster::{ApiError, Cluster, Home, Patch};
use manifest::Gvk;
use serde_json::{Value, json};

/// The namespace of our own objects.
pub const NAMESPACE: &str = "argocd";

/// How long a kind may take to be served after it was defined, in seconds.
const SERVED_S_MAX: u64 = 30;
/// How often it is asked whether a kind is served, in milliseconds.
const SERVED_POLL_MS: u64 = 5;

/// Makes what is missing, and changes nothing that is there. Answers what it made.
pub async fn bootstrap(cluster: &Cluster, namespace: &str, key: &[u8; 32]) -> Result<Vec<String>> {
    let home = cluster.home();
    let mut made = Vec::new();
    for definition in crd::definitions() {
        make(&home, definition.object(), &mut made).await?;
    }
    make(&home, namespace_object(namespace), &mut made).await?;
    for definition in crd::definitions() {
        let gvk = Gvk::new("argoproj.io", "v1alpha1", definition.kind);
        wait_until_served(cluster, namespace, &gvk).await?;
    }
    for mut object in settings::initial_objects(namespace) {
        if manifest::name(&object) == "argocd-secret" {
            object["stringData"] = json!({"server.secretkey": base64(key)});
        }
        make(&home, object, &mut made).await?;
    }
    make(&home, default_project(namespace), &mut made).await?;
    Ok(made)
}

/// Creates an object unless it is there; `made` is told where it was not.
pub async fn make(home: &Home, object: Value, made: &mut Vec<String>) -> Result<()> {
    let name = format!("{}/{}", manifest::kind(&object), manifest::name(&object));
    match home.create(&object).await {
        Ok(_) => made.push(name),
        Err(ApiError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error).with_context(|| format!("cannot make {name}")),
    }
    Ok(())
}

/// Creates an object, or puts what it says in the place of what is there.
pub async fn make_or_update(
    cluster: &Cluster,
    object: Value,
    made: &mut Vec<String>,
) -> Result<()> {
    let (home, before) = (cluster.home(), made.len());
    make(&home, object.clone(), made).await?;
    if made.len() > before {
        return Ok(());
    }
    let (kind, name) = (manifest::gvk(&object), manifest::name(&object).to_owned());
    let patch = Patch::Merge(object);
    home.patch(&kind, NAMESPACE, &name, patch)
        .await
        .with_context(|| format!("cannot update {}/{name}", kind.kind))?;
    Ok(())
}

async fn wait_until_served(cluster: &Cluster, namespace: &str, gvk: &Gvk) -> Result<()> {
    let until = Instant::now() + Duration::from_secs(SERVED_S_MAX);
    loop {
        let kinds =
            cluster.discover().await.context("cannot ask which kinds the cluster serves")?;
        if kinds.get(gvk).is_some() {
            // A kind may be listed shortly before it answers.
            let listed = cluster.get(gvk, namespace, "does-not-exist").await;
            if listed.is_ok() {
                return Ok(());
            }
        }
        if Instant::now() > until {
            bail!("the cluster did not serve {gvk} within {SERVED_S_MAX} s of its definition");
        }
        tokio::time::sleep(Duration::from_millis(SERVED_POLL_MS)).await;
    }
}

fn namespace_object(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The project that Applications without one belong to: it allows everything.
fn default_project(namespace: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": namespace},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    })
}

/// The Secret by which a cluster is registered.
pub fn cluster_secret(name: &str, server: &str, token: &str, ca_pem: &str) -> Value {
    let config = json!({
        "bearerToken": token,
        "tlsClientConfig": {"insecure": false, "caData": base64(ca_pem.as_bytes())},
    });
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": format!("cluster-{name}"),
            "namespace": NAMESPACE,
            "labels": {"argocd.argoproj.io/secret-type": "cluster"},
        },
        "type": "Opaque",
        "stringData": {"name": name, "server": server, "config": config.to_string()},
    })
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
