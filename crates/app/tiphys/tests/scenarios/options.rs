//! Sync options, waves, pruning, retries, windows.

use cluster::{Patch, Propagation, Validation, Write};
use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, application, conditions, config_map, map, pod, pod_kind, results, text};

const HOOK: &str = "argocd.argoproj.io/hook";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";
const WAVE: &str = "argocd.argoproj.io/sync-wave";

fn namespace_kind() -> Gvk {
    Gvk::new("", "v1", "Namespace")
}

fn by_hand(stage: &Stage, gvk: Gvk, name: &str, patch: Value, manager: &str) -> Write {
    let mut write = Write::patch(gvk, &stage.namespace, name, Patch::Merge(patch), manager);
    write.validation = Validation::Warn;
    write
}

/// Syncs by hand with options, and waits for a good end.
async fn sync(stage: &Stage, name: &str, options: &[&str]) -> Value {
    let mut all = vec!["CreateNamespace=true"];
    all.extend(options);
    stage.operate(name, json!({"sync": {"syncOptions": all, "prune": true}})).await;
    stage.ended(name, "Succeeded").await
}

pub async fn waves_wait_for_the_one_before_and_prune_mirrors_them(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/one.yaml", Some(&pod("one", &[(WAVE, "-1")]))),
        ("app/two.yaml", Some(&map("two", &[(WAVE, "1")], "x"))),
        ("app/hook.yaml", Some(&map("hook", &[(HOOK, "Sync"), (WAVE, "2")], "x"))),
        ("app/three.yaml", Some(&map("three", &[(WAVE, "3")], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.object(pod_kind(), "one", "the first wave is applied", |_| true).await;
    stage
        .app("web", "it says what it waits for", |app| {
            text(app, "/status/operationState/message") == "waiting for healthy state of /Pod/one"
        })
        .await;
    assert_eq!(stage.get(config_map(), "two").await, None, "the second waits");
    stage.finish("one", "Succeeded").await;
    let app = stage.ended("web", "Succeeded").await;
    let list = app.pointer("/status/operationState/syncResult/resources").and_then(Value::as_array);
    let order: Vec<&str> = list.into_iter().flatten().map(|row| text(row, "/name")).collect();
    assert_eq!(order, ["scenario", "one", "two", "hook", "three"]);

    // What was applied last goes first, and each wave waits until the one before is gone.
    for name in ["two", "three"] {
        let hold = json!({"metadata": {"finalizers": ["example.com/hold"]}});
        stage.write(by_hand(stage, config_map(), name, hold, "somebody")).await;
    }
    repository.commit(&[
        ("app/one.yaml", None),
        ("app/two.yaml", None),
        ("app/hook.yaml", None),
        ("app/three.yaml", None),
        ("app/rest.yaml", Some(&map("rest", &[], "x"))),
    ]);
    stage.operate("web", json!({"sync": {"prune": true}})).await;
    stage
        .object(config_map(), "three", "the last wave goes first", |map| {
            map.pointer("/metadata/deletionTimestamp").is_some()
        })
        .await;
    let two = stage.get(config_map(), "two").await.expect("it is there");
    assert_eq!(two.pointer("/metadata/deletionTimestamp"), None, "the wave before waits");
    let release = || json!({"metadata": {"finalizers": null}});
    stage.write(by_hand(stage, config_map(), "three", release(), "somebody")).await;
    stage
        .object(config_map(), "two", "then the one before", |map| {
            map.pointer("/metadata/deletionTimestamp").is_some()
        })
        .await;
    stage.write(by_hand(stage, config_map(), "two", release(), "somebody")).await;
    stage.ended("web", "Succeeded").await;
    stage.gone(pod_kind(), "one").await;
}

pub async fn prune_last_waits_for_everything_else(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/old.yaml", Some(&map("old", &[(OPTIONS, "PruneLast=true")], "x"))),
        ("app/main.yaml", Some(&map("main", &[], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    repository
        .commit(&[("app/old.yaml", None), ("app/slow.yaml", Some(&pod("slow", &[(WAVE, "5")])))]);
    stage.operate("web", json!({"sync": {"prune": true}})).await;
    stage
        .app("web", "the pod is waited for", |app| {
            text(app, "/status/operationState/message") == "waiting for healthy state of /Pod/slow"
        })
        .await;
    assert!(stage.get(config_map(), "old").await.is_some(), "it is pruned last");
    stage.finish("slow", "Succeeded").await;
    stage.ended("web", "Succeeded").await;
    stage.gone(config_map(), "old").await;
}

pub async fn prune_false_keeps_and_prune_confirm_waits_for_a_person(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/kept.yaml", Some(&map("kept", &[(OPTIONS, "Prune=false")], "x"))),
        ("app/asks.yaml", Some(&map("asks", &[(OPTIONS, "Prune=confirm")], "x"))),
        ("app/main.yaml", Some(&map("main", &[], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    repository.commit(&[("app/kept.yaml", None), ("app/asks.yaml", None)]);
    stage.operate("web", json!({"sync": {"prune": true}})).await;
    let app = stage
        .app("web", "a person is waited for", |app| {
            text(app, "/status/operationState/message")
                == "waiting for pruning confirmation of /ConfigMap/asks"
        })
        .await;
    let rows = app.pointer("/status/resources").and_then(Value::as_array).expect("resources");
    let asks = rows.iter().find(|row| text(row, "/name") == "asks").expect("the row");
    assert_eq!(asks["requiresDeletionConfirmation"], true);
    assert!(stage.get(config_map(), "asks").await.is_some());
    let told = stage.well(&["app", "confirm-deletion", "web"]).await;
    assert_eq!(told, "Application 'web' updated successfully\n");
    let app = stage.ended("web", "Succeeded").await;
    stage.gone(config_map(), "asks").await;
    assert!(stage.get(config_map(), "kept").await.is_some());
    let results = results(&app);
    assert_eq!(text(&results["ConfigMap/kept/Sync"], "/status"), "PruneSkipped");
    assert_eq!(text(&results["ConfigMap/kept/Sync"], "/message"), "ignored (no prune)");
    assert_eq!(text(&results["ConfigMap/asks/Sync"], "/status"), "Pruned");
}

pub async fn delete_false_stays_and_delete_confirm_waits_for_a_person(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/kept.yaml", Some(&map("kept", &[(OPTIONS, "Delete=false")], "x"))),
        ("app/asks.yaml", Some(&map("asks", &[(OPTIONS, "Delete=confirm")], "x"))),
        ("app/helm.yaml", Some(&map("helm", &[("helm.sh/resource-policy", "keep")], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    stage.synced("web").await;
    stage.well(&["app", "delete", "web", "--yes"]).await;
    let app = stage
        .app("web", "a person is waited for", |app| !conditions(app, "DeletionError").is_empty())
        .await;
    assert_eq!(
        conditions(&app, "DeletionError"),
        ["Resource /ConfigMap/scenario/asks requires manual confirmation to delete"]
    );
    assert!(stage.get(config_map(), "asks").await.is_some());
    stage.well(&["app", "confirm-deletion", "web"]).await;
    stage.until(application(), "argocd", "web", "it is gone", |app| app.is_none()).await;
    assert_eq!(stage.get(config_map(), "asks").await, None);
    assert!(stage.get(config_map(), "kept").await.is_some());
    assert!(stage.get(config_map(), "helm").await.is_some());
}

pub async fn pruning_spreads_as_the_option_says(stage: &mut Stage) {
    let repository = stage.repository();
    let owner = || map("owner", &[], "x");
    let owned = |uid: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "owned", "namespace": "scenario", "ownerReferences": [
                {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid}]},
        })
    };
    repository.commit(&[
        ("app/owner.yaml", Some(&owner())),
        ("app/main.yaml", Some(&map("main", &[], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    let uid = manifest::uid(&stage.get(config_map(), "owner").await.expect("there")).to_owned();
    stage.write(Write::create(owned(&uid), "somebody")).await;
    repository.commit(&[("app/owner.yaml", None)]);
    sync(stage, "web", &["PrunePropagationPolicy=orphan"]).await;
    stage.gone(config_map(), "owner").await;
    stage
        .object(config_map(), "owned", "it is nobody's now", |map| {
            manifest::owner_references(map).is_empty()
        })
        .await;
    stage
        .write(Write::delete(config_map(), &stage.namespace, "owned", Propagation::Background))
        .await;
    repository.commit(&[("app/owner.yaml", Some(&owner()))]);
    sync(stage, "web", &[]).await;
    let uid = manifest::uid(&stage.get(config_map(), "owner").await.expect("there")).to_owned();
    stage.write(Write::create(owned(&uid), "somebody")).await;
    repository.commit(&[("app/owner.yaml", None)]);
    sync(stage, "web", &["PrunePropagationPolicy=background"]).await;
    stage.gone(config_map(), "owner").await;
    stage.gone(config_map(), "owned").await;
}

pub async fn how_an_object_is_written_is_an_option(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/server.yaml", Some(&map("server", &[], "one"))),
        ("app/asked.yaml", Some(&map("asked", &[(OPTIONS, "ServerSideApply=true")], "one"))),
        ("app/client.yaml", Some(&map("client", &[(OPTIONS, "ServerSideApply=false")], "one"))),
        ("app/replaced.yaml", Some(&map("replaced", &[(OPTIONS, "Replace=true")], "one"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    let app = sync(stage, "web", &[]).await;
    let manager = |object: &Value, name: &str, operation: &str| {
        let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
        entries
            .into_iter()
            .flatten()
            .any(|entry| text(entry, "/manager") == name && text(entry, "/operation") == operation)
    };
    const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let server = stage.get(config_map(), "server").await.expect("there");
    assert!(manager(&server, "argocd-controller", "Apply"));
    assert_eq!(manifest::annotation(&server, LAST_APPLIED), None);
    let client = stage.get(config_map(), "client").await.expect("there");
    assert!(manager(&client, "argocd-controller", "Update"));
    assert!(manifest::annotation(&client, LAST_APPLIED).is_some());
    let made = results(&app);
    assert_eq!(
        text(&made["ConfigMap/asked/Sync"], "/message"),
        "configmap/asked serverside-applied"
    );
    assert_eq!(text(&made["ConfigMap/server/Sync"], "/message"), "configmap/server created");
    assert_eq!(text(&made["ConfigMap/client/Sync"], "/message"), "configmap/client created");
    assert_eq!(text(&made["ConfigMap/replaced/Sync"], "/message"), "configmap/replaced created");

    // What somebody adds: a replace takes it away, an apply leaves it.
    for name in ["server", "client", "replaced"] {
        let extra = json!({"data": {"extra": "mine"}});
        stage.write(by_hand(stage, config_map(), name, extra, "somebody")).await;
    }
    repository.commit(&[
        ("app/server.yaml", Some(&map("server", &[], "two"))),
        ("app/client.yaml", Some(&map("client", &[(OPTIONS, "ServerSideApply=false")], "two"))),
        ("app/replaced.yaml", Some(&map("replaced", &[(OPTIONS, "Replace=true")], "two"))),
    ]);
    let app = sync(stage, "web", &[]).await;
    for (name, extra) in [("server", "mine"), ("client", "mine"), ("replaced", "")] {
        let live = stage.get(config_map(), name).await.expect("there");
        assert_eq!(
            (text(&live, "/data/key"), text(&live, "/data/extra")),
            ("two", extra),
            "{name}"
        );
    }
    let made = results(&app);
    assert_eq!(text(&made["ConfigMap/server/Sync"], "/message"), "configmap/server configured");
    assert_eq!(text(&made["ConfigMap/client/Sync"], "/message"), "configmap/client configured");
    assert_eq!(text(&made["ConfigMap/replaced/Sync"], "/message"), "configmap/replaced replaced");
    stage.synced("web").await;

    // Migration: what was applied client-side is ours, and goes with what git drops.
    repository.commit(&[("app/client.yaml", Some(&map("client", &[], "three")))]);
    sync(stage, "web", &[]).await;
    let client = stage.get(config_map(), "client").await.expect("there");
    assert!(manager(&client, "argocd-controller", "Apply"));
    assert_eq!(manifest::annotation(&client, LAST_APPLIED), None, "{client:#?}");
    stage.synced("web").await;
}

pub async fn without_migration_client_side_fields_stay_their_managers(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/other.yaml", Some(&map("other", &[], "x")))]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    let applied = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "main", "namespace": "scenario"},
        "data": {"key": "old", "dropped": "x"},
    });
    let mut object = applied.clone();
    object["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": format!("{applied}\n")});
    let mut write = Write::create(object, "kubectl-client-side-apply");
    write.validation = Validation::Warn;
    stage.write(write.clone()).await;
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "one")))]);
    sync(stage, "web", &["ClientSideApplyMigration=false"]).await;
    let main = stage.get(config_map(), "main").await.expect("there");
    assert_eq!((text(&main, "/data/key"), text(&main, "/data/dropped")), ("one", "x"));
    sync(stage, "web", &[]).await;
    let main = stage.get(config_map(), "main").await.expect("there");
    assert_eq!(text(&main, "/data/dropped"), "", "now it is taken over");
}

pub async fn force_makes_anew_what_cannot_be_changed(stage: &mut Stage) {
    let repository = stage.repository();
    let main = |data: &str, options: &str| {
        format!("{}immutable: true\n", map("main", &[(OPTIONS, options)], data))
    };
    repository.commit(&[("app/main.yaml", Some(&main("one", "")))]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    let first = stage.get(config_map(), "main").await.expect("there");
    repository.commit(&[("app/main.yaml", Some(&main("two", "")))]);
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Failed").await;
    assert!(text(&app, "/status/operationState/message").contains("immutable"), "{app:#?}");
    repository.commit(&[("app/main.yaml", Some(&main("two", "Force=true,Replace=true")))]);
    sync(stage, "web", &[]).await;
    let second = stage.get(config_map(), "main").await.expect("there");
    assert_ne!(manifest::uid(&first), manifest::uid(&second));
    assert_eq!(text(&second, "/data/key"), "two");
}

pub async fn only_what_differs_is_applied_where_asked(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/one.yaml", Some(&map("one", &[], "x"))),
        ("app/two.yaml", Some(&map("two", &[], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    repository.commit(&[("app/two.yaml", Some(&map("two", &[], "y")))]);
    let app = sync(stage, "web", &["ApplyOutOfSyncOnly=true"]).await;
    let names: Vec<String> = results(&app).into_keys().collect();
    assert_eq!(names, ["ConfigMap/two/Sync"]);
}

pub async fn a_shared_object_fails_the_sync_that_says_so(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    stage.manual("first", "app", |_| {}).await;
    sync(stage, "first", &[]).await;
    stage.manual("second", "app", |_| {}).await;
    stage
        .app("second", "it is told", |app| !conditions(app, "SharedResourceWarning").is_empty())
        .await;
    let options = json!({"sync": {"syncOptions": ["FailOnSharedResource=true"]}});
    stage.operate("second", options).await;
    let app = stage.ended("second", "Failed").await;
    let message = text(&app, "/status/operationState/message");
    assert!(message.starts_with("Shared resource found: "), "{message}");
    let main = stage.get(config_map(), "main").await.expect("there");
    assert_eq!(
        manifest::annotation(&main, "argocd.argoproj.io/tracking-id"),
        Some("first:/ConfigMap:scenario/main")
    );
}

pub async fn ignored_fields_keep_their_values_where_asked(stage: &mut Stage) {
    let repository = stage.repository();
    let deployment = |replicas: u32, image: &str| {
        format!(
            "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: {replicas}
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
    spec:
      containers:
        - name: main
          image: example.com/main:{image}
        - name: side
          image: example.com/side:{image}
"
        )
    };
    let kind = Gvk::new("apps", "v1", "Deployment");
    repository.commit(&[("app/web.yaml", Some(&deployment(1, "1")))]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["ignoreDifferences"] = json!([{
                "group": "apps", "kind": "Deployment",
                "jsonPointers": ["/spec/replicas"],
                "jqPathExpressions": [".spec.template.spec.containers[] | select(.name == \"side\") | .image"],
            }]);
        })
        .await;
    sync(stage, "web", &["RespectIgnoreDifferences=true"]).await;
    let live = stage.get(kind.clone(), "web").await.expect("there");
    let mut containers = live.pointer("/spec/template/spec/containers").cloned().expect("some");
    containers[1]["image"] = "example.com/side:mine".into();
    let patch = json!({"spec": {"replicas": 4, "template": {"spec": {"containers": containers}}}});
    stage.write(by_hand(stage, kind.clone(), "web", patch, "somebody")).await;
    stage.synced("web").await;
    repository.commit(&[("app/web.yaml", Some(&deployment(2, "2")))]);
    sync(stage, "web", &["RespectIgnoreDifferences=true"]).await;
    let live = stage.get(kind.clone(), "web").await.expect("there");
    assert_eq!(live.pointer("/spec/replicas"), Some(&json!(4)), "as somebody made it");
    let image =
        |at: usize| text(&live, &format!("/spec/template/spec/containers/{at}/image")).to_owned();
    assert_eq!((image(0), image(1)), ("example.com/main:2".into(), "example.com/side:mine".into()));
    sync(stage, "web", &[]).await;
    let live = stage.get(kind, "web").await.expect("there");
    assert_eq!(live.pointer("/spec/replicas"), Some(&json!(2)), "not asked, not respected");
}

pub async fn a_kind_that_is_not_served_is_told_or_skipped(stage: &mut Stage) {
    let thing = |options: &str| {
        format!(
            "apiVersion: example.com/v1\nkind: Nowhere\nmetadata:\n  name: thing\n  annotations:\n    {OPTIONS}: \"{options}\"\n"
        )
    };
    let repository = stage.repository();
    repository.commit(&[
        ("app/thing.yaml", Some(&thing(""))),
        ("app/main.yaml", Some(&map("main", &[], "x"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Failed").await;
    assert_eq!(
        text(&app, "/status/operationState/message"),
        "one or more synchronization tasks are not valid: the server could not find the requested resource"
    );
    assert_eq!(
        text(&results(&app)["Nowhere/thing/Sync"], "/message"),
        "The Kubernetes API could not find example.com/Nowhere for requested resource scenario/thing. Make sure the \"Nowhere\" CRD is installed on the destination cluster."
    );
    let main = stage.cluster.get(&config_map(), &stage.namespace, "main").await.expect("answers");
    assert_eq!(main, None, "nothing is written");
    repository.commit(&[("app/thing.yaml", Some(&thing("SkipDryRunOnMissingResource=true")))]);
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Failed").await;
    assert_eq!(text(&results(&app)["Nowhere/thing/Sync"], "/status"), "SyncFailed");
    assert!(stage.get(config_map(), "main").await.is_some(), "the others are applied");
}

pub async fn unknown_fields_pass_where_validation_is_off(stage: &mut Stage) {
    let repository = stage.repository();
    let main =
        |options: &str| format!("{}nosuch: field\n", map("main", &[(OPTIONS, options)], "x"));
    repository.commit(&[("app/main.yaml", Some(&main("")))]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Failed").await;
    assert!(text(&app, "/status/operationState/message").contains("nosuch"), "{app:#?}");
    repository.commit(&[("app/main.yaml", Some(&main("Validate=false")))]);
    sync(stage, "web", &[]).await;
    assert!(stage.get(config_map(), "main").await.is_some());
}

pub async fn the_namespace_gets_its_metadata(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["syncPolicy"]["managedNamespaceMetadata"] =
                json!({"labels": {"team": "shop"}, "annotations": {"note": "ours"}});
        })
        .await;
    sync(stage, "web", &[]).await;
    let get = async || {
        let name = stage.namespace.clone();
        stage
            .cluster
            .get(&namespace_kind(), "", &name)
            .await
            .expect("answers")
            .expect("it is there")
    };
    let namespace = get().await;
    assert_eq!(manifest::label(&namespace, "team"), Some("shop"));
    assert_eq!(manifest::annotation(&namespace, "note"), Some("ours"));
    assert_eq!(manifest::annotation(&namespace, "argocd.argoproj.io/tracking-id"), None);
    stage.synced("web").await;
    let home = stage.cluster.home();
    let change = json!({"spec": {"syncPolicy": {"managedNamespaceMetadata": {"labels": {"team": null, "owner": "x"}}}}});
    home.patch(&application(), "argocd", "web", Patch::Merge(change)).await.expect("taken");
    stage
        .app("web", "it is out of sync", |app| text(app, "/status/sync/status") == "OutOfSync")
        .await;
    sync(stage, "web", &[]).await;
    let namespace = get().await;
    assert_eq!(manifest::label(&namespace, "team"), None, "what is wanted no more goes");
    assert_eq!(manifest::label(&namespace, "owner"), Some("x"));
    stage.synced("web").await;
}

pub async fn a_failed_sync_is_tried_again_with_the_newest_revision(stage: &mut Stage) {
    let repository = stage.repository();
    let broken = map("main", &[], "x").replace("name: main", "name: Not_A_Name");
    repository.commit(&[("app/main.yaml", Some(&broken))]);
    stage.manual("web", "app", |_| {}).await;
    stage
        .operate("web", json!({
            "sync": {}, "retry": {"limit": 3, "refresh": true, "backoff": {"duration": "3s", "factor": 1}},
        }))
        .await;
    let app = stage
        .app("web", "it waits for the next attempt", |app| {
            app.pointer("/status/operationState/retryCount") == Some(&json!(1))
        })
        .await;
    assert_eq!(text(&app, "/status/operationState/phase"), "Running");
    let message = text(&app, "/status/operationState/message");
    assert!(message.contains(". Retrying attempt #1 at "), "{message}");
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(text(&app, "/status/operationState/syncResult/revision"), repository.head());
}

pub async fn attempts_of_a_persons_sync_stay_with_its_revision(stage: &mut Stage) {
    let repository = stage.repository();
    let broken = map("main", &[], "x").replace("name: main", "name: Not_A_Name");
    repository.commit(&[("app/main.yaml", Some(&broken))]);
    let asked = repository.head();
    stage.manual("web", "app", |_| {}).await;
    stage
        .operate(
            "web",
            json!({
                "sync": {}, "initiatedBy": {"username": "somebody"},
                "retry": {"limit": 1, "backoff": {"duration": "3s", "factor": 1}},
            }),
        )
        .await;
    let first = |app: &Value| app.pointer("/status/operationState/retryCount") == Some(&json!(1));
    stage.app("web", "it waits for the next attempt", first).await;
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let app = stage.ended("web", "Failed").await;
    assert_eq!(text(&app, "/status/operationState/syncResult/revision"), asked);
    assert_eq!(text(&app, "/status/operationState/operation/sync/revision"), asked);
}

pub async fn a_window_holds_syncs_back_and_lets_people_through_where_it_says(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    let windows = |manual: bool| {
        let window = json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "timeZone": "Europe/Berlin", "applications": ["*"], "manualSync": manual}]);
        json!({"spec": {"syncWindows": window}})
    };
    stage.project("default", windows(false)).await;
    stage.application("auto", "app", |_| {}).await;
    stage
        .app("auto", "it is compared", |app| text(app, "/status/sync/status") == "OutOfSync")
        .await;
    stage
        .manual("web", "app", |app| app["spec"]["destination"]["namespace"] = "other".into())
        .await;
    stage.operate("web", json!({"sync": {}})).await;
    stage
        .app("web", "it is held back", |app| {
            text(app, "/status/operationState/message") == "Sync operation blocked by sync window"
        })
        .await;
    let auto = stage.app("auto", "nothing began", |_| true).await;
    assert_eq!(auto.pointer("/status/operationState"), None);
    stage.project("default", windows(true)).await;
    stage.ended("web", "Succeeded").await;
    let auto = stage.app("auto", "nothing began", |_| true).await;
    assert_eq!(auto.pointer("/status/operationState"), None, "what nobody asked for still waits");
    stage.project("default", json!({"spec": {"syncWindows": null}})).await;
    stage.synced("auto").await;
}

pub async fn a_large_automated_prune_waits_for_a_person(stage: &mut Stage) {
    let repository = stage.repository();
    let many: String =
        (0..60).map(|at| format!("---\n{}", map(&format!("m{at}"), &[], "x"))).collect();
    repository
        .commit(&[("app/many.yaml", Some(&many)), ("app/main.yaml", Some(&map("main", &[], "x")))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    repository.commit(&[("app/many.yaml", None)]);
    let app = stage.app("web", "it waits", |app| !conditions(app, "SyncError").is_empty()).await;
    let condition = &conditions(&app, "SyncError")[0];
    assert!(condition.contains("auto-sync would prune 60 of 61 resources"), "{condition}");
    assert!(stage.get(config_map(), "m0").await.is_some());
    stage.well(&["app", "confirm-deletion", "web"]).await;
    let app = stage.synced("web").await;
    assert_eq!(stage.get(config_map(), "m0").await, None);
    assert_eq!(conditions(&app, "SyncError"), Vec::<String>::new());
    let info = text(&app, "/status/operationState/operation/info/0/value");
    assert!(info.starts_with("pruning 60 of 61 resources was confirmed at "), "{info}");
}

pub async fn a_rollback_syncs_to_what_was_deployed_before(stage: &mut Stage) {
    let repository = stage.repository();
    let first = repository.commit(&[("app/main.yaml", Some(&map("main", &[], "one")))]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage, "web", &[]).await;
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "two")))]);
    sync(stage, "web", &[]).await;
    stage.well(&["app", "rollback", "web", "0"]).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(text(&app, "/status/operationState/syncResult/revision"), first);
    let main = stage.get(config_map(), "main").await.expect("there");
    assert_eq!(text(&main, "/data/key"), "one");
    let app = stage
        .app("web", "git is ahead", |app| text(app, "/status/sync/status") == "OutOfSync")
        .await;
    assert_eq!(app.pointer("/status/history/2/revision"), Some(&json!(first)));
}

pub async fn impersonation_asks_for_the_projects_account(stage: &mut Stage) {
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "one")))]);
    stage.set("argocd-cm", json!({"application.sync.impersonation.enabled": "true"})).await;
    stage.manual("web", "app", |_| {}).await;
    stage.app("web", "it is compared", |app| text(app, "/status/sync/status") == "OutOfSync").await;
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Error").await;
    assert_eq!(
        text(&app, "/status/operationState/message"),
        "no matching service account found for destination server https://kubernetes.default.svc and namespace scenario"
    );
    let account = json!({"spec": {"destinationServiceAccounts": [
        {"server": "https://kubernetes.default.svc", "namespace": "scen*", "defaultServiceAccount": "deployer"}]}});
    stage.project("default", account).await;
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Failed").await;
    let message = text(&app, "/status/operationState/message");
    let refused = r#"User "system:serviceaccount:scenario:deployer" cannot"#;
    assert!(message.contains(refused), "{message}");
    let hand = stage.cluster.writer(crate::stage::anything());
    let grants = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "scenario"}}),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "deployers", "namespace": "scenario"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
            "subjects": [{"kind": "ServiceAccount", "name": "deployer", "namespace": "scenario"}],
        }),
    ];
    for grant in grants {
        hand.write(&Write::create(grant, "a-person")).await.expect("made");
    }
    stage.operate("web", json!({"sync": {}})).await;
    stage.ended("web", "Succeeded").await;
    let main = stage.get(config_map(), "main").await.expect("the account may make it");
    assert_eq!(text(&main, "/data/key"), "one");
}
