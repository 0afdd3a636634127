//! Documents made to cost much.

use crate::{Duplicates, Limits, to_json, to_json_with};

fn laughs(levels: usize, width: usize) -> String {
    let mut text = String::from("a0: &a0 lol\n");
    for level in 1..=levels {
        let items = vec![format!("*a{}", level - 1); width].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    text
}

#[test]
fn a_billion_laughs_are_refused_as_go_does() {
    let error = to_json(laughs(9, 10).as_bytes()).expect_err("too many");
    assert_eq!(error.to_string(), "yaml: document contains excessive aliasing");
    assert!(to_json(laughs(2, 5).as_bytes()).is_ok());
}

#[test]
fn an_anchor_inside_itself_is_refused() {
    let error = to_json(b"a: &a [*a]").expect_err("endless");
    assert_eq!(error.to_string(), "yaml: anchor 'a' value contains itself");
}

#[test]
fn depth_is_bounded_however_it_is_made() {
    for text in ["[".repeat(5_000), "{a: ".repeat(5_000), "- ".repeat(5_000), {
        (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect()
    }] {
        let error = to_json(text.as_bytes()).expect_err("too deep");
        assert_eq!(error.problem(), "exceeded max depth of 1000");
    }
    for text in ["[".repeat(12_000), "{a: ".repeat(12_000), "- ".repeat(12_000)] {
        let error = to_json(text.as_bytes()).expect_err("too deep for Go too");
        assert_eq!(error.problem(), "exceeded max depth of 10000");
    }
    let chain: String = (1..1_500)
        .fold("a0: &a0 x\n".to_owned(), |text, at| format!("{text}a{at}: &a{at} [*a{}]\n", at - 1));
    let error = to_json(chain.as_bytes()).expect_err("too deep");
    assert!(error.problem().contains("exceeded max depth") || error.problem().contains("aliasing"));
}

#[test]
fn nodes_are_bounded() {
    let limits = Limits { depth_max: 10, nodes_max: 100 };
    let read = |count: usize| {
        let text = format!("[{}]", "1,".repeat(count));
        to_json_with(text.as_bytes(), Duplicates::LastWins, &limits)
    };
    assert!(read(90).is_ok());
    assert_eq!(read(200).expect_err("too many").problem(), "document has more than 100 nodes");
}
