use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use parking_lot::Mutex;

use super::registry::Challenge;
use super::*;

/// A request as the server saw it.
#[derive(Clone, Debug)]
struct Asked {
    target: String,
    headers: HashMap<String, String>,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Asked>>>,
}

/// Status line, headers and body of an answer.
type Answer = (&'static str, String, Vec<u8>);

fn serve(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::<Mutex<Vec<Asked>>>::default();
    let record = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines =
                BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let Some(first) = lines.next() else { continue };
            let target = first.split(' ').nth(1).unwrap_or("").to_owned();
            let headers = lines
                .take_while(|line| !line.is_empty())
                .filter_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    Some((name.to_ascii_lowercase(), value.trim().to_owned()))
                })
                .collect();
            let asked = Asked { target, headers };
            record.lock().push(asked.clone());
            let (status, headers, body) = answer(&asked);
            let head = format!(
                "HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let mut stream = stream;
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    Server { address, seen }
}

fn user(name: &str, password: &str) -> Credentials {
    Credentials {
        username: name.to_owned(),
        password: password.to_owned(),
        ..Credentials::default()
    }
}

#[tokio::test]
async fn a_file_is_asked_for_again_only_as_a_question() {
    let server = serve(|asked| match asked.header("if-none-match") {
        "\"1\"" => ("304 Not Modified", String::new(), vec![]),
        _ => ("200 OK", "ETag: \"1\"\r\n".to_owned(), b"entries: {}".to_vec()),
    });
    let web = Web::new(WebLimits::default());
    let url = format!("http://{}/charts/index.yaml", server.address);
    let none = Credentials::default();
    for freshness in [Freshness::Latest, Freshness::Latest, Freshness::Known] {
        let got = web.get(&url, &none, Want::Index, freshness).await.unwrap();
        assert_eq!(&*got.content, b"entries: {}");
    }
    assert_eq!(server.seen.lock().len(), 2);
}

#[tokio::test]
async fn secrets_go_to_the_server_they_are_for_and_no_further() {
    let elsewhere = serve(|_| ("200 OK", String::new(), b"chart".to_vec()));
    let to = format!("Location: http://localhost:{}/x.tgz\r\n", elsewhere.address.port());
    let server = serve(move |asked| match asked.header("authorization") {
        "Basic bWU6cGFzcw==" => ("302 Found", to.clone(), vec![]),
        _ => ("401 Unauthorized", String::new(), vec![]),
    });
    let web = Web::new(WebLimits::default());
    let url = format!("http://{}/x.tgz", server.address);
    let got = web.get(&url, &user("me", "pass"), Want::Archive, Freshness::Latest).await.unwrap();
    assert_eq!(&*got.content, b"chart");
    assert_eq!(elsewhere.seen.lock()[0].header("authorization"), "");
    let error =
        web.get(&url, &user("me", "wrong"), Want::Archive, Freshness::Latest).await.unwrap_err();
    assert!(matches!(error, SourceError::AccessRefused { .. }), "{error}");
    assert!(!error.to_string().contains("wrong"), "{error}");
}

#[tokio::test]
async fn what_cannot_be_fetched_says_why() {
    let server = serve(|asked| match asked.target.as_str() {
        "/large" => ("200 OK", String::new(), vec![b'x'; 2000]),
        "/broken" => ("500 Internal Server Error", String::new(), vec![]),
        "/loop" => ("302 Found", "Location: /loop\r\n".to_owned(), vec![]),
        _ => ("404 Not Found", String::new(), vec![]),
    });
    let web = Web::new(WebLimits { file_bytes_max: 1000, ..WebLimits::default() });
    let none = Credentials::default();
    let base = format!("http://{}", server.address);
    for (url, expected) in [
        (format!("{base}/large"), "larger than the 1000 bytes"),
        (format!("{base}/broken"), "HTTP 500"),
        (format!("{base}/loop"), "more than 10 redirects"),
        (format!("{base}/none"), "there is nothing at"),
        ("file:///etc/passwd".to_owned(), "is nothing that files are fetched over"),
        ("nonsense".to_owned(), "is no repository URL"),
    ] {
        let error = web.get(&url, &none, Want::File, Freshness::Latest).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{url}: {error}");
    }
}

#[test]
fn names_of_images_are_checked() {
    let image = Image::parse("oci://127.0.0.1:5000/charts/web", true).unwrap();
    assert_eq!((image.host(), image.path()), ("127.0.0.1:5000", "charts/web"));
    assert_eq!(image.join("sub").unwrap().to_string(), "oci://127.0.0.1:5000/charts/web/sub");
    assert!(Image::parse("host.example.com/a", false).is_ok());
    for bad in
        ["oci://host", "oci:///a", "https://host/a", "host/../x", "host/A", "host/a//b", "h@x/a"]
    {
        assert!(Image::parse(bad, false).is_err(), "{bad}");
    }
}

#[test]
fn a_challenge_says_where_tokens_are_bought() {
    let challenge = Challenge::bearer(
        r#"Bearer realm="https://auth.example.com/token",service="registry", scope="repository:a:pull,push""#,
    );
    let challenge = challenge.unwrap();
    assert_eq!(challenge.realm, "https://auth.example.com/token");
    assert_eq!(challenge.service, "registry");
    assert_eq!(challenge.scope, "repository:a:pull,push");
    assert_eq!(Challenge::bearer("Basic realm=\"x\""), None);
}

/// A registry with one chart in it, which wants a token.
fn registry() -> Server {
    let blob = b"layer".to_vec();
    let layer = Bytes::of(blob.clone());
    let hex: String = layer.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let manifest = format!(
        r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:00","size":2}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:{hex}","size":5}}]}}"#
    );
    serve(move |asked| {
        if asked.target.starts_with("/token") {
            let granted = asked.header("authorization") == "Basic bWU6cGFzcw=="
                && asked.target.contains("scope=repository%3Acharts%2Fweb%3Apull");
            return if granted {
                ("200 OK", String::new(), br#"{"token":"bought"}"#.to_vec())
            } else {
                ("401 Unauthorized", String::new(), vec![])
            };
        }
        if asked.header("authorization") != "Bearer bought" {
            let host = asked.header("host");
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"r\",scope=\"repository:charts/web:pull\"\r\n"
            );
            return ("401 Unauthorized", challenge, vec![]);
        }
        match asked.target.as_str() {
            "/v2/charts/web/tags/list?n=1000" => (
                "200 OK",
                "Link: </v2/charts/web/tags/list?last=1.0.0>; rel=\"next\"\r\n".to_owned(),
                br#"{"name":"charts/web","tags":["1.0.0"]}"#.to_vec(),
            ),
            "/v2/charts/web/tags/list?last=1.0.0" => {
                ("200 OK", String::new(), br#"{"tags":["1.1.0"]}"#.to_vec())
            }
            "/v2/charts/web/manifests/1.1.0" => {
                ("200 OK", String::new(), manifest.clone().into_bytes())
            }
            target if target == format!("/v2/charts/web/blobs/sha256:{hex}") => {
                ("200 OK", String::new(), blob.clone())
            }
            _ => ("404 Not Found", String::new(), vec![]),
        }
    })
}

#[tokio::test]
async fn a_registry_is_read_with_a_token_that_is_bought_once() {
    let server = registry();
    let web = Web::new(WebLimits::default());
    let image = Image::parse(&format!("{}/charts/web", server.address), true).unwrap();
    let me = user("me", "pass");
    assert_eq!(web.tags(&image, &me).await.unwrap(), ["1.0.0", "1.1.0"]);
    let manifest = web.manifest(&image, "1.1.0", &me).await.unwrap();
    assert_eq!(manifest.artifact_type, "application/vnd.cncf.helm.config.v1+json");
    let layer = web.layer(&image, &manifest.layers[0], &me).await.unwrap();
    assert_eq!(&*layer.content, b"layer");
    let bought = |asked: &&Asked| asked.target.starts_with("/token");
    assert_eq!(server.seen.lock().iter().filter(bought).count(), 1);

    let other =
        Layer { digest: format!("sha256:{}", "0".repeat(64)), ..manifest.layers[0].clone() };
    assert!(matches!(web.layer(&image, &other, &me).await, Err(SourceError::Absent { .. })));
    assert!(matches!(web.manifest(&image, "9.9.9", &me).await, Err(SourceError::Absent { .. })));
    let refused = web.tags(&image, &user("me", "wrong")).await.unwrap_err();
    assert!(matches!(refused, SourceError::AccessRefused { .. }), "{refused}");
}
