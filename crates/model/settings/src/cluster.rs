//! Clusters, as Secrets hold them (section 9.2 of the reference).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crd::{ApplicationDestination, BadDestination, DestinationCluster, Time, keys};
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::raw;
use crate::secret::{self, SecretText, SecretType};

/// A cluster that may be a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cluster {
    /// URL of its API, without a closing `/`.
    pub server: String,
    /// Name; may be empty.
    pub name: String,
    /// Only these namespaces; all where empty.
    pub namespaces: Vec<String>,
    /// Whether kinds without a namespace are used though `namespaces` is not empty.
    pub cluster_resources: bool,
    /// Which controller looks after it; `None` lets them find out.
    pub shard: Option<i64>,
    /// `""` serves all projects.
    pub project: String,
    /// How it is reached.
    pub config: ClusterConfig,
    /// Labels of its secret, but for the one that says it is a cluster.
    pub labels: BTreeMap<String, String>,
    /// Annotations of its secret, but for kubectl's and our own.
    pub annotations: BTreeMap<String, String>,
    /// When somebody asked to list it anew.
    pub refresh_requested_at: Option<Time>,
    /// The secret it stands in, as `namespace/name`; `""` for the cluster in which this runs,
    /// which needs none and is reached with the process's own service account.
    pub secret: String,
    /// Why it cannot be used; `""` where it can.
    pub broken: String,
}

impl Cluster {
    /// The cluster in which this runs, without a secret.
    pub fn in_cluster() -> Self {
        Self {
            server: keys::IN_CLUSTER_SERVER.to_owned(),
            name: keys::IN_CLUSTER_NAME.to_owned(),
            ..Self::default()
        }
    }

    /// Whether it is the cluster in which this runs.
    pub fn is_in_cluster(&self) -> bool {
        self.server == keys::IN_CLUSTER_SERVER
    }

    /// Whether an annotation says to leave it alone.
    pub fn skips_reconcile(&self) -> bool {
        self.annotations.get(keys::SKIP_RECONCILE).is_some_and(|word| crd::is_true(word))
    }

    /// Whether an object may be looked at and applied: `namespace` is `""` for kinds without one.
    pub fn manages(&self, namespace: &str) -> bool {
        match namespace {
            _ if self.namespaces.is_empty() => true,
            "" => self.cluster_resources,
            namespace => self.namespaces.iter().any(|have| have == namespace),
        }
    }
}

/// How a cluster is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterConfig {
    /// User name for basic authentication.
    pub username: SecretText,
    /// Its password.
    pub password: SecretText,
    /// Token for the header `Authorization: Bearer`.
    pub bearer_token: SecretText,
    /// TLS.
    pub tls: TlsConfig,
    /// Credentials of AWS EKS.
    pub aws: Option<AwsAuth>,
    /// A program that prints credentials.
    pub exec: Option<ExecProvider>,
    /// Whether answers come unpacked.
    pub disable_compression: bool,
    /// HTTP or SOCKS5 proxy; `""` is none.
    pub proxy_url: String,
}

/// TLS towards a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
    /// The name in the server's certificate; `""` is the URL's host.
    pub server_name: String,
    /// Certificates to check it with, in PEM.
    pub ca: Vec<u8>,
    /// Own certificate, in PEM.
    pub cert: Vec<u8>,
    /// Its key, in PEM.
    pub key: SecretText,
}

/// Credentials of AWS EKS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AwsAuth {
    /// Name of the cluster in EKS.
    pub cluster_name: String,
    /// Role to assume; `""` is none.
    pub role_arn: String,
    /// Profile; `""` is the default one.
    pub profile: String,
}

/// A program that prints credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecProvider {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Further environment variables.
    pub env: BTreeMap<String, SecretText>,
    /// Version of the objects it speaks: `client.authentication.k8s.io/v1`.
    pub api_version: String,
    /// How to get it, for people.
    pub install_hint: String,
    /// Whether it is told about the cluster.
    pub provide_cluster_info: bool,
    /// What it is told besides.
    pub config: Option<Value>,
}

/// Why a destination means no cluster that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// The destination does not hold together.
    #[error(transparent)]
    Destination(#[from] BadDestination),
    /// No secret has this URL.
    #[error(
        "error getting cluster by server \"{server}\": cluster \"{server}\" not found; add it \
             with `argocd cluster add`"
    )]
    NoServer {
        /// The URL.
        server: String,
    },
    /// A name stands where a URL should, and a cluster is called so.
    #[error(
        "application destination server `{name}` is no URL but the name of the cluster \
             {server}; a cluster's name belongs in `destination.name`"
    )]
    NameAsServer {
        /// What stands there.
        name: String,
        /// The URL of the cluster that is called so.
        server: String,
    },
    /// The cluster in which this runs is switched off.
    #[error("cluster \"{server}\" is disabled (`cluster.inClusterEnabled` in argocd-cm)")]
    Disabled {
        /// The URL.
        server: String,
    },
    /// No cluster is called so.
    #[error("there are no clusters with this name: {name}")]
    NoName {
        /// The name.
        name: String,
    },
    /// Several clusters are called so.
    #[error("there are {} clusters with the same name: [{}]", servers.len(), servers.join(" "))]
    ManyNames {
        /// Their URLs.
        servers: Vec<String>,
    },
    /// Its secret does not hold together.
    #[error("cluster \"{server}\" cannot be used: {message}")]
    Broken {
        /// The URL.
        server: String,
        /// What is wrong.
        message: String,
    },
}

/// All clusters of an installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Clusters {
    clusters: Vec<Cluster>,
    in_cluster_enabled: bool,
}

impl Clusters {
    /// Reads Secrets, of which those of other types are passed over. The cluster in which this
    /// runs is among the clusters, with a secret or without, unless the settings switch it off.
    pub fn read<'a>(
        secrets: impl IntoIterator<Item = &'a Value>,
        in_cluster_enabled: bool,
    ) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut clusters: Vec<Cluster> = secrets
            .into_iter()
            .filter(|secret| SecretType::of(secret) == Some(SecretType::Cluster))
            .map(|secret| read_cluster(secret, &mut problems))
            .collect();
        clusters.sort_by(|left, right| {
            (&left.server, &left.secret).cmp(&(&right.server, &right.secret))
        });
        for pair in clusters.windows(2) {
            if pair[0].server == pair[1].server {
                let message =
                    format!("has the same server as secret {}, which holds", pair[0].secret);
                problems.push(Problem::other(
                    format!("secret {}", pair[1].secret),
                    "server",
                    message,
                ));
            }
        }
        clusters.dedup_by(|right, left| right.server == left.server);
        if !in_cluster_enabled {
            clusters.retain(|cluster| !cluster.is_in_cluster());
        } else if !clusters.iter().any(Cluster::is_in_cluster) {
            clusters.push(Cluster::in_cluster());
        }
        (Self { clusters, in_cluster_enabled }, problems)
    }

    /// Every cluster, those that cannot be used included.
    pub fn list(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The cluster with a URL; a closing `/` does not count.
    pub fn by_server(&self, server: &str) -> Option<&Cluster> {
        let server = server.trim_end_matches('/');
        self.clusters.iter().find(|cluster| cluster.server == server)
    }

    /// The cluster that a destination means (CRD-04).
    ///
    /// # Errors
    ///
    /// [`ClusterError`] where there is none or more than one, or its secret does not hold together.
    pub fn find(&self, destination: &ApplicationDestination) -> Result<&Cluster, ClusterError> {
        let cluster = match destination.cluster() {
            Ok(DestinationCluster::Server(server)) => self.with_server(server)?,
            Ok(DestinationCluster::Name(name)) => self.with_name(name)?,
            Err(BadDestination::NameAsServer { server: name }) => {
                return Err(match self.clusters.iter().find(|cluster| cluster.name == name) {
                    Some(Cluster { server, .. }) => {
                        ClusterError::NameAsServer { name, server: server.clone() }
                    }
                    None => BadDestination::NameAsServer { server: name }.into(),
                });
            }
            Err(bad) => return Err(bad.into()),
        };
        match cluster.broken.as_str() {
            "" => Ok(cluster),
            message => Err(ClusterError::Broken {
                server: cluster.server.clone(),
                message: message.to_owned(),
            }),
        }
    }

    fn with_server(&self, server: &str) -> Result<&Cluster, ClusterError> {
        self.by_server(server).ok_or_else(|| {
            let server = server.to_owned();
            match server == keys::IN_CLUSTER_SERVER && !self.in_cluster_enabled {
                true => ClusterError::Disabled { server },
                false => ClusterError::NoServer { server },
            }
        })
    }

    fn with_name(&self, name: &str) -> Result<&Cluster, ClusterError> {
        let mut named: Vec<&Cluster> =
            self.clusters.iter().filter(|cluster| cluster.name == name).collect();
        // A secret may give the cluster in which this runs another name; the usual one still holds.
        if named.is_empty() && name == keys::IN_CLUSTER_NAME {
            named.extend(self.clusters.iter().find(|cluster| cluster.is_in_cluster()));
        }
        match named.as_slice() {
            [cluster] => Ok(cluster),
            [] => Err(ClusterError::NoName { name: name.to_owned() }),
            many => Err(ClusterError::ManyNames {
                servers: many.iter().map(|cluster| cluster.server.clone()).collect(),
            }),
        }
    }
}

fn read_cluster(object: &Value, problems: &mut Vec<Problem>) -> Cluster {
    const KEYS: [&str; 7] =
        ["name", "server", "namespaces", "clusterResources", "shard", "project", "config"];
    let place = secret::place_of(object);
    let data = secret::data(object);
    let text = |key: &str| data.get(key).map_or("", SecretText::expose);
    for key in data.keys().filter(|key| !KEYS.contains(&key.as_str())) {
        problems.push(Problem::other(&place, key, "is not read"));
    }

    let mut broken = Vec::new();
    let server = text("server").trim_end_matches('/').to_owned();
    if !server.contains("://") {
        broken.push(Problem::other(&place, "server", "must be the URL of the cluster's API"));
    }
    let shard = match text("shard") {
        "" => None,
        shard => {
            let number = shard.parse().ok();
            if number.is_none() {
                problems.push(Problem::other(&place, "shard", "must be a whole number"));
            }
            number
        }
    };
    let config = match text("config") {
        "" => ClusterConfig::default(),
        config => match serde_json::from_str::<Value>(config) {
            Ok(config) => read_config(&config, &place, &mut broken, problems),
            // What the parser says could quote the value.
            Err(cause) => {
                let at = format!("is no JSON (line {} column {})", cause.line(), cause.column());
                broken.push(Problem::other(&place, "config", at));
                ClusterConfig::default()
            }
        },
    };
    let cluster = Cluster {
        server,
        name: text("name").to_owned(),
        namespaces: raw::split(text("namespaces")),
        cluster_resources: text("clusterResources") == "true",
        shard,
        project: text("project").to_owned(),
        config,
        labels: strings(manifest::labels(object), &[keys::LABEL_SECRET_TYPE]),
        annotations: strings(
            manifest::annotations(object),
            &["kubectl.kubernetes.io/last-applied-configuration", keys::MANAGED_BY],
        ),
        refresh_requested_at: manifest::annotation(object, keys::REFRESH)
            .map(|text| Time(text.to_owned()))
            .filter(|time| time.timestamp().is_some()),
        secret: format!("{}/{}", manifest::namespace(object), manifest::name(object)),
        broken: broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    problems.append(&mut broken);
    cluster
}

fn strings(fields: Option<&Map<String, Value>>, without: &[&str]) -> BTreeMap<String, String> {
    fields
        .into_iter()
        .flatten()
        .filter(|(name, _)| !without.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect()
}

fn read_config(
    config: &Value,
    place: &str,
    broken: &mut Vec<Problem>,
    problems: &mut Vec<Problem>,
) -> ClusterConfig {
    let mut reader = ConfigReader { place, broken, problems };
    let mut fields = reader.object(config, "config");
    let mut tls = reader.inside(&mut fields, "tlsClientConfig");
    let aws = reader.inside(&mut fields, "awsAuthConfig");
    let exec = reader.inside(&mut fields, "execProviderConfig");
    let read = ClusterConfig {
        username: SecretText::new(reader.text(&mut fields, "username")),
        password: SecretText::new(reader.text(&mut fields, "password")),
        bearer_token: SecretText::new(reader.text(&mut fields, "bearerToken")),
        tls: TlsConfig {
            insecure: reader.bool(&mut tls, "insecure"),
            server_name: reader.text(&mut tls, "serverName"),
            ca: reader.bytes(&mut tls, "caData"),
            cert: reader.bytes(&mut tls, "certData"),
            key: SecretText::new(
                String::from_utf8_lossy(&reader.bytes(&mut tls, "keyData")).into_owned(),
            ),
        },
        aws: aws.present.then_some(aws).map(|mut aws| {
            let read = AwsAuth {
                cluster_name: reader.text(&mut aws, "clusterName"),
                role_arn: reader.text(&mut aws, "roleARN"),
                profile: reader.text(&mut aws, "profile"),
            };
            reader.name_unknown(aws);
            read
        }),
        exec: exec.present.then_some(exec).map(|mut exec| {
            let read = ExecProvider {
                command: reader.text(&mut exec, "command"),
                args: reader.texts(&mut exec, "args"),
                env: reader.environment(&mut exec),
                api_version: reader.text(&mut exec, "apiVersion"),
                install_hint: reader.text(&mut exec, "installHint"),
                provide_cluster_info: reader.bool(&mut exec, "provideClusterInfo"),
                config: exec.fields.remove("config").filter(|config| !config.is_null()),
            };
            reader.name_unknown(exec);
            read
        }),
        disable_compression: reader.bool(&mut fields, "disableCompression"),
        proxy_url: reader.text(&mut fields, "proxyUrl"),
    };
    reader.name_unknown(tls);
    reader.name_unknown(fields);
    if read.tls.insecure && !read.tls.ca.is_empty() {
        let message = "has both `insecure` and `caData`; take one out";
        reader.broken.push(Problem::other(place, "config.tlsClientConfig", message));
    }
    read
}

/// An object inside the configuration; fields that were read are gone from it.
struct Fields {
    path: String,
    fields: Map<String, Value>,
    present: bool,
}

struct ConfigReader<'a> {
    place: &'a str,
    broken: &'a mut Vec<Problem>,
    problems: &'a mut Vec<Problem>,
}

impl ConfigReader<'_> {
    fn object(&mut self, value: &Value, path: &str) -> Fields {
        let fields = match value {
            Value::Object(fields) => fields.clone(),
            Value::Null => Map::new(),
            _ => {
                self.broken.push(Problem::other(self.place, path, "must be an object"));
                Map::new()
            }
        };
        Fields { path: path.to_owned(), fields, present: !value.is_null() }
    }

    fn inside(&mut self, fields: &mut Fields, name: &str) -> Fields {
        let value = take(fields, name).unwrap_or_default();
        self.object(&value, &format!("{}.{name}", fields.path))
    }

    fn read<T: Default>(
        &mut self,
        fields: &mut Fields,
        name: &str,
        expected: &str,
        convert: impl FnOnce(&Value) -> Option<T>,
    ) -> T {
        match take(fields, name) {
            None | Some(Value::Null) => T::default(),
            Some(value) => convert(&value).unwrap_or_else(|| {
                let path = format!("{}.{name}", fields.path);
                let message = format!("must be {expected}");
                self.broken.push(Problem::other(self.place, path, message));
                T::default()
            }),
        }
    }

    fn text(&mut self, fields: &mut Fields, name: &str) -> String {
        self.read(fields, name, "a text", |value| value.as_str().map(str::to_owned))
    }

    fn bool(&mut self, fields: &mut Fields, name: &str) -> bool {
        self.read(fields, name, "`true` or `false`", Value::as_bool)
    }

    fn bytes(&mut self, fields: &mut Fields, name: &str) -> Vec<u8> {
        self.read(fields, name, "base64", |value| {
            let packed: Vec<u8> =
                value.as_str()?.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
            STANDARD.decode(packed).ok()
        })
    }

    fn texts(&mut self, fields: &mut Fields, name: &str) -> Vec<String> {
        self.read(fields, name, "a list of texts", |value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        })
    }

    fn environment(&mut self, fields: &mut Fields) -> BTreeMap<String, SecretText> {
        self.read(fields, "env", "a map of texts", |value| {
            let variables = value.as_object()?.iter();
            variables
                .map(|(name, text)| Some((name.clone(), SecretText::new(text.as_str()?))))
                .collect()
        })
    }

    fn name_unknown(&mut self, fields: Fields) {
        for name in fields.fields.keys() {
            let path = format!("{}.{name}", fields.path);
            self.problems.push(Problem::other(self.place, path, "is not read"));
        }
    }
}

/// Takes a field out; Go reads names without regard to case where no exact one is there.
fn take(fields: &mut Fields, name: &str) -> Option<Value> {
    if let Some(value) = fields.fields.remove(name) {
        return Some(value);
    }
    let other = fields.fields.keys().find(|have| have.eq_ignore_ascii_case(name))?.clone();
    fields.fields.remove(&other)
}
