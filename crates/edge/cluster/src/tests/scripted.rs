//! Against a server that says what the test tells it to: what a real one says too rarely.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use manifest::{GroupKind, ObjectKey};

use crate::limits::{Bucket, Places};
use crate::{
    Access, ApiError, Change, Cluster, Dial, KindState, Lens, Limits, LiveOptions, LiveSet,
    SecretAccess,
};

const SOON: Duration = Duration::from_secs(20);

/// What the server does with a request.
enum Reply {
    /// A whole answer.
    Json(u16, Value),
    /// As `Json`, with one header more.
    With(u16, &'static str, &'static str, Value),
    /// Lines; then the connection stays open and silent.
    Open(Vec<Value>),
    /// Lines; then the answer ends.
    Ended(Vec<Value>),
}

type Script = dyn Fn(&str, usize) -> Reply + Send + Sync;

/// Answers by a script, which is told the path with its query and how often it was asked for.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
    _task: JoinSet<()>,
}

impl Server {
    async fn start(script: impl Fn(&str, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let script: Arc<Script> = Arc::new(script);
        let counts = Arc::new(Mutex::new(HashMap::new()));
        let mut task = JoinSet::new();
        let log = asked.clone();
        task.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (script, log, counts) = (script.clone(), log.clone(), counts.clone());
                tokio::spawn(async move {
                    let _ = answer_all(stream, &*script, &log, &counts).await;
                });
            }
        });
        Self { port, asked, _task: task }
    }

    fn count(&self, part: &str) -> usize {
        self.asked.lock().iter().filter(|path| path.contains(part)).count()
    }

    async fn connect(&self) -> Cluster {
        let server = format!("http://127.0.0.1:{}", self.port);
        let access = Access::Secret(SecretAccess { server, config: String::new() });
        Cluster::connect(&access, Limits::default()).await.unwrap()
    }
}

async fn answer_all(
    mut stream: TcpStream,
    script: &Script,
    log: &Mutex<Vec<String>>,
    counts: &Mutex<HashMap<String, usize>>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        while !buffer.windows(4).any(|four| four == b"\r\n\r\n") {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let head = String::from_utf8_lossy(&buffer).into_owned();
        buffer.clear();
        let path = head.split(' ').nth(1).unwrap_or("").to_owned();
        // A watch's end is random.
        let path = path
            .split('&')
            .filter(|part| !part.starts_with("timeoutSeconds"))
            .collect::<Vec<_>>()
            .join("&");
        let count = {
            let mut counts = counts.lock();
            let count = counts.entry(path.clone()).or_insert(0);
            *count += 1;
            *count
        };
        log.lock().push(path.clone());
        let (code, header, body, lines) = match script(&path, count) {
            Reply::Json(code, body) => (code, String::new(), Some(body), None),
            Reply::With(code, name, value, body) => {
                (code, format!("{name}: {value}\r\n"), Some(body), None)
            }
            Reply::Open(lines) => (200, String::new(), None, Some((lines, true))),
            Reply::Ended(lines) => (200, String::new(), None, Some((lines, false))),
        };
        if let Some(body) = body {
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\n{header}Content-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(format!("{head}{body}").as_bytes()).await?;
        }
        if let Some((lines, open)) = lines {
            stream.write_all(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n").await?;
            for line in lines {
                let line = format!("{line}\n");
                // In two pieces, as a network may.
                let (one, two) = line.as_bytes().split_at(line.len() / 2);
                for piece in [one, two] {
                    stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                    stream.write_all(piece).await?;
                    stream.write_all(b"\r\n").await?;
                    stream.flush().await?;
                }
            }
            if open {
                std::future::pending::<()>().await;
            }
            stream.write_all(b"0\r\n\r\n").await?;
        }
    }
}

struct Nobodys;

impl Lens for Nobodys {
    fn app_of(&self, _: &Value) -> Option<String> {
        None
    }
}

fn live(cluster: &Cluster) -> LiveSet {
    cluster.live(LiveOptions {
        lens: Arc::new(Nobodys),
        wants: Arc::new(|_| true),
        namespaces: Vec::new(),
        cluster_resources: true,
    })
}

fn thing(name: &str, version: u64) -> Value {
    json!({"apiVersion": "v1", "kind": "Thing", "metadata": {
        "name": name, "namespace": "ns", "uid": name, "resourceVersion": version.to_string(),
    }})
}

fn event(kind: &str, object: Value) -> Value {
    json!({"type": kind, "object": object})
}

fn end_of_state(version: u64) -> Value {
    event(
        "BOOKMARK",
        json!({"kind": "Thing", "apiVersion": "v1", "metadata": {
            "resourceVersion": version.to_string(),
            "annotations": {"k8s.io/initial-events-end": "true"},
        }}),
    )
}

fn gone() -> Value {
    event(
        "ERROR",
        json!({"kind": "Status", "apiVersion": "v1", "code": 410, "reason": "Expired",
        "message": "too old resource version: 5 (99)"}),
    )
}

fn list(version: u64, more: &str, items: Value) -> Reply {
    Reply::Json(
        200,
        json!({"kind": "ThingList", "metadata": {
        "resourceVersion": version.to_string(), "continue": more}, "items": items}),
    )
}

/// A server of one kind, by the older discovery; `things` answers for it.
fn one_kind(
    minor: &'static str,
    things: impl Fn(&str, usize) -> Reply + Send + Sync + 'static,
) -> impl Fn(&str, usize) -> Reply + Send + Sync + 'static {
    move |path, count| match path {
        "/version" => Reply::Json(200, json!({"major": "1", "minor": minor, "gitVersion": "v1"})),
        "/api" => Reply::Json(200, json!({"kind": "APIVersions", "versions": ["v1"]})),
        "/apis" => Reply::Json(200, json!({"kind": "APIGroupList", "groups": []})),
        "/api/v1" => Reply::Json(
            200,
            json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [
                {"name": "things", "singularName": "thing", "namespaced": true, "kind": "Thing", "verbs": ["list", "watch"]},
                {"name": "things/status", "namespaced": true, "kind": "Thing", "verbs": ["get"]},
            ]}),
        ),
        path => things(path, count),
    }
}

const STATE: &str = "/api/v1/things?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
const FROM: &str = "/api/v1/things?watch=1&allowWatchBookmarks=true&resourceVersion=";

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("", "Thing", "ns", name)
}

#[tokio::test]
async fn a_server_that_forgot_where_we_were_tells_all_again() {
    let server = Server::start(one_kind("36+", |path, count| match (path, count) {
        (STATE, 1) => Reply::Ended(vec![
            event("ADDED", thing("stays", 3)),
            event("ADDED", thing("goes", 4)),
            end_of_state(5),
            event("ADDED", thing("comes", 7)),
        ]),
        (STATE, _) => Reply::Open(vec![
            event("ADDED", thing("stays", 3)),
            event("ADDED", thing("new", 90)),
            end_of_state(99),
        ]),
        (path, _) if path.starts_with(FROM) => Reply::Ended(vec![gone()]),
        _ => Reply::Json(404, json!({"message": path})),
    }))
    .await;
    let cluster = server.connect().await;
    let live = live(&cluster);
    timeout(SOON, live.ready()).await.unwrap().unwrap();
    let mut events = live.events();
    let mut told = Vec::new();
    timeout(SOON, async {
        while told.len() < 3 {
            told.extend(events.next().await.unwrap());
        }
    })
    .await
    .unwrap();
    told.retain(|event| event.key != key("comes"));
    assert!(told.iter().any(|e| e.key == key("goes") && e.change == Change::Deleted));
    assert!(told.iter().any(|e| e.key == key("new") && e.change == Change::Added));
    assert!(told.iter().all(|event| event.key != key("stays")));
    let left: Vec<_> = live.keys().into_iter().map(|key| key.name).collect();
    assert_eq!(left, ["new", "stays"]);
    assert_eq!(server.count("resourceVersion=7"), 1, "the watch was taken up where it ended");
    assert_eq!(server.count("sendInitialEvents"), 2);
}

#[tokio::test]
async fn the_answer_to_a_write_does_not_bring_back_what_the_watch_told_to_be_gone() {
    let server = Server::start(one_kind("36", |path, _| match path {
        STATE => Reply::Open(vec![
            event("ADDED", thing("held", 3)),
            end_of_state(5),
            event("DELETED", thing("held", 6)),
            event("ADDED", thing("last", 7)),
        ]),
        _ => Reply::Json(404, json!({"message": path})),
    }))
    .await;
    let live = live(&server.connect().await);
    timeout(SOON, live.ready()).await.expect("in time").expect("it lives");
    let mut events = live.events();
    timeout(SOON, async {
        while live.get(&key("last")).is_none() {
            events.next().await.expect("it lives");
        }
    })
    .await
    .expect("in time");
    // The server answers what it deletes with the version of the deletion.
    live.observe(&thing("held", 6));
    assert!(live.get(&key("held")).is_none());
    live.observe(&thing("made", 8));
    assert!(live.get(&key("made")).is_some(), "what is new is taken in");
}

#[tokio::test]
async fn a_kind_that_is_defined_anew_is_told_again_when_its_watch_ends() {
    let server = Server::start(one_kind("36", |path, count| match path {
        STATE => {
            let mut one = thing("one", 3);
            one["spec"] = json!({"by-default": count});
            let lines = vec![event("ADDED", one), end_of_state(5)];
            match count {
                1 => Reply::Ended(lines),
                _ => Reply::Open(lines),
            }
        }
        path if path.starts_with(FROM) => Reply::Ended(Vec::new()),
        _ => Reply::Json(404, json!({"message": path})),
    }))
    .await;
    let cluster = server.connect().await;
    let live = live(&cluster);
    timeout(SOON, live.ready()).await.expect("in time").expect("it lives");
    let mut events = live.events();
    cluster.note_definition(manifest::GroupKind::new("", "Thing"));
    let told = timeout(SOON, events.next()).await.expect("in time").expect("it lives");
    assert_eq!(told.iter().map(|event| event.change).collect::<Vec<_>>(), [Change::Modified]);
    assert_eq!(server.count("sendInitialEvents"), 2);
}

#[tokio::test]
async fn an_older_server_is_listed_in_pages() {
    let server = Server::start(one_kind("28", |path, _| {
        if path.starts_with(FROM) {
            return Reply::Open(vec![event("DELETED", thing("b", 11))]);
        }
        match path.contains("continue=") {
            false => list(10, "next page", json!([{"metadata": {"name": "a", "namespace": "ns", "uid": "a", "resourceVersion": "1"}}])),
            true => list(10, "", json!([thing("b", 2)])),
        }
    }))
    .await;
    let cluster = server.connect().await;
    let live = live(&cluster);
    timeout(SOON, live.ready()).await.unwrap().unwrap();
    timeout(SOON, async {
        while live.get(&key("b")).is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    assert!(live.get(&key("a")).is_some(), "a list's item bears its list's kind");
    assert_eq!(server.count("continue=next%20page"), 1);
    assert_eq!(server.count("sendInitialEvents"), 0);
    assert_eq!(server.count("/api/v1/things?limit=500"), 2);
}

#[tokio::test]
async fn a_server_that_refuses_a_streamed_state_is_listed() {
    let server = Server::start(one_kind("36", |path, _| match path {
        STATE => Reply::Json(422, json!({"kind": "Status", "reason": "Invalid",
            "message": "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"})),
        path if path.starts_with(FROM) => Reply::Open(vec![]),
        _ => list(10, "", json!([thing("a", 1)])),
    }))
    .await;
    let live = live(&server.connect().await);
    timeout(SOON, live.ready()).await.unwrap().unwrap();
    assert_eq!(live.keys(), [key("a")]);
}

#[tokio::test]
async fn a_kind_that_may_not_be_seen_holds_nothing_up() {
    let server = Server::start(one_kind("36", |_, _| {
        Reply::Json(
            403,
            json!({"kind": "Status", "reason": "Forbidden", "message": "things is forbidden"}),
        )
    }))
    .await;
    let live = live(&server.connect().await);
    timeout(SOON, live.ready()).await.unwrap().unwrap();
    let state = live.kind_state(&GroupKind::new("", "Thing"));
    assert_eq!(state, Some(KindState::Forbidden("things is forbidden".to_owned())));
    assert!(live.status().connected);
}

#[tokio::test]
async fn a_kind_that_fails_is_named_and_holds_nothing_up() {
    let server = Server::start(one_kind("36", |_, _| {
        Reply::Json(
            500,
            json!({"kind": "Status", "reason": "InternalError",
            "message": "conversion webhook for things failed"}),
        )
    }))
    .await;
    let live = live(&server.connect().await);
    timeout(SOON, live.ready()).await.unwrap().unwrap();
    let status = live.status();
    assert_eq!(status.error.as_deref(), Some("Thing: conversion webhook for things failed"));
    assert!(status.connected && status.ready);
}

#[tokio::test]
async fn a_throttled_request_is_sent_again_after_the_time_that_the_server_asks_for() {
    let server = Server::start(one_kind("36", |_, count| match count {
        1 => Reply::With(429, "Retry-After", "0", json!({"kind": "Status", "code": 429})),
        _ => Reply::Json(200, json!({"items": []})),
    }))
    .await;
    let cluster = server.connect().await;
    let things = cluster.list(&manifest::Gvk::new("", "v1", "Thing"), &Default::default()).await;
    assert_eq!(things.unwrap(), Vec::<Value>::new());
    assert_eq!(server.count("/api/v1/things"), 2);
}

#[tokio::test]
async fn a_server_that_says_nothing_is_a_timeout() {
    let server = Server::start(|_, _| Reply::Open(vec![])).await;
    let address = format!("http://127.0.0.1:{}", server.port);
    let access = Access::Secret(SecretAccess { server: address.clone(), config: String::new() });
    let limits = Limits { request_timeout: Duration::from_millis(50), ..Limits::default() };
    let cluster = Cluster::connect(&access, limits).await.unwrap();
    let error = cluster.version().await.unwrap_err();
    assert!(matches!(&error, ApiError::Timeout { server, .. } if *server == address), "{error:?}");
}

#[tokio::test]
async fn what_is_no_json_is_told_by_its_place() {
    let server = Server::start(|_, _| Reply::Json(200, json!("hidden"))).await;
    let error = server.connect().await.version().await.unwrap_err();
    assert!(
        matches!(&error, ApiError::Malformed { what } if !what.contains("hidden")),
        "{error:?}"
    );
}

#[tokio::test]
async fn limits_may_change_while_the_cluster_is_in_use() {
    let server = Server::start(one_kind("36", |path, count| match path {
        path if path.contains("continue=b") => Reply::Json(200, json!({"items": []})),
        _ if count == 1 => Reply::Json(503, json!({"kind": "Status", "code": 503})),
        _ => Reply::Json(200, json!({"metadata": {"continue": "b"}, "items": []})),
    }))
    .await;
    let cluster = server.connect().await;
    let things = manifest::Gvk::new("", "v1", "Thing");
    assert!(cluster.list(&things, &Default::default()).await.is_err(), "nothing is sent again");
    assert_eq!((server.count("limit=500"), server.count("timeout=")), (1, 0));

    let limits = Limits {
        retries_max: 1,
        retry_first: Duration::from_millis(1),
        page_objects: 7,
        server_side_timeout: Some(Duration::from_secs(2)),
        dial: Dial { keepalive: Duration::ZERO, ..Dial::default() },
        ..Limits::default()
    };
    cluster.limit(limits).await.expect("they can be met");
    assert_eq!(cluster.limits(), limits);
    assert_eq!(
        cluster.list(&things, &Default::default()).await.expect("it is answered"),
        Vec::<Value>::new()
    );
    // The first of each page fails here; it is sent again, and the second page comes.
    assert_eq!(server.count("limit=7&timeout=2000ms"), 2);
    assert_eq!(server.count("limit=7&continue=b&timeout=2000ms"), 1);
}

#[tokio::test]
async fn a_handshake_that_never_ends_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let server =
        format!("https://127.0.0.1:{}", listener.local_addr().expect("it is bound").port());
    let access = Access::Secret(SecretAccess { server, config: String::new() });
    let soon = Duration::from_millis(30);
    let dial = Dial { connect_timeout: soon, handshake_timeout: soon, ..Dial::default() };
    let limits = Limits { dial, ..Limits::default() };
    let cluster = Cluster::connect(&access, limits).await.expect("nothing is asked yet");
    let error = cluster.version().await.unwrap_err();
    assert!(matches!(&error, ApiError::Unreachable { .. }), "{error:?}");
    assert!(error.message().contains("handshake within 0.06 s"), "{}", error.message());
}

#[test]
fn a_rate_lets_a_burst_through_and_then_one_after_another() {
    let limits = Limits { requests_per_s: Some(0.5), burst: 3, ..Limits::default() };
    let bucket = Bucket::of(&limits).expect("there is a rate");
    let now = tokio::time::Instant::now();
    let waits = |now: tokio::time::Instant| {
        let there = bucket.take_at(now).expect("the clock began long ago");
        there.saturating_duration_since(now).as_secs()
    };
    assert_eq!([0; 5].map(|_| waits(now)), [0, 0, 0, 2, 4]);
    assert_eq!(waits(now + Duration::from_secs(60)), 0, "the bucket fills up again");
    assert!(Bucket::of(&Limits { requests_per_s: Some(0.0), ..Limits::default() }).is_none());
}

#[tokio::test]
async fn more_places_are_there_at_once_and_fewer_when_others_are_given_back() {
    let places = Places::new(1);
    let first = places.take().await;
    places.resize(2);
    let (_second, third) = (places.take().await, places.take().await);
    places.resize(2);
    drop((first, third));
    drop(places.take().await);
}
