//! What holds without any server.

use std::sync::Arc;

use manifest::{Gvk, ObjectKey};
use serde_json::{Value, json};

use crate::access::without_output;
use crate::compact::Compact;
use crate::error::{ApiError, Cause};
use crate::kinds::{KindInfo, Kinds};
use crate::live::{Change, LiveEvent, Store, fingerprint, live_object};
use crate::redact::redact;
use crate::transport::warnings;
use crate::{Access, Cluster, ConnectError, Lens, Limits, LiveObject, SecretAccess, Write};

struct Labels;

impl Lens for Labels {
    fn app_of(&self, object: &Value) -> Option<String> {
        manifest::label(object, "app").map(str::to_owned)
    }

    fn summary(&self, object: &Value) -> Option<Value> {
        object.get("status").cloned()
    }
}

fn info(api_version: &str, kind: &str) -> Arc<KindInfo> {
    Arc::new(KindInfo {
        gvk: Gvk::from_api_version(api_version, kind),
        plural: format!("{}s", kind.to_lowercase()),
        singular: kind.to_lowercase(),
        namespaced: true,
        verbs: vec!["list".to_owned(), "watch".to_owned()],
        short_names: Vec::new(),
        categories: Vec::new(),
        subresources: Vec::new(),
        preferred: true,
    })
}

fn object(api_version: &str, kind: &str, name: &str, version: u64) -> Value {
    json!({
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": format!("uid-{kind}-{name}"),
            "resourceVersion": version.to_string(),
        },
    })
}

fn owned(mut object: Value, kind: &str, name: &str) -> Value {
    object["metadata"]["ownerReferences"] = json!([{
        "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": format!("uid-{kind}-{name}"),
    }]);
    object
}

fn of_app(mut object: Value, app: &str) -> Value {
    object["metadata"]["labels"] = json!({"app": app});
    object
}

fn remembered(object: &Value) -> LiveObject {
    live_object(&info(manifest::api_version(object), manifest::kind(object)), object, &Labels)
}

fn put(store: &mut Store, object: &Value) -> Option<LiveEvent> {
    store.put(remembered(object)).1
}

fn key(group: &str, kind: &str, name: &str) -> ObjectKey {
    ObjectKey::new(group, kind, "shop", name)
}

fn names(objects: &[Arc<LiveObject>]) -> Vec<String> {
    objects.iter().map(|object| format!("{}/{}", object.gvk().kind, object.name())).collect()
}

fn deployment_with_pods() -> Store {
    let mut store = Store::default();
    for object in [
        owned(object("v1", "Pod", "web-1", 3), "ReplicaSet", "web"),
        owned(of_app(object("apps/v1", "ReplicaSet", "web", 2), "copied"), "Deployment", "web"),
        of_app(object("apps/v1", "Deployment", "web", 1), "shop"),
    ] {
        put(&mut store, &object);
    }
    store
}

#[test]
fn what_is_below_an_object_is_found_in_whatever_order_it_came() {
    let store = deployment_with_pods();
    let root = store.get(&key("apps", "Deployment", "web")).unwrap();
    assert_eq!(names(&store.descendants(root)), ["ReplicaSet/web", "Pod/web-1"]);
    assert_eq!(names(&store.of_app("shop")), ["Deployment/web"]);
    assert!(store.of_app("copied").is_empty(), "an owned object is its owner's");
    let pod = store.get(&key("", "Pod", "web-1")).unwrap().clone();
    assert_eq!(store.root_app(&pod).as_deref(), Some("shop"));
    assert_eq!(names(&store.in_namespace("shop")).len(), 3);
}

#[test]
fn owners_in_a_circle_end_the_search() {
    let mut store = Store::default();
    put(&mut store, &owned(object("apps/v1", "A", "a", 1), "B", "b"));
    put(&mut store, &owned(object("apps/v1", "B", "b", 1), "A", "a"));
    let a = store.get(&key("apps", "A", "a")).unwrap().clone();
    assert_eq!(names(&store.descendants(&a)), ["B/b"]);
    assert_eq!(store.root_app(&a), None);
}

#[test]
fn owners_that_no_reference_names_are_inferred_as_upstream_does() {
    let mut store = Store::default();
    let mut token = object("v1", "Secret", "token", 1);
    token["type"] = "kubernetes.io/service-account-token".into();
    token["metadata"]["annotations"] = json!({
        "kubernetes.io/service-account.name": "robot",
        "kubernetes.io/service-account.uid": "uid-ServiceAccount-robot",
    });
    let mut set = object("apps/v1", "StatefulSet", "db", 1);
    set["spec"] = json!({"volumeClaimTemplates": [{"metadata": {"name": "data"}}]});
    let mut csv = object("operators.coreos.com/v1alpha1", "ClusterServiceVersion", "op", 1);
    csv["metadata"]["annotations"] = json!({"olm.operatorGroup": "group"});
    for object in [
        of_app(object("v1", "Service", "web", 1), "shop"),
        object("v1", "Endpoints", "web", 1),
        of_app(object("v1", "ServiceAccount", "robot", 1), "shop"),
        token,
        of_app(set, "shop"),
        object("v1", "PersistentVolumeClaim", "data-db-0", 1),
        object("v1", "PersistentVolumeClaim", "data-db-x", 1),
        object("v1", "PersistentVolumeClaim", "data-other-0", 1),
        of_app(object("operators.coreos.com/v1", "OperatorGroup", "group", 1), "shop"),
        csv,
    ] {
        put(&mut store, &object);
    }
    let children = |group: &str, kind: &str, name: &str| {
        names(&store.children(store.get(&key(group, kind, name)).unwrap()))
    };
    assert_eq!(children("", "Service", "web"), ["Endpoints/web"]);
    assert_eq!(children("", "ServiceAccount", "robot"), ["Secret/token"]);
    assert_eq!(children("apps", "StatefulSet", "db"), ["PersistentVolumeClaim/data-db-0"]);
    assert_eq!(
        children("operators.coreos.com", "OperatorGroup", "group"),
        ["ClusterServiceVersion/op"]
    );
    let claim = store.get(&key("", "PersistentVolumeClaim", "data-db-0")).unwrap().clone();
    assert_eq!(store.root_app(&claim).as_deref(), Some("shop"));
}

#[test]
fn an_older_version_never_replaces_a_newer_one() {
    let mut store = Store::default();
    let new = of_app(object("v1", "ConfigMap", "a", 10), "shop");
    assert_eq!(put(&mut store, &new).unwrap().change, Change::Added);
    assert_eq!(put(&mut store, &new), None);
    assert_eq!(put(&mut store, &object("v1", "ConfigMap", "a", 9)), None);
    let newer = of_app(object("v1", "ConfigMap", "a", 11), "other");
    let event = put(&mut store, &newer).unwrap();
    assert_eq!(event.change, Change::Modified);
    assert_eq!((event.old_app.as_deref(), event.app.as_deref()), (Some("shop"), Some("other")));
    assert!(store.of_app("shop").is_empty());
    // Another object of the same name replaces it, however old.
    let mut another = object("v1", "ConfigMap", "a", 5);
    another["metadata"]["uid"] = "another".into();
    assert!(put(&mut store, &another).is_some());
    assert_eq!(store.len(), 1);
}

#[test]
fn a_full_state_takes_away_what_it_does_not_tell_and_nothing_newer() {
    let mut store = Store::default();
    let (seen, _) = store.put(remembered(&object("v1", "ConfigMap", "told", 5)));
    put(&mut store, &object("v1", "ConfigMap", "gone", 6));
    put(&mut store, &object("v1", "ConfigMap", "observed-since", 30));
    let kind = Gvk::new("", "v1", "ConfigMap").group_kind();
    let gone = store.remove_unseen(&kind, "", &[seen].into(), Some("20"));
    assert_eq!(gone.iter().map(|event| event.key.name.as_str()).collect::<Vec<_>>(), ["gone"]);
    assert_eq!(store.len(), 2);
}

#[test]
fn removing_everything_leaves_nothing_behind() {
    let mut store = deployment_with_pods();
    let all: Vec<_> = store.iter().cloned().collect();
    for object in all {
        let kind = object.gvk().group_kind();
        let uid = object.uid().to_owned();
        assert!(store.remove(&kind, "shop", object.name(), &uid, "9").is_some());
    }
    assert_eq!(store.len(), 0);
    assert!(store.is_empty_inside());
}

#[test]
fn a_body_is_kept_of_an_applications_own_objects_alone() {
    let mut pod = owned(object("v1", "Pod", "web-1", 3), "ReplicaSet", "web");
    pod["status"] = json!({"phase": "Running"});
    let pod = remembered(&pod);
    assert!(pod.body().is_none());
    assert_eq!(pod.summary(), Some(json!({"phase": "Running"})));
    let own = of_app(object("apps/v1", "Deployment", "web", 1), "shop");
    assert_eq!(remembered(&own).body(), Some(own));
    let crd = object("apiextensions.k8s.io/v1", "CustomResourceDefinition", "x", 1);
    assert_eq!(remembered(&crd).body(), Some(crd));
}

#[test]
fn a_fingerprint_overlooks_what_the_server_counts() {
    let mut one = of_app(object("v1", "ConfigMap", "a", 1), "shop");
    one["data"] = json!({"a": "1"});
    let mut two = one.clone();
    two["metadata"]["resourceVersion"] = "2".into();
    two["metadata"]["generation"] = 4.into();
    two["metadata"]["managedFields"] = json!([{"manager": "x"}]);
    assert_eq!(fingerprint(&one), fingerprint(&two));
    two["data"]["a"] = "2".into();
    assert_ne!(fingerprint(&one), fingerprint(&two));
}

#[test]
fn what_is_packed_comes_back_and_is_small() {
    let small = json!({"a": 1});
    assert_eq!(Compact::pack(&small).unpack(), small);
    let lines: Vec<String> = (0..40).map(|i| format!("key-{i}: some value {i}")).collect();
    let large = json!({"data": {"config": lines.join("\n")}, "number": 1.5, "text": "ü"});
    let packed = Compact::pack(&large);
    assert!(packed.len() * 2 < large.to_string().len(), "{} bytes", packed.len());
    assert_eq!(packed.unpack(), large);
}

#[test]
fn changes_of_one_object_become_one() {
    let event = |change, app: Option<&str>, old: Option<u64>, new: Option<u64>| LiveEvent {
        key: key("", "ConfigMap", "a"),
        uid: "u".into(),
        change,
        app: app.map(Into::into),
        tracked: app.is_some(),
        old_app: None,
        old_hash: old,
        new_hash: new,
    };
    let added = event(Change::Added, Some("a"), None, Some(1));
    let modified = event(Change::Modified, Some("b"), Some(1), Some(2));
    let deleted = event(Change::Deleted, Some("b"), Some(2), None);
    let both = added.clone().then(modified.clone());
    assert_eq!((both.change, both.old_hash, both.new_hash), (Change::Added, None, Some(2)));
    assert_eq!(both.old_app.as_deref(), Some("a"));
    assert_eq!(modified.clone().then(deleted.clone()).change, Change::Deleted);
    let again = deleted.then(added);
    assert_eq!(
        (again.change, again.old_hash, again.new_hash),
        (Change::Modified, Some(2), Some(1))
    );
    assert!(again.matters());
}

#[test]
fn what_the_server_quotes_of_a_secret_is_starred() {
    let sent = json!({
        "data": {"password": "aHVudGVyMg==", "pin": 42, "flag": "x"},
        "stringData": {"token": "s3cret-token"},
        "metadata": {"annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"old\":\"b2xkLXZhbHVl\"}}",
        }},
    });
    let message = "aHVudGVyMg== hunter2 {Value:42} pin 42 of 142, s3cret-token, old-value, x fix: \
                   Invalid value: \"whatever\": bad";
    let error = ApiError::Invalid {
        message: message.to_owned(),
        causes: vec![Cause { message: "got hunter2".to_owned(), ..Cause::default() }],
    };
    let said = redact(error, true, Some(&sent));
    assert_eq!(
        said.to_string(),
        "++++++++ ++++++++ {Value:++++++++} pin ++++++++ of 142, ++++++++, ++++++++, ++++++++ fix: \
         Invalid value: \"++++++++\": bad"
    );
    assert_eq!(said.causes()[0].message, "got ++++++++");
    let other = ApiError::NotFound { message: message.to_owned() };
    assert_eq!(redact(other, false, Some(&sent)).to_string(), message);
}

#[test]
fn a_warning_is_unquoted() {
    let mut headers = http::HeaderMap::new();
    headers.append("warning", "299 - \"unknown field \\\"dta\\\"\"".parse().unwrap());
    headers.append("warning", "299 - \"second\"".parse().unwrap());
    assert_eq!(warnings(&headers), ["unknown field \"dta\"", "second"]);
}

async fn refusal(server: &str, config: Value) -> ConnectError {
    let secret = SecretAccess { server: server.to_owned(), config: config.to_string() };
    Cluster::connect(&Access::Secret(secret), Limits::default()).await.unwrap_err()
}

#[tokio::test]
async fn a_cluster_secret_that_cannot_be_used_says_why_and_shows_nothing() {
    let server = "https://far.example";
    let error = refusal(server, json!({"bearerToken": ["hidden"]})).await;
    let text = format!("{error:?}");
    assert!(
        matches!(error, ConnectError::SecretConfig { .. }) && !text.contains("hidden"),
        "{text}"
    );
    let error = refusal(server, json!({"tlsClientConfig": {"caData": "hid den"}})).await;
    assert!(error.to_string().contains("`tlsClientConfig.caData`"), "{error}");
    let error = refusal(
        server,
        json!({"execProviderConfig": {
            "command": "sh", "apiVersion": "client.authentication.k8s.io/v1",
            "args": ["-c", "echo hidden; exit 3"],
        }}),
    )
    .await;
    let text = format!("{error:?}");
    assert!(text.contains("the credential plugin failed: exit status: 3"), "{text}");
    assert!(!text.contains("hidden"), "{text}");
}

#[tokio::test]
async fn a_plugins_token_is_used() {
    let token = r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}"#;
    let secret = SecretAccess {
        server: "https://far.example/".to_owned(),
        config: json!({
            "execProviderConfig": {
                "command": "sh", "apiVersion": "client.authentication.k8s.io/v1",
                "args": ["-c", "test \"$MARK\" = set && echo \"$CREDENTIAL\""],
                "env": {"MARK": "set", "CREDENTIAL": token},
            },
            "tlsClientConfig": {"insecure": true},
        })
        .to_string(),
    };
    let access = Access::Secret(secret);
    assert!(!format!("{access:?}").contains("execProviderConfig"));
    let cluster = Cluster::connect(&access, Limits::default()).await.unwrap();
    assert_eq!(cluster.server(), "https://far.example");
}

#[test]
fn a_plugins_output_is_no_part_of_an_error() {
    let parse: Box<dyn std::error::Error + Send + Sync> = "other".into();
    assert_eq!(without_output(kube::Error::Service(parse)).to_string(), "other");
}

#[test]
fn a_write_shows_its_name_and_never_its_body() {
    let mut secret = object("v1", "Secret", "s", 1);
    secret["data"] = json!({"password": "aHVudGVyMg=="});
    let text = format!("{:?}", Write::apply(secret, "m"));
    assert!(text.contains("\"s\"") && !text.contains("aHVudGVyMg"), "{text}");
}

#[test]
fn a_group_whose_server_is_away_keeps_its_kinds() {
    let list = |fresh: &str| {
        json!({"items": [{"metadata": {"name": "g.example"}, "versions": [
            {"version": "v2", "freshness": fresh, "resources": if fresh == "Current" { json!([{
                "resource": "things", "responseKind": {"group": "g.example", "version": "v2", "kind": "Thing"},
                "scope": "Namespaced", "verbs": ["list", "watch"],
            }]) } else { json!([]) }},
            {"version": "v1", "freshness": "Current", "resources": []},
        ]}]})
    };
    let mut before = Kinds::default();
    before.add_aggregated(&list("Current"));
    let mut now = Kinds::default();
    now.add_aggregated(&list("Stale"));
    now.keep_broken_of(&before);
    assert!(now.get(&Gvk::new("g.example", "v2", "Thing")).is_some());
    assert_eq!(now.broken_groups()[0].group_version, "g.example/v2");
    assert!(now.may_serve("g.example"));
    assert_eq!(now.api_versions(|_| true), ["g.example/v2", "g.example/v2/Thing"]);
    assert_eq!(now.api_versions(|kind| kind.kind != "Thing"), [""; 0]);
}
