//! The short way through YAML against the real reader.

use goyaml::{Duplicates, Limits, Tree, quickly};
use serde_json::Value;

use crate::frozen::Frozen;
use crate::quick::{freeze, transcribe};

/// Whether the short way was taken; it must say what the real reader says.
fn agrees(text: &str) -> bool {
    match quickly(text.as_bytes(), &mut Tree) {
        None => false,
        Some(value) => {
            let is_map = value.is_object();
            let printed = goyaml::json_text_of(&value);
            let transcript = transcribe(text.as_bytes());
            assert_eq!(transcript.is_some(), is_map, "{text}");
            if let Some(transcript) = transcript {
                assert_eq!(transcript.json, printed, "{text}");
            }
            if is_map || value.is_null() {
                let wanted = match &value {
                    Value::Null => Frozen::Map(Vec::new()),
                    value => Frozen::from_json(value),
                };
                assert_eq!(freeze(text.as_bytes()), Some(wanted), "{text}");
            }
            let real =
                goyaml::to_json_with(text.as_bytes(), Duplicates::LastWins, &Limits::default());
            assert_eq!(real, Ok(value), "{text}");
            true
        }
    }
}

#[test]
fn what_charts_give_goes_the_short_way() {
    for text in [
        "a: 1\nb:\n  c: true\n  d: [x, \"y z\", 3]\nlist:\n- a\n- b: 1\n  c: 2\n-\n  d: 3\n",
        "# c\n\nkey: value # comment\nnone:\ntilde: ~\nfloat: 1.5e3\noct: 0777\ndate: 2020-01-02\nflag: no\n",
        "text: |\n  one\n    two\n\n  three\n\nstrip: |-\n  a\nkeep: |+\n  a\n\nend: 1\n",
        "long: one two\n  three\n\n  four\nquoted: 'it''s\n  folded'\ndouble: \"a\\nb\\\"c\"\n",
        "\"quoted key\": 1\n'other': 2\nempty: {}\nnothing: []\nargs:\n- --flag=x\n- -c\n- :8080\n",
        "a:\n  - b: 1\n\n    c: 2\n  # comment\n  - d\n",
        "script: |\n  x\n  \ttab\n   y\n",
        "  a: 1\n  b: 2\n",
        "---\na: 1\n",
        "a: |2\n   x\nb: >1-\n  y\n\n z\nc:\n- |+1\n x\n\n",
        "a: 1\nb: no break",
        "a: \"one\\n two\n  three\\\n  \\ four \\\n\n  five\\  \n  six\"\n",
        "a: >\n  one\n  two\n\n  three\n    four\n  five\n\n\n  six\nb: >-\n\n  x\n   \n  y\nc: >+\n  z\n\nd: 1\n",
        "a: { }\nb:\n  {}\nc: [ ] # none\nd:\n  # none\n  []\n  # there\n",
        "a: {b: c, d: [1, {e: \"f\\\"g\"}], 'h i': {}}\nj:\n- {k: 'l''m', name: null}\n- [a, [b, c]]\n",
        "a: [\n  b, # first\n\n  c,\n  # the last\n  {d: e,\n  f:\n    g},\n]\nh: {\n  i: j\n}\n",
        "a: {z: 1, b: 2, z: 3}\n",
        "\n# nothing\n",
    ] {
        assert!(agrees(text), "{text}");
    }
}

#[test]
fn a_text_has_its_keys_sorted_and_the_last_of_two_alike() {
    let text = "kind: A\nb: {}\napiVersion: v1\nb:\n  zone: \"q\\\"\\n\"\n  yard: [1]\nmetadata:\n  name: x\n";
    let transcript = transcribe(text.as_bytes()).expect("nothing is unusual");
    let value = goyaml::to_json(text.as_bytes()).expect("it parses");
    assert_eq!(transcript.json, goyaml::json_text_of(&value));
    let head = serde_json::json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "x"}});
    assert_eq!(Value::Object(transcript.head), head);
    assert!(transcribe(b"kind: List\nitems: []\n").is_none());
    assert!(transcribe(b"kind: A\nn: 18446744073709551615\n").is_none());
}

#[test]
fn what_is_unusual_is_left_to_the_real_reader() {
    for text in [
        "a: &x 1\nb: *x\n",
        "a: !!str 1\n",
        "a: {b:c}\n",
        "a: {b}\n",
        "a: [b: c]\n",
        "a: [b c]\n",
        "a: [b]: c\n",
        "a: [-1]\n",
        "a: [b]#c\n",
        "a: [\n b,\n---\n]\n",
        "{a: b}\n",
        "a: |22\n  x\n",
        "a: |\n  no break",
        "a: b: c\n",
        "a:\tb\n",
        "<<: {a: 1}\n",
        "a: 1\n  b: 2\n",
        "- a\nb: 1\n",
        "y: 1\n",
        "--- \na: 1\n",
        "a: \"\\u0041\"\n",
        "plain\n",
        "a: .inf\n",
    ] {
        assert!(!agrees(text), "{text}");
    }
}

#[test]
fn lines_at_random_read_the_same_both_ways() {
    const PARTS: [&str; 57] = [
        "a: 1",
        "b:",
        "c: |",
        "d: |-",
        "e: |+",
        "- x",
        "-",
        "- k: v",
        "# note",
        "",
        "text goes on",
        "q: \"x",
        "end\"",
        "s: 'x",
        "y'",
        "f: [a, 1]",
        "g: {}",
        "h: x # c",
        "x: - y",
        "i: a b",
        "'k': ~",
        "- - z",
        "j: \"a\\n\"",
        "k: ''",
        "l: null",
        "m: 1_000",
        "- \"q\"",
        "n: 0x1F",
        "...",
        "o: a:b",
        "p: a #b",
        "---",
        "r:  ",
        "t: on",
        "u: >",
        "v: >-",
        "w: >+",
        "aa: |2-",
        "q: \"x \\",
        "\\ y \\n  ",
        "z \\",
        "  two",
        "'on': 1",
        "ab: {",
        "ac: [",
        "]",
        "}",
        "b: c,",
        "[a, {b: c}],",
        "{}",
        "[ ] # none",
        "ad: {a: b, c: [d, 'e''f']} # g",
        "- {h: i, \"j\": 1}",
        "k, l",
        "on,",
        "ae: [a, b",
        "- [a, ]",
    ];
    let mut state = 88_172_645_463_325_252_u64;
    let mut below = |end: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % end as u64) as usize
    };
    let mut short = 0;
    for _ in 0..60_000 {
        let mut text = String::new();
        let mut indent = 0;
        for _ in 0..=below(7) {
            indent = match below(4) {
                0 => indent + 2,
                1 => below(3),
                2 => indent,
                _ => indent / 2,
            };
            text.push_str(&" ".repeat(indent));
            text.push_str(PARTS[below(PARTS.len())]);
            text.push('\n');
        }
        if below(4) == 0 {
            text.pop();
        }
        short += u32::from(agrees(&text));
    }
    assert!(short > 1_000, "only {short} went the short way");
}
