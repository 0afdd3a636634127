//! `cluster add`.

use anyhow::{Context as _, Result, bail};
use cluster::{Access, Cluster, Limits};
use crd::keys;
use manifest::Gvk;
use serde_json::{Map, Value, json};
use settings::cluster_secret_name;

use super::account;
use super::kubeconfig::{Kubeconfig, Reach};
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::global::Global;
use crate::commands::input;
use crate::commands::output::{note, print};
use crate::commands::prompt::{self, Answer};
use crate::commands::repo::store;

/// Arguments of `cluster add`.
#[derive(Debug, Default, clap::Args)]
pub struct Arguments {
    /// The context, of the same kubeconfig
    #[arg(value_name = "CONTEXT")]
    context_name: Option<String>,
    /// What the cluster is called [default: CONTEXT]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Overwrite what is registered for that cluster
    #[arg(long)]
    upsert: bool,
    /// Do not ask
    #[arg(short = 'y', long)]
    yes: bool,
    /// Namespace of the account that is made there
    #[arg(long, value_name = "NAMESPACE", default_value = "kube-system")]
    system_namespace: String,
    /// Use this account of that namespace, and make none
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// Work on this namespace only; may be repeated
    #[arg(long = "namespace", value_name = "NAMESPACE")]
    namespaces: Vec<String>,
    /// With --namespace, work on cluster-scoped objects as well
    #[arg(long)]
    cluster_resources: bool,
    /// This runs inside that cluster, and reaches it by its inner name
    #[arg(long)]
    in_cluster: bool,
    /// Which address to use: kubeconfig, kube-public or internal
    #[arg(long, value_name = "ENDPOINT", default_value = "")]
    cluster_endpoint: String,
    /// The only project that may use it
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Controller that looks after it, by number
    #[arg(long, value_name = "NUMBER", default_value_t = -1)]
    shard: i64,
    /// Label for the cluster
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Annotation for the cluster
    #[arg(long = "annotation", value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// Proxy to the cluster
    #[arg(long, value_name = "URL")]
    proxy_url: Option<String>,
    /// Proxy for the controller, where it is another; "" is none
    #[arg(long, value_name = "URL")]
    server_proxy_url: Option<String>,
    /// Ask for nothing compressed
    #[arg(long)]
    disable_compression: bool,
    /// Log in to this EKS cluster
    #[arg(long, value_name = "NAME")]
    aws_cluster_name: Option<String>,
    /// As this role
    #[arg(long, value_name = "ARN")]
    aws_role_arn: Option<String>,
    /// With this profile
    #[arg(long, value_name = "NAME")]
    aws_profile: Option<String>,
    /// Log in with what this program says
    #[arg(long, value_name = "PROGRAM")]
    exec_command: Option<String>,
    /// Argument for that program; may be repeated
    #[arg(long, value_name = "TEXT")]
    exec_command_args: Vec<String>,
    /// Environment variable for that program
    #[arg(long, value_name = "KEY=VALUE", value_delimiter = ',')]
    exec_command_env: Vec<String>,
    /// Version of what that program reads
    #[arg(long, value_name = "VERSION", default_value = "")]
    exec_command_api_version: String,
    /// What people read where that program is missing
    #[arg(long, value_name = "TEXT", default_value = "")]
    exec_command_install_hint: String,
}

/// Makes an account on the cluster, and registers the cluster with it.
pub async fn run(arguments: Arguments, global: &Global) -> Result<()> {
    let kubeconfig = Kubeconfig::load(global)?;
    let Some(context) = &arguments.context_name else {
        for (name, server) in kubeconfig.contexts() {
            note(&format!("  {name}  {server}"));
        }
        return Err(refused("Choose a context name from those above"));
    };
    if arguments.in_cluster && !arguments.cluster_endpoint.is_empty() {
        return Err(refused("Can only use one of --in-cluster or --cluster-endpoint"));
    }
    if !matches!(
        arguments.cluster_endpoint.as_str(),
        "" | "kubeconfig" | "kube-public" | "internal"
    ) {
        return Err(refused("the cluster endpoint is kubeconfig, kube-public or internal"));
    }
    let mut reach = kubeconfig.reach(context)?;
    if let Some(proxy) = &arguments.proxy_url {
        reach.proxy.clone_from(proxy);
    }
    let access =
        Access::Kubeconfig { path: global.kubeconfig.clone(), context: Some(context.clone()) };
    let there = Cluster::connect(&access, Limits::default()).await?;
    let token = arguments.token(&there, context).await?;
    if let Some(proxy) = &arguments.server_proxy_url {
        reach.proxy.clone_from(proxy);
    }
    arguments.move_endpoint(&there, &mut reach).await?;
    let session = Session::open(global).await?;
    let secret = arguments.secret(&session.namespace, context, &reach, &token)?;
    store(&session, secret, arguments.upsert, "cluster", &["server"]).await?;
    print(&format!("Cluster '{}' added\n", reach.server))
}

impl Arguments {
    /// The account's token; none where the login is another.
    async fn token(&self, there: &Cluster, context: &str) -> Result<String> {
        if self.aws_cluster_name.is_some() || self.exec_command.is_some() {
            return Ok(String::new());
        }
        if let Some(account) = &self.service_account {
            return account::token_of(there, &self.system_namespace, account).await;
        }
        if prompt::somebody_reads() && !self.yes {
            let level = if self.namespaces.is_empty() { "cluster" } else { "namespace" };
            let question = format!(
                "WARNING: This will create a service account `{}` on the cluster referenced by \
                 context `{context}` with full {level} level privileges. Do you want to continue \
                 [y/N]? ",
                account::ACCOUNT
            );
            if prompt::ask(&question, false)? != Answer::Yes {
                return Err(refused(""));
            }
        }
        account::install(there, &self.system_namespace, &self.namespaces).await
    }

    /// Replaces the kubeconfig's address by the one that was asked for.
    async fn move_endpoint(&self, there: &Cluster, reach: &mut Reach) -> Result<()> {
        if self.in_cluster || self.cluster_endpoint == "internal" {
            keys::IN_CLUSTER_SERVER.clone_into(&mut reach.server);
        } else if self.cluster_endpoint == "kube-public" {
            match public_endpoint(there).await {
                Ok((server, ca)) => (reach.server, reach.ca) = (server, ca),
                Err(error) => note(&format!(
                    "no address in kube-public ({error:#}); the kubeconfig's, {}, is used",
                    reach.server
                )),
            }
        }
        Ok(())
    }

    /// The Secret that registers the cluster.
    fn secret(&self, namespace: &str, context: &str, reach: &Reach, token: &str) -> Result<Value> {
        let Some(secret_name) = cluster_secret_name(&reach.server) else {
            bail!("`{}` is no URL of a cluster", reach.server);
        };
        let mut labels: Map<String, Value> = Map::new();
        for (key, value) in input::pairs(&self.labels)? {
            labels.insert(key, value.into());
        }
        labels.insert(keys::LABEL_SECRET_TYPE.to_owned(), "cluster".into());
        let mut annotations: Map<String, Value> = Map::new();
        for (key, value) in input::pairs(&self.annotations)? {
            annotations.insert(key, value.into());
        }
        annotations.insert(keys::MANAGED_BY.to_owned(), keys::MANAGED_BY_ARGOCD.into());
        let mut data = json!({
            "name": self.name.as_deref().unwrap_or(context),
            "server": reach.server.trim_end_matches('/'),
            "config": config(self, reach, token)?.to_string(),
        });
        if !self.namespaces.is_empty() {
            data["namespaces"] = self.namespaces.join(",").into();
        }
        if self.cluster_resources {
            data["clusterResources"] = "true".into();
        }
        if self.shard >= 0 {
            data["shard"] = self.shard.to_string().into();
        }
        if let Some(project) = &self.project {
            data["project"] = project.as_str().into();
        }
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": secret_name,
                "namespace": namespace,
                "labels": labels,
                "annotations": annotations,
            },
            "type": "Opaque",
            "stringData": data,
        }))
    }
}

/// The `config` of a cluster's Secret.
pub fn config(arguments: &Arguments, reach: &Reach, token: &str) -> Result<Value> {
    let mut tls = json!({"insecure": reach.insecure});
    for (field, value) in [
        ("serverName", &reach.server_name),
        ("caData", &reach.ca),
        ("certData", &reach.cert),
        ("keyData", &reach.key),
    ] {
        if !value.is_empty() {
            tls[field] = value.as_str().into();
        }
    }
    let mut config = json!({"tlsClientConfig": tls});
    // A certificate logs in already, as upstream has it.
    let has_certificate = !reach.cert.is_empty() && !reach.key.is_empty();
    if !token.is_empty() && !has_certificate {
        config["bearerToken"] = token.into();
    }
    if let Some(cluster) = &arguments.aws_cluster_name {
        let mut aws = json!({"clusterName": cluster});
        for (field, value) in
            [("roleARN", &arguments.aws_role_arn), ("profile", &arguments.aws_profile)]
        {
            if let Some(value) = value {
                aws[field] = value.as_str().into();
            }
        }
        config["awsAuthConfig"] = aws;
    } else if let Some(command) = &arguments.exec_command {
        let env = input::pairs(&arguments.exec_command_env)?;
        let env: Map<String, Value> =
            env.into_iter().map(|(name, value)| (name, value.into())).collect();
        config["execProviderConfig"] = json!({
            "command": command,
            "args": arguments.exec_command_args,
            "env": env,
            "apiVersion": arguments.exec_command_api_version,
            "installHint": arguments.exec_command_install_hint,
        });
    }
    if arguments.disable_compression {
        config["disableCompression"] = true.into();
    }
    if !reach.proxy.is_empty() {
        config["proxyUrl"] = reach.proxy.as_str().into();
    }
    Ok(config)
}

/// The address and certificates that the cluster publishes.
async fn public_endpoint(there: &Cluster) -> Result<(String, String)> {
    let kind = Gvk::new("", "v1", "ConfigMap");
    let found = there.get(&kind, "kube-public", "cluster-info").await?;
    let found = found.context("there is no cluster-info")?;
    let text = found.pointer("/data/kubeconfig").and_then(Value::as_str);
    let text = text.context("cluster-info does not contain a public kubeconfig")?;
    let kubeconfig = goyaml::to_json(text.as_bytes())?;
    let cluster = kubeconfig.pointer("/clusters/0/cluster").cloned().unwrap_or_default();
    let field = |name: &str| cluster.get(name).and_then(Value::as_str).unwrap_or_default();
    match field("server") {
        "" => bail!("cluster-info kubeconfig does not have any clusters"),
        server => Ok((server.to_owned(), field("certificate-authority-data").to_owned())),
    }
}
