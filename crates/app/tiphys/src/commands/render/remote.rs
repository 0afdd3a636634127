//! A directory of a repository, without a cluster.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use crd::{AppProject, Application, ApplicationSource};
use desired::{Freshness, RenderRequest, Renderer as _};
use rendering::{Fixed, Rendering, Seed, Snapshot};
use serde_json::Value;
use settings::{RawSettings, Repositories, Settings};

use super::{Arguments, failed};
use crate::commands::connect::{self, NAMESPACE};
use crate::commands::failure::refused;

/// Renders a directory of a repository at a revision.
pub fn render(
    url: &str,
    path: &Path,
    arguments: &Arguments,
    source: ApplicationSource,
) -> Result<Vec<Arc<Value>>> {
    let path = path.to_str().ok_or_else(|| refused("the path is no text".to_owned()))?;
    let source = ApplicationSource {
        repo_url: url.to_owned(),
        path: path.to_owned(),
        target_revision: arguments.revision.clone(),
        helm: arguments.helm.block()?.map(Box::new),
        ..source
    };
    connect::run(rendered(arguments, source))
}

async fn rendered(arguments: &Arguments, source: ApplicationSource) -> Result<Vec<Arc<Value>>> {
    let (settings, _) = Settings::read(&RawSettings::default(), &|_| Err("no YAML".to_owned()));
    let mut rendering = settings.rendering;
    let flags = &arguments.kustomize.kustomize_build_options;
    if !flags.is_empty() {
        rendering.kustomize_build_options.clone_from(flags);
    }
    let snapshot = Snapshot {
        control_plane_namespace: NAMESPACE.to_owned(),
        repositories: Repositories::default(),
        rendering,
        tls_certs: BTreeMap::new(),
        ssh_known_hosts: String::new(),
        seed: Seed::default(),
    };
    let mirrors = tempfile::tempdir().context("cannot make a directory for the repository")?;
    let sources = source::Sources::new(source::Config {
        // Whoever runs this may read this host's files anyhow.
        allow_file: true,
        ..source::Config::new(mirrors.path())
    });
    let config = rendering::Config::default();
    let renderer = Rendering::new(config, sources, Arc::new(Fixed(Arc::new(snapshot))));
    let mut application = Application::new(NAMESPACE, "");
    application.spec.source = Some(source);
    let mut project = AppProject::new(NAMESPACE, "default");
    project.spec.source_repos = vec!["*".to_owned()];
    let request = RenderRequest {
        application: Arc::new(application),
        project: Arc::new(project),
        revisions: Vec::new(),
        sources: Vec::new(),
        freshness: Freshness::Latest,
        kube_version: String::new(),
        api_versions: Arc::new([]),
    };
    let rendered = renderer.render(request).await.map_err(|failure| failed(failure.message))?;
    Ok(rendered.objects.iter().map(|desired| desired.object.clone()).collect())
}
