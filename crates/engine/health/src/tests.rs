#![expect(clippy::disallowed_methods, reason = "tests read their cases from files")]

use std::path::{Path, PathBuf};

use crd::HealthStatusCode::{self, Degraded, Healthy, Missing, Progressing, Suspended, Unknown};
use serde_json::{Value, json};

use crate::{Health, Rules, assess, is_worse};

fn cases(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of cases");
    serde_json::from_str(&text).expect("a list of cases")
}

#[test]
fn the_built_in_kinds_answer_as_the_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        for case in cases(&path) {
            count += 1;
            let got = assess(&case["object"], &Rules::default());
            let got = got.map_or((Value::Null, Value::Null), |health| {
                (health.status.as_str().into(), health.message.into())
            });
            if got != (case["expect"]["status"].clone(), case["expect"]["message"].clone()) {
                wrong.push(format!("{}: {}: {got:?}", path.display(), case["case"]));
            }
        }
    }
    assert!(count > 80, "only {count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the shared corpus lies; `None` where it is absent.
fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("TIPHYS_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpus"),
    };
    Some(folder.join("health-cases.json")).filter(|path| path.is_file())
}

/// A message that a script did not set is null there, and empty here.
#[test]
fn the_corpus_is_answered_as_the_real_program_answers() {
    let Some(path) = corpus() else {
        eprintln!("skipped: no corpus");
        return;
    };
    let mut wrong = Vec::new();
    let all = cases(&path);
    for case in &all {
        let got = assess(&case["object"], &Rules::default());
        let got = got.map_or((String::new(), String::new()), |health| {
            (health.status.as_str().to_owned(), health.message)
        });
        let text = |of: &str| case["expect"][of].as_str().unwrap_or("").to_owned();
        if got != (text("status"), text("message")) {
            let wanted = &case["expect"];
            wrong.push(format!("{} {}: {got:?}, not {wanted}", case["rule"], case["case"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn a_users_rule_comes_before_the_built_in_one_and_after_deletion() {
    let rule = |object: &Value| match manifest::name(object) {
        "silent" => None,
        "broken" => Some(Err("attempt to index nil".to_owned())),
        "odd" => Some(Ok(Health::new(HealthStatusCode::Other("Fine".into()), "x"))),
        _ => Some(Ok(Health::new(Suspended, "by rule"))),
    };
    let rules = Rules { user: Some(&rule) };
    let service =
        |name: &str| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}});
    let of = |object: &Value| {
        let health = assess(object, &rules).expect("an answer");
        (health.status, health.message, health.rule_failed)
    };
    assert_eq!(of(&service("web")), (Suspended, "by rule".into(), false));
    assert_eq!(of(&service("silent")), (Healthy, "".into(), false));
    assert_eq!(of(&service("broken")), (Unknown, "attempt to index nil".into(), true));
    let odd = "Lua returned an invalid health status".to_owned();
    assert_eq!(of(&service("odd")), (Unknown, odd, false));
    let mut deleted = service("web");
    deleted["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(of(&deleted), (Progressing, "Pending deletion".into(), false));
}

#[test]
fn statuses_are_ordered_from_best_to_worst() {
    let order = [Healthy, Suspended, Progressing, Missing, Degraded, Unknown];
    for pair in order.windows(2) {
        assert!(is_worse(&pair[1], &pair[0]) && !is_worse(&pair[0], &pair[1]));
    }
    assert!(!is_worse(&Healthy, &HealthStatusCode::Unset));
}
