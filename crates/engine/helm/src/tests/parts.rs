//! Ignored files, cutting, heads, the order of kinds.

use serde_json::json;

use crate::capabilities::KubeVersion;
use crate::head::{self, Role};
use crate::ignore::Rules;
use crate::order::sort_by_kind;
use crate::profile::Profile;
use crate::split::split;

#[test]
fn ignore_rules_decide_in_their_order() {
    let ignores = |rules: &str, path: &str, is_directory: bool| {
        Rules::parse(rules.as_bytes()).unwrap().ignores(path, is_directory)
    };
    for (rules, path, is_directory, expected) in [
        ("*.txt", "a/b.txt", false, true),
        ("*.txt", "a/b.yaml", false, false),
        ("/a.txt", "b/a.txt", false, false),
        ("/a.txt", "a.txt", false, true),
        ("a/*.txt", "a/b.txt", false, true),
        ("a/*.txt", "a/c/b.txt", false, false),
        ("docs/", "docs", true, true),
        ("docs/", "docs", false, false),
        ("# *.txt", "a.txt", false, false),
        ("!*.yaml", "a.txt", false, true),
        ("!*.yaml", "a.yaml", false, false),
        ("", "templates/.hidden.yaml", false, true),
        ("", "templates/x.yaml", false, false),
        ("  *.md  ", "README.md", false, true),
    ] {
        assert_eq!(ignores(rules, path, is_directory), expected, "{rules} {path}");
    }
    assert_eq!(Rules::parse(b"a/**/b").unwrap_err(), "double-star (**) syntax is not supported");
    assert_eq!(Rules::parse(b"[").unwrap_err(), "syntax error in pattern");
}

#[test]
fn a_file_is_cut_at_dashes_as_each_helm_does() {
    let cut = |text: &str, profile| -> Vec<String> {
        let parts = split(text.as_bytes(), profile);
        parts.iter().map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    };
    for (text, in_4, in_3) in [
        ("a: 1\n---\nb: 2\n", vec!["a: 1\n", "b: 2\n"], vec!["a: 1", "b: 2"]),
        ("---apiVersion: v1\n", vec!["apiVersion: v1\n"], vec!["apiVersion: v1"]),
        ("a: |\n  x\n\n---\nb: 1", vec!["a: |\n  x\n\n", "b: 1"], vec!["a: |\n  x", "b: 1"]),
        ("\n\n---\n---\n  \n---   \na: 1", vec!["a: 1"], vec!["---\n  \n---   \na: 1"]),
        ("a: 1\n  ---\nb: 2", vec!["a: 1\n  ---\nb: 2"], vec!["a: 1\n  ---\nb: 2"]),
        ("# only words\n---\n", vec!["# only words\n"], vec!["# only words\n---"]),
        ("a: 1\n---\r\nb: 2\r\n", vec!["a: 1\n", "b: 2\r\n"], vec!["a: 1", "b: 2"]),
        (" \n\t", vec![], vec![]),
    ] {
        assert_eq!(cut(text, Profile::V4), in_4, "{text:?}");
        if !text.contains("words") && !text.starts_with("\n\n") {
            assert_eq!(cut(text, Profile::V3), in_3, "{text:?}");
        }
    }
}

#[test]
fn a_head_says_what_a_document_is_for() {
    let hook = |value: serde_json::Value| {
        let document = json!({"kind": "Job", "metadata": {"annotations": {"helm.sh/hook": value}}});
        head::read(&document, Profile::V4).map(|head| head.role)
    };
    assert_eq!(hook(json!("pre-install, post-upgrade")), Ok(Role::Hook { test: false }));
    assert_eq!(hook(json!("PRE-DELETE")), Ok(Role::Hook { test: false }));
    assert_eq!(hook(json!("pre-install,test-success")), Ok(Role::Hook { test: true }));
    assert_eq!(hook(json!("crd-install")), Ok(Role::Unknown));
    assert_eq!(hook(json!("pre-install,whenever")), Ok(Role::Unknown));
    assert_eq!(hook(json!(true)), Ok(Role::Unknown));
    assert!(hook(json!(["pre-install"])).unwrap_err().ends_with(
        "json: cannot unmarshal array into Go struct field .metadata.annotations of type string"
    ));
    let list = head::read(&json!([1]), Profile::V4);
    assert_eq!(
        list.unwrap_err(),
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type util.SimpleHead"
    );
    let number = head::read(&json!({"Kind": 5, "apiVersion": 1.5}), Profile::V4);
    assert_eq!(number.unwrap().kind, "5");
}

#[test]
fn known_kinds_come_first_and_webhooks_last_since_4() {
    let order = |profile| {
        let mut kinds = vec![
            "ValidatingWebhookConfiguration",
            "Zebra",
            "Service",
            "Ant",
            "Namespace",
            "MutatingWebhookConfiguration",
        ];
        sort_by_kind(&mut kinds, |kind| kind, profile);
        kinds.join(" ")
    };
    assert_eq!(
        order(Profile::V4),
        "Namespace Service MutatingWebhookConfiguration ValidatingWebhookConfiguration Ant Zebra"
    );
    assert_eq!(
        order(Profile::V3),
        "Namespace Service Ant MutatingWebhookConfiguration ValidatingWebhookConfiguration Zebra"
    );
}

#[test]
fn a_kubernetes_version_is_its_numbers() {
    let parse = |text, profile| {
        KubeVersion::parse(text, profile)
            .map(|version| format!("{} {}", version.given(), version.normal()))
    };
    assert_eq!(parse("1.33.4-gke.5", Profile::V4), Ok("v1.33.4-gke.5 v1.33.4".to_owned()));
    assert_eq!(parse("v1.33", Profile::V4), Ok("v1.33 v1.33".to_owned()));
    assert_eq!(parse("v1.33+", Profile::V3), Ok("v1.33.0 v1.33.0".to_owned()));
    assert_eq!(parse("1.02.", Profile::V4).map(|_| ()), Ok(()));
    for (text, problem) in [
        ("1", "illegal version string \"1\""),
        ("1.x", "illegal version string \"1.x\""),
        ("1..2", "illegal version string \"1..2\""),
        ("one.two", "could not parse \"one.two\" as version"),
        (".1", "could not parse \".1\" as version"),
        ("01.2", "illegal zero-prefixed version component \"01\" in \"01.2\""),
    ] {
        assert_eq!(parse(text, Profile::V4), Err(problem.to_owned()));
    }
}
