//! What documents mean. Every answer here is what the Go library gave.

use serde_json::{Value, json};

use crate::{to_json, to_json_strict};

fn read(text: &str) -> Value {
    to_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refusal(text: &str) -> String {
    match to_json(text.as_bytes()) {
        Ok(value) => panic!("{text} is {value}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn words_of_yaml_1_1_are_booleans_as_keys_too() {
    assert_eq!(
        read("on: yes\ny: 1\nn: Off\nNO: ~\nfoo: 'yes'"),
        json!({"true": 1, "false": null, "foo": "yes"})
    );
    assert_eq!(read("a: True\nb: oN\nc: tRue"), json!({"a": true, "b": "oN", "c": "tRue"}));
}

#[test]
fn numbers_are_read_by_gos_bases() {
    for (text, value) in [
        ("0777", json!(511)),
        ("08", json!(8)),
        ("0o17", json!(15)),
        ("0x1F", json!(31)),
        ("0b101", json!(5)),
        ("0b-1", json!(-1)),
        ("1_000", json!(1000)),
        ("0x_1", json!(1)),
        ("+5", json!(5)),
        ("-0", json!(0)),
        ("1e3", json!(1000)),
        ("1.50", json!(1.5)),
        (".5e1", json!(5)),
        ("5.", json!(5)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808u64)),
        ("1e400", json!("1e400")),
        ("190:20:30", json!("190:20:30")),
        ("2020-01-02", json!("2020-01-02")),
        ("1.2.3", json!("1.2.3")),
        ("_1", json!("_1")),
        ("0x", json!("0x")),
        ("1e", json!("1e")),
    ] {
        assert_eq!(read(&format!("k: {text}\n")), json!({ "k": value }), "{text}");
    }
    assert_eq!(refusal("a: .nan"), "json: unsupported value: NaN");
    assert_eq!(refusal("a: -.inf"), "json: unsupported value: -Inf");
}

#[test]
fn what_json_cannot_say_is_no_error_where_a_later_key_replaces_it() {
    assert_eq!(read("a: .nan\na: 1"), json!({"a": 1}));
    assert_eq!(read("a: {null: x}\na: 1"), json!({"a": 1}));
    assert_eq!(refusal("a: 1\na: [.inf]"), "json: unsupported value: +Inf");
}

#[test]
fn tags_decide_and_must_fit() {
    assert_eq!(read("!!str 123"), json!("123"));
    assert_eq!(read("!!int '0x10'"), json!(16));
    assert_eq!(read("!!float 3"), json!(3));
    assert_eq!(read("!!binary aGk="), json!("hi"));
    assert_eq!(read("!!binary /w=="), json!("\u{FFFD}"));
    assert_eq!(read("!thing 12"), json!("12"));
    assert_eq!(read("! 12"), json!("12"));
    assert_eq!(refusal("!!int abc"), "yaml: cannot decode !!str `abc` as a !!int");
    assert_eq!(refusal("!!binary x"), "yaml: !!binary value contains invalid base64 data");
}

#[test]
fn merges_come_in_their_order() {
    assert_eq!(read("a: 1\n<<: {a: 2, b: 3}"), json!({"a": 2, "b": 3}));
    assert_eq!(read("<<: {a: 2, b: 3}\na: 1"), json!({"a": 1, "b": 3}));
    assert_eq!(read("<<: [{a: 1}, {a: 2, b: 2}]"), json!({"a": 1, "b": 2}));
    assert_eq!(
        read("x: &x {a: 1}\nz:\n  <<: *x\n  b: 2"),
        json!({"x": {"a": 1}, "z": {"a": 1, "b": 2}})
    );
    assert_eq!(refusal("<<: 1"), "yaml: map merge requires map or sequence of maps as the value");
}

#[test]
fn a_key_that_stands_twice_is_refused_only_where_asked() {
    assert_eq!(read("a: 1\na: 2"), json!({"a": 2}));
    assert_eq!(
        to_json_strict(b"a: 1\nb:\n  c: 1\n  c: 2\na: 2").expect_err("twice").to_string(),
        "yaml: unmarshal errors:\n  line 4: key \"c\" already set in map\n  line 5: key \"a\" already set in map"
    );
}

#[test]
fn keys_become_text_or_are_refused() {
    assert_eq!(
        read("1: a\n1.5: b\ntrue: c\n2020-01-01: d\n1e30: e"),
        json!({"1": "a", "1.5": "b", "true": "c", "2020-01-01": "d", "1e+30": "e"})
    );
    assert_eq!(
        refusal("null: x"),
        "unsupported map key of type: %!s(<nil>), key: <nil>, value: \"x\""
    );
    assert_eq!(refusal("[1]: x"), "yaml: invalid map key: []interface {}{1}");
    assert_eq!(
        refusal("{{ .Values.x }}"),
        "yaml: invalid map key: map[interface {}]interface {}{\".Values.x\":interface {}(nil)}"
    );
}

#[test]
fn text_in_blocks_and_quotes_is_folded_and_chomped() {
    for (text, value) in [
        ("|\n a\n b\n", "a\nb\n"),
        ("|-\n a\n b\n\n", "a\nb"),
        ("|+\n a\n\n", "a\n\n"),
        ("|2\n   a\n", " a\n"),
        (">\n a\n b\n\n c\n  d\n e\n", "a b\nc\n d\ne\n"),
        ("|\n a", "a"),
        ("'it''s\n  folded\n\n  here'", "it's folded\nhere"),
        ("\"a\\\n  b \\n\\u00e9\\x41\"", "ab \néA"),
        ("a\n  b\n\n  c", "a b\nc"),
    ] {
        assert_eq!(read(&format!("k: {text}")), json!({ "k": value }), "{text:?}");
    }
}

#[test]
fn an_empty_text_is_null_and_only_the_first_document_counts() {
    assert_eq!(read(""), Value::Null);
    assert_eq!(read("# nothing\n"), Value::Null);
    assert_eq!(read("---\n"), Value::Null);
    assert_eq!(read("a: 1\n---\nb: 2\n"), json!({"a": 1}));
    assert_eq!(read("a: 1\n...\n{"), json!({"a": 1}));
}

#[test]
fn other_encodings_are_read_where_a_mark_names_them() {
    let utf16: Vec<u8> =
        [0xFEFFu16].into_iter().chain("a: é😀".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    assert_eq!(to_json(&utf16), Ok(json!({"a": "é😀"})));
    assert_eq!(to_json(b"\xEF\xBB\xBFa: 1"), Ok(json!({"a": 1})));
    assert_eq!(
        to_json(b"a: \xff").expect_err("no UTF-8").to_string(),
        "yaml: invalid leading UTF-8 octet"
    );
    assert_eq!(refusal("a: \u{7}"), "yaml: control characters are not allowed");
}

#[test]
fn errors_have_gos_words_and_an_exact_place() {
    for (text, words, line, column) in [
        ("a: b: c", "yaml: mapping values are not allowed in this context", 1, 5),
        ("a: 1\nb: c: d", "yaml: line 2: mapping values are not allowed in this context", 2, 5),
        ("a: 1\n b: 2", "yaml: line 2: mapping values are not allowed in this context", 2, 3),
        ("a:\n  - b\n c: d\n", "yaml: line 2: did not find expected key", 3, 2),
        ("a: [1, 2\nb: 3", "yaml: line 1: did not find expected ',' or ']'", 2, 2),
        ("a:\n\t- b", "yaml: line 2: found character that cannot start any token", 2, 1),
        ("a: \"x", "yaml: found unexpected end of stream", 1, 6),
        ("a: *x", "yaml: unknown anchor 'x' referenced", 1, 4),
        ("%YAML 1.2\n---\na: 1", "yaml: found incompatible YAML document", 1, 1),
        ("a: @x", "yaml: found character that cannot start any token", 1, 4),
    ] {
        let error = to_json(text.as_bytes()).expect_err(text);
        assert_eq!(error.to_string(), words, "{text:?}");
        assert_eq!((error.line(), error.column()), (line, column), "{text:?}");
    }
}

#[test]
fn an_empty_flow_collection_is_no_key() {
    // Go's scanner forgets the key when it closes the brackets.
    assert_eq!(read("{}: x"), json!({}));
    assert_eq!(read("a: {}\nb: []"), json!({"a": {}, "b": []}));
}
