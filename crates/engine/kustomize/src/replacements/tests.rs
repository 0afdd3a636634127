//! Paths, and texts inside fields; whole builds are in `tests/data/builds`.

use super::*;
use crate::node::parse_first;

#[test]
fn a_path_is_cut_at_its_dots() {
    for (path, want) in [
        ("a.b", vec!["a", "b"]),
        (".a.b", vec!["a", "b"]),
        (r"a\.b.c", vec!["a.b", "c"]),
        ("a.[x.y/z].b", vec!["a", "x.y/z", "b"]),
        ("a.[n=x.y].b", vec!["a", "[n=x.y]", "b"]),
        ("a.[b].c", vec!["a", "[b]", "c"]),
        ("a.[b.c", vec!["a", "b.c"]),
        ("", vec![""]),
    ] {
        assert_eq!(split_path(path), want, "{path}");
    }
}

fn found(object: &str, path: &str) -> Result<Option<String>, String> {
    let node = parse_first(object.as_bytes()).expect("it is YAML").expect("it is not empty");
    let found = lookup(&node, &split_path(path)).map_err(|error| error.to_string())?;
    Ok(found.map(|node| node.to_json().expect("it has JSON").to_string()))
}

#[test]
fn a_path_leads_to_one_field() {
    let object = "{a: [{n: x, v: 1}, {n: y, v: 2}], s: [p, q], m: {'8': z}, e: []}";
    let is = |path: &str, want: &str| {
        assert_eq!(found(object, path), Ok(Some(want.to_owned())), "{path}")
    };
    is("a.[n=y].v", "2");
    is("a.0.n", "\"x\"");
    is("a.-.v", "2");
    is("s.[=q]", "\"q\"");
    assert_eq!(found(object, "a.9.n"), Ok(None));
    assert_eq!(found(object, "e.-"), Ok(None));
    assert_eq!(found(object, "x.y.z"), Ok(None));
    assert!(found(object, "m.8").is_err(), "a number is an index, also where there is a map");
    assert!(
        found(object, "a.*").is_err()
            && found(object, "s.p").is_err()
            && found(object, "a.-1").is_err()
    );
}

fn replaced(object: &str, path: &str, value: &str, create: bool) -> Result<String, String> {
    let mut node = parse_first(object.as_bytes()).expect("it is YAML").expect("it is not empty");
    let target = TargetSelector {
        field_paths: vec![path.to_owned()],
        options: Some(FieldOptions { create, ..FieldOptions::default() }),
        ..TargetSelector::default()
    };
    let value = Node::Scalar(Scalar::unset(value.to_owned()));
    let mut copied = Copied { value, live: None };
    copy_to(&mut node, &mut copied, false, &target).map_err(|error| error.to_string())?;
    Ok(node.to_json().map_err(|error| error.to_string())?.to_string())
}

#[test]
fn a_name_in_brackets_is_an_expression_that_need_not_match_all() {
    let object = "{c: [{n: web, i: 1}, {n: my-web, i: 2}, {n: db, i: 3}]}";
    let all = replaced(object, "c.[n=web].i", "9", false);
    assert_eq!(
        all.as_deref(),
        Ok(r#"{"c":[{"i":9,"n":"web"},{"i":9,"n":"my-web"},{"i":3,"n":"db"}]}"#)
    );
    let one = replaced(object, "c.[n=^web$].i", "9", false);
    assert_eq!(
        one.as_deref(),
        Ok(r#"{"c":[{"i":9,"n":"web"},{"i":2,"n":"my-web"},{"i":3,"n":"db"}]}"#)
    );
}

#[test]
fn text_inside_text_is_written_as_it_was() {
    let object = "t: |\n  # first\n  a: 1 # one\n\n  b:\n  - name: \"x\"\n    v: 'y'\n";
    let made = replaced(object, "t.b.[name=x].v", "new", false).expect("it is there");
    assert_eq!(made, r##"{"t":"# first\na: 1 # one\nb:\n- name: \"x\"\n  v: 'new'"}"##);
    let made = replaced("{j: '[{\"a\": \"<b>\"}]'}", "j.0.a", "<c>", false).expect("it is there");
    assert_eq!(made, r#"{"j":"[{\"a\":\"\\u003cc\\u003e\"}]"}"#);
}

#[test]
fn no_path_makes_a_replacement_panic() {
    let pieces = [
        "a", "b", ".", "[", "]", "=", "*", "-", "0", "1", "99", "[n=x]", "[=p]", "\\", "(", "t",
        "é",
    ];
    let object = "{a: [{n: x, b: {a: 1}}, p, null], b: null, t: 'a: [1, {b: 2}]', e: ''}";
    for seed in 0..4_000_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut path = String::new();
        for _ in 0..seed % 8 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            path.push_str(pieces[(state >> 11) as usize % pieces.len()]);
        }
        let _ = replaced(object, &path, "v", seed % 2 == 0);
        let _ = found(object, &path);
    }
}
