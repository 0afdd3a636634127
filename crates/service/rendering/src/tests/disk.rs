use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crd::ApplicationSource;
use filetree::{EntryKind, FileTree, TreeError, TreePath};
use render::Options;

use crate::{DiskTree, LocalError, render_path};

fn plain() -> ApplicationSource {
    ApplicationSource::default()
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).expect("inside")
}

fn write(root: &Path, file: &str, text: &str) {
    let file = root.join(file);
    fs::create_dir_all(file.parent().expect("a file has a parent")).expect("a directory");
    fs::write(file, text).expect("a file");
}

fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n")
}

#[test]
fn files_are_read_and_git_is_not_there() {
    let root = tempfile::tempdir().expect("a directory");
    write(root.path(), "d/a.txt", "a");
    write(root.path(), ".git/HEAD", "x");
    let tree = DiskTree::new(root.path()).expect("a tree");
    assert_eq!(tree.read(&path("d/a.txt")).expect("bytes").as_ref(), b"a");
    let names: Vec<String> = tree
        .list(&path(""))
        .expect("names")
        .expect("a directory")
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert_eq!(names, ["d"]);
    assert_eq!(tree.entry(&path(".git/HEAD")), Ok(None));
    assert_eq!(tree.entry(&path("nope/x")), Ok(None));
    assert_eq!(tree.entry(&path("d/a.txt/x")), Ok(None));
    assert!(matches!(tree.read(&path("d")), Err(TreeError::IsDirectory { .. })));
    assert!(matches!(tree.read(&path("nope")), Err(TreeError::Missing { .. })));
    let before = tree.entry(&path("d")).expect("an answer").expect("a directory");
    assert_eq!(before.kind, EntryKind::Directory);
    write(root.path(), "d/b.txt", "b");
    assert_ne!(tree.entry(&path("d")).expect("an answer").expect("a directory").id, before.id);
}

#[test]
fn a_file_that_was_listed_may_be_opened_now_and_read_later() {
    let root = tempfile::tempdir().expect("a directory");
    write(root.path(), "d/a.txt", "a");
    symlink("a.txt", root.path().join("d/b.txt")).expect("a link");
    let tree = DiskTree::new(root.path()).expect("a tree");
    assert!(tree.later(&path("d/a.txt")).is_none(), "nobody looked at it yet");
    tree.list(&path("d")).expect("names");
    let read = tree.later(&path("d/a.txt")).expect("an open file");
    fs::remove_file(root.path().join("d/a.txt")).expect("it is there");
    assert_eq!(&*read().expect("bytes"), b"a");
    assert!(tree.later(&path("d/a.txt")).is_none(), "it is gone");
    assert!(tree.later(&path("d/b.txt")).is_none(), "a link is followed");
}

#[test]
fn a_link_is_followed_below_the_root_and_refused_outside() {
    let host = tempfile::tempdir().expect("a directory");
    write(host.path(), "secret", "s");
    let root = host.path().join("root");
    write(&root, "real/a.yaml", "a");
    symlink("../real", root.join("real/loop")).expect("a link");
    symlink("real", root.join("there")).expect("a link");
    symlink(root.join("real"), root.join("absolute")).expect("a link");
    symlink("../secret", root.join("up")).expect("a link");
    symlink("/etc/passwd", root.join("away")).expect("a link");
    symlink("round", root.join("round")).expect("a link");
    symlink("nothing", root.join("dangling")).expect("a link");
    let tree = DiskTree::new(&root).expect("a tree");
    for inside in ["there/a.yaml", "absolute/a.yaml", "real/loop/loop/a.yaml"] {
        assert_eq!(tree.read(&path(inside)).expect(inside).as_ref(), b"a");
        assert_eq!(tree.place(&path(inside)), Ok(Some(path("real/a.yaml"))));
    }
    assert_eq!(tree.place(&path("there/loop")), Ok(Some(path("real"))));
    assert_eq!(tree.place(&path("dangling")), Ok(None));
    for outside in ["up", "away", "round", "up/x"] {
        assert!(matches!(tree.entry(&path(outside)), Err(TreeError::Link { .. })), "{outside}");
    }
    assert_eq!(tree.entry(&path("dangling")), Ok(None));
    let listed = tree.list(&path("")).expect("names").expect("a directory");
    let kinds: Vec<(&str, bool, bool)> =
        listed.iter().map(|one| (one.name.as_str(), one.link, one.kind.is_some())).collect();
    assert_eq!(
        kinds,
        [
            ("absolute", true, true),
            ("away", true, false),
            ("dangling", true, false),
            ("real", false, true),
            ("round", true, false),
            ("there", true, true),
            ("up", true, false)
        ]
    );
}

#[test]
fn a_path_renders_with_the_work_tree_around_it_as_its_root() {
    let root = tempfile::tempdir().expect("a directory");
    write(root.path(), "shared/base.yaml", &map("base"));
    write(root.path(), "apps/web/a.yaml", &map("a"));
    symlink("../../shared/base.yaml", root.path().join("apps/web/b.yaml")).expect("a link");
    let web = root.path().join("apps/web");
    let names = |root| {
        render_path(&web, root, &plain(), &Options::default()).map(|objects| {
            objects.iter().map(|object| object["metadata"]["name"].clone()).collect::<Vec<_>>()
        })
    };
    assert!(matches!(names(None), Err(LocalError::Render(_))), "the link leaves the path");
    assert_eq!(names(Some(root.path())).expect("objects"), ["a", "base"]);
    fs::create_dir(root.path().join(".git")).expect("a directory");
    assert_eq!(names(None).expect("objects"), ["a", "base"]);
}

#[test]
fn a_path_outside_the_root_or_not_there_is_a_wrong_use() {
    let root = tempfile::tempdir().expect("a directory");
    let other = tempfile::tempdir().expect("a directory");
    let outside = render_path(other.path(), Some(root.path()), &plain(), &Options::default());
    assert!(matches!(outside, Err(LocalError::Outside { .. })));
    let missing = render_path(&root.path().join("nope"), None, &plain(), &Options::default());
    assert!(missing.expect_err("nothing there").is_usage());
    write(root.path(), "d/a.yaml", &map("a"));
    write(root.path(), "d/Chart.yaml", "");
    let chart = render_path(&root.path().join("d"), None, &plain(), &Options::default());
    assert!(!chart.expect_err("no chart").is_usage());
}

/// As LoadRestrictionsRootOnly does: it looks at where a file lies, not at the name that leads to it.
#[test]
fn a_kustomizations_link_to_a_file_outside_of_it_is_refused_and_one_to_a_directory_is_a_base() {
    let root = tempfile::tempdir().expect("a directory");
    write(root.path(), "shared/base.yaml", &map("base"));
    write(root.path(), "shared/kustomization.yaml", "resources: [base.yaml]\n");
    write(root.path(), "web/real.yaml", &map("real"));
    for (link, target) in
        [("out.yaml", "../shared/base.yaml"), ("base", "../shared"), ("in.yaml", "real.yaml")]
    {
        symlink(target, root.path().join("web").join(link)).expect("a link");
    }
    let built = |resource: &str| {
        write(root.path(), "web/kustomization.yaml", &format!("resources: [{resource}]\n"));
        render_path(&root.path().join("web"), Some(root.path()), &plain(), &Options::default())
            .map(|objects| objects.len())
            .map_err(|error| error.to_string())
    };
    assert_eq!(built("in.yaml"), Ok(1));
    assert_eq!(built("base"), Ok(1));
    for outside in ["out.yaml", "base/base.yaml"] {
        let refused = built(outside).expect_err("it lies outside");
        assert!(refused.contains("is not in or below 'web'"), "{refused}");
    }
}
