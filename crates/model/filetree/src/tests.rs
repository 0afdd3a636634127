use std::sync::Arc;

use crate::{EntryKind, FileTree, MapTree, Question, Recording, TreeError, TreePath};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).expect("a test's path is safe")
}

#[test]
fn a_path_never_climbs_above_the_root() {
    assert_eq!(path("/a/./b//../c").as_str(), "a/c");
    assert!(TreePath::parse("a/../../b").is_err());
    assert!(path("apps/web").starts_with(&path("apps")));
    assert!(!path("apps-2").starts_with(&path("apps")));
}

#[test]
fn a_directory_lists_its_names_and_a_missing_one_is_none() {
    let tree = MapTree::new().with(&path("a/x.yaml"), "1").with(&path("a/b/y.yaml"), "2");
    let names: Vec<_> =
        tree.list(&path("a")).unwrap().unwrap().into_iter().map(|l| l.name).collect();
    assert_eq!(names, ["b", "x.yaml"]);
    assert_eq!(tree.list(&path("nope")).unwrap(), None);
    assert!(matches!(tree.read(&path("a")), Err(TreeError::IsDirectory { .. })));
    assert!(matches!(tree.read(&path("z")), Err(TreeError::Missing { .. })));
}

#[test]
fn a_read_set_holds_until_something_that_was_read_changes() {
    let before = MapTree::new().with(&path("a/x.yaml"), "1").with(&path("b.yaml"), "2");
    let recording = Recording::new(Arc::new(before.clone()));
    recording.list(&path("a")).unwrap();
    recording.read(&path("a/x.yaml")).unwrap();
    recording.entry(&path("a/Chart.yaml")).unwrap();
    let seen = recording.read_set();

    assert!(seen.holds_in(&before));
    assert!(seen.holds_in(&before.clone().with(&path("b.yaml"), "other")), "was never read");
    let changed = before.clone().with(&path("a/x.yaml"), "other");
    assert!(!seen.holds_in(&changed), "content changed");
    let at = (path("a/x.yaml"), Question::Entry);
    assert_eq!(seen.first_change(&changed), Some((&at.0, at.1)));
    assert!(seen.differs_at(&changed, &at) && !seen.differs_at(&before, &at));
    assert!(!seen.differs_at(&changed, &(path("b.yaml"), Question::Entry)), "was never read");
    assert!(!seen.holds_in(&before.clone().with(&path("a/new.yaml"), "")), "a name was added");
    assert!(!seen.holds_in(&before.with(&path("a/Chart.yaml"), "")), "an absence ended");
}

#[test]
fn asking_whether_a_directory_is_there_does_not_tie_to_what_it_holds() {
    let before = MapTree::new().with(&path("a/x.yaml"), "1").with(&path("b.yaml"), "2");
    let recording = Recording::new(Arc::new(before.clone()));
    assert_eq!(recording.kind(&path("a")).unwrap(), Some(EntryKind::Directory));
    assert_eq!(recording.kind(&path("c")).unwrap(), None);
    let seen = recording.read_set();
    assert!(seen.holds_in(&before.clone().with(&path("a/x.yaml"), "other")));
    assert!(!seen.holds_in(&MapTree::new().with(&path("a"), "a file")));
    assert!(!seen.holds_in(&before.with(&path("c/d"), "")), "an absence ended");
}
