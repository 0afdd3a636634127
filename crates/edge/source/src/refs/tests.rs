use gix::ObjectId;

use super::{Meaning, RefList, RefTarget, Revision};

fn id(digit: u8) -> ObjectId {
    ObjectId::from_hex(&[digit; 40]).expect("hex")
}

fn list(refs: &[(&str, u8)]) -> RefList {
    let mut list = RefList::default();
    list.insert("HEAD".into(), RefTarget::Name("refs/heads/main".into()));
    for (name, digit) in refs {
        list.insert((*name).into(), RefTarget::Object { id: id(*digit), peeled: None });
    }
    list
}

fn name_of(list: &RefList, text: &str, tag_prefix: &str) -> String {
    match list.meaning(Revision { text, tag_prefix }) {
        Meaning::Named { name, .. } => name,
        other => format!("{other:?}"),
    }
}

#[test]
fn a_revision_means_what_upstream_takes_it_for() {
    let refs = list(&[
        ("refs/heads/main", b'1'),
        ("refs/heads/feature/x", b'2'),
        ("refs/heads/1.x", b'3'),
        ("refs/heads/7.x", b'3'),
        ("refs/heads/abcdef1", b'4'),
        ("refs/tags/v1.2.0", b'5'),
        ("refs/tags/v1.3.0", b'6'),
        ("refs/tags/2.0", b'7'),
        ("refs/tags/both", b'7'),
        ("refs/heads/both", b'8'),
        ("refs/remotes/origin/main", b'9'),
        ("refs/pull/1/head", b'a'),
    ]);
    for (text, name) in [
        ("", "HEAD"),
        ("HEAD", "HEAD"),
        ("main", "refs/heads/main"),
        ("refs/heads/main", "refs/heads/main"),
        ("feature/x", "refs/heads/feature/x"),
        ("abcdef1", "refs/heads/abcdef1"),
        ("v1.2.0", "refs/tags/v1.2.0"),
        ("1.x", "refs/tags/v1.3.0"),
        ("7.x", "refs/heads/7.x"),
        ("^1.2", "refs/tags/v1.3.0"),
        ("*", "refs/tags/2.0"),
        ("2.0", "refs/tags/2.0"),
        ("both", "refs/tags/both"),
        ("origin/main", "refs/remotes/origin/main"),
        ("pull/1/head", "refs/pull/1/head"),
    ] {
        assert_eq!(name_of(&refs, text, ""), name, "{text:?}");
    }
    let upper = "ABCDEF0123456789ABCDEF0123456789ABCDEF01";
    assert!(matches!(refs.meaning(upper.into()), Meaning::Commit(_)));
    assert_eq!(refs.meaning("ABCDEF2".into()), Meaning::Abbreviated("abcdef2".into()));
    for unknown in ["abcdef", "1.2.0", "heads/main", "refs/heads/none", ">9"] {
        assert!(matches!(refs.meaning(unknown.into()), Meaning::Unknown { .. }), "{unknown}");
    }
}

#[test]
fn a_tag_prefix_chooses_among_the_versions_of_one_component() {
    let refs = list(&[
        ("refs/tags/web-v1.0.0", b'1'),
        ("refs/tags/web-v1.4.0", b'2'),
        ("refs/tags/api-v1.9.0", b'3'),
        ("refs/heads/main", b'4'),
    ]);
    assert_eq!(name_of(&refs, "1.x", "web-"), "refs/tags/web-v1.4.0");
    assert_eq!(name_of(&refs, "v1.0.0", "web-"), "refs/tags/web-v1.0.0");
    assert_eq!(name_of(&refs, "main", "web-"), "refs/heads/main");
}

#[test]
fn what_is_unknown_comes_with_a_hint() {
    let refs = list(&[("refs/heads/main", b'1'), ("refs/tags/v1.0.0", b'2')]);
    let hint = |text: &str| match refs.meaning(text.into()) {
        Meaning::Unknown { hint } => hint,
        other => panic!("{other:?}"),
    };
    assert_eq!(hint("master"), "; did you mean `main`?");
    assert_eq!(hint("Main"), "; did you mean `main`?");
    assert_eq!(hint("1.0.0"), "; did you mean `v1.0.0`?");
    assert_eq!(hint("^2"), "; none of its 1 tags fits the constraint");
    assert_eq!(
        list(&[]).meaning("main".into()),
        Meaning::Unknown { hint: "; it has no commits yet".into() }
    );
}
