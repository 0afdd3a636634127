//! Single rules. How whole operations run is shown by the cases of `reconcile`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use manifest::{Gvk, ObjectKey};
use serde_json::{Value, json};

use crate::marks::{helm_keeps, images, is_any_hook, is_ignored, is_skipped, phases, wave};
use crate::{
    Deed, How, Live, Method, OperationPhase, Options, Progress, Resource, Retry, SyncPhase,
    Tracking, TrackingId, World, hook_name, parse_duration, words,
};

fn object(kind: &str, name: &str, annotations: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
    })
}

fn wanted(object: Value) -> Resource {
    Resource {
        target: Some(Arc::new(object)),
        modified: true,
        self_referenced: true,
        ..Resource::default()
    }
}

fn left(object: Value) -> Resource {
    let live = Live { head: object, ..Live::default() };
    Resource {
        live: Some(Arc::new(live)),
        modified: true,
        self_referenced: true,
        ..Resource::default()
    }
}

fn first_step(resources: Vec<Resource>, options: Options) -> Vec<String> {
    let world = World { resources, options, namespace: "shop".into(), ..World::default() };
    let mut progress = Progress::resume(OperationPhase::Running, String::new(), Vec::new());
    let step = progress.advance(&world);
    step.actions.iter().map(|action| format!("{}/{}", action.key.kind, action.key.name)).collect()
}

#[test]
fn waves_are_read_from_ours_then_from_helms_annotation() {
    let of = |annotations: Value| wave(&object("ConfigMap", "a", annotations));
    assert_eq!(of(json!({})), 0);
    assert_eq!(of(json!({"argocd.argoproj.io/sync-wave": "-5"})), -5);
    assert_eq!(of(json!({"helm.sh/hook-weight": "7"})), 7);
    assert_eq!(of(json!({"argocd.argoproj.io/sync-wave": "x", "helm.sh/hook-weight": "7"})), 7);
}

#[test]
fn hooks_are_read_as_upstream_reads_them() {
    let of = |annotations: Value| object("Job", "a", annotations);
    let ours =
        of(json!({"argocd.argoproj.io/hook": "PostSync,PreSync", "helm.sh/hook": "pre-install"}));
    assert_eq!(phases(&ours), [SyncPhase::PreSync, SyncPhase::PostSync]);
    let helm = of(json!({"helm.sh/hook": "pre-install,post-upgrade"}));
    assert_eq!(phases(&helm), [SyncPhase::PreSync, SyncPhase::PostSync]);
    assert_eq!(phases(&of(json!({"helm.sh/hook": "crd-install"}))), [SyncPhase::Sync]);
    assert!(!is_any_hook(&of(json!({"helm.sh/hook": "crd-install"}))));
    assert!(
        is_ignored(&of(json!({"helm.sh/hook": "test"}))),
        "a hook of no known type is left out"
    );
    let skipped = of(json!({"argocd.argoproj.io/hook": "Skip"}));
    assert!(is_skipped(&skipped) && phases(&skipped).is_empty());
    assert!(helm_keeps(&of(json!({"helm.sh/resource-policy": "keep"}))));
}

#[test]
fn images_are_those_of_the_first_place_that_has_containers() {
    let cron = json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [
        {"image": "a"}, {"name": "no image"}, {"image": "b"}
    ]}}}}}});
    assert_eq!(images(&cron), ["a", "b"]);
    assert!(images(&json!({})).is_empty());
}

#[test]
fn kinds_go_in_order_and_one_kind_at_a_time() {
    let resources = ["Ingress", "ConfigMap", "Deployment", "Secret", "Widget"]
        .map(|kind| wanted(object(kind, "a", json!({}))));
    assert_eq!(first_step(resources.to_vec(), Options::default()), ["Secret/a"]);
    let same = ["c", "a", "b"].map(|name| wanted(object("ConfigMap", name, json!({}))));
    assert_eq!(
        first_step(same.to_vec(), Options::default()),
        ["ConfigMap/a", "ConfigMap/b", "ConfigMap/c"]
    );
}

#[test]
fn what_was_made_first_is_pruned_last() {
    let at = |name: &str, wave: &str| {
        left(object("ConfigMap", name, json!({"argocd.argoproj.io/sync-wave": wave})))
    };
    let resources = vec![at("first", "-1"), at("middle", "0"), at("last", "3")];
    let options = Options { prune: true, ..Options::default() };
    assert_eq!(first_step(resources, options), ["ConfigMap/last"]);
}

#[test]
fn a_namespace_is_made_in_the_wave_of_what_stands_in_it() {
    let mut namespace = object("Namespace", "shop", json!({}));
    namespace["metadata"]["namespace"] = Value::Null;
    let early = wanted(object("ConfigMap", "a", json!({"argocd.argoproj.io/sync-wave": "-3"})));
    assert_eq!(first_step(vec![wanted(namespace), early], Options::default()), ["Namespace/shop"]);
}

#[test]
fn options_say_how_an_object_is_written() {
    let how = |list: &[&str], annotation: &str| {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        let marks = json!({"argocd.argoproj.io/sync-options": annotation});
        Options::from_list(&list).how(&wanted(object("ConfigMap", "a", marks)))
    };
    assert_eq!(how(&[], ""), How::ServerSide);
    assert_eq!(how(&["ServerSideApply=false"], ""), How::ClientSide);
    assert_eq!(how(&["ServerSideApply=false"], "ServerSideApply=true"), How::ServerSide);
    assert_eq!(how(&["ServerSideApply=true"], "ServerSideApply=false"), How::ClientSide);
    assert_eq!(how(&["ServerSideApply=true", "Replace=true"], ""), How::Replace);
    let mut refused = wanted(object("ConfigMap", "a", json!({})));
    refused.structural_refusal = Some("a name twice".into());
    assert_eq!(Options::default().how(&refused), How::ClientSide);
}

#[test]
fn every_apply_says_whether_fields_are_checked() {
    let world = World {
        resources: vec![
            wanted(object(
                "ConfigMap",
                "a",
                json!({"argocd.argoproj.io/sync-options": "Validate=false"}),
            )),
            wanted(object("ConfigMap", "b", json!({}))),
        ],
        ..World::default()
    };
    let mut progress = Progress::resume(OperationPhase::Running, String::new(), Vec::new());
    let checked: Vec<bool> = progress
        .advance(&world)
        .actions
        .iter()
        .map(|action| matches!(action.deed, Deed::Apply { validate: true, .. }))
        .collect();
    assert_eq!(checked, [false, true]);
}

#[test]
fn a_tracking_id_reads_back_as_it_was_written() {
    let tracking = Tracking { installation_id: "one".into(), ..Tracking::default() };
    let mut marked = object("Secret", "a", json!({}));
    tracking.mark(&mut marked, "ns_web", "shop");
    assert_eq!(
        marked["metadata"]["annotations"],
        json!({
            "argocd.argoproj.io/installation-id": "one",
            "argocd.argoproj.io/tracking-id": "ns_web:/Secret:shop/a",
        })
    );
    assert_eq!(tracking.app_of(&marked), Some("ns_web"));
    assert_eq!(Tracking::default().app_of(&marked), None, "another installation's");
    let id = TrackingId::parse("web:apps/Deployment:shop/a").expect("an id");
    assert!(id.describes(&ObjectKey::new("apps", "Deployment", "shop", "a")));
    assert!(id.describes(&ObjectKey::new("apps", "Deployment", "", "a")), "cluster-scoped");
    assert!(!id.describes(&ObjectKey::new("apps", "Deployment", "other", "a")));
    for wrong in ["web", "web:apps:shop/a", "web:a/b/c:shop/a", "web:a/b:c/d/e"] {
        assert_eq!(TrackingId::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_long_name_is_cut_in_a_label_that_only_helps_and_kept_in_one_that_decides() {
    let long = format!("{}-{}", "a".repeat(62), "b".repeat(10));
    let mark = |method| {
        let tracking = Tracking { method, ..Tracking::default() };
        let mut marked = object("Secret", "a", json!({}));
        tracking.mark(&mut marked, &long, "shop");
        marked["metadata"]["labels"]["app.kubernetes.io/instance"]
            .as_str()
            .expect("a label")
            .to_owned()
    };
    assert_eq!(mark(Method::AnnotationAndLabel), "a".repeat(62));
    assert_eq!(mark(Method::Label), long);
}

#[test]
fn definitions_are_never_marked() {
    let mut definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
    });
    let before = definition.clone();
    Tracking::default().mark(&mut definition, "web", "shop");
    assert_eq!(definition, before);
}

#[test]
fn durations_are_gos_and_bare_numbers_are_seconds() {
    for (text, millis) in [
        ("5", 5_000),
        ("1m30s", 90_000),
        ("1.5s", 1_500),
        ("-2h", -7_200_000),
        ("10ms", 10),
        ("0", 0),
    ] {
        assert_eq!(parse_duration(text), Ok(SignedDuration::from_millis(millis)), "{text}");
    }
    for text in ["", "s", "5x", "1m 30s", "+"] {
        let error = parse_duration(text).expect_err(text);
        assert_eq!(error.to_string(), format!("unable to parse {text} as a duration"));
    }
}

#[test]
fn waits_double_up_to_the_cap() {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let waits: Vec<i64> =
        (0..8).map(|done| (Retry::default().next_at(start, done) - start).get_seconds()).collect();
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 180, 180]);
    let endless = Retry { cap: None, factor: i64::MAX, ..Retry::default() };
    assert!(endless.next_at(start, i64::MAX) > start);
}

#[test]
fn a_hook_without_a_name_is_called_after_its_operation() {
    let hook = json!({"metadata": {"generateName": "migrate-"}});
    let began: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(
        hook_name(&hook, SyncPhase::PreSync, "0123456789", began),
        "migrate-0123456-presync-1767225600"
    );
}

#[test]
fn words_are_kubectls() {
    let deployment = Gvk::new("apps", "v1", "Deployment");
    assert_eq!(
        words::done(&deployment, "web", "configured", false),
        "deployment.apps/web configured"
    );
    assert_eq!(
        words::done(&Gvk::new("", "v1", "Pod"), "a", "created", true),
        "pod/a created (dry run)"
    );
}

mod applying {
    use super::*;
    use crate::apply::{client_side_patch, refuses_server_side, take_over, with_last_applied};
    use merge::schema::{Field, List, ListKind, Map, Patch, Scalar, Schema, Type, TypeId};

    /// A kind with `spec.replicas`, `spec.note` and `spec.env`, a list by `name`.
    fn shape() -> (Schema, TypeId) {
        let mut schema = Schema::default();
        let scalar = schema.add(Type::Scalar(Scalar::Untyped));
        let texts = schema.add(Type::Map(Map {
            fields: Vec::new(),
            rest: Some(scalar),
            atomic: false,
            preserve_unknown: false,
        }));
        let field =
            |name: &str, type_id, patch| Field { name: name.into(), type_id, default: None, patch };
        let map = |mut fields: Vec<Field>| {
            fields.sort_by(|a, b| a.name.cmp(&b.name));
            Type::Map(Map { fields, rest: None, atomic: false, preserve_unknown: false })
        };
        let none = Patch::default;
        let item =
            schema.add(map(vec![field("name", scalar, none()), field("value", scalar, none())]));
        let env = schema
            .add(Type::List(List { element: item, kind: ListKind::Map(vec!["name".into()]) }));
        let by_name = Patch {
            merge: true,
            retain_keys: false,
            replace: false,
            merge_key: Some("name".into()),
        };
        let spec = schema.add(map(vec![
            field("replicas", scalar, none()),
            field("note", scalar, none()),
            field("env", env, by_name),
        ]));
        let metadata = schema
            .add(map(vec![field("name", scalar, none()), field("annotations", texts, none())]));
        let root = schema.add(map(vec![
            field("apiVersion", scalar, none()),
            field("kind", scalar, none()),
            field("metadata", metadata, none()),
            field("spec", spec, none()),
        ]));
        (schema, root)
    }

    fn thing(spec: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "Thing", "metadata": {"name": "a"}, "spec": spec})
    }

    fn live(spec: Value, managed: Value) -> Value {
        let mut object = thing(spec);
        object["metadata"]["resourceVersion"] = "7".into();
        object["metadata"]["managedFields"] = managed;
        object
    }

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({
            "manager": manager, "operation": operation, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields,
        })
    }

    fn managed_after(live: &Value, target: &Value, previous: &[Value]) -> Option<Value> {
        let (schema, root) = shape();
        let previous: Vec<Arc<Value>> = previous.iter().cloned().map(Arc::new).collect();
        let from = Some("kubectl-client-side-apply");
        let patch =
            take_over(live, target, &previous, "argocd-controller", from, Some((&schema, root)))?;
        assert_eq!(patch[1]["value"], "7", "guarded by the version that was seen");
        Some(patch[0]["value"].clone())
    }

    #[test]
    fn a_field_that_git_drops_is_taken_from_whoever_wrote_it_since() {
        let live = live(
            json!({"replicas": 5, "note": "x"}),
            json!([
                entry("argocd-controller", "Apply", json!({"f:spec": {"f:note": {}}})),
                entry("kubectl-patch", "Update", json!({"f:spec": {"f:replicas": {}}})),
            ]),
        );
        let before = thing(json!({"replicas": 3, "note": "x"}));
        let after = managed_after(&live, &thing(json!({"note": "x"})), &[before]).expect("a patch");
        assert_eq!(
            after,
            json!([entry(
                "argocd-controller",
                "Apply",
                json!({"f:spec": {"f:note": {}, "f:replicas": {}}})
            )])
        );
    }

    #[test]
    fn an_element_that_git_drops_goes_with_all_that_others_wrote_in_it() {
        let key = "k:{\"name\":\"A\"}";
        let live = live(
            json!({"env": [{"name": "A", "value": "2"}]}),
            json!([
                entry(
                    "argocd-controller",
                    "Apply",
                    json!({"f:spec": {"f:env": {key: {".": {}, "f:name": {}}}}})
                ),
                entry("somebody", "Update", json!({"f:spec": {"f:env": {key: {"f:value": {}}}}})),
            ]),
        );
        let before = thing(json!({"env": [{"name": "A", "value": "1"}]}));
        let after = managed_after(&live, &thing(json!({})), &[before]).expect("a patch");
        assert_eq!(after.as_array().map(Vec::len), Some(1), "{after}");
        assert_eq!(after[0]["manager"], "argocd-controller");
    }

    #[test]
    fn what_others_own_and_we_never_set_is_theirs() {
        let live = live(
            json!({"replicas": 5, "note": "x"}),
            json!([
                entry("argocd-controller", "Apply", json!({"f:spec": {"f:note": {}}})),
                entry("hpa", "Update", json!({"f:spec": {"f:replicas": {}}})),
            ]),
        );
        let target = thing(json!({"note": "y"}));
        assert_eq!(managed_after(&live, &target, &[thing(json!({"note": "x"}))]), None);
    }

    #[test]
    fn what_kubectl_applied_client_side_is_taken_over_with_its_annotation() {
        let applied = thing(json!({"replicas": 3, "note": "dead"}));
        let mut live = live(
            json!({"replicas": 3, "note": "dead"}),
            json!([
                entry(
                    "kubectl-client-side-apply",
                    "Update",
                    json!({
                        "f:metadata": {"f:annotations": {
                            ".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}
                        }},
                        "f:spec": {"f:replicas": {}},
                    })
                ),
                entry("editor", "Update", json!({"f:spec": {"f:note": {}}})),
            ]),
        );
        live["metadata"]["annotations"] =
            with_last_applied(&applied)["metadata"]["annotations"].clone();
        let after = managed_after(&live, &thing(json!({"replicas": 3})), &[]).expect("a patch");
        let entries = after.as_array().expect("a list");
        assert_eq!(entries.len(), 1, "{after}");
        assert_eq!(entries[0]["operation"], "Apply");
        assert_eq!(entries[0]["fieldsV1"]["f:spec"], json!({"f:note": {}, "f:replicas": {}}));
        let annotations = &entries[0]["fieldsV1"]["f:metadata"]["f:annotations"];
        assert!(annotations.get("f:kubectl.kubernetes.io/last-applied-configuration").is_some());
    }

    #[test]
    fn what_upstream_applied_client_side_is_ours_already_by_name() {
        let live = live(
            json!({"replicas": 3}),
            json!([entry("argocd-controller", "Update", json!({"f:spec": {"f:replicas": {}}}))]),
        );
        let after = managed_after(&live, &thing(json!({})), &[]).expect("a patch");
        assert_eq!(
            after,
            json!([entry("argocd-controller", "Apply", json!({"f:spec": {"f:replicas": {}}}))])
        );
    }

    #[test]
    fn a_key_twice_or_a_field_that_is_none_is_refused_by_the_server() {
        let (schema, root) = shape();
        let ask = |spec: Value| refuses_server_side(&thing(spec), Some((&schema, root)));
        assert_eq!(ask(json!({"replicas": 3})), None);
        assert!(ask(json!({"env": [{"name": "A"}, {"name": "A"}]})).is_some());
        assert!(
            ask(json!({"replica": 3})).is_some_and(|words| words.contains("field not declared"))
        );
    }

    #[test]
    fn a_client_side_apply_removes_what_it_applied_before() {
        let (schema, root) = shape();
        let mut live = with_last_applied(&thing(json!({"replicas": 3, "note": "x"})));
        live["spec"]["replicas"] = 9.into();
        let target = thing(json!({"replicas": 3}));
        for shape in [Some((&schema, root)), None] {
            let patch = client_side_patch(&target, &live, shape).expect("merges").expect("changes");
            assert_eq!(patch.strategic, shape.is_some());
            assert_eq!(patch.patch["spec"], json!({"replicas": 3, "note": null}));
        }
        let same = with_last_applied(&target);
        assert_eq!(client_side_patch(&target, &same, None).expect("merges"), None);
    }
}

/// A process was killed after it had made a hook and before it had written so down.
#[test]
fn a_hook_that_a_killed_process_has_made_is_not_made_twice() {
    let hook = object("Job", "migrate", json!({"argocd.argoproj.io/hook": "PreSync"}));
    let begin = |live: Option<Value>, attempt: &str| {
        let live = live.map(|head| {
            let health = Some((crate::Wellness::Healthy, "done".to_owned()));
            Arc::new(crate::Live { head, health, images: Vec::new() })
        });
        let world = World {
            hooks: vec![Resource { live, ..wanted(hook.clone()) }],
            namespace: "shop".into(),
            attempt: attempt.into(),
            goes_on: true,
            ..World::default()
        };
        let mut progress = Progress::resume(OperationPhase::Running, String::new(), Vec::new());
        let step = progress.advance(&world);
        (step.actions, progress)
    };
    let (actions, _) = begin(None, "first");
    let crate::Deed::Apply { object: made, .. } = &actions[0].deed else { panic!("{actions:?}") };
    let (again, progress) = begin(Some((**made).clone()), "first");
    assert!(
        again.iter().all(|action| matches!(action.deed, crate::Deed::ReleaseHook)),
        "it is known again: {again:?}"
    );
    assert_eq!(progress.results[0].progress, Some(OperationPhase::Succeeded));
    let (other, _) = begin(Some((**made).clone()), "second");
    assert!(
        other.iter().any(|action| !matches!(action.deed, crate::Deed::Apply { .. })),
        "another attempt makes its own: {other:?}"
    );
}

/// What was left of a hook by the sync that failed before goes first, as everywhere.
#[test]
fn a_hook_of_a_failure_is_made_anew_at_the_next_failure() {
    let object =
        |name: &str, hook: &str| object("Job", name, json!({"argocd.argoproj.io/hook": hook}));
    let live = |head: Value, health: crate::Wellness| {
        let health = Some((health, "as it is".to_owned()));
        Some(Arc::new(crate::Live { head, health, images: Vec::new() }))
    };
    let (before, tell) = (object("before", "PreSync"), object("tell", "SyncFail"));
    let failed = crate::TaskResult {
        id: crate::TaskId { key: manifest::key_of(&before), phase: crate::SyncPhase::PreSync },
        version: "v1".into(),
        status: Some(crate::ResultCode::Synced),
        message: String::new(),
        hook: true,
        progress: Some(OperationPhase::Running),
        images: Vec::new(),
    };
    let before =
        Resource { live: live(before.clone(), crate::Wellness::Degraded), ..wanted(before) };
    let world = |left: Option<Arc<crate::Live>>| World {
        hooks: vec![before.clone(), Resource { live: left, ..wanted(tell.clone()) }],
        ..World::default()
    };
    let mut progress = Progress::resume(OperationPhase::Running, String::new(), vec![failed]);
    let step = progress.advance(&world(live(tell.clone(), crate::Wellness::Healthy)));
    let deeds: Vec<_> = step.actions.iter().map(|action| &action.deed).collect();
    assert!(
        matches!(deeds[..], [crate::Deed::DeleteHook { before_creation: true, .. }]),
        "{deeds:?}"
    );
    let step = progress.advance(&world(None));
    assert!(matches!(step.actions[0].deed, crate::Deed::Apply { .. }), "{:?}", step.actions);
    assert_eq!(progress.phase, OperationPhase::Running);
}

/// Waves, phases and conditions mean nothing where nothing is done.
#[test]
fn a_dry_run_asks_about_all_of_it() {
    let hook =
        |name: &str, hook: &str| object("Job", name, json!({"argocd.argoproj.io/hook": hook}));
    let late = object("Job", "late", json!({"argocd.argoproj.io/sync-wave": "7"}));
    let mut world = World {
        resources: vec![wanted(late)],
        hooks: vec![wanted(hook("before", "PreSync")), wanted(hook("tell", "SyncFail"))],
        ..World::default()
    };
    world.options.dry_run = true;
    let begin = || Progress::resume(OperationPhase::Running, String::new(), Vec::new());
    let mut progress = begin();
    let step = progress.advance(&world);
    let asked: Vec<_> = step.actions.iter().map(|action| action.key.name.as_str()).collect();
    assert_eq!(asked, ["before", "late", "tell"]);
    let answer = |done: crate::Done| {
        let outcome = |action: &crate::Action| crate::Outcome {
            task: action.task.clone(),
            done: done.clone(),
        };
        step.actions.iter().map(outcome).collect::<Vec<_>>()
    };
    let mut refused = progress.clone();
    progress.record(&world.options, &answer(crate::Done::Applied("created".into())));
    assert!(progress.advance(&world).actions.is_empty());
    assert_eq!(progress.message, "successfully synced (no more tasks)");
    refused.record(&world.options, &answer(crate::Done::Failed("no".into())));
    assert!(refused.advance(&world).actions.is_empty());
    assert_eq!(refused.phase, OperationPhase::Failed);
    assert_eq!(refused.message, "one or more objects failed to apply (dry run)");
}
