//! Printing. Every text here is what the Go library printed.

use serde_json::{Value, json};

use crate::{to_json, to_yaml, to_yaml_of};

fn print(value: &Value) -> String {
    to_yaml(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

#[test]
fn a_string_is_quoted_only_where_it_would_read_as_something_else() {
    for (text, printed) in [
        ("a b", "a b"),
        ("true", "\"true\""),
        ("y", "\"y\""),
        ("On", "\"On\""),
        ("", "\"\""),
        ("~", "\"~\""),
        ("1e3", "\"1e3\""),
        ("0o17", "\"0o17\""),
        ("1_000", "\"1_000\""),
        ("2020-01-02", "\"2020-01-02\""),
        ("190:20:30", "\"190:20:30\""),
        ("1e400", "1e400"),
        (" lead", "' lead'"),
        ("a: b #c", "'a: b #c'"),
        ("it's", "it's"),
        ("'x", "'''x'"),
        ("- x", "'- x'"),
        ("-x", "-x"),
        ("a:b", "a:b"),
        ("{a}", "'{a}'"),
        ("...", "'...'"),
        ("<<", "<<"),
        ("=", "="),
        ("a\tb", "\"a\\tb\""),
        ("a\u{1F600}", "\"a\\U0001F600\""),
        ("é", "é"),
        ("\u{2028}", "'\u{2028}'"),
        ("\u{FEFF}ab", "\"\\uFEFF\\x61\\x62\""),
        ("a\u{85}b", "a b"),
    ] {
        assert_eq!(print(&json!(text)), format!("{printed}\n"), "{text:?}");
    }
    assert!(to_yaml(&json!("\u{7F}")).is_err());
}

#[test]
fn text_of_several_lines_is_a_block_unless_its_blanks_forbid_it() {
    for (text, printed) in [
        ("a\nb", "|-\n  a\n  b\n"),
        ("a\n", "|\n  a\n"),
        ("a\n\n", "|+\n  a\n\n"),
        ("\n", "|2+\n\n"),
        ("  a\nb", "|2-\n    a\n  b\n"),
        ("a \nb", "\"a \\nb\"\n"),
        ("a\n b\n", "|\n  a\n   b\n"),
        ("a\nb ", "\"a\\nb \"\n"),
        ("a\r\nb", "\"a\\r\\nb\"\n"),
    ] {
        assert_eq!(print(&json!(text)), printed, "{text:?}");
    }
}

#[test]
fn collections_stand_as_go_puts_them() {
    let value = json!({
        "list": [1, [2, [3, []]], {"a": {}, "b": [null]}],
        "map": {"x": true, "y": 1.5},
        "text": "a\nb\n",
    });
    assert_eq!(
        print(&value),
        "list:\n- 1\n- - 2\n  - - 3\n    - []\n- a: {}\n  b:\n  - null\nmap:\n  x: true\n  \"y\": 1.5\ntext: |\n  a\n  b\n"
    );
    assert_eq!(print(&json!({})), "{}\n");
    assert_eq!(print(&json!([])), "[]\n");
    assert_eq!(print(&Value::Null), "null\n");
}

#[test]
fn keys_are_in_natural_order_and_long_ones_have_a_question_mark() {
    let keys = ["a10", "a2", "a01", "a", "A", "_", "10", "2", "true", "a b", "a-b", "é"];
    let value: serde_json::Map<String, Value> =
        keys.iter().map(|key| ((*key).to_owned(), json!(0))).collect();
    let printed = print(&value.into());
    let order: Vec<&str> = printed.lines().map(|line| line.trim_end_matches(": 0")).collect();
    assert_eq!(
        order,
        ["_", "\"2\"", "\"10\"", "A", "a", "a b", "a-b", "a01", "a2", "a10", "\"true\"", "é"]
    );
    let long = "k".repeat(129);
    assert_eq!(print(&json!({ long.clone(): {"a": 1} })), format!("? {long}\n: a: 1\n"));
    assert_eq!(print(&json!({"a\nb": 1})), "? |-\n  a\n  b\n: 1\n");
    assert!(to_yaml(&json!({ "k".repeat(1023): 1 })).is_err());
}

#[test]
fn lines_are_folded_at_eighty_columns() {
    let words = "word ".repeat(30) + "end";
    let printed = print(&json!({ "k": words }));
    assert_eq!(printed.lines().count(), 2);
    assert_eq!(printed.lines().next().map(str::len), Some(82));
    assert_eq!(to_json(printed.as_bytes()), Ok(json!({ "k": words })));
    let quoted = "it: is ".repeat(20);
    assert_eq!(to_json(print(&json!(quoted)).as_bytes()), Ok(json!(quoted)));
}

#[test]
fn numbers_are_whole_where_json_prints_them_whole() {
    for (value, printed) in [
        (json!(1_000_000.0), "1000000"),
        (json!(1_234_567.5), "1.2345675e+06"),
        (json!(1e20), "1e+20"),
        (json!(1e21), "1e+21"),
        (json!(0.00001), "1e-05"),
        (json!(-0.0), "0"),
        (json!(u64::MAX), "18446744073709551615"),
    ] {
        assert_eq!(print(&value), format!("{printed}\n"));
    }
}

#[test]
fn a_templates_value_prints_as_its_json() {
    let lines = "it's a line  of words, ".repeat(9);
    for value in [
        json!({"b": [1, [2, []], {}, null], "a10": 1.5, "a2": "x: y", "a01": {"y": true}}),
        json!([{"text": "a\nb\n", "k": "\u{e9} \u{1F600}\t"}, "", "true", 1_000_000.0, -0.0]),
        json!({ "line": lines, "quoted": format!("'{lines}"), "key: x": format!("{lines}\u{e9}") }),
        json!({"": u64::MAX, "10": i64::MIN, "2": "a\u{85}b", "_": " lead"}),
    ] {
        let given = goval::from_json(&value, goval::json::Numbers::Int64);
        let json = goval::to_json(&given).expect("it came from JSON");
        assert_eq!(to_yaml_of(&given), to_yaml(&json).ok(), "{value}");
    }
    for unusual in [json!("\u{7f}"), json!({ "k".repeat(129): 1 }), json!({"\u{e9}": 1})] {
        let given = goval::from_json(&unusual, goval::json::Numbers::Int64);
        assert_eq!(to_yaml_of(&given), None, "{unusual}");
    }
}
