//! A plugin written in another language (sh and awk), asked through its socket.

use std::path::Path;
use std::time::Duration;

use filetree::{MapTree, TreePath};
use plugins::{PluginError, Plugins, Request};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::{Config, PluginConfig, ServeError, run};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

struct Running {
    dir: TempDir,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServeError>>,
    plugins: Plugins,
}

async fn start(config: &str, timeout: Duration) -> Running {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("plugin.yaml"), config).unwrap();
    let config = Config {
        config_dir: dir.path().to_owned(),
        socket_dir: dir.path().to_owned(),
        work_dir: dir.path().join("work"),
        timeout,
    };
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let told = move |_: &Path| {
        let _ = ready.send(());
    };
    let task = tokio::spawn(run(config, told, async move { drop(stopped.await) }));
    is_ready.await.unwrap();
    let plugins = Plugins::new(dir.path(), timeout);
    Running { dir, stop, task, plugins }
}

impl Running {
    async fn end(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap().unwrap();
        assert!(self.plugins.names().is_empty());
        let left = std::fs::read_dir(self.dir.path().join("work")).unwrap().count();
        assert_eq!(left, 0, "files of requests are gone");
    }
}

fn request(app_path: &str, files: &[(&str, &str)], env: &[(&str, &str)]) -> Request {
    let tree = files.iter().fold(MapTree::new(), |tree, (name, text)| tree.with(&path(name), text));
    let archive =
        plugins::archive::pack(&tree, &filetree::TreePath::root(), &|_| false, 1 << 20).unwrap();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request {
        app_name: "shop".to_owned(),
        app_path: app_path.to_owned(),
        archive: archive.into(),
        env: env.collect(),
    }
}

const PLUGIN: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {name: shout}
spec:
  version: v1.0
  init: {command: [sh, -c, 'tr a-z A-Z < name.txt > loud.txt']}
  generate:
    command: [sh, -c]
    args:
    - |
      for kind in ConfigMap Secret; do
        awk -v kind=$kind '{ printf "---\napiVersion: v1\nkind: %s\nmetadata:\n  name: %s-%s\n", kind, tolower($0), ENVIRON["ARGOCD_ENV_SUFFIX"] }' loud.txt
      done
  discover: {fileName: '*.txt'}
  parameters:
    static: [{name: suffix, title: Suffix, collectionType: string, string: x}]
    dynamic: {command: [sh, -c, 'echo "[{\"name\": \"from-program\", \"required\": true}]"']}
"#;

#[tokio::test]
async fn a_plugin_generates_through_its_socket() {
    let running = start(PLUGIN, Duration::from_secs(20)).await;
    let plugins = &running.plugins;
    assert_eq!(plugins.names(), ["shout-v1.0"]);
    let name = "shout-v1.0";
    let check = plugins.check(name).await.unwrap();
    assert!(check.is_discovery_configured && !check.provide_git_creds);

    let here =
        request("app", &[("app/name.txt", "web\n"), ("z/y", "")], &[("ARGOCD_ENV_SUFFIX", "b")]);
    assert!(plugins.matches(name, &here).await.unwrap());
    let other = request("z", &[("app/name.txt", "web\n"), ("z/y", "")], &[]);
    assert!(!plugins.matches(name, &other).await.unwrap());

    let manifests = plugins.generate(name, &here).await.unwrap();
    assert_eq!(manifests.len(), 2, "{manifests:?}");
    assert!(manifests[0].contains("kind: ConfigMap") && manifests[0].contains("name: web-b"));
    assert!(manifests[1].contains("kind: Secret"));

    let parameters = plugins.parameters(name, &here).await.unwrap();
    let names: Vec<&str> = parameters.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["from-program", "suffix"]);
    running.end().await;
}

#[tokio::test]
async fn a_plugin_that_fails_says_why_and_leaves_nothing() {
    let config = PLUGIN.replace("[sh, -c, 'tr", "[sh, -c, 'echo no such luck >&2; exit 3; tr");
    let running = start(&config, Duration::from_secs(20)).await;
    let here = request("app", &[("app/name.txt", "web\n")], &[]);
    let error = running.plugins.generate("shout-v1.0", &here).await.unwrap_err();
    let PluginError::Failed { reason, .. } = &error else { panic!("{error}") };
    assert!(reason.contains("exit status 3: no such luck"), "{reason}");

    let outside = Request { app_path: "../..".to_owned(), ..here.clone() };
    let error = running.plugins.generate("shout-v1.0", &outside).await.unwrap_err();
    assert!(error.to_string().contains("illegal appPath"), "{error}");
    running.end().await;
}

#[tokio::test]
async fn a_command_that_does_not_end_is_ended_with_all_that_it_started() {
    let config = PLUGIN.replace("tr a-z A-Z < name.txt > loud.txt", "sleep 1000 & sleep 1000");
    let running = start(&config, Duration::from_millis(600)).await;
    let here = request("app", &[("app/name.txt", "web\n")], &[]);
    let error = running.plugins.generate("shout-v1.0", &here).await.unwrap_err();
    assert!(matches!(error, PluginError::Failed { .. }), "{error}");
    running.end().await;
}

#[tokio::test]
async fn a_plugin_is_found_by_a_glob_or_by_a_program() {
    let discover = |with: &str| PLUGIN.replace("{fileName: '*.txt'}", with);
    for (with, file, expected) in [
        ("{find: {glob: '**/sub/*.k'}}", "app/x/sub/a.k", true),
        ("{find: {glob: '**/sub/*.k'}}", "app/x/sup/a.k", false),
        ("{find: {command: [sh, -c], args: ['ls *.k 2>/dev/null; true']}}", "app/a.k", true),
        ("{find: {command: [sh, -c], args: ['ls *.k 2>/dev/null; true']}}", "app/a.j", false),
    ] {
        let running = start(&discover(with), Duration::from_secs(20)).await;
        let here = request("app", &[(file, "")], &[]);
        assert_eq!(running.plugins.matches("shout-v1.0", &here).await.unwrap(), expected, "{with}");
        running.end().await;
    }
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("kind: ConfigManagementPlugin\n", "metadata.name should be non-empty"),
        ("kind: Other\nmetadata: {name: a}\n", "kind should be ConfigManagementPlugin"),
        (
            "kind: ConfigManagementPlugin\nmetadata: {name: a}\n",
            "generate command should be non-empty",
        ),
        ("a: b: c\n", "mapping values are not allowed"),
    ] {
        std::fs::write(dir.path().join("plugin.yaml"), text).unwrap();
        let error = PluginConfig::read(dir.path()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}
