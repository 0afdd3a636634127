#![expect(clippy::disallowed_methods, reason = "tests read their cases from files")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{Action, ActionError, Call, Custom, Operation, list, run};

const NOW: &str = "2026-11-21T19:00:05Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

fn told(case: &Value) -> BTreeMap<String, String> {
    let given = case["parameters"].as_object().into_iter().flatten();
    given.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned())).collect()
}

/// Where the shared corpus lies; `None` where it is absent.
fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("TIPHYS_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpus"),
    };
    Some(folder.join("action-cases.json")).filter(|path| path.is_file())
}

fn cases(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of cases");
    serde_json::from_str(&text).expect("a list of cases")
}

/// Where something that is wanted is not there. Null is absent, times are alike, and what the
/// API server or a controller writes is not looked at: the corpus holds objects as they were
/// read back later.
fn missing(wanted: &Value, got: &Value, place: &str) -> Option<String> {
    const LATER: [&str; 6] =
        ["creationTimestamp", "generation", "resourceVersion", "selfLink", "uid", "managedFields"];
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => wanted.iter().find_map(|(key, wanted)| {
            let none = Value::Null;
            if LATER.contains(&key.as_str()) && place.ends_with("metadata") {
                return None;
            }
            missing(wanted, got.get(key).unwrap_or(&none), &format!("{place}/{key}"))
        }),
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => wanted
            .iter()
            .zip(got)
            .enumerate()
            .find_map(|(at, (wanted, got))| missing(wanted, got, &format!("{place}/{at}"))),
        (Value::String(wanted), Value::String(got)) if same_but_for_time(wanted, got) => None,
        (wanted, got) if wanted == got => None,
        _ => Some(format!("{place}: {got}, not {wanted}")),
    }
}

fn same_but_for_time(wanted: &str, got: &str) -> bool {
    let without_digits = |text: &str| text.replace(|letter: char| letter.is_ascii_digit(), "");
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    wanted == got || (digits(got) >= 10 && without_digits(wanted) == without_digits(got))
}

fn list_differs(case: &Value) -> Option<String> {
    let got: BTreeMap<String, Action> =
        list(&case["object"]).into_iter().map(|action| (action.name.clone(), action)).collect();
    let wanted: Vec<Action> = serde_json::from_value(case["expect"].clone()).expect("actions");
    let wanted: BTreeMap<String, Action> =
        wanted.into_iter().map(|action| (action.name.clone(), action)).collect();
    (got != wanted).then(|| format!("{got:?}, not {wanted:?}"))
}

fn run_differs(case: &Value) -> Option<String> {
    let parameters = told(case);
    let action = case["action"].as_str().expect("an action");
    let got = run(&case["object"], &Call { action, parameters: &parameters, now: now() });
    let outcomes = match (got, case["expectError"].as_str()) {
        (Err(error), Some(wanted)) if error.to_string().contains(wanted) => return None,
        (Ok(outcomes), None) => outcomes,
        (got, wanted) => return Some(format!("{got:?}, not {wanted:?}")),
    };
    let wanted: Vec<Value> = match &case["expect"] {
        Value::Array(all) => all.clone(),
        one => vec![json!({"k8sOperation": "patch", "unstructuredObj": one})],
    };
    if outcomes.len() != wanted.len() {
        return Some(format!("{} outcomes, not {}", outcomes.len(), wanted.len()));
    }
    outcomes.iter().zip(&wanted).find_map(|(got, wanted)| {
        let operation = match got.operation {
            Operation::Patch => "patch",
            Operation::Create => "create",
        };
        if operation != wanted["k8sOperation"] {
            return Some(format!("{operation}, not {}", wanted["k8sOperation"]));
        }
        let mut object = wanted["unstructuredObj"].clone();
        // The status of a Deployment is its controller's.
        if object["kind"] == "Deployment" {
            object["status"] = Value::Null;
            object["spec"]["template"]["metadata"]["creationTimestamp"] = Value::Null;
        }
        let mut seen = got.object.clone();
        if seen["kind"] == "Deployment" {
            seen["status"] = Value::Null;
        }
        missing(&object, &seen, "")
    })
}

#[test]
fn the_corpus_is_answered_as_the_real_program_answers() {
    let Some(path) = corpus() else {
        eprintln!("skipped: no corpus");
        return;
    };
    let all = cases(&path);
    let mut wrong = Vec::new();
    for case in &all {
        let differs = match case["type"].as_str() {
            Some("discovery") => list_differs(case),
            _ => run_differs(case),
        };
        if let Some(how) = differs {
            wrong.push(format!("{} {} {}: {how}", case["rule"], case["case"], case["action"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

/// Each case says what changed: pointers to what is new, null to what is gone. Nothing else may.
#[test]
fn each_action_changes_what_its_case_says_and_nothing_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for case in cases(&folder.join("runs.json")) {
        let parameters = told(&case);
        let action = case["action"].as_str().expect("an action");
        let gvk = manifest::gvk(&case["object"]);
        seen.insert((gvk.group, gvk.kind, action.to_owned()));
        let got = run(&case["object"], &Call { action, parameters: &parameters, now: now() });
        let got = got.expect(action).remove(0).object;
        let mut wanted = match case.get("creates") {
            Some(created) => created.clone(),
            None => case["object"].clone(),
        };
        merge(&mut wanted, &case["changes"]);
        if got != wanted {
            wrong.push(format!("{}: {got}, not {wanted}", case["case"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let all: std::collections::BTreeSet<_> = crate::kinds::KINDS
        .iter()
        .copied()
        .flatten()
        .flat_map(|kind| {
            kind.actions.iter().map(|(action, _)| {
                (kind.group.to_owned(), kind.kind.to_owned(), (*action).to_owned())
            })
        })
        .collect();
    let untold: Vec<_> = all.difference(&seen).collect();
    assert!(untold.is_empty(), "no case for {untold:?}");
}

/// Each case names all actions that its object offers, and whether they make sense.
#[test]
fn each_object_offers_what_its_case_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut wrong = Vec::new();
    for case in cases(&folder.join("lists.json")) {
        let offered = list(&case["object"]);
        let got: BTreeMap<&str, bool> =
            offered.iter().map(|action| (action.name.as_str(), !action.disabled)).collect();
        if json!(got) != case["offers"] {
            wrong.push(format!("{}: {got:?}, not {}", case["case"], case["offers"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A JSON merge patch.
fn merge(object: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else { return };
    for (key, value) in patch {
        match value {
            Value::Null => {
                object.as_object_mut().expect("a map").remove(key);
            }
            Value::Object(_) if object.get(key).is_some_and(Value::is_object) => {
                merge(&mut object[key.as_str()], value);
            }
            value => object[key.as_str()] = value.clone(),
        }
    }
}

#[test]
fn every_action_is_offered_by_some_object_and_can_be_run() {
    for kind in crate::kinds::KINDS.iter().copied().flatten() {
        let object = json!({
            "apiVersion": format!("{}/v1", kind.group), "kind": kind.kind,
            "metadata": {"name": "x", "namespace": "n"}, "spec": {}, "status": {},
        });
        let offered: Vec<String> = list(&object).into_iter().map(|action| action.name).collect();
        for name in &offered {
            assert!(kind.actions.iter().any(|(known, _)| known == name), "{}/{name}", kind.kind);
        }
        for (name, _) in kind.actions {
            let parameters = BTreeMap::from([("replicas".to_owned(), "1".to_owned())]);
            let got = run(&object, &Call { action: name, parameters: &parameters, now: now() });
            assert!(
                matches!(got, Ok(_) | Err(ActionError::Refused(_))),
                "{}/{name}: {got:?}",
                kind.kind
            );
        }
    }
}

fn web() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {}},
        "spec": {"replicas": 2, "template": {"spec": {"containers": [], "nodeSelector": {}}}, "paused": null}})
}

const WRITTEN: &str = r#"
mergeBuiltinActions: true
discovery.lua: |
  actions = {}
  actions["scale-up"] = {["disabled"] = obj.spec.replicas > 5, ["iconClass"] = "fa fa-up",
    ["params"] = {{["name"] = "by", ["default"] = "1"}}}
  actions["plain"] = {}
  actions["restart"] = {["displayName"] = "Mine"}
  return actions
definitions:
- name: scale-up
  action.lua: |
    obj.spec.replicas = obj.spec.replicas + tonumber(actionParams["by"])
    return obj
- name: restart
  action.lua: |
    return {{operation = "patch", resource = obj},
      {operation = "create", resource = {apiVersion = "v1", kind = "ConfigMap", metadata = {name = "made"}}}}
- name: odd
  action.lua: return {{operation = "delete", resource = obj}}
- name: nothing
  action.lua: return {}
- name: text
  action.lua: return "done"
- name: broken
  action.lua: return {
- name: fails
  action.lua: error("no")
"#;

#[test]
fn users_actions_come_first_and_built_in_ones_beside_them() {
    let custom = Custom::read([("apps/Deployment", WRITTEN, false)]);
    let offered = custom.list(&web(), now(), None).expect("actions");
    let names: Vec<&str> = offered.iter().map(|action| action.name.as_str()).collect();
    assert_eq!(names, ["plain", "restart", "scale-up", "pause", "resume", "scale"]);
    assert_eq!(offered[1].display_name, "Mine");
    assert_eq!((offered[2].disabled, offered[2].icon_class.as_str()), (false, "fa fa-up"));
    assert_eq!(offered[2].parameters[0].default, "1");
    let alone = Custom::read([(
        "apps/Deployment",
        WRITTEN
            .split_once('\n')
            .expect("lines")
            .1
            .replace("mergeBuiltinActions: true", "")
            .as_str(),
        false,
    )]);
    assert_eq!(alone.list(&web(), now(), None).expect("actions").len(), 3);
    let other = json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "x"}});
    assert_eq!(custom.list(&other, now(), None).expect("actions").len(), 1);
}

#[test]
fn users_actions_answer_with_an_object_or_with_operations() {
    let custom = Custom::read([("apps/Deployment", WRITTEN, false)]);
    let parameters = BTreeMap::from([("by".to_owned(), "2".to_owned())]);
    let run =
        |action| custom.run(&web(), &Call { action, parameters: &parameters, now: now() }, None);
    let scaled = run("scale-up").expect("an outcome");
    let mut wanted = web();
    wanted["spec"]["replicas"] = json!(4);
    // Empty maps, empty lists and nulls are as they were.
    assert_eq!(scaled[0].object, wanted);
    let two = run("restart").expect("two outcomes");
    assert_eq!((two[0].operation, two[1].operation), (Operation::Patch, Operation::Create));
    assert_eq!(two[0].object, web());
    assert_eq!(two[1].object["metadata"]["name"], "made");
    assert_eq!(run("pause").expect("the built-in one")[0].object["spec"]["paused"], true);
    assert!(run("nothing").expect("it ran").is_empty(), "nothing is to be done");
    let words = |action| run(action).expect_err("an error").to_string();
    assert_eq!(words("odd"), "unsupported operation: delete");
    assert_eq!(words("text"), "expect table output from Lua script, not string");
    assert_eq!(words("fails"), "<string>:1: no");
    assert!(words("broken").starts_with("<string>:1: "), "{}", words("broken"));
    let nothing = "built-in script \"apps/Deployment/actions/fly/action.lua\" does not exist";
    assert_eq!(words("fly"), nothing);
}

#[test]
fn what_a_user_wrote_wrongly_is_named_when_it_is_asked_for() {
    let custom = Custom::read([("apps/Deployment", "definitions: 5", false)]);
    let words = custom.list(&web(), now(), None).expect_err("an error").to_string();
    assert!(words.starts_with("actions of apps/Deployment do not parse: "), "{words}");
}

#[test]
fn what_is_told_wrongly_is_refused() {
    let words = |kind: &str, group: &str, action: &str, name: &str, value: &str| {
        let object =
            json!({"apiVersion": format!("{group}/v1"), "kind": kind, "metadata": {"name": "x"}});
        let parameters = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let got = run(&object, &Call { action, parameters: &parameters, now: now() });
        got.expect_err("a refusal").to_string()
    };
    assert_eq!(words("Deployment", "apps", "scale", "replicas", "x"), "invalid number: x");
    assert_eq!(words("StatefulSet", "apps", "scale", "replicas", ""), "invalid number: ");
    let least = "invalid number: -1 (must be >= 0)";
    assert_eq!(words("ScaledObject", "keda.sh", "paused-replicas", "replicas", "-1"), least);
    let missing = "replicas parameter is required";
    assert_eq!(words("ScaledObject", "keda.sh", "paused-replicas", "other", "1"), missing);
    assert_eq!(words("Deployment", "apps", "scale", "replicas", "1.5"), "invalid number: 1.5");
    let resumed = "a rollout without a canary is promoted by resuming it";
    assert_eq!(words("Rollout", "argoproj.io", "promote-full", "", ""), resumed);
    let none = "Could not find a healthy instance matching the criteria: 2";
    assert_eq!(words("Cluster", "postgresql.cnpg.io", "promote", "instance", "2"), none);
}
