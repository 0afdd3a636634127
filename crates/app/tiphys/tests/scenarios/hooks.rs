//! Hooks of a sync and of a deletion.

use cluster::Propagation;
use serde_json::{Value, json};

use crate::stage::{Stage, application, conditions, config_map, map, pod, pod_kind, results, text};

const HOOK: &str = "argocd.argoproj.io/hook";
const POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
const WAVE: &str = "argocd.argoproj.io/sync-wave";

fn has_finalizer(object: &Value) -> bool {
    object
        .pointer("/metadata/finalizers")
        .is_some_and(|list| list.as_array().is_some_and(|list| !list.is_empty()))
}

pub async fn hooks_run_in_their_phases_and_keep_no_finalizer(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/before.yaml", Some(&pod("before", &[(HOOK, "PreSync")]))),
        ("app/main.yaml", Some(&map("main", &[], "one"))),
        ("app/beside.yaml", Some(&pod("beside", &[(HOOK, "Sync")]))),
        ("app/after.yaml", Some(&pod("after", &[(HOOK, "PostSync")]))),
        ("app/failure.yaml", Some(&pod("failure", &[(HOOK, "SyncFail")]))),
        ("app/never.yaml", Some(&pod("never", &[(HOOK, "Skip")]))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.object(pod_kind(), "before", "it holds a finalizer", has_finalizer).await;
    let app = stage
        .app("web", "it says what it waits for", |app| {
            text(app, "/status/operationState/message")
                == "waiting for completion of hook /Pod/before"
        })
        .await;
    assert_eq!(text(&app, "/status/operationState/phase"), "Running");
    assert_eq!(stage.get(config_map(), "main").await, None, "nothing is applied before its time");
    stage.finish("before", "Succeeded").await;
    stage.object(config_map(), "main", "it is applied", |_| true).await;
    stage.finish("beside", "Succeeded").await;
    stage.finish("after", "Succeeded").await;
    let app = stage.ended("web", "Succeeded").await;
    let results = results(&app);
    let names: Vec<&String> = results.keys().collect();
    assert_eq!(
        names,
        [
            "ConfigMap/main/Sync",
            "Namespace/scenario/PreSync",
            "Pod/after/PostSync",
            "Pod/before/PreSync",
            "Pod/beside/Sync"
        ]
    );
    for hook in ["Pod/before/PreSync", "Pod/beside/Sync", "Pod/after/PostSync"] {
        let (_, phase) = hook.rsplit_once('/').expect("it has one");
        assert_eq!(text(&results[hook], "/hookType"), phase);
        assert_eq!(text(&results[hook], "/hookPhase"), "Succeeded");
        assert_eq!(text(&results[hook], "/images/0"), "example.com/main:1");
    }
    for name in ["before", "beside", "after"] {
        stage.object(pod_kind(), name, "its finalizer is off", |pod| !has_finalizer(pod)).await;
    }
    assert_eq!(stage.get(pod_kind(), "failure").await, None);
    assert_eq!(stage.get(pod_kind(), "never").await, None);
    let app = stage.synced("web").await;
    let rows = app.pointer("/status/resources").and_then(Value::as_array).expect("resources");
    assert!(rows.iter().any(|row| text(row, "/name") == "main" && row.get("hook").is_none()));
}

pub async fn a_failed_pre_sync_leaves_what_runs_and_runs_sync_fail(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[("app/main.yaml", Some(&map("main", &[], "one")))]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.ended("web", "Succeeded").await;
    repository.commit(&[
        ("app/main.yaml", Some(&map("main", &[], "two"))),
        ("app/before.yaml", Some(&pod("before", &[(HOOK, "PreSync")]))),
        ("app/failure.yaml", Some(&map("failure", &[(HOOK, "SyncFail")], "x"))),
    ]);
    stage.operate("web", json!({"sync": {}})).await;
    stage.finish("before", "Failed").await;
    let app = stage.ended("web", "Failed").await;
    let main = stage.get(config_map(), "main").await.expect("it is there");
    assert_eq!(text(&main, "/data/key"), "one", "what runs is left alone");
    assert!(stage.get(config_map(), "failure").await.is_some(), "hooks of a failure run");
    let results = results(&app);
    assert_eq!(text(&results["Pod/before/PreSync"], "/hookPhase"), "Failed");
    assert_eq!(
        text(&results["Pod/before/PreSync"], "/message"),
        "container \"main\" failed with exit code 1"
    );
    assert_eq!(
        text(&app, "/status/operationState/message"),
        "one or more synchronization tasks completed unsuccessfully"
    );
    assert_eq!(text(&app, "/status/sync/status"), "OutOfSync");
    stage.object(pod_kind(), "before", "its finalizer is off", |pod| !has_finalizer(pod)).await;
}

pub async fn hooks_of_a_failure_run_at_each_failure(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/before.yaml", Some(&pod("before", &[(HOOK, "PreSync")]))),
        ("app/tell.yaml", Some(&pod("tell", &[(HOOK, "SyncFail")]))),
        (
            "app/mend.yaml",
            Some(&map("mend", &[(HOOK, "SyncFail"), (POLICY, "HookSucceeded")], "x")),
        ),
    ]);
    stage.manual("web", "app", |_| {}).await;
    let mut known: Vec<String> = Vec::new();
    for _ in 0..2 {
        stage.operate("web", json!({"sync": {}})).await;
        for (name, phase) in [("before", "Failed"), ("tell", "Succeeded")] {
            let anew = |pod: &Value| known.iter().all(|uid| uid != manifest::uid(pod));
            let pod = stage.object(pod_kind(), name, "it is made anew", anew).await;
            known.push(manifest::uid(&pod).to_owned());
            stage.finish(name, phase).await;
        }
        let app = stage.ended("web", "Failed").await;
        assert_eq!(text(&results(&app)["Pod/tell/SyncFail"], "/hookPhase"), "Succeeded");
    }
    // The sync failed, so it stayed; the next one that succeeds takes it away.
    assert!(stage.get(config_map(), "mend").await.is_some());
    repository.commit(&[("app/before.yaml", None)]);
    stage.operate("web", json!({"sync": {}})).await;
    stage.ended("web", "Succeeded").await;
    stage.gone(config_map(), "mend").await;
}

pub async fn hooks_go_as_their_policies_say(stage: &mut Stage) {
    let repository = stage.repository();
    let hook = |name: &str, policy: &str| map(name, &[(HOOK, "PreSync"), (POLICY, policy)], "x");
    let kept = pod("again", &[(HOOK, "PreSync"), (POLICY, "BeforeHookCreation")]);
    repository.commit(&[
        ("app/done.yaml", Some(&hook("done", "HookSucceeded"))),
        ("app/failed.yaml", Some(&hook("failed", "HookFailed"))),
        ("app/again.yaml", Some(&kept)),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.finish("again", "Succeeded").await;
    stage.ended("web", "Succeeded").await;
    stage.gone(config_map(), "done").await;
    assert!(stage.get(config_map(), "failed").await.is_some());
    let first = stage.get(pod_kind(), "again").await.expect("it is kept");
    stage.operate("web", json!({"sync": {}})).await;
    stage
        .object(pod_kind(), "again", "it is made anew", |pod| {
            manifest::uid(pod) != manifest::uid(&first)
        })
        .await;
    stage.finish("again", "Failed").await;
    stage.ended("web", "Failed").await;
    stage.gone(config_map(), "failed").await;
}

pub async fn a_hook_without_a_name_is_called_after_the_operation(stage: &mut Stage) {
    let hook = map("x", &[(HOOK, "PostSync")], "x").replace("name: x", "generateName: after-");
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "one"))),
        ("app/hook.yaml", Some(&hook)),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Succeeded").await;
    let short = &stage.repository().head()[..7];
    let started = text(&app, "/status/operationState/startedAt");
    let began = started.parse::<jiff::Timestamp>().expect("a time").as_second();
    let name = format!("after-{short}-postsync-{began}");
    assert!(
        results(&app).contains_key(&format!("ConfigMap/{name}/PostSync")),
        "{:?}",
        results(&app).keys()
    );
    assert!(stage.get(config_map(), &name).await.is_some());
}

pub async fn helms_hooks_are_taken_for_ours(stage: &mut Stage) {
    let hook = |name: &str, what: &str, weight: &str| {
        map(
            name,
            &[
                ("helm.sh/hook", what),
                ("helm.sh/hook-weight", weight),
                ("helm.sh/hook-delete-policy", "hook-succeeded"),
            ],
            "x",
        )
    };
    stage.repository().commit(&[
        ("app/one.yaml", Some(&hook("one", "pre-install", "-5"))),
        ("app/two.yaml", Some(&map("two", &[("helm.sh/hook", "post-install,post-upgrade")], "x"))),
        ("app/test.yaml", Some(&map("test", &[("helm.sh/hook", "test")], "x"))),
        (
            "app/both.yaml",
            Some(&map("both", &[("helm.sh/hook", "pre-install"), (HOOK, "PostSync")], "x")),
        ),
        ("app/main.yaml", Some(&map("main", &[], "one"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    let app = stage.ended("web", "Succeeded").await;
    let results = results(&app);
    let names: Vec<&String> = results.keys().collect();
    assert_eq!(
        names,
        [
            "ConfigMap/both/PostSync",
            "ConfigMap/main/Sync",
            "ConfigMap/one/PreSync",
            "ConfigMap/two/PostSync",
            "Namespace/scenario/PreSync"
        ]
    );
    stage.gone(config_map(), "one").await;
    assert!(stage.get(config_map(), "two").await.is_some());
    assert_eq!(stage.get(config_map(), "test").await, None);
}

pub async fn a_terminated_sync_takes_its_hooks_along(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/before.yaml", Some(&pod("before", &[(HOOK, "PreSync")]))),
        ("app/main.yaml", Some(&map("main", &[], "one"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.object(pod_kind(), "before", "it runs", has_finalizer).await;
    stage
        .app("web", "the hook is waited for", |app| {
            text(app, "/status/operationState/message")
                .starts_with("waiting for completion of hook")
        })
        .await;
    stage.well(&["app", "terminate-op", "web"]).await;
    let app = stage.ended("web", "Failed").await;
    assert_eq!(text(&app, "/status/operationState/message"), "Operation terminated");
    stage.gone(pod_kind(), "before").await;
    assert_eq!(stage.get(config_map(), "main").await, None);
}

pub async fn a_chosen_sync_runs_no_hooks(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/before.yaml", Some(&map("before", &[(HOOK, "PreSync")], "x"))),
        ("app/main.yaml", Some(&map("main", &[], "one"))),
        ("app/other.yaml", Some(&map("other", &[], "one"))),
    ]);
    stage
        .manual("web", "app", |app| {
            app["spec"]["destination"]["namespace"] = "default".into();
        })
        .await;
    stage.app("web", "it is compared", |app| text(app, "/status/sync/status") == "OutOfSync").await;
    stage.well(&["app", "sync", "web", "--resource", ":ConfigMap:main"]).await;
    let get = async |name: &str| {
        stage.cluster.get(&config_map(), "default", name).await.expect("the cluster answers")
    };
    assert!(get("main").await.is_some());
    assert_eq!(get("other").await, None);
    assert_eq!(get("before").await, None);
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(app.pointer("/status/history"), None, "a part is no deployment");
}

pub async fn hooks_of_a_deletion_run_before_and_after(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "one"))),
        ("app/before.yaml", Some(&pod("before", &[(HOOK, "PreDelete")]))),
        ("app/after.yaml", Some(&map("after", &[(HOOK, "PostDelete")], "x"))),
        (
            "app/cleaned.yaml",
            Some(&map(
                "cleaned",
                &[(HOOK, "PostDelete"), (POLICY, "HookSucceeded"), (WAVE, "1")],
                "x",
            )),
        ),
    ]);
    stage.manual("web", "app", |_| {}).await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.ended("web", "Succeeded").await;
    let app = stage
        .app("web", "it has the finalizers", |app| {
            app.pointer("/metadata/finalizers")
                .and_then(Value::as_array)
                .is_some_and(|list| list.len() == 4)
        })
        .await;
    let before = stage.get(pod_kind(), "before").await;
    assert_eq!(before, None, "a sync does not run them: {app:#?}");
    stage.well(&["app", "delete", "web", "--yes"]).await;
    stage.object(pod_kind(), "before", "the hook runs", |_| true).await;
    assert!(stage.get(config_map(), "main").await.is_some(), "objects wait for the hook");
    stage.finish("before", "Succeeded").await;
    stage
        .until(application(), "argocd", "web", "the Application is gone", |app| app.is_none())
        .await;
    assert_eq!(stage.get(config_map(), "main").await, None);
    assert_eq!(
        stage
            .get(pod_kind(), "before")
            .await
            .filter(|pod| pod.pointer("/metadata/deletionTimestamp").is_none()),
        None
    );
    assert!(stage.get(config_map(), "after").await.is_some(), "its policy keeps it");
    stage.gone(config_map(), "cleaned").await;
}

pub async fn a_failed_hook_of_a_deletion_keeps_everything_until_it_is_mended(stage: &mut Stage) {
    let repository = stage.repository();
    repository.commit(&[
        ("app/main.yaml", Some(&map("main", &[], "one"))),
        ("app/before.yaml", Some(&pod("before", &[(HOOK, "PreDelete")]))),
    ]);
    stage
        .manual("web", "app", |app| {
            app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
        })
        .await;
    stage.operate("web", json!({"sync": {}})).await;
    stage.ended("web", "Succeeded").await;
    stage
        .app("web", "it has the finalizers", |app| {
            app.pointer("/metadata/finalizers")
                .and_then(Value::as_array)
                .is_some_and(|list| list.len() == 3)
        })
        .await;
    let home = stage.cluster.home();
    home.delete(&application(), "argocd", "web", Propagation::Background).await.expect("deleted");
    stage.finish("before", "Failed").await;
    let app = stage
        .app("web", "the failure is a condition", |app| {
            !conditions(app, "DeletionError").is_empty()
        })
        .await;
    assert_eq!(
        conditions(&app, "DeletionError"),
        [
            "error executing pre-delete hooks: PreDelete hook(s) failed: scenario/before (container \"main\" failed with exit code 1)"
        ]
    );
    assert!(stage.get(config_map(), "main").await.is_some());
    repository.commit(&[("app/before.yaml", Some(&map("before", &[(HOOK, "PreDelete")], "x")))]);
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    // The commit may have been seen already, and all be over.
    match home.patch(&application(), "argocd", "web", cluster::Patch::Merge(refresh)).await {
        Ok(_) | Err(cluster::ApiError::NotFound { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    stage
        .until(application(), "argocd", "web", "the Application is gone", |app| app.is_none())
        .await;
    assert_eq!(stage.get(config_map(), "main").await, None);
}
