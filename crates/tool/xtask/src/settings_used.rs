//! Every setting that claims an effect has one: it changes [`Settings`], and what it changes
//! there is read by another crate.
//!
//! What is read is found by its name in the sources of the crates that know settings, so a field
//! whose name others bear too may pass unread; a field of a name of its own never does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use settings::{Key, Kind, Place, RawSettings, Settings, State, keys};

use crate::root;

/// Fields that a method answers for: whoever calls it reads them.
const BY_METHOD: [(&str, &str); 3] = [
    ("exclusions", "excludes"),
    ("inclusions", "excludes"),
    ("ignore_differences_on_resource_updates", "ignored_updates"),
];

/// YAML that the setting of a name takes.
const YAML: [(&str, &str); 9] = [
    ("resource.customizations", r#"{"apps/Deployment": {"health.lua": "return {}"}}"#),
    ("resource.customizations.actions.<group_kind>", r#"{"discovery.lua": "return {}"}"#),
    ("resource.customizations.ignoreDifferences.<group_kind>", r#"{"jsonPointers": ["/a"]}"#),
    ("resource.customizations.ignoreResourceUpdates.<group_kind>", r#"{"jsonPointers": ["/a"]}"#),
    (
        "resource.customizations.knownTypeFields.<group_kind>",
        r#"[{"field": "a", "type": "core/Quantity"}]"#,
    ),
    ("resource.exclusions", r#"[{"apiGroups": ["a"], "kinds": ["b"]}]"#),
    ("resource.inclusions", r#"[{"apiGroups": ["a"], "kinds": ["b"]}]"#),
    ("resource.compareoptions", r#"{"ignoreAggregatedRoles": true}"#),
    ("globalProjects", r#"[{"projectName": "a"}]"#),
];

/// A value that is not the default.
fn another(key: &Key) -> String {
    match key.kind {
        Kind::Bool if crd::is_true(key.default) => "false".to_owned(),
        Kind::Bool => "true".to_owned(),
        Kind::Int | Kind::Float => "7".to_owned(),
        Kind::Duration => "7s".to_owned(),
        Kind::Size => "7M".to_owned(),
        Kind::Text | Kind::List => "text".to_owned(),
        Kind::Choice(words) => {
            let other = words.iter().find(|word| !word.is_empty() && **word != key.default);
            (*other.expect("there is a choice")).to_owned()
        }
        Kind::Yaml => {
            let sample = YAML.iter().find(|(name, _)| *name == key.name);
            sample
                .unwrap_or_else(|| panic!("`{}` needs a sample of its YAML", key.name))
                .1
                .to_owned()
        }
    }
}

/// The settings as Rust shows them, one line a value, each with the fields that lead there.
fn lines(raw: &RawSettings) -> BTreeSet<(String, String)> {
    let yaml = |text: &str| goyaml::to_json(text.as_bytes()).map_err(|error| error.to_string());
    let shown = format!("{:#?}", Settings::read(raw, &yaml).0);
    let mut above: Vec<(usize, &str)> = Vec::new();
    let mut all = BTreeSet::new();
    for line in shown.lines() {
        let text = line.trim_start();
        let depth = line.len() - text.len();
        above.retain(|(other, _)| *other < depth);
        if let Some((name, _)) = text.split_once(": ")
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            above.push((depth, name));
        }
        if text.starts_with([')', ']', '}']) {
            continue;
        }
        let path: Vec<&str> = above.iter().map(|(_, name)| *name).collect();
        all.insert((path.join("."), text.to_owned()));
    }
    all
}

/// The fields that a setting changes, each with those that lead there.
fn changed_by(key: &Key) -> BTreeSet<String> {
    let mut raw = RawSettings::default();
    let before = lines(&raw);
    let name = match (key.name.find('<'), key.name.find('>')) {
        (Some(from), Some(to)) => format!("{}a_B{}", &key.name[..from], &key.name[to + 1..]),
        _ => key.name.to_owned(),
    };
    let map = match key.place {
        Place::Main => &mut raw.main,
        Place::Parameters => &mut raw.parameters,
        Place::Rbac => &mut raw.rbac,
        Place::Environment => &mut raw.environment,
        Place::Secret => panic!("`{}` stands in the Secret; let this test know it", key.name),
    };
    map.insert(name, another(key));
    let after = lines(&raw);
    before.symmetric_difference(&after).map(|(path, _)| path.clone()).collect()
}

/// The code of the crates that know settings, without comments, texts and tests.
fn readers() -> String {
    let crates = root().join("crates");
    let mut code = String::new();
    for floor in ["engine", "edge", "service", "app"] {
        for member in entries(&crates.join(floor)) {
            let manifest = fs::read_to_string(member.join("Cargo.toml")).unwrap_or_default();
            if manifest.lines().any(|line| line.starts_with("settings")) {
                gather(&member.join("src"), &mut code);
            }
        }
    }
    code
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn gather(dir: &Path, into: &mut String) {
    for path in entries(dir) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name == "tests" || name == "tests.rs" {
            continue;
        }
        if path.is_dir() {
            gather(&path, into);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).expect("a source is text");
            for line in text.lines() {
                let line = line.split("//").next().unwrap_or_default();
                // Between quotes stands text; every second part is one.
                into.extend(line.split('"').step_by(2));
                into.push('\n');
            }
        }
    }
}

/// Whether `.name` stands in the code: as a field, or with `call` as a method.
fn names(code: &str, name: &str, call: bool) -> bool {
    let dotted = format!(".{name}");
    code.match_indices(&dotted).any(|(at, _)| {
        let next = code[at + dotted.len()..].chars().next().unwrap_or(' ');
        match call {
            true => next == '(',
            false => next != '(' && next != '_' && !next.is_ascii_alphanumeric(),
        }
    })
}

fn is_read(code: &str, path: &str) -> bool {
    let field = path.rsplit('.').next().unwrap_or_default();
    let method = BY_METHOD.iter().find(|(known, _)| *known == field);
    names(code, field, false) || method.is_some_and(|(_, method)| names(code, method, true))
}

#[test]
fn every_setting_that_claims_an_effect_is_read() {
    let code = readers();
    let mut faults = Vec::new();
    let built = keys::all().filter(|key| key.state == State::Built);
    for key in built {
        let changed = changed_by(key);
        if changed.is_empty() {
            faults.push(format!("`{}` changes nothing in Settings", key.name));
        } else if !changed.iter().any(|path| is_read(&code, path)) {
            let fields = changed.into_iter().collect::<Vec<_>>().join(", ");
            faults.push(format!("`{}` changes {fields}, which nobody reads", key.name));
        }
    }
    assert_eq!(faults, Vec::<String>::new(), "give them their effect, or flag their keys");
}

#[test]
fn a_field_that_nobody_reads_is_found() {
    let code = "let a = settings.git.retry_first; b.retry_max_more; c.retry_factor(1)";
    assert!(is_read(code, "git.retry_first"));
    assert!(!is_read(code, "git.retry_max"), "another field's name begins so");
    assert!(!is_read(code, "git.retry_factor"), "a method is no field");
    assert!(is_read("filter.excludes(kind)", "resources.filter.exclusions"));
    let paths = |name: &str| {
        let key = keys::all().find(|key| key.name == name).expect("it is there");
        changed_by(key).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(paths("reposerver.git.request.timeout"), ["git.request_timeout"]);
    assert_eq!(paths("controller.k8s.client.qps"), ["cluster_client.requests_per_s"]);
}
