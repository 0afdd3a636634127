//! What upstream's own end-to-end tests of these names show, as far as it needs no session and no call
//! of the REST API: the first milestone of compatibility. The words are ours, the behaviour is theirs.

use cluster::{Action, Patch, Write};
use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, application, conditions, config_map, map, text};

const SERVER: &str = "https://kubernetes.default.svc";
const SERVICE: &str = "apiVersion: v1
kind: Service
metadata:
  name: guestbook-ui
spec:
  ports:
    - port: 80
      targetPort: 80
  selector:
    app: guestbook-ui
";

fn guestbook(image: &str, port: u32) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: guestbook-ui
  labels:
    test: \"true\"
spec:
  replicas: 0
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app: guestbook-ui
  template:
    metadata:
      labels:
        app: guestbook-ui
    spec:
      containers:
        - name: guestbook-ui
          image: example.com/guestbook:{image}
          ports:
            - containerPort: {port}
"
    )
}

pub fn deployment() -> Gvk {
    Gvk::new("apps", "v1", "Deployment")
}

fn project_kind() -> Gvk {
    Gvk::new("argoproj.io", "v1alpha1", "AppProject")
}

/// Commits the guestbook, and creates an Application on it as a person would.
pub async fn create(stage: &Stage, name: &str, more: &[&str]) {
    stage.repository().commit(&[
        ("guestbook/deployment.yaml", Some(&guestbook("0.2", 80))),
        ("guestbook/service.yaml", Some(SERVICE)),
    ]);
    create_on(stage, name, "guestbook", more).await;
}

pub async fn create_on(stage: &Stage, name: &str, path: &str, more: &[&str]) {
    let url = stage.repository().url();
    let namespace = stage.namespace.clone();
    let mut arguments = vec![
        "app",
        "create",
        name,
        "--repo",
        &url,
        "--path",
        path,
        "--dest-server",
        SERVER,
        "--dest-namespace",
        &namespace,
        "--sync-option",
        "CreateNamespace=true",
    ];
    arguments.extend(more);
    stage.well(&arguments).await;
}

async fn refresh(stage: &Stage, name: &str) {
    stage.well(&["app", "get", name, "--refresh"]).await;
}

pub async fn sync_status(stage: &Stage, name: &str, status: &str) -> Value {
    stage.app(name, status, |app| text(app, "/status/sync/status") == status).await
}

async fn project(stage: &Stage, name: &str) -> Value {
    let found = stage.cluster.get(&project_kind(), "argocd", name).await;
    found.expect("the cluster answers").expect("the project is there")
}

pub async fn project_creation(stage: &mut Stage) {
    stage
        .well(&[
            "proj",
            "create",
            "proj",
            "--description",
            "Test description",
            "-d",
            "https://192.168.99.100:8443,default",
            "-d",
            "https://192.168.99.100:8443,service",
            "-s",
            "https://github.com/argoproj/argo-cd.git",
            "--orphaned-resources",
        ])
        .await;
    let made = project(stage, "proj").await;
    assert_eq!(text(&made, "/spec/description"), "Test description");
    assert_eq!(
        made.pointer("/spec/destinations/1"),
        Some(&json!({"server": "https://192.168.99.100:8443", "namespace": "service"}))
    );
    assert_eq!(
        made.pointer("/spec/sourceRepos/0"),
        Some(&json!("https://github.com/argoproj/argo-cd.git"))
    );
    assert!(made.pointer("/spec/orphanedResources").is_some());
    let again = stage.tiphys(&["proj", "create", "proj", "--description", "another"]).await;
    assert_ne!(again.code, 0, "one of that name says something else: {}", again.told);
    stage.well(&["proj", "create", "proj", "--description", "another", "--upsert"]).await;
    assert_eq!(text(&project(stage, "proj").await, "/spec/description"), "another");
}

pub async fn project_deletion(stage: &mut Stage) {
    stage.well(&["proj", "create", "proj"]).await;
    let home = stage.cluster.home();
    home.delete(&project_kind(), "argocd", "proj", cluster::Propagation::Background)
        .await
        .expect("it is deleted");
    stage.until(project_kind(), "argocd", "proj", "it is gone", |one| one.is_none()).await;
}

pub async fn set_project(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.project("default", json!({"spec": {"destinations": [{"server": "https://192.168.99.100:8443", "namespace": "default"}]}})).await;
    let app = stage
        .app("web", "its destination is forbidden", |app| {
            !conditions(app, "InvalidSpecError").is_empty()
        })
        .await;
    assert_eq!(
        conditions(&app, "InvalidSpecError"),
        [format!(
            "application destination server '{SERVER}' and namespace 'scenario' do not match any of the allowed destinations in project 'default'"
        )]
    );
    stage
        .project("default", json!({"spec": {"destinations": [{"server": "*", "namespace": "*"}]}}))
        .await;
    stage
        .app("web", "it is allowed again", |app| conditions(app, "InvalidSpecError").is_empty())
        .await;
}

pub async fn add_project_destination(stage: &mut Stage) {
    stage.well(&["proj", "create", "proj", "-s", "*"]).await;
    let url = stage.repository().url();
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let arguments = [
        "app",
        "create",
        "web",
        "--repo",
        &url,
        "--path",
        "app",
        "--dest-server",
        SERVER,
        "--dest-namespace",
        "default",
        "--project",
        "proj",
    ];
    let refused = stage.tiphys(&arguments).await;
    assert_ne!(refused.code, 0);
    assert!(
        refused.told.contains("do not match any of the allowed destinations in project 'proj'"),
        "{}",
        refused.told
    );
    stage
        .project(
            "proj",
            json!({"spec": {"destinations": [{"server": SERVER, "namespace": "default"}]}}),
        )
        .await;
    stage.well(&arguments).await;
    stage.well(&["app", "sync", "web"]).await;
}

pub async fn remove_project_destination(stage: &mut Stage) {
    stage.well(&["proj", "create", "proj", "-s", "*", "-d", &format!("{SERVER},scenario")]).await;
    create(stage, "web", &["--project", "proj"]).await;
    sync_status(stage, "web", "OutOfSync").await;
    stage.project("proj", json!({"spec": {"destinations": null}})).await;
    stage
        .app("web", "its destination is forbidden", |app| {
            !conditions(app, "InvalidSpecError").is_empty()
        })
        .await;
    let app = stage
        .app("web", "nothing is known any more", |app| {
            text(app, "/status/sync/status") == "Unknown"
        })
        .await;
    assert_eq!(text(&app, "/status/health/status"), "Unknown");
}

pub async fn app_creation(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    let app = sync_status(stage, "web", "OutOfSync").await;
    assert_eq!(text(&app, "/spec/source/path"), "guestbook");
    assert_eq!(text(&app, "/spec/destination/namespace"), "scenario");
    assert_eq!(text(&app, "/spec/destination/server"), SERVER);
    let list = stage.well(&["app", "list"]).await;
    assert!(list.contains("web"), "{list}");
    create_on(stage, "web", "guestbook", &["--upsert"]).await;
}

pub async fn app_creation_without_force_update(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    let url = stage.repository().url();
    let again = stage
        .tiphys(&[
            "app",
            "create",
            "web",
            "--repo",
            &url,
            "--path",
            "guestbook",
            "--dest-name",
            "in-cluster",
            "--dest-namespace",
            "other",
        ])
        .await;
    assert_eq!(again.code, 20);
    assert!(
        again
            .told
            .contains("existing application spec is different, use upsert flag to force update"),
        "{}",
        again.told
    );
}

pub async fn create_from_partial_file(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let file = repository.write(
        "partial.yaml",
        "metadata:
  labels:
    labels.local/from-file: file
    labels.local/from-args: file
  annotations:
    annotations.local/from-file: file
  finalizers:
  - resources-finalizer.argocd.argoproj.io
spec:
  syncPolicy:
    automated:
      prune: true
",
    );
    create_on(stage, "web", "app", &["--file", &file, "-l", "labels.local/from-args=args"]).await;
    let app = stage.synced("web").await;
    assert_eq!(
        app["metadata"]["labels"],
        json!({"labels.local/from-file": "file", "labels.local/from-args": "args"})
    );
    assert_eq!(text(&app, "/metadata/annotations/annotations.local~1from-file"), "file");
    assert_eq!(app["metadata"]["finalizers"], json!(["resources-finalizer.argocd.argoproj.io"]));
    assert_eq!(text(&app, "/spec/source/path"), "app");
    assert_eq!(app.pointer("/status/conditions"), None);
}

pub async fn create_disable_validation(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    create_on(stage, "web", "baddir", &["--validate=false"]).await;
    create_on(stage, "web", "baddir2", &["--validate=false", "--upsert"]).await;
    stage.well(&["app", "set", "web", "--path", "baddir3", "--validate=false"]).await;
    let app = stage
        .app("web", "its path is told to be missing", |app| {
            !conditions(app, "ComparisonError").is_empty()
        })
        .await;
    assert_eq!(text(&app, "/spec/source/path"), "baddir3");
}

pub async fn invalid_app_project(stage: &mut Stage) {
    let url = stage.repository().url();
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let refused = stage
        .tiphys(&[
            "app",
            "create",
            "web",
            "--repo",
            &url,
            "--path",
            "app",
            "--dest-server",
            SERVER,
            "--dest-namespace",
            "x",
            "--project",
            "does-not-exist",
        ])
        .await;
    assert_ne!(refused.code, 0);
    assert!(refused.told.contains("is not allowed"), "{}", refused.told);
    stage.manual("lost", "app", |app| app["spec"]["project"] = "does-not-exist".into()).await;
    let refused = stage.tiphys(&["app", "sync", "lost"]).await;
    assert!(refused.told.contains("or the project does not exist"), "{}", refused.told);
    let nowhere = json!({"name": "nowhere", "namespace": "x"});
    stage.manual("away", "app", |app| app["spec"]["destination"] = nowhere).await;
    let failed = stage.tiphys(&["app", "sync", "away", "--timeout", "30"]).await;
    assert!(failed.told.contains("completed with phase: Error"), "{}", failed.told);
}

pub async fn cannot_set_invalid_path(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    let refused = stage.tiphys(&["app", "set", "web", "--path", "garbage"]).await;
    assert_ne!(refused.code, 0);
    assert!(refused.told.contains("app path does not exist"), "{}", refused.told);
    let app = stage.app("web", "it is as it was", |_| true).await;
    assert_eq!(text(&app, "/spec/source/path"), "guestbook");
}

pub async fn comparison_fails_if_cluster_not_added(stage: &mut Stage) {
    let url = stage.repository().url();
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let refused = stage
        .tiphys(&[
            "app",
            "create",
            "web",
            "--repo",
            &url,
            "--path",
            "app",
            "--dest-server",
            "https://not-registered-cluster/api",
            "--dest-namespace",
            "x",
        ])
        .await;
    assert_ne!(refused.code, 0);
    let found = stage.cluster.get(&application(), "argocd", "web").await.expect("answers");
    assert_eq!(found, None);
}

pub async fn app_labels(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    create_on(stage, "web", "app", &["-l", "id=it"]).await;
    let list = async |more: &[&str]| {
        let mut arguments = vec!["app", "list"];
        arguments.extend(more);
        stage.well(&arguments).await
    };
    assert!(list(&[]).await.contains("web"));
    assert!(list(&["-l", "id=it"]).await.contains("web"));
    assert!(!list(&["-l", "id=rubbish"]).await.contains("web"));
    let none = stage.tiphys(&["app", "sync", "-l", "id=rubbish"]).await;
    assert_ne!(none.code, 0);
    assert!(
        none.told.contains("No matching apps found for filter: selector id=rubbish"),
        "{}",
        none.told
    );
    stage.well(&["app", "sync", "-l", "id=it"]).await;
    sync_status(stage, "web", "Synced").await;
}

pub async fn patch_values_object(stage: &mut Stage) {
    let chart = "apiVersion: v2\nname: chart\nversion: 0.1.0\n";
    let template = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: my-map\ndata:\n  foo: {{ .Values.some.foo | quote }}\n  new: {{ .Values.some.new | quote }}\n";
    stage
        .repository()
        .commit(&[("helm/Chart.yaml", Some(chart)), ("helm/templates/map.yaml", Some(template))]);
    stage
        .manual("web", "helm", |app| {
            app["spec"]["source"]["helm"] = json!({"valuesObject": {"some": {"foo": "bar"}}});
        })
        .await;
    let patch = r#"[{"op": "add", "path": "/spec/source/helm/valuesObject", "value": {"some": {"foo": "bar", "new": "field"}}}]"#;
    stage.well(&["app", "patch", "web", "--patch", patch]).await;
    refresh(stage, "web").await;
    stage.well(&["app", "sync", "web"]).await;
    let app = sync_status(stage, "web", "Synced").await;
    assert_eq!(
        app.pointer("/spec/source/helm/valuesObject"),
        Some(&json!({"some": {"foo": "bar", "new": "field"}}))
    );
    let live = stage.get(config_map(), "my-map").await.expect("it is there");
    assert_eq!(live["data"], json!({"foo": "bar", "new": "field"}));
}

pub async fn app_deletion(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    sync_status(stage, "web", "Synced").await;
    stage.well(&["app", "delete", "web", "--yes", "--wait"]).await;
    let found = stage.cluster.get(&application(), "argocd", "web").await.expect("answers");
    assert_eq!(found, None);
    assert_eq!(stage.get(deployment(), "guestbook-ui").await, None);
    let list = stage.well(&["app", "list"]).await;
    assert!(!list.contains("web"), "{list}");
}

pub async fn sync_async(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web", "--async"]).await;
    stage.ended("web", "Succeeded").await;
    sync_status(stage, "web", "Synced").await;
}

pub async fn sync_with_infos(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web", "--info", "name1=val1", "--info", "name2=val2"]).await;
    let app = sync_status(stage, "web", "Synced").await;
    assert_eq!(
        app.pointer("/status/operationState/operation/info"),
        Some(&json!([{"name": "name1", "value": "val1"}, {"name": "name2", "value": "val2"}]))
    );
}

pub async fn sync_resource_by_label(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    stage.well(&["app", "sync", "web", "--label", "test=true"]).await;
    let app = sync_status(stage, "web", "Synced").await;
    let rows = app.pointer("/status/operationState/syncResult/resources").and_then(Value::as_array);
    assert_eq!(rows.map(Vec::len), Some(1), "{rows:#?}");
    let none = stage.tiphys(&["app", "sync", "web", "--label", "this-label=does-not-exist"]).await;
    assert_ne!(none.code, 0);
}

pub async fn sync_resource_by_project(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "--project", "default"]).await;
    sync_status(stage, "web", "Synced").await;
    let none = stage.tiphys(&["app", "sync", "--project", "this-project-does-not-exist"]).await;
    assert_ne!(none.code, 0);
}

pub async fn discover_new_commit(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "foo")))]);
    create_on(stage, "web", "app", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    let app = sync_status(stage, "web", "Synced").await;
    let before = text(&app, "/status/sync/revision").to_owned();
    assert!(!before.is_empty());
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "hello")))]);
    refresh(stage, "web").await;
    let app = sync_status(stage, "web", "OutOfSync").await;
    assert_ne!(text(&app, "/status/sync/revision"), before);
}

pub async fn app_rollback_successful(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    let app = sync_status(stage, "web", "Synced").await;
    let revision = text(&app, "/status/sync/revision").to_owned();
    let source = app.pointer("/spec/source").cloned().expect("a source");
    let entry = |id: u32, revision: &str| json!({"id": id, "revision": revision, "deployedAt": "2026-01-01T00:00:00Z", "source": source});
    let history = json!({"status": {"history": [entry(1, &revision), entry(2, "cdb")]}});
    let home = stage.cluster.home();
    home.patch(&application(), "argocd", "web", Patch::Merge(history)).await.expect("taken");
    stage.well(&["app", "rollback", "web", "1"]).await;
    let kind = Gvk::new("", "v1", "Event");
    let told = stage.cluster.list(&kind, &cluster::ListQuery::in_namespace("argocd")).await;
    let told = told.expect("the cluster answers");
    let started = told.iter().filter(|one| text(one, "/reason") == "OperationStarted");
    let words: Vec<&str> = started.map(|one| text(one, "/message")).collect();
    assert_eq!(words, ["user initiated sync to HEAD", "user initiated rollback to 1"]);
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(text(&app, "/status/sync/status"), "Synced");
    let history = app.pointer("/status/history").and_then(Value::as_array).expect("a history");
    assert_eq!(history.len(), 3);
    assert_eq!(text(&history[2], "/revision"), revision);
}

pub async fn pruning_required(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    stage.repository().commit(&[("guestbook/service.yaml", None)]);
    refresh(stage, "web").await;
    let app = sync_status(stage, "web", "OutOfSync").await;
    let rows = app.pointer("/status/resources").and_then(Value::as_array).expect("resources");
    let service = rows.iter().find(|row| text(row, "/kind") == "Service").expect("the row");
    assert_eq!(service["requiresPruning"], true);
    let ended = stage.tiphys(&["app", "sync", "web"]).await;
    assert_eq!(ended.code, 1);
    assert!(ended.told.contains("1 resources require pruning"), "{}", ended.told);
}

pub async fn auto_sync_self_heal_disabled(stage: &mut Stage) {
    create(stage, "web", &["--sync-policy", "automated"]).await;
    stage.synced("web").await;
    let changed =
        guestbook("0.2", 80).replace("revisionHistoryLimit: 3", "revisionHistoryLimit: 1");
    stage.repository().commit(&[("guestbook/deployment.yaml", Some(&changed))]);
    stage.synced("web").await;
    by_hand(stage).await;
    refresh(stage, "web").await;
    sync_status(stage, "web", "OutOfSync").await;
}

async fn by_hand(stage: &Stage) {
    let patch = Patch::Merge(json!({"spec": {"revisionHistoryLimit": 0}}));
    stage
        .write(Write::patch(deployment(), &stage.namespace, "guestbook-ui", patch, "somebody"))
        .await;
}

pub async fn auto_sync_self_heal_enabled(stage: &mut Stage) {
    create(stage, "web", &["--sync-policy", "automated", "--self-heal", "--sync-retry-limit", "0"])
        .await;
    stage.synced("web").await;
    by_hand(stage).await;
    stage
        .object(deployment(), "guestbook-ui", "it is put back", |one| {
            one.pointer("/spec/revisionHistoryLimit") == Some(&json!(3))
        })
        .await;
    stage.synced("web").await;
    let patch = Patch::Merge(json!({"spec": {"syncPolicy": {"retry": {"limit": 0}}}}));
    stage.cluster.home().patch(&application(), "argocd", "web", patch).await.expect("taken");
    let broken =
        guestbook("0.2", 80).replace("revisionHistoryLimit: 3", "revisionHistoryLimit: badValue");
    stage.repository().commit(&[("guestbook/deployment.yaml", Some(&broken))]);
    let app = stage
        .app("web", "the attempt is told", |app| !conditions(app, "SyncError").is_empty())
        .await;
    assert_eq!(text(&app, "/status/operationState/phase"), "Failed");
    assert!(
        conditions(&app, "SyncError")[0].starts_with("Failed last sync attempt"),
        "{:?}",
        conditions(&app, "SyncError")
    );
    stage.repository().commit(&[("guestbook/deployment.yaml", Some(&guestbook("0.3", 80)))]);
    stage.synced("web").await;
    stage
        .app("web", "the condition is gone", |app| app.pointer("/status/conditions").is_none())
        .await;
}

pub async fn list_resource(stage: &mut Stage) {
    stage.project("default", json!({"spec": {"orphanedResources": {"warn": true}}})).await;
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    let app = sync_status(stage, "web", "Synced").await;
    assert_eq!(conditions(&app, "OrphanedResourceWarning"), Vec::<String>::new(), "{app:#?}");
    let orphan = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "orphaned-configmap", "namespace": "scenario"}});
    stage.write(Write::create(orphan, "somebody")).await;
    refresh(stage, "web").await;
    stage
        .app("web", "the orphan is told of", |app| {
            conditions(app, "OrphanedResourceWarning") == ["Application has 1 orphaned resources"]
        })
        .await;
    let resources = async |more: &[&str]| {
        let mut arguments = vec!["app", "resources", "web"];
        arguments.extend(more);
        stage.well(&arguments).await
    };
    let all = resources(&[]).await;
    assert!(all.contains("orphaned-configmap") && all.contains("guestbook-ui"), "{all}");
    let orphans = resources(&["--orphaned=true"]).await;
    assert!(
        orphans.contains("orphaned-configmap") && !orphans.contains("guestbook-ui"),
        "{orphans}"
    );
    let own = resources(&["--orphaned=false"]).await;
    assert!(!own.contains("orphaned-configmap") && own.contains("guestbook-ui"), "{own}");
    let ignored = json!({"spec": {"orphanedResources": {"ignore": [{"group": "Test", "kind": "ConfigMap"}, {"kind": "ConfigMap", "name": "orphaned-*"}]}}});
    stage.project("default", ignored).await;
    stage
        .app("web", "it is ignored", |app| conditions(app, "OrphanedResourceWarning").is_empty())
        .await;
}

pub async fn mask_secret_values(stage: &mut Stage) {
    stage.set("argocd-cm", json!({"resource.sensitive.mask.annotations": "token"})).await;
    let secret = |username: &str, token: &str| {
        format!(
            "apiVersion: v1
kind: Secret
metadata:
  name: secret
  annotations:
    token: {token}
    app: test
stringData:
  username: {username}
data:
  password: U0VDUkVUVkFM
"
        )
    };
    let repository = stage.repository();
    repository.commit(&[("app/secret.yaml", Some(&secret("SECRETVAL", "SECRETVAL")))]);
    create_on(stage, "web", "app", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    let hidden = |text: &str| {
        assert!(!text.contains("SECRETVAL") && !text.contains("U0VDUkVUVkFM"), "{text}");
    };
    hidden(&stage.well(&["app", "manifests", "web"]).await);
    hidden(&stage.well(&["app", "manifests", "web", "--source", "live"]).await);
    hidden(&stage.well(&["app", "get-resource", "web", "--kind", "Secret", "-o", "yaml"]).await);
    repository.commit(&[("app/secret.yaml", Some(&secret("NEWSECRETVAL", "NEWSECRETVAL")))]);
    stage.well(&["app", "get", "web", "--hard-refresh"]).await;
    sync_status(stage, "web", "OutOfSync").await;
    for more in [&[][..], &["--explain"], &["--explain", "-o", "json"], &["-o", "yaml"]] {
        let mut arguments = vec!["app", "diff", "web"];
        arguments.extend(more);
        let ran = stage.tiphys(&arguments).await;
        assert_eq!(ran.code, 1, "{}", ran.told);
        hidden(&ran.out);
        assert!(ran.out.contains("++++++++"), "{}", ran.out);
    }
    let app = sync_status(stage, "web", "OutOfSync").await;
    hidden(&app.to_string());
}

pub async fn resource_diffing(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    sync_status(stage, "web", "Synced").await;
    let patch = Patch::Json(
        json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "test"}]),
    );
    stage
        .write(Write::patch(deployment(), &stage.namespace, "guestbook-ui", patch, "somebody"))
        .await;
    sync_status(stage, "web", "OutOfSync").await;
    let local = format!("{}/guestbook", stage.repository().path());
    let differs =
        stage.tiphys(&["app", "diff", "web", "--local", &local, "--server-side-generate"]).await;
    assert_eq!(differs.code, 1);
    assert!(
        differs.out.contains("===== apps/Deployment scenario/guestbook-ui ======"),
        "{}",
        differs.out
    );
    stage.set("argocd-cm", json!({"resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [\"/spec/template/spec/containers/0/image\"]"})).await;
    sync_status(stage, "web", "Synced").await;
    let same = stage.tiphys(&["app", "diff", "web", "--local", &local]).await;
    assert_eq!((same.code, same.out.as_str()), (0, ""));
    // Another manager takes a field over.
    let theirs = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "guestbook-ui", "namespace": "scenario"}, "spec": {"revisionHistoryLimit": 7}});
    let mut write = Write::apply(theirs, "revision-history-manager");
    if let Action::Apply { force, .. } = &mut write.action {
        *force = true;
    }
    stage.write(write).await;
    sync_status(stage, "web", "OutOfSync").await;
    stage.set("argocd-cm", json!({"resource.customizations.ignoreDifferences.apps_Deployment": "managedFieldsManagers: [revision-history-manager]\njsonPointers: [\"/spec/template/spec/containers/0/image\"]"})).await;
    sync_status(stage, "web", "Synced").await;
    let options = r#"[{"op": "add", "path": "/spec/syncPolicy", "value": {"syncOptions": ["RespectIgnoreDifferences=true"]}}]"#;
    stage.well(&["app", "patch", "web", "--patch", options]).await;
    stage.well(&["app", "sync", "web"]).await;
    let live = stage.get(deployment(), "guestbook-ui").await.expect("there");
    assert_eq!(live.pointer("/spec/revisionHistoryLimit"), Some(&json!(7)), "theirs is respected");
}

pub async fn local_manifest_sync(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    let image = async || {
        let live = stage.get(deployment(), "guestbook-ui").await.expect("there");
        text(&live, "/spec/template/spec/containers/0/image").to_owned()
    };
    assert_eq!(image().await, "example.com/guestbook:0.2");
    let repository = stage.repository();
    repository.write("local/deployment.yaml", &guestbook("0.3", 81));
    repository.write("local/service.yaml", SERVICE);
    let (root, local) = (repository.path(), format!("{}/local", repository.path()));
    stage.well(&["app", "sync", "web", "--local", &local, "--local-repo-root", &root]).await;
    assert_eq!(image().await, "example.com/guestbook:0.3");
    let shown = stage.well(&["app", "manifests", "web", "--local", &local]).await;
    assert!(shown.contains("containerPort: 81"), "{shown}");
    // Until the next operation it is compared with what this one brought.
    stage.well(&["app", "get", "web", "--refresh"]).await;
    sync_status(stage, "web", "Synced").await;
    let shown = stage.well(&["app", "manifests", "web"]).await;
    assert!(shown.contains("containerPort: 81"), "{shown}");
    let unsettable = stage.tiphys(&["app", "set", "web", "--path", "nowhere"]).await;
    assert!(unsettable.told.contains("app path does not exist"), "{}", unsettable.told);
    stage.well(&["app", "sync", "web"]).await;
    sync_status(stage, "web", "Synced").await;
    assert_eq!(image().await, "example.com/guestbook:0.2");
    let auto = r#"[{"op": "add", "path": "/spec/syncPolicy/automated", "value": {}}]"#;
    stage.well(&["app", "patch", "web", "--patch", auto]).await;
    let refused = stage.tiphys(&["app", "sync", "web", "--local", &local]).await;
    assert_ne!(refused.code, 0);
    assert!(
        refused.told.contains(
            "Cannot use local sync when Automatic Sync Policy is enabled unless for dry run"
        ),
        "{}",
        refused.told
    );
}

pub async fn cluster_get(stage: &mut Stage) {
    let listed = stage.well(&["cluster", "list", "-o", "yaml"]).await;
    assert!(listed.contains("name: in-cluster"), "{listed}");
    assert!(listed.contains(&format!("server: {SERVER}")), "{listed}");
}

pub async fn add_remove_public_repo(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let url = repository.url();
    stage.well(&["repo", "add", &url]).await;
    let listed = stage.well(&["repo", "list"]).await;
    assert!(listed.contains(&url), "{listed}");
    let secrets = Gvk::new("", "v1", "Secret");
    let query = cluster::ListQuery::in_namespace("argocd");
    let all = stage.cluster.list(&secrets, &query).await.expect("the cluster answers");
    let described = all
        .iter()
        .find(|one| manifest::label(one, "argocd.argoproj.io/secret-type") == Some("repository"))
        .expect("a secret describes it");
    let name = manifest::name(described).to_owned();
    let write = Write::delete(secrets, "argocd", &name, cluster::Propagation::Background);
    stage.write(write).await;
    let listed = stage.well(&["repo", "list"]).await;
    assert!(!listed.contains(&url), "{listed}");
}
