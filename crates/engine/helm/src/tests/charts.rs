//! Loading, dependencies, coalescing.

use serde_json::json;

use super::support::{json, load, rendered, values};
use crate::chart::{ChartId, Charts};
use crate::coalesce::{Nulls, coalesce};
use crate::dependencies;
use crate::profile::Profile;

const PARENT: &str = "apiVersion: v2\nname: parent\nversion: 1.0.0\n";
const CHILD: &str = "apiVersion: v2\nname: child\nversion: 0.1.0\n";

fn refusal(files: &[(&str, &str)]) -> String {
    match load(files) {
        Ok(_) => "loads".to_owned(),
        Err(failure) => failure.words().to_owned(),
    }
}

#[test]
fn a_chart_says_what_is_wrong_with_it() {
    for (content, words) in [
        ("apiVersion: v2\nversion: 1.0.0\n", "validation: chart.metadata.name is required"),
        (
            "apiVersion: v2\nname: a/b\nversion: 1.0.0\n",
            r#"validation: chart.metadata.name "a/b" is invalid"#,
        ),
        ("apiVersion: v2\nname: x\n", "validation: chart.metadata.version is required"),
        (
            "apiVersion: v2\nname: x\nversion: 1.0.0\ntype: other\n",
            "validation: chart.metadata.type must be application or library",
        ),
        (
            "apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: a, version: 1}, {name: b, version: 1, alias: a}]\n",
            r#"validation: more than one dependency with name or alias "a""#,
        ),
        (
            "apiVersion: v2\nname: x\nversion: 1.0.0\ndependencies: [{name: a, version: 1, alias: 'a b'}]\n",
            r#"validation: dependency "a" has disallowed characters in the alias"#,
        ),
        (
            "apiVersion: v2\nname: x\nversion: 1.0.0\nmaintainers: [null]\n",
            "validation: maintainers must not contain empty or null nodes",
        ),
        (
            "apiVersion: v2\nname: [x]\nversion: 1.0.0\n",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.name of type string",
        ),
        (
            "apiVersion: v2\nname: x\nversion: 1.0.0\nmaintainers: [{name: a, url: []}]\n",
            "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Maintainer.maintainers.url of type string",
        ),
    ] {
        assert_eq!(refusal(&[("Chart.yaml", content)]), words, "{content}");
    }
    assert_eq!(
        refusal(&[("Chart.yaml", PARENT), ("values.yaml", "a: {\n")]),
        "cannot load values.yaml: cannot unmarshal yaml document: error converting YAML to JSON: yaml: line 1: did not find expected node content"
    );
    assert_eq!(
        refusal(&[("Chart.yaml", PARENT), ("charts/loose.yaml", "a: 1")]),
        "error unpacking subchart loose.yaml in parent: Chart.yaml file is missing"
    );
}

#[test]
fn a_chart_file_is_looked_at_before_the_chart_is_read() {
    let refusal = |files: &[(&str, &str)]| {
        let problem = rendered(files, Profile::V4).unwrap_err();
        problem.lines().next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        refusal(&[("Chart.yaml", PARENT), (".helmignore", "!templates/a.yaml\n")]),
        "Chart.yaml file is missing"
    );
    assert_eq!(
        refusal(&[("Chart.yaml", "- a\n")]),
        "cannot load Chart.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type loader.chartBase"
    );
}

#[test]
fn texts_of_a_chart_are_text_whatever_they_look_like() {
    let content = "apiVersion: v2\nName: x\nversion: 1.10\nappVersion: 1e6\nannotations: {a: true, b: 7, c: 1.50}\ndescription: \"a\\tb\\u00a0c\\u0007d\"\n";
    let (charts, root) = load(&[("Chart.yaml", content)]).unwrap();
    let metadata = charts.metadata(root);
    assert_eq!(metadata.version, "1.1");
    assert_eq!(metadata.app_version, "1e+06");
    assert_eq!(metadata.description, "a b cd");
    let annotations: Vec<String> = metadata
        .annotations
        .iter()
        .flatten()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(annotations, ["a=true", "b=7", "c=1.5"]);
}

/// A parent with two dependencies, one of them under two names.
fn family(parent_values: &str, child_values: &str) -> (Charts, ChartId) {
    let parent = format!(
        "{PARENT}dependencies:\n- {{name: child, version: '0.x', alias: one, condition: 'one.enabled,any.enabled'}}\n- {{name: child, version: '>=0', alias: two, tags: [front]}}\n- {{name: child, version: '5.x', alias: three}}\n"
    );
    load(&[
        ("Chart.yaml", &parent),
        ("values.yaml", parent_values),
        ("charts/child/Chart.yaml", CHILD),
        ("charts/child/values.yaml", child_values),
        ("charts/loner/Chart.yaml", "name: loner\nversion: 1.0.0\n"),
    ])
    .unwrap()
}

fn names_after(parent_values: &str, user: serde_json::Value) -> String {
    let (mut charts, root) = family(parent_values, "");
    dependencies::process(&mut charts, root, &values(user), Profile::V4).unwrap();
    let names: Vec<&str> = charts.dependencies(root).map(|sub| charts.name(sub)).collect();
    names.join(" ")
}

#[test]
fn tags_and_conditions_choose_and_aliases_rename() {
    assert_eq!(names_after("", json!({})), "loner one two");
    assert_eq!(names_after("", json!({"tags": {"front": false}})), "loner one");
    assert_eq!(names_after("one: {enabled: false}", json!({})), "loner two");
    assert_eq!(
        names_after("one: {enabled: false}", json!({"one": {"enabled": true}})),
        "loner one two"
    );
    assert_eq!(names_after("any: {enabled: false}", json!({})), "loner two");
    assert_eq!(names_after("one: {enabled: 'no'}", json!({})), "loner one two");
}

#[test]
fn values_of_a_child_are_imported_below_those_of_the_parent() {
    let parent = format!(
        "{PARENT}dependencies:\n- name: child\n  version: 0.1.0\n  import-values: [shared, {{child: inner, parent: deep.er}}]\n"
    );
    let (mut charts, root) = load(&[
        ("Chart.yaml", &parent),
        ("values.yaml", "a: parent\n"),
        ("charts/child/Chart.yaml", CHILD),
        ("charts/child/values.yaml", "exports: {shared: {a: child, b: child}}\ninner: {x: 1}\n"),
    ])
    .unwrap();
    dependencies::process(&mut charts, root, &values(json!({})), Profile::V4).unwrap();
    let all = coalesce(&charts, root, &values(json!({})), Nulls::Remove, Profile::V4).unwrap();
    let all = json(&all);
    assert_eq!(all["a"], "parent");
    assert_eq!(all["b"], "child");
    assert_eq!(all["deep"], json!({"er": {"x": 1.0}}));
}

fn coalesced(
    profile: Profile,
    parent: &str,
    child: &str,
    user: serde_json::Value,
) -> serde_json::Value {
    let (charts, root) = load(&[
        ("Chart.yaml", PARENT),
        ("values.yaml", parent),
        ("charts/child/Chart.yaml", CHILD),
        ("charts/child/values.yaml", child),
    ])
    .unwrap();
    json(&coalesce(&charts, root, &values(user), Nulls::Remove, profile).unwrap())
}

#[test]
fn a_null_takes_a_default_away() {
    let parent = "a: 1\nm: {x: 1, w: 2}\nnothing: null\ndeep: {nothing: null, z: 1}\n";
    let user = json!({"a": null, "m": {"x": null, "new": null}, "own": null});
    assert_eq!(
        coalesced(Profile::V4, parent, "", user.clone()),
        json!({"m": {"w": 2.0, "new": null}, "own": null, "deep": {"z": 1.0}, "child": {"global": {}}})
    );
    assert_eq!(
        coalesced(Profile::V3, parent, "", user),
        json!({"m": {"w": 2.0}, "own": null, "nothing": null, "deep": {"nothing": null, "z": 1.0}, "child": {"global": {}}})
    );
}

#[test]
fn a_parent_sets_its_childs_values_and_hands_globals_down() {
    let parent = "global: {g: parent, t: {p: 1}}\nchild: {x: parent}\n";
    let child = "x: child\nw: child\nglobal: {g: child, own: 1, t: {c: 2}}\n";
    assert_eq!(
        coalesced(Profile::V4, parent, child, json!({"child": {"w": "user"}})),
        json!({
            "global": {"g": "parent", "t": {"p": 1.0}},
            "child": {"x": "parent", "w": "user", "global": {"g": "parent", "own": 1.0, "t": {"p": 1.0, "c": 2.0}}},
        })
    );
}

#[test]
fn a_table_and_a_scalar_never_replace_each_other_in_defaults() {
    assert_eq!(
        coalesced(Profile::V4, "a: {x: 1}\nb: 1\n", "", json!({"a": 5, "b": {"y": 1}})),
        json!({"a": 5.0, "b": {"y": 1.0}, "child": {"global": {}}})
    );
}

#[test]
fn a_child_that_is_no_table_is_an_error() {
    let (charts, root) =
        load(&[("Chart.yaml", PARENT), ("charts/child/Chart.yaml", CHILD)]).unwrap();
    let refused =
        |user| coalesce(&charts, root, &values(user), Nulls::Remove, Profile::V4).unwrap_err();
    assert_eq!(refused(json!({"child": "x"})), "type mismatch on child: %!t(string=x)");
    assert_eq!(refused(json!({"child": true})), "type mismatch on child: true");
    assert_eq!(refused(json!({"child": null})), "type mismatch on child: %!t(<nil>)");
}

#[test]
fn maps_below_global_are_one_and_those_above_are_not() {
    let (charts, root) = load(&[
        ("Chart.yaml", PARENT),
        ("values.yaml", "global: {t: {m: {d: 1}}}\n"),
        ("charts/child/Chart.yaml", CHILD),
    ])
    .unwrap();
    let all = coalesce(&charts, root, &values(json!({})), Nulls::Remove, Profile::V4).unwrap();
    let map = |path: &str| dependencies::table(&all, path).unwrap();
    assert!(map("global.t.m").is(&map("child.global.t.m")));
    assert!(!map("global.t").is(&map("child.global.t")));
    assert!(!map("global").is(&map("child.global")));
}
