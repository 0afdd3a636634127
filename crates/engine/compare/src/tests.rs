//! What counts as a difference.
//!
//! `tests/data/real` holds objects as a real API server 1.36 gave them after an apply or an
//! edit by hand; the file's name says what is expected of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crd::ResourceIgnoreDifferences;
use manifest::gvk;
use merge::schema::Schema;
use serde_json::{Value, json};

use crate::{
    Cause, CompareError, Comparison, Compiled, Evidence, Finding, IgnoreRules, KnownTypes, Mode,
    Rules, Sampler, Share, check, compare, compare_dry_run, differences, mask_secrets,
    respect_ignored,
};

const MINOR: u32 = 36;

fn schema() -> &'static Schema {
    kubetypes::tables(MINOR).schema()
}

fn known() -> &'static KnownTypes {
    static NONE: std::sync::LazyLock<KnownTypes> = std::sync::LazyLock::new(KnownTypes::default);
    &NONE
}

fn rules<'a>(target: &Value, ignore: &'a IgnoreRules) -> Rules<'a> {
    let type_id = kubetypes::tables(MINOR).type_of(&gvk(target));
    Rules {
        schema: type_id.map(|type_id| (schema(), type_id)),
        minor: MINOR,
        mode: Mode::ServerSide,
        ignore,
        known: known(),
        manager: "argocd-controller",
        previous: &[],
        tracking_label: None,
        include_webhooks: false,
        ignore_status: true,
        ignore_aggregated_roles: false,
    }
}

fn compared(target: &Value, live: &Value) -> Comparison {
    let ignore = IgnoreRules::default();
    compare(target, live, &rules(target, &ignore)).expect("it can be compared")
}

fn ignoring(rule: Value) -> IgnoreRules {
    let rule: ResourceIgnoreDifferences = serde_json::from_value(rule).expect("it is a rule");
    let compiled = IgnoreRules::compile([&rule]);
    assert_eq!((compiled.errors, compiled.warnings), (Vec::new(), Vec::new()));
    compiled.rules
}

/// A ConfigMap as it is after `argocd-controller` applied it.
fn live_config_map(data: &Value) -> Value {
    let fields: serde_json::Map<String, Value> = data
        .as_object()
        .expect("a map")
        .keys()
        .map(|key| (format!("f:{key}"), json!({})))
        .collect();
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "managedFields": [{
                "manager": "argocd-controller", "operation": "Apply", "apiVersion": "v1",
                "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1",
                "fieldsV1": {"f:data": fields}
            }]
        },
        "data": data
    })
}

fn config_map(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web", "namespace": "shop"}, "data": data})
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads its cases")]
fn real_objects_differ_where_a_person_would_say_so() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/real");
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let case: Value =
            serde_json::from_slice(&fs::read(&path).expect("it can be read")).expect("it is JSON");
        let (target, live) = (&case["target"], &case["live"]);
        let answer = compared(target, live);
        count += 1;
        if answer.modified() != (case["modified"] == true) {
            let ignore = IgnoreRules::default();
            let evidence = Evidence { target, live, applied: None };
            let rules = rules(target, &ignore);
            let fields = answer.difference.map(|sides| differences(&sides, evidence, &rules));
            failed.push(format!("{}: {fields:#?}", path.display()));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(count > 20, "only {count} objects");
}

#[test]
fn only_the_server_knows_of_a_difference_in_a_custom_resource() {
    let target = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "x"}, "spec": {"a": [1]}});
    let mut live = target.clone();
    live["spec"]["defaulted"] = json!(true);
    let same = compared(&target, &live);
    assert!(!same.modified() && same.certain);
    live["spec"]["a"] = json!([2]);
    let other = compared(&target, &live);
    assert!(other.modified() && !other.certain);
}

#[test]
fn what_this_application_applied_before_goes_whoever_owns_it_now() {
    let before = config_map(&json!({"a": "1", "b": "2"}));
    let mut live = live_config_map(&json!({"a": "1", "b": "3"}));
    live["metadata"]["managedFields"][0]["fieldsV1"] = json!({"f:data": {"f:a": {}}});
    let target = config_map(&json!({"a": "1"}));
    assert!(!compared(&target, &live).modified());
    let ignore = IgnoreRules::default();
    let previous = [Arc::new(before)];
    let rules = Rules { previous: &previous, ..rules(&target, &ignore) };
    let answer = compare(&target, &live, &rules).expect("it can be compared");
    let sides = answer.difference.expect("it differs");
    assert_eq!(sides.predicted["data"], json!({"a": "1"}));
}

#[test]
fn what_was_applied_client_side_and_git_has_no_more_goes() {
    let mut live = config_map(&json!({"a": "1", "b": "2", "c": "3"}));
    live["metadata"]["annotations"] = json!({
        "kubectl.kubernetes.io/last-applied-configuration":
            config_map(&json!({"a": "1", "b": "2"})).to_string()
    });
    let target = config_map(&json!({"a": "1"}));
    for mode in [Mode::ServerSide, Mode::ClientSide] {
        let ignore = IgnoreRules::default();
        let rules = Rules { mode, ..rules(&target, &ignore) };
        let sides = compare(&target, &live, &rules).expect("it can be compared").difference;
        assert_eq!(sides.expect("it differs").predicted["data"], json!({"a": "1", "c": "3"}));
    }
    let target = config_map(&json!({"a": "1", "b": "2"}));
    for mode in [Mode::ServerSide, Mode::ClientSide] {
        let ignore = IgnoreRules::default();
        let rules = Rules { mode, ..rules(&target, &ignore) };
        assert!(!compare(&target, &live, &rules).expect("it can be compared").modified());
    }
}

#[test]
fn what_the_server_sets_never_goes_however_it_came_into_an_annotation() {
    let mut applied = config_map(&json!({"a": "1"}));
    applied["metadata"]["creationTimestamp"] = Value::Null;
    applied["metadata"]["uid"] = "u".into();
    applied["status"] = json!({});
    let mut live = live_config_map(&json!({"a": "1"}));
    live["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": applied.to_string()});
    assert!(!compared(&config_map(&json!({"a": "1"})), &live).modified());
}

#[test]
fn client_side_merges_lists_by_key_and_defaults() {
    let target = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"ports": [{"port": 80}], "selector": {"app": "web"}}
    });
    let live = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
        "spec": {
            "clusterIP": "10.0.0.1", "clusterIPs": ["10.0.0.1"], "type": "ClusterIP",
            "sessionAffinity": "None", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster", "selector": {"app": "web"},
            "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}]
        },
        "status": {"loadBalancer": {}}
    });
    let ignore = IgnoreRules::default();
    let rules = Rules { mode: Mode::ClientSide, ..rules(&target, &ignore) };
    assert!(!compare(&target, &live, &rules).expect("it can be compared").modified());
}

#[test]
fn pointers_and_managers_are_ignored_on_both_sides() {
    let target = config_map(&json!({"a": "1", "b/c": "2"}));
    let live = live_config_map(&json!({"a": "9", "b/c": "8"}));
    let check = |rule: Value| {
        let ignore = ignoring(rule);
        compare(&target, &live, &rules(&target, &ignore)).expect("it can be compared").modified()
    };
    assert!(check(json!({"kind": "ConfigMap", "jsonPointers": ["/data/a"]})));
    assert!(!check(json!({"kind": "Config*", "jsonPointers": ["/data/a", "/data/b~1c"]})));
    assert!(!check(
        json!({"kind": "ConfigMap", "name": "web", "namespace": "shop", "jsonPointers": ["/data"]})
    ));
    assert!(check(json!({"kind": "ConfigMap", "name": "other", "jsonPointers": ["/data"]})));
    assert!(check(json!({"group": "apps", "kind": "ConfigMap", "jsonPointers": ["/data"]})));
    assert!(!check(json!({"kind": "ConfigMap", "managedFieldsManagers": ["argocd-controller"]})));
    assert!(check(json!({"kind": "ConfigMap", "managedFieldsManagers": ["other"]})));
}

#[test]
fn what_cannot_be_ignored_is_said() {
    let rule = json!({"kind": "X", "jqPathExpressions": [".a["], "jsonPointers": ["a"]});
    let rule: ResourceIgnoreDifferences = serde_json::from_value(rule).expect("it is a rule");
    let Compiled { errors, warnings, .. } = IgnoreRules::compile([&rule]);
    assert_eq!((errors.len(), warnings.len()), (1, 1), "{errors:?} {warnings:?}");
}

#[test]
fn the_same_rules_have_the_same_hash() {
    let rule = || ignoring(json!({"kind": "ConfigMap", "jsonPointers": ["/data/a"]}));
    assert_eq!(rule().hash(), rule().hash());
    assert_ne!(rule().hash(), ignoring(json!({"kind": "ConfigMap"})).hash());
}

#[test]
fn ignored_fields_are_applied_as_they_are() {
    let target = config_map(&json!({"a": "1", "b": "2", "gone": "x"}));
    let live = live_config_map(&json!({"a": "9", "b": "8"}));
    let ignore = ignoring(json!({"kind": "ConfigMap", "jsonPointers": ["/data/a", "/data/gone"]}));
    let applied = respect_ignored(&target, &live, &rules(&target, &ignore));
    assert_eq!(applied["data"], json!({"a": "9", "b": "2"}));
    let ignore =
        ignoring(json!({"kind": "ConfigMap", "managedFieldsManagers": ["argocd-controller"]}));
    let applied = respect_ignored(&target, &live, &rules(&target, &ignore));
    assert_eq!(applied["data"], json!({"a": "9", "b": "8", "gone": "x"}));
}

#[test]
fn an_ignored_status_is_never_applied() {
    let mut target = config_map(&json!({"a": "1"}));
    target["status"] = json!({"phase": "Old", "note": "git"});
    let mut live = live_config_map(&json!({"a": "1"}));
    live["status"] = json!({"phase": "Running"});
    let ignore = ignoring(json!({"kind": "ConfigMap", "jsonPointers": ["/status/phase"]}));
    let applied = respect_ignored(&target, &live, &rules(&target, &ignore));
    assert_eq!(applied["status"], json!({"note": "git"}));
}

#[test]
fn a_negative_place_counts_from_the_end_of_a_list() {
    let mut object = json!({"kind": "X", "spec": {"list": ["a", "b", "c"]}});
    ignoring(json!({"kind": "X", "jsonPointers": ["/spec/list/-1", "/spec/list/-9"]}))
        .strip(&mut object);
    assert_eq!(object["spec"]["list"], json!(["a", "b"]));
}

#[test]
fn tracking_that_moves_from_label_to_annotation_is_no_difference() {
    let key = "app.kubernetes.io/instance";
    let mut target = config_map(&json!({"a": "1"}));
    manifest::set_annotation(
        &mut target,
        "argocd.argoproj.io/tracking-id",
        "web:/ConfigMap:shop/web",
    );
    let mut live = live_config_map(&json!({"a": "1"}));
    manifest::set_label(&mut live, key, "web");
    assert!(compared(&target, &live).modified());
    let ignore = IgnoreRules::default();
    let rules = Rules { tracking_label: Some(key), ..rules(&target, &ignore) };
    assert!(!compare(&target, &live, &rules).expect("it can be compared").modified());
    manifest::set_annotation(
        &mut live,
        "argocd.argoproj.io/tracking-id",
        "other:/ConfigMap:shop/web",
    );
    assert!(compare(&target, &live, &rules).expect("it can be compared").modified());
}

#[test]
fn aggregated_rules_count_only_where_asked() {
    let target = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "x"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}, "rules": [{"verbs": ["get"]}]});
    let mut live = target.clone();
    live["rules"] = json!([{"verbs": ["list"]}]);
    let ignore = IgnoreRules::default();
    let mut rules = rules(&target, &ignore);
    assert!(compare(&target, &live, &rules).expect("it can be compared").modified());
    rules.ignore_aggregated_roles = true;
    assert!(!compare(&target, &live, &rules).expect("it can be compared").modified());
}

#[test]
fn what_the_server_would_refuse_is_an_error() {
    let target = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
        "spec": {"containers": [{"name": "a", "env": [{"name": "E"}, {"name": "E"}]}]}});
    let ignore = IgnoreRules::default();
    let error = compare(&target, &target, &rules(&target, &ignore)).expect_err("a name is twice");
    assert!(
        matches!(&error, CompareError::Refused(reason)
        if reason.contains(".spec.containers[name=\"a\"].env: duplicate entries for key [name=\"E\"]")),
        "{error}"
    );
}

#[test]
fn a_dry_run_is_compared_without_what_a_write_bumps() {
    let live = live_config_map(&json!({"a": "1"}));
    let mut answer = live.clone();
    answer["metadata"]["resourceVersion"] = "8".into();
    let ignore = IgnoreRules::default();
    let check = |answer: &Value| {
        compare_dry_run(answer, &live, &rules(&live, &ignore)).expect("it can be compared")
    };
    assert!(!check(&answer).modified());
    answer["data"]["a"] = "2".into();
    let other = check(&answer);
    assert!(other.modified() && other.certain);
}

#[test]
fn differences_name_the_field_and_its_owner() {
    let target = config_map(&json!({"a": "1", "new": "n"}));
    let mut live = live_config_map(&json!({"a": "2"}));
    live["metadata"]["managedFields"][0]["manager"] = "kubectl-edit".into();
    live["metadata"]["managedFields"][0]["operation"] = "Update".into();
    let ignore = IgnoreRules::default();
    let rules = rules(&target, &ignore);
    let answer = compare(&target, &live, &rules).expect("it can be compared");
    let evidence = Evidence { target: &target, live: &live, applied: None };
    let found = differences(&answer.difference.expect("it differs"), evidence, &rules);
    let found: Vec<_> = found
        .iter()
        .map(|field| {
            let owners: Vec<&str> = field.owners.iter().map(|one| one.manager.as_str()).collect();
            (field.path.as_str(), field.desired.clone(), field.live.clone(), owners.join(","))
        })
        .collect();
    assert_eq!(
        found,
        [
            (".data.a", Some(json!("1")), Some(json!("2")), "kubectl-edit".to_owned()),
            (".data.new", Some(json!("n")), None, String::new()),
        ]
    );
}

#[test]
fn masks_show_which_values_are_the_same_and_no_more() {
    let secret = |a: &str, b: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "annotations": {"token": a, "plain": "p"}}, "data": {"a": a, "b": b}});
    let target = secret("MQ==", "Mg==");
    let mut live = secret("MQ==", "OQ==");
    live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        secret("Nw==", "Mg==").to_string().into();
    let masked = mask_secrets(Some(&target), Some(&live), &BTreeSet::from(["token".to_owned()]));
    let (target, live) = (masked.target.expect("there"), masked.live.expect("there"));
    assert_eq!(target["data"], json!({"a": "++++++++", "b": "++++++++"}));
    assert_eq!(live["data"], json!({"a": "++++++++", "b": "++++++++++++"}));
    assert_eq!(live["metadata"]["annotations"]["token"], "++++++++");
    assert_eq!(live["metadata"]["annotations"]["plain"], "p");
    let last = live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
        .as_str()
        .expect("a text");
    let last: Value = serde_json::from_str(last).expect("it is JSON");
    assert_eq!(last["data"], json!({"a": "++++++++++++", "b": "++++++++"}));
}

#[test]
fn no_odd_secret_shows_a_value() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{\"data\": hidden"}},
        "stringData": {"s": "hidden", "n": 5, "z": null}, "data": "hidden"});
    let masked = mask_secrets(None, Some(&secret), &BTreeSet::new()).live.expect("there");
    let text = masked.to_string();
    assert!(!text.contains("hidden") && !text.contains("aGlkZGVu"), "{text}");
}

/// What jq 1.7 (and gojq 0.12) leave of an object after `del(EXPRESSION)`.
#[test]
fn jq_expressions_name_what_is_ignored() {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {
        "replicas": 3,
        "list": [1, 2, 3, 4],
        "template": {"spec": {"containers": [
            {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"name": "istio-proxy", "image": "proxy:1"},
        ]}},
    }, "data": {"tls.crt": "x", "other": "y"}, "nothing": null});
    let left = |expression: &str| {
        let mut left = object.clone();
        crate::jq::Jq::compile(expression).expect(expression).remove_from(&mut left);
        left
    };
    let without = |pointers: &[&str]| {
        let mut out = object.clone();
        for pointer in pointers {
            let (before, last) = pointer.rsplit_once('/').expect("a pointer");
            match out.pointer_mut(before).expect("a place") {
                Value::Object(map) => drop(map.remove(&last.replace("~1", "/"))),
                Value::Array(items) => drop(items.remove(last.parse().expect("a number"))),
                _ => panic!("no place"),
            }
        }
        out
    };
    assert_eq!(left(".spec.replicas"), without(&["/spec/replicas"]));
    assert_eq!(left(".spec.replicas, .nothing"), without(&["/spec/replicas", "/nothing"]));
    assert_eq!(left(".nope.deep.er"), object);
    assert_eq!(left(".nothing.x"), object);
    assert_eq!(
        left(".spec.template.spec.containers[] | select(.name == \"istio-proxy\")"),
        without(&["/spec/template/spec/containers/1"])
    );
    assert_eq!(
        left(".spec.template.spec.containers[].env[]? | select(.name == \"B\").value"),
        without(&["/spec/template/spec/containers/0/env/1/value"])
    );
    assert_eq!(
        left(".spec.template.spec.containers[] | select(.image | test(\"^PROXY:\"; \"i\"))"),
        without(&["/spec/template/spec/containers/1"])
    );
    assert_eq!(left(".spec.list[1:3]"), without(&["/spec/list/2", "/spec/list/1"]));
    assert_eq!(left(".spec.list[-1]"), without(&["/spec/list/3"]));
    assert_eq!(left(".spec.list[0, 2]"), without(&["/spec/list/2", "/spec/list/0"]));
    assert_eq!(left(".data[\"tls.crt\"]"), without(&["/data/tls.crt"]));
    assert_eq!(left(".. | select(. == 3)?"), without(&["/spec/list/2", "/spec/replicas"]));
    assert_eq!(
        left(".data | to_entries[] | .key"),
        object,
        "no path: it fails, and ignores nothing"
    );
    assert_eq!(left(".spec.replicas # all of them"), without(&["/spec/replicas"]));
    assert_eq!(left("first(.spec.list[])"), without(&["/spec/list/0"]));
    assert_eq!(
        left("if .spec.replicas > 2 then .spec.replicas else .data end"),
        without(&["/spec/replicas"])
    );
    assert_eq!(left("getpath([\"data\", \"other\"])"), without(&["/data/other"]));
    assert_eq!(
        left("paths(type == \"number\") as $p | getpath($p) | select(. > 3)"),
        without(&["/spec/list/3"])
    );
    assert_eq!(left("def of(f): .spec | f; of(.replicas)"), without(&["/spec/replicas"]));
    let image = without(&["/spec/template/spec/containers/0/image"]);
    for chosen in [
        "select(.name | IN(\"web\", \"other\"))",
        "select(IN(.env[]?.name; \"B\"))",
        "select((.image | sub(\":.*\"; \"\")) == \"web\")",
        "select((.image | gsub(\"(?<l>[be])\"; \"<\\(.l)>\")) == \"w<e><b>:1\")",
    ] {
        assert_eq!(left(&format!(".spec.template.spec.containers[] | {chosen} | .image")), image);
    }
    assert_eq!(left("limit(2; .spec.list[])"), without(&["/spec/list/1", "/spec/list/0"]));
}

#[test]
fn a_jq_expression_that_may_never_end_is_refused() {
    for expression in [
        "repeat(.)",
        "until(false; .)",
        "def f: f; f",
        "def f(x): x | f(x); f(.a)",
        "range(1e12)",
        ".a | while(true; .)",
        "[recurse(.a)]",
        "\"x\" * 1000000000",
        ".a = 1",
        "input",
        "env",
        "now",
        ".a |",
        "nosuch(.a)",
        "if repeat(.) then . else . end",
        "{a: repeat(.)}",
        "\"\\(repeat(.))\"",
        ".a[repeat(.)]",
        "reduce repeat(.) as $x (.; .)",
        ". as [repeat(.)] | .",
    ] {
        assert!(crate::jq::Jq::compile(expression).is_err(), "{expression}");
    }
}

/// The shape of the custom kind of the cases, as its definition has it.
fn widget() -> (Schema, merge::schema::TypeId) {
    let text = |kind: &str| json!({"type": kind});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com", "names": {"plural": "widgets", "kind": "Widget"}, "scope": "Namespaced",
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object",
                "properties": {"spec": {"type": "object", "properties": {
                    "replicas": text("integer"), "size": {"type": "string", "default": "small"},
                    "tags": {"type": "array", "items": text("string")},
                    "parts": {"type": "array", "x-kubernetes-list-type": "map",
                        "x-kubernetes-list-map-keys": ["name"],
                        "items": {"type": "object", "required": ["name"],
                            "properties": {"name": text("string"), "color": text("string")}}},
                }}},
            }}}],
        },
    });
    let parsed = structural::parse(&definition);
    let mut schema = Schema::default();
    let type_id = parsed.versions[0].schema.to_merge(&mut schema, None);
    (schema, type_id)
}

/// Each case was made on a real API server 1.36 by the write that its name tells of; what is expected
/// follows from that write. The rule that each difference comes with silences it.
#[test]
#[allow(clippy::disallowed_methods, reason = "a test reads its cases")]
fn differences_are_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/explain");
    let (of_widgets, widget) = widget();
    let mut failed = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let case: Value =
            serde_json::from_slice(&fs::read(&path).expect("it can be read")).expect("it is JSON");
        count += 1;
        let (target, live) = (&case["target"], &case["live"]);
        let applied = Some(&case["applied"]).filter(|applied| !applied.is_null());
        let nothing = IgnoreRules::default();
        let mut rules = rules(target, &nothing);
        if manifest::kind(target) == "Widget" {
            rules.schema = Some((&of_widgets, widget));
        }
        let previous: Vec<Arc<Value>> =
            applied.map(|one| Arc::new(one.clone())).into_iter().collect();
        rules.previous = &previous;
        let compared = compare(target, live, &rules).expect("it can be compared");
        let Some(sides) = compared.difference else {
            failed.push(format!("{name}: no difference"));
            continue;
        };
        let found = differences(&sides, Evidence { target, live, applied }, &rules);
        let told: Vec<(String, String, Option<String>)> = found
            .iter()
            .map(|one| {
                let owner = one.owners.first().map(|owner| owner.manager.clone());
                (one.path.clone(), one.cause.as_str().to_owned(), owner)
            })
            .collect();
        let expected = case["expected"].as_array().expect("a list");
        let fits = expected.len() == told.len()
            && expected.iter().all(|one| {
                told.iter().any(|(path, cause, owner)| {
                    let owner_fits = match &one["owner"] {
                        Value::String(wanted) => wanted == owner.as_deref().unwrap_or(""),
                        _ => true,
                    };
                    one["path"] == path.as_str() && one["cause"] == cause.as_str() && owner_fits
                })
            });
        if !fits {
            failed.push(format!("{name}: {told:?}, not {expected:?}"));
            continue;
        }
        let silencing: Vec<ResourceIgnoreDifferences> =
            found.iter().filter_map(|one| one.silenced_by.clone()).collect();
        let compiled = IgnoreRules::compile(&silencing);
        if !compiled.errors.is_empty() || !compiled.warnings.is_empty() {
            failed.push(format!("{name}: {:?} {:?}", compiled.errors, compiled.warnings));
            continue;
        }
        rules.ignore = &compiled.rules;
        let left = compare(target, live, &rules).expect("it can be compared").difference;
        let left =
            left.map(|sides| differences(&sides, Evidence { target, live, applied }, &rules));
        if left.iter().flatten().any(|one| one.cause != Cause::Git) {
            failed.push(format!("{name}: {silencing:?} leaves {left:?}"));
        }
    }
    assert!(failed.is_empty(), "{} of {count}:\n{}", failed.len(), failed.join("\n"));
    assert!(count >= 60, "only {count} cases");
}

#[test]
fn one_of_so_many_predictions_is_checked_and_no_more_than_so_many_a_minute() {
    let minute = |number: u64| Duration::from_secs(number * 60);
    let share = Share { one_in: 10, per_minute_max: 3 };
    let mut sampler = Sampler::default();
    let mut taken =
        |now| (0..100).filter(|draw| sampler.takes(share, *draw, now)).collect::<Vec<u64>>();
    assert_eq!(taken(minute(0)), [0, 10, 20], "then the minute has had its share");
    assert!(taken(minute(0)).is_empty());
    assert_eq!(taken(minute(1)), [0, 10, 20]);
    let wide = Share { per_minute_max: 1000, ..share };
    assert_eq!((0..100).filter(|draw| sampler.takes(wide, *draw, minute(2))).count(), 10);
    let none = Share { one_in: 0, ..wide };
    assert!(!sampler.takes(none, 0, minute(3)));
}

#[test]
fn a_check_names_the_fields_in_which_the_server_disagrees_and_no_value() {
    let ignore = IgnoreRules::default();
    let target = json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": "x"}, "data": {"password": "c2VjcmV0"}});
    let live = target.clone();
    let mut mutated = target.clone();
    mutated["data"]["password"] = json!("b3RoZXI=");
    mutated["metadata"]["labels"] = json!({"by": "webhook"});
    let rules = Rules { include_webhooks: true, ..rules(&target, &ignore) };
    let of = |target: &Value, answer: &Value| {
        let here = compare(target, &live, &rules).expect("it can be compared");
        let there = compare_dry_run(answer, &live, &rules).expect("it can be compared");
        check(&here, &there, target, &live, &rules)
    };
    assert_eq!(of(&target, &live), (Finding::Agrees, Vec::new()));
    let (finding, fields) = of(&target, &mutated);
    assert_eq!(finding, Finding::Missed);
    assert_eq!(fields, [".data.password", ".metadata.labels.by"]);
    let mut wanted = target.clone();
    wanted["data"]["password"] = json!("bW9yZQ==");
    assert_eq!(of(&wanted, &live), (Finding::Imagined, vec![".data.password".to_owned()]));
    assert_eq!(of(&wanted, &wanted).0, Finding::Agrees);
    let (finding, fields) = of(&wanted, &mutated);
    assert_eq!(finding, Finding::Otherwise);
    assert_eq!(fields, [".data.password", ".metadata.labels.by"]);
}
