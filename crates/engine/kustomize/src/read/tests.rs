use super::resources;
use crate::resource::Origin;

fn names(text: &str) -> Vec<String> {
    let found = resources(text.as_bytes(), &Origin::default()).expect("it is good");
    found.iter().map(|resource| format!("{}/{}", resource.kind(), resource.name())).collect()
}

fn refused(text: &str) -> String {
    let error = resources(text.as_bytes(), &Origin::default()).expect_err("it is bad");
    error.error.to_string()
}

#[test]
fn documents_are_cut_at_lines_of_dashes() {
    let one = "kind: A\nmetadata: {name: a}\n";
    assert_eq!(names(one), ["A/a"]);
    assert_eq!(names(&format!("---\n{one}---\n---\n# nothing\n--- # next\n{one}")), ["A/a", "A/a"]);
    assert_eq!(names(&format!("{one}---")), ["A/a"]);
    assert_eq!(names(""), Vec::<String>::new());
    assert!(refused(&format!("{one}---x\n{one}")).contains("invalid document separator: ---x"));
}

#[test]
fn lists_give_their_items_to_the_end() {
    let item = |name: &str| format!("- kind: A\n  metadata: {{name: {name}}}\n");
    let list = format!("kind: AList\nitems:\n{}{}", item("a"), item("b"));
    assert_eq!(names(&list), ["A/a", "A/b"]);
    assert_eq!(
        names(&format!("{list}---\nkind: C\nmetadata: {{name: c}}\n")),
        ["C/c", "A/a", "A/b"]
    );
    assert_eq!(names("kind: AList\nitems: null\n"), Vec::<String>::new());
}

#[test]
fn an_object_needs_a_kind_and_a_name() {
    assert_eq!(
        refused("apiVersion: v1\nkind: A\nmetadata: {generateName: x}\n"),
        "missing metadata.name in object {{v1 A} {{ } map[] map[]}}"
    );
    assert_eq!(refused("metadata: {name: x}\n"), "missing kind in object {{ } {{x } map[] map[]}}");
    assert_eq!(refused("a: b\n"), "missing Resource metadata");
}
