//! What goes wrong, and what is said of it.

use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, conditions, text};

const GOOD: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: good\ndata:\n  a: b\n";
const BROKEN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: broken\n data: [\n";

fn config_map() -> Gvk {
    Gvk::new("", "v1", "ConfigMap")
}

fn has(app: &Value, kind: &str) -> bool {
    !conditions(app, kind).is_empty()
}

pub async fn broken_yaml_names_its_file_and_leaves_what_runs(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/good.yaml", Some(GOOD))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;

    repository.commit(&[("app/broken.yaml", Some(BROKEN))]);
    let app = stage.app("web", "a ComparisonError", |app| has(app, "ComparisonError")).await;
    let words = conditions(&app, "ComparisonError").join("\n");
    assert!(words.contains("broken.yaml"), "{words}");
    assert_eq!(text(&app, "/status/sync/status"), "Unknown");
    assert!(stage.get(config_map(), "good").await.is_some(), "what ran keeps running");

    repository.commit(&[("app/broken.yaml", None)]);
    stage
        .app("web", "Synced, and the condition went with its cause", |app| {
            text(app, "/status/sync/status") == "Synced" && !has(app, "ComparisonError")
        })
        .await;
}

pub async fn a_missing_path_and_an_unknown_revision_are_conditions(stage: &mut Stage) {
    stage.repository().commit(&[("app/good.yaml", Some(GOOD))]);
    stage.application("nowhere", "no/such/dir", |_| {}).await;
    stage
        .application("never", "app", |app| {
            app["spec"]["source"]["targetRevision"] = "no-such-branch".into();
        })
        .await;
    for (name, named) in [("nowhere", "no/such/dir"), ("never", "no-such-branch")] {
        let app = stage.app(name, "a ComparisonError", |app| has(app, "ComparisonError")).await;
        let words = conditions(&app, "ComparisonError").join("\n");
        assert!(words.contains(named), "{words}");
    }
}

pub async fn a_forbidden_kind_fails_the_sync_before_any_write(stage: &mut Stage) {
    let project = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "narrow", "namespace": "argocd"},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "namespaceResourceBlacklist": [{"group": "", "kind": "Secret"}],
            "clusterResourceWhitelist": [{"group": "", "kind": "Namespace"}],
        },
    });
    stage.cluster.home().create(&project).await.expect("the project is created");
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: hidden\nstringData:\n  a: b\n";
    stage.repository().commit(&[("app/good.yaml", Some(GOOD)), ("app/secret.yaml", Some(secret))]);
    stage
        .application("web", "app", |app| {
            app["spec"]["project"] = "narrow".into();
            app["spec"]["syncPolicy"]["retry"] = json!({"limit": 0});
        })
        .await;
    let app = stage
        .app("web", "the sync failed", |app| {
            matches!(text(app, "/status/operationState/phase"), "Failed" | "Error")
        })
        .await;
    let results = app.pointer("/status/operationState/syncResult/resources").cloned();
    let words = results.unwrap_or_default().to_string();
    assert!(words.contains("not permitted in project"), "{words}");
    assert_eq!(stage.get(config_map(), "good").await, None, "nothing was written");
}

pub async fn an_object_twice_in_one_source_is_warned_of(stage: &mut Stage) {
    stage
        .repository()
        .commit(&[("app/a.yaml", Some(GOOD)), ("app/b.yaml", Some(&GOOD.replace("a: b", "a: c")))]);
    stage.application("web", "app", |_| {}).await;
    let app = stage
        .app("web", "a RepeatedResourceWarning", |app| has(app, "RepeatedResourceWarning"))
        .await;
    let words = conditions(&app, "RepeatedResourceWarning").join("\n");
    assert!(words.contains("good"), "{words}");
    stage.synced("web").await;
    let live = stage.get(config_map(), "good").await.expect("the ConfigMap is there");
    assert_eq!(text(&live, "/data/a"), "c", "the last one counts");
}

pub async fn two_applications_on_one_object_are_warned_of(stage: &mut Stage) {
    stage.repository().commit(&[("app/good.yaml", Some(GOOD))]);
    stage.application("first", "app", |_| {}).await;
    stage.synced("first").await;
    stage
        .application("second", "app", |app| {
            app["spec"]["syncPolicy"]["automated"] = Value::Null;
        })
        .await;
    let app = stage
        .app("second", "a SharedResourceWarning", |app| has(app, "SharedResourceWarning"))
        .await;
    let words = conditions(&app, "SharedResourceWarning").join("\n");
    assert!(words.contains("first"), "{words}");
}
