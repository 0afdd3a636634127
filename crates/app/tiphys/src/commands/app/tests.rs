//! From flags to objects, and from objects to what people read.

use clap::{Args as _, Command, FromArgMatches as _};
use crd::Application;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::flags::Given;
use super::selection::{Selection, selected, selects};
use super::states::{resource_states, resource_table};
use super::summary::{Surroundings, operation_lines, summary};
use super::{delete, history, list, rollback, source, spec, tree, unset};
use crate::commands::colour::Colour;

fn given(line: &str) -> Given {
    let command = Given::augment_args(Command::new("set").no_binary_name(true));
    let command = crate::commands::go_flags::go_style(command);
    let matches = command.get_matches_from(line.split_whitespace());
    Given::from_arg_matches(&matches).expect("the flags are read")
}

fn app(value: Value) -> Application {
    serde_json::from_value(value).expect("the Application reads")
}

/// What flags make of a spec.
fn check(before: Value, line: &str, after: Expect) {
    let mut application = app(json!({"metadata": {"name": "web"}, "spec": before}));
    match spec::write(&given(line), &mut application, None) {
        Ok(()) => {
            let mut spec = serde_json::to_value(&application.spec).expect("it prints");
            // What every spec must have says nothing here.
            let spec = spec.as_object_mut().expect("a spec is an object");
            spec.retain(|_, value| *value != json!({}) && *value != "");
            after.assert_eq(&Value::Object(spec.clone()).to_string());
        }
        Err(error) => after.assert_eq(&format!("{error:#}")),
    }
}

#[test]
fn flags_describe_a_source_and_a_destination() {
    check(
        json!({}),
        "--repo https://x/y --path a --revision main --dest-server https://z --dest-namespace b --project p",
        expect![[
            r#"{"destination":{"namespace":"b","server":"https://z"},"project":"p","source":{"path":"a","repoURL":"https://x/y","targetRevision":"main"}}"#
        ]],
    );
}

#[test]
fn flags_describe_a_policy() {
    check(
        json!({}),
        "--sync-policy auto --self-heal --auto-prune=false --sync-option A=1 --sync-option B=2 --sync-retry-limit 3 --sync-retry-backoff-duration 90s",
        expect![[
            r#"{"source":{"repoURL":""},"syncPolicy":{"automated":{"prune":false,"selfHeal":true},"retry":{"backoff":{"duration":"1m30s","factor":2,"maxDuration":"3m0s"},"limit":3},"syncOptions":["A=1","B=2"]}}"#
        ]],
    );
    check(
        json!({}),
        "--self-heal",
        expect![[
            r#"{"source":{"repoURL":""},"syncPolicy":{"automated":{"enabled":false,"selfHeal":true}}}"#
        ]],
    );
    check(
        json!({"source": {"repoURL": "u"}, "syncPolicy": {"automated": {"prune": true}, "syncOptions": ["A=1"]}}),
        "--sync-policy none --sync-option !A=1",
        expect![[r#"{"source":{"repoURL":"u"}}"#]],
    );
    check(json!({}), "--sync-policy sometimes", expect!["Invalid sync-policy: sometimes"]);
}

#[test]
fn flags_describe_helm() {
    check(
        json!({"source": {"repoURL": "u", "helm": {"parameters": [{"name": "a", "value": "0"}]}}}),
        "-p a=1 -p b=x=y --helm-set-string c=2 --helm-set-file d=f --values v.yaml --release-name r --helm-skip-crds",
        expect![[
            r#"{"source":{"helm":{"fileParameters":[{"name":"d","path":"f"}],"parameters":[{"name":"a","value":"1"},{"forceString":true,"name":"c","value":"2"},{"name":"b","value":"x=y"}],"releaseName":"r","skipCrds":true,"valueFiles":["v.yaml"]},"repoURL":"u"}}"#
        ]],
    );
    check(
        json!({"source": {"repoURL": "u", "kustomize": {"namePrefix": "x"}}}),
        "-p a=1",
        expect!["Parameters can only be set against Helm applications"],
    );
}

#[test]
fn flags_describe_kustomize_and_directories() {
    check(
        json!({"source": {"repoURL": "u", "kustomize": {"images": ["r:5000/a:1", "b=c:1"]}}}),
        "--kustomize-image r:5000/a@sha256:0 --kustomize-image b=d:2 --kustomize-image e:3 --kustomize-replica w=2 --kustomize-common-label k=v --nameprefix p-",
        expect![[
            r#"{"source":{"kustomize":{"commonLabels":{"k":"v"},"images":["r:5000/a@sha256:0","b=d:2","e:3"],"namePrefix":"p-","replicas":[{"count":2,"name":"w"}]},"repoURL":"u"}}"#
        ]],
    );
    check(
        json!({"source": {"repoURL": "u"}}),
        "--directory-recurse --directory-exclude x --jsonnet-tla-code a=1+1 --jsonnet-ext-var-str b=c",
        expect![[
            r#"{"source":{"directory":{"exclude":"x","jsonnet":{"extVars":[{"name":"b","value":"c"}],"tlas":[{"code":true,"name":"a","value":"1+1"}]},"recurse":true},"repoURL":"u"}}"#
        ]],
    );
}

#[test]
fn an_image_is_known_by_its_name() {
    for (text, name) in [
        ("a", "a"),
        ("a:1", "a"),
        ("a@sha256:0", "a"),
        ("r:5000/a", "r:5000/a"),
        ("r:5000/a:1", "r:5000/a"),
        ("old=new:1", "old"),
    ] {
        assert_eq!(source::image_name(text), name);
    }
}

#[test]
fn options_are_taken_back() {
    let mut source: crd::ApplicationSource = serde_json::from_value(json!({
        "repoURL": "u", "ref": "r",
        "helm": {"parameters": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}], "valueFiles": ["x", "y"], "values": "q"},
    }))
    .expect("the source reads");
    let options = unset::Options {
        parameters: vec!["a".into()],
        values: vec!["y".into()],
        values_literal: true,
        r#ref: true,
        ..unset::Options::default()
    };
    unset::take_back(&options, &mut source);
    expect![[
        r#"{"repoURL":"u","helm":{"valueFiles":["x"],"parameters":[{"name":"b","value":"2"}]}}"#
    ]]
    .assert_eq(&serde_json::to_string(&source).expect("it prints"));
}

#[test]
fn a_selection_names_objects() {
    let selections = |texts: &[&str]| {
        Selection::parse_all(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    };
    let takes = |texts: &[&str]| {
        let selections = selections(texts).expect("the selections read");
        selects(&selections, "apps", "Deployment", "shop", "web")
    };
    assert!(takes(&["apps:Deployment:web"]));
    assert!(takes(&["apps:Deployment:shop/web"]));
    assert!(takes(&["*:*:*"]));
    assert!(takes(&["!:Service:web"]));
    assert!(!takes(&["apps:Deployment:other/web"]));
    assert!(!takes(&["apps:Deployment:web", "!*:*:web"]));
    assert!(!takes(&[":Service:web"]));
    let error = selections(&["Deployment:web"]).expect_err("two fields are too few");
    assert_eq!(
        error.to_string(),
        "resource should have GROUP:KIND:NAME, but instead got: Deployment:web"
    );
}

fn guestbook() -> Application {
    app(json!({
        "metadata": {"name": "guestbook", "namespace": "argocd", "finalizers": ["keep"]},
        "spec": {
            "project": "default",
            "source": {"repoURL": "file:///repo", "path": "guestbook", "targetRevision": "HEAD"},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "shop"},
            "syncPolicy": {"automated": {"prune": true}},
        },
        "status": {
            "sync": {"status": "OutOfSync", "revision": "0123456789abcdef0123456789abcdef01234567"},
            "health": {"status": "Progressing"},
            "conditions": [
                {"type": "SyncError", "message": "a"},
                {"type": "SyncError", "message": "b"},
                {"type": "ComparisonError", "message": "c"},
            ],
            "resources": [
                {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web",
                 "status": "OutOfSync", "health": {"status": "Progressing"}},
                {"version": "v1", "kind": "Service", "namespace": "shop", "name": "web", "status": "Synced"},
            ],
            "history": [
                {"id": 1, "deployedAt": "2026-11-21T10:00:00Z", "revision": "aaaaaaaaaaaa", "source": {"repoURL": "file:///repo", "targetRevision": "HEAD"}},
                {"id": 2, "deployedAt": "2026-11-21T11:00:00Z", "revision": "bbbbbbbbbbbb", "source": {"repoURL": "file:///repo", "targetRevision": "HEAD"}},
            ],
            "operationState": {
                "operation": {}, "phase": "Succeeded", "message": "successfully synced",
                "startedAt": "2026-11-21T10:00:00Z", "finishedAt": "2026-11-21T10:01:05Z",
                "syncResult": {"revision": "0123456", "resources": [
                    {"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "shop", "name": "web",
                     "status": "Synced", "message": "deployment.apps/web configured"},
                    {"group": "batch", "version": "v1", "kind": "Job", "namespace": "shop", "name": "hook",
                     "status": "Synced", "hookType": "PreSync", "hookPhase": "Succeeded", "message": "done"},
                ]},
            },
        },
    }))
}

#[test]
fn a_summary_reads_as_upstreams() {
    let around = Surroundings {
        url: "https://argocd.example.com/applications/guestbook".into(),
        windows: "Sync Allowed",
        assigned: Vec::new(),
    };
    expect![[r#"
        Name:               argocd/guestbook
        Project:            default
        Server:             https://kubernetes.default.svc
        Namespace:          shop
        URL:                https://argocd.example.com/applications/guestbook
        Source:
        - Repo:             file:///repo
          Target:           HEAD
          Path:             guestbook
        SyncWindow:         Sync Allowed
        Sync Policy:        Automated (Prune)
        Sync Status:        OutOfSync from HEAD (0123456)
        Health Status:      Progressing
    "#]]
    .assert_eq(&summary(&guestbook(), &around, Colour::Off));
}

#[test]
fn an_operation_reads_as_upstreams() {
    let application = guestbook();
    let state = application.status.operation_state.as_deref().expect("there is one");
    expect![[r#"
        Operation:          Sync
        Sync Revision:      0123456
        Phase:              Succeeded
        Start:              2026-11-21 10:00:00 +0000 UTC
        Finished:           2026-11-21 10:01:05 +0000 UTC
        Duration:           1m5s
        Message:            successfully synced
    "#]]
    .assert_eq(&operation_lines(state, jiff::Timestamp::UNIX_EPOCH, Colour::Off));
}

#[test]
fn objects_of_the_last_operation_come_first() {
    expect![[r#"
        GROUP  KIND        NAMESPACE  NAME  STATUS     HEALTH       HOOK     MESSAGE
        apps   Deployment  shop       web   OutOfSync  Progressing           deployment.apps/web configured
        batch  Job         shop       hook  Succeeded  Synced       PreSync  done
               Service     shop       web   Synced                           
    "#]]
    .assert_eq(&resource_table(&guestbook()).print(Colour::Off));
}

#[test]
fn a_state_keeps_what_a_newer_one_leaves_open() {
    let mut states = resource_states(&guestbook(), &[]).into_iter();
    let mut state = states.next().expect("there is a state");
    let mut newer = state.clone();
    newer.message.clear();
    assert!(!state.merge(&newer));
    newer.health = "Healthy".into();
    assert!(state.merge(&newer));
    assert_eq!(state.message, "deployment.apps/web configured");
}

#[test]
fn the_list_reads_as_upstreams() {
    expect![[r#"
        NAME              CLUSTER                         NAMESPACE  PROJECT  STATUS     HEALTH       SYNCPOLICY  CONDITIONS                    REPO          PATH       TARGET
        argocd/guestbook  https://kubernetes.default.svc  shop       default  OutOfSync  Progressing  Auto-Prune  ComparisonError,SyncError(2)  file:///repo  guestbook  HEAD
    "#]]
    .assert_eq(&list::table(&[guestbook()], true).print(Colour::Off));
}

#[test]
fn the_history_reads_as_upstreams() {
    expect![[r#"
        SOURCE  file:///repo
        ID      DATE                           REVISION
        1       2026-11-21 10:00:00 +0000 UTC  HEAD (aaaaaaa)
        2       2026-11-21 11:00:00 +0000 UTC  HEAD (bbbbbbb)
    "#]]
    .assert_eq(&history::table(&guestbook().status.history).print(Colour::Off));
}

#[test]
fn nothing_is_rolled_back_that_syncs_by_itself() {
    let mut application = guestbook();
    let error = rollback::operation(&application, 1, false).expect_err("it syncs by itself");
    assert_eq!(error.to_string(), "rollback cannot be initiated when auto-sync is enabled");
    application.spec.sync_policy = None;
    let operation = rollback::operation(&application, 1, true).expect("it may be rolled back");
    let sync = operation.sync.expect("a rollback is a sync");
    assert_eq!((sync.revision.as_str(), sync.prune), ("aaaaaaaaaaaa", true));
    assert!(sync.sync_strategy.is_some_and(|strategy| strategy.apply.is_some()));
    rollback::operation(&application, 7, false).expect_err("there was no seventh");
}

#[test]
fn a_deletion_says_by_finalizer_what_becomes_of_the_objects() {
    let foreground = crd::keys::RESOURCES_FINALIZER_FOREGROUND;
    let mut application = guestbook();
    let wanted = vec!["keep".to_owned(), foreground.to_owned()];
    assert_eq!(delete::finalizers_for(&application, Some(foreground)), Some(wanted.clone()));
    assert_eq!(delete::finalizers_for(&application, None), None);
    application.metadata.finalizers = wanted;
    assert_eq!(delete::finalizers_for(&application, Some(foreground)), None);
    assert_eq!(delete::finalizers_for(&application, None), Some(vec!["keep".to_owned()]));
}

#[test]
fn a_selected_sync_names_its_objects() {
    let selections = Selection::parse_all(&["*:Service:*".to_owned()]).expect("it reads");
    let names = selected(&guestbook(), &selections);
    assert_eq!(names.len(), 1);
    assert_eq!((names[0].kind.as_str(), names[0].name.as_str()), ("Service", "web"));
}

#[test]
fn ages_read_as_kubectls() {
    for (seconds, text) in [
        (5, "5s"),
        (119, "119s"),
        (125, "2m5s"),
        (900, "15m"),
        (11_000, "3h3m"),
        (100_000, "27h"),
        (200_000, "2d7h"),
        (1_000_000, "11d"),
    ] {
        assert_eq!(tree::human_age(seconds), text);
    }
}
