use merge::schema::{ListKind, Schema as Shape, Type};
use serde_json::{Value, json};

use crate::{Schema, parse};

fn schema(properties: Value) -> Schema {
    Schema::parse(
        &json!({"type": "object", "properties": {"spec": {"type": "object", "properties": properties}}}),
    )
}

fn errors(properties: Value, spec: Value) -> Vec<String> {
    schema(properties)
        .validate(&json!({"spec": spec}), None)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn what_the_schema_does_not_know_is_dropped_and_named() {
    let schema = schema(json!({
        "a": {"type": "string"},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true,
            "properties": {"known": {"type": "object"}}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "list": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "integer"}}}},
        "pod": {"type": "object", "x-kubernetes-embedded-resource": true},
    }));
    let mut object = json!({
        "apiVersion": "v1", "kind": "K", "metadata": {"name": "x"}, "extra": 1,
        "spec": {
            "a": "1", "b": 2,
            "any": {"kept": {"deep": 1}, "known": {"gone": 1}},
            "labels": {"k": "v"},
            "list": [{"n": 1}, {"m": 2}],
            "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {}},
        },
    });
    assert_eq!(
        schema.prune(&mut object),
        ["extra", "spec.any.known.gone", "spec.b", "spec.list[1].m", "spec.pod.spec"]
    );
    assert_eq!(
        object["spec"],
        json!({
            "a": "1",
            "any": {"kept": {"deep": 1}, "known": {}},
            "labels": {"k": "v"},
            "list": [{"n": 1}, {}],
            "pod": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}},
        })
    );
    assert_eq!(object["metadata"]["name"], "x");
}

#[test]
fn defaults_fill_in_what_is_absent_and_nulls_that_may_not_be_there() {
    let schema = schema(json!({
        "replicas": {"type": "integer", "default": 1},
        "nested": {"type": "object", "default": {}, "properties": {"on": {"type": "boolean", "default": true}}},
        "maybe": {"type": "string", "nullable": true, "default": "x"},
        "plain": {"type": "string"},
        "list": {"type": "array", "items": {"type": "object", "properties": {"p": {"type": "string", "default": "TCP"}}}},
    }));
    let mut object =
        json!({"spec": {"replicas": null, "maybe": null, "plain": null, "list": [{}]}});
    schema.default(&mut object);
    assert_eq!(
        object["spec"],
        json!({"replicas": 1, "nested": {"on": true}, "maybe": null, "list": [{"p": "TCP"}]})
    );
}

#[test]
fn errors_are_in_the_servers_words() {
    let cases = [
        (
            json!({"n": {"type": "integer"}}),
            json!({"n": "x"}),
            "spec.n: Invalid value: \"string\": spec.n in body must be of type integer: \"string\"",
        ),
        (
            json!({"n": {"x-kubernetes-int-or-string": true}}),
            json!({"n": true}),
            "spec.n: Invalid value: \"boolean\": spec.n in body must be of type integer,string: \"boolean\"",
        ),
        (
            json!({"n": {"type": "integer", "minimum": 1}}),
            json!({"n": 0}),
            "spec.n: Invalid value: 0: spec.n in body should be greater than or equal to 1",
        ),
        (
            json!({"s": {"type": "string", "enum": ["a", "b"]}}),
            json!({"s": "c"}),
            "spec.s: Unsupported value: \"c\": supported values: \"a\", \"b\"",
        ),
        (
            json!({"s": {"type": "string", "pattern": "^a$"}}),
            json!({"s": "b"}),
            "spec.s: Invalid value: \"b\": spec.s in body should match '^a$'",
        ),
        (
            json!({"s": {"type": "string", "maxLength": 1}}),
            json!({"s": "bb"}),
            "spec.s: Too long: may not be more than 1 byte",
        ),
        (
            json!({"s": {"type": "string", "minLength": 1}}),
            json!({"s": ""}),
            "spec.s: Invalid value: \"\": spec.s in body should be at least 1 chars long",
        ),
        (
            json!({"l": {"type": "array", "maxItems": 1, "items": {"type": "integer"}}}),
            json!({"l": [1, 2]}),
            "spec.l: Too many: 2: must have at most 1 item",
        ),
        (
            json!({"l": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}}}),
            json!({"l": ["a", "a", "a"]}),
            "spec.l[1]: Duplicate value: \"a\"",
        ),
        (
            json!({"l": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object"}}}),
            json!({"l": [{"k": 1}, {"k": 1}]}),
            "spec.l[1]: Duplicate value: {\"k\":1}",
        ),
        (
            json!({"o": {"type": "object", "required": ["name"]}}),
            json!({"o": {}}),
            "spec.o.name: Required value",
        ),
        (
            json!({"t": {"type": "string", "format": "date-time"}}),
            json!({"t": "now"}),
            "spec.t: Invalid value: \"now\": spec.t in body must be of type date-time: \"now\"",
        ),
    ];
    for (properties, spec, words) in cases {
        assert_eq!(errors(properties, spec), [words]);
    }
}

#[test]
fn one_of_several_branches_must_hold() {
    let properties =
        json!({"o": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}});
    assert_eq!(errors(properties.clone(), json!({"o": {"a": 1}})), [""; 0]);
    let both = errors(properties, json!({"o": {"a": 1, "b": 2}}));
    assert_eq!(
        both,
        [
            "<nil>: Invalid value: \"\": \"spec.o\" must validate one and only one schema (oneOf). Found 2 valid alternatives"
        ]
    );
}

#[test]
fn what_was_wrong_before_and_did_not_change_is_let_through() {
    let schema = schema(
        json!({"n": {"type": "integer", "minimum": 5}, "m": {"type": "integer", "minimum": 5}}),
    );
    let old = json!({"spec": {"n": 1}});
    assert_eq!(schema.validate(&json!({"spec": {"n": 1, "m": 7}}), Some(&old)), []);
    assert_eq!(schema.validate(&json!({"spec": {"n": 2}}), Some(&old)).len(), 1);
}

#[test]
fn the_shape_knows_sets_maps_and_atoms() {
    let schema = schema(json!({
        "l": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": {"type": "string", "default": "d"}}}},
    }));
    let mut shape = Shape::default();
    let root = schema.to_merge(&mut shape, None);
    let Type::Map(root) = shape.get(root) else { panic!("an object is a map") };
    let names: Vec<&str> = root.fields.iter().map(|field| &*field.name).collect();
    assert_eq!(names, ["apiVersion", "kind", "metadata", "spec"]);
    let Type::Map(spec) = shape.get(root.field("spec").unwrap().type_id) else { panic!("spec") };
    let Type::List(list) = shape.get(spec.field("l").unwrap().type_id) else { panic!("l") };
    assert_eq!(list.kind, ListKind::Map(vec!["k".into()]));
    let Type::Map(element) = shape.get(list.element) else { panic!("element") };
    assert_eq!(element.field("k").unwrap().default, Some(json!("d")));
}

#[test]
fn a_definition_fills_in_names_that_it_does_not_give() {
    let definition = parse(&json!({"spec": {
        "group": "example.com", "scope": "Namespaced",
        "names": {"plural": "widgets", "kind": "Widget"},
        "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
            "schema": {"openAPIV3Schema": {"type": "object"}}}],
    }}));
    assert_eq!(definition.names.singular, "widget");
    assert_eq!(definition.names.list_kind, "WidgetList");
    assert!(definition.namespaced);
    assert!(definition.storage().unwrap().has_status);
}

fn refusals(schema: &Value, object: &Value, old: Option<&Value>) -> Vec<String> {
    let said = Schema::parse(schema).follow_rules(object, old, &[]);
    said.errors.iter().map(ToString::to_string).collect()
}

#[test]
fn rules_in_cel_are_followed_in_the_servers_words() {
    let schema = json!({"type": "object", "properties": {"spec": {
        "type": "object",
        "x-kubernetes-validations": [
            {"rule": "self.min <= self.max", "message": "min must not be above max"},
            {"rule": "!has(self.name) || self.name != 'x'", "fieldPath": ".name",
                "reason": "FieldValueForbidden"},
            {"rule": "oldSelf.max <= self.max", "messageExpression": "'not below %d'.format([oldSelf.max])"},
        ],
        "properties": {
            "min": {"type": "integer"}, "max": {"type": "integer"}, "name": {"type": "string"},
            "class": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf"}]},
        },
    }}});
    let good = json!({"spec": {"min": 1, "max": 2, "class": "a"}});
    assert_eq!(refusals(&schema, &good, None), Vec::<String>::new());
    assert_eq!(
        refusals(&schema, &json!({"spec": {"min": 3, "max": 2, "name": "x"}}), None),
        [
            "spec: Invalid value: min must not be above max",
            "spec.name: Forbidden: failed rule: !has(self.name) || self.name != 'x'",
        ]
    );
    assert_eq!(
        refusals(&schema, &json!({"spec": {"min": 1, "max": 1, "class": "b"}}), Some(&good)),
        [
            "spec: Invalid value: not below 2",
            "spec.class: Invalid value: \"b\": failed rule: self == oldSelf",
        ]
    );
    assert_eq!(
        refusals(&schema, &json!({"spec": {"max": 1}}), None),
        [
            "spec: Invalid value: \"object\": no such key: min evaluating rule: min must not be above max"
        ]
    );
}
