use serde_json::{Value, json};

use super::super::Whole;
use super::read;

/// What the short way says, having been held against the real validator.
fn takes(schema: &Value, values: &Value) -> Option<bool> {
    let text = schema.to_string();
    let says = read(text.as_bytes())?.takes(values);
    if says {
        let whole = Whole::compile(text.as_bytes()).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(whole.complaint(values), None, "{schema} {values}");
    }
    Some(says)
}

#[test]
fn what_charts_mostly_bring_is_usual() {
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "title": "Values",
        "required": ["image"], "additionalProperties": false,
        "definitions": {"port": {"type": "integer", "minimum": 1, "maximum": 65535}},
        "properties": {
            "image": {"type": "object", "properties": {"tag": {"type": ["string", "null"]}}},
            "port": {"$ref": "#/definitions/port", "type": "string"},
            "mode": {"enum": ["a", "b"], "form": true},
            "hosts": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 2},
            "of": {"oneOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+%$"}]},
        },
    });
    for (values, says) in [
        (json!({"image": {"tag": null}, "port": 80, "mode": "a", "hosts": ["x"], "of": 5}), true),
        (json!({"image": {"tag": 5}}), false),
        (json!({}), false),
        (json!({"image": {}, "more": 1}), false),
        (json!({"image": {}, "port": 0}), false),
        (json!({"image": {}, "mode": "c"}), false),
        (json!({"image": {}, "hosts": [""]}), false),
        (json!({"image": {}, "hosts": ["a", "b", "c"]}), false),
        // Nobody looked.
        (json!({"image": {}, "of": "5%"}), false),
        (json!({"image": {}, "port": 80.0}), false),
    ] {
        assert_eq!(takes(&schema, &values), Some(says), "{values}");
    }
}

#[test]
fn newer_drafts_look_beside_references_too() {
    let of = |draft: &str| {
        json!({"$schema": draft, "properties": {"a": {"$ref": "#/definitions/x", "minimum": 5}},
            "definitions": {"x": {"type": "integer"}}})
    };
    let values = json!({"a": 1});
    assert_eq!(takes(&of("http://json-schema.org/draft-07/schema"), &values), Some(true));
    assert_eq!(takes(&of("https://json-schema.org/draft/2020-12/schema"), &values), Some(false));
}

#[test]
fn what_is_unusual_is_left_to_the_real_validator() {
    for schema in [
        json!({"not": {}}),
        json!({"type": "text"}),
        json!({"type": ["string", "string"]}),
        json!({"title": 5}),
        json!({"required": ["a", "a"]}),
        json!({"$ref": "#/definitions/none"}),
        json!({"$ref": "https://example.com/x"}),
        json!({"$schema": "http://json-schema.org/draft-04/schema"}),
        json!({"properties": {"a": {"$id": "https://example.com/x"}}}),
        json!({"properties": {"a": 5}}),
        json!({"pattern": "(a|b)"}),
        json!({"pattern": "[z-a]"}),
        json!({"items": [{}]}),
        json!({"oneOf": []}),
        json!({"minItems": -1}),
        json!([]),
    ] {
        assert_eq!(takes(&schema, &json!({})), None, "{schema}");
    }
    assert!(read(b"{} {}").is_none());
    assert!(read(b"").is_none());
    assert!(read(b"{\"default\": \"\\ud800\"}").is_none());
}

/// Small schemas and values, all against all.
#[test]
fn whatever_is_taken_is_right() {
    let parts = [
        json!({"type": "integer"}),
        json!({"type": ["number", "null"]}),
        json!({"enum": [1, "a", null, true]}),
        json!({"const": 1}),
        json!({"minimum": 1, "maximum": 3}),
        json!({"required": ["a"], "additionalProperties": {"type": "string"}}),
        json!({"properties": {"a": {"type": "string"}}, "additionalProperties": false}),
        json!({"items": {"type": "integer"}, "minItems": 1}),
        json!({"minLength": 2, "format": "ipv4"}),
        json!(true),
        json!(false),
        json!({"$ref": "#/$defs/x"}),
    ];
    let values = [
        json!(null),
        json!(true),
        json!(1),
        json!(1.0),
        json!(1.5),
        json!(u64::MAX),
        json!(-7),
        json!("a"),
        json!("1.2.3.4"),
        json!([]),
        json!([1, 2.0]),
        json!(["a"]),
        json!({}),
        json!({"a": "x"}),
        json!({"a": 1, "b": "x"}),
    ];
    let (mut taken, mut all) = (0, 0);
    for one in &parts {
        for other in &parts {
            for join in ["allOf", "anyOf", "oneOf"] {
                let schema =
                    json!({join: [one, other], "$defs": {"x": {"type": ["array", "integer"]}}});
                for value in &values {
                    all += 1;
                    taken += usize::from(takes(&schema, value).expect("nothing is unusual"));
                }
            }
        }
    }
    assert!(taken * 4 > all, "{taken} of {all}");
}
