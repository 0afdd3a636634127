//! Against a real API server.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use base64::Engine;
use kubetest::{Parts, RealCluster};
use manifest::{GroupKind, Gvk, ObjectKey};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::tests::proxy::Proxy;
use crate::{
    Access, Action, ApiError, Asked, Change, Cluster, Gate, KindState, LeaseSpec, Lens, Limits,
    ListQuery, LiveEvent, LiveEvents, LiveOptions, LiveSet, ObjectEvent, Patch, Permit,
    Propagation, Question, Refusal, SecretAccess, Validation, WatchSpec, Write, Writer, lead,
};

/// No step of a test takes longer.
const SOON: Duration = Duration::from_secs(20);

/// One server for all tests; its programs end with the process.
fn real() -> Option<&'static RealCluster> {
    static REAL: OnceLock<Option<RealCluster>> = OnceLock::new();
    REAL.get_or_init(|| RealCluster::start(Parts::ApiServer).unwrap()).as_ref()
}

macro_rules! real_or_skip {
    () => {
        match real() {
            Some(real) => real,
            None => return,
        }
    };
}

fn port_of(real: &RealCluster) -> u16 {
    real.url().rsplit(':').next().unwrap().parse().unwrap()
}

/// As a cluster secret would reach it.
fn access(real: &RealCluster, port: u16) -> Access {
    let ca = base64::engine::general_purpose::STANDARD.encode(real.ca_pem().unwrap());
    Access::Secret(SecretAccess {
        server: format!("https://127.0.0.1:{port}"),
        config: json!({"bearerToken": real.token(), "tlsClientConfig": {"caData": ca}}).to_string(),
    })
}

async fn connect(real: &RealCluster) -> Cluster {
    Cluster::connect(&access(real, port_of(real)), Limits::default()).await.unwrap()
}

struct All;

impl Gate for All {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        Ok(asked.permit())
    }
}

struct NoSecrets;

impl Gate for NoSecrets {
    fn check<'a>(&self, asked: Asked<'a>) -> Result<Permit<'a>, Refusal> {
        match asked.write().gvk.kind.as_str() {
            "Secret" => Err(asked.refuse("secrets are not permitted in project shop")),
            _ => Ok(asked.permit()),
        }
    }
}

fn writer(cluster: &Cluster) -> Writer {
    cluster.writer(Arc::new(All))
}

struct Labels;

impl Lens for Labels {
    fn app_of(&self, object: &Value) -> Option<String> {
        manifest::label(object, "app").map(str::to_owned)
    }
}

fn options() -> LiveOptions {
    LiveOptions {
        lens: Arc::new(Labels),
        wants: Arc::new(|_| true),
        namespaces: Vec::new(),
        cluster_resources: true,
    }
}

async fn live(cluster: &Cluster) -> LiveSet {
    let live = cluster.live(options());
    timeout(SOON, live.ready()).await.unwrap().unwrap();
    live
}

async fn namespace(cluster: &Cluster, name: &str) {
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    writer(cluster).write(&Write::create(object, "test")).await.unwrap();
}

fn config_map(namespace: &str, name: &str, app: Option<&str>, value: &str) -> Value {
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"namespace": namespace, "name": name},
        "data": {"value": value},
    });
    if let Some(app) = app {
        object["metadata"]["labels"] = json!({"app": app});
    }
    object
}

/// Waits for the event of one object.
async fn event_of(events: &mut LiveEvents, key: &ObjectKey) -> LiveEvent {
    timeout(SOON, async {
        loop {
            let batch = events.next().await.expect("the set runs");
            if let Some(event) = batch.into_iter().find(|event| event.key == *key) {
                return event;
            }
        }
    })
    .await
    .unwrap()
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < SOON, "{what} did not come in {SOON:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn config_maps() -> Gvk {
    Gvk::new("", "v1", "ConfigMap")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_says_what_it_serves_in_both_ways_the_same() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    assert!(cluster.version().await.unwrap().git_version.starts_with("v1."));
    let kinds = cluster.discover().await.unwrap();
    let deployment = kinds.preferred(&GroupKind::new("apps", "Deployment")).unwrap();
    assert_eq!(deployment.plural, "deployments");
    assert!(deployment.namespaced && deployment.preferred && deployment.can("watch"));
    assert!(deployment.subresources.contains(&"scale".to_owned()));
    assert_eq!(deployment.short_names, ["deploy"]);
    let versions = kinds.api_versions(|_| true);
    assert!(versions.contains(&"v1".to_owned()) && versions.contains(&"v1/ConfigMap".to_owned()));
    assert!(versions.contains(&"apps/v1/Deployment".to_owned()));
    assert!(!versions.iter().any(|version| version.contains("TokenReview")));
    let mut by_group = crate::Kinds::default();
    cluster.discover_by_group(&mut by_group).await.unwrap();
    for info in by_group.iter() {
        let same = kinds.get(&info.gvk).map(|other| (other.plural.clone(), other.preferred));
        assert_eq!(same, Some((info.plural.clone(), info.preferred)), "{}", info.gvk);
    }
    assert!(Arc::ptr_eq(&kinds, &cluster.discover().await.unwrap()), "nothing changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_is_seen_when_it_comes_changes_and_goes() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "seen").await;
    let begun = Instant::now();
    let live = live(&cluster).await;
    println!("ready in {:?}, {} objects", begun.elapsed(), live.status().objects);
    let mut events = live.events();
    let writer = writer(&cluster);
    let key = ObjectKey::new("", "ConfigMap", "seen", "one");

    let made = Write::apply(config_map("seen", "one", Some("seen-shop"), "1"), "test");
    let begun = Instant::now();
    let written = writer.write(&made).await.unwrap();
    assert!(written.created);
    let event = event_of(&mut events, &key).await;
    println!("seen {:?} after it was asked for", begun.elapsed());
    assert_eq!((event.change, event.app.as_deref()), (Change::Added, Some("seen-shop")));
    assert!(event.tracked && event.matters());
    let known = live.get(&key).unwrap();
    assert_eq!(known.app(), Some("seen-shop"));
    assert_eq!(known.body(), written.object);
    assert_eq!(live.of_app("seen-shop").len(), 1);

    let changed = Write::apply(config_map("seen", "one", Some("seen-shop"), "2"), "test");
    let written = writer.write(&changed).await.unwrap();
    assert!(!written.created);
    let event = event_of(&mut events, &key).await;
    assert_eq!((event.change, event.old_hash), (Change::Modified, Some(known.hash())));
    assert_ne!(event.new_hash, event.old_hash);

    let gone = Write::delete(config_maps(), "seen", "one", Propagation::Background);
    writer.write(&gone).await.unwrap();
    let event = event_of(&mut events, &key).await;
    assert_eq!((event.change, event.app.as_deref()), (Change::Deleted, Some("seen-shop")));
    assert!(live.get(&key).is_none());
    assert!(live.object(&key).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobodys_object_is_fetched_when_it_is_asked_for() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "nobodys").await;
    let made = Write::create(config_map("nobodys", "one", None, "1"), "test");
    let written = writer(&cluster).write(&made).await.unwrap();
    let live = live(&cluster).await;
    let key = ObjectKey::new("", "ConfigMap", "nobodys", "one");
    assert!(live.get(&key).unwrap().body().is_none());
    assert_eq!(live.object(&key).await.unwrap(), written.object);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_write_answered_is_seen_at_once_and_told_once() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "observed").await;
    let live = live(&cluster).await;
    let mut events = live.events();
    let key = ObjectKey::new("", "ConfigMap", "observed", "one");
    let made = Write::create(config_map("observed", "one", Some("shop"), "1"), "test");
    let written = writer(&cluster).write(&made).await.unwrap();
    live.observe(written.object.as_ref().unwrap());
    assert!(live.get(&key).is_some());
    assert_eq!(event_of(&mut events, &key).await.change, Change::Added);
    // A second object's event comes after the watch has told the first again.
    let made = Write::create(config_map("observed", "two", Some("shop"), "1"), "test");
    writer(&cluster).write(&made).await.unwrap();
    let two = ObjectKey { name: "two".to_owned(), ..key.clone() };
    let batch = timeout(SOON, async {
        loop {
            let batch = events.next().await.unwrap();
            if batch.iter().any(|event| event.key == two) {
                return batch;
            }
        }
    });
    assert!(batch.await.unwrap().iter().all(|event| event.key != key));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_go_on_where_a_cut_connection_ended() {
    let real = real_or_skip!();
    let proxy = Proxy::to(port_of(real)).await;
    let direct = connect(real).await;
    namespace(&direct, "cut").await;
    let far = Cluster::connect(&access(real, proxy.port), Limits::default()).await.unwrap();
    let live = live(&far).await;
    let mut events = live.events();
    println!("connections for all watches: {}", proxy.opened());
    assert!(proxy.opened() <= 12, "{} connections", proxy.opened());
    for round in ["1", "2", "3"] {
        let name = format!("round-{round}");
        let key = ObjectKey::new("", "ConfigMap", "cut", &name);
        proxy.close();
        let made = Write::create(config_map("cut", &name, Some("shop"), round), "test");
        writer(&direct).write(&made).await.unwrap();
        proxy.open();
        assert_eq!(event_of(&mut events, &key).await.change, Change::Added);
    }
    // A deletion while nobody watched is told, too.
    proxy.close();
    let gone = Write::delete(config_maps(), "cut", "round-1", Propagation::Background);
    writer(&direct).write(&gone).await.unwrap();
    until("the loss of the connection", || !live.status().connected).await;
    assert!(live.status().error.is_some());
    proxy.open();
    let key = ObjectKey::new("", "ConfigMap", "cut", "round-1");
    assert_eq!(event_of(&mut events, &key).await.change, Change::Deleted);
    until("the connection", || live.status().connected).await;
    assert!(live.is_ready());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_cannot_be_reached_says_so_and_is_reached_later() {
    let real = real_or_skip!();
    let proxy = Proxy::to(port_of(real)).await;
    proxy.close();
    let cluster = Cluster::connect(&access(real, proxy.port), Limits::default()).await.unwrap();
    let live = cluster.live(options());
    let error = timeout(SOON, live.ready()).await.unwrap().unwrap_err();
    assert!(error.to_string().contains(cluster.server()), "{error}");
    assert!(!live.status().connected && live.status().error.is_some());
    proxy.open();
    timeout(SOON, async { while live.ready().await.is_err() {} }).await.unwrap();
}

fn crd(plural: &str, kind: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.shop.example")},
        "spec": {
            "group": "shop.example",
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List")},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
                }},
            }],
        },
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kind_comes_with_its_crd_and_goes_with_it() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "crds").await;
    let live = live(&cluster).await;
    let mut events = live.events();
    let writer = writer(&cluster);
    let kind = GroupKind::new("shop.example", "Bottle");
    let begun = Instant::now();
    writer.write(&Write::apply(crd("bottles", "Bottle"), "test")).await.unwrap();
    let bottle = json!({
        "apiVersion": "shop.example/v1",
        "kind": "Bottle",
        "metadata": {"name": "red", "namespace": "crds", "labels": {"app": "cellar"}},
        "spec": {"size": 1},
    });
    // A CRD and its objects in one sync: the caller tries again until the kind is served.
    let write = Write::apply(bottle, "test");
    timeout(SOON, async {
        loop {
            match writer.write(&write).await {
                Ok(_) => break,
                Err(ApiError::KindUnknown { .. } | ApiError::NotFound { .. }) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    })
    .await
    .unwrap();
    println!("an object of a new kind is written {:?} after its CRD", begun.elapsed());
    let key = ObjectKey::new("shop.example", "Bottle", "crds", "red");
    let event = event_of(&mut events, &key).await;
    println!("it is seen {:?} after its CRD", begun.elapsed());
    assert_eq!((event.change, event.app.as_deref()), (Change::Added, Some("cellar")));
    until("the full state", || live.kind_state(&kind) == Some(KindState::Ready)).await;

    let crds = Gvk::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let gone = Write::delete(crds, "", "bottles.shop.example", Propagation::Background);
    writer.write(&gone).await.unwrap();
    assert_eq!(event_of(&mut events, &key).await.change, Change::Deleted);
    until("the end of the kind", || live.kind_state(&kind).is_none()).await;
    assert!(live.of_kind(&kind).is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_owner_made_belongs_to_its_application() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "owned").await;
    let live = live(&cluster).await;
    let mut events = live.events();
    let writer = writer(&cluster);
    let made = Write::create(config_map("owned", "root", Some("owners-shop"), "1"), "test");
    let root = writer.write(&made).await.unwrap().object.unwrap();
    let mut child = config_map("owned", "child", Some("copied"), "1");
    child["metadata"]["ownerReferences"] = json!([
        {"apiVersion": "v1", "kind": "ConfigMap", "name": "root", "uid": manifest::uid(&root)},
    ]);
    writer.write(&Write::create(child, "test")).await.unwrap();
    let key = |name| ObjectKey::new("", "ConfigMap", "owned", name);
    let event = event_of(&mut events, &key("child")).await;
    until("both", || live.in_namespace("owned").len() >= 2).await;
    assert_eq!(live.root_app(&key("child")).as_deref(), Some("owners-shop"));
    assert!(!event.tracked);
    let names = |objects: Vec<Arc<crate::LiveObject>>| -> Vec<String> {
        objects.iter().map(|object| object.name().to_owned()).collect()
    };
    assert_eq!(names(live.children(&key("root"))), ["child"]);
    assert_eq!(names(live.of_app("owners-shop")), ["root"]);
    assert!(live.of_app("copied").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn some_namespaces_are_watched_alone() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "inside").await;
    namespace(&cluster, "outside").await;
    let writer = writer(&cluster);
    for ns in ["inside", "outside"] {
        writer.write(&Write::create(config_map(ns, "one", None, "1"), "test")).await.unwrap();
    }
    let live = cluster.live(LiveOptions {
        namespaces: vec!["inside".to_owned()],
        cluster_resources: false,
        ..options()
    });
    timeout(SOON, live.ready()).await.unwrap().unwrap();
    assert!(live.get(&ObjectKey::new("", "ConfigMap", "inside", "one")).is_some());
    assert!(live.get(&ObjectKey::new("", "ConfigMap", "outside", "one")).is_none());
    assert!(live.keys().iter().all(|key| key.namespace == "inside"));
    let outside = ObjectKey::new("", "ConfigMap", "outside", "one");
    assert!(live.object(&outside).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_typed_watch_tells_all_and_then_each_change() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "typed").await;
    let writer = writer(&cluster);
    let one = config_map("typed", "one", Some("typed"), "1");
    writer.write(&Write::create(one, "test")).await.unwrap();
    writer.write(&Write::create(config_map("typed", "other", None, "1"), "test")).await.unwrap();
    let (sender, mut told) = mpsc::unbounded_channel();
    let what = WatchSpec {
        gvk: config_maps(),
        namespaces: vec!["typed".to_owned()],
        labels: "app=typed".to_owned(),
        fields: String::new(),
    };
    let watching = cluster.watch_objects(what, move |event| {
        let _ = sender.send(event);
    });
    timeout(SOON, watching.ready()).await.unwrap();
    let ObjectEvent::Restarted { namespace, objects } = told.recv().await.unwrap() else {
        panic!("the full state comes first")
    };
    assert_eq!((namespace.as_str(), objects.len()), ("typed", 1));
    assert_eq!(manifest::kind(&objects[0]), "ConfigMap");
    let two = config_map("typed", "two", Some("typed"), "1");
    writer.write(&Write::create(two, "test")).await.unwrap();
    let gone = Write::delete(config_maps(), "typed", "one", Propagation::Background);
    writer.write(&gone).await.unwrap();
    let next = [told.recv().await.unwrap(), told.recv().await.unwrap()];
    assert!(matches!(&next[0], ObjectEvent::Applied(o) if manifest::name(o) == "two"), "{next:?}");
    assert!(matches!(&next[1], ObjectEvent::Deleted(o) if manifest::name(o) == "one"), "{next:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_that_refuses_leaves_the_cluster_alone() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "gated").await;
    let writer = cluster.writer(Arc::new(NoSecrets));
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "s", "namespace": "gated"}, "stringData": {"a": "hidden"},
    });
    let error = writer.write(&Write::apply(secret, "test")).await.unwrap_err();
    assert!(matches!(&error, ApiError::Refused(why) if why.reason().contains("project shop")));
    let query = ListQuery::in_namespace("gated");
    let secrets = cluster.list(&Gvk::new("", "v1", "Secret"), &query).await.unwrap();
    assert!(secrets.is_empty());
    writer.write(&Write::apply(config_map("gated", "one", None, "1"), "test")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_write_does_what_it_says_and_each_refusal_is_told_apart() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "writes").await;
    let writer = writer(&cluster);
    let object = |value| config_map("writes", "one", None, value);
    let maps = config_maps();
    let one = || cluster.get(&maps, "writes", "one");

    let dry = writer.write(&Write::create(object("1"), "a").dry()).await.unwrap();
    assert!(dry.object.is_some());
    assert!(cluster.get(&config_maps(), "writes", "one").await.unwrap().is_none());

    writer.write(&Write::create(object("1"), "a")).await.unwrap();
    let again = writer.write(&Write::create(object("1"), "a")).await.unwrap_err();
    assert!(matches!(again, ApiError::AlreadyExists { .. }));
    assert_eq!(again.message(), "configmaps \"one\" already exists");

    let mut unforced = Write::apply(object("2"), "b");
    unforced.action = Action::Apply { object: object("2"), force: false };
    let conflict = writer.write(&unforced).await.unwrap_err();
    assert!(matches!(conflict, ApiError::Conflict { .. }), "{conflict:?}");
    assert_eq!(conflict.causes()[0].reason, "FieldManagerConflict");
    assert_eq!(conflict.causes()[0].field, ".data.value");

    let merge = Patch::Merge(json!({"data": {"more": "x"}}));
    let patched = Write::patch(config_maps(), "writes", "one", merge, "b");
    let stands = writer.write(&patched).await.unwrap().object.unwrap();
    assert_eq!(stands["data"], json!({"value": "1", "more": "x"}));
    let strategic = Patch::Strategic(json!({"data": {"more": null}}));
    writer.write(&Write::patch(config_maps(), "writes", "one", strategic, "b")).await.unwrap();
    let ops = Patch::Json(json!([{"op": "replace", "path": "/data/value", "value": "3"}]));
    let stands = writer.write(&Write::patch(config_maps(), "writes", "one", ops, "b")).await;
    assert_eq!(stands.unwrap().object.unwrap()["data"], json!({"value": "3"}));

    let mut stale = one().await.unwrap().unwrap();
    let old = manifest::resource_version(&stale).to_owned();
    writer.write(&Write::replace(object("4"), "c")).await.unwrap();
    stale["metadata"]["resourceVersion"] = old.into();
    let late = writer.write(&Write::replace(stale, "c")).await.unwrap_err();
    assert!(matches!(late, ApiError::Conflict { .. }));

    let mut other = Write::delete(config_maps(), "writes", "one", Propagation::Background);
    if let Action::Delete { uid, .. } = &mut other.action {
        *uid = Some("another".to_owned());
    }
    assert!(matches!(writer.write(&other).await, Err(ApiError::Conflict { .. })));
    let gone = Write::delete(config_maps(), "writes", "one", Propagation::Foreground);
    writer.write(&gone).await.unwrap();
    assert!(one().await.unwrap().is_none_or(|o| o["metadata"]["deletionTimestamp"].is_string()));

    let mut bad = config_map("writes", "Not_A_Name", None, "1");
    let invalid = writer.write(&Write::create(bad.clone(), "a")).await.unwrap_err();
    assert!(matches!(invalid, ApiError::Invalid { .. }));
    assert_eq!(invalid.causes()[0].field, "metadata.name");
    bad["metadata"]["name"] = "two".into();
    bad["dta"] = json!({});
    let strict = Write::create(bad.clone(), "a").validated(Validation::Strict);
    let unknown = writer.write(&strict).await.unwrap_err();
    assert!(unknown.message().contains("unknown field \"dta\""), "{unknown}");
    let warned = writer.write(&Write::create(bad, "a")).await.unwrap();
    assert_eq!(warned.warnings, ["unknown field \"dta\""]);

    let nowhere = config_map("nowhere", "one", None, "1");
    let missing = writer.write(&Write::create(nowhere, "a")).await.unwrap_err();
    assert_eq!(missing.message(), "namespaces \"nowhere\" not found");
    let stranger =
        json!({"apiVersion": "none.example/v1", "kind": "None", "metadata": {"name": "x"}});
    let unknown = writer.write(&Write::apply(stranger, "a")).await.unwrap_err();
    assert!(matches!(unknown, ApiError::KindUnknown { .. }));
    let large = config_map("writes", "large", None, &"x".repeat(2_000_000));
    let large = writer.write(&Write::create(large, "a")).await.unwrap_err();
    assert!(matches!(large, ApiError::TooLarge { .. } | ApiError::Invalid { .. }), "{large:?}");
    let huge = config_map("writes", "huge", None, &"x".repeat(5_000_000));
    let huge = writer.write(&Write::create(huge, "a")).await.unwrap_err();
    assert!(matches!(huge, ApiError::TooLarge { .. }), "{}", huge.message());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_message_about_a_secret_holds_its_data() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "hidden").await;
    let writer = writer(&cluster);
    for data in [
        json!({"data": {"password": "hunter2hunter2"}}),
        json!({"data": {"password": 271828}}),
        json!({"stringData": {"password": 271828}}),
        json!({"stringData": {"password": ["hunter2hunter2"]}}),
        json!({"stringData": {"password": {"in": "hunter2hunter2"}}}),
        json!({"type": "kubernetes.io/tls", "stringData": {"tls.crt": "hunter2hunter2", "tls.key": "hunter2"}}),
        json!({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "hunter2hunter2"}}),
    ] {
        let mut secret = data;
        secret["apiVersion"] = "v1".into();
        secret["kind"] = "Secret".into();
        secret["metadata"] = json!({"name": "s", "namespace": "hidden"});
        let patch = Patch::Merge(secret.clone());
        for write in [
            Write::apply(secret.clone(), "a").dry(),
            Write::create(secret.clone(), "a").dry(),
            Write::patch(Gvk::new("", "v1", "Secret"), "hidden", "s", patch, "a"),
        ] {
            let debug = format!("{write:?}");
            let answer = writer.write(&write).await;
            let said = match &answer {
                Ok(written) => format!("{written:?}"),
                Err(error) => format!("{error:?} {} {:?}", error.message(), error.causes()),
            };
            for text in [&debug, &said] {
                assert!(!text.contains("hunter2") && !text.contains("271828"), "{text}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn home_writes_what_is_ours_and_nothing_else() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "home").await;
    let home = cluster.home();
    let map = home.create(&config_map("home", "argocd-cm", None, "1")).await.unwrap();
    assert!(!manifest::uid(&map).is_empty());
    let patch = Patch::Merge(json!({"data": {"value": "2"}}));
    let map = home.patch(&config_maps(), "home", "argocd-cm", patch).await.unwrap();
    assert_eq!(map["data"]["value"], "2");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "home"},
    });
    assert!(matches!(home.create(&pod).await, Err(ApiError::Refused(_))));
    let background = Propagation::Background;
    home.delete(&config_maps(), "home", "argocd-cm", background).await.unwrap();
    home.delete(&config_maps(), "home", "argocd-cm", background).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_leads_at_a_time_and_a_release_hands_over_at_once() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "leads").await;
    let spec = |identity| LeaseSpec {
        retry_every: Duration::from_millis(100),
        ..LeaseSpec::new("leads", "controller", identity)
    };
    let first = lead(cluster.home(), spec("first"));
    timeout(SOON, first.until_leader()).await.unwrap();
    let second = lead(cluster.home(), spec("second"));
    let waits = timeout(Duration::from_millis(600), second.until_leader()).await;
    assert!(waits.is_err() && first.is_leader() && !second.is_leader());
    first.release().await;
    timeout(SOON, second.until_leader()).await.unwrap();
    let leases = Gvk::new("coordination.k8s.io", "v1", "Lease");
    let lease = cluster.get(&leases, "leads", "controller").await.unwrap().unwrap();
    assert_eq!(lease["spec"]["holderIdentity"], "second");
    assert_eq!(lease["spec"]["leaseTransitions"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn access_is_found_as_kubectl_finds_it_and_a_wrong_token_is_unauthorized() {
    let real = real_or_skip!();
    let file = Access::Kubeconfig { path: Some(real.kubeconfig()), context: None };
    let cluster = Cluster::connect(&file, Limits::default()).await.unwrap();
    assert_eq!(cluster.server(), real.url());
    let question =
        Question { verb: "list".to_owned(), resource: "pods".to_owned(), ..Question::default() };
    assert!(cluster.can_i(&question).await.unwrap());
    assert!(cluster.openapi_v3("apps/v1").await.unwrap()["components"].is_object());
    let Access::Secret(mut secret) = access(real, port_of(real)) else { unreachable!() };
    secret.config = secret.config.replace(real.token(), "wrong");
    let stranger = Cluster::connect(&Access::Secret(secret), Limits::default()).await.unwrap();
    assert!(matches!(stranger.version().await, Err(ApiError::Unauthorized { .. })));
    let untrusted = SecretAccess {
        server: real.url(),
        config: json!({"bearerToken": real.token()}).to_string(),
    };
    let untrusted = Cluster::connect(&Access::Secret(untrusted), Limits::default()).await.unwrap();
    let error = untrusted.version().await.unwrap_err();
    assert!(
        error.is_connection() && error.message().contains("certificate"),
        "{}",
        error.message()
    );
    let insecure = SecretAccess {
        server: real.url(),
        config: json!({"bearerToken": real.token(), "tlsClientConfig": {"insecure": true}})
            .to_string(),
    };
    let insecure = Cluster::connect(&Access::Secret(insecure), Limits::default()).await.unwrap();
    insecure.version().await.unwrap();
}

/// Makes as many ConfigMaps of 1.5 KB as asked for, 16 at a time.
async fn many(cluster: &Cluster, namespace: &str, count: usize) {
    use futures::StreamExt;
    let writer = writer(cluster);
    futures::stream::iter(0..count)
        .map(|number| {
            let writer = writer.clone();
            // A third of each line is as good as random.
            let line = |line: usize| {
                let mark = (number * 97 + line + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                format!("setting-{line} = the value {mark:016x}\n")
            };
            let text: String = (0..60).map(line).collect();
            let object =
                config_map(namespace, &format!("many-{number}"), Some("many"), &text[..1500]);
            async move { writer.write(&Write::apply(object, "test")).await.unwrap() }
        })
        .buffer_unordered(16)
        .for_each(|_| async {})
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_objects_take_a_few_megabytes() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    namespace(&cluster, "many").await;
    let live = live(&cluster).await;
    let before = live.size_bytes();
    many(&cluster, "many", 1000).await;
    until("all objects", || live.of_app("many").len() == 1000).await;
    let taken = live.size_bytes() - before;
    println!("1,000 ConfigMaps of 1.5 KB take {taken} bytes");
    assert!(taken < 2_000_000, "{taken} bytes");
}

/// CPU seconds of this process so far, and its resident bytes.
fn process() -> (f64, usize) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat[stat.rfind(')').unwrap() + 1..].split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    (ticks / 100.0, fields[21].parse::<usize>().unwrap() * 4096)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes two minutes: run it to measure"]
async fn nothing_happens_while_nothing_happens() {
    let real = real_or_skip!();
    let cluster = connect(real).await;
    println!("connected: {:?}", process());
    namespace(&cluster, "idle").await;
    let live = live(&cluster).await;
    println!("ready with {} kinds: {:?}", live.status().kinds.len(), process());
    let begun = Instant::now();
    many(&cluster, "idle", 1000).await;
    println!("1,000 applies in {:?}", begun.elapsed());
    until("all objects", || live.of_app("many").len() >= 1000).await;
    let (before, resident) = process();
    println!("1,000 objects: {before} s, {resident} bytes resident");
    tokio::time::sleep(Duration::from_secs(120)).await;
    let (after, resident) = process();
    println!("idle for 120 s: {:.2} s of CPU, {resident} bytes resident", after - before);
}
