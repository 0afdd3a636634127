//! What the operations on one type promise beyond what applies show.

use serde_json::{Value, json};

use crate::schema::{Field, List, ListKind, Map, Patch, Scalar, Schema, Type, TypeId};
use crate::typed::{Duplicates, Typed};

fn field(name: &str, type_id: TypeId, default: Option<Value>) -> Field {
    Field { name: name.into(), type_id, default, patch: Patch::default() }
}

fn schema() -> (Schema, TypeId) {
    let mut schema = Schema::default();
    let text = schema.add(Type::Scalar(Scalar::String));
    let item = schema.add(Type::Map(Map {
        fields: vec![
            field("name", text, None),
            field("protocol", text, Some(json!("TCP"))),
            field("value", text, None),
        ],
        rest: None,
        atomic: false,
        preserve_unknown: false,
    }));
    let items = schema.add(Type::List(List {
        element: item,
        kind: ListKind::Map(vec!["name".into(), "protocol".into()]),
    }));
    let free = schema.add(Type::Deduced);
    let root = schema.add(Type::Map(Map {
        fields: vec![
            field("free", free, None),
            field("items", items, None),
            field("text", text, None),
        ],
        rest: None,
        atomic: false,
        preserve_unknown: false,
    }));
    (schema, root)
}

#[test]
fn would_change_says_what_a_merge_does() {
    let (schema, root) = schema();
    let typed = Typed::new(&schema, root);
    let live = json!({"items": [{"name": "a", "value": "1"}, {"name": "b"}, {"name": "c"}], "free": {"x": [1], "y": 2}});
    let patches = [
        json!({}),
        json!({"items": [{"name": "a"}, {"name": "c"}]}),
        json!({"items": [{"name": "c"}, {"name": "a"}]}),
        json!({"items": [{"name": "d"}]}),
        json!({"items": [{"name": "a", "value": "2"}]}),
        json!({"items": []}),
        json!({"items": null}),
        json!({"free": {"x": [1]}}),
        json!({"free": {"x": [2]}}),
        json!({"free": {"y": {}}}),
        json!({"text": null}),
    ];
    for patch in patches {
        let mut merged = live.clone();
        typed.merge(&mut merged, &patch);
        assert_eq!(typed.would_change(&live, &patch), merged != live, "{patch}");
    }
}

#[test]
fn extracting_brings_the_keys_along_where_asked() {
    let (schema, root) = schema();
    let typed = Typed::new(&schema, root);
    let live = json!({"items": [{"name": "a", "value": "1"}, {"name": "b"}], "text": "t"});
    let mut wanted = typed.field_set(&json!({"items": [{"name": "a", "value": "1"}]}));
    wanted.subtract(&typed.field_set(&json!({"items": [{"name": "a"}]})));
    assert_eq!(typed.extract_items(&live, &wanted, false), json!({"items": [{"value": "1"}]}));
    assert_eq!(
        typed.extract_items(&live, &wanted, true),
        json!({"items": [{"name": "a", "value": "1"}]})
    );
}

#[test]
fn removing_all_of_a_list_leaves_null() {
    let (schema, root) = schema();
    let typed = Typed::new(&schema, root);
    let mut live = json!({"items": [{"name": "a"}], "text": "t"});
    let all = typed.field_set(&json!({"items": [{"name": "a"}]}));
    typed.remove_items(&mut live, &all);
    assert_eq!(live, json!({"items": null, "text": "t"}));
}

#[test]
fn find_follows_keys_with_their_defaults() {
    let (schema, root) = schema();
    let typed = Typed::new(&schema, root);
    let live = json!({"items": [{"name": "a", "protocol": "UDP", "value": "u"}, {"name": "a", "value": "t"}]});
    let wanted = json!({"items": [{"name": "a", "protocol": "TCP", "value": "?"}]});
    let paths = typed.field_set(&wanted).paths();
    let path = paths.iter().find(|path| path.len() == 3 && path[2].to_string() == ".value");
    assert_eq!(typed.find(&live, path.expect("it is there")), Some(&json!("t")));
}

#[test]
fn several_errors_stand_below_each_other() {
    let (schema, root) = schema();
    let value = json!({"items": [{"name": 1}], "text": [1, "a", {"b": null}]});
    let errors = Typed::new(&schema, root).validate(&value, Duplicates::Refused);
    assert_eq!(
        errors.expect_err("it does not fit").to_string(),
        "errors:\n  .items[name=1,protocol=\"TCP\"].name: expected string, got &value.valueUnstructured{Value:1}\n  .text: expected string, got &value.valueUnstructured{Value:[]interface {}{1, \"a\", map[string]interface {}{\"b\":interface {}(nil)}}}"
    );
}
