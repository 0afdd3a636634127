//! How one node becomes another; whole builds are in `tests/data/builds`.

use super::*;
use crate::node::parse_first;

fn merged(object: &str, patch: &str) -> Result<String, String> {
    let parse =
        |text: &str| parse_first(text.as_bytes()).expect("it is YAML").expect("it is not empty");
    let head = |kind: &str| match kind {
        "Foo" => "apiVersion: example.com/v1, kind: Foo",
        _ => "apiVersion: v1, kind: Pod",
    };
    let whole = |text: &str| match text.strip_prefix("Foo ") {
        Some(spec) => parse(&format!("{{{}, spec: {spec}}}", head("Foo"))),
        None => parse(&format!("{{{}, spec: {text}}}", head("Pod"))),
    };
    let mut node = whole(object);
    let kept = merge(&mut node, whole(patch), &Schema::builtin()).map_err(|e| e.to_string())?;
    if !kept {
        return Ok("deleted".to_owned());
    }
    let spec = node.get("spec").cloned().unwrap_or_else(Node::null);
    Ok(spec.to_json().map_err(|error| error.to_string())?.to_string())
}

/// Object, patch, and what becomes of them: as the real kustomize 5.8.1 answered.
const CASES: &[(&str, &str, &str)] = &[
    // A field without any text goes, one with null stays, wherever the patch says nothing.
    ("{a: {b: ~, c: null}}", "{x: 1}", r#"{"a":{"b":null,"c":null},"x":1}"#),
    // An item of two keys takes what another of its list says of the second.
    (
        "{containers: [{name: x, ports: [{containerPort: 80, name: http}]}]}",
        "{containers: [{name: x, ports: [{containerPort: 80, protocol: TCP}]}]}",
        r#"{"containers":[{"name":"x","ports":[{"containerPort":80,"name":"http"}]}]}"#,
    ),
    // The last of two items of one name is kept.
    (
        "{containers: [{name: x, image: one}, {name: x, image: two}]}",
        "{hostNetwork: true}",
        r#"{"containers":[{"image":"two","name":"x"}],"hostNetwork":true}"#,
    ),
    // What comes into the object as a whole loses its nulls and its directives.
    (
        "{}",
        "{volumes: [{name: v, emptyDir: {a: null}}, {name: w, $patch: delete}], nodeSelector: {$patch: replace, a: b}}",
        r#"{"nodeSelector":{"a":"b"},"volumes":[{"emptyDir":{},"name":"v"}]}"#,
    ),
    // Lists of a kind that nobody knows keep everything that the patch says.
    (
        "Foo {list: [{name: a}]}",
        "Foo {list: [{name: b, $patch: delete, x: null}]}",
        r#"{"list":[{"$patch":"delete","name":"b","x":null}]}"#,
    ),
    // An object inside says of itself what it is.
    (
        "Foo {pod: {apiVersion: v1, kind: Pod, spec: {containers: [{name: a}]}}}",
        "Foo {pod: {apiVersion: v1, kind: Pod, spec: {containers: [{name: b}]}}}",
        r#"{"pod":{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"b"},{"name":"a"}]}}}"#,
    ),
];

#[test]
fn merges_are_as_recorded() {
    for (object, patch, want) in CASES {
        assert_eq!(merged(object, patch).as_deref(), Ok(*want), "{object} + {patch}");
    }
}

#[test]
fn a_directive_that_nobody_knows_is_refused_where_it_meets_an_object() {
    let refused = merged("{a: {b: 1}}", "{a: {$patch: x}}").expect_err("it is not known");
    assert_eq!(refused, "unknown patch strategy 'x'");
    assert_eq!(merged("{}", "{a: {$patch: x}}").as_deref(), Ok(r#"{"a":{"$patch":"x"}}"#));
}

#[test]
fn what_is_nested_too_deep_is_refused_and_what_is_not_is_merged() {
    let nested = |depth: usize| format!("{}1{}", "{a: ".repeat(depth), "}".repeat(depth));
    let refused = merged(&nested(400), "{b: 1}").expect_err("it is too deep");
    assert!(refused.contains("nested deeper than 250"), "{refused}");
    assert!(merged("{b: 1}", &nested(400)).is_err());
    assert!(merged(&nested(240), &nested(240)).is_ok());
    assert!(merged(&format!("Foo {}", nested(240)), "Foo {b: 1}").is_ok());
}
