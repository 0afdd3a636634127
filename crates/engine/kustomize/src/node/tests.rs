use serde_json::json;

use super::{Node, Scalar, Tag, parse_first};

fn read(text: &str) -> Node {
    parse_first(text.as_bytes()).expect("it parses").expect("it is not empty")
}

#[test]
fn words_of_yaml_1_1_stay_text_and_dates_become_times() {
    let node = read("a: yes\nb: 0777\nc: 2020-01-02\nd: 1e3\ne: !!str 5\nf: 0o17\nn: ~\ng: '1'\n");
    assert_eq!(
        node.to_json().unwrap(),
        json!({"a": "yes", "b": 511, "c": "2020-01-02T00:00:00Z", "d": 1000, "e": "5",
               "f": 15, "n": null, "g": "1"})
    );
}

#[test]
fn times_lose_needless_zeros() {
    let node = read("a: 2001-12-14t21:59:43.10-05:00\nb: 2001-2-3 4:5:6\n");
    assert_eq!(
        node.to_json().unwrap(),
        json!({"a": "2001-12-14T21:59:43.1-05:00", "b": "2001-02-03T04:05:06Z"})
    );
}

#[test]
fn aliases_and_merges_are_written_out() {
    let node = read("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3}\nc: {<<: [{r: 1}, {r: 2, s: 3}]}\n");
    assert_eq!(
        node.to_json().unwrap(),
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
