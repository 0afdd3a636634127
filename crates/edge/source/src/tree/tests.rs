use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;

use filetree::{EntryKind, FileTree, TreeError, TreePath};

use crate::testing::{Fixture, open};
use crate::{Config, Credentials, Freshness, Limits, Sources, TreeOptions};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).expect("a test's path is safe")
}

async fn tree(sources: &Sources, url: &str) -> Arc<dyn FileTree> {
    let repo = open(sources, url);
    let resolved = repo.resolve("HEAD", Freshness::Latest).await.expect("it resolves");
    repo.tree(resolved.commit, &TreeOptions::default()).await.expect("it has a tree")
}

fn limited(dir: &std::path::Path, object_bytes_max: u64) -> Sources {
    let limits = Limits { object_bytes_max, ..Limits::default() };
    Sources::new(Config { allow_file: true, limits, ..Config::new(dir.join("cache")) })
}

#[tokio::test]
async fn files_directories_and_absences_answer_by_path() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(
        &dir.path().join("repo"),
        &[("a/x.yaml", "one"), ("a/b/y.yaml", "two"), ("a.b", "3"), ("run.sh", "#!")],
    );
    let script = made.dir().join("run.sh");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    made.commit(&[]);
    let tree = tree(&limited(dir.path(), 1 << 20), &made.url()).await;

    let entry = tree.entry(&path("a/x.yaml")).unwrap().unwrap();
    assert_eq!(entry.kind, EntryKind::File { size_bytes: 3, executable: false });
    assert_eq!(entry.id.to_string(), made.git(&["rev-parse", "HEAD:a/x.yaml"]));
    let directory = tree.entry(&path("a")).unwrap().unwrap();
    assert_eq!(directory.id.to_string(), made.git(&["rev-parse", "HEAD:a"]));
    let script = tree.entry(&path("run.sh")).unwrap().unwrap().kind;
    assert_eq!(script, EntryKind::File { size_bytes: 2, executable: true });
    assert_eq!(tree.entry(&path("a/none")).unwrap(), None);
    assert_eq!(tree.entry(&path("a/x.yaml/beyond")).unwrap(), None);

    // git sorts `a` as `a/`, after `a.b`; a listing is sorted by name alone.
    let names = |dir: &str| -> Vec<String> {
        let listed = tree.list(&path(dir)).unwrap().unwrap();
        listed.into_iter().map(|listed| listed.name).collect()
    };
    assert_eq!(names(""), ["a", "a.b", "run.sh"]);
    assert_eq!(names("a"), ["b", "x.yaml"]);
    assert_eq!(tree.list(&path("a/x.yaml")).unwrap(), None);
    assert_eq!(tree.list(&path("none")).unwrap(), None);
    assert!(matches!(tree.read(&path("a")), Err(TreeError::IsDirectory { .. })));
    assert!(matches!(tree.read(&path("none")), Err(TreeError::Missing { .. })));
    assert_eq!(&*tree.read(&path("a/b/y.yaml")).unwrap(), b"two");
}

#[tokio::test]
async fn links_are_followed_inside_the_tree_and_refused_where_they_leave_it() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a/b/file", "content"), ("top", "t")]);
    let link = |target: &str, at: &str| symlink(target, made.dir().join(at)).unwrap();
    link("../../top", "a/b/up");
    link("a", "dir");
    link("dir/b/file", "through");
    link("a/b/../../top", "dots");
    link("/etc/passwd", "absolute");
    link("../outside", "outside");
    link("a/../../repo/top", "out-and-in");
    link("loop-2", "loop-1");
    link("loop-1", "loop-2");
    link("nowhere", "dangling");
    link("a/b/", "slash");
    made.commit(&[]);
    let tree = tree(&limited(dir.path(), 1 << 20), &made.url()).await;

    let read =
        |at: &str| tree.read(&path(at)).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert_eq!(read("a/b/up").expect("it reads"), "t");
    assert_eq!(read("dir/b/file").unwrap(), "content");
    assert_eq!(read("dir/b/up").unwrap(), "t");
    assert_eq!(read("through").unwrap(), "content");
    assert_eq!(read("dots").unwrap(), "t");
    assert_eq!(read("slash/file").unwrap(), "content");
    for at in ["absolute", "outside", "out-and-in", "loop-1", "absolute/x"] {
        assert!(matches!(read(at), Err(TreeError::Link { .. })), "{at}: {:?}", read(at));
        assert!(matches!(tree.entry(&path(at)), Err(TreeError::Link { .. })), "{at}");
    }
    // The neighbours of a file that was just found are no other than they are.
    assert_eq!(read("a/b/file").expect("it reads"), "content");
    assert_eq!(read("a/b/up").unwrap(), "t");
    assert_eq!(tree.entry(&path("a/b/none")).expect("it reads"), None);
    assert_eq!(read("a/b/file").expect("it reads"), "content");
    assert!(matches!(read("a/b"), Err(TreeError::IsDirectory { .. })));
    assert_eq!(read("top").expect("it reads"), "t");
    assert!(matches!(read("file"), Err(TreeError::Missing { .. })));
    assert_eq!(tree.entry(&path("dangling")).unwrap(), None);
    let place =
        |at: &str| tree.place(&path(at)).expect("it reads").map(|place| place.as_str().to_owned());
    assert_eq!(place("dir/b/up").as_deref(), Some("top"));
    assert_eq!(place("through").as_deref(), Some("a/b/file"));
    assert_eq!(place("slash").as_deref(), Some("a/b"));
    assert_eq!(place("").as_deref(), Some(""));
    assert_eq!(place("dangling"), None);

    let listed = tree.list(&path("")).unwrap().unwrap();
    let kind = |name: &str| {
        let listed = listed.iter().find(|listed| listed.name == name).unwrap();
        (listed.kind, listed.link)
    };
    assert_eq!(kind("dir"), (Some(EntryKind::Directory), true));
    let file = EntryKind::File { size_bytes: 7, executable: false };
    assert_eq!(kind("through"), (Some(file), true));
    assert_eq!(kind("outside"), (None, true));
    assert_eq!(kind("dangling"), (None, true));
    assert!(!kind("top").1);
    // A link's id is that of what it leads to.
    let id = |at: &str| tree.entry(&path(at)).unwrap().unwrap().id;
    assert_eq!(id("through"), id("a/b/file"));
    let via: Vec<_> = tree.list(&path("dir")).unwrap().unwrap();
    assert_eq!(via, tree.list(&path("a")).unwrap().unwrap());
}

#[tokio::test]
async fn a_file_above_the_limit_is_an_error_before_it_is_inflated() {
    let dir = tempfile::tempdir().unwrap();
    let large = "0".repeat(200_000);
    let made = Fixture::new(&dir.path().join("repo"), &[("large", &large), ("small", "1")]);
    let tree = tree(&limited(dir.path(), 1000), &made.url()).await;
    let too_large = tree.read(&path("large")).unwrap_err();
    assert_eq!(
        too_large,
        TreeError::TooLarge { path: "large".into(), size_bytes: 200_000, limit_bytes: 1000 }
    );
    assert!(tree.read(&path("small")).is_ok());
    let size = tree.entry(&path("large")).unwrap().unwrap().kind;
    assert_eq!(size, EntryKind::File { size_bytes: 200_000, executable: false });
}

#[tokio::test]
async fn what_git_lfs_keeps_is_an_error_where_lfs_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n";
    let made = Fixture::new(&dir.path().join("repo"), &[("big.bin", pointer)]);
    let here = limited(dir.path(), 1 << 20);
    assert_eq!(
        &*tree(&here, &made.url()).await.read(&path("big.bin")).unwrap(),
        pointer.as_bytes()
    );

    let lfs = Arc::new(Credentials { enable_lfs: true, ..Credentials::default() });
    let repo = here.repository(&made.url(), &lfs).unwrap();
    let commit = repo.resolve("HEAD", Freshness::Latest).await.unwrap().commit;
    let tree = repo.tree(commit, &TreeOptions::default()).await.unwrap();
    let error = tree.read(&path("big.bin")).unwrap_err().to_string();
    assert!(error.contains("LFS"), "{error}");
}
