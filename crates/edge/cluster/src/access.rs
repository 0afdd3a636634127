//! How a cluster is reached: its address, its certificates, and who we are there.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::Config;
use kube::config::{
    AuthInfo, Cluster as ClusterEntry, Context, ExecAuthCluster, ExecConfig, ExecInteractiveMode,
    KubeConfigOptions, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext,
};
use serde::Deserialize;

/// The address by which a cluster calls its own API server.
const INSIDE: &str = "https://kubernetes.default.svc";

/// Where a cluster stands, and who we are there.
#[derive(Clone)]
pub enum Access {
    /// As kubectl finds it.
    Kubeconfig {
        /// `None`: `$KUBECONFIG`, then `~/.kube/config`.
        path: Option<PathBuf>,
        /// `None`: the current context.
        context: Option<String>,
    },
    /// The text of a kubeconfig file. Paths in it are read from the working directory.
    KubeconfigText {
        /// YAML.
        text: String,
        /// `None`: the current context.
        context: Option<String>,
    },
    /// The service account of the pod that we run in.
    InCluster,
    /// What a cluster secret says.
    Secret(SecretAccess),
}

/// The fields of a cluster secret that say how to reach the cluster.
#[derive(Clone)]
pub struct SecretAccess {
    /// The URL of the API server.
    pub server: String,
    /// The secret's `config`: JSON. `""` stands for `{}`.
    pub config: String,
}

/// Names the place and shows no credentials.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Kubeconfig { path, context } => {
                f.debug_struct("Kubeconfig").field("path", path).field("context", context).finish()
            }
            Access::KubeconfigText { context, .. } => {
                f.debug_struct("KubeconfigText").field("context", context).finish_non_exhaustive()
            }
            Access::InCluster => f.write_str("InCluster"),
            Access::Secret(secret) => fmt::Debug::fmt(secret, f),
        }
    }
}

/// Shows the address alone.
impl fmt::Debug for SecretAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretAccess").field("server", &self.server).finish_non_exhaustive()
    }
}

/// Why there is no client for a cluster.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be found, read or understood.
    #[error("the kubeconfig cannot be used")]
    Kubeconfig(#[source] Box<dyn Error + Send + Sync>),
    /// We do not run inside a cluster, or its service account is not mounted.
    #[error("the service account of this pod cannot be used")]
    InCluster(#[source] Box<dyn Error + Send + Sync>),
    /// The cluster secret's `config` is not what it must be.
    #[error("`config` of cluster `{server}` does not read")]
    SecretConfig {
        /// The secret's `server`.
        server: String,
        /// What the parser said: a place, never a value.
        #[source]
        cause: serde_json::Error,
    },
    /// A field of a cluster secret has a value that cannot be used.
    #[error("`{field}` of cluster `{server}` cannot be used: {why}")]
    SecretField {
        /// The secret's `server`.
        server: String,
        /// As in `tlsClientConfig.caData`.
        field: &'static str,
        /// What is wrong, without the value.
        why: String,
    },
    /// The certificates, keys, proxy or credentials cannot be used.
    #[error("no client can be made for `{server}`")]
    Client {
        /// The server's URL.
        server: String,
        /// What is wrong.
        #[source]
        cause: Box<dyn Error + Send + Sync>,
    },
}

/// Says what `error` says, without what a credential plugin printed.
///
/// kube's message for a plugin that fails holds all that the plugin wrote, a token included.
pub(crate) fn without_output(error: kube::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        kube::Error::Service(inner) => match inner.downcast::<kube::client::AuthError>() {
            Ok(auth) => without_auth_output(*auth),
            Err(other) => other,
        },
        kube::Error::Auth(auth) => without_auth_output(auth),
        kube::Error::HyperError(inner) => Box::new(inner),
        other => Box::new(other),
    }
}

fn without_auth_output(error: kube::client::AuthError) -> Box<dyn Error + Send + Sync> {
    use kube::client::AuthError;
    match error {
        // The command holds its arguments and environment.
        AuthError::AuthExecRun { out, .. } => {
            format!("the credential plugin failed: {}", out.status).into()
        }
        AuthError::AuthExecParse(_) => "the credential plugin's answer does not read".into(),
        AuthError::ParseTokenKey(_) => "the credential plugin's token does not read".into(),
        other => Box::new(other),
    }
}

impl Access {
    /// Reads what must be read, and returns what kube needs to know.
    pub(crate) async fn config(&self) -> Result<Config, ConnectError> {
        let options = |context: &Option<String>| KubeConfigOptions {
            context: context.clone(),
            ..KubeConfigOptions::default()
        };
        match self {
            Access::Kubeconfig { path: None, context } => {
                Config::from_kubeconfig(&options(context)).await.map_err(kubeconfig)
            }
            Access::Kubeconfig { path: Some(path), context } => {
                let file = Kubeconfig::read_from(path).map_err(kubeconfig)?;
                Config::from_custom_kubeconfig(file, &options(context)).await.map_err(kubeconfig)
            }
            Access::KubeconfigText { text, context } => {
                let file = Kubeconfig::from_yaml(text).map_err(kubeconfig)?;
                Config::from_custom_kubeconfig(file, &options(context)).await.map_err(kubeconfig)
            }
            Access::InCluster => in_cluster(),
            Access::Secret(secret) => secret.config().await,
        }
    }
}

fn kubeconfig(error: kube::config::KubeconfigError) -> ConnectError {
    ConnectError::Kubeconfig(Box::new(error))
}

fn in_cluster() -> Result<Config, ConnectError> {
    Config::incluster().map_err(|error| ConnectError::InCluster(Box::new(error)))
}

/// A cluster secret's `config`.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct SecretConfig {
    username: String,
    password: String,
    bearer_token: String,
    tls_client_config: TlsConfig,
    aws_auth_config: Option<AwsAuth>,
    exec_provider_config: Option<ExecProvider>,
    disable_compression: bool,
    proxy_url: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TlsConfig {
    insecure: bool,
    server_name: String,
    ca_data: Option<String>,
    cert_data: Option<String>,
    key_data: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ExecProvider {
    command: String,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, String>>,
    api_version: String,
    install_hint: String,
    provide_cluster_info: bool,
    config: Option<serde_json::Value>,
}

impl SecretAccess {
    async fn config(&self) -> Result<Config, ConnectError> {
        let fields = self.fields()?;
        // Upstream: the cluster's own address means the pod's service account, unless the
        // secret brings credentials of its own.
        if self.server.trim_end_matches('/') == INSIDE {
            let mut config = in_cluster()?;
            if !fields.username.is_empty() || !fields.bearer_token.is_empty() {
                config.auth_info = fields.identity(self)?;
            }
            return Ok(config);
        }
        let file = self.kubeconfig(&fields)?;
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
            .await
            .map_err(|error| ConnectError::Client {
                server: self.server.clone(),
                cause: Box::new(error),
            })?;
        config.disable_compression = fields.disable_compression;
        Ok(config)
    }

    fn fields(&self) -> Result<SecretConfig, ConnectError> {
        let text = match self.config.trim() {
            "" | "null" => "{}",
            text => text,
        };
        serde_json::from_str(text).map_err(|cause| ConnectError::SecretConfig {
            server: self.server.clone(),
            // A message about a wrong type quotes the value; the place is enough.
            cause: serde::de::Error::custom(format!(
                "line {} column {}: {}",
                cause.line(),
                cause.column(),
                match cause.classify() {
                    serde_json::error::Category::Data => "a field has another type",
                    serde_json::error::Category::Syntax => "this is no JSON",
                    serde_json::error::Category::Eof => "the JSON ends too early",
                    serde_json::error::Category::Io => "it cannot be read",
                }
            )),
        })
    }

    /// The secret as the kubeconfig that says the same.
    fn kubeconfig(&self, fields: &SecretConfig) -> Result<Kubeconfig, ConnectError> {
        let tls = &fields.tls_client_config;
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let name = "cluster".to_owned();
        Ok(Kubeconfig {
            clusters: vec![NamedCluster {
                name: name.clone(),
                cluster: Some(ClusterEntry {
                    server: Some(self.server.clone()),
                    insecure_skip_tls_verify: Some(tls.insecure),
                    certificate_authority_data: self
                        .base64("tlsClientConfig.caData", tls.ca_data.as_deref())?,
                    proxy_url: some(&fields.proxy_url),
                    tls_server_name: some(&tls.server_name),
                    ..ClusterEntry::default()
                }),
                other: BTreeMap::new(),
            }],
            auth_infos: vec![NamedAuthInfo {
                name: name.clone(),
                auth_info: Some(fields.identity(self)?),
                other: BTreeMap::new(),
            }],
            contexts: vec![NamedContext {
                name: name.clone(),
                context: Some(Context {
                    cluster: name.clone(),
                    user: Some(name.clone()),
                    ..Context::default()
                }),
                other: BTreeMap::new(),
            }],
            current_context: Some(name),
            ..Kubeconfig::default()
        })
    }

    /// Returns base64 that is known to decode, or `None` for nothing.
    fn base64(
        &self,
        field: &'static str,
        value: Option<&str>,
    ) -> Result<Option<String>, ConnectError> {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(None) };
        match STANDARD.decode(value) {
            Ok(_) => Ok(Some(value.to_owned())),
            Err(error) => Err(ConnectError::SecretField {
                server: self.server.clone(),
                field,
                why: format!("it is no base64: {error}"),
            }),
        }
    }
}

impl SecretConfig {
    fn identity(&self, secret: &SecretAccess) -> Result<AuthInfo, ConnectError> {
        let tls = &self.tls_client_config;
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Ok(AuthInfo {
            username: some(&self.username),
            password: some(&self.password).map(Into::into),
            token: some(&self.bearer_token).map(Into::into),
            client_certificate_data: secret
                .base64("tlsClientConfig.certData", tls.cert_data.as_deref())?,
            client_key_data: secret
                .base64("tlsClientConfig.keyData", tls.key_data.as_deref())?
                .map(Into::into),
            exec: self.plugin().map(|exec| exec.config(secret, tls)),
            ..AuthInfo::default()
        })
    }
}

impl SecretConfig {
    /// The program that logs in. For clouds that is this one: its command `k8s-auth`, which upstream
    /// has as a program of its own.
    fn plugin(&self) -> Option<Cow<'_, ExecProvider>> {
        if let Some(aws) = &self.aws_auth_config {
            return Some(Cow::Owned(aws.plugin()));
        }
        let exec = self.exec_provider_config.as_ref()?;
        let program = Path::new(&exec.command).file_name();
        if program.is_none_or(|program| program != K8S_AUTH) {
            return Some(Cow::Borrowed(exec));
        }
        let mut exec = exec.clone();
        exec.command = own_program();
        exec.args.get_or_insert_default().insert(0, "k8s-auth".to_owned());
        Some(Cow::Owned(exec))
    }
}

/// What upstream's program for clouds' logins is called.
const K8S_AUTH: &str = "argocd-k8s-auth";

/// This program. Where it cannot tell its own path, it is looked for by its name.
fn own_program() -> String {
    let path =
        std::env::current_exe().ok().and_then(|path| path.into_os_string().into_string().ok());
    path.unwrap_or_else(|| "tiphys".to_owned())
}

/// A cluster of AWS.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AwsAuth {
    #[serde(rename = "clusterName")]
    cluster_name: String,
    #[serde(rename = "roleARN")]
    role_arn: String,
    profile: String,
}

impl AwsAuth {
    fn plugin(&self) -> ExecProvider {
        let mut args = vec!["k8s-auth".to_owned(), "aws".to_owned()];
        for (flag, value) in [
            ("--cluster-name", &self.cluster_name),
            ("--role-arn", &self.role_arn),
            ("--profile", &self.profile),
        ] {
            if !value.is_empty() {
                args.extend([flag.to_owned(), value.clone()]);
            }
        }
        ExecProvider {
            command: own_program(),
            args: Some(args),
            api_version: "client.authentication.k8s.io/v1beta1".to_owned(),
            ..ExecProvider::default()
        }
    }
}

impl ExecProvider {
    fn config(&self, secret: &SecretAccess, tls: &TlsConfig) -> ExecConfig {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let env = self.env.as_ref().map(|env| {
            env.iter()
                .map(|(name, value)| {
                    HashMap::from([
                        ("name".to_owned(), name.clone()),
                        ("value".to_owned(), value.clone()),
                    ])
                })
                .collect()
        });
        ExecConfig {
            api_version: some(&self.api_version),
            command: some(&self.command),
            args: self.args.clone(),
            env,
            drop_env: None,
            install_hint: some(&self.install_hint),
            // Nobody sits at this process's terminal.
            interactive_mode: Some(ExecInteractiveMode::Never),
            provide_cluster_info: self.provide_cluster_info,
            cluster: self.provide_cluster_info.then(|| ExecAuthCluster {
                server: Some(secret.server.clone()),
                insecure_skip_tls_verify: Some(tls.insecure),
                certificate_authority_data: tls
                    .ca_data
                    .as_deref()
                    .and_then(|data| STANDARD.decode(data).ok()),
                tls_server_name: some(&tls.server_name),
                config: self.config.clone(),
                ..ExecAuthCluster::default()
            }),
            other: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The program that a secret's config runs, with its arguments; the path of this one is left out.
    fn runs(config: Value) -> Option<(String, Vec<String>)> {
        let server = "https://far.example".to_owned();
        let secret = SecretAccess { server, config: config.to_string() };
        let fields = secret.fields().expect("it reads");
        let plugin = fields.plugin()?;
        let command = plugin.command.replace(&own_program(), "tiphys");
        Some((command, plugin.args.clone().unwrap_or_default()))
    }

    fn ran(command: &str, arguments: &str) -> Option<(String, Vec<String>)> {
        Some((command.to_owned(), arguments.split(' ').map(str::to_owned).collect()))
    }

    #[test]
    fn clouds_logins_are_this_programs_own() {
        assert_eq!(
            runs(json!({"awsAuthConfig": {"clusterName": "c", "roleARN": "r", "profile": "p"}})),
            ran("tiphys", "k8s-auth aws --cluster-name c --role-arn r --profile p")
        );
        assert_eq!(
            runs(json!({"awsAuthConfig": {"clusterName": "c"}})),
            ran("tiphys", "k8s-auth aws --cluster-name c")
        );
        for command in ["argocd-k8s-auth", "/usr/local/bin/argocd-k8s-auth"] {
            let exec = json!({"command": command, "args": ["gcp"]});
            assert_eq!(runs(json!({"execProviderConfig": exec})), ran("tiphys", "k8s-auth gcp"));
        }
        let other = json!({"command": "kubelogin", "args": ["get-token"]});
        assert_eq!(runs(json!({"execProviderConfig": other})), ran("kubelogin", "get-token"));
        assert_eq!(runs(json!({"bearerToken": "t"})), None);
    }
}
