//! The stage of a scenario: a running `tiphys up`, a repository, a cluster to look at.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cluster::{
    Access, Action, ApiError, Asked, Cluster, Gate, Limits, ObjectEvent, Patch, Permit, Refusal,
    WatchSpec, Write, Writer,
};
use manifest::Gvk;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

/// How long anything may take to come true, in seconds, before the scenario fails.
pub const PATIENCE_S: u64 = 30;

/// How long `tiphys up` may take until it is there, in seconds: a machine that builds something else
/// beside may leave it little.
const START_S: u64 = 90;

/// A running `tiphys up`, a repository, a cluster to look at.
pub struct Stage {
    dir: TempDir,
    /// The command and its arguments.
    arguments: &'static [&'static str],
    /// The namespace for the scenario's objects; nobody else uses it.
    pub namespace: String,
    up: Child,
    pub cluster: Cluster,
    real: Option<Arc<kubetest::Lent>>,
}

/// What a scenario usually runs on.
const UP: &[&str] = &["up", "--empty", "--loglevel", "info"];

/// How long one command may take, in seconds.
const COMMAND_S: u64 = 60;

/// How long a whole scenario may take, in seconds.
const SCENARIO_S: u64 = 180;

async fn bounded(scenario: impl Future<Output = ()>) {
    let limit = std::time::Duration::from_secs(SCENARIO_S);
    tokio::time::timeout(limit, scenario).await.expect("the scenario ends in time");
}

impl Stage {
    /// Runs a scenario on the simulated cluster.
    pub fn simulated(scenario: impl AsyncFn(&mut Stage)) {
        run(bounded(async {
            let mut stage = Self::start(None).await;
            scenario(&mut stage).await;
        }));
    }

    /// Runs a scenario on what another command simulates.
    pub fn simulated_by(arguments: &'static [&'static str], scenario: impl AsyncFn(&mut Stage)) {
        run(bounded(async {
            let mut stage = Self::start_with(arguments, None).await;
            scenario(&mut stage).await;
        }));
    }

    /// Runs a scenario on a real cluster, where there is one.
    pub fn real(scenario: impl AsyncFn(&mut Stage)) {
        let started = kubetest::Lent::take();
        let Some(real) = started.expect("the real cluster starts") else { return };
        run(bounded(async {
            let mut stage = Self::start(Some(Arc::new(real))).await;
            scenario(&mut stage).await;
        }));
    }

    async fn start(real: Option<Arc<kubetest::Lent>>) -> Self {
        Self::start_with(UP, real).await
    }

    async fn start_with(
        arguments: &'static [&'static str],
        real: Option<Arc<kubetest::Lent>>,
    ) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let up = spawn(dir.path(), arguments, real.as_deref());
        let kubeconfig = dir.path().join("run/kubeconfig");
        let cluster = connect(&kubeconfig).await;
        Self { dir, arguments, namespace: "scenario".to_owned(), up, cluster, real }
    }

    /// Starts the process again, after it was killed, on the same directory.
    pub async fn restart(&mut self) {
        let kubeconfig = self.dir.path().join("run/kubeconfig");
        // The old file says nothing about the new process.
        std::fs::remove_file(&kubeconfig).expect("the kubeconfig of the killed process");
        self.up = spawn(self.dir.path(), self.arguments, self.real.as_deref());
        self.cluster = connect(&kubeconfig).await;
    }

    /// Kills the process at once.
    pub fn kill(&mut self) {
        self.up.kill().expect("the process runs");
        self.up.wait().expect("the process can be waited for");
    }

    /// Another of its simulated clusters, as its kubeconfig names it.
    pub async fn other(&self, context: &str) -> Cluster {
        let path = self.dir.path().join("run/kubeconfig");
        let access = Access::Kubeconfig { path: Some(path), context: Some(context.to_owned()) };
        Cluster::connect(&access, Limits::default()).await.expect("the kubeconfig is whole")
    }

    /// Starts the program beside, on this cluster, until the answer is dropped.
    pub fn beside(&self, arguments: &[&str]) -> Beside {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .expect("the log can be written");
        let child = Command::new(env!("CARGO_BIN_EXE_tiphys"))
            .args(arguments)
            .arg("--kubeconfig")
            .arg(self.dir.path().join("run/kubeconfig"))
            .env("TIPHYS_ALLOW_FILE_URLS", "true")
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log can be written twice"))
            .stderr(log)
            .spawn()
            .expect("tiphys starts");
        Beside(child)
    }

    /// The scenario's repository.
    pub fn repository(&self) -> Repository {
        Repository::at(&self.dir.path().join("repo"))
    }

    /// Creates an Application on a directory of the repository, changed by `change`.
    pub async fn application(&self, name: &str, path: &str, change: impl FnOnce(&mut Value)) {
        let repository = self.repository();
        let mut application = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": repository.url(), "path": path, "targetRevision": "HEAD"},
                "destination": {
                    "server": "https://kubernetes.default.svc",
                    "namespace": self.namespace,
                },
                "syncPolicy": {
                    "automated": {"prune": true, "selfHeal": true},
                    "syncOptions": ["CreateNamespace=true"],
                },
            },
        });
        change(&mut application);
        self.cluster.home().create(&application).await.expect("the Application is created");
    }

    /// Creates an Application that is synced by hand only.
    pub async fn manual(&self, name: &str, path: &str, change: impl FnOnce(&mut Value)) {
        self.application(name, path, |app| {
            app["spec"]["syncPolicy"] = json!({"syncOptions": ["CreateNamespace=true"]});
            change(app);
        })
        .await;
    }

    /// Runs the program as a person would, on this cluster.
    pub async fn tiphys(&self, arguments: &[&str]) -> Ran {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_tiphys"));
        command
            .args(arguments)
            .arg("--kubeconfig")
            .arg(self.dir.path().join("run/kubeconfig"))
            .env("USER", "user")
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let limit = Duration::from_secs(COMMAND_S);
        let Ok(ran) = tokio::time::timeout(limit, command.output()).await else {
            let apps = self.cluster.list(&application(), &cluster::ListQuery::default()).await;
            panic!("{arguments:?} did not end within {COMMAND_S} s:\n{apps:#?}");
        };
        let output = ran.expect("tiphys starts");
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            told: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Runs the program; it must end well.
    pub async fn well(&self, arguments: &[&str]) -> String {
        let ran = self.tiphys(arguments).await;
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.out, ran.told);
        ran.out
    }

    /// Asks for an operation as the API would (with the Application's options), and does not wait.
    pub async fn operate(&self, name: &str, mut operation: Value) {
        if operation.pointer("/sync/syncOptions").is_none() {
            operation["sync"]["syncOptions"] = json!(["CreateNamespace=true"]);
        }
        let patch = Patch::Merge(json!({"operation": operation}));
        let home = self.cluster.home();
        home.patch(&application(), "argocd", name, patch).await.expect("the operation is taken");
    }

    /// Waits until the operation of an Application has ended as `phase`.
    pub async fn ended(&self, name: &str, phase: &str) -> Value {
        self.app(name, &format!("the operation ends as {phase}"), |app| {
            app.get("operation").is_none()
                && text(app, "/status/operationState/phase") == phase
                && !text(app, "/status/operationState/finishedAt").is_empty()
        })
        .await
    }

    /// Writes into one of the ConfigMaps of the settings.
    pub async fn set(&self, map: &str, data: Value) {
        let gvk = Gvk::new("", "v1", "ConfigMap");
        let home = self.cluster.home();
        let patch = Patch::Merge(json!({"data": data}));
        let written = home.patch(&gvk, "argocd", map, patch).await.expect("the setting is taken");
        self.holds(map, &written).await;
    }

    /// Changes a project, and waits until it holds.
    pub async fn project(&self, name: &str, patch: Value) {
        let gvk = Gvk::new("argoproj.io", "v1alpha1", "AppProject");
        let home = self.cluster.home();
        let written = home.patch(&gvk, "argocd", name, Patch::Merge(patch)).await.expect("taken");
        self.holds(&format!("AppProject/{name}"), &written).await;
    }

    /// Waits until a project holds as it stands there now.
    pub async fn project_holds(&self, name: &str) {
        let gvk = Gvk::new("argoproj.io", "v1alpha1", "AppProject");
        let project = self.cluster.get(&gvk, "argocd", name).await.expect("the cluster answers");
        self.holds(&format!("AppProject/{name}"), &project.expect("the project is there")).await;
    }

    async fn holds(&self, name: &str, written: &Value) {
        let version = text(written, "/metadata/resourceVersion");
        let line = format!("tiphys_settings_resource_version{{name=\"{name}\"}} {version}\n");
        self.seen("the change", || self.metrics().contains(&line)).await;
    }

    /// Waits for an object of the scenario's namespace, as `holds` wants it.
    pub async fn object(
        &self,
        gvk: Gvk,
        name: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        let namespace = self.namespace.clone();
        let found =
            self.until(gvk, &namespace, name, what, |object| object.is_some_and(&holds)).await;
        found.expect("an object that holds is there")
    }

    /// Waits until an object of the scenario's namespace is gone.
    pub async fn gone(&self, gvk: Gvk, name: &str) {
        let namespace = self.namespace.clone();
        self.until(gvk, &namespace, name, "gone", |object| object.is_none()).await;
    }

    /// Ends a pod that waits for it (see [`pod`]) as `Succeeded` or `Failed`.
    pub async fn finish(&self, name: &str, phase: &str) {
        self.object(pod_kind(), name, "the pod is there", |_| true).await;
        let code = if phase == "Failed" { 1 } else { 0 };
        let status = json!({"status": {
            "phase": phase,
            "containerStatuses": [{
                "name": "main", "image": "example.com/main:1", "imageID": "", "ready": false,
                "restartCount": 0,
                "state": {"terminated": {"exitCode": code}},
            }],
        }});
        let mut write =
            Write::patch(pod_kind(), &self.namespace, name, Patch::Merge(status), "kubelet");
        if let Action::Patch { subresource, .. } = &mut write.action {
            *subresource = Some("status".into());
        }
        self.write(write).await;
    }

    /// Waits until an object is as `holds` wants it, and answers it.
    pub async fn until(
        &self,
        gvk: Gvk,
        namespace: &str,
        name: &str,
        what: &str,
        holds: impl Fn(Option<&Value>) -> bool,
    ) -> Option<Value> {
        until_on(&self.cluster, gvk, namespace, name, what, holds).await
    }

    /// Waits until an Application is as `holds` wants it.
    pub async fn app(&self, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let gvk = Gvk::new("argoproj.io", "v1alpha1", "Application");
        let found =
            self.until(gvk, "argocd", name, what, |object| object.is_some_and(&holds)).await;
        found.expect("an Application that holds is there")
    }

    /// Waits until an Application is Synced and Healthy at the repository's newest commit.
    pub async fn synced(&self, name: &str) -> Value {
        let newest = self.repository().head();
        self.app(name, "Synced and Healthy at the newest commit", |app| {
            text(app, "/status/sync/status") == "Synced"
                && text(app, "/status/health/status") == "Healthy"
                && text(app, "/status/sync/revision") == newest
                && text(app, "/status/operationState/phase") != "Running"
        })
        .await
    }

    /// One object as it is now.
    pub async fn get(&self, gvk: Gvk, name: &str) -> Option<Value> {
        self.cluster.get(&gvk, &self.namespace, name).await.expect("the cluster answers")
    }

    /// What the process has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).expect("the log can be read")
    }

    /// The process's metrics, as they are served.
    pub fn metrics(&self) -> String {
        let endpoints = std::fs::read(self.dir.path().join("run/endpoints.json"));
        let endpoints: Value =
            serde_json::from_slice(&endpoints.expect("endpoints")).expect("JSON");
        let url = text(&endpoints, "/metrics");
        let address = url.trim_start_matches("http://").trim_end_matches("/metrics");
        let mut stream = std::net::TcpStream::connect(address).expect("metrics are served");
        let ask = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        std::io::Write::write_all(&mut stream, ask.as_bytes()).expect("the request is sent");
        let mut answer = Vec::new();
        std::io::Read::read_to_end(&mut stream, &mut answer).expect("the answer is whole");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits for what neither a watch nor a file event tells of.
    pub async fn seen(&self, what: &str, holds: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(PATIENCE_S);
        while !holds() {
            assert!(Instant::now() < until, "{what} is not seen; the log:\n{}", self.log());
            // What is logged or counted tells nobody: it is read again after a while.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// A hand that may write anything.
    pub fn hand(&self) -> Writer {
        self.cluster.writer(Arc::new(Anything))
    }

    /// Writes by hand.
    pub async fn write(&self, write: Write) -> Option<Value> {
        let written = match self.hand().write(&write).await {
            // A kind may be newer than what this client knows of the cluster.
            Err(ApiError::KindUnknown { .. }) => {
                self.cluster.discover().await.expect("the cluster answers");
                self.hand().write(&write).await
            }
            written => written,
        };
        written.expect("the write is taken").object
    }
}

/// Waits until an object of a cluster is as `holds` wants it, and answers it.
pub async fn until_on(
    cluster: &Cluster,
    gvk: Gvk,
    namespace: &str,
    name: &str,
    what: &str,
    holds: impl Fn(Option<&Value>) -> bool,
) -> Option<Value> {
    let seen: Arc<Mutex<(bool, Option<Value>)>> = Arc::default();
    let changed = Arc::new(Notify::new());
    let spec = WatchSpec {
        gvk: gvk.clone(),
        namespaces: if namespace.is_empty() { Vec::new() } else { vec![namespace.to_owned()] },
        labels: String::new(),
        fields: format!("metadata.name={name}"),
    };
    let (told, wake) = (seen.clone(), changed.clone());
    let _watching = cluster.watch_objects(spec, move |event| {
        let mut seen = told.lock().expect("no watcher panics");
        match event {
            ObjectEvent::Restarted { mut objects, .. } => *seen = (true, objects.pop()),
            ObjectEvent::Applied(object) => *seen = (true, Some(object)),
            ObjectEvent::Deleted(_) => *seen = (true, None),
        }
        wake.notify_one();
    });
    let until = Instant::now() + Duration::from_secs(PATIENCE_S);
    loop {
        let (known, object) = seen.lock().expect("no watcher panics").clone();
        if known && holds(object.as_ref()) {
            return object;
        }
        let left = until.saturating_duration_since(Instant::now());
        if tokio::time::timeout(left, changed.notified()).await.is_err() {
            panic!("{what}: {gvk} {namespace}/{name} is after {PATIENCE_S} s:\n{object:#?}");
        }
    }
}

/// What a command answered.
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it told beside.
    pub told: String,
}

/// The kind of Applications.
pub fn application() -> Gvk {
    Gvk::new("argoproj.io", "v1alpha1", "Application")
}

/// The kind of pods.
pub fn pod_kind() -> Gvk {
    Gvk::new("", "v1", "Pod")
}

/// The kind of ConfigMaps.
pub fn config_map() -> Gvk {
    Gvk::new("", "v1", "ConfigMap")
}

/// A pod that stays as it is until [`Stage::finish`]: no node takes it, on any cluster.
pub fn pod(name: &str, annotations: &[(&str, &str)]) -> String {
    let mut lines = String::new();
    for (key, value) in annotations {
        lines.push_str(&format!("    {key}: \"{value}\"\n"));
    }
    format!(
        "apiVersion: v1
kind: Pod
metadata:
  name: {name}
  annotations:
    sim.tiphys.io/delay: 900s
{lines}spec:
  restartPolicy: Never
  nodeSelector:
    nobody.example.com/has: this
  containers:
    - name: main
      image: example.com/main:1
"
    )
}

/// A ConfigMap with annotations.
pub fn map(name: &str, annotations: &[(&str, &str)], data: &str) -> String {
    let mut lines = String::new();
    for (key, value) in annotations {
        lines.push_str(&format!("    {key}: \"{value}\"\n"));
    }
    let annotations = match lines.is_empty() {
        true => String::new(),
        false => format!("  annotations:\n{lines}"),
    };
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n{annotations}data:\n  key: \"{data}\"\n"
    )
}

/// The results of an Application's last operation, by `Kind/name/SyncPhase`.
pub fn results(app: &Value) -> std::collections::BTreeMap<String, Value> {
    let list = app.pointer("/status/operationState/syncResult/resources").and_then(Value::as_array);
    let named = list.into_iter().flatten().map(|row| {
        let words =
            format!("{}/{}/{}", text(row, "/kind"), text(row, "/name"), text(row, "/syncPhase"));
        (words, row.clone())
    });
    named.collect()
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.up.kill();
        let _ = self.up.wait();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            eprintln!("--- what `tiphys up` printed\n{log}");
        }
    }
}

/// A process that ends with this.
pub struct Beside(Child);

impl Beside {
    /// Kills it at once.
    pub fn kill(mut self) {
        self.0.kill().expect("the process runs");
        self.0.wait().expect("the process can be waited for");
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A gate that lets everything through.
pub fn anything() -> Arc<dyn Gate> {
    Arc::new(Anything)
}

struct Anything;

impl Gate for Anything {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        Ok(asked.permit())
    }
}

fn run(scenario: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(scenario);
}

fn spawn(dir: &Path, arguments: &[&str], real: Option<&kubetest::Lent>) -> Child {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(dir.join("log"))
        .expect("the log can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tiphys"));
    command.args(arguments).arg("--dir").arg(dir.join("run"));
    if let Some(real) = real {
        command.arg("--kubeconfig").arg(real.kubeconfig());
    }
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("the log can be written twice"))
        .stderr(log)
        .spawn()
        .expect("tiphys starts")
}

async fn connect(kubeconfig: &Path) -> Cluster {
    let until = Instant::now() + Duration::from_secs(START_S);
    while !kubeconfig.exists() {
        if Instant::now() >= until {
            let log = kubeconfig.parent().and_then(Path::parent).map(|dir| dir.join("log"));
            let log = log.and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
            panic!(
                "`{}` was not written within {START_S} s; the log:\n{log}",
                kubeconfig.display()
            );
        }
        tokio::task::yield_now().await;
        // The file's directory may not be there yet, so there is nothing to watch.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let access = Access::Kubeconfig { path: Some(kubeconfig.to_owned()), context: None };
    Cluster::connect(&access, Limits::default()).await.expect("the kubeconfig is whole")
}

/// Reads a text inside an object, or `""`.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// The messages of an Application's conditions of one type.
pub fn conditions(app: &Value, kind: &str) -> Vec<String> {
    let list = app.pointer("/status/conditions").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter(|condition| text(condition, "/type") == kind)
        .map(|condition| text(condition, "/message").to_owned())
        .collect()
}

/// A git repository with a work tree.
pub struct Repository {
    dir: PathBuf,
}

impl Repository {
    fn at(dir: &Path) -> Self {
        let repository = Self { dir: dir.to_owned() };
        if !dir.join(".git").exists() {
            std::fs::create_dir_all(dir).expect("the repository's directory");
            repository.git(&["init", "-q", "-b", "main"]);
            repository.git(&["config", "user.email", "user@example.com"]);
            repository.git(&["config", "user.name", "user"]);
        }
        repository
    }

    /// As an Application names it.
    pub fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    /// The work tree's directory.
    pub fn path(&self) -> String {
        self.dir.display().to_string()
    }

    /// Writes a file without committing it; answers where it stands.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.dir.join(name);
        let parent = path.parent().expect("a file stands in a directory");
        std::fs::create_dir_all(parent).expect("the directory can be made");
        std::fs::write(&path, content).expect("the file can be written");
        path.display().to_string()
    }

    /// The newest commit.
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Writes files (no content: removes them) and commits.
    pub fn commit(&self, files: &[(&str, Option<&str>)]) -> String {
        for (name, content) in files {
            let path = self.dir.join(name);
            match content {
                Some(content) => {
                    let parent = path.parent().expect("a file stands in a directory");
                    std::fs::create_dir_all(parent).expect("the directory can be made");
                    std::fs::write(&path, content).expect("the file can be written");
                }
                None => std::fs::remove_file(&path).expect("the file was there"),
            }
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change"]);
        self.head()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(&self.dir)
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git runs");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
