//! What happens every day.

use cluster::{Action, Patch, Write};
use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, text};

const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: config\ndata:\n  a: one\n  b: two\n";
const EXTRA: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: extra\ndata:\n  x: extra\n";
const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: example.com/web:1
";
const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: widgets.example.com
spec:
  group: example.com
  names:
    plural: widgets
    kind: Widget
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
                size:
                  type: integer
                  default: 3
";
const WIDGET: &str =
    "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: first\nspec: {}\n";

fn config_map() -> Gvk {
    Gvk::new("", "v1", "ConfigMap")
}

fn deployment() -> Gvk {
    Gvk::new("apps", "v1", "Deployment")
}

fn patch(gvk: Gvk, namespace: &str, name: &str, patch: Value, manager: &str) -> Write {
    Write {
        gvk,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        action: Action::Patch { patch: Patch::Merge(patch), subresource: None },
        dry_run: false,
        manager: manager.to_owned(),
        validation: cluster::Validation::Warn,
    }
}

pub async fn the_example_turns_synced_and_healthy(stage: &mut Stage) {
    stage
        .repository()
        .commit(&[("app/config.yaml", Some(CONFIG)), ("app/deployment.yaml", Some(DEPLOYMENT))]);
    stage.application("web", "app", |_| {}).await;
    let app = stage.synced("web").await;
    assert_eq!(text(&app, "/status/sourceType"), "Directory");
    assert_eq!(text(&app, "/status/summary/images/0"), "example.com/web:1");
    assert_eq!(app.pointer("/status/history/0/id"), Some(&json!(0)));
    let results = app.pointer("/status/operationState/syncResult/resources").expect("results");
    assert!(results.as_array().is_some_and(|results| results.len() >= 2), "{results}");
    let live = stage.get(deployment(), "web").await.expect("the Deployment is there");
    let tracking = manifest::annotation(&live, "argocd.argoproj.io/tracking-id");
    assert_eq!(tracking, Some("web:apps/Deployment:scenario/web"));
}

pub async fn a_commit_is_applied_and_what_it_drops_is_pruned(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/config.yaml", Some(CONFIG)), ("app/extra.yaml", Some(EXTRA))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    assert!(stage.get(config_map(), "extra").await.is_some());

    repository.commit(&[
        ("app/config.yaml", Some(&CONFIG.replace("two", "deux"))),
        ("app/extra.yaml", None),
    ]);
    stage.synced("web").await;
    let config = stage.get(config_map(), "config").await.expect("the ConfigMap is there");
    assert_eq!(text(&config, "/data/b"), "deux");
    assert_eq!(stage.get(config_map(), "extra").await, None, "what git dropped is pruned");
}

pub async fn a_change_by_hand_is_reverted(stage: &mut Stage) {
    stage.repository().commit(&[("app/deployment.yaml", Some(DEPLOYMENT))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    let by_hand = json!({"spec": {"replicas": 9}});
    stage.write(patch(deployment(), &stage.namespace, "web", by_hand, "somebody")).await;
    stage
        .until(deployment(), &stage.namespace, "web", "put back", |web| {
            web.is_some_and(|web| web.pointer("/spec/replicas") == Some(&json!(2)))
        })
        .await;
    stage.synced("web").await;
}

pub async fn a_field_that_git_drops_goes_whoever_wrote_it_since(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/config.yaml", Some(CONFIG))]);
    stage
        .application("web", "app", |app| {
            app["spec"]["syncPolicy"]["automated"]["selfHeal"] = false.into();
        })
        .await;
    stage.synced("web").await;
    let by_hand = json!({"data": {"b": "mine"}});
    stage.write(patch(config_map(), &stage.namespace, "config", by_hand, "somebody")).await;
    repository.commit(&[("app/config.yaml", Some(&CONFIG.replace("  b: two\n", "")))]);
    stage
        .until(config_map(), &stage.namespace, "config", "the dropped field is gone", |config| {
            config.is_some_and(|config| config["data"] == json!({"a": "one"}))
        })
        .await;
    stage.synced("web").await;
}

pub async fn a_definition_and_its_object_come_in_one_sync(stage: &mut Stage) {
    stage
        .repository()
        .commit(&[("app/widget.yaml", Some(WIDGET)), ("app/zz-definition.yaml", Some(DEFINITION))]);
    stage.application("widgets", "app", |_| {}).await;
    stage.synced("widgets").await;
    let widget = Gvk::new("example.com", "v1", "Widget");
    stage
        .until(widget, &stage.namespace, "first", "the Widget has its default", |widget| {
            widget.is_some_and(|widget| widget.pointer("/spec/size") == Some(&json!(3)))
        })
        .await;
}

pub async fn a_dry_run_changes_nothing(stage: &mut Stage) {
    stage.repository().commit(&[("app/config.yaml", Some(CONFIG))]);
    stage
        .application("web", "app", |app| {
            app["spec"]["syncPolicy"] = json!({});
            app["spec"]["destination"]["namespace"] = "default".into();
            app["operation"] = json!({"sync": {"dryRun": true, "revision": ""}});
        })
        .await;
    let app = stage
        .app("web", "the dry run ended", |app| {
            text(app, "/status/operationState/phase") == "Succeeded"
        })
        .await;
    assert_eq!(text(&app, "/status/sync/status"), "OutOfSync");
    let live = stage.cluster.get(&config_map(), "default", "config").await;
    assert_eq!(live.expect("the cluster answers"), None);
}

pub async fn what_was_killed_goes_on(stage: &mut Stage) {
    let repository = stage.repository();
    repository
        .commit(&[("app/config.yaml", Some(CONFIG)), ("app/deployment.yaml", Some(DEPLOYMENT))]);
    stage.application("web", "app", |_| {}).await;
    stage
        .app("web", "an operation was begun", |app| {
            !text(app, "/status/operationState/phase").is_empty()
        })
        .await;
    stage.kill();
    repository.commit(&[("app/config.yaml", Some(&CONFIG.replace("one", "une")))]);
    stage.restart().await;
    stage.synced("web").await;
    let config = stage.get(config_map(), "config").await.expect("the ConfigMap is there");
    assert_eq!(text(&config, "/data/a"), "une");
}
