//! The cluster that Argo CD's objects stand in, and the objects themselves.

use anyhow::{Context as _, Result, bail};
use cluster::{Access, ApiError, Cluster, ConnectError, Home, Limits, ListQuery, SecretAccess};
use crd::{AppProject, Application};
use manifest::Gvk;
use serde::de::DeserializeOwned;
use serde_json::Value;
use settings::Clusters;

use super::global::Global;
use super::name::AppName;

/// The namespace of Argo CD's objects, where nothing says otherwise.
pub const NAMESPACE: &str = "argocd";

/// How often a change is tried again when somebody else wrote in between.
const CONFLICTS_MAX: usize = 10;

/// Runs a command's work; it has no work for a second thread.
pub fn run<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(work)
}

/// The kind of Applications.
pub fn application_kind() -> Gvk {
    Gvk::new(crd::keys::GROUP, "v1alpha1", "Application")
}

/// The kind of projects.
pub fn project_kind() -> Gvk {
    Gvk::new(crd::keys::GROUP, "v1alpha1", "AppProject")
}

fn core_kind(kind: &str) -> Gvk {
    Gvk::new("", "v1", kind)
}

/// One command's view of Argo CD's objects.
pub struct Session {
    /// The cluster that they stand in.
    pub cluster: Cluster,
    /// Writes to them.
    pub home: Home,
    /// The namespace of settings, projects and, where nothing says otherwise, Applications.
    pub namespace: String,
}

impl Session {
    /// Connects to the cluster that the flags, the environment or the home directory name.
    pub async fn open(global: &Global) -> Result<Self> {
        let cluster = connect(global).await?;
        let namespace = control_plane_namespace(&cluster).await?;
        Ok(Self { home: cluster.home(), cluster, namespace })
    }

    /// Reads one Application.
    pub async fn application(&self, name: &AppName) -> Result<Application> {
        let namespace = name.namespace_or(&self.namespace);
        match self.cluster.get(&application_kind(), namespace, &name.name).await? {
            Some(object) => read(object),
            None => bail!("applications.argoproj.io \"{}\" not found", name.name),
        }
    }

    /// Reads the Applications that a label selector matches, in one namespace or, without one,
    /// wherever the settings allow them; sorted by name.
    pub async fn applications(&self, namespace: &str, labels: &str) -> Result<Vec<Application>> {
        let allowed = match namespace {
            "" => self.application_namespaces().await?,
            _ => Vec::new(),
        };
        let list_in = match (namespace, allowed.is_empty()) {
            ("", true) => &self.namespace,
            (namespace, _) => namespace,
        };
        let query = ListQuery {
            namespace: list_in.to_owned(),
            labels: labels.to_owned(),
            fields: String::new(),
        };
        let objects = self.cluster.list(&application_kind(), &query).await?;
        let mut applications: Vec<Application> =
            objects.into_iter().map(read).collect::<Result<_>>()?;
        if list_in.is_empty() {
            applications.retain(|application| {
                let namespace = &application.metadata.namespace;
                *namespace == self.namespace || allowed.iter().any(|one| one.matches(namespace))
            });
        }
        applications.sort_by(|left, right| {
            let key =
                |one: &Application| (one.metadata.name.clone(), one.metadata.namespace.clone());
            key(left).cmp(&key(right))
        });
        Ok(applications)
    }

    /// `application.namespaces` of `argocd-cmd-params-cm`: where else Applications may stand.
    async fn application_namespaces(&self) -> Result<Vec<globs::Glob>> {
        let parameters = self.config_map("argocd-cmd-params-cm").await?;
        let text = parameters.pointer("/data/application.namespaces").and_then(Value::as_str);
        let patterns = text.unwrap_or_default().split(',').map(str::trim);
        patterns
            .filter(|pattern| !pattern.is_empty())
            .map(|pattern| {
                globs::Glob::new(pattern, &[])
                    .with_context(|| format!("application.namespaces: `{pattern}` does not read"))
            })
            .collect()
    }

    /// Changes an Application, again and again while others write at the same time.
    pub async fn change(
        &self,
        name: &AppName,
        mut change: impl FnMut(&mut Application) -> Result<()>,
    ) -> Result<Application> {
        for _ in 0..CONFLICTS_MAX {
            let mut application = self.application(name).await?;
            change(&mut application)?;
            match self.home.replace(&serde_json::to_value(&application)?).await {
                Err(ApiError::Conflict { .. }) => {}
                written => return read(written?),
            }
        }
        bail!("application '{name}' changes too often to be written; try again")
    }

    /// Reads one project.
    pub async fn project(&self, name: &str) -> Result<Option<AppProject>> {
        let found = self.cluster.get(&project_kind(), &self.namespace, name).await?;
        found.map(read).transpose()
    }

    /// What a project allows, with the global projects whose rules join it (CRD-15).
    pub async fn project_rules(&self, project: &AppProject) -> Result<policy::Project> {
        let settings = super::scripts::settings(self).await?;
        let mut globals = Vec::new();
        for global in &settings.global_projects {
            if global.project_name != project.metadata.name
                && app_controller::selects(&global.label_selector, &project.metadata.labels)
                && let Some(found) = self.project(&global.project_name).await?
            {
                globals.push(found);
            }
        }
        Ok(policy::Project::new(project, &globals.iter().collect::<Vec<_>>()))
    }

    /// Reads all projects, sorted by name.
    pub async fn projects(&self) -> Result<Vec<AppProject>> {
        let query = ListQuery::in_namespace(&self.namespace);
        let objects = self.cluster.list(&project_kind(), &query).await?;
        let mut projects: Vec<AppProject> = objects.into_iter().map(read).collect::<Result<_>>()?;
        projects.sort_by(|left, right| left.metadata.name.cmp(&right.metadata.name));
        Ok(projects)
    }

    /// Reads one of our ConfigMaps; an absent one is an empty object.
    pub async fn config_map(&self, name: &str) -> Result<Value> {
        let found = self.cluster.get(&core_kind("ConfigMap"), &self.namespace, name).await?;
        Ok(found.unwrap_or_default())
    }

    /// Reads the Secrets that describe clusters or repositories, by their label's value.
    pub async fn secrets(&self, described: &str) -> Result<Vec<Value>> {
        let query = ListQuery {
            namespace: self.namespace.clone(),
            labels: format!("{}={described}", crd::keys::LABEL_SECRET_TYPE),
            fields: String::new(),
        };
        Ok(self.cluster.list(&core_kind("Secret"), &query).await?)
    }

    /// Reads one Secret.
    pub async fn secret(&self, name: &str) -> Result<Option<Value>> {
        Ok(self.cluster.get(&core_kind("Secret"), &self.namespace, name).await?)
    }

    /// Reads which clusters there are.
    pub async fn clusters(&self) -> Result<Clusters> {
        let main = self.config_map("argocd-cm").await?;
        let in_cluster = main.pointer("/data/cluster.inClusterEnabled").and_then(Value::as_str);
        let secrets = self.secrets("cluster").await?;
        Ok(Clusters::read(&secrets, in_cluster.is_none_or(crd::is_true)).0)
    }

    /// Connects to where an Application's objects live.
    pub async fn destination(&self, application: &Application) -> Result<Cluster> {
        let clusters = self.clusters().await?;
        let found = clusters.find(&application.spec.destination)?;
        if found.is_in_cluster() {
            return Ok(self.cluster.clone());
        }
        let secrets = self.secrets("cluster").await?;
        let config = secrets
            .iter()
            .find(|secret| {
                let place = format!("{}/{}", manifest::namespace(secret), manifest::name(secret));
                found.secret == place || found.secret == manifest::name(secret)
            })
            .map(|secret| secret_text(secret, "config"))
            .unwrap_or_default();
        let access = Access::Secret(SecretAccess { server: found.server.clone(), config });
        Cluster::connect(&access, Limits::default())
            .await
            .with_context(|| format!("cannot connect to cluster '{}'", found.server))
    }
}

/// A field of a Secret as text; empty where there is none.
pub fn secret_text(secret: &Value, field: &str) -> String {
    use base64::Engine as _;
    let packed = secret.pointer("/data").and_then(|data| data.get(field)).and_then(Value::as_str);
    packed
        .and_then(|packed| base64::engine::general_purpose::STANDARD.decode(packed).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

/// An object as one of our types.
pub fn read<T: DeserializeOwned>(object: Value) -> Result<T> {
    let name = format!("{} {}", manifest::kind(&object), manifest::name(&object));
    serde_json::from_value(object).with_context(|| format!("{name} does not read"))
}

/// A client for the cluster that kubectl would use; inside a pod without a kubeconfig, for the
/// cluster around.
pub async fn connect(global: &Global) -> Result<Cluster> {
    let access =
        Access::Kubeconfig { path: global.kubeconfig.clone(), context: global.context.clone() };
    let nothing_said = global.kubeconfig.is_none() && global.context.is_none();
    match Cluster::connect(&access, Limits::default()).await {
        Err(ConnectError::Kubeconfig(_))
            if nothing_said && std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() =>
        {
            Ok(Cluster::connect(&Access::InCluster, Limits::default()).await?)
        }
        connected => Ok(connected?),
    }
}

/// The context's namespace where Argo CD's settings stand there, else `argocd`.
async fn control_plane_namespace(cluster: &Cluster) -> Result<String> {
    let context = cluster.default_namespace();
    if context == NAMESPACE || context.is_empty() {
        return Ok(NAMESPACE.to_owned());
    }
    let main = match cluster.get(&core_kind("ConfigMap"), context, "argocd-cm").await {
        Err(ApiError::Forbidden { .. }) => None,
        main => main?,
    };
    Ok(if main.is_some() { context } else { NAMESPACE }.to_owned())
}
