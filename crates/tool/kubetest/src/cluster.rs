//! Starting a cluster, and asking it things.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::process::{Process, Watchdog};
use crate::programs::programs_dir;
use crate::store::Store;

/// How long a cluster may take to answer, in seconds, before the test fails.
const READY_S_MAX: u64 = 60;

/// How much garbage the programs may leave, in percent of what lives: they live seconds, and a
/// quarter of their work would be collecting it.
const GARBAGE_PERCENT: &str = "400";

/// Removes a directory, in which a program may write for another moment.
const SWEEP: &str = "for _ in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- \"$1\" && exit; sleep 0.2; done";

/// The bearer token of the cluster's administrator.
const TOKEN: &str = "t0ken";

/// What runs besides etcd and kube-apiserver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parts {
    /// Nothing: enough for writes, patches, validation, watches.
    ApiServer,
    /// Controllers, the scheduler and kwok: pods become ready, Jobs complete.
    Whole,
}

/// A running cluster. Dropping it ends every program that it started.
pub struct RealCluster {
    /// Ended in this order: etcd last.
    processes: Vec<Process>,
    dir: TempDir,
    /// A cluster that is lent out is never dropped: what it leaves goes when the process ends.
    _sweeper: Watchdog,
    bin: PathBuf,
    port: u16,
    etcd: u16,
}

impl RealCluster {
    /// Starts a cluster and waits until it answers; `None` where the programs are missing.
    ///
    /// # Errors
    ///
    /// A program that ends early or a cluster that is not ready in 60 s; the error
    /// holds the end of the logs.
    pub fn start(parts: Parts) -> Result<Option<Self>> {
        let Some(bin) = programs_dir() else {
            eprintln!("skipped: no kube programs (run `make kube`), or TIPHYS_KUBE=off");
            return Ok(None);
        };
        let dir = tempfile::tempdir().context("no temporary directory")?;
        let [client, peer, port] = free_ports()?;
        let sweeper = Watchdog::start(SWEEP, dir.path().as_ref())?;
        let mut cluster =
            Self { processes: Vec::new(), dir, _sweeper: sweeper, bin, port, etcd: client };
        cluster.write_files()?;
        cluster.start_etcd(client, peer)?;
        cluster.start_api_server(client)?;
        cluster.wait("the API server", |cluster| {
            cluster.kubectl(&["get", "--raw", "/readyz"]).is_ok()
        })?;
        if parts == Parts::Whole {
            cluster.start_controllers()?;
            cluster.apply(NODE)?;
            cluster.wait("the node", |cluster| {
                cluster
                    .kubectl(&["get", "node", "node-0", "-o", "jsonpath={.status.phase}"])
                    .is_ok_and(|phase| phase == "Running")
            })?;
        }
        cluster.wait("the default service account", |cluster| {
            parts == Parts::ApiServer
                || cluster.kubectl(&["get", "serviceaccount", "default"]).is_ok()
        })?;
        // The clients end first, etcd last.
        cluster.processes.reverse();
        Ok(Some(cluster))
    }

    /// Where the API answers.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The administrator's bearer token.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// The certificate that signed the server's, as PEM.
    pub fn ca_pem(&self) -> Result<String> {
        fs::read_to_string(self.path("certs/apiserver.crt"))
            .context("the API server wrote no certificate")
    }

    /// A kubeconfig file for the administrator.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path("kubeconfig")
    }

    /// Runs kubectl; answers what it printed.
    ///
    /// # Errors
    ///
    /// What it printed on standard error, where it failed.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl_with_input(arguments, "")
    }

    /// Applies manifests with kubectl.
    ///
    /// # Errors
    ///
    /// As [`RealCluster::kubectl`].
    pub fn apply(&self, manifests: &str) -> Result<()> {
        self.kubectl_with_input(&["apply", "-f", "-"], manifests).map(drop)
    }

    /// Reads one object (`get --raw PATH`).
    ///
    /// # Errors
    ///
    /// As [`RealCluster::kubectl`].
    pub fn get_raw(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.kubectl(&["get", "--raw", path])?)?)
    }

    /// What etcd keeps.
    pub(crate) fn store(&self) -> Store {
        Store { port: self.etcd }
    }

    fn kubectl_with_input(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut child = Command::new(self.bin.join("kubectl"))
            .arg("--kubeconfig")
            .arg(self.kubeconfig())
            .args(arguments)
            .env("HOME", self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        // A program that ends before it has read everything says why on standard error.
        let _ = child.stdin.take().context("kubectl has no input")?.write_all(input.as_bytes());
        let output = child.wait_with_output()?;
        if !output.status.success() {
            bail!(
                "kubectl {}: {}",
                arguments.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write_files(&self) -> Result<()> {
        let key = rcgen::KeyPair::generate()?;
        fs::write(self.path("sa.key"), key.serialize_pem())?;
        fs::write(self.path("sa.pub"), key.public_key_pem())?;
        fs::write(self.path("tokens.csv"), format!("{TOKEN},admin,uid1,\"system:masters\"\n"))?;
        fs::write(self.path("stages.yaml"), STAGES)?;
        let certs = self.path("certs");
        let kubeconfig = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "real", "cluster": {
                "server": self.url(), "certificate-authority": certs.join("apiserver.crt"),
            }}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "real", "context": {"cluster": "real", "user": "admin"}}],
            "current-context": "real",
        });
        fs::write(self.kubeconfig(), serde_json::to_vec_pretty(&kubeconfig)?)?;
        Ok(())
    }

    fn start_etcd(&mut self, client: u16, peer: u16) -> Result<()> {
        let (client, peer) =
            (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        self.run("etcd", |command, dir| {
            command
                .arg("--data-dir")
                .arg(dir.join("etcd"))
                .args(["--listen-client-urls", &client, "--advertise-client-urls", &client])
                .args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer])
                .arg(format!("--initial-cluster=default={peer}"))
                .arg("--unsafe-no-fsync");
        })
    }

    fn start_api_server(&mut self, etcd: u16) -> Result<()> {
        let port = self.port;
        self.run("kube-apiserver", |command, dir| {
            let file = |flag: &str, name: &str| format!("--{flag}={}", dir.join(name).display());
            command
                .arg(format!("--etcd-servers=http://127.0.0.1:{etcd}"))
                .args(["--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"])
                .arg(format!("--secure-port={port}"))
                .arg(file("cert-dir", "certs"))
                .arg(file("token-auth-file", "tokens.csv"))
                .args(["--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/12"])
                .args(["--allow-privileged=true", "--enable-priority-and-fairness=false"])
                .args(["--max-requests-inflight=0", "--max-mutating-requests-inflight=0"])
                .arg("--service-account-issuer=https://kubernetes.default.svc")
                .arg(file("service-account-key-file", "sa.pub"))
                .arg(file("service-account-signing-key-file", "sa.key"));
        })
    }

    fn start_controllers(&mut self) -> Result<()> {
        let kubeconfig = self.kubeconfig();
        let flag = |name: &str| format!("--{name}={}", kubeconfig.display());
        let own = [
            flag("kubeconfig"),
            flag("authentication-kubeconfig"),
            flag("authorization-kubeconfig"),
        ];
        self.run("kube-controller-manager", |command, dir| {
            command
                .args(&own)
                .args(["--leader-elect=false", "--secure-port=0"])
                .arg(format!("--service-account-private-key-file={}", dir.join("sa.key").display()))
                .arg(format!("--root-ca-file={}", dir.join("certs/apiserver.crt").display()));
        })?;
        self.run("kube-scheduler", |command, _| {
            command.args(&own).args(["--leader-elect=false", "--secure-port=0"]);
        })?;
        self.run("kwok", |command, dir| {
            command
                .arg(&own[0])
                .args(["--manage-all-nodes=true", "--node-lease-duration-seconds=40"])
                .arg("--server-address=127.0.0.1:0")
                .arg(format!("--config={}", dir.join("stages.yaml").display()));
        })
    }

    fn run(&mut self, name: &str, arguments: impl FnOnce(&mut Command, &Path)) -> Result<()> {
        let mut command = Command::new(self.bin.join(name));
        command.env("HOME", self.dir.path()).env("GOGC", GARBAGE_PERCENT);
        arguments(&mut command, self.dir.path());
        self.processes.push(Process::start(&mut command, &self.path(&format!("{name}.log")))?);
        Ok(())
    }

    fn wait(&mut self, what: &str, mut ready: impl FnMut(&Self) -> bool) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(READY_S_MAX);
        while !ready(self) {
            if let Some(at) = self.processes.iter_mut().position(|process| !process.is_running()) {
                bail!("program {at} ended while {what} was waited for\n{}", self.log_ends());
            }
            if Instant::now() > until {
                bail!("{what} was not ready in {READY_S_MAX} s\n{}", self.log_ends());
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        Ok(())
    }

    fn log_ends(&self) -> String {
        let mut text = String::new();
        for name in ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"]
        {
            let log = fs::read_to_string(self.path(&format!("{name}.log"))).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let end = lines[lines.len().saturating_sub(5)..].join("\n");
            text.push_str(&format!("--- {name}\n{end}\n"));
        }
        text
    }
}

/// Three ports that nobody uses now.
fn free_ports() -> Result<[u16; 3]> {
    let listeners = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0"));
    let mut ports = [0; 3];
    for (port, listener) in ports.iter_mut().zip(listeners) {
        *port = listener?.local_addr()?.port();
    }
    Ok(ports)
}

const NODE: &str = r#"{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-0"}}"#;

/// How kwok moves nodes and pods along.
const STAGES: &str = include_str!("stages.yaml");
