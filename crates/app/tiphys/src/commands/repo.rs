//! `repo`: repositories.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use cluster::ApiError;
use crd::keys;
use serde_json::{Map, Value, json};
use settings::{Repositories, Repository, RepositoryType, repository_secret_name};

use super::colour::Colour;
use super::connect::{self, Session, secret_text};
use super::global::Global;
use super::output::{check, print, print_as};
use super::table::Table;

/// The commands on repositories.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Register a repository
    Add(Box<Add>),
    /// Show a registered repository
    Get(Get),
    /// List registered repositories
    List(List),
    /// Forget registered repositories
    Rm(Rm),
}

/// Arguments of `repo get`.
#[derive(Debug, clap::Args)]
pub struct Get {
    /// The repository's URL
    #[arg(value_name = "REPOURL")]
    url: String,
    /// Of which project, where several have it
    #[arg(long, value_name = "NAME", default_value = "")]
    project: String,
    /// Output format, one of wide|json|yaml|url
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// Once asked for new connection states; changes nothing here
    #[arg(long, value_name = "hard", hide = true)]
    refresh: Option<String>,
}

/// Arguments of `repo rm`.
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// The repositories' URLs
    #[arg(value_name = "REPOURL", required = true)]
    urls: Vec<String>,
    /// Of which project, where several have them
    #[arg(long, value_name = "NAME", default_value = "")]
    project: String,
}

/// Arguments of `repo add`.
#[derive(Debug, Default, clap::Args)]
pub struct Add {
    /// The repository's URL
    #[arg(value_name = "REPOURL")]
    url: String,
    /// What it is: git, helm or oci
    #[arg(long = "type", value_name = "TYPE", default_value = "git")]
    kind: String,
    /// A name; a Helm repository needs one
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The only project that may use it
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// User
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// Password
    #[arg(long, value_name = "TEXT")]
    password: Option<String>,
    /// Bearer token, for Bitbucket Data Center
    #[arg(long, value_name = "TEXT")]
    bearer_token: Option<String>,
    /// File with the private key for SSH
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    ssh_private_key_path: Option<String>,
    /// File with the client's certificate, in PEM
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    tls_client_cert_path: Option<String>,
    /// File with that certificate's key, in PEM
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    tls_client_cert_key_path: Option<String>,
    /// Believe any host key; use --insecure-skip-server-verification
    #[arg(long)]
    insecure_ignore_host_key: bool,
    /// Believe any certificate and host key
    #[arg(long)]
    insecure_skip_server_verification: bool,
    /// Fetch large files by LFS
    #[arg(long)]
    enable_lfs: bool,
    /// A Helm repository in an OCI registry
    #[arg(long)]
    enable_oci: bool,
    /// Talk to an OCI registry without TLS
    #[arg(long)]
    insecure_oci_force_http: bool,
    /// GitHub App's ID
    #[arg(long, value_name = "NUMBER")]
    github_app_id: Option<i64>,
    /// GitHub App's installation
    #[arg(long, value_name = "NUMBER")]
    github_app_installation_id: Option<i64>,
    /// File with the GitHub App's private key
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    github_app_private_key_path: Option<String>,
    /// API of a GitHub Enterprise server
    #[arg(long, value_name = "URL")]
    github_app_enterprise_base_url: Option<String>,
    /// File with a Google service account's key
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    gcp_service_account_key_path: Option<String>,
    /// Proxy to the repository
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,
    /// Hosts that need no proxy
    #[arg(long, value_name = "HOSTS")]
    no_proxy: Option<String>,
    /// Log in by HTTP basic authentication
    #[arg(long)]
    force_http_basic_auth: bool,
    /// Log in by Azure workload identity
    #[arg(long)]
    use_azure_workload_identity: bool,
    /// Azure service principal's tenant
    #[arg(long, value_name = "ID")]
    azure_service_principal_tenant_id: Option<String>,
    /// Azure service principal's client
    #[arg(long, value_name = "ID")]
    azure_service_principal_client_id: Option<String>,
    /// Azure service principal's secret
    #[arg(long, value_name = "TEXT")]
    azure_service_principal_client_secret: Option<String>,
    /// Azure's login server
    #[arg(long, value_name = "URL")]
    azure_active_directory_endpoint: Option<String>,
    /// Fetch so many commits; 0 fetches all
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    depth: i64,
    /// Render nothing ahead when a webhook comes
    #[arg(long)]
    webhook_manifest_cache_warm_disabled: bool,
    /// Overwrite what is registered for that URL
    #[arg(long)]
    upsert: bool,
}

/// Arguments of `repo list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Output format, one of wide|json|yaml|url
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// Once asked for new connection states; changes nothing here
    #[arg(long, value_name = "hard", hide = true)]
    refresh: Option<String>,
}

/// Runs one of them.
pub fn run(command: Command, global: &Global) -> Result<ExitCode> {
    connect::run(async {
        let session = Session::open(global).await?;
        match command {
            Command::Add(arguments) => add(&arguments, &session).await?,
            Command::Get(arguments) => get(&arguments, &session).await?,
            Command::List(arguments) => list(&arguments, &session).await?,
            Command::Rm(arguments) => remove(&arguments, &session).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

impl Add {
    /// Refuses what does not go together.
    fn check(&self) -> Result<()> {
        let https = self.url.starts_with("https://");
        let ssh = crd::is_ssh_url(&self.url);
        if self.ssh_private_key_path.is_some() && !ssh {
            bail!("--ssh-private-key-path is only supported for SSH repositories.");
        }
        if self.tls_client_cert_path.is_some() != self.tls_client_cert_key_path.is_some() {
            bail!(
                "--tls-client-cert-path and --tls-client-cert-key-path must be specified together"
            );
        }
        for (given, flag) in [
            (&self.tls_client_cert_path, "--tls-client-cert-path"),
            (&self.github_app_private_key_path, "--github-app-private-key-path"),
            (&self.gcp_service_account_key_path, "--gcp-service-account-key-path"),
        ] {
            if given.is_some() && !https {
                bail!("{flag} is only supported for HTTPS repositories");
            }
        }
        if !matches!(self.kind.as_str(), "git" | "helm" | "oci") {
            bail!("the type of a repository is git, helm or oci, and not `{}`", self.kind);
        }
        if self.kind == "helm" && self.name.as_deref().unwrap_or_default().is_empty() {
            bail!("Must specify --name for repos of type 'helm'");
        }
        if self.bearer_token.is_some() {
            if self.password.is_some() {
                bail!("only --bearer-token or --password is allowed, not both");
            }
            if self.kind != "git" {
                bail!("--bearer-token is only supported for Git repositories");
            }
            if !https {
                bail!("--bearer-token is only supported for HTTPS repositories");
            }
        }
        if self.insecure_oci_force_http && self.kind != "oci" && !self.enable_oci {
            bail!("--insecure-oci-force-http is only supported for OCI repositories");
        }
        if self.username.is_some() && self.password.is_none() {
            bail!("give the password with --password");
        }
        Ok(())
    }

    /// The Secret's fields.
    fn data(&self) -> Result<Map<String, Value>> {
        let file = |path: &Option<String>| -> Result<Option<String>> {
            let Some(path) = path else { return Ok(None) };
            Ok(Some(std::fs::read_to_string(path).with_context(|| format!("open {path}"))?))
        };
        let on = |given: bool| given.then(|| "true".to_owned());
        let number = |given: Option<i64>| given.filter(|one| *one != 0).map(|one| one.to_string());
        let insecure = self.insecure_skip_server_verification;
        let fields = [
            ("url", Some(self.url.clone())),
            ("type", Some(self.kind.clone())),
            ("name", self.name.clone()),
            ("project", self.project.clone()),
            ("username", self.username.clone()),
            ("password", self.password.clone()),
            ("bearerToken", self.bearer_token.clone()),
            ("sshPrivateKey", file(&self.ssh_private_key_path)?),
            ("tlsClientCertData", file(&self.tls_client_cert_path)?),
            ("tlsClientCertKey", file(&self.tls_client_cert_key_path)?),
            ("insecureIgnoreHostKey", on(self.insecure_ignore_host_key)),
            ("insecure", on(insecure)),
            ("enableLfs", on(self.enable_lfs)),
            ("enableOCI", on(self.enable_oci)),
            ("insecureOCIForceHttp", on(self.insecure_oci_force_http)),
            ("githubAppID", number(self.github_app_id)),
            ("githubAppInstallationID", number(self.github_app_installation_id)),
            ("githubAppPrivateKey", file(&self.github_app_private_key_path)?),
            ("githubAppEnterpriseBaseUrl", self.github_app_enterprise_base_url.clone()),
            ("gcpServiceAccountKey", file(&self.gcp_service_account_key_path)?),
            ("proxy", self.proxy.clone()),
            ("noProxy", self.no_proxy.clone()),
            ("forceHttpBasicAuth", on(self.force_http_basic_auth)),
            ("useAzureWorkloadIdentity", on(self.use_azure_workload_identity)),
            ("azureServicePrincipalTenantId", self.azure_service_principal_tenant_id.clone()),
            ("azureServicePrincipalClientId", self.azure_service_principal_client_id.clone()),
            (
                "azureServicePrincipalClientSecret",
                self.azure_service_principal_client_secret.clone(),
            ),
            ("azureActiveDirectoryEndpoint", self.azure_active_directory_endpoint.clone()),
            ("depth", number(Some(self.depth))),
            ("webhookManifestCacheWarmDisabled", on(self.webhook_manifest_cache_warm_disabled)),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| {
            let value = value.filter(|value| !value.is_empty())?;
            Some((name.to_owned(), Value::from(value)))
        });
        Ok(fields.collect())
    }

    /// The Secret that registers the repository.
    fn secret(&self, namespace: &str) -> Result<Value> {
        let project = self.project.as_deref().unwrap_or_default();
        Ok(json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": repository_secret_name(&self.url, project),
                "namespace": namespace,
                "labels": {keys::LABEL_SECRET_TYPE: "repository"},
                "annotations": {keys::MANAGED_BY: keys::MANAGED_BY_ARGOCD},
            },
            "type": "Opaque",
            "stringData": self.data()?,
        }))
    }
}

async fn add(arguments: &Add, session: &Session) -> Result<()> {
    arguments.check()?;
    let secret = arguments.secret(&session.namespace)?;
    store(session, secret, arguments.upsert, "repository", &["url", "project"]).await?;
    print(&format!("Repository '{}' added\n", arguments.url))
}

/// Creates a Secret that describes a `what`, or overwrites one that says something else.
///
/// One that somebody made under another name describes the same, where `fields` hold the same.
///
/// # Errors
///
/// Where there is another, and it may not be overwritten.
pub async fn store(
    session: &Session,
    mut secret: Value,
    upsert: bool,
    what: &str,
    fields: &[&str],
) -> Result<()> {
    let described = session.secrets(what).await?;
    let same = |other: &&Value| {
        fields.iter().all(|field| {
            let wanted = secret["stringData"].get(field).and_then(Value::as_str);
            secret_text(other, field) == wanted.unwrap_or_default()
        })
    };
    if let Some(known) = described.iter().find(same) {
        secret["metadata"]["name"] = manifest::name(known).into();
    }
    match session.home.create(&secret).await {
        Ok(_) => return Ok(()),
        Err(ApiError::AlreadyExists { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let existing = session.secret(manifest::name(&secret)).await?.unwrap_or_default();
    let wanted = secret["stringData"].as_object().cloned().unwrap_or_default();
    let held = existing.get("data").and_then(Value::as_object).map_or(0, Map::len);
    let same = held == wanted.len()
        && wanted.iter().all(|(field, value)| secret_text(&existing, field) == *value);
    if same {
        return Ok(());
    }
    if !upsert {
        bail!("existing {what} spec is different; use upsert flag to force update");
    }
    secret["metadata"]["resourceVersion"] = manifest::resource_version(&existing).into();
    session.home.replace(&secret).await?;
    Ok(())
}

/// The Secrets that register a repository for a project, or, where none is named, for any.
async fn registered(session: &Session, url: &str, project: &str) -> Result<Vec<Value>> {
    let mut secrets = session.secrets("repository").await?;
    secrets.retain(|secret| {
        crd::normalize_repo_url(&secret_text(secret, "url")) == crd::normalize_repo_url(url)
            && (project.is_empty() || secret_text(secret, "project") == project)
    });
    if secrets.is_empty() {
        bail!("repo '{url}' not found");
    }
    Ok(secrets)
}

async fn get(arguments: &Get, session: &Session) -> Result<()> {
    check(&arguments.output, &["wide", "json", "yaml", "url"])?;
    let mut secrets = registered(session, &arguments.url, &arguments.project).await?;
    if secrets.len() > 1 {
        bail!(
            "repository not found for url '{}': several projects have it; name one with --project",
            arguments.url
        );
    }
    secrets.extend(session.secrets("repo-creds").await?);
    let found: Vec<Repository> = Repositories::read(&secrets).0.list().collect();
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => {
            print_as(format, &found.first().map(shown).unwrap_or_default())
        }
        "url" => print(&found.iter().map(|one| one.url.clone() + "\n").collect::<String>()),
        _ => print(&table(&found).print(Colour::Off)),
    }
}

async fn remove(arguments: &Rm, session: &Session) -> Result<()> {
    for url in &arguments.urls {
        let secrets = registered(session, url, &arguments.project).await?;
        if secrets.len() > 1 {
            bail!("several projects have repository '{url}'; name one with --project");
        }
        let kind = manifest::Gvk::new("", "v1", "Secret");
        for secret in &secrets {
            let name = manifest::name(secret);
            let background = cluster::Propagation::Background;
            session.home.delete(&kind, &session.namespace, name, background).await?;
        }
        print(&format!("Repository '{url}' removed\n"))?;
    }
    Ok(())
}

async fn list(arguments: &List, session: &Session) -> Result<()> {
    check(&arguments.output, &["wide", "json", "yaml", "url"])?;
    let mut secrets = session.secrets("repository").await?;
    secrets.extend(session.secrets("repo-creds").await?);
    let repositories: Vec<Repository> = Repositories::read(&secrets).0.list().collect();
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => {
            print_as(format, &repositories.iter().map(shown).collect::<Vec<_>>())
        }
        "url" => {
            let urls = repositories.iter().map(|one| one.url.clone() + "\n");
            print(&urls.collect::<String>())
        }
        _ => print(&table(&repositories).print(Colour::Off)),
    }
}

fn kind_word(repository: &Repository) -> &'static str {
    match repository.repository_type {
        None | Some(RepositoryType::Git) => "git",
        Some(RepositoryType::Helm) => "helm",
        Some(RepositoryType::Oci) => "oci",
    }
}

/// A repository as others may see it: nothing secret.
fn shown(repository: &Repository) -> Value {
    let fields = [
        ("repo", json!(repository.url)),
        ("type", json!(kind_word(repository))),
        ("name", json!(repository.name)),
        ("project", json!(repository.project)),
        ("insecure", json!(repository.insecure)),
        ("enableLfs", json!(repository.lfs)),
        ("enableOCI", json!(repository.oci)),
        ("proxy", json!(repository.proxy)),
        ("noProxy", json!(repository.no_proxy)),
        ("inheritedCreds", json!(repository.inherited_credentials)),
        ("hasCredentials", json!(repository.credentials.any())),
    ];
    let said = |value: &Value| !matches!(value, Value::Bool(false)) && *value != "";
    let fields = fields.into_iter().filter(|(_, value)| said(value));
    Value::Object(fields.map(|(name, value)| (name.to_owned(), value)).collect())
}

/// What `repo list` shows. Nobody has asked the repositories: their state is not known here.
fn table(repositories: &[Repository]) -> Table {
    let mut table = Table::headed(&[
        "TYPE", "NAME", "REPO", "INSECURE", "OCI", "LFS", "CREDS", "STATUS", "MESSAGE", "PROJECT",
    ]);
    for repository in repositories {
        let credentials = match repository.inherited_credentials {
            true => "inherited".to_owned(),
            false => repository.credentials.any().to_string(),
        };
        table.line([
            kind_word(repository).to_owned(),
            repository.name.clone(),
            repository.url.clone(),
            repository.insecure.to_string(),
            repository.oci.to_string(),
            repository.lfs.to_string(),
            credentials,
            "Unknown".to_owned(),
            String::new(),
            repository.project.clone(),
        ]);
    }
    table
}
