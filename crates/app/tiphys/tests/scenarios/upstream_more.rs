//! More of what upstream's end-to-end tests show: chosen objects, several sources, local files. The
//! words are ours, the behaviour is theirs.

use cluster::{Patch, Write};
use serde_json::json;

use crate::stage::{Stage, application, conditions, config_map, map, pod, pod_kind, results, text};
use crate::upstream::{create, create_on, deployment, sync_status};
use crate::upstream_hooks::room;

/// The object is named before anybody has compared anything.
pub async fn selective_sync(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/one.yaml", Some(&map("one", &[], "x"))),
        ("app/two.yaml", Some(&map("two", &[], "x"))),
    ]);
    room(stage).await;
    create_on(stage, "web", "app", &[]).await;
    stage.well(&["app", "sync", "web", "--resource", ":ConfigMap:one"]).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(results(&app).len(), 1);
    sync_status(stage, "web", "OutOfSync").await;
    assert!(stage.get(config_map(), "one").await.is_some());
    assert!(stage.get(config_map(), "two").await.is_none());
    let unknown = stage.tiphys(&["app", "sync", "web", "--resource", ":ConfigMap:three"]).await;
    assert!(
        unknown.told.contains("No matching app resources found for resource filter"),
        "{}",
        unknown.told
    );
}

pub async fn multi_source_app_with_source_name(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/one.yaml", Some(&map("one", &[], "x"))),
        ("more/two.yaml", Some(&map("two", &[], "x"))),
    ]);
    let url = stage.repository().url();
    stage
        .application("web", "app", |app| {
            app["spec"]["source"].take();
            app["spec"]["sources"] = json!([
                {"repoURL": url, "path": "app", "name": "first"},
                {"repoURL": url, "path": "more", "name": "the other"},
            ]);
        })
        .await;
    sync_status(stage, "web", "Synced").await;
    let told = stage.well(&["app", "remove-source", "web", "--source-name", "first"]).await;
    assert_eq!(told, "Application 'web' updated successfully\n");
    stage.gone(config_map(), "one").await;
    let last = stage.tiphys(&["app", "remove-source", "web", "--source-position", "1"]).await;
    assert!(
        last.told.contains("Cannot remove the only source remaining in the app"),
        "{}",
        last.told
    );
    let wrong = ["app", "add-source", "web", "--repo", &url, "--path", "nowhere"];
    assert_ne!(stage.tiphys(&wrong).await.code, 0, "it is checked first");
    let added =
        ["app", "add-source", "web", "--repo", &url, "--path", "app", "--source-name", "again"];
    stage.well(&added).await;
    stage.object(config_map(), "one", "comes back", |_| true).await;
}

pub async fn server_side_diff_with_local(stage: &mut Stage) {
    create(stage, "web", &[]).await;
    stage.well(&["app", "sync", "web"]).await;
    sync_status(stage, "web", "Synced").await;
    let patch = Patch::Merge(json!({"spec": {"replicas": 2}}));
    stage
        .write(Write::patch(deployment(), &stage.namespace, "guestbook-ui", patch, "somebody"))
        .await;
    sync_status(stage, "web", "OutOfSync").await;
    // The directory is the repository's: the source's path lies in it.
    let root = stage.repository().path();
    for more in [&[][..], &["--server-side-diff"]] {
        let mut words = vec!["app", "diff", "web", "--local", &root, "--server-side-generate"];
        words.extend(more);
        let differs = stage.tiphys(&words).await;
        assert_eq!(differs.code, 1, "{more:?}");
        assert!(differs.out.contains("===== apps/Deployment"), "{more:?}: {}", differs.out);
        assert!(differs.out.contains("replicas: 2"), "{more:?}: {}", differs.out);
    }
    let refused =
        stage.tiphys(&["app", "diff", "web", "--server-side-diff", "--local", &root]).await;
    assert!(
        refused.told.contains("--server-side-diff with --local requires --server-side-generate"),
        "{}",
        refused.told
    );
}

/// A deletion waits for the operation that runs, whose hooks nobody else lets go of.
pub async fn deleting_app_stuck_in_sync(stage: &mut Stage) {
    let hook = pod("stuck", &[("argocd.argoproj.io/hook", "PreSync")]);
    let files = [("app/hook.yaml", Some(&*hook)), ("app/one.yaml", Some(&*map("one", &[], "x")))];
    stage.repository().commit(&files);
    room(stage).await;
    let finalizers = json!([crd::keys::RESOURCES_FINALIZER]);
    stage.manual("web", "app", |app| app["metadata"]["finalizers"] = finalizers).await;
    stage.operate("web", json!({"sync": {}})).await;
    let words = "waiting for completion of hook /Pod/stuck";
    stage.app("web", words, |app| text(app, "/status/operationState/message") == words).await;
    stage.well(&["app", "delete", "web", "--yes", "--wait=false"]).await;
    let waits = |app: &serde_json::Value| {
        conditions(app, "DeletionWaiting") == ["waiting for the running operation"]
    };
    let app = stage.app("web", "its deletion waits", waits).await;
    assert_eq!(text(&app, "/status/operationState/phase"), "Running");
    stage.well(&["app", "terminate-op", "web"]).await;
    stage.until(application(), "argocd", "web", "is gone", |app| app.is_none()).await;
    stage.gone(pod_kind(), "stuck").await;
}

/// Not upstream's, which clones: a repository on this host may be removed and made anew.
pub async fn a_repository_that_is_made_anew_is_followed(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/one.yaml", Some(&map("one", &[], "x")))]);
    stage.application("web", "app", |_| {}).await;
    stage.synced("web").await;
    std::fs::remove_dir_all(repository.path()).expect("it was there");
    let anew = stage.repository();
    anew.commit(&[("app/two.yaml", Some(&map("two", &[], "x")))]);
    stage.object(config_map(), "two", "is applied", |_| true).await;
    stage.gone(config_map(), "one").await;
    anew.commit(&[("app/three.yaml", Some(&map("three", &[], "x")))]);
    stage.object(config_map(), "three", "is applied", |_| true).await;
}

pub async fn app_sync_wrong_version(stage: &mut Stage) {
    let repository = stage.repository();
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "fakes.example.com"},
        "spec": {
            "group": "example.com", "scope": "Namespaced",
            "names": {"kind": "Fake", "plural": "fakes", "singular": "fake", "listKind": "FakeList"},
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }],
        },
    });
    stage.write(cluster::Write::create(definition, "somebody")).await;
    let object = |group: &str, kind: &str| {
        format!("apiVersion: {group}\nkind: {kind}\nmetadata:\n  name: thing\n")
    };
    repository.commit(&[("app/thing.yaml", Some(&object("example.com/v1alpha1", "Fake")))]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.ended("web", "Succeeded").await;
    let mut told = Vec::new();
    for (group, kind) in [
        ("example.com/v1alpha2", "Fake"),
        ("wrong.example.com/v1alpha1", "Fake"),
        ("example.com/v1alpha1", "Nothing"),
    ] {
        repository.commit(&[("app/thing.yaml", Some(&object(group, kind)))]);
        stage.operate("web", json!({"sync": {}})).await;
        let app = stage.ended("web", "Failed").await;
        let results = results(&app);
        assert_eq!(results.len(), 1, "{results:#?}");
        told.push(text(&results[&format!("{kind}/thing/Sync")], "/message").to_owned());
    }
    let version = |group: &str, version: &str| {
        format!(
            "The Kubernetes API could not find version \"{version}\" of {group}/Fake for requested resource scenario/thing. Version \"v1alpha1\" of example.com/Fake is installed on the destination cluster."
        )
    };
    let expected = [
        version("example.com", "v1alpha2"),
        version("wrong.example.com", "v1alpha1"),
        "Nothing.example.com \"\" not found".to_owned(),
    ];
    assert_eq!(told, expected);
}
