//! A simulated cluster in a process of its own, `tiphys up` on it in another, and a repository.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use cluster::{
    Access, Asked, Cluster, Gate, Limits, ObjectEvent, Patch, Permit, Refusal, WatchSpec, Watching,
    Write,
};
use manifest::Gvk;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

/// How long anything may take, in seconds.
const PATIENCE_S: u64 = 60;

/// Everything that is measured on.
pub struct Stage {
    pub dir: TempDir,
    pub cluster: Cluster,
    simulated: Child,
    up: Option<Child>,
    /// CPU time of each thread that was ever seen, in nanoseconds.
    threads: Mutex<BTreeMap<PathBuf, u64>>,
    environment: Vec<(&'static str, &'static str)>,
}

impl Stage {
    /// Starts the cluster, not the controller.
    pub async fn set(environment: &[(&'static str, &'static str)]) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let simulated = Command::new(program())
            .args(["simkube", "--dir"])
            .arg(dir.path().join("sim"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("the simulated cluster starts");
        let kubeconfig = dir.path().join("sim/kubeconfig");
        there(&kubeconfig).await;
        let access = Access::Kubeconfig { path: Some(kubeconfig), context: None };
        let cluster = Cluster::connect(&access, Limits::default()).await.expect("it answers");
        Self {
            dir,
            cluster,
            simulated,
            up: None,
            threads: Mutex::default(),
            environment: environment.to_vec(),
        }
    }

    /// Starts the controller, and does not wait for it.
    pub fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .expect("the log can be written");
        let mut command = Command::new(program());
        command
            .args(["up", "--empty", "--loglevel", "info", "--dir"])
            .arg(self.dir.path().join("run"))
            .arg("--kubeconfig")
            .arg(self.dir.path().join("sim/kubeconfig"))
            .envs(self.environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        // What an earlier one wrote says nothing about this one.
        let _ = std::fs::remove_file(self.dir.path().join("run/kubeconfig"));
        self.up = Some(command.spawn().expect("tiphys starts"));
    }

    /// Waits until the controller works, and our own kinds are known here.
    pub async fn ready(&self) {
        there(&self.dir.path().join("run/kubeconfig")).await;
        self.cluster.discover().await.expect("the cluster answers");
    }

    /// Kills the controller at once.
    pub fn kill(&mut self) {
        if let Some(mut up) = self.up.take() {
            up.kill().expect("the process runs");
            up.wait().expect("the process can be waited for");
        }
    }

    /// The process's CPU time so far, all threads together. One that has ended counts as it was
    /// seen last.
    pub fn cpu(&self) -> Duration {
        let up = self.up.as_ref().expect("the controller runs");
        let threads = std::fs::read_dir(format!("/proc/{}/task", up.id())).expect("it runs");
        let mut seen = self.threads.lock().expect("nobody panics with it");
        for thread in threads.flatten() {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            if let Some(nanos) = text.split(' ').next().and_then(|one| one.parse::<u64>().ok()) {
                seen.insert(thread.path(), nanos);
            }
        }
        Duration::from_nanos(seen.values().sum())
    }

    pub async fn namespace(&self, name: &str) {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.write(&Write::create(object, "bench")).await;
    }

    /// Writes by hand.
    pub async fn write(&self, write: &Write) {
        let hand = self.cluster.writer(Arc::new(Anything));
        hand.write(write).await.expect("the write is taken");
    }

    /// Creates an Application on a directory of the repository.
    pub async fn application(&self, name: &str, namespace: &str, policy: Value) {
        let application = json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": name, "namespace": "argocd"},
            "spec": {
                "project": "default",
                "source": {"repoURL": self.repository().url(), "path": "app", "targetRevision": "HEAD"},
                "destination": {
                    "server": "https://kubernetes.default.svc", "namespace": namespace,
                },
                "syncPolicy": policy,
            },
        });
        self.cluster.home().create(&application).await.expect("the Application is created");
    }

    /// Asks for a sync.
    pub async fn sync(&self, name: &str) {
        let patch = Patch::Merge(json!({"operation": {"sync": {"prune": true}}}));
        let home = self.cluster.home();
        home.patch(&application_kind(), "argocd", name, patch).await.expect("it is taken");
    }

    pub fn repository(&self) -> Repository {
        Repository { dir: self.dir.path().join("repo") }
    }

    /// Waits until an Application is as `holds` wants it.
    pub async fn until(&self, name: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let seen: Arc<Mutex<Option<Value>>> = Arc::default();
        let changed = Arc::new(Notify::new());
        let (told, wake) = (seen.clone(), changed.clone());
        let _watching = self.watch(
            application_kind(),
            "argocd",
            move |event| {
                if let ObjectEvent::Restarted { objects, .. } = event {
                    *told.lock().expect("no watcher panics") = objects.into_iter().next();
                } else if let ObjectEvent::Applied(object) = event {
                    *told.lock().expect("no watcher panics") = Some(object);
                }
                wake.notify_one();
            },
            name,
        );
        let until = Instant::now() + Duration::from_secs(PATIENCE_S);
        loop {
            let object = seen.lock().expect("no watcher panics").clone();
            if let Some(object) = object.as_ref().filter(|object| holds(object)) {
                return object.clone();
            }
            let left = until.saturating_duration_since(Instant::now());
            if tokio::time::timeout(left, changed.notified()).await.is_err() {
                self.print_log();
                panic!("{what}: {name} is after {PATIENCE_S} s:\n{object:#?}");
            }
        }
    }

    /// Watches objects of a kind; `name` empty: all of them.
    pub fn watch(
        &self,
        gvk: Gvk,
        namespace: &str,
        told: impl Fn(ObjectEvent) + Send + Sync + 'static,
        name: &str,
    ) -> Watching {
        let spec = WatchSpec {
            gvk,
            namespaces: if namespace.is_empty() { Vec::new() } else { vec![namespace.to_owned()] },
            labels: String::new(),
            fields: if name.is_empty() { String::new() } else { format!("metadata.name={name}") },
        };
        self.cluster.watch_objects(spec, told)
    }

    /// Prints the end of the controller's log.
    pub fn print_log(&self) {
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        for line in &lines[lines.len().saturating_sub(60)..] {
            eprintln!("{line}");
        }
    }
}

struct Anything;

impl Gate for Anything {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        Ok(asked.permit())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.kill();
        // Both may have ended by themselves.
        let _ = self.simulated.kill();
        let _ = self.simulated.wait();
    }
}

/// Waits until a file is there.
async fn there(path: &Path) {
    let until = Instant::now() + Duration::from_secs(PATIENCE_S);
    while !path.exists() {
        assert!(Instant::now() < until, "`{}` does not come", path.display());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The program beside which the examples stand.
fn program() -> PathBuf {
    let example = std::env::current_exe().expect("a program knows where it stands");
    let target = example.parent().and_then(Path::parent).expect("examples stand in the target");
    target.join("tiphys")
}

pub fn application_kind() -> Gvk {
    Gvk::new("argoproj.io", "v1alpha1", "Application")
}

pub fn job_kind() -> Gvk {
    Gvk::new("batch", "v1", "Job")
}

/// Reads a text inside an object, or `""`.
pub fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// A git repository with a work tree.
pub struct Repository {
    dir: PathBuf,
}

impl Repository {
    pub fn url(&self) -> String {
        format!("file://{}", self.dir.display())
    }

    /// Writes files and commits them; answers the commit.
    pub fn commit(&self, files: &[(String, String)]) -> String {
        if !self.dir.join(".git").exists() {
            std::fs::create_dir_all(&self.dir).expect("the repository's directory");
            self.git(&["init", "-q", "-b", "main"]);
            self.git(&["config", "user.email", "bench@localhost"]);
            self.git(&["config", "user.name", "bench"]);
        }
        for (name, content) in files {
            let path = self.dir.join(name);
            std::fs::create_dir_all(path.parent().expect("a directory")).expect("it can be made");
            std::fs::write(path, content).expect("the file can be written");
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "change"]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(&self.dir)
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .expect("git runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
