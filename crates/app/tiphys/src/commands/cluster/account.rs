//! The account by which Argo CD works on a cluster: it is made there, with its rights.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cluster::{ApiError, Asked, Cluster, Gate, Permit, Refusal, Write, Writer};
use manifest::Gvk;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::commands::connect::secret_text;
use crate::commands::output::note;

/// The account's name.
pub const ACCOUNT: &str = "argocd-manager";
/// The name of its role; the binding adds `-binding`.
const ROLE: &str = "argocd-manager-role";
/// The name of the Secret that holds its token.
const TOKEN: &str = "argocd-manager-long-lived-token";
/// How long the cluster may take to fill the Secret.
const TOKEN_MAX: Duration = Duration::from_secs(30);
/// How often it is asked.
const TOKEN_POLL: Duration = Duration::from_millis(100);
/// Who writes.
const MANAGER: &str = "argocd";

/// Lets through what registering a cluster makes there, and nothing else.
struct AccountOnly;

impl Gate for AccountOnly {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        let write = asked.write();
        let ours = matches!(
            write.gvk.kind.as_str(),
            "ServiceAccount"
                | "Secret"
                | "ClusterRole"
                | "ClusterRoleBinding"
                | "Role"
                | "RoleBinding"
        ) && write.name.starts_with(ACCOUNT);
        match ours {
            true => Ok(asked.permit()),
            false => Err(asked.refuse("registering a cluster makes only its own account there")),
        }
    }
}

/// Makes the account with its rights (for everything, or for some namespaces), and returns its
/// token.
pub async fn install(cluster: &Cluster, namespace: &str, namespaces: &[String]) -> Result<String> {
    let writer = cluster.writer(Arc::new(AccountOnly));
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": ACCOUNT, "namespace": namespace},
    });
    make(&writer, account).await?;
    for object in rights(namespace, namespaces) {
        make(&writer, object).await?;
    }
    make(&writer, token_secret(namespace, ACCOUNT, TOKEN)).await?;
    token(cluster, namespace, TOKEN).await
}

/// Returns the token of an account that is there already.
pub async fn token_of(cluster: &Cluster, namespace: &str, account: &str) -> Result<String> {
    let kind = Gvk::new("", "v1", "ServiceAccount");
    if cluster.get(&kind, namespace, account).await?.is_none() {
        bail!("serviceaccounts \"{account}\" not found in namespace {namespace}");
    }
    let query = cluster::ListQuery::in_namespace(namespace);
    let secrets = cluster.list(&Gvk::new("", "v1", "Secret"), &query).await?;
    let named = secrets.iter().find(|secret| {
        manifest::annotation(secret, "kubernetes.io/service-account.name") == Some(account)
    });
    let Some(secret) = named else {
        bail!(
            "service account {account} has no token: make a Secret of the type \
             kubernetes.io/service-account-token for it"
        );
    };
    token(cluster, namespace, manifest::name(secret)).await
}

/// The objects that give the account its rights.
pub fn rights(namespace: &str, namespaces: &[String]) -> Vec<Value> {
    const RBAC: &str = "rbac.authorization.k8s.io";
    let everything = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]});
    let version = format!("{RBAC}/v1");
    let subjects = json!([{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}]);
    let pair = |kind: &str, place: Option<&str>, rules: Value| {
        let mut role = json!({
            "apiVersion": version,
            "kind": kind,
            "metadata": {"name": ROLE},
            "rules": rules,
        });
        let mut binding = json!({
            "apiVersion": version,
            "kind": format!("{kind}Binding"),
            "metadata": {"name": format!("{ROLE}-binding")},
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": ROLE},
            "subjects": subjects,
        });
        if let Some(place) = place {
            role["metadata"]["namespace"] = place.into();
            binding["metadata"]["namespace"] = place.into();
        }
        [role, binding]
    };
    if namespaces.is_empty() {
        let urls = json!({"nonResourceURLs": ["*"], "verbs": ["*"]});
        return pair("ClusterRole", None, json!([everything, urls])).into();
    }
    let places = namespaces.iter();
    places.flat_map(|place| pair("Role", Some(place), json!([everything]))).collect()
}

fn token_secret(namespace: &str, account: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "annotations": {"kubernetes.io/service-account.name": account},
        },
        "type": "kubernetes.io/service-account-token",
    })
}

/// Creates an object, or finds it there; rights that differ are brought to what they should be.
async fn make(writer: &Writer, object: Value) -> Result<()> {
    let (kind, name) = (manifest::kind(&object).to_owned(), manifest::name(&object).to_owned());
    let plural = format!("{}s", kind.to_lowercase());
    match writer.write(&Write::create(object.clone(), MANAGER)).await {
        Ok(_) => {
            note(&format!("{kind} \"{name}\" created"));
            return Ok(());
        }
        Err(ApiError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error).with_context(|| format!("cannot create {plural} {name}")),
    }
    if matches!(kind.as_str(), "ClusterRole" | "Role" | "ClusterRoleBinding" | "RoleBinding") {
        writer
            .write(&Write::replace(object, MANAGER))
            .await
            .with_context(|| format!("cannot update {plural} {name}"))?;
        note(&format!("{kind} \"{name}\" updated"));
    }
    Ok(())
}

/// Waits for a Secret to be filled with a token.
async fn token(cluster: &Cluster, namespace: &str, name: &str) -> Result<String> {
    let until = Instant::now() + TOKEN_MAX;
    loop {
        let secret = cluster.get(&Gvk::new("", "v1", "Secret"), namespace, name).await?;
        let token = secret_text(&secret.unwrap_or_default(), "token");
        if !token.is_empty() {
            return Ok(token);
        }
        if Instant::now() > until {
            bail!(
                "the cluster did not fill secret {namespace}/{name} with a token within {} s",
                TOKEN_MAX.as_secs()
            );
        }
        sleep(TOKEN_POLL).await;
    }
}
