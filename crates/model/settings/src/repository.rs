//! Repositories and their credentials, as Secrets hold them (section 9.1 of the reference).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::problem::Problem;
use crate::secret::{self, SecretText, SecretType};

/// What a repository speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepositoryType {
    /// Git.
    #[default]
    Git,
    /// A Helm repository, or a registry of charts.
    Helm,
    /// A registry of OCI artifacts.
    Oci,
}

/// What is needed to reach a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: SecretText,
    /// Password or token.
    pub password: SecretText,
    /// Token for the header `Authorization: Bearer`.
    pub bearer_token: SecretText,
    /// SSH key in PEM.
    pub ssh_private_key: SecretText,
    /// Client certificate in PEM.
    pub tls_client_cert: SecretText,
    /// Its key in PEM.
    pub tls_client_key: SecretText,
    /// Key of a GitHub App in PEM.
    pub github_app_private_key: SecretText,
    /// Id of a GitHub App; 0 is none.
    pub github_app_id: i64,
    /// Id of its installation; 0 lets it be found.
    pub github_app_installation_id: i64,
    /// URL of a GitHub Enterprise server's API; `""` is the public one.
    pub github_app_enterprise_url: String,
    /// Key of a Google service account, as JSON.
    pub gcp_service_account_key: SecretText,
    /// Whether the identity that Azure gives to pods is used.
    pub azure_workload_identity: bool,
    /// Azure service principal: client id.
    pub azure_client_id: String,
    /// Azure service principal: secret.
    pub azure_client_secret: SecretText,
    /// Azure service principal: tenant.
    pub azure_tenant_id: String,
    /// Azure's login server; `""` is the public one.
    pub azure_login_url: String,
    /// Whether user and password are sent unasked.
    pub force_basic_auth: bool,
    /// Whether charts in a registry are read without TLS.
    pub oci_force_http: bool,
}

impl Credentials {
    /// Whether there are any; a repository without takes those of a `repo-creds` secret.
    pub fn any(&self) -> bool {
        let texts = [
            &self.username,
            &self.password,
            &self.bearer_token,
            &self.ssh_private_key,
            &self.tls_client_cert,
            &self.github_app_private_key,
            &self.azure_client_secret,
        ];
        texts.iter().any(|text| !text.is_empty()) || self.azure_workload_identity
    }

    /// Fills in what is missing; the switches always are the other's.
    fn fill_from(&mut self, other: &Self) {
        let secrets = [
            (&mut self.username, &other.username),
            (&mut self.password, &other.password),
            (&mut self.bearer_token, &other.bearer_token),
            (&mut self.ssh_private_key, &other.ssh_private_key),
            (&mut self.tls_client_cert, &other.tls_client_cert),
            (&mut self.tls_client_key, &other.tls_client_key),
            (&mut self.github_app_private_key, &other.github_app_private_key),
            (&mut self.gcp_service_account_key, &other.gcp_service_account_key),
            (&mut self.azure_client_secret, &other.azure_client_secret),
        ];
        for (own, other) in secrets {
            if own.is_empty() {
                own.clone_from(other);
            }
        }
        let texts = [
            (&mut self.github_app_enterprise_url, &other.github_app_enterprise_url),
            (&mut self.azure_client_id, &other.azure_client_id),
            (&mut self.azure_tenant_id, &other.azure_tenant_id),
            (&mut self.azure_login_url, &other.azure_login_url),
        ];
        for (own, other) in texts {
            if own.is_empty() {
                own.clone_from(other);
            }
        }
        let ids = [
            (&mut self.github_app_id, other.github_app_id),
            (&mut self.github_app_installation_id, other.github_app_installation_id),
        ];
        for (own, other) in ids {
            if *own == 0 {
                *own = other;
            }
        }
        self.azure_workload_identity = other.azure_workload_identity;
        self.force_basic_auth = other.force_basic_auth;
        self.oci_force_http = other.oci_force_http;
    }
}

/// A repository, with the credentials that hold for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repository {
    /// As the secret, or the Application, writes it.
    pub url: String,
    /// A name for people; Helm dependencies refer to it.
    pub name: String,
    /// `""` serves all projects.
    pub project: String,
    /// What it speaks; `None` where no secret says so, which is Git.
    pub repository_type: Option<RepositoryType>,
    /// What is needed to reach it.
    pub credentials: Credentials,
    /// Whether those come from a `repo-creds` secret.
    pub inherited_credentials: bool,
    /// Whether the server's certificate or host key is not checked.
    pub insecure: bool,
    /// Whether files in Git LFS are wanted.
    pub lfs: bool,
    /// Whether a Helm repository is a registry.
    pub oci: bool,
    /// HTTP proxy; `""` is none.
    pub proxy: String,
    /// Hosts that are reached without it.
    pub no_proxy: String,
    /// Commits that are fetched; `None` is all.
    pub depth: Option<u32>,
    /// Whether a webhook does not render at once.
    pub webhook_cache_warm_disabled: bool,
    /// The secret it stands in, as `namespace/name`; `""` where there is none.
    pub secret: String,
}

/// Why a repository cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepositoryError {
    /// Its secret does not hold together.
    #[error("{message}")]
    Broken {
        /// Secret, key, and what to do.
        message: String,
    },
}

/// Credentials for every repository below a URL.
#[derive(Clone, Debug)]
struct Template {
    prefix: String,
    repository: Repository,
}

/// All repositories and credentials of an installation.
#[derive(Clone, Debug, Default)]
pub struct Repositories {
    read: Group,
    write: Group,
}

#[derive(Clone, Debug, Default)]
struct Group {
    repositories: Vec<Repository>,
    templates: Vec<Template>,
    /// By index into `repositories`.
    broken: BTreeMap<usize, String>,
}

impl Repositories {
    /// Reads Secrets, of which those of other types are passed over. Order does not matter.
    pub fn read<'a>(secrets: impl IntoIterator<Item = &'a Value>) -> (Self, Vec<Problem>) {
        let mut all = Self::default();
        let mut problems = Vec::new();
        let mut secrets: Vec<&Value> = secrets.into_iter().collect();
        secrets.sort_by_key(|secret| (manifest::namespace(secret), manifest::name(secret)));
        for secret in secrets {
            match SecretType::of(secret) {
                Some(SecretType::Repository) => all.read.add(secret, false, &mut problems),
                Some(SecretType::RepoCreds) => all.read.add(secret, true, &mut problems),
                Some(SecretType::RepositoryWrite) => all.write.add(secret, false, &mut problems),
                Some(SecretType::RepoWriteCreds) => all.write.add(secret, true, &mut problems),
                Some(SecretType::Cluster | SecretType::ScmCreds) | None => {}
            }
        }
        (all, problems)
    }

    /// The repository that a project's Applications mean by a URL (REP-02): the project's own
    /// secret, else one for all projects, else none at all; credentials are inherited from the
    /// longest `repo-creds` URL that the repository's begins with, where it has none itself.
    ///
    /// # Errors
    ///
    /// [`RepositoryError`] where its secret does not hold together.
    pub fn find(&self, url: &str, project: &str) -> Result<Repository, RepositoryError> {
        self.read.find(url, project)
    }

    /// As [`Repositories::find`], of secrets for writing.
    ///
    /// # Errors
    ///
    /// As [`Repositories::find`].
    pub fn find_for_writing(
        &self,
        url: &str,
        project: &str,
    ) -> Result<Repository, RepositoryError> {
        self.write.find(url, project)
    }

    /// Every repository that has a secret, credentials inherited, in the order of the secrets.
    pub fn list(&self) -> impl Iterator<Item = Repository> + '_ {
        self.read.repositories.iter().map(|repository| self.read.inherited(repository.clone()))
    }
}

impl Group {
    fn add(&mut self, object: &Value, template: bool, problems: &mut Vec<Problem>) {
        let mut fields = Fields::new(object);
        let repository = fields.repository();
        if !template {
            for key in ["depth", "webhookManifestCacheWarmDisabled", "project", "name", "enableLfs"]
            {
                fields.known.push(key);
            }
        }
        fields.name_unknown(template);
        let broken: Vec<String> = fields.broken.iter().map(ToString::to_string).collect();
        problems.append(&mut fields.broken);
        problems.append(&mut fields.problems);
        if template {
            let prefix = crd::normalize_repo_url(&repository.url);
            self.templates.push(Template { prefix, repository });
        } else {
            if !broken.is_empty() {
                self.broken.insert(self.repositories.len(), broken.join("; "));
            }
            self.repositories.push(repository);
        }
    }

    fn find(&self, url: &str, project: &str) -> Result<Repository, RepositoryError> {
        let same: Vec<usize> = (0..self.repositories.len())
            .filter(|at| crd::same_repo_url(&self.repositories[*at].url, url))
            .collect();
        let of = |project: &str| same.iter().find(|at| self.repositories[**at].project == project);
        match of(project).or_else(|| of("")) {
            Some(at) => match self.broken.get(at) {
                Some(message) => Err(RepositoryError::Broken { message: message.clone() }),
                None => Ok(self.inherited(self.repositories[*at].clone())),
            },
            None => Ok(self.inherited(Repository { url: url.to_owned(), ..Default::default() })),
        }
    }

    fn inherited(&self, mut repository: Repository) -> Repository {
        if repository.credentials.any() {
            return repository;
        }
        let url = crd::normalize_repo_url(&repository.url);
        let longest = self
            .templates
            .iter()
            .filter(|template| !template.prefix.is_empty() && url.starts_with(&template.prefix))
            // Of two that are equally long the first counts.
            .rev()
            .max_by_key(|template| template.prefix.len());
        if let Some(Template { repository: template, .. }) = longest {
            repository.credentials.fill_from(&template.credentials);
            repository.inherited_credentials = true;
            repository.oci = template.oci;
            repository.repository_type = repository.repository_type.or(template.repository_type);
            for (own, other) in [
                (&mut repository.proxy, &template.proxy),
                (&mut repository.no_proxy, &template.no_proxy),
            ] {
                if own.is_empty() {
                    own.clone_from(other);
                }
            }
        }
        repository
    }
}

/// The fields of one Secret, and which of them were asked for.
struct Fields {
    place: String,
    id: String,
    data: BTreeMap<String, SecretText>,
    known: Vec<&'static str>,
    broken: Vec<Problem>,
    problems: Vec<Problem>,
}

impl Fields {
    fn new(object: &Value) -> Self {
        Self {
            place: secret::place_of(object),
            id: format!("{}/{}", manifest::namespace(object), manifest::name(object)),
            data: secret::data(object),
            known: Vec::new(),
            broken: Vec::new(),
            problems: Vec::new(),
        }
    }

    fn secret(&mut self, key: &'static str) -> SecretText {
        self.known.push(key);
        self.data.get(key).cloned().unwrap_or_default()
    }

    fn text(&mut self, key: &'static str) -> String {
        self.secret(key).expose().to_owned()
    }

    /// One of two spellings; upstream writes one and reads the other.
    fn either(&mut self, key: &'static str, other: &'static str) -> SecretText {
        let (first, second) = (self.secret(key), self.secret(other));
        if first.is_empty() { second } else { first }
    }

    fn bool(&mut self, key: &'static str) -> bool {
        let text = self.text(key);
        let word = crd::is_true(&text);
        if !word && !matches!(text.as_str(), "" | "0" | "f" | "F" | "false" | "FALSE" | "False") {
            self.broken.push(Problem::other(&self.place, key, "must be `true` or `false`"));
        }
        word
    }

    fn int(&mut self, key: &'static str) -> i64 {
        match self.text(key).as_str() {
            "" => 0,
            text => text.parse().unwrap_or_else(|_| {
                self.broken.push(Problem::other(&self.place, key, "must be a whole number"));
                0
            }),
        }
    }

    fn repository(&mut self) -> Repository {
        let url = self.text("url");
        if url.trim().is_empty() {
            self.broken.push(Problem::other(&self.place, "url", "is missing"));
        }
        let repository_type = match self.text("type").as_str() {
            "" => None,
            "git" => Some(RepositoryType::Git),
            "helm" => Some(RepositoryType::Helm),
            "oci" => Some(RepositoryType::Oci),
            _ => {
                self.broken.push(Problem::other(&self.place, "type", "must be git, helm or oci"));
                None
            }
        };
        let insecure = [self.bool("insecure"), self.bool("insecureIgnoreHostKey")];
        let credentials = self.credentials();
        Repository {
            url,
            name: self.data.get("name").map(|name| name.expose().to_owned()).unwrap_or_default(),
            project: self
                .data
                .get("project")
                .map(|project| project.expose().to_owned())
                .unwrap_or_default(),
            repository_type,
            insecure: insecure.contains(&true) || credentials.oci_force_http,
            credentials,
            inherited_credentials: false,
            lfs: self.bool("enableLfs"),
            oci: self.bool("enableOCI"),
            proxy: self.text("proxy"),
            no_proxy: self.text("noProxy"),
            depth: u32::try_from(self.int("depth")).ok().filter(|depth| *depth > 0),
            webhook_cache_warm_disabled: self.bool("webhookManifestCacheWarmDisabled"),
            secret: self.id.clone(),
        }
    }

    fn credentials(&mut self) -> Credentials {
        Credentials {
            username: self.secret("username"),
            password: self.secret("password"),
            bearer_token: self.secret("bearerToken"),
            ssh_private_key: self.secret("sshPrivateKey"),
            tls_client_cert: self.secret("tlsClientCertData"),
            tls_client_key: self.secret("tlsClientCertKey"),
            github_app_private_key: self.secret("githubAppPrivateKey"),
            github_app_id: self.int("githubAppID"),
            github_app_installation_id: self.int("githubAppInstallationID"),
            github_app_enterprise_url: self.text("githubAppEnterpriseBaseUrl"),
            gcp_service_account_key: self.secret("gcpServiceAccountKey"),
            azure_workload_identity: self.bool("useAzureWorkloadIdentity"),
            azure_client_id: self
                .either("azureServicePrincipalClientId", "azureServicePrincipalClientID")
                .expose()
                .to_owned(),
            azure_client_secret: self.secret("azureServicePrincipalClientSecret"),
            azure_tenant_id: self
                .either("azureServicePrincipalTenantId", "azureServicePrincipalTenantID")
                .expose()
                .to_owned(),
            azure_login_url: self.text("azureActiveDirectoryEndpoint"),
            force_basic_auth: self.bool("forceHttpBasicAuth"),
            oci_force_http: self.bool("insecureOCIForceHttp"),
        }
    }

    /// Keys that nobody reads. Credentials have no fields that make a single repository.
    fn name_unknown(&mut self, template: bool) {
        for key in self.data.keys() {
            let nearly = self.known.iter().find(|known| known.eq_ignore_ascii_case(key));
            let message = match (self.known.contains(&key.as_str()), nearly) {
                (true, _) => continue,
                (false, Some(known)) => format!("is not read; `{known}` is meant"),
                (false, None) if template && matches!(key.as_str(), "name" | "project") => {
                    "is not read in credentials; it belongs in a repository's secret".to_owned()
                }
                (false, None) => "is not read".to_owned(),
            };
            self.problems.push(Problem::other(&self.place, key, message));
        }
    }
}
