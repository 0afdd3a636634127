//! Real git servers on loopback: `git http-backend` behind a small HTTP server, and sshd.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// How a test's HTTP server behaves.
#[derive(Clone, Default)]
pub(crate) struct Behaviour {
    /// Repositories lie under it.
    pub(crate) root: PathBuf,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Requests without exactly this header are refused with 401.
    pub(crate) authorization: Option<String>,
    /// As a proxy: requests without exactly this header are refused with 407.
    pub(crate) proxy_authorization: Option<String>,
    /// Path prefixes that are answered by a redirect: from, to.
    pub(crate) moved: Option<(String, String)>,
    /// Answers of its own, by path without the query.
    pub(crate) answers: Vec<(String, String)>,
}

/// A running server; its thread ends with the test process.
pub(crate) struct HttpServer {
    pub(crate) address: SocketAddr,
    /// Method and target of each request, then its `Authorization`.
    pub(crate) seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl HttpServer {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        let address = listener.local_addr().expect("it is bound");
        let seen = Arc::<Mutex<Vec<_>>>::default();
        let (behaviour, record) = (Arc::new(behaviour), seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (behaviour, record) = (behaviour.clone(), record.clone());
                std::thread::spawn(move || match &behaviour.tls {
                    Some(tls) => {
                        let tls = ServerConnection::new(tls.clone()).expect("the config is fine");
                        serve(StreamOwned::new(tls, stream), &behaviour, &record);
                    }
                    None => serve(stream, &behaviour, &record),
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn count(&self, part: &str) -> usize {
        self.seen.lock().iter().filter(|(request, _)| request.contains(part)).count()
    }
}

/// Answers one request; whoever asks again connects again.
fn serve(stream: impl Read + Write, behaviour: &Behaviour, seen: &Mutex<Vec<(String, String)>>) {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        match stream.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.trim().is_empty() => break,
            Ok(_) => head.push(line.trim().to_owned()),
        }
    }
    let header = |name: &str| -> String {
        let found = head.iter().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        found.unwrap_or_default()
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    if stream.read_exact(&mut body).is_err() {
        return;
    }
    let mut words = head[0].split(' ');
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    seen.lock().push((format!("{method} {target}"), header("authorization")));
    // A proxy is asked for whole URLs.
    let path = match target.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/').unwrap_or(rest.len())..],
        None => target,
    };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut out = stream.into_inner();
    let mut answer = |status: &str, headers: &str, body: &[u8]| {
        let len = body.len();
        let head = format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {len}\r\nConnection: close\r\n\r\n"
        );
        out.write_all(head.as_bytes()).and_then(|()| out.write_all(body)).ok();
        out.flush().ok();
    };
    let wanted = |expected: &Option<String>, name: &str| {
        expected.as_ref().is_some_and(|expected| header(name) != *expected)
    };
    if wanted(&behaviour.proxy_authorization, "proxy-authorization") {
        return answer("407 Proxy Authentication Required", "", b"");
    }
    if let Some((_, body)) = behaviour.answers.iter().find(|(known, _)| known == path) {
        return answer("200 OK", "Content-Type: application/json\r\n", body.as_bytes());
    }
    if wanted(&behaviour.authorization, "authorization") {
        return answer("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n", b"");
    }
    if let Some((from, to)) = &behaviour.moved
        && let Some(rest) = path.strip_prefix(from.as_str())
    {
        let location = format!("Location: {to}{rest}?{query}\r\n");
        return answer("301 Moved Permanently", &location, b"");
    }
    let said = http_backend(&behaviour.root, method, path, query, &header, &body);
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").map_or(said.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&said[..end]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
    let headers: String = head
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("Status: "))
        .map(|line| format!("{line}\r\n"))
        .collect();
    answer(status.unwrap_or("200 OK"), &headers, &said[end..]);
}

fn http_backend(
    root: &Path,
    method: &str,
    path: &str,
    query: &str,
    header: &dyn Fn(&str) -> String,
    body: &[u8],
) -> Vec<u8> {
    let mut child = Command::new("git")
        .arg("http-backend")
        .envs([("GIT_HTTP_EXPORT_ALL", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null")])
        .env("GIT_PROJECT_ROOT", root)
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git http-backend is installed");
    child.stdin.take().expect("it is piped").write_all(body).ok();
    child.wait_with_output().expect("it ends").stdout
}

/// An OpenSSH server: each connection is served by a process of its own, as from inetd.
pub(crate) struct SshServer {
    pub(crate) port: u16,
    dir: PathBuf,
}

const SSHD: &str = "/usr/sbin/sshd";

impl SshServer {
    /// `None`, and a line that says so, where sshd is not installed.
    pub(crate) fn start(dir: &Path, host_keys: &[&str], certificate: Option<&str>) -> Option<Self> {
        if !Path::new(SSHD).exists() {
            eprintln!("skipped: no sshd");
            return None;
        }
        // Where sshd as root wants to find its empty directory.
        std::fs::create_dir_all("/run/sshd").ok();
        let mut config = format!(
            "AuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nAcceptEnv GIT_PROTOCOL\n\
             PermitRootLogin yes\nPasswordAuthentication no\nPidFile none\n",
            dir.join("authorized_keys").display()
        );
        for key in host_keys {
            config.push_str(&format!("HostKey {}\n", dir.join(key).display()));
        }
        if let Some(certificate) = certificate {
            config.push_str(&format!("HostCertificate {}\n", dir.join(certificate).display()));
        }
        let config_file = dir.join("sshd_config");
        std::fs::write(&config_file, config).expect("write");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port");
        let port = listener.local_addr().expect("it is bound").port();
        let log = dir.join("sshd.log");
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let socket = |stream: &TcpStream| {
                    std::os::fd::OwnedFd::from(stream.try_clone().expect("a socket can be shared"))
                };
                let child = Command::new(SSHD)
                    .args(["-i", "-E"])
                    .arg(&log)
                    .arg("-f")
                    .arg(&config_file)
                    .stdin(socket(&stream))
                    .stdout(socket(&stream))
                    .spawn();
                std::thread::spawn(move || child.expect("sshd starts").wait());
            }
        });
        Some(Self { port, dir: dir.to_owned() })
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("sshd.log")).unwrap_or_default()
    }
}

/// Makes a key pair and returns the private key's text; the public one lies beside it.
pub(crate) fn ssh_keygen(dir: &Path, name: &str, args: &[&str]) -> String {
    let file = dir.join(name);
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-C", "test", "-f"])
        .arg(&file)
        .args(args)
        .status()
        .expect("ssh-keygen is installed");
    assert!(made.success());
    std::fs::read_to_string(file).expect("it was written")
}

pub(crate) fn user() -> String {
    let said = Command::new("id").arg("-un").output().expect("id is installed").stdout;
    String::from_utf8_lossy(&said).trim().to_owned()
}
