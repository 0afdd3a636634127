use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use filetree::TreePath;
use source::WebLimits;

use super::*;

pub(crate) type Answers = Vec<(String, Vec<u8>)>;

/// A server of fixed answers by path; the paths that were asked for.
pub(crate) fn serve(
    answers: impl FnOnce(SocketAddr) -> Answers,
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answers = answers(address);
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let record = seen.clone();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let path =
                head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or("").to_owned();
            let found = answers.iter().find(|(known, _)| *known == path);
            let (status, body) = match found {
                Some((_, body)) => ("200 OK", body.as_slice()),
                None => ("404 Not Found", &b""[..]),
            };
            record.lock().push(path);
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
        }
    });
    (address, seen)
}

pub(crate) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut builder = tar::Builder::new(gzip);
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn rendering() -> settings::Rendering {
    settings::Settings::default().rendering
}

const INDEX: &str = r#"apiVersion: v1
entries:
  other:
  - name: other
    version: 9.0.0
    urls:
    - other-9.0.0.tgz
  web:
  - name: web
    description: |
      text
        indented: yes
    version: 1.10.0
    urls:
    - charts/web-1.10.0.tgz
  - name: web
    version: 1.9.0
    urls:
    - https://elsewhere.example.com/web-1.9.0.tgz
  - name: web
    version: 2.0.0-rc.1
    urls: [web-2.tgz]
generated: "2026-01-01T00:00:00Z"
"#;

#[test]
fn one_charts_entry_is_found_in_any_index() {
    let found = index::releases(INDEX.as_bytes(), "web").unwrap();
    let versions: Vec<&str> = found.iter().map(|release| release.version.as_str()).collect();
    assert_eq!(versions, ["1.10.0", "1.9.0", "2.0.0-rc.1"]);
    assert_eq!(found[0].url, "charts/web-1.10.0.tgz");
    assert!(index::releases(INDEX.as_bytes(), "none").unwrap().is_empty());
    let json = r#"{"entries": {"web": [{"version": "1.0.0", "urls": ["a.tgz"], "digest": "ab"}]}}"#;
    let found = index::releases(json.as_bytes(), "web").unwrap();
    assert_eq!((found[0].url.as_str(), found[0].digest.as_str()), ("a.tgz", "ab"));
    let wide =
        "entries:\n    web:\n        - version: 1.2.3\n          urls:\n            - a.tgz\n";
    assert_eq!(index::releases(wide.as_bytes(), "web").unwrap()[0].version, "1.2.3");
    assert!(index::releases(b"<html>", "web").is_err());
}

#[test]
fn a_revision_wants_one_version_or_the_highest_of_a_range() {
    let versions = ["1.10.0", "1.9.0", "2.0.0-rc.1", "v3.0.0", "latest"];
    for (revision, expected) in [
        ("", Some("v3.0.0")),
        ("*", Some("v3.0.0")),
        ("1.9.0", Some("1.9.0")),
        ("v1.9.0", Some("1.9.0")),
        ("3.0.0", Some("v3.0.0")),
        ("1.x", Some("1.10.0")),
        ("~1.9", Some("1.9.0")),
        (">=2.0.0-0 <3", Some("2.0.0-rc.1")),
        ("latest", Some("latest")),
        ("4.0.0", None),
        (">4", None),
    ] {
        let found = Wanted::of(revision).best(versions.into_iter());
        assert_eq!(found, expected, "{revision}");
    }
}

fn repository(address: SocketAddr, chart: &str) -> Shelf {
    Shelf::Repository {
        url: format!("http://{address}/repo/"),
        chart: chart.to_owned(),
        credentials: Arc::default(),
        pass_credentials: false,
    }
}

fn text(tree: &dyn FileTree, path: &str) -> String {
    let bytes = tree.read(&TreePath::parse(path).unwrap()).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn revision_and_artifact(pin: &Pin) -> (&str, &Arc<Artifact>) {
    match pin {
        Pin::Artifact(artifact) => (&artifact.revision, artifact),
        Pin::Commit(_) => panic!("a chart is no commit"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chart_is_read_from_a_repository_and_fetched_once() {
    let chart = archive(&[("web/Chart.yaml", "name: web"), ("web/templates/a.yaml", "x")]);
    let (address, seen) = serve(|_| {
        vec![
            ("/repo/index.yaml".to_owned(), INDEX.as_bytes().to_vec()),
            ("/repo/charts/web-1.10.0.tgz".to_owned(), chart),
        ]
    });
    let artifacts = Artifacts::new(Web::new(WebLimits::default()));
    let shelf = repository(address, "web");
    let pin = artifacts.resolve(&shelf, "1.*", Freshness::Latest).await.unwrap();
    let (revision, artifact) = revision_and_artifact(&pin);
    assert_eq!(revision, "1.10.0");
    for _ in 0..2 {
        let tree = artifacts.tree(&shelf, artifact, &rendering()).await.unwrap();
        assert_eq!(text(tree.as_ref(), "Chart.yaml"), "name: web");
        assert_eq!(text(tree.as_ref(), "templates/a.yaml"), "x");
    }
    assert_eq!(artifacts.resolve(&shelf, "1.*", Freshness::Known).await.unwrap(), pin);
    assert_eq!(*seen.lock(), ["/repo/index.yaml", "/repo/charts/web-1.10.0.tgz"]);

    for (chart, revision, expected) in [
        ("none", "*", "chart `none` is not in the index"),
        ("web", "7.0.0", "`7.0.0` matches no version of chart `web`"),
    ] {
        let shelf = repository(address, chart);
        let error = artifacts.resolve(&shelf, revision, Freshness::Known).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_gives_charts_by_version_and_files_by_tag() {
    let image = |kind: &str, blob: &[u8]| {
        let digest = hex(&sha256(blob));
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"x"}},"layers":[{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{}}}]}}"#,
            blob.len()
        );
        (digest, manifest)
    };
    let chart = archive(&[("web/Chart.yaml", "name: web")]);
    let files = archive(&[("app/a.yaml", "a: 1")]);
    let (chart_digest, chart_manifest) = image(CHART_LAYER, &chart);
    let (files_digest, files_manifest) = image(FILE_LAYERS[1], &files);
    let (_, strange_manifest) = image("text/plain", b"x");
    let (address, _) = serve(|_| {
        vec![
            ("/v2/c/web/tags/list?n=1000".to_owned(), br#"{"tags":["1.0.0","1.1.0_b1"]}"#.to_vec()),
            ("/v2/c/web/manifests/1.1.0_b1".to_owned(), chart_manifest.clone().into_bytes()),
            (format!("/v2/c/web/blobs/sha256:{chart_digest}"), chart.clone()),
            ("/v2/files/manifests/stable".to_owned(), files_manifest.clone().into_bytes()),
            (format!("/v2/files/blobs/sha256:{files_digest}"), files.clone()),
            ("/v2/files/manifests/odd".to_owned(), strange_manifest.into_bytes()),
        ]
    });
    let artifacts = Artifacts::new(Web::new(WebLimits::default()));
    let shelf = |path: &str, chart| Shelf::Registry {
        image: Image::parse(&format!("oci://{address}/{path}"), true).unwrap(),
        chart,
        credentials: Arc::default(),
    };
    let web = shelf("c/web", true);
    let pin = artifacts.resolve(&web, "^1.0.0", Freshness::Latest).await.unwrap();
    let (revision, artifact) = revision_and_artifact(&pin);
    assert_eq!(revision, "1.1.0+b1");
    let tree = artifacts.tree(&web, artifact, &rendering()).await.unwrap();
    assert_eq!(text(tree.as_ref(), "Chart.yaml"), "name: web");

    let plain = shelf("files", false);
    let pin = artifacts.resolve(&plain, "stable", Freshness::Latest).await.unwrap();
    let (revision, artifact) = revision_and_artifact(&pin);
    assert_eq!(revision, format!("sha256:{}", hex(&sha256(files_manifest.as_bytes()))));
    let tree = artifacts.tree(&plain, artifact, &rendering()).await.unwrap();
    assert_eq!(text(tree.as_ref(), "app/a.yaml"), "a: 1");

    let error = artifacts.resolve(&plain, "odd", Freshness::Latest).await.unwrap_err();
    assert!(error.to_string().contains("media type is not in the list"), "{error}");
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).to_vec()
}

#[test]
fn an_archive_stays_in_its_place() {
    let (tree, bytes) =
        archive::unpack(&archive(&[("web/a", "12"), ("web/b/c", "3")]), true, Some(3)).unwrap();
    assert_eq!((text(&tree, "b/c").as_str(), bytes), ("3", 3));
    let plain = archive(&[("a/b", "1")]);
    assert_eq!(text(&archive::unpack(&plain, false, None).unwrap().0, "a/b"), "1");
    assert!(archive::unpack(b"no archive", true, None).is_err());
    assert!(archive::unpack(&archive(&[]), true, None).is_err());
    let large = archive(&[("web/a", "12"), ("web/b/c", "34")]);
    let said = archive::unpack(&large, true, Some(3)).unwrap_err();
    assert_eq!(said, "its files have more than 3 bytes");
}
