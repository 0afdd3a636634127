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

pub async fn a_huge_and_a_hostile_file_are_conditions_of_their_own_applications(stage: &mut Stage) {
    let huge = format!(
        "{GOOD}---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: huge\ndata:\n  a: \"{}\"\n",
        "x".repeat(11 << 20)
    );
    let mut laughs = format!("{GOOD}a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for step in 1..10 {
        let last = format!("*a{}", step - 1);
        laughs.push_str(&format!("a{step}: &a{step} [{}]\n", [last.as_str(); 10].join(", ")));
    }
    let repository = stage.repository();
    repository.commit(&[
        ("good/good.yaml", Some(GOOD)),
        ("huge/huge.yaml", Some(&huge)),
        ("hostile/laughs.yaml", Some(&laughs)),
    ]);
    for name in ["huge", "hostile", "good"] {
        stage.application(name, name, |_| {}).await;
    }
    for (name, file) in [("huge", "huge.yaml"), ("hostile", "laughs.yaml")] {
        let app = stage.app(name, "a ComparisonError", |app| has(app, "ComparisonError")).await;
        let words = conditions(&app, "ComparisonError").join("\n");
        assert!(words.contains(file), "{name}: {words}");
        assert!(words.len() < 4096, "{name}: the condition is {} bytes long", words.len());
        assert_eq!(text(&app, "/status/sync/status"), "Unknown");
    }
    stage.synced("good").await;
}

pub async fn a_repository_that_does_not_answer_is_a_condition(stage: &mut Stage) {
    stage.repository().commit(&[("app/good.yaml", Some(GOOD))]);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = nobody.local_addr().expect("bound");
    drop(nobody);
    stage
        .application("lost", "app", |app| {
            app["spec"]["source"]["repoURL"] = format!("https://{address}/team/repo").into();
        })
        .await;
    stage.application("web", "app", |_| {}).await;
    let app = stage.app("lost", "a ComparisonError", |app| has(app, "ComparisonError")).await;
    let words = conditions(&app, "ComparisonError").join("\n");
    assert!(words.contains(&address.to_string()), "{words}");
    stage.synced("web").await;
}

pub async fn a_namespace_that_goes_by_hand_comes_back(stage: &mut Stage) {
    stage.repository().commit(&[("app/good.yaml", Some(GOOD))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    let namespace = Gvk::new("", "v1", "Namespace");
    let before = stage.cluster.get(&namespace, "", "scenario").await.expect("the cluster answers");
    let before = before.expect("there");
    stage
        .write(cluster::Write::delete(
            namespace.clone(),
            "",
            "scenario",
            cluster::Propagation::Background,
        ))
        .await;
    stage
        .until(namespace, "", "scenario", "another namespace of the name", |object| {
            object.is_some_and(|object| {
                text(object, "/metadata/uid") != text(&before, "/metadata/uid")
            })
        })
        .await;
    stage.object(config_map(), "good", "it is there again", |_| true).await;
    stage.synced("web").await;
}

pub async fn a_clusters_name_where_its_url_belongs_is_answered(stage: &mut Stage) {
    stage.repository().commit(&[("app/good.yaml", Some(GOOD))]);
    stage
        .application("web", "app", |app| {
            app["spec"]["destination"]["server"] = "in-cluster".into();
        })
        .await;
    let app = stage.app("web", "an InvalidSpecError", |app| has(app, "InvalidSpecError")).await;
    let words = conditions(&app, "InvalidSpecError").join("\n");
    assert!(words.contains("destination.name"), "{words}");
}
