//! What an Application wants, rendered in this process.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use cluster::{ListQuery, excluded_always};
use crd::{AppProject, Application};
use desired::{DesiredObject, Freshness, Origin, RenderRequest, Renderer as _};
use manifest::Gvk;
use reconcile::{Destination, Target, prepare};
use rendering::{Fixed, Rendering, Snapshot, render_path_as};
use serde_json::Value;
use settings::{RawSettings, Repositories, Settings};
use sync::{Method, Tracking};

use super::live;
use crate::commands::connect::Session;
use crate::up::seed_of;

/// The Application's objects with namespaces and tracking metadata, as a sync would apply them,
/// hooks left out. `revisions` holds one a source, or none for the sources' own.
pub async fn targets(
    session: &Session,
    application: &Application,
    revisions: Vec<String>,
) -> Result<Vec<Arc<Target>>> {
    let project = project(session, application).await?;
    let destination = live::destination(session, application).await?;
    let (settings, snapshot) = surroundings(session).await?;
    let mirrors = tempfile::tempdir().context("cannot make a directory for the repositories")?;
    let sources = source::Sources::new(source::Config {
        // Whoever runs this may read this host's files anyhow.
        allow_file: true,
        live: source::Live { submodules: settings.git.submodules, ..source::Live::default() },
        ..source::Config::new(mirrors.path())
    });
    let renderer =
        Rendering::new(rendering::Config::default(), sources, Arc::new(Fixed(Arc::new(snapshot))));
    let kinds = destination.kinds();
    let request = RenderRequest {
        application: Arc::new(application.clone()),
        project: Arc::new(project),
        revisions,
        sources: Vec::new(),
        freshness: Freshness::Latest,
        kube_version: destination.version().await?.git_version,
        api_versions: kinds.api_versions(|kind| !excluded_always(kind)).into(),
    };
    let rendered = renderer.render(request).await?;
    Ok(ready(session, application, &destination, &settings, &rendered.objects))
}

/// The same, as the controller compares: what the last operation brought along counts instead of the
/// sources, unless revisions are named.
pub async fn compared(
    session: &Session,
    application: &Application,
    revisions: Vec<String>,
) -> Result<Vec<Arc<Target>>> {
    let brought = application.local_manifests();
    if brought.is_empty() || !revisions.is_empty() {
        return targets(session, application, revisions).await;
    }
    let objects = brought.iter().map(|text| {
        goyaml::to_json(text.as_bytes()).context("a manifest of the last operation is no YAML")
    });
    let objects = alone(objects.collect::<Result<_>>()?);
    let destination = live::destination(session, application).await?;
    let (settings, _) = surroundings(session).await?;
    Ok(ready(session, application, &destination, &settings, &objects))
}

/// A directory of this host in the place of an Application's source.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Local {
    /// Take the manifests of this directory instead of the source's
    #[arg(long = "local", value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// What its files may reach; the git work tree around it where it is not given
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, requires = "dir")]
    local_repo_root: Option<PathBuf>,
}

impl Local {
    /// Whether one is given.
    pub fn is_given(&self) -> bool {
        self.dir.is_some()
    }

    /// Takes the directory for the repository's root, where the source's path is in it.
    #[must_use]
    pub fn of_repository(self, application: &Application) -> Self {
        let source = application.spec.effective_sources().first().cloned().unwrap_or_default();
        match self.dir {
            Some(root) if root.join(&source.path).is_dir() => Self {
                dir: Some(root.join(&source.path)),
                local_repo_root: Some(self.local_repo_root.unwrap_or(root)),
            },
            dir => Self { dir, ..self },
        }
    }

    /// The objects of the directory as the Application's source would render them, with nothing added.
    ///
    /// # Errors
    ///
    /// Where it does not render, or the Application has several sources.
    pub async fn objects(
        &self,
        session: &Session,
        application: &Application,
    ) -> Result<Vec<Value>> {
        let Some(dir) = &self.dir else { return Ok(Vec::new()) };
        let spec = &application.spec;
        if spec.has_multiple_sources() {
            bail!("--local takes the place of one source, and the application has several");
        }
        let source = spec.effective_sources().first().cloned().unwrap_or_default();
        let destination = live::destination(session, application).await?;
        let (_, snapshot) = surroundings(session).await?;
        let kinds = destination.kinds();
        let allowed = &snapshot.rendering;
        let options = ::render::Options {
            helm: allowed.helm,
            kustomize: allowed.kustomize,
            jsonnet: allowed.jsonnet,
            combined_bytes_max: allowed.directory_bytes_max,
            kustomize_build_options: allowed.kustomize_build_options.clone(),
            hashes: false,
        };
        let input = ::render::Input {
            source: &source,
            source_index: 0,
            app_name: &application.instance_name(&session.namespace),
            namespace: &spec.destination.namespace,
            project: spec.project_name(),
            revision: "",
            kube_version: &destination.version().await?.git_version,
            api_versions: &kinds.api_versions(|kind| !excluded_always(kind)),
            options: &options,
            reach: &::render::Reach::default(),
        };
        let objects = render_path_as(dir, self.local_repo_root.as_deref(), &input)?;
        Ok(objects.into_iter().map(Arc::unwrap_or_clone).collect())
    }

    /// The same, as a sync would apply them, hooks left out.
    pub async fn targets(
        &self,
        session: &Session,
        application: &Application,
    ) -> Result<Vec<Arc<Target>>> {
        let destination = live::destination(session, application).await?;
        let (settings, _) = surroundings(session).await?;
        let objects = alone(self.objects(session, application).await?);
        Ok(ready(session, application, &destination, &settings, &objects))
    }
}

/// Objects of no revision.
fn alone(objects: Vec<Value>) -> Vec<DesiredObject> {
    let objects = objects.into_iter().enumerate().map(|(at, object)| DesiredObject {
        object: Arc::new(object),
        hash: at as u64,
        origin: Origin::default(),
    });
    objects.collect()
}

/// Objects with namespaces and tracking metadata.
fn ready(
    session: &Session,
    application: &Application,
    destination: &cluster::Cluster,
    settings: &Settings,
    objects: &[DesiredObject],
) -> Vec<Arc<Target>> {
    let kinds = destination.kinds();
    let tracking = tracking(settings);
    let namespaced = |kind: &Gvk| {
        let info = kinds.get(kind).or_else(|| kinds.preferred(&kind.group_kind()));
        info.map(|info| info.namespaced)
    };
    let server = destination.server().to_owned();
    let excluded = |kind: &Gvk| {
        let glob = |pattern: &str, text: &str| {
            globs::Glob::new(pattern, &[]).is_ok_and(|glob| glob.matches(text))
        };
        settings.resources.filter.excludes(&kind.group, &kind.kind, &server, glob)
    };
    let prepared = prepare(
        objects,
        &Destination {
            app: &application.instance_name(&session.namespace),
            namespace: &application.spec.destination.namespace,
            tracking: &tracking,
            namespaced: &namespaced,
            excluded: &excluded,
        },
        None,
    );
    prepared.targets
}

async fn project(session: &Session, application: &Application) -> Result<AppProject> {
    let name = application.spec.project_name();
    let found = session.project(name).await?;
    found.with_context(|| format!("Application referencing project {name} which does not exist"))
}

/// The settings, and what rendering needs of them.
pub async fn surroundings(session: &Session) -> Result<(Settings, Snapshot)> {
    let mut raw = RawSettings::default();
    let query = ListQuery::in_namespace(&session.namespace);
    for map in session.cluster.list(&Gvk::new("", "v1", "ConfigMap"), &query).await? {
        raw.take(&map);
    }
    let yaml = |text: &str| goyaml::to_json(text.as_bytes()).map_err(|error| error.to_string());
    let settings = Settings::read(&raw, &yaml).0;
    let mut secrets = session.secrets("repository").await?;
    secrets.extend(session.secrets("repo-creds").await?);
    let secret = Gvk::new("", "v1", "Secret");
    let held = session.cluster.get(&secret, &session.namespace, "argocd-secret").await?;
    let seed = held.as_ref().map(seed_of).unwrap_or_default();
    let known_hosts = raw.ssh_known_hosts.get("ssh_known_hosts").cloned();
    let snapshot = Snapshot {
        control_plane_namespace: session.namespace.clone(),
        repositories: Repositories::read(&secrets).0,
        rendering: settings.rendering.clone(),
        tls_certs: raw.tls_certs.clone(),
        ssh_known_hosts: known_hosts.unwrap_or_default(),
        seed,
    };
    Ok((settings, snapshot))
}

fn tracking(settings: &Settings) -> Tracking {
    Tracking {
        method: Method::from_setting(settings.tracking.method.as_str()),
        label_key: settings.tracking.label.clone(),
        installation_id: settings.tracking.installation_id.clone(),
    }
}
