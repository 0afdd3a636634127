use serde_json::json;

use std::sync::Arc;

use super::parse::parse_slowly;
use super::{Node, Scalar, Tag, fast, parse_first, parse_resource};

fn read(text: &str) -> Node {
    parse_first(text.as_bytes()).expect("it parses").expect("it is not empty")
}

#[test]
fn words_of_yaml_1_1_stay_text_and_dates_become_times() {
    let node = read("a: yes\nb: 0777\nc: 2020-01-02\nd: 1e3\ne: !!str 5\nf: 0o17\nn: ~\ng: '1'\n");
    assert_eq!(
        node.to_json().expect("it is a value"),
        json!({"a": "yes", "b": 511, "c": "2020-01-02T00:00:00Z", "d": 1000, "e": "5",
               "f": 15, "n": null, "g": "1"})
    );
}

#[test]
fn a_tag_that_is_written_counts_more_than_quotes() {
    let node = read(
        "a: !!int \"80\"\nb: !!bool 'true'\nc: !!null \"\"\nd: !!timestamp \"2020-01-02\"\ne: !!str 5\n",
    );
    assert_eq!(
        node.to_json().expect("it is a value"),
        json!({"a": 80, "b": true, "c": null, "d": "2020-01-02T00:00:00Z", "e": "5"})
    );
}

#[test]
fn times_lose_needless_zeros() {
    let node = read("a: 2001-12-14t21:59:43.10-05:00\nb: 2001-2-3 4:5:6\n");
    assert_eq!(
        node.to_json().expect("it is a value"),
        json!({"a": "2001-12-14T21:59:43.1-05:00", "b": "2001-02-03T04:05:06Z"})
    );
}

#[test]
fn aliases_and_merges_are_written_out() {
    let node = read("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: {<<: [{r: 1}, {r: 2, s: 3}]}\n");
    assert_eq!(
        node.to_json().expect("it is a value"),
        json!({"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}, "c": {"r": 1, "s": 3}})
    );
}

#[test]
fn an_alias_of_itself_is_refused() {
    assert!(parse_first(b"a: &x [*x]\n").is_err());
}

#[test]
fn keys_are_text_below_the_top() {
    assert!(read("a: {1: x}\n").to_json().is_err());
    assert_eq!(read("1: x\n").to_json().unwrap(), json!({"1": "x"}));
}

#[test]
fn repeated_keys_are_refused() {
    assert!(read("a: {b: 1, b: 2}\n").to_json().is_err());
}

#[test]
fn a_text_put_in_place_keeps_the_type_that_stood_there() {
    let number = Scalar { text: "8".into(), tag: Tag::Int, quoted: false };
    assert_eq!(number.to_json().unwrap(), json!(8));
    let quoted = Scalar { text: "8".into(), tag: Tag::Int, quoted: true };
    assert_eq!(quoted.to_json().unwrap(), json!("8"));
    let wrong = Scalar { text: "x".into(), tag: Tag::Int, quoted: false };
    assert!(wrong.to_json().is_err());
}

#[test]
fn a_clone_is_not_changed_with_its_origin() {
    let mut one = read("a: {b: [1]}\n");
    let other = one.clone();
    *one.at_mut(&["a", "b"]).unwrap() = Node::string("x");
    assert_eq!(other.to_json().unwrap(), json!({"a": {"b": [1]}}));
    assert!(one.at_mut(&["a", "c"]).is_none());
}

/// Numbers that look random and are the same each time.
fn numbers() -> impl FnMut(usize) -> usize {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    }
}

const COMMON: &str = include_str!("../../tests/data/common.yaml");

#[test]
fn common_yaml_takes_the_short_way_and_reads_the_same() {
    let source: Arc<str> = COMMON.into();
    let fast = fast::parse(&source).expect("it holds only common things");
    assert_eq!(Some(fast), parse_slowly(COMMON.as_bytes()).unwrap());
}

/// What the short way reads, the full parser reads the same, whatever is done to a text.
#[test]
fn the_short_way_never_reads_otherwise() {
    let pieces = [
        " ", "  ", "\n", "-", "- ", ":", ": ", "#", " #", "|", "|-\n", "|+\n", ">", "\"", "'",
        "''", "[", "]", "{}", "[]", ",", "a", "b: c", "\n\n", "\n  ", "\n    ", "---\n", "...",
        "%", "&x ", "*x", "!t ", "?", "\t", "\r", "é", "\u{A0}", "…", "\\n", "\\\"", "\\\n",
        "\u{85}", "\u{2028}", "~", "<<: ", "\\",
    ];
    let mut number = numbers();
    let lines: Vec<&str> = COMMON.lines().collect();
    let (mut short, mut total) = (0, 0);
    for _ in 0..60_000 {
        let from = number(lines.len());
        let to = (from + 1 + number(12)).min(lines.len());
        let indent = lines[from].len() - lines[from].trim_start().len();
        let cut = lines[from..to].iter().map(|line| line.get(indent..).unwrap_or(""));
        let mut text = cut.collect::<Vec<_>>().join("\n");
        if number(4) > 0 {
            text.push('\n');
        }
        for _ in 0..number(4) {
            let mut at = number(text.len() + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            if number(3) == 0 && at < text.len() {
                text.remove(at);
            } else {
                text.insert_str(at, pieces[number(pieces.len())]);
            }
        }
        total += 1;
        let Some(node) = fast::parse(&Arc::from(text.as_str())) else { continue };
        short += 1;
        match parse_slowly(text.as_bytes()) {
            Ok(slow) => assert_eq!(Some(node), slow, "{text}"),
            Err(error) => panic!("{error}: {text}"),
        }
    }
    assert!(short * 8 > total, "only {short} of {total} took the short way");
}

fn read_as_resource(text: &str) -> String {
    // Whatever stands around it in the file.
    let source: Arc<str> = format!("a: b\n---\n{text}---\n: [").into();
    let range = 9..9 + text.len();
    let node = parse_resource(&source, range).expect("it parses").expect("it is not empty");
    node.to_json().expect("it has JSON").to_string()
}

/// The wanted texts are what kustomize 5.8.1 prints.
#[test]
fn folded_text_of_a_resource_is_printed_and_read_once_more() {
    for (text, want) in [
        ("a: >-\n  x\n    y\n", "x\\n\\n  y"),
        ("a: >-\n  x\n\n    y\n", "x\\n\\n\\n  y"),
        ("a: >\n  x\n    y\n    z\n  w\n", "x\\n\\n  y\\n  z\\nw\\n"),
        ("a: >+\n  x\n  y\n\n", "x y\\n\\n\\n"),
        ("a: >\n  x\n\n  y\n", "x\\ny\\n"),
        ("a: >2\n\n  x\n   y\n", "\\nx\\n\\n y\\n"),
        ("a: >-\n  x \n    y\n", "x \\n  y"),
        ("a: |-\n  x\n    y\n", "x\\n  y"),
    ] {
        assert_eq!(read_as_resource(text), format!("{{\"a\":\"{want}\"}}"), "{text}");
    }
}

#[test]
fn a_resource_loses_a_key_that_looks_like_a_merge() {
    for (text, want) in [
        ("a: {\"<<\": q, c: d}", r#"{"a":{"c":"d"}}"#),
        ("a: {\"<<\": {x: y}}", r#"{"a":{}}"#),
        ("a: {'<<': q, \"<<\": z}", r#"{"a":{"<<":"z"}}"#),
        ("a: {!!str <<: q, <<: {x: y}}", r#"{"a":{"x":"y"}}"#),
        ("\"<<\": q\nb:\n  '<<': z\n", r#"{"b":{}}"#),
        ("a: \"<<\"", r#"{"a":"<<"}"#),
    ] {
        assert_eq!(read_as_resource(text), want, "{text}");
    }
}

#[test]
fn a_text_is_what_its_value_prints() {
    for text in [
        "kind: A\nb: {z: 1, a: [x, 'y\\', \"\\n\"]}\na: {}\nl: []\nd: 2020-01-02\nf: 1.50\nq: '1'\nn: ~\nt: true\n",
        "b: |\n  one\n  two\na: !!str 5\n",
    ] {
        let node = read(text);
        let value = node.to_json().expect("it is a value");
        let pieces = node.into_json_pieces().map(|pieces| pieces.concat());
        assert_eq!(pieces, Some(goyaml::json_text_of(&value)), "{text}");
    }
    assert_eq!(read("a: {1: x}\n").into_json_pieces(), None);
    assert_eq!(read("a: !!int x\n").into_json_pieces(), None);
}

#[test]
fn a_long_text_comes_in_pieces() {
    let text =
        "- {b: [1, x], a: \"long enough \\\" to \\n take some room of a piece\"}\n".repeat(3000);
    let node = read(&format!("a:\n{text}"));
    let value = node.to_json().expect("it is a value");
    let pieces = node.into_json_pieces().expect("it is a value");
    assert!(pieces.len() > 3);
    assert_eq!(pieces.concat(), goyaml::json_text_of(&value));
}
