//! What an Application wants, rendered in this process.

use std::sync::Arc;

use crate::up::seed_of;
use anyhow::{Context as _, Result};
use cluster::{ListQuery, excluded_always};
use crd::{AppProject, Application};
use desired::{Freshness, RenderRequest, Renderer as _};
use manifest::Gvk;
use reconcile::{Destination, Target, prepare};
use rendering::{Fixed, Rendering, Snapshot};
use settings::{RawSettings, Repositories, Settings};
use sync::{Method, Tracking};

use super::live;
use crate::commands::connect::Session;

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
        submodules: settings.git.submodules,
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
    let tracking = tracking(&settings);
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
        &rendered.objects,
        &Destination {
            app: &application.instance_name(&session.namespace),
            namespace: &application.spec.destination.namespace,
            tracking: &tracking,
            namespaced: &namespaced,
            excluded: &excluded,
        },
    );
    Ok(prepared.targets)
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
