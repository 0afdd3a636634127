#![expect(clippy::disallowed_methods, reason = "tests read their cases from files")]

use std::path::{Path, PathBuf};

use crd::HealthStatusCode::{self, Degraded, Healthy, Missing, Progressing, Suspended, Unknown};
use serde_json::{Value, json};

use crate::{Health, Rules, assess, is_worse};

fn cases(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("a file of cases");
    serde_json::from_str(&text).expect("a list of cases")
}

/// What a file's cases say that is not so.
fn wrong(path: &Path) -> Vec<String> {
    let differs = |case: &Value| {
        let got = assess(&case["object"], &Rules::default());
        let got = got.map_or((Value::Null, Value::Null), |health| {
            (health.status.as_str().into(), health.message.into())
        });
        let wanted = (case["expect"]["status"].clone(), case["expect"]["message"].clone());
        (got != wanted)
            .then(|| format!("{}: {}: {got:?}, not {wanted:?}", path.display(), case["case"]))
    };
    cases(path).iter().filter_map(differs).collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = std::fs::read_dir(folder).expect("the folder of cases");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.is_file()).collect()
}

#[test]
fn kubernetes_own_kinds_answer_as_the_cases_say() {
    let wrong: Vec<String> = files("tests/data").iter().flat_map(|path| wrong(path)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn kinds_of_others_answer_as_the_cases_say() {
    let files = files("tests/data/rules");
    let wrong: Vec<String> = files.iter().flat_map(|path| wrong(path)).collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_cases_of_its_own() {
    let files = files("tests/data/rules");
    let all: Vec<Value> = files.iter().flat_map(|path| cases(path)).collect();
    let fits = |pattern: &str, name: &str| match pattern.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => pattern == name,
    };
    for (group, kind) in crate::rules::known() {
        let own = all.iter().filter(|case| {
            let gvk = manifest::gvk(&case["object"]);
            fits(group, &gvk.group) && fits(kind, &gvk.kind)
        });
        assert!(own.count() >= 3, "{group}/{kind} has too few cases");
    }
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

mod scripts {
    use jiff::Timestamp;

    use super::*;
    use crate::UserScripts;

    fn judged(scripts: &UserScripts, object: &Value) -> Option<(String, String, bool)> {
        let now = Timestamp::UNIX_EPOCH;
        let user = |object: &Value| scripts.judge(object, now, None);
        let health = assess(object, &Rules { user: Some(&user) })?;
        Some((health.status.as_str().to_owned(), health.message, health.rule_failed))
    }

    fn of(kind: &str, source: &str, open: bool) -> Option<(String, String, bool)> {
        let object = json!({"apiVersion": "example.org/v1", "kind": "Widget",
            "metadata": {"name": "w"}, "status": {"ready": true, "text": "a-b"}});
        judged(&UserScripts::compile([(kind, source, open)]), &object)
    }

    fn said(status: &str, message: &str) -> Option<(String, String, bool)> {
        Some((status.to_owned(), message.to_owned(), false))
    }

    #[test]
    fn a_script_judges_its_kind() {
        let source = "hs = {} if obj.status.ready then hs.status = 'Healthy' end
            hs.message = obj.metadata.name return hs";
        assert_eq!(of("example.org/Widget", source, false), said("Healthy", "w"));
        assert_eq!(of("*.org/*", source, false), said("Healthy", "w"));
        assert_eq!(of("*/*", source, false), said("Healthy", "w"));
        assert_eq!(of("example.org/Gadget", source, false), None);
        assert_eq!(of("example.org/Widget", "  ", false), None);
    }

    #[test]
    fn the_rule_for_just_this_kind_comes_first_and_then_the_longest_pattern() {
        let rule =
            |message: &str| format!("return {{status = 'Suspended', message = '{message}'}}");
        let (all, some, one) = (rule("all"), rule("some"), rule("one"));
        let object =
            |group: &str, kind: &str| json!({"apiVersion": format!("{group}/v1"), "kind": kind});
        let scripts = UserScripts::compile([
            ("*/*", all.as_str(), false),
            ("*.org/*", some.as_str(), false),
            ("example.org/Widget", one.as_str(), false),
            ("Pod", one.as_str(), false),
        ]);
        assert_eq!(judged(&scripts, &object("example.org", "Widget")), said("Suspended", "one"));
        assert_eq!(judged(&scripts, &object("example.org", "Gadget")), said("Suspended", "some"));
        assert_eq!(judged(&scripts, &object("example.com", "Gadget")), said("Suspended", "all"));
        let pod = json!({"apiVersion": "v1", "kind": "Pod"});
        assert_eq!(judged(&scripts, &pod), said("Suspended", "one"));
    }

    #[test]
    fn libraries_are_there_where_they_are_asked_for() {
        let source = "return {status = 'Healthy', message = string.match(obj.status.text, '%a$')}";
        assert_eq!(of("*/*", source, true), said("Healthy", "b"));
        let (status, _, failed) = of("*/*", source, false).expect("an answer");
        assert_eq!((status.as_str(), failed), ("Unknown", true));
    }

    #[test]
    fn a_script_that_answers_oddly_leaves_the_object_unknown() {
        let invalid = said("Unknown", "Lua returned an invalid health status");
        assert_eq!(of("*/*", "return {status = 'Fine'}", false), invalid);
        assert_eq!(of("*/*", "return {message = 'x'}", false), invalid);
        assert_eq!(of("*/*", "return nil", false), said("", ""));
        for (source, words) in [
            ("return 'Healthy'", "expect table output from Lua script, not string"),
            ("return {}", "the health is a list, not a status and a message"),
            ("return {status = {}}", "the health's status is no text: "),
            ("error('no', 0)", "no"),
            ("while true do end", "<string>: context deadline exceeded"),
        ] {
            let wanted = Some(("Unknown".to_owned(), words.to_owned(), true));
            assert_eq!(of("*/*", source, false), wanted, "{source}");
        }
        let (_, words, failed) = of("*/*", "return {", false).expect("an answer");
        assert!(failed && words.starts_with("<string>:1: "), "{words}");
    }

    #[test]
    fn deletion_comes_before_a_script() {
        let scripts = UserScripts::compile([("*/*", "return {status = 'Healthy'}", false)]);
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(judged(&scripts, &object), said("Progressing", "Pending deletion"));
    }
}
