//! What selectors choose.

use super::*;
use crate::node::parse_first;
use crate::resource::Origin;

fn labels(text: &str) -> Option<Node> {
    parse_first(text.as_bytes()).expect("it is YAML")
}

/// A selector, and whether it chooses `{app: web, tier: "3", empty: ""}`.
const CASES: &[(&str, bool)] = &[
    ("", true),
    ("app", true),
    ("!app", false),
    ("! gone", true),
    ("app=web", true),
    ("app==web,tier=3", true),
    ("app = web , tier != 4", true),
    ("app!=web", false),
    ("gone!=x", true),
    ("app in (web, api)", true),
    ("app in (api)", false),
    ("app notin (api,cron)", true),
    ("gone notin (api)", true),
    ("gone in (api)", false),
    ("tier>2", true),
    ("tier<3", false),
    ("app>2", false),
    ("empty=", true),
    ("empty in ()", true),
    ("empty in (,x)", true),
    ("empty", true),
    ("in", false),
    ("in in (in)", false),
];

#[test]
fn labels_are_chosen_as_kubernetes_does() {
    let labels = labels("{app: web, tier: \"3\", empty: \"\"}");
    for (text, want) in CASES {
        let selector = LabelSelector::parse(text).expect("it is a selector");
        assert_eq!(selector.matches(labels.as_ref()), *want, "{text}");
    }
}

#[test]
fn what_is_no_selector_says_what_was_found() {
    for (text, words) in [
        ("app in web", "unable to parse requirement: found 'web' expected: '('"),
        (
            "app web",
            "unable to parse requirement: found 'web', expected: '=', '!=', '==', 'in', notin'",
        ),
        ("app,", "found '', expected: identifier after ','"),
        ("=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("app=web)", "found ')', expected: ',' or 'end of string'"),
        (
            "a/b/c",
            "unable to parse requirement: invalid label key \"a/b/c\": a qualified name must",
        ),
        ("app=a b", "found 'b', expected: ',' or 'end of string'"),
        (
            "tier>x",
            "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("app=-x", "unable to parse requirement: invalid label value: \"-x\": at key: \"app\":"),
    ] {
        let refused = LabelSelector::parse(text).expect_err("it is none").to_string();
        assert!(refused.starts_with(words), "{text}: {refused}");
    }
}

#[test]
fn parts_of_an_id_are_whole_expressions_of_the_first_or_the_last_name() {
    let text = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web-1, namespace: shop}}";
    let mut resource = Resource::new(labels(text).expect("it is not empty"), Origin::default());
    resource.store_previous_id();
    resource.set_name("p-web-1");
    let chooses = |part: &str, pattern: &str| {
        let mut selector = Selector::default();
        let place = match part {
            "group" => &mut selector.id.gvk.group,
            "version" => &mut selector.id.gvk.version,
            "kind" => &mut selector.id.gvk.kind,
            "name" => &mut selector.id.name,
            _ => &mut selector.id.namespace,
        };
        *place = pattern.to_owned().into();
        Matcher::new(&selector).expect("it is an expression").selects(&resource)
    };
    assert!(chooses("name", "web-1") && chooses("name", "p-web-1") && chooses("name", "w.*|x"));
    assert!(!chooses("name", "web") && !chooses("name", "eb-1"));
    assert!(
        chooses("name", r"[\w-]+\d")
            && chooses("name", r"(?i)WEB-\d")
            && chooses("name", "[[:alnum:]-]*")
    );
    assert!(chooses("group", "apps") && !chooses("group", "app") && chooses("version", "v[12]"));
    assert!(chooses("namespace", "shop|other") && !chooses("namespace", "default"));
    assert!(chooses("kind", "") && chooses("kind", "Deploy.*") && !chooses("kind", "deployment"));
}

#[test]
fn an_expression_that_is_none_is_refused() {
    for text in ["(", "a{2,1}", "[z-a]", "\\", "(?<n", "a**", "a+?*", "x{1001}", "x{2}{3}"] {
        let refused = go_regex(text);
        assert!(refused.is_err(), "{text}");
    }
}

#[test]
fn no_text_makes_a_selector_panic() {
    let pieces = [
        "app",
        "=",
        "==",
        "!=",
        "!",
        "in",
        "notin",
        "(",
        ")",
        ",",
        " ",
        "<",
        ">",
        "/",
        "é",
        "\u{0}",
        "[",
        "]",
        "^",
        "\\",
        "\\d",
        "[:alpha:]",
        ":]",
        "{",
        "}",
        "*",
        "+",
        "?",
        "|",
        "&&",
        "~~",
        "--",
        "(?i)",
        "\\b",
        "\\Q",
    ];
    for seed in 0..3_000_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut text = String::new();
        for _ in 0..seed % 9 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text.push_str(pieces[(state >> 11) as usize % pieces.len()]);
        }
        let _ = LabelSelector::parse(&text);
        let _ = go_regex(&text);
    }
}
