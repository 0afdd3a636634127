//! Field sets as algebra and as JSON.

use serde_json::{Value, json};

use crate::fields::{FieldSet, KeyField, PathElement, path_string};

fn set(fields: Value) -> FieldSet {
    FieldSet::from_v1(&fields).expect("it is a set")
}

fn key(fields: &[(&str, Value)]) -> PathElement {
    let fields = fields
        .iter()
        .map(|(name, value)| KeyField { name: (*name).into(), value: value.clone() })
        .collect();
    PathElement::key(fields)
}

#[test]
fn a_set_is_written_as_it_was_read() {
    let fields = json!({
        "f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/name": {}}},
        "f:spec": {
            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}},
            "f:finalizers": {"v:\"a\"": {}, "v:1": {}},
            "f:rows": {"i:0": {}, "i:10": {}}
        }
    });
    assert_eq!(set(fields.clone()).to_v1(), fields);
}

#[test]
fn elements_of_types_yet_unknown_are_left_out() {
    assert_eq!(set(json!({"f:a": {}, "x:b": {"f:c": {}}})), FieldSet::of_names(&["a"]));
}

#[test]
fn a_branch_with_nothing_in_it_is_a_member() {
    assert_eq!(set(json!({"f:a": {"x:b": {}}})), FieldSet::of_names(&["a"]));
}

#[test]
fn what_is_no_set_is_refused_by_name() {
    let refusal = |fields| FieldSet::from_v1(&fields).expect_err("it is no set").to_string();
    assert_eq!(refusal(json!({"f:a": 5})), "a field set is a map, not int64");
    assert_eq!(refusal(json!({"fa": {}})), "missing colon: fa");
    assert_eq!(refusal(json!({"i:x": {}})), "`i:x` is no path element");
}

#[test]
fn json_has_keys_in_the_order_of_values_and_not_of_text() {
    let mut fields = FieldSet::default();
    for port in [100, 9, 80] {
        fields.insert(&[PathElement::field("ports"), key(&[("port", json!(port))])]);
    }
    fields.insert(&[PathElement::field("a<\"b"), PathElement::value(json!("<"))]);
    assert_eq!(
        fields.to_json(),
        r#"{"f:a<\"b":{"v:\"\\u003c\"":{}},"f:ports":{"k:{\"port\":9}":{},"k:{\"port\":80}":{},"k:{\"port\":100}":{}}}"#
    );
}

#[test]
fn paths_print_as_conflicts_show_them() {
    let path = [
        PathElement::field("spec"),
        PathElement::field("containers"),
        key(&[("protocol", json!("TCP")), ("name", json!("a\"b")), ("port", json!(80))]),
        PathElement::field("args"),
        PathElement::value(json!(true)),
        PathElement::Index(3),
    ];
    assert_eq!(
        path_string(&path),
        ".spec.containers[name=\"a\\\"b\",port=80,protocol=\"TCP\"].args[=true][3]"
    );
}

#[test]
fn numbers_are_the_same_by_value() {
    assert_eq!(PathElement::value(json!(1)), PathElement::value(json!(1.0)));
    assert!(PathElement::value(json!(1.5)) > PathElement::value(json!(1)));
}

#[test]
fn a_difference_leaves_children_and_a_recursive_one_does_not() {
    let all = FieldSet::of_names(&["a", "a.b", "a.c", "d"]);
    let a = FieldSet::of_names(&["a"]);
    assert_eq!(all.difference(&a), FieldSet::of_names(&["a.b", "a.c", "d"]));
    assert_eq!(all.recursive_difference(&a), FieldSet::of_names(&["d"]));
    assert_eq!(a.difference(&FieldSet::of_names(&["a.b"])), a);
}

#[test]
fn union_intersection_and_leaves_hold_together() {
    let left = FieldSet::of_names(&["a", "a.b", "c.d.e"]);
    let right = FieldSet::of_names(&["a.b", "c", "f"]);
    let both = left.union(&right);
    assert_eq!(both, FieldSet::of_names(&["a", "a.b", "c", "c.d.e", "f"]));
    assert_eq!(left.intersection(&right), FieldSet::of_names(&["a.b"]));
    assert!(left.intersects(&right) && !left.intersects(&FieldSet::of_names(&["c.d"])));
    assert!(left.is_subset(&both) && !both.is_subset(&left));
    assert_eq!(both.leaves(), FieldSet::of_names(&["a.b", "c.d.e", "f"]));
    assert_eq!(both.len(), 5);
}

#[test]
fn the_whole_object_is_never_a_member() {
    let mut fields = FieldSet::default();
    fields.insert(&[]);
    assert!(fields.is_empty() && !fields.has(&[]));
}
