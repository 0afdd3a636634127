//! Repositories behind real git servers on loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use filetree::{FileTree, TreePath};
use parking_lot::Mutex;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::sync::mpsc;

use crate::testing::server::{Behaviour, HttpServer, SshServer, ssh_keygen, user};
use crate::testing::{Fixture, PATIENCE, open, sources};
use crate::transport::http::basic;
use crate::{
    Config, Credentials, Freshness, GithubApp, Limits, Live, Observer, Repository, RequestKind,
    Retry, SourceError, Sources, TreeOptions,
};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).expect("a test's path is safe")
}

fn serving(root: &Path) -> Behaviour {
    Behaviour { root: root.to_owned(), ..Behaviour::default() }
}

fn with(sources: &Sources, url: &str, credentials: Credentials) -> Repository {
    sources.repository(url, &Arc::new(credentials)).expect("the URL and credentials are fine")
}

async fn tree_of(repo: &Repository, revision: &str) -> Result<Arc<dyn FileTree>, SourceError> {
    let resolved = repo.resolve(revision, Freshness::Latest).await?;
    repo.tree(resolved.commit, &TreeOptions::default()).await
}

async fn read(repo: &Repository, revision: &str, file: &str) -> Result<String, SourceError> {
    let tree = tree_of(repo, revision).await?;
    let bytes = tree.read(&path(file)).expect("the file is there");
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Counts requests.
#[derive(Default)]
struct Counts(Mutex<Vec<(RequestKind, bool)>>);

impl Observer for Counts {
    fn git_request(&self, _: &str, kind: RequestKind, _: Duration, ok: bool) {
        self.0.lock().push((kind, ok));
    }
}

impl Counts {
    fn of(&self, kind: RequestKind) -> usize {
        self.0.lock().iter().filter(|(known, _)| *known == kind).count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_listed_and_fetched_once_however_many_ask() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("root/repo"), &[("a.yaml", "1")]);
    let server = HttpServer::start(serving(&dir.path().join("root")));
    let url = format!("http://{}/repo/.git", server.address);
    let counts = Arc::new(Counts::default());
    let here = Sources::with_observer(Config::new(dir.path().join("cache")), counts.clone());

    let many: Vec<_> = (0..20)
        .map(|_| {
            let repo = open(&here, &url);
            tokio::spawn(async move { read(&repo, "main", "a.yaml").await })
        })
        .collect();
    for one in many {
        assert_eq!(one.await.unwrap().unwrap(), "1");
    }
    assert_eq!(counts.of(RequestKind::Fetch), 1);
    assert!(counts.of(RequestKind::LsRemote) <= 2, "who asks while one asks waits for the next");

    // Another commit, branches whose names are in each other's way, and tags.
    made.git(&["branch", "a"]);
    let repo = open(&here, &url);
    assert_eq!(read(&repo, "a", "a.yaml").await.unwrap(), "1");
    assert_eq!(counts.of(RequestKind::Fetch), 1, "the commit was here");
    made.git(&["branch", "-D", "a"]);
    made.git(&["branch", "a/b"]);
    let old = made.head();
    made.commit(&[("a.yaml", "2")]);
    made.git(&["tag", "-a", "-m", "x", "v1.2.0"]);
    made.git(&["update-ref", "refs/pull/7/head", "HEAD"]);
    assert_eq!(read(&repo, "1.x", "a.yaml").await.unwrap(), "2");
    assert_eq!(counts.of(RequestKind::Fetch), 2);
    assert_eq!(read(&repo, "a/b", "a.yaml").await.unwrap(), "1");
    assert_eq!(read(&repo, &old[..8], "a.yaml").await.unwrap(), "1");
    assert_eq!(read(&repo, &old, "a.yaml").await.unwrap(), "1");
    assert_eq!(read(&repo, "pull/7/head", "a.yaml").await.unwrap(), "2");
    let said = repo.metadata(made.head().parse().unwrap()).await.unwrap();
    assert_eq!(said.tags, ["v1.2.0"]);

    // A commit that no name leads to any more is fetched by its id.
    let lost = made.commit(&[("a.yaml", "lost")]);
    made.git(&["reset", "-q", "--hard", "HEAD~1"]);
    assert_eq!(read(&repo, &lost, "a.yaml").await.unwrap(), "lost");
    let never = "0123456789012345678901234567890123456789";
    let error = tree_of(&repo, never).await.err().unwrap();
    assert!(matches!(error, SourceError::UnknownRevision { .. }), "{error}");
    let error = tree_of(&repo, "nowhere").await.err().unwrap();
    assert!(matches!(error, SourceError::UnknownRevision { .. }), "{error}");

    // The mirror outlives the process.
    let again = Arc::new(Counts::default());
    let later = Sources::with_observer(Config::new(dir.path().join("cache")), again.clone());
    assert_eq!(read(&open(&later, &url), "main", "a.yaml").await.unwrap(), "2");
    assert_eq!(again.of(RequestKind::Fetch), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn basic_access_and_tokens_work_over_plain_http_and_wrong_ones_are_told() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::new(&dir.path().join("root/repo"), &[("a.yaml", "1")]);
    let here = sources(dir.path());
    let start = |authorization: &str| {
        let server = HttpServer::start(Behaviour {
            authorization: Some(authorization.to_owned()),
            ..serving(&dir.path().join("root"))
        });
        format!("http://{}/repo/.git", server.address)
    };
    let user = |name: &str, password: &str| Credentials {
        username: name.to_owned(),
        password: password.to_owned(),
        ..Credentials::default()
    };
    let basic_url = start(&basic("me", "s3cret"));
    let repo = with(&here, &basic_url, user("me", "s3cret"));
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
    let in_url = basic_url.replace("http://", "http://me:s3cret@");
    assert_eq!(read(&open(&here, &in_url), "main", "a.yaml").await.unwrap(), "1");

    let wrong = tree_of(&with(&here, &basic_url, user("me", "wr0ng")), "main").await;
    let wrong = wrong.err().unwrap();
    assert!(matches!(wrong, SourceError::AccessRefused { .. }), "{wrong}");
    assert!(
        wrong.to_string().contains("authentication failed") && !wrong.to_string().contains("wr0ng")
    );
    let anonymous = open(&here, &basic_url);
    let commit = repo.resolve("main", Freshness::Latest).await.unwrap().commit;
    let error = anonymous.tree(commit, &TreeOptions::default()).await.err().unwrap();
    assert!(
        error.to_string().contains("authentication required"),
        "others' mirror is not read: {error}"
    );

    let token = user("", "tok3n");
    let repo = with(&here, &start(&basic("x-access-token", "tok3n")), token);
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
    let bearer = Credentials { bearer_token: "b3arer".to_owned(), ..Credentials::default() };
    let repo = with(&here, &start("Bearer b3arer"), bearer);
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
}

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        Arc::new(roots)
    }
}

fn tls(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
    clients: Option<&Authority>,
) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        Some(authority) => builder.with_client_cert_verifier(
            WebPkiClientVerifier::builder_with_provider(authority.roots(), provider)
                .build()
                .unwrap(),
        ),
        None => builder.with_no_client_auth(),
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Arc::new(builder.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn https_servers_are_believed_as_the_credentials_say() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::new(&dir.path().join("root/repo"), &[("a.yaml", "1")]);
    let here = sources(dir.path());
    let start = |tls: Arc<ServerConfig>| {
        let behaviour = Behaviour { tls: Some(tls), ..serving(&dir.path().join("root")) };
        format!("https://{}/repo/.git", HttpServer::start(behaviour).address)
    };
    let authority = Authority::new();
    let (certificate, key) = authority.sign("127.0.0.1");
    let url = start(tls(&certificate, &key, None));
    let trusting = |pem: String| Credentials { ca_certs: pem, ..Credentials::default() };

    let repo = with(&here, &url, trusting(authority.0.pem()));
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
    let repo = with(&here, &url, Credentials { insecure: true, ..Credentials::default() });
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
    let error = tree_of(&with(&here, &url, trusting(Authority::new().0.pem())), "main").await;
    let error = error.err().unwrap();
    assert!(matches!(error, SourceError::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    let broken = with_result(&here, &url, trusting("no certificate".to_owned())).await;
    assert!(matches!(broken, SourceError::BadCredentials { .. }), "{broken}");

    // The server's own self-signed certificate, given as what to trust.
    for is_ca in [IsCa::NoCa, IsCa::Ca(rcgen::BasicConstraints::Unconstrained)] {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let own = params.self_signed(&key).unwrap();
        let repo = with(&here, &start(tls(&own, &key, None)), trusting(own.pem()));
        assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
    }
    let key = KeyPair::generate().unwrap();
    let named = CertificateParams::new(vec!["else.example".to_owned()]).unwrap();
    let named = named.self_signed(&key).unwrap();
    let repo = with(&here, &start(tls(&named, &key, None)), trusting(named.pem()));
    assert!(tree_of(&repo, "main").await.is_err(), "another host's certificate");

    // A server that wants to know who asks.
    let clients = Authority::new();
    let (certificate, key) = authority.sign("127.0.0.1");
    let url = start(tls(&certificate, &key, Some(&clients)));
    let (client, client_key) = clients.sign("client");
    let known = Credentials {
        tls_client_cert: client.pem(),
        tls_client_key: client_key.serialize_pem(),
        ..trusting(authority.0.pem())
    };
    assert_eq!(read(&with(&here, &url, known), "main", "a.yaml").await.unwrap(), "1");
    let unknown = with(&here, &url, trusting(authority.0.pem()));
    assert!(tree_of(&unknown, "main").await.is_err());
}

async fn with_result(sources: &Sources, url: &str, credentials: Credentials) -> SourceError {
    match sources.repository(url, &Arc::new(credentials)) {
        Ok(repo) => tree_of(&repo, "main").await.err().expect("it cannot be read"),
        Err(error) => error,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn proxies_redirects_depths_and_submodules_work_over_http() {
    let dir = tempfile::tempdir().unwrap();
    let lib = Fixture::new(&dir.path().join("root/lib"), &[("lib.yaml", "lib")]);
    let made = Fixture::new(&dir.path().join("root/repo"), &[("a.yaml", "1")]);
    made.git(&["submodule", "--quiet", "add", &lib.url(), "lib"]);
    made.git(&["config", "-f", ".gitmodules", "submodule.lib.url", "../../lib/.git"]);
    let second = made.commit(&[("a.yaml", "2")]);
    let here = sources(dir.path());

    let proxy = HttpServer::start(Behaviour {
        proxy_authorization: Some(basic("me", "pr0xy")),
        ..serving(&dir.path().join("root"))
    });
    let through = |password: &str| Credentials {
        proxy: format!("http://me:{password}@{}", proxy.address),
        ..Credentials::default()
    };
    let url = "http://git.example/repo/.git";
    assert_eq!(
        read(&with(&here, url, through("pr0xy")), "main", "lib/lib.yaml").await.unwrap(),
        "lib"
    );
    assert!(proxy.count("GET http://git.example/repo/.git/info/refs") > 0);
    let error = tree_of(&with(&here, url, through("wr0ng")), "main").await.err().unwrap();
    assert!(error.to_string().contains("407"), "{error}");

    let server = HttpServer::start(Behaviour {
        moved: Some(("/old/".to_owned(), "/repo/".to_owned())),
        ..serving(&dir.path().join("root"))
    });
    let moved = open(&here, &format!("http://{}/old/.git", server.address));
    let off = TreeOptions { submodules: false, ..TreeOptions::default() };
    let tree = moved.tree(second.parse().unwrap(), &off).await.unwrap();
    assert_eq!(&*tree.read(&path("a.yaml")).unwrap(), b"2");

    let shallow = Credentials { depth: Some(1), ..Credentials::default() };
    let repo = with(&here, &format!("http://{}/repo/.git", server.address), shallow);
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "2");
    let cache = dir.path().join("cache/git");
    let is_shallow = |dir: &Path| dir.join("0/shallow").exists();
    let mirrors: Vec<_> =
        std::fs::read_dir(cache).unwrap().map(|dir| dir.unwrap().path()).collect();
    assert!(
        mirrors.iter().any(|dir| is_shallow(dir)) && !mirrors.iter().all(|dir| is_shallow(dir))
    );

    // What a server sends does not make this host read its own files.
    made.git(&["config", "-f", ".gitmodules", "submodule.lib.url", &lib.url()]);
    made.commit(&[]);
    let repo = open(&here, &format!("http://{}/repo/.git", server.address));
    let error = tree_of(&repo, "main").await.err().unwrap();
    assert!(
        matches!(&error, SourceError::Submodule { cause, .. }
        if matches!(**cause, SourceError::FileNotAllowed { .. })),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_too_large_or_silent_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let noise: String =
        (0..40_000_u64).map(|n| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    Fixture::new(&dir.path().join("root/repo"), &[("noise", &noise)]);
    let server = HttpServer::start(serving(&dir.path().join("root")));
    let limited = |limits: Limits, name: &str| {
        Sources::new(Config { limits, ..Config::new(dir.path().join(name)) })
    };
    let at = |path: &str| format!("http://{}/{path}", server.address);

    let error = tree_of(&open(&sources(dir.path()), &at("none/.git")), "main").await.err().unwrap();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");

    let small = limited(Limits { pack_bytes_max: 10_000, ..Limits::default() }, "small");
    let error = tree_of(&open(&small, &at("repo/.git")), "main").await.err().unwrap();
    assert!(matches!(error, SourceError::PackTooLarge { .. }), "{error}");

    // It takes connections, and never says a word.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    let short = Duration::from_millis(50);
    let live = Live { request_timeout: short, ..Live::default() };
    let hasty = Sources::new(Config { live, ..Config::new(dir.path().join("hasty")) });
    for url in [format!("http://{address}/repo"), format!("ssh://git@{address}/repo")] {
        let error = tree_of(&open(&hasty, &url), "main").await.err().unwrap();
        assert!(matches!(error, SourceError::TimedOut { .. }), "{error}");
    }
    drop(silent);
    let patient = sources(dir.path());
    let error = tree_of(&open(&patient, &format!("http://{address}/repo")), "main").await;
    assert!(matches!(error.err(), Some(SourceError::Unreachable { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_server_is_polled_and_tells_of_changes_alone() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("root/repo"), &[("a.yaml", "1")]);
    let server = HttpServer::start(serving(&dir.path().join("root")));
    let url = format!("http://{}/repo/.git", server.address);
    let here = Sources::new(Config {
        live: Live {
            poll_interval: Some(Duration::from_millis(20)),
            poll_jitter: Duration::from_millis(5),
            ..Live::default()
        },
        ..Config::new(dir.path().join("cache"))
    });
    let (told, mut heard) = mpsc::unbounded_channel();
    here.on_change(Box::new(move |url| told.send(url.to_owned()).expect("the test listens")));
    let repo = open(&here, &url);
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
    let watch = here.watch(&repo).await;
    let second = made.commit(&[("a.yaml", "2")]);
    let said = tokio::time::timeout(PATIENCE, heard.recv()).await.expect("it is told");
    assert_eq!(said, Some(url));
    let resolved = repo.resolve("main", Freshness::Known).await.unwrap();
    assert_eq!(resolved.commit.to_string(), second);
    assert!(heard.try_recv().is_err());
    drop(watch);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worn_mirror_is_made_anew_while_its_readers_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("root/repo"), &[("a.yaml", "0")]);
    let server = HttpServer::start(serving(&dir.path().join("root")));
    let limits = Limits { mirror_packs_max: 2, ..Limits::default() };
    let here = Sources::new(Config { limits, ..Config::new(dir.path().join("cache")) });
    let repo = open(&here, &format!("http://{}/repo/.git", server.address));
    let first = tree_of(&repo, "main").await.unwrap();
    for round in 1..=4 {
        let text = round.to_string();
        made.commit(&[("a.yaml", &text)]);
        assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), text);
    }
    assert_eq!(&*first.read(&path("a.yaml")).unwrap(), b"0");
    let mirror = std::fs::read_dir(dir.path().join("cache/git")).unwrap().next().unwrap().unwrap();
    assert!(!mirror.path().join("current").metadata().unwrap().is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_github_app_buys_one_token_and_reads_with_it() {
    let dir = tempfile::tempdir().unwrap();
    Fixture::new(&dir.path().join("root/org/repo"), &[("a.yaml", "1")]);
    let key = ssh_keygen(dir.path(), "app", &["-t", "rsa", "-b", "2048", "-m", "PEM"]);
    let answer = |path: &str, body: &str| (path.to_owned(), body.to_owned());
    let server = HttpServer::start(Behaviour {
        authorization: Some(basic("x-access-token", "ghs_token")),
        answers: vec![
            answer("/api/v3/app/installations", r#"[{"id": 7, "account": {"login": "Org"}}]"#),
            answer(
                "/app/installations/7/access_tokens",
                r#"{"token": "ghs_token", "expires_at": "2100-01-01T00:00:00Z"}"#,
            ),
        ],
        ..serving(&dir.path().join("root"))
    });
    let app = |installation_id| Credentials {
        github_app: Some(GithubApp {
            id: 42,
            installation_id,
            private_key: key.clone(),
            enterprise_base_url: format!("http://{}", server.address),
        }),
        ..Credentials::default()
    };
    let here = sources(dir.path());
    let url = format!("http://{}/org/repo/.git", server.address);
    assert_eq!(read(&with(&here, &url, app(None)), "main", "a.yaml").await.unwrap(), "1");
    assert_eq!(read(&with(&here, &url, app(Some(7))), "main", "a.yaml").await.unwrap(), "1");
    assert_eq!(server.count("POST /app/installations/7/access_tokens"), 1);
    let seen = server.seen.lock().clone();
    let claim = seen.iter().find(|(request, _)| request.contains("access_tokens")).unwrap();
    assert!(claim.1.starts_with("Bearer ey") && claim.1.split('.').count() == 3);

    // A token that may not grow old is bought for each request.
    here.reload(Live { github_token_age: Duration::ZERO, ..Live::default() });
    assert_eq!(read(&with(&here, &url, app(Some(7))), "main", "a.yaml").await.unwrap(), "1");
    assert_eq!(server.count("POST /app/installations/7/access_tokens"), 2);
    here.reload(Live::default());

    let elsewhere = format!("http://{}/else/repo/.git", server.address);
    let error = tree_of(&with(&here, &elsewhere, app(None)), "main").await.err().unwrap();
    assert!(error.to_string().contains("not installed for `else`"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ssh_servers_are_read_with_every_kind_of_key_and_only_when_known() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("it's a repo"), &[("a.yaml", "1")]);
    let at = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let mut keys = Vec::new();
    let mut authorized = String::new();
    for (name, args) in [
        ("ed25519", &["-t", "ed25519"][..]),
        ("rsa", &["-t", "rsa", "-b", "2048"]),
        ("rsa-pem", &["-t", "rsa", "-b", "2048", "-m", "PEM"]),
        ("ecdsa", &["-t", "ecdsa", "-b", "256"]),
    ] {
        keys.push((name, ssh_keygen(dir.path(), name, args)));
        authorized.push_str(&at(&format!("{name}.pub")));
    }
    std::fs::write(dir.path().join("authorized_keys"), &authorized).unwrap();
    ssh_keygen(dir.path(), "host_ed", &["-t", "ed25519"]);
    ssh_keygen(dir.path(), "host_rsa", &["-t", "rsa", "-b", "2048"]);
    let Some(server) = SshServer::start(dir.path(), &["host_ed", "host_rsa"], None) else { return };

    let here = sources(dir.path());
    let port = server.port;
    let place = |path: &str| format!("ssh://{}@127.0.0.1:{port}{path}", user());
    let url = place(&made.dir().display().to_string());
    let known = |key: &str| format!("[127.0.0.1]:{port} {}", at(&format!("{key}.pub")));
    let reading = |key: &str, hosts: String| Credentials {
        ssh_private_key: key.to_owned(),
        ssh_known_hosts: hosts,
        ..Credentials::default()
    };
    for (name, key) in &keys {
        let repo = with(&here, &url, reading(key, known("host_ed")));
        let got = read(&repo, "main", "a.yaml").await;
        assert_eq!(got.as_deref(), Ok("1"), "{name}: {}", server.log());
    }
    let key = &keys[0].1;
    // Only the RSA host key is known: it is asked for first.
    let repo = with(&here, &url, reading(key, known("host_rsa")));
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "1");
    let second = made.commit(&[("a.yaml", "2")]);
    assert_eq!(read(&repo, "main", "a.yaml").await.unwrap(), "2");
    assert_eq!(read(&repo, &second[..7], "a.yaml").await.unwrap(), "2");

    let stranger = tree_of(&with(&here, &url, reading(key, String::new())), "main").await;
    let stranger = stranger.err().unwrap();
    assert!(matches!(stranger, SourceError::HostKey { .. }), "{stranger}");
    assert!(stranger.to_string().contains("key is unknown"), "{stranger}");
    let another = format!("[127.0.0.1]:{port} {}", at("ed25519.pub"));
    let error = tree_of(&with(&here, &url, reading(key, another)), "main").await.err().unwrap();
    assert!(error.to_string().contains("key mismatch"), "{error}");
    let careless = Credentials { insecure_ignore_host_key: true, ..reading(key, String::new()) };
    assert_eq!(read(&with(&here, &url, careless), "main", "a.yaml").await.unwrap(), "2");

    let unwelcome = ssh_keygen(dir.path(), "unwelcome", &["-t", "ed25519"]);
    let repo = with(&here, &url, reading(&unwelcome, known("host_ed")));
    let error = tree_of(&repo, "main").await.err().unwrap();
    assert!(matches!(error, SourceError::AccessRefused { .. }), "{error}");
    let broken = with(&here, &url, reading("no key", known("host_ed")));
    let error = tree_of(&broken, "main").await.err().unwrap();
    assert!(matches!(error, SourceError::BadCredentials { .. }), "{error}");
    let absent = with(&here, &place("/none/at/all"), reading(key, known("host_ed")));
    let error = tree_of(&absent, "main").await.err().unwrap();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ssh_host_with_a_certificate_is_known_by_its_authority() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    let at = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
    let key = ssh_keygen(dir.path(), "me", &["-t", "ed25519"]);
    std::fs::write(dir.path().join("authorized_keys"), at("me.pub")).unwrap();
    ssh_keygen(dir.path(), "host", &["-t", "ed25519"]);
    ssh_keygen(dir.path(), "authority", &["-t", "ed25519"]);
    let signed = std::process::Command::new("ssh-keygen")
        .current_dir(dir.path())
        .args(["-q", "-s", "authority", "-I", "test", "-h", "-n", "127.0.0.1", "host.pub"])
        .status()
        .unwrap();
    assert!(signed.success());
    let Some(server) = SshServer::start(dir.path(), &["host"], Some("host-cert.pub")) else {
        return;
    };
    let here = sources(dir.path());
    let url = format!("ssh://{}@127.0.0.1:{}{}", user(), server.port, made.dir().display());
    let trusting = |authority: &str| Credentials {
        ssh_private_key: key.clone(),
        ssh_known_hosts: format!("@cert-authority [127.0.0.1]:* {}", at(authority)),
        ..Credentials::default()
    };
    let repo = with(&here, &url, trusting("authority.pub"));
    let got = read(&repo, "main", "a.yaml").await;
    assert_eq!(got.as_deref(), Ok("1"), "{}", server.log());
    let error = tree_of(&with(&here, &url, trusting("me.pub")), "main").await.err().unwrap();
    assert!(matches!(error, SourceError::HostKey { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_is_asked_as_often_as_it_may_be() {
    let dir = tempfile::tempdir().unwrap();
    // Every connection is cut.
    let cutting = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/repo", cutting.local_addr().unwrap());
    std::thread::spawn(move || cutting.incoming().for_each(drop));
    let counts = Arc::new(Counts::default());
    let here = Sources::with_observer(Config::new(dir.path().join("cache")), counts.clone());
    let repo = open(&here, &url);
    assert!(tree_of(&repo, "main").await.is_err());
    assert_eq!(counts.of(RequestKind::LsRemote), 1);
    let first = Duration::from_millis(1);
    let retry = Retry { attempts_max: 3, first, ..Retry::default() };
    here.reload(Live { retry, ..Live::default() });
    assert!(tree_of(&repo, "main").await.is_err());
    assert_eq!(counts.of(RequestKind::LsRemote), 1 + 3, "a changed number holds at once");
    // What answers that there is no such repository has answered.
    let server = HttpServer::start(serving(dir.path()));
    let repo = open(&here, &format!("http://{}/none/.git", server.address));
    assert!(tree_of(&repo, "main").await.is_err());
    assert_eq!(counts.of(RequestKind::LsRemote), 1 + 3 + 1);
}

#[test]
fn waits_between_attempts_grow_up_to_the_longest() {
    let (first, max) = (Duration::from_secs(1), Duration::from_secs(5));
    let retry = Retry { attempts_max: 5, first, factor: 2, max };
    let waits = |retry: Retry| -> Vec<_> {
        (1..=5).map(|n| retry.wait_after(n).map(|wait| wait.as_secs())).collect()
    };
    assert_eq!(waits(retry), [Some(1), Some(2), Some(4), Some(5), None]);
    let unbounded = Retry { max: Duration::ZERO, ..retry };
    assert_eq!(waits(unbounded), [Some(1), Some(2), Some(4), Some(8), None]);
    assert_eq!(waits(Retry { attempts_max: 0, ..retry })[0], None);
}
