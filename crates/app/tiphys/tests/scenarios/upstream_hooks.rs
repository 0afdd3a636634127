//! What upstream's end-to-end tests of hooks and waves show. The words are ours, the behaviour is
//! theirs.

use cluster::{Patch, Propagation, Write};
use manifest::Gvk;
use serde_json::{Value, json};

use crate::stage::{Stage, config_map, map, pod, pod_kind, results, text};

const HOOK: &str = "argocd.argoproj.io/hook";
const POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
const WAVE: &str = "argocd.argoproj.io/sync-wave";

fn has_finalizer(object: &Value) -> bool {
    object.pointer("/metadata/finalizers/0").is_some()
}

/// Makes the namespace, so that results hold nothing but what a scenario is about.
pub async fn room(stage: &Stage) {
    let name = stage.namespace.clone();
    let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    stage.write(Write::create(object, "somebody")).await;
}

/// An Application on `app`, and the namespace for it.
pub async fn manual(stage: &Stage) {
    room(stage).await;
    stage.manual("web", "app", |_| {}).await;
}

async fn sync(stage: &Stage) {
    stage.operate("web", json!({"sync": {}})).await;
}

fn status_of(app: &Value, kind: &str, name: &str) -> String {
    let rows = app.pointer("/status/resources").and_then(Value::as_array);
    let row = rows
        .into_iter()
        .flatten()
        .find(|row| text(row, "/kind") == kind && text(row, "/name") == name);
    row.map(|row| text(row, "/status").to_owned()).unwrap_or_default()
}

async fn with_failing_hook(stage: &mut Stage, phase: &str) {
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "x"))),
        ("app/hook.yaml", Some(&pod("hook", &[(HOOK, phase)]))),
    ]);
    manual(stage).await;
    sync(stage).await;
    stage.finish("hook", "Failed").await;
    let app = stage.ended("web", "Failed").await;
    let app = match text(&app, "/status/sync/status") {
        "Synced" => app,
        _ => {
            stage
                .app("web", "it is synced all the same", |app| {
                    text(app, "/status/sync/status") == "Synced"
                })
                .await
        }
    };
    let results = results(&app);
    assert_eq!(results.len(), 2, "{results:#?}");
    assert_eq!(text(&results[&format!("Pod/hook/{phase}")], "/hookPhase"), "Failed");
    stage.object(pod_kind(), "hook", "its finalizer is off", |pod| !has_finalizer(pod)).await;
}

pub async fn sync_hook_failure(stage: &mut Stage) {
    with_failing_hook(stage, "Sync").await;
}

pub async fn post_sync_hook_failure(stage: &mut Stage) {
    with_failing_hook(stage, "PostSync").await;
}

pub async fn post_sync_hook_pod_failure(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/pod.yaml", Some(&pod("pod", &[]))),
        ("app/hook.yaml", Some(&map("hook", &[(HOOK, "PostSync")], "x"))),
    ]);
    manual(stage).await;
    sync(stage).await;
    stage.finish("pod", "Failed").await;
    let app = stage.ended("web", "Failed").await;
    assert_eq!(status_of(&app, "Pod", "pod"), "Synced");
    assert_eq!(results(&app).len(), 1);
    assert_eq!(stage.get(config_map(), "hook").await, None, "the hook did not run");
    stage.app("web", "degraded", |app| text(app, "/status/health/status") == "Degraded").await;
}

pub async fn sync_fail_hook_pod_failure_sync_fail_failure(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "x"))),
        ("app/hook.yaml", Some(&pod("hook", &[(HOOK, "PostSync")]))),
        ("app/good.yaml", Some(&pod("good", &[(HOOK, "SyncFail")]))),
        ("app/bad.yaml", Some(&pod("bad", &[(HOOK, "SyncFail")]))),
    ]);
    manual(stage).await;
    sync(stage).await;
    stage.finish("hook", "Failed").await;
    stage.finish("good", "Succeeded").await;
    stage.finish("bad", "Failed").await;
    let app = stage.ended("web", "Failed").await;
    let results = results(&app);
    assert_eq!(results.len(), 4);
    assert_eq!(text(&results["Pod/good/SyncFail"], "/hookPhase"), "Succeeded");
    assert_eq!(text(&results["Pod/bad/SyncFail"], "/hookPhase"), "Failed");
    assert_eq!(text(&results["Pod/bad/SyncFail"], "/status"), "Synced");
    stage.object(pod_kind(), "bad", "its finalizer is off", |pod| !has_finalizer(pod)).await;
}

pub async fn invalid_hook_waits_for_other_hooks_to_complete(stage: &mut Stage) {
    // It stands there already, its policy does not take it away, and it cannot be changed so.
    let there = pod("invalid", &[(HOOK, "Sync"), (POLICY, "HookFailed")]);
    room(stage).await;
    let mut object = goyaml::to_json(there.as_bytes()).expect("it is YAML");
    object["metadata"]["namespace"] = stage.namespace.clone().into();
    stage.write(Write::create(object, "somebody")).await;
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "x"))),
        ("app/hook.yaml", Some(&pod("hook", &[(HOOK, "Sync")]))),
        ("app/invalid.yaml", Some(&there.replace("name: main", "name: other"))),
    ]);
    stage.manual("web", "app", |_| {}).await;
    sync(stage).await;
    let app = stage
        .app("web", "it waits for the other hook", |app| {
            text(app, "/status/operationState/message")
                .starts_with("waiting for completion of hook")
        })
        .await;
    assert_eq!(text(&app, "/status/operationState/phase"), "Running");
    stage.finish("hook", "Succeeded").await;
    let app = stage.ended("web", "Failed").await;
    let results = results(&app);
    assert_eq!(results.len(), 3, "{results:#?}");
    let invalid = &results["Pod/invalid/Sync"];
    assert_eq!(text(invalid, "/status"), "SyncFailed");
    assert_eq!(text(invalid, "/hookPhase"), "Failed");
    assert!(text(invalid, "/message").starts_with("Pod \"invalid\" is invalid"), "{invalid:#?}");
    let hook = &results["Pod/hook/Sync"];
    assert_eq!((text(hook, "/status"), text(hook, "/hookPhase")), ("Synced", "Succeeded"));
    stage.object(pod_kind(), "hook", "its finalizer is off", |pod| !has_finalizer(pod)).await;
}

pub async fn hook_delete_policy_hook_succeeded_hook_exit1(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "x"))),
        ("app/hook.yaml", Some(&pod("hook", &[(HOOK, "Sync"), (POLICY, "HookSucceeded")]))),
    ]);
    manual(stage).await;
    sync(stage).await;
    stage.finish("hook", "Failed").await;
    let app = stage.ended("web", "Failed").await;
    assert_eq!(results(&app).len(), 2);
    assert!(stage.get(pod_kind(), "hook").await.is_some(), "what failed is kept");
}

pub async fn hook_before_hook_creation_failure(stage: &mut Stage) {
    let hook = pod("hook", &[(HOOK, "Sync"), (POLICY, "BeforeHookCreation")]);
    stage
        .repository()
        .commit(&[("app/main.yaml", Some(&map("main", &[], "x"))), ("app/hook.yaml", Some(&hook))]);
    manual(stage).await;
    sync(stage).await;
    stage
        .app("web", "it waits", |app| {
            text(app, "/status/operationState/message")
                .starts_with("waiting for completion of hook")
        })
        .await;
    stage.well(&["app", "terminate-op", "web"]).await;
    let app = stage.ended("web", "Failed").await;
    let results = results(&app);
    assert_eq!(results.len(), 2);
    assert_eq!(text(&results["Pod/hook/Sync"], "/message"), "Terminated");
    assert_eq!(text(&app, "/status/operationState/message"), "Operation terminated");
}

pub async fn hook_skip(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/skipped.yaml", Some(&map("skipped", &[(HOOK, "Skip")], "x"))),
        ("app/hook.yaml", Some(&map("hook", &[(HOOK, "Sync")], "x"))),
    ]);
    manual(stage).await;
    sync(stage).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(results(&app).len(), 1);
    assert_eq!(stage.get(config_map(), "skipped").await, None);
}

pub async fn naming_non_hook_resource(stage: &mut Stage) {
    stage.repository().commit(&[
        (
            "app/main.yaml",
            Some("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: main-\n"),
        ),
        ("app/other.yaml", Some(&map("other", &[], "x"))),
    ]);
    manual(stage).await;
    sync(stage).await;
    let app = stage.ended("web", "Failed").await;
    let words = "one or more objects failed to apply (dry run)";
    assert_eq!(text(&app, "/status/operationState/message"), words);
    let results = results(&app);
    assert_eq!(results.len(), 1, "{results:#?}");
    let words = "from main-: cannot use generate name with apply";
    assert_eq!(text(&results["ConfigMap//Sync"], "/message"), words);
    assert_eq!(stage.get(config_map(), "other").await, None, "nothing is written");
}

const JOB: &str = "apiVersion: batch/v1
kind: Job
metadata:
  name: hook
  annotations:
    argocd.argoproj.io/hook: PHASE
spec:
  template:
    metadata:
      annotations:
        sim.tiphys.io/delay: 900s
    spec:
      restartPolicy: Never
      nodeSelector:
        nobody.example.com/has: this
      containers:
        - name: main
          image: example.com/main:1
";

const UNTIL_DELETED: &str = r#"
local hs = {}
hs.status = "Healthy"
if obj.metadata.deletionTimestamp == nil then
  hs.status = "Progressing"
  hs.message = "Waiting to be externally deleted"
  return hs
end
if obj.metadata.finalizers ~= nil then
  for i, finalizer in ipairs(obj.metadata.finalizers) do
    if finalizer == "argocd.argoproj.io/hook-finalizer" then
      hs.message = "Resource has finalizer"
      return hs
    end
  end
end
hs.message = "no finalizer for a hook is wrong"
return hs
"#;

async fn hook_finalizer(stage: &mut Stage, phase: &str) {
    stage
        .set("argocd-cm", json!({"resource.customizations.health.batch_Job": UNTIL_DELETED}))
        .await;
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "x"))),
        ("app/hook.yaml", Some(&JOB.replace("PHASE", phase))),
    ]);
    manual(stage).await;
    sync(stage).await;
    let job = Gvk::new("batch", "v1", "Job");
    stage
        .app("web", "the hook is waited for", |app| {
            text(app, "/status/operationState/message")
                == "waiting for completion of hook batch/Job/hook"
        })
        .await;
    stage.object(job.clone(), "hook", "it holds the finalizer", has_finalizer).await;
    let delete = Write::delete(job, &stage.namespace, "hook", Propagation::Background);
    stage.write(delete).await;
    let app = stage.ended("web", "Succeeded").await;
    let results = results(&app);
    assert_eq!(results.len(), 2);
    let hook = &results[&format!("Job/hook/{phase}")];
    assert_eq!(text(hook, "/message"), "Resource has finalizer");
    assert_eq!((text(hook, "/status"), text(hook, "/hookPhase")), ("Synced", "Succeeded"));
}

pub async fn hook_finalizer_pre_sync(stage: &mut Stage) {
    hook_finalizer(stage, "PreSync").await;
}

pub async fn hook_finalizer_sync(stage: &mut Stage) {
    hook_finalizer(stage, "Sync").await;
}

pub async fn hook_finalizer_post_sync(stage: &mut Stage) {
    hook_finalizer(stage, "PostSync").await;
}

pub async fn terminate_with_running_hooks(stage: &mut Stage) {
    let mut files = vec![("app/main.yaml".to_owned(), map("main", &[], "x"))];
    let policies =
        [("success", "HookSucceeded"), ("create", "BeforeHookCreation"), ("failed", "HookFailed")];
    for (word, policy) in policies {
        for state in ["running", "complete"] {
            let name = format!("{state}-{word}");
            let hook = pod(&name, &[(HOOK, "PreSync"), (POLICY, policy)]);
            files.push((format!("app/{name}.yaml"), hook));
        }
    }
    let files: Vec<(&str, Option<&str>)> =
        files.iter().map(|(name, text)| (name.as_str(), Some(text.as_str()))).collect();
    stage.repository().commit(&files);
    manual(stage).await;
    sync(stage).await;
    for (word, _) in policies {
        stage.finish(&format!("complete-{word}"), "Succeeded").await;
    }
    let done = |app: &Value, name: &str, phase: &str| {
        let row = results(app).get(&format!("Pod/{name}/PreSync")).cloned();
        row.is_some_and(|row| text(&row, "/hookPhase") == phase)
    };
    stage
        .app("web", "three are done, three run", |app| {
            policies.iter().all(|(word, _)| {
                done(app, &format!("complete-{word}"), "Succeeded")
                    && done(app, &format!("running-{word}"), "Running")
            })
        })
        .await;
    stage.well(&["app", "terminate-op", "web"]).await;
    let app = stage.ended("web", "Failed").await;
    let results = results(&app);
    assert_eq!(results.len(), 6, "{results:#?}");
    for (word, _) in policies {
        let row = &results[&format!("Pod/running-{word}/PreSync")];
        assert_eq!((text(row, "/message"), text(row, "/hookPhase")), ("Terminated", "Failed"));
        assert_eq!(text(row, "/status"), "Synced");
        stage.gone(pod_kind(), &format!("running-{word}")).await;
        let free = |pod: &Value| !has_finalizer(pod);
        stage.object(pod_kind(), &format!("complete-{word}"), "free", free).await;
    }
}

pub async fn fixing_degraded_app(stage: &mut Stage) {
    const RULE: &str = "return { status = obj.metadata.annotations and obj.metadata.annotations['health'] or 'Degraded' }";
    stage.set("argocd-cm", json!({"resource.customizations.health.ConfigMap": RULE})).await;
    let files = |health: &str| {
        let one = map("cm-1", &[(WAVE, "1"), ("health", health)], "x");
        [one, map("cm-2", &[(WAVE, "2"), ("health", health)], "x")]
    };
    let [one, two] = files("Degraded");
    let repository = stage.repository();
    repository.commit(&[("app/one.yaml", Some(&one)), ("app/two.yaml", Some(&two))]);
    manual(stage).await;
    sync(stage).await;
    let app = stage.ended("web", "Failed").await;
    assert_eq!(results(&app).len(), 1);
    let degraded = |app: &Value| {
        text(app, "/status/sync/status") == "OutOfSync"
            && text(app, "/status/health/status") == "Degraded"
    };
    let app = stage.app("web", "degraded", degraded).await;
    assert_eq!(status_of(&app, "ConfigMap", "cm-1"), "Synced");
    assert_eq!(status_of(&app, "ConfigMap", "cm-2"), "OutOfSync");
    let [one, two] = files("Healthy");
    repository.commit(&[("app/one.yaml", Some(&one)), ("app/two.yaml", Some(&two))]);
    stage.well(&["app", "get", "web", "--refresh"]).await;
    stage
        .app("web", "the first is out of sync", |app| {
            status_of(app, "ConfigMap", "cm-1") == "OutOfSync"
        })
        .await;
    sync(stage).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(results(&app).len(), 2);
    stage.synced("web").await;
}

fn deployment(annotation: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
{more}  replicas: 1
  selector:
    matchLabels: {{app: web}}
  template:
    metadata:
      labels: {{app: web}}
      annotations:
        {annotation}
    spec:
      nodeSelector:
        nobody.example.com/has: this
      containers:
        - name: main
          image: example.com/main:1
"
    )
}

pub async fn one_progressing_deployment_is_succeeded_and_synced(stage: &mut Stage) {
    let progressing = deployment("sim.tiphys.io/outcome: imagepull", "");
    stage.repository().commit(&[("app/main.yaml", Some(&progressing))]);
    manual(stage).await;
    sync(stage).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(results(&app).len(), 1);
    stage
        .app("web", "Synced and Progressing", |app| {
            text(app, "/status/sync/status") == "Synced"
                && text(app, "/status/health/status") == "Progressing"
        })
        .await;
}

pub async fn degraded_deployment_is_succeeded_and_synced(stage: &mut Stage) {
    let degraded = deployment("sim.tiphys.io/outcome: imagepull", "  progressDeadlineSeconds: 1\n");
    stage.repository().commit(&[("app/main.yaml", Some(&degraded))]);
    manual(stage).await;
    sync(stage).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(results(&app).len(), 1);
    stage
        .app("web", "Synced and Degraded", |app| {
            text(app, "/status/sync/status") == "Synced"
                && text(app, "/status/health/status") == "Degraded"
        })
        .await;
}

pub async fn sync_prune_order_with_sync_waves(stage: &mut Stage) {
    const HELD: &str = "example.com/held";
    let held = map("last", &[(WAVE, "2")], "x")
        .replace("  annotations:", &format!("  finalizers: [{HELD}]\n  annotations:"));
    let repository = stage.repository();
    repository.commit(&[
        ("app/stays.yaml", Some(&map("stays", &[], "x"))),
        ("app/first.yaml", Some(&map("first", &[(WAVE, "0")], "x"))),
        ("app/middle.yaml", Some(&map("middle", &[(WAVE, "1")], "x"))),
        ("app/last.yaml", Some(&held)),
    ]);
    manual(stage).await;
    sync(stage).await;
    stage.ended("web", "Succeeded").await;
    repository.commit(&[
        ("app/first.yaml", None),
        ("app/middle.yaml", None),
        ("app/last.yaml", None),
    ]);
    stage.operate("web", json!({"sync": {"prune": true}})).await;
    stage
        .object(config_map(), "last", "it goes first, and is held", |one| {
            one.pointer("/metadata/deletionTimestamp").is_some()
        })
        .await;
    stage
        .app("web", "it waits for the deletion", |app| {
            text(app, "/status/operationState/message") == "waiting for deletion of /ConfigMap/last"
        })
        .await;
    for name in ["first", "middle"] {
        let there = stage.get(config_map(), name).await.expect("it waits for its turn");
        assert_eq!(there.pointer("/metadata/deletionTimestamp"), None);
    }
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    stage.write(Write::patch(config_map(), &stage.namespace, "last", free, "somebody")).await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(results(&app).len(), 4);
    for name in ["first", "middle", "last"] {
        stage.gone(config_map(), name).await;
    }
}

pub async fn a_rule_of_health_that_fails_is_a_condition(stage: &mut Stage) {
    const RULE: &str = "error('no idea')";
    stage.repository().commit(&[("app/main.yaml", Some(&map("main", &[], "x")))]);
    manual(stage).await;
    sync(stage).await;
    stage.ended("web", "Succeeded").await;
    stage.synced("web").await;
    stage.set("argocd-cm", json!({"resource.customizations.health.ConfigMap": RULE})).await;
    let app = stage
        .app("web", "nobody knows how it is", |app| text(app, "/status/health/status") == "Unknown")
        .await;
    assert_eq!(text(&app, "/status/sync/status"), "Synced");
    let told = crate::stage::conditions(&app, "ComparisonError");
    assert!(
        told[0].starts_with(
            "error setting app health: failed to get resource health for \"ConfigMap\" with name \"main\" in namespace \"scenario\": failed to get resource health for scenario/main: "
        ) && told[0].contains("no idea"),
        "{told:?}"
    );
    sync(stage).await;
    let app = stage.ended("web", "Error").await;
    let words = text(&app, "/status/operationState/message");
    assert!(words.starts_with("ComparisonError: error setting app health"), "{words}");
    stage.set("argocd-cm", json!({"resource.customizations.health.ConfigMap": null})).await;
    let app =
        stage.app("web", "well again", |app| text(app, "/status/health/status") == "Healthy").await;
    assert_eq!(crate::stage::conditions(&app, "ComparisonError"), Vec::<String>::new());
}

pub async fn a_rule_of_health_that_comes_later_sees_what_changes(stage: &mut Stage) {
    const RULE: &str =
        "return { status = obj.status and obj.status.phase or 'Progressing', message = '' }";
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "engines.example.com"},
        "spec": {
            "group": "example.com", "names": {"plural": "engines", "kind": "Engine"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "x-kubernetes-preserve-unknown-fields": true,
            }}}],
        },
    });
    stage.write(Write::create(definition, "somebody")).await;
    let engine = "apiVersion: example.com/v1\nkind: Engine\nmetadata:\n  name: one\n";
    stage.repository().commit(&[("app/one.yaml", Some(engine))]);
    manual(stage).await;
    sync(stage).await;
    stage.ended("web", "Succeeded").await;
    stage.synced("web").await;
    let rule = json!({"resource.customizations.health.example.com_Engine": RULE});
    stage.set("argocd-cm", rule).await;
    let health = |app: &Value| text(app, "/status/health/status").to_owned();
    stage.app("web", "the rule is asked", |app| health(app) == "Progressing").await;
    // A change of a status alone is no reason to look, but for the health.
    let kind = Gvk::new("example.com", "v1", "Engine");
    let patch = Patch::Merge(json!({"status": {"phase": "Healthy"}}));
    stage.write(Write::patch(kind, &stage.namespace, "one", patch, "somebody")).await;
    stage.app("web", "it is seen", |app| health(app) == "Healthy").await;
}

pub async fn what_is_waited_for_is_told_with_its_time(stage: &mut Stage) {
    stage.repository().commit(&[
        ("app/main.yaml", Some(&map("main", &[], "x"))),
        ("app/hook.yaml", Some(&pod("hook", &[(HOOK, "PreSync")]))),
    ]);
    manual(stage).await;
    sync(stage).await;
    const WORDS: &str = "waiting for completion of hook /Pod/hook";
    let app = stage
        .app("web", "the condition says so", |app| {
            crate::stage::conditions(app, "OperationWaiting") == [WORDS]
        })
        .await;
    assert_eq!(text(&app, "/status/operationState/message"), WORDS, "upstream's words, alone");
    let printed = stage.well(&["app", "get", "web"]).await;
    assert!(
        printed.contains("Waiting For:        completion of hook /Pod/hook (since 20"),
        "{printed}"
    );
    let metrics = stage.metrics();
    let line = metrics.lines().find(|line| line.starts_with("tiphys_app_waiting_seconds{"));
    let line = line.expect("the figure is there");
    assert!(line.contains("name=\"web\"") && line.contains("reason=\"hook\""), "{line}");
    stage.finish("hook", "Succeeded").await;
    let app = stage.ended("web", "Succeeded").await;
    assert_eq!(crate::stage::conditions(&app, "OperationWaiting"), Vec::<String>::new());
}
