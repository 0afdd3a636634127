//! What the simulated clusters bear: `load applies [SECONDS [CONNECTIONS]]`, `load clusters`, `load start`.
//!
//! `applies`: server-side applies of 2 KB Deployments a second, over TLS on loopback, the cost of the client
//! included. `clusters`: the memory of 100 clusters of 200 objects and 20 watches each. `start`: how long
//! until the API answers.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use simkube::{Config, Running, SimKube};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

// What users run has this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Deployments that each connection writes in turn.
const NAMES: u64 = 50;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, usual: u64| {
        arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let begun = Instant::now();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match arguments.first().map(String::as_str) {
            Some("applies") => applies(number(1, 5), number(2, 16)).await,
            Some("clusters") => clusters().await,
            Some("start") => start(begun).await,
            _ => Err("usage: load applies [SECONDS [CONNECTIONS]] | clusters | start".into()),
        }
    })
}

async fn started(clusters: usize) -> Outcome<Running> {
    let config = Config { controllers: false, clusters, ..Config::default() };
    Ok(SimKube::start(config).await?)
}

async fn start(begun: Instant) -> Outcome<()> {
    let running = SimKube::start(Config::default()).await?;
    let mut client = Client::to(&running).await?;
    let (code, _) = client.ask("GET", "/apis/apps/v1/deployments", "", "").await?;
    if code != 200 {
        return Err(format!("answered {code}").into());
    }
    println!("start to the first list: {} ms", begun.elapsed().as_millis());
    running.shutdown().await;
    Ok(())
}

async fn applies(seconds: u64, connections: u64) -> Outcome<()> {
    let running = Arc::new(started(0).await?);
    let (done, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let mut tasks = Vec::new();
    for connection in 0..connections {
        let (running, done, stop) = (running.clone(), done.clone(), stop.clone());
        tasks.push(tokio::spawn(async move {
            let mut client = Client::to(&running).await?;
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                let name = format!("web-{connection}-{}", number % NAMES);
                let path = format!(
                    "/apis/apps/v1/namespaces/default/deployments/{name}?fieldManager=load&force=true"
                );
                let body = deployment(&name, number);
                let (code, answer) =
                    client.ask("PATCH", &path, "application/apply-patch+yaml", &body).await?;
                if code >= 300 {
                    return Err(format!("answered {code}: {answer}").into());
                }
                number += 1;
                done.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Ok(())
        }));
    }
    // The first second warms up.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (before, begun, cpu) = (done.load(Ordering::Relaxed), Instant::now(), cpu_ms());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let count = done.load(Ordering::Relaxed) - before;
    let (elapsed, cpu) = (begun.elapsed().as_secs_f64(), cpu_ms() - cpu);
    stop.store(true, Ordering::Relaxed);
    for task in tasks {
        task.await??;
    }
    println!(
        "server-side applies: {:.0}/s over {connections} connections ({:.0} us of CPU each, client included; body {} bytes)",
        count as f64 / elapsed,
        cpu as f64 * 1000.0 / count as f64,
        deployment("web-1-1", 100).len(),
    );
    Ok(())
}

async fn clusters() -> Outcome<()> {
    const CLUSTERS: usize = 100;
    const OBJECTS: usize = 200;
    const WATCHES: usize = 20;
    let running = started(CLUSTERS - 1).await?;
    let mut client = Client::to(&running).await?;
    let mut watches = Vec::new();
    let names: Vec<String> = running.clusters().map(str::to_owned).collect();
    for name in &names {
        let root = if name == "main" { String::new() } else { format!("/c/{name}") };
        for number in 0..OBJECTS {
            let name = format!("web-{number}");
            let path = format!(
                "{root}/apis/apps/v1/namespaces/default/deployments/{name}?fieldManager=load"
            );
            let body = deployment(&name, number as u64);
            let (code, answer) =
                client.ask("PATCH", &path, "application/apply-patch+yaml", &body).await?;
            if code >= 300 {
                return Err(format!("answered {code}: {answer}").into());
            }
        }
        for _ in 0..WATCHES {
            let mut watch = Client::to(&running).await?;
            watch.send("GET", &format!("{root}/apis/apps/v1/deployments?watch=1&resourceVersion=0&labelSelector=none"), "", "").await?;
            watches.push(watch);
        }
    }
    println!(
        "{CLUSTERS} clusters of {OBJECTS} Deployments and {WATCHES} watches: {} MB at most, the {} clients included",
        status_mb("VmHWM:"),
        watches.len(),
    );
    Ok(())
}

/// A Deployment of 2 KB.
fn deployment(name: &str, number: u64) -> String {
    let environment: Vec<String> = (0..22)
        .map(|at| format!(r#"{{"name":"VARIABLE_{at}","value":"value {}"}}"#, number + at))
        .collect();
    format!(
        r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"{name}","labels":{{"app.kubernetes.io/name":"{name}","app.kubernetes.io/part-of":"shop","app.kubernetes.io/managed-by":"load"}},"annotations":{{"example.com/revision":"{number}"}}}},"spec":{{"replicas":2,"selector":{{"matchLabels":{{"app.kubernetes.io/name":"{name}"}}}},"strategy":{{"type":"RollingUpdate","rollingUpdate":{{"maxSurge":1,"maxUnavailable":0}}}},"template":{{"metadata":{{"labels":{{"app.kubernetes.io/name":"{name}","app.kubernetes.io/part-of":"shop"}}}},"spec":{{"serviceAccountName":"default","containers":[{{"name":"web","image":"registry.example.com/shop/web:1.2.{number}","args":["--listen=:8080"],"env":[{}],"ports":[{{"containerPort":8080,"name":"http"}}],"resources":{{"requests":{{"cpu":"100m","memory":"64Mi"}},"limits":{{"memory":"128Mi"}}}},"readinessProbe":{{"httpGet":{{"path":"/healthz","port":"http"}}}},"volumeMounts":[{{"name":"config","mountPath":"/etc/web"}}]}}],"volumes":[{{"name":"config","configMap":{{"name":"web"}}}}]}}}}}}}}"#,
        environment.join(",")
    )
}

/// One connection, HTTP/1.1 by hand: a client library would be most of what is measured.
struct Client {
    stream: TlsStream<TcpStream>,
    token: String,
    buffer: Vec<u8>,
}

impl Client {
    async fn to(running: &Running) -> Outcome<Client> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(running.ca_pem().as_bytes()) {
            roots.add(certificate?)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let address: SocketAddr = running.url().trim_start_matches("https://").parse()?;
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::from(address.ip());
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Client { stream, token: running.token().to_owned(), buffer: Vec::new() })
    }

    async fn send(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> Outcome<()> {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\nuser-agent: load/1\r\naccept: application/json\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await?;
        Ok(self.stream.flush().await?)
    }

    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        content_type: &str,
        body: &str,
    ) -> Outcome<(u16, String)> {
        self.send(method, path, content_type, body).await?;
        self.buffer.clear();
        loop {
            let end = self.buffer.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8_lossy(&self.buffer[..end]).to_ascii_lowercase();
                let code = head.split(' ').nth(1).and_then(|text| text.parse().ok());
                let length: Option<usize> = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
                let (Some(code), Some(length)) = (code, length) else {
                    return Err(format!("an answer without a length: {head}").into());
                };
                let whole: usize = end + 4 + length;
                while self.buffer.len() < whole {
                    self.more().await?;
                }
                let body = if code < 300 {
                    String::new()
                } else {
                    String::from_utf8_lossy(&self.buffer[end + 4..whole]).into_owned()
                };
                return Ok((code, body));
            }
            self.more().await?;
        }
    }

    async fn more(&mut self) -> Outcome<()> {
        self.buffer.reserve(16 << 10);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err("the server hung up".into()),
            _ => Ok(()),
        }
    }
}

fn status_mb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
    kb.and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// CPU that this process has used, in milliseconds.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        after.split_whitespace().skip(11).take(2).filter_map(|text| text.parse::<u64>().ok());
    ticks.sum::<u64>() * 10
}
