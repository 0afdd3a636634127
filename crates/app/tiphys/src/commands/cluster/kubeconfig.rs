//! What a kubeconfig says of one context: where its cluster is, and how to believe it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::commands::global::Global;

/// The files that kubectl would read, merged: of a name, the first file that has it counts.
#[derive(Debug, Default)]
pub struct Kubeconfig {
    files: Vec<(PathBuf, Value)>,
}

/// How the cluster of a context is reached, and with what certificates.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// URL of the API.
    pub server: String,
    /// Whether any certificate is believed.
    pub insecure: bool,
    /// The name that the certificate must bear; `""`: that of the URL.
    pub server_name: String,
    /// Base64 of the certificates that are believed; `""`: the host's.
    pub ca: String,
    /// Base64 of the client's certificate.
    pub cert: String,
    /// Base64 of the client's key.
    pub key: String,
    /// Proxy to the cluster.
    pub proxy: String,
}

impl Kubeconfig {
    /// Reads the files that the flags, the environment or the home directory name.
    pub fn load(global: &Global) -> Result<Self> {
        let mut files = Vec::new();
        for path in paths(global) {
            match std::fs::read(&path) {
                Ok(bytes) => {
                    let value = goyaml::to_json(&bytes)
                        .with_context(|| format!("`{}` does not parse", path.display()))?;
                    files.push((path, value));
                }
                // As kubectl, a file of a list may be missing.
                Err(error)
                    if error.kind() == std::io::ErrorKind::NotFound
                        && global.kubeconfig.is_none() => {}
                Err(error) => {
                    return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
                }
            }
        }
        Ok(Self { files })
    }

    /// A kubeconfig from its text.
    #[cfg(test)]
    pub fn of(text: &str) -> Self {
        let value = goyaml::to_json(text.as_bytes()).expect("a test's kubeconfig parses");
        Self { files: vec![(PathBuf::from("kubeconfig"), value)] }
    }

    /// The names of the contexts, with their clusters' servers.
    pub fn contexts(&self) -> Vec<(String, String)> {
        let items = |value: &Value| value.get("contexts").and_then(Value::as_array).cloned();
        let contexts = self.files.iter().filter_map(|(_, value)| items(value)).flatten();
        let mut contexts: Vec<(String, String)> = contexts
            .map(|item| {
                let cluster = field(&item["context"], "cluster");
                let server = self.find("clusters", &cluster).map(|(_, item)| &item["cluster"]);
                (field(&item, "name"), server.map(|one| field(one, "server")).unwrap_or_default())
            })
            .collect();
        contexts.sort();
        contexts.dedup_by(|right, left| right.0 == left.0);
        contexts
    }

    fn find(&self, list: &str, name: &str) -> Option<(&Path, &Value)> {
        self.files.iter().find_map(|(path, value)| {
            let items = value.get(list)?.as_array()?;
            let item = items.iter().find(|item| field(item, "name") == name)?;
            Some((path.as_path(), item))
        })
    }

    /// How a context's cluster is reached.
    pub fn reach(&self, context: &str) -> Result<Reach> {
        let Some((_, found)) = self.find("contexts", context) else {
            bail!("context {context} does not exist in kubeconfig");
        };
        let cluster = field(&found["context"], "cluster");
        let Some((path, found_cluster)) = self.find("clusters", &cluster) else {
            bail!("context {context} names the cluster {cluster}, which its kubeconfig lacks");
        };
        let item = &found_cluster["cluster"];
        let mut reach = Reach {
            server: field(item, "server"),
            insecure: item.get("insecure-skip-tls-verify") == Some(&Value::Bool(true)),
            server_name: field(item, "tls-server-name"),
            ca: data(path, item, "certificate-authority")?,
            proxy: field(item, "proxy-url"),
            ..Reach::default()
        };
        if let Some((path, user)) = self.find("users", &field(&found["context"], "user")) {
            reach.cert = data(path, &user["user"], "client-certificate")?;
            reach.key = data(path, &user["user"], "client-key")?;
        }
        Ok(reach)
    }
}

fn paths(global: &Global) -> Vec<PathBuf> {
    if let Some(path) = &global.kubeconfig {
        return vec![path.clone()];
    }
    match std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        Some(list) => std::env::split_paths(&list).filter(|path| path != Path::new("")).collect(),
        None => {
            let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
            vec![home.join(".kube/config")]
        }
    }
}

fn field(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The base64 that stands there, or that of the file that is named there, from the kubeconfig's
/// place.
fn data(kubeconfig: &Path, item: &Value, name: &str) -> Result<String> {
    let packed = field(item, &format!("{name}-data"));
    let path = field(item, name);
    if !packed.is_empty() || path.is_empty() {
        return Ok(packed);
    }
    let path = kubeconfig.parent().unwrap_or(Path::new("")).join(path);
    let bytes =
        std::fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(STANDARD.encode(bytes))
}
