//! Secrets, which are read and never shown.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// A text that must not appear in any output; `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct SecretText(String);

impl SecretText {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for whom it is meant.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "\"\"" } else { "\"…\"" })
    }
}

/// A Secret's data; `stringData` wins, as it does when the object is written. Values that are no
/// base64 or no text are left out.
pub(crate) fn data(object: &Value) -> BTreeMap<String, SecretText> {
    let fields = |name: &str| {
        let fields = object.get(name).and_then(Value::as_object).into_iter().flatten();
        fields.filter_map(|(name, value)| Some((name.clone(), value.as_str()?)))
    };
    let mut data: BTreeMap<String, SecretText> = fields("data")
        .filter_map(|(name, value)| Some((name, SecretText(decoded(value)?))))
        .collect();
    data.extend(fields("stringData").map(|(name, value)| (name, SecretText::new(value))));
    data
}

/// Base64 over UTF-8; line breaks inside are passed over.
fn decoded(text: &str) -> Option<String> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    String::from_utf8(STANDARD.decode(packed).ok()?).ok()
}

/// What a Secret describes, by its label `argocd.argoproj.io/secret-type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretType {
    /// A cluster.
    Cluster,
    /// A repository.
    Repository,
    /// Credentials for every repository below a URL.
    RepoCreds,
    /// A repository that is written to.
    RepositoryWrite,
    /// Credentials for every repository below a URL that is written to.
    RepoWriteCreds,
    /// A token for a Git host's API.
    ScmCreds,
}

impl SecretType {
    /// Reads the label.
    pub fn of(secret: &Value) -> Option<Self> {
        Some(match manifest::label(secret, crd::keys::LABEL_SECRET_TYPE)? {
            "cluster" => Self::Cluster,
            "repository" => Self::Repository,
            "repo-creds" => Self::RepoCreds,
            "repository-write" => Self::RepositoryWrite,
            "repo-write-creds" => Self::RepoWriteCreds,
            "scm-creds" => Self::ScmCreds,
            _ => return None,
        })
    }
}

/// How a Secret is called in problems.
pub(crate) fn place_of(secret: &Value) -> String {
    format!("secret {}/{}", manifest::namespace(secret), manifest::name(secret))
}

/// The 32-bit FNV-1a hash of several texts, as upstream uses it in names.
fn fnv32a(parts: &[&str]) -> u32 {
    parts
        .iter()
        .flat_map(|part| part.bytes())
        .fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The name of a secret that is made for a repository: `repo-<hash>` (REP-01).
pub fn repository_secret_name(url: &str, project: &str) -> String {
    format!("repo-{}", fnv32a(&[url, project]))
}

/// The name of a secret that is made for credentials: `creds-<hash>`.
pub fn repo_creds_secret_name(url: &str) -> String {
    format!("creds-{}", fnv32a(&[url, ""]))
}

/// The name of a secret that is made for a cluster: `cluster-<host>-<hash>`; `None` where the
/// URL has no host.
pub fn cluster_secret_name(server: &str) -> Option<String> {
    let (_, rest) = server.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(address) => {
            let (address, _) = address.split_once(']')?;
            let address: std::net::Ipv6Addr = address.parse().ok()?;
            address.to_string().replace(':', "-")
        }
        None => host.split(':').next()?.to_lowercase(),
    };
    Some(format!("cluster-{host}-{}", fnv32a(&[server])))
}
