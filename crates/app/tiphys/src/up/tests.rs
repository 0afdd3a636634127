//! Rooms that only the roof knows both of: what renders, and a plugin's sidecar.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crd::{AppProject, Application, ApplicationSource};
use desired::{Freshness, RenderFailure, RenderRequest, Renderer as _};
use rendering::{Fixed, Rendering, Seed, Snapshot};
use serde_json::{Value, json};
use settings::{RawSettings, Repositories, Settings};
use tokio::sync::oneshot;

const PLUGIN: &str = "kind: ConfigManagementPlugin\nmetadata: {name: made}\nspec:\n  generate: {command: [sh, -c, 'sed \"s/NAME/$ARGOCD_APP_NAME-$PARAM_SIZE/\" template']}\n  discover: {fileName: template}\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n";
const PLAIN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n";

fn renderer(place: &Path) -> Rendering {
    let (settings, _) = Settings::read(&RawSettings::default(), &|_| Err("no YAML".to_owned()));
    let snapshot = Snapshot {
        control_plane_namespace: "argocd".to_owned(),
        repositories: Repositories::default(),
        rendering: settings.rendering,
        tls_certs: BTreeMap::new(),
        ssh_known_hosts: String::new(),
        seed: Seed::default(),
    };
    let sources = source::Sources::new(source::Config {
        allow_file: true,
        ..source::Config::new(place.join("mirrors"))
    });
    let config =
        rendering::Config { plugin_sockets: place.to_owned(), ..rendering::Config::default() };
    Rendering::new(config, sources, Arc::new(Fixed(Arc::new(snapshot))))
}

/// The names of the objects of a source.
async fn rendered(
    renderer: &Rendering,
    repository: &Path,
    path: &str,
    plugin: Option<Value>,
) -> Result<Vec<String>, RenderFailure> {
    let mut application = Application::new("argocd", "shop");
    application.spec.source = Some(ApplicationSource {
        repo_url: format!("file://{}", repository.display()),
        path: path.to_owned(),
        plugin: plugin.map(|plugin| serde_json::from_value(plugin).expect("a plugin")),
        ..ApplicationSource::default()
    });
    let mut project = AppProject::new("argocd", "default");
    project.spec.source_repos = vec!["*".to_owned()];
    let request = RenderRequest {
        application: Arc::new(application),
        project: Arc::new(project),
        revisions: Vec::new(),
        sources: Vec::new(),
        freshness: Freshness::Latest,
        kube_version: "1.36".to_owned(),
        api_versions: Arc::new([]),
    };
    let rendered = renderer.render(request).await?;
    let name = |desired: &desired::DesiredObject| manifest::name(&desired.object).to_owned();
    Ok(rendered.objects.iter().map(name).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_renders_what_its_discovery_is_for() {
    let place = tempfile::tempdir().expect("a directory");
    let place = place.path();
    std::fs::write(place.join("plugin.yaml"), PLUGIN).expect("a file");
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = cmp_server::Config {
        config_dir: place.to_owned(),
        socket_dir: place.to_owned(),
        work_dir: place.join("work"),
        timeout: Duration::from_secs(20),
    };
    let told = move |_: &Path| {
        let _ = ready.send(());
    };
    let running = tokio::spawn(cmp_server::run(server, told, async move { drop(stopped.await) }));
    is_ready.await.expect("it starts");

    let repository = place.join("repo");
    let files = [("app/template", TEMPLATE), ("plain/a.yaml", PLAIN)];
    source::seed(&repository, &files, "one").expect("a repository");
    let renderer = renderer(place);
    let named = |path, plugin| rendered(&renderer, &repository, path, plugin);
    let parameters = json!({"parameters": [{"name": "size", "string": "m"}]});
    assert_eq!(named("app", Some(parameters)).await.expect("objects"), ["shop-m"]);
    // Nobody says that it is a plugin's: its discovery does.
    assert_eq!(named("app", None).await.expect("objects"), ["shop-"]);
    assert_eq!(named("plain", None).await.expect("objects"), ["plain"]);
    let failure = named("app", Some(json!({"name": "none"}))).await.expect_err("no such plugin");
    let words = "could not find cmp-server plugin with name \"none\"";
    assert!(failure.message.contains(words), "{failure}");
    drop(stop);
    running.await.expect("it ends").expect("well");
}
