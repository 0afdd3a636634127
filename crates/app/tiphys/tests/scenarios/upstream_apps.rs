//! What upstream's end-to-end tests of Applications show: tracking, options, retries, projects. The
//! words are ours, the behaviour is theirs.

use cluster::{Patch, Propagation, Write};
use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, application, conditions, config_map, map, results, text};
use crate::upstream_hooks::{manual, room};

const TRACKING: &str = "argocd.argoproj.io/tracking-id";
const INSTANCE: &str = "app.kubernetes.io/instance";

async fn sync(stage: &Stage) -> Value {
    stage.operate("web", json!({"sync": {}})).await;
    stage.ended("web", "Succeeded").await
}

async fn prune(stage: &Stage) {
    stage.operate("web", json!({"sync": {"prune": true}})).await;
    stage.ended("web", "Succeeded").await;
}

async fn refreshed(stage: &Stage) {
    stage.well(&["app", "get", "web", "--refresh"]).await;
}

async fn status(stage: &Stage, status: &str) -> Value {
    stage.app("web", status, |app| text(app, "/status/sync/status") == status).await
}

async fn patch_app(stage: &Stage, patch: Value) {
    let home = stage.cluster.home();
    home.patch(&application(), "argocd", "web", Patch::Merge(patch)).await.expect("it is taken");
}

fn row<'a>(app: &'a Value, kind: &str, name: &str) -> Option<&'a Value> {
    let rows = app.pointer("/status/resources").and_then(Value::as_array)?;
    rows.iter().find(|row| text(row, "/kind") == kind && text(row, "/name") == name)
}

/// Makes a ConfigMap by hand.
async fn by_hand(stage: &Stage, name: &str, labels: Value, annotations: Value) {
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": name, "namespace": stage.namespace,
            "labels": labels, "annotations": annotations,
        },
    });
    stage.write(Write::create(object, "somebody")).await;
}

async fn delete(stage: &Stage, name: &str) {
    let write = Write::delete(config_map(), &stage.namespace, name, Propagation::Background);
    stage.write(write).await;
}

async fn one_map(stage: &Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    manual(stage).await;
}

pub async fn immutable_change(stage: &mut Stage) {
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: held\nimmutable: true\nstringData:\n  key: {value}\n"
        )
    };
    let repository = stage.repository();
    repository.commit(&[("app/secret.yaml", Some(&secret("one")))]);
    manual(stage).await;
    sync(stage).await;
    repository.commit(&[("app/secret.yaml", Some(&secret("two")))]);
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Failed").await;
    let held = &results(&app)["Secret/held/Sync"];
    assert_eq!((text(held, "/status"), text(held, "/hookPhase")), ("SyncFailed", "Failed"));
    assert!(text(held, "/message").starts_with("Secret \"held\" is invalid"), "{held:#?}");
    status(stage, "OutOfSync").await;
    stage.operate("web", json!({"sync": {"syncStrategy": {"hook": {"force": true}}}})).await;
    stage.ended("web", "Succeeded").await;
    stage.synced("web").await;
}

async fn prune_false(stage: &mut Stage, options: &[&str], annotations: &[(&str, &str)]) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/one.yaml", Some(&map("one", annotations, "x"))),
        ("app/two.yaml", Some(&map("two", &[], "x"))),
    ]);
    room(stage).await;
    stage
        .manual("web", "app", |app| app["spec"]["syncPolicy"] = json!({"syncOptions": options}))
        .await;
    sync(stage).await;
    stage.synced("web").await;
    repository.commit(&[("app/one.yaml", None)]);
    stage.operate("web", json!({"sync": {"prune": true, "syncOptions": options}})).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(text(&results(&app)["ConfigMap/one/Sync"], "/status"), "PruneSkipped");
    let app = status(stage, "OutOfSync").await;
    assert_eq!(row(&app, "ConfigMap", "one").map(|row| text(row, "/status")), Some("OutOfSync"));
    assert!(stage.get(config_map(), "one").await.is_some());
}

pub async fn sync_option_prune_false_app_level(stage: &mut Stage) {
    prune_false(stage, &["Prune=false"], &[]).await;
}

pub async fn sync_option_prune_false_resource_override(stage: &mut Stage) {
    let annotations = [("argocd.argoproj.io/sync-options", "Prune=false")];
    prune_false(stage, &["Prune=true"], &annotations).await;
}

pub async fn revision_history_limit(stage: &mut Stage) {
    one_map(stage).await;
    let history =
        |app: &Value| app.pointer("/status/history").and_then(Value::as_array).map_or(0, Vec::len);
    assert_eq!(history(&sync(stage).await), 1);
    stage.well(&["app", "set", "web", "--revision-history-limit", "1"]).await;
    assert_eq!(history(&sync(stage).await), 1);
}

const SERVICE: &str = "apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: 80
  selector:
    app: web
";

pub async fn create_app_with_no_namespace_when_required(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "x"))),
        ("app/service.yaml", Some(SERVICE)),
    ]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["destination"] = json!({"server": "https://kubernetes.default.svc"});
        })
        .await;
    let app = stage
        .app("web", "both are told", |app| conditions(app, "InvalidSpecError").len() == 2)
        .await;
    assert_eq!(app.pointer("/status/conditions").and_then(Value::as_array).map(Vec::len), Some(2));
    let told = conditions(&app, "InvalidSpecError");
    assert_eq!(told[0], "Namespace for main /v1, Kind=ConfigMap is missing.");
    assert_eq!(told[1], "Namespace for web /v1, Kind=Service is missing.");
}

pub async fn create_app_with_no_namespace_for_global_resource(stage: &mut Stage) {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: global\n";
    stage.repository().commit(&[("app/main.yaml", Some(namespace))]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["destination"] = json!({"server": "https://kubernetes.default.svc"});
        })
        .await;
    let app = status(stage, "OutOfSync").await;
    assert_eq!(app.pointer("/status/conditions"), None);
}

pub async fn stale_operation_revision_not_used_new_sync(stage: &mut Stage) {
    one_map(stage).await;
    let first = stage.repository().head();
    stage.operate("web", json!({"sync": {"revision": first}})).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(text(&app, "/status/operationState/syncResult/revision"), first);
    let broken = map("main", &[], "x").replace("name: main", "name: main\n  labels: {a: no/good!}");
    let second = stage.repository().commit(&[("app/main.yaml", Some(&broken))]);
    let operation = json!({
        "initiatedBy": {"username": "somebody", "automated": true},
        "info": [{"name": "Reason", "value": "the newest"}],
        "sync": {},
        "retry": {"limit": 1, "backoff": {"duration": "1s"}},
    });
    stage.operate("web", operation).await;
    let app = stage.ended("web", "Failed").await;
    assert_eq!(text(&app, "/status/operationState/syncResult/revision"), second);
    assert_eq!(app.pointer("/status/operationState/retryCount"), Some(&json!(1)));
    let words = text(&app, "/status/operationState/message");
    assert!(words.ends_with("(retried 1 times)."), "{words}");
}

pub async fn sync_option_replace(stage: &mut Stage) {
    let options = [("argocd.argoproj.io/sync-options", "Replace=true")];
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &options, "x")))]);
    manual(stage).await;
    let said = |app: &Value| text(&results(app)["ConfigMap/main/Sync"], "/message").to_owned();
    assert_eq!(said(&sync(stage).await), "configmap/main created");
    assert_eq!(said(&sync(stage).await), "configmap/main replaced");
    stage.synced("web").await;
}

pub async fn switch_tracking_method(stage: &mut Stage) {
    let id = |name: &str| json!({TRACKING: format!("web:/ConfigMap:scenario/{name}")});
    stage.set("argocd-cm", json!({"application.resourceTrackingMethod": "annotation"})).await;
    one_map(stage).await;
    sync(stage).await;
    stage.synced("web").await;
    by_hand(stage, "other", json!({}), id("other")).await;
    status(stage, "OutOfSync").await;
    delete(stage, "other").await;
    status(stage, "Synced").await;
    stage.set("argocd-cm", json!({"application.resourceTrackingMethod": "label"})).await;
    stage
        .app("web", "the label is missing", |app| text(app, "/status/sync/status") == "OutOfSync")
        .await;
    sync(stage).await;
    stage.synced("web").await;
    by_hand(stage, "other", json!({}), id("other")).await;
    by_hand(stage, "extra", json!({INSTANCE: "web"}), json!({})).await;
    let app = status(stage, "OutOfSync").await;
    assert!(row(&app, "ConfigMap", "extra").is_some());
    assert!(row(&app, "ConfigMap", "other").is_none(), "an annotation says nothing now");
    delete(stage, "extra").await;
    status(stage, "Synced").await;
}

pub async fn switch_tracking_label(stage: &mut Stage) {
    stage.set("argocd-cm", json!({"application.resourceTrackingMethod": "label"})).await;
    one_map(stage).await;
    sync(stage).await;
    stage.synced("web").await;
    by_hand(stage, "other", json!({INSTANCE: "web"}), json!({})).await;
    status(stage, "OutOfSync").await;
    delete(stage, "other").await;
    status(stage, "Synced").await;
    stage.set("argocd-cm", json!({"application.instanceLabelKey": "argocd.tracking"})).await;
    status(stage, "OutOfSync").await;
    sync(stage).await;
    stage.synced("web").await;
    by_hand(stage, "other", json!({"argocd.tracking": "web"}), json!({})).await;
    status(stage, "OutOfSync").await;
    delete(stage, "other").await;
    status(stage, "Synced").await;
    by_hand(stage, "other", json!({INSTANCE: "web"}), json!({})).await;
    refreshed(stage).await;
    let app = status(stage, "Synced").await;
    assert!(row(&app, "ConfigMap", "other").is_none());
}

async fn moved(stage: &mut Stage, options: Value) {
    stage.set("argocd-cm", json!({"application.resourceTrackingMethod": "annotation"})).await;
    let labelled = map("main", &[], "x")
        .replace("name: main", "name: main\n  labels: {app.kubernetes.io/instance: my-release}");
    stage.repository().commit(&[("app/main.yaml", Some(&labelled))]);
    room(stage).await;
    stage
        .manual("web", "app", |app| app["spec"]["syncPolicy"] = json!({"syncOptions": options}))
        .await;
    stage.operate("web", json!({"sync": {"syncOptions": options}})).await;
    stage.ended("web", "Succeeded").await;
    stage.synced("web").await;
    let stale =
        json!({"metadata": {"annotations": {TRACKING: "old-app:/ConfigMap:scenario/main"}}});
    let patch = Patch::Merge(stale);
    stage.write(Write::patch(config_map(), &stage.namespace, "main", patch, "somebody")).await;
    refreshed(stage).await;
    status(stage, "OutOfSync").await;
    stage.operate("web", json!({"sync": {"syncOptions": options}})).await;
    stage.ended("web", "Succeeded").await;
    stage.synced("web").await;
    let main = stage.get(config_map(), "main").await.expect("it is there");
    assert_eq!(manifest::annotation(&main, TRACKING), Some("web:/ConfigMap:scenario/main"));
    assert_eq!(main["metadata"]["labels"][INSTANCE], "my-release");
}

pub async fn tracking_method_annotation_moved_resource(stage: &mut Stage) {
    moved(stage, json!([])).await;
}

pub async fn tracking_method_annotation_moved_resource_ssa(stage: &mut Stage) {
    moved(stage, json!(["ServerSideApply=true"])).await;
}

pub async fn annotation_tracking_extra_resources(stage: &mut Stage) {
    stage.set("argocd-cm", json!({"application.resourceTrackingMethod": "annotation"})).await;
    one_map(stage).await;
    sync(stage).await;
    stage.synced("web").await;
    let foreign = json!({TRACKING: "web:apps/Deployment:scenario/else"});
    by_hand(stage, "extra", json!({}), foreign).await;
    refreshed(stage).await;
    status(stage, "Synced").await;
    prune(stage).await;
    assert!(stage.get(config_map(), "extra").await.is_some(), "what is not tracked is not pruned");
    by_hand(stage, "other", json!({}), json!({TRACKING: "web:/ConfigMap:scenario/other"})).await;
    status(stage, "OutOfSync").await;
    prune(stage).await;
    stage.gone(config_map(), "other").await;
    status(stage, "Synced").await;
    let role_kind = || Gvk::new("rbac.authorization.k8s.io", "v1", "ClusterRole");
    let role = |name: &str| {
        let id = "web:rbac.authorization.k8s.io/ClusterRole:scenario/other-role";
        Write::create(
            json!({
                "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
                "metadata": {"name": name, "annotations": {TRACKING: id}},
            }),
            "somebody",
        )
    };
    stage.write(role("first-role")).await;
    refreshed(stage).await;
    status(stage, "Synced").await;
    stage.write(role("other-role")).await;
    status(stage, "OutOfSync").await;
    prune(stage).await;
    stage.until(role_kind(), "", "other-role", "gone", |one| one.is_none()).await;
    status(stage, "Synced").await;
    let first = stage.cluster.get(&role_kind(), "", "first-role").await.expect("it answers");
    assert!(first.is_some());
}

pub async fn installation_id(stage: &mut Stage) {
    room(stage).await;
    by_hand(stage, "theirs", json!({}), json!({TRACKING: "web:/ConfigMap:scenario/theirs"})).await;
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage).await;
    let app = status(stage, "OutOfSync").await;
    assert_eq!(row(&app, "ConfigMap", "theirs").map(|row| text(row, "/status")), Some("OutOfSync"));
    stage.set("argocd-cm", json!({"installationID": "test"})).await;
    stage
        .app("web", "the other is nobody's of ours", |app| {
            row(app, "ConfigMap", "theirs").is_none()
        })
        .await;
    sync(stage).await;
    stage.synced("web").await;
    let main = stage.get(config_map(), "main").await.expect("it is there");
    assert_eq!(manifest::annotation(&main, "argocd.argoproj.io/installation-id"), Some("test"));
}

pub async fn deletion_confirmation_app_level(stage: &mut Stage) {
    room(stage).await;
    by_hand(stage, "extra", json!({}), json!({TRACKING: "web:/ConfigMap:scenario/extra"})).await;
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let options = json!(["Delete=confirm", "Prune=confirm"]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["syncPolicy"] = json!({"syncOptions": options});
            app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
        })
        .await;
    stage.operate("web", json!({"sync": {"prune": true, "syncOptions": options}})).await;
    stage
        .app("web", "it waits for a person", |app| {
            text(app, "/status/operationState/message")
                == "waiting for pruning confirmation of /ConfigMap/extra"
        })
        .await;
    stage.well(&["app", "confirm-deletion", "web"]).await;
    stage.ended("web", "Succeeded").await;
    stage.synced("web").await;
    // Times are whole seconds: what was agreed to in this one would count for the deletion, too.
    let nothing = Patch::Merge(
        json!({"metadata": {"annotations": {"argocd.argoproj.io/deletion-approved": null}}}),
    );
    stage.cluster.home().patch(&application(), "argocd", "web", nothing).await.expect("taken");
    stage.well(&["app", "delete", "web", "--yes", "--wait=false"]).await;
    stage
        .app("web", "it waits for a person", |app| {
            app.pointer("/metadata/deletionTimestamp").is_some()
                && !conditions(app, "DeletionError").is_empty()
        })
        .await;
    assert!(stage.get(config_map(), "main").await.is_some());
    stage.well(&["app", "confirm-deletion", "web"]).await;
    stage.until(application(), "argocd", "web", "gone", |app| app.is_none()).await;
    stage.gone(config_map(), "main").await;
}

pub async fn last_transition_time_unchanged(stage: &mut Stage) {
    const THEN: &str = "2023-01-01T00:00:00Z";
    one_map(stage).await;
    stage
        .manual("lost", "app", |app| {
            app["spec"]["destination"] =
                json!({"server": "https://non-existent-cluster", "namespace": "default"});
            app["status"] = json!({
                "reconciledAt": THEN,
                "health": {"status": "Unknown", "lastTransitionTime": THEN},
            });
        })
        .await;
    stage.well(&["app", "get", "lost", "--refresh"]).await;
    let app = stage
        .app("lost", "it was looked at", |app| !conditions(app, "InvalidSpecError").is_empty())
        .await;
    assert_eq!(text(&app, "/status/health/status"), "Unknown");
    assert_eq!(text(&app, "/status/health/lastTransitionTime"), THEN);
}

pub async fn source_namespace_can_be_migrated_to_managed_namespace(stage: &mut Stage) {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: scenario\n";
    let repository = stage.repository();
    repository.commit(&[
        ("app/namespace.yaml", Some(namespace)),
        ("app/main.yaml", Some(&map("main", &[], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    prune(stage).await;
    stage.synced("web").await;
    let kind = Gvk::new("", "v1", "Namespace");
    let before = stage.cluster.get(&kind, "", "scenario").await.expect("it answers");
    let managed = json!({"labels": {"foo": "bar"}});
    patch_app(stage, json!({"spec": {"syncPolicy": {"managedNamespaceMetadata": managed}}})).await;
    prune(stage).await;
    stage.synced("web").await;
    repository.commit(&[("app/namespace.yaml", None)]);
    stage.well(&["app", "get", "web", "--hard-refresh"]).await;
    prune(stage).await;
    stage.synced("web").await;
    let after = stage.cluster.get(&kind, "", "scenario").await.expect("it answers");
    let uid = |object: &Option<Value>| object.as_ref().map(|one| manifest::uid(one).to_owned());
    assert_eq!(uid(&before), uid(&after), "the namespace stays");
    let after = after.expect("it is there");
    assert_eq!(after.pointer("/metadata/deletionTimestamp"), None);
    assert_eq!(text(&after, "/metadata/labels/foo"), "bar");
}

pub async fn no_local_sync_with_autosync_enabled(stage: &mut Stage) {
    one_map(stage).await;
    sync(stage).await;
    stage.well(&["app", "set", "web", "--sync-policy", "automated"]).await;
    let path = format!("{}/app", stage.repository().path());
    let refused = stage.tiphys(&["app", "sync", "web", "--local", &path]).await;
    assert_ne!(refused.code, 0, "{}", refused.out);
    stage.well(&["app", "sync", "web", "--dry-run", "--local", &path]).await;
    stage.synced("web").await;
}

pub async fn comparison_fails_if_in_cluster_disabled(stage: &mut Stage) {
    one_map(stage).await;
    sync(stage).await;
    stage.synced("web").await;
    stage.set("argocd-cm", json!({"cluster.inClusterEnabled": "false"})).await;
    let app = status(stage, "Unknown").await;
    assert_eq!(text(&app, "/status/health/status"), "Unknown");
    let told = conditions(&app, "InvalidSpecError");
    assert!(told[0].contains("cluster \"https://kubernetes.default.svc\" is disabled"), "{told:?}");
}

pub async fn app_skip_reconcile(stage: &mut Stage) {
    one_map(stage).await;
    for (name, value) in [("skipped", "true"), ("not", "false"), ("odd", "not a boolean value")] {
        stage
            .manual(name, "app", |app| {
                app["metadata"]["annotations"] =
                    json!({"argocd.argoproj.io/skip-reconcile": value});
            })
            .await;
    }
    for name in ["not", "odd"] {
        stage.app(name, "it is looked at", |app| app.get("status").is_some()).await;
    }
    let skipped = stage.cluster.get(&application(), "argocd", "skipped").await;
    let skipped = skipped.expect("it answers").expect("it is there");
    assert!(skipped.get("status").is_none_or(|status| status == &json!({})), "{skipped:#?}");
}

pub async fn auto_sync_retry_and_refresh_enabled_changed_source(stage: &mut Stage) {
    let repository = stage.repository();
    let good = map("main", &[], "x");
    let bad = good.replace("name: main", "name: main\n  labels: {a: no/good!}");
    repository.commit(&[("app/main.yaml", Some(&good)), ("other/main.yaml", Some(&bad))]);
    room(stage).await;
    stage
        .manual("web", "app", |app| {
            app["spec"]["syncPolicy"] = json!({
                "automated": {},
                "retry": {
                    "limit": -1, "refresh": true,
                    "backoff": {"duration": "1s", "factor": 1, "maxDuration": "1s"},
                },
            });
        })
        .await;
    let app = stage.synced("web").await;
    assert_eq!(app.pointer("/status/conditions"), None);
    repository.commit(&[("app/main.yaml", Some(&bad))]);
    refreshed(stage).await;
    stage
        .app("web", "it is tried again", |app| {
            app.pointer("/status/operationState/retryCount").and_then(Value::as_u64) >= Some(1)
                && text(app, "/status/operationState/phase") == "Running"
        })
        .await;
    patch_app(stage, json!({"spec": {"source": {"path": "other"}}})).await;
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "y")))]);
    refreshed(stage).await;
    let app = stage
        .app("web", "what began goes on with its own source", |app| {
            app.pointer("/status/history").and_then(Value::as_array).map(Vec::len) == Some(2)
        })
        .await;
    assert_eq!(text(&app, "/status/history/1/source/path"), "app");
}

pub async fn selective_sync_chooses_by_namespace(stage: &mut Stage) {
    let here = map("main", &[], "x");
    let there = here.replace("name: main", "name: main\n  namespace: elsewhere");
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: elsewhere\n";
    stage.repository().commit(&[
        ("app/here.yaml", Some(&here)),
        ("app/there.yaml", Some(&there)),
        ("app/namespace.yaml", Some(namespace)),
    ]);
    manual(stage).await;
    sync(stage).await;
    stage.synced("web").await;
    let (here, there) = (here.replace("\"x\"", "\"y\""), there.replace("\"x\"", "\"y\""));
    stage.repository().commit(&[("app/here.yaml", Some(&here)), ("app/there.yaml", Some(&there))]);
    refreshed(stage).await;
    status(stage, "OutOfSync").await;
    stage.well(&["app", "sync", "web", "--resource", ":ConfigMap:elsewhere/main"]).await;
    let app = status(stage, "OutOfSync").await;
    assert_eq!(results(&app).len(), 1);
    let rows = app.pointer("/status/resources").and_then(Value::as_array).expect("resources");
    let of = |namespace: &str| {
        let row = rows
            .iter()
            .find(|row| text(row, "/kind") == "ConfigMap" && text(row, "/namespace") == namespace);
        row.map(|row| text(row, "/status"))
    };
    assert_eq!((of("elsewhere"), of("scenario")), (Some("Synced"), Some("OutOfSync")));
    stage.well(&["app", "sync", "web", "--resource", ":ConfigMap:main"]).await;
    stage.synced("web").await;
}

fn deployment(replicas: u32, metadata: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
{metadata}spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: web{more}}}
  template:
    metadata:
      labels: {{app: web{more}}}
    spec:
      containers:
        - name: main
          image: example.com/main:1
"
    )
}

pub async fn sync_with_skip_hook(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/web.yaml", Some(&deployment(0, "", ""))),
        ("app/main.yaml", Some(&map("main", &[], "x"))),
    ]);
    room(stage).await;
    stage
        .manual("web", "app", |app| {
            app["spec"]["syncPolicy"] = json!({"automated": {"selfHeal": true}});
        })
        .await;
    stage.synced("web").await;
    let skipped = "  annotations: {argocd.argoproj.io/hook: Skip}\n";
    repository.commit(&[("app/web.yaml", Some(&deployment(1, skipped, "")))]);
    refreshed(stage).await;
    stage.synced("web").await;
    let kind = || Gvk::new("apps", "v1", "Deployment");
    let live = stage.get(kind(), "web").await.expect("it is there");
    assert_eq!(live.pointer("/spec/replicas"), Some(&json!(0)), "it is left alone");
    repository.commit(&[("app/web.yaml", Some(&deployment(1, "", "")))]);
    refreshed(stage).await;
    stage
        .object(kind(), "web", "it is applied again", |one| {
            one.pointer("/spec/replicas") == Some(&json!(1))
        })
        .await;
}

pub async fn sync_with_force_replace(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/web.yaml", Some(&deployment(0, "", "")))]);
    manual(stage).await;
    sync(stage).await;
    stage.synced("web").await;
    let options = "  annotations: {argocd.argoproj.io/sync-options: 'Force=true,Replace=true'}\n";
    repository.commit(&[("app/web.yaml", Some(&deployment(0, options, ", env: e2e")))]);
    refreshed(stage).await;
    sync(stage).await;
    stage.synced("web").await;
}

pub async fn a_wait_for_one_object_ends_when_it_is_well(stage: &mut Stage) {
    stage.repository().commit(&[("app/web.yaml", Some(&deployment(0, "", "")))]);
    manual(stage).await;
    status(stage, "OutOfSync").await;
    let wait = |timeout: &'static str| {
        let one = ["app", "wait", "web", "--resource", "apps:Deployment:web"];
        [&one[..], &["--health", "--timeout", timeout]].concat()
    };
    let ran = stage.tiphys(&wait("1")).await;
    assert_eq!(ran.code, 20, "{}", ran.told);
    assert!(ran.out.contains("Missing"), "{}", ran.out);
    sync(stage).await;
    stage.well(&wait("30")).await;
    let tree = stage.well(&["app", "get", "web", "-o", "tree"]).await;
    let line = tree.lines().find(|line| line.starts_with("Deployment/web")).unwrap_or_default();
    assert!(line.contains("Healthy"), "{tree}");
    let told = stage.well(&["app", "get", "web", "-o", "json"]).await;
    let told: Value = serde_json::from_str(&told).expect("it is JSON");
    assert_eq!(text(&told, "/status/resources/0/health/status"), "Healthy");
}

pub async fn namespace_creation_with_ssa(stage: &mut Stage) {
    stage.repository().commit(&[("app/web.yaml", Some(&deployment(0, "", "")))]);
    let options = json!(["CreateNamespace=true", "ServerSideApply=true"]);
    stage
        .manual("web", "app", |app| app["spec"]["syncPolicy"] = json!({"syncOptions": options}))
        .await;
    stage.operate("web", json!({"sync": {"syncOptions": options}})).await;
    stage.ended("web", "Succeeded").await;
    stage.synced("web").await;
    let kind = Gvk::new("", "v1", "Namespace");
    let made = stage.cluster.get(&kind, "", "scenario").await.expect("it answers");
    let made = made.expect("it is there");
    let last = "kubectl.kubernetes.io/last-applied-configuration";
    assert_eq!(manifest::annotation(&made, last), None);
}

pub async fn sync_with_create_namespace_and_dry_run_error(stage: &mut Stage) {
    let broken = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: broken\n  labels: {my-label: has-inva/id-character!}\n";
    stage.repository().commit(&[("app/account.yaml", Some(broken))]);
    stage.manual("web", "app", |_| {}).await;
    status(stage, "OutOfSync").await;
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Failed").await;
    let results = results(&app);
    assert_eq!(results.len(), 2, "{results:#?}");
    let namespace = &results["Namespace/scenario/PreSync"];
    assert_eq!(text(namespace, "/status"), "Synced");
    assert_eq!(text(namespace, "/message"), "namespace/scenario created");
    let account = &results["ServiceAccount/broken/Sync"];
    assert_eq!((text(account, "/status"), text(account, "/hookPhase")), ("SyncFailed", "Failed"));
    let start = "ServiceAccount \"broken\" is invalid: metadata.labels: Invalid value";
    assert!(text(account, "/message").starts_with(start), "{account:#?}");
}

pub async fn not_permitted_resources(stage: &mut Stage) {
    room(stage).await;
    let home = stage.cluster.home();
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": {"name": "narrow", "namespace": "argocd"},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "scenario", "server": "*"}],
            "namespaceResourceBlacklist": [{"group": "", "kind": "Service"}],
        },
    });
    home.create(&project).await.expect("the project is made");
    // Both say that they are the Application's; one is not even wanted, and forbidden by its place.
    let theirs = json!({TRACKING: "web:/Service:scenario/web"});
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": "scenario", "annotations": theirs},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}},
    });
    stage.write(Write::create(service, "somebody")).await;
    let elsewhere = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "far", "namespace": "argocd", "annotations": {TRACKING: "web:/ConfigMap:argocd/far"}},
    });
    stage.write(Write::create(elsewhere, "somebody")).await;
    stage.repository().commit(&[
        ("app/web.yaml", Some(&deployment(0, "", ""))),
        ("app/service.yaml", Some(SERVICE)),
    ]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["project"] = "narrow".into();
            app["spec"]["syncPolicy"] = json!({});
            app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
        })
        .await;
    let app = status(stage, "OutOfSync").await;
    assert!(
        row(&app, "ConfigMap", "far").is_none(),
        "what is forbidden and not wanted is not seen"
    );
    assert_eq!(row(&app, "Service", "web").map(|row| text(row, "/status")), Some("Unknown"));
    assert_eq!(row(&app, "Deployment", "web").map(|row| text(row, "/status")), Some("OutOfSync"));
    stage.well(&["app", "delete", "web", "--yes", "--wait"]).await;
    let service = Gvk::new("", "v1", "Service");
    assert!(stage.get(service, "web").await.is_some(), "it is left alone");
    let far = stage.cluster.get(&config_map(), "argocd", "far").await.expect("it answers");
    assert!(far.is_some());
}
