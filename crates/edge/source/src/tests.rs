//! Repositories on this host, from revision to file.

use std::sync::Arc;

use filetree::{EntryKind, FileTree, Recording, TreePath};
use tokio::sync::mpsc;

use crate::testing::{Fixture, PATIENCE, git, open, sources};
use crate::{
    Config, Credentials, Freshness, Remedy, Repository, SourceError, Sources, TreeOptions,
};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).expect("a test's path is safe")
}

async fn commit_of(repo: &Repository, revision: &str) -> Result<String, SourceError> {
    repo.resolve(revision, Freshness::Latest).await.map(|resolved| resolved.commit.to_string())
}

async fn tree_of(repo: &Repository, revision: &str) -> Arc<dyn FileTree> {
    let resolved = repo.resolve(revision, Freshness::Latest).await.expect("it resolves");
    repo.tree(resolved.commit, &TreeOptions::default()).await.expect("it has a tree")
}

#[tokio::test]
async fn every_kind_of_revision_leads_to_its_commit() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    let first = made.head();
    made.git(&["tag", "v1.0.0"]);
    made.git(&["tag", "-a", "-m", "annotated", "v1.1.0"]);
    made.git(&["branch", "release/1"]);
    let second = made.commit(&[("a.yaml", "2")]);
    made.git(&["tag", "v2.0.0"]);
    made.git(&["pack-refs", "--all"]);
    made.git(&["branch", "loose"]);

    let repo = open(&sources(dir.path()), &made.url());
    for (revision, commit) in [
        ("", &second),
        ("HEAD", &second),
        ("main", &second),
        ("loose", &second),
        ("release/1", &first),
        ("refs/heads/release/1", &first),
        ("v1.0.0", &first),
        ("v1.1.0", &first),
        ("1.x", &first),
        ("*", &second),
        (&first[..7], &first),
        (&first[..12], &first),
        (&first.to_uppercase(), &first),
    ] {
        assert_eq!(commit_of(&repo, revision).await.as_ref(), Ok(commit), "{revision:?}");
    }
    let resolved = repo.resolve("1.x", Freshness::Known).await.unwrap();
    assert_eq!(resolved.reference.as_deref(), Some("refs/tags/v1.1.0"));
}

#[tokio::test]
async fn what_is_not_there_is_named_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    let here = sources(dir.path());
    let repo = open(&here, &made.url());
    let error = commit_of(&repo, "master").await.unwrap_err();
    assert_eq!(error.remedy(), Remedy::NewCommit);
    let said = error.to_string();
    assert!(said.contains("`master`") && said.contains("did you mean `main`?"), "{said}");
    assert!(commit_of(&repo, "abcdef1").await.is_err());

    let absent = "0123456789012345678901234567890123456789";
    let known = commit_of(&repo, absent).await.unwrap();
    let tree = repo.tree(known.parse().unwrap(), &TreeOptions::default()).await;
    assert!(matches!(tree.err(), Some(SourceError::UnknownRevision { .. })));

    let nowhere = open(&here, "file:///nowhere/at/all");
    let error = commit_of(&nowhere, "main").await.unwrap_err();
    assert!(matches!(error, SourceError::NotFound { .. }), "{error}");

    let locked = Sources::new(Config::new(dir.path()));
    let refused = locked.repository(&made.url(), &Arc::new(Credentials::default()));
    assert!(matches!(refused.err(), Some(SourceError::FileNotAllowed { .. })));
}

#[tokio::test]
async fn a_new_commit_is_seen_at_once_when_the_latest_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    let repo = open(&sources(dir.path()), &made.url());
    assert_eq!(commit_of(&repo, "main").await.unwrap(), made.head());
    let next = made.commit(&[("a.yaml", "2")]);
    assert_eq!(commit_of(&repo, "main").await.unwrap(), next);
    assert_eq!(&*tree_of(&repo, "main").await.read(&path("a.yaml")).unwrap(), b"2");

    // Repacked and pruned, with everything in other files than before.
    made.git(&["gc", "-q", "--prune=now"]);
    let last = made.commit(&[("a.yaml", "3")]);
    made.git(&["repack", "-q", "-a", "-d"]);
    assert_eq!(commit_of(&repo, "main").await.unwrap(), last);
    assert_eq!(&*tree_of(&repo, "main").await.read(&path("a.yaml")).unwrap(), b"3");
}

#[tokio::test]
async fn bare_repositories_linked_work_trees_and_borrowed_objects_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    let at = |name: &str| dir.path().join(name).display().to_string();
    made.git(&["branch", "other"]);
    made.git(&["worktree", "add", "-q", &at("linked"), "other"]);
    git(dir.path(), &["clone", "-q", "--bare", &at("repo"), &at("bare.git")]);
    git(dir.path(), &["clone", "-q", "--shared", &at("repo"), &at("borrowing")]);
    git(&dir.path().join("linked"), &["commit", "-q", "--allow-empty", "-m", "on other"]);
    let on_other = git(&dir.path().join("linked"), &["rev-parse", "HEAD"]);

    let here = sources(dir.path());
    for (name, head) in
        [("bare.git", made.head()), ("borrowing", made.head()), ("linked", on_other)]
    {
        let repo = open(&here, &format!("file://{}", at(name)));
        assert_eq!(commit_of(&repo, "HEAD").await, Ok(head), "{name}");
        assert_eq!(&*tree_of(&repo, "HEAD").await.read(&path("a.yaml")).unwrap(), b"1", "{name}");
        assert!(commit_of(&repo, "main").await.is_ok(), "{name}");
    }
}

#[tokio::test]
async fn a_commit_tells_its_author_dates_message_and_tags() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    let first = made.head();
    made.git(&["tag", "v1"]);
    made.git(&["tag", "-a", "-m", "x", "v2"]);
    let second = made.commit(&[]);
    made.git(&["tag", "v3"]);
    let repo = open(&sources(dir.path()), &made.url());
    let said = repo.metadata(first.parse().unwrap()).await.unwrap();
    assert_eq!(said.author, "Ann <ann@example.com>");
    assert_eq!((said.author_date_s, said.commit_date_s), (1_700_000_000, 1_700_000_100));
    assert_eq!(said.message, "change\n\nthe body");
    assert_eq!(said.tags, ["v1", "v2"]);
    let said = repo.metadata(second.parse().unwrap()).await.unwrap();
    assert_eq!(said.parents, [first.parse().unwrap()]);
}

#[tokio::test]
async fn two_commits_differ_in_the_files_that_git_says() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(
        &dir.path().join("repo"),
        &[("same", "0"), ("edited", "1"), ("gone/a", "2"), ("gone/b/c", "3"), ("turns", "4")],
    );
    let before = made.head();
    made.git(&["rm", "-q", "-r", "gone", "turns"]);
    let after = made.commit(&[("edited", "9"), ("new/deep/file", "5"), ("turns/into", "6")]);
    let repo = open(&sources(dir.path()), &made.url());
    let changed =
        repo.changed_paths(before.parse().unwrap(), after.parse().unwrap()).await.unwrap();
    let git_says = made.git(&["diff", "--no-renames", "--name-only", &before, &after]);
    let mut expected: Vec<_> = git_says.lines().collect();
    expected.sort_unstable();
    assert_eq!(changed, expected);
    assert_eq!(changed.len(), 6);
}

#[tokio::test]
async fn submodules_are_mounted_and_theirs_too_unless_switched_off() {
    let dir = tempfile::tempdir().unwrap();
    let deep = Fixture::new(&dir.path().join("deep"), &[("deep.yaml", "deep")]);
    let lib = Fixture::new(&dir.path().join("lib"), &[("lib.yaml", "lib")]);
    lib.git(&["submodule", "--quiet", "add", "../deep", "inner/deep"]);
    let lib_head = lib.commit(&[]);
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    made.git(&["submodule", "--quiet", "add", &lib.url(), "vendor/lib"]);
    std::os::unix::fs::symlink("vendor/lib/lib.yaml", made.dir().join("linked.yaml")).unwrap();
    made.commit(&[]);
    // What the submodule's branch does later changes nothing.
    lib.commit(&[("lib.yaml", "later")]);
    deep.commit(&[("deep.yaml", "later")]);

    let here = sources(dir.path());
    let repo = open(&here, &made.url());
    // `../deep` is relative to where the lib repository is.
    let tree = tree_of(&repo, "main").await;
    assert_eq!(&*tree.read(&path("vendor/lib/lib.yaml")).unwrap(), b"lib");
    assert_eq!(&*tree.read(&path("vendor/lib/inner/deep/deep.yaml")).unwrap(), b"deep");
    assert_eq!(&*tree.read(&path("linked.yaml")).unwrap(), b"lib");
    let kind = tree.list(&path("vendor")).unwrap().unwrap()[0].kind;
    assert_eq!(kind, Some(EntryKind::Directory));

    let resolved = repo.resolve("main", Freshness::Known).await.unwrap();
    let off = TreeOptions { submodules: false, ..TreeOptions::default() };
    let tree = repo.tree(resolved.commit, &off).await.unwrap();
    let entry = tree.entry(&path("vendor/lib")).unwrap().unwrap();
    assert_eq!(entry.kind, EntryKind::Submodule);
    assert_eq!(entry.id.to_string(), lib_head);
    assert_eq!(tree.entry(&path("vendor/lib/lib.yaml")).unwrap(), None);

    std::fs::remove_dir_all(deep.dir()).unwrap();
    let fresh = open(&sources(dir.path()), &made.url());
    let error = fresh.tree(resolved.commit, &TreeOptions::default()).await.err().unwrap();
    assert!(matches!(error, SourceError::Submodule { .. }), "{error}");
}

#[tokio::test]
async fn a_read_set_of_one_commit_holds_in_another_that_touched_none_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a/x.yaml", "1"), ("b/y.yaml", "2")]);
    let repo = open(&sources(dir.path()), &made.url());
    let recording = Recording::new(tree_of(&repo, "main").await);
    recording.list(&path("a")).unwrap();
    recording.read(&path("a/x.yaml")).unwrap();
    recording.entry(&path("a/Chart.yaml")).unwrap();
    let seen = recording.read_set();
    made.commit(&[("b/y.yaml", "other")]);
    assert!(seen.holds_in(&*tree_of(&repo, "main").await));
    made.commit(&[("a/new.yaml", "")]);
    assert!(!seen.holds_in(&*tree_of(&repo, "main").await));
}

#[tokio::test]
async fn a_watched_local_repository_tells_of_each_change_and_of_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let made = Fixture::new(&dir.path().join("repo"), &[("a.yaml", "1")]);
    let here = sources(dir.path());
    let (told, mut heard) = mpsc::unbounded_channel();
    here.on_change(Box::new(move |url| told.send(url.to_owned()).expect("the test listens")));
    let repo = open(&here, &made.url());
    let watch = here.watch(&repo).await;

    let mut hear = async || {
        tokio::time::timeout(PATIENCE, heard.recv()).await.expect("it is told").expect("open")
    };
    let second = made.commit(&[("a.yaml", "2")]);
    assert_eq!(hear().await, made.url());
    let resolved = repo.resolve("main", Freshness::Known).await.unwrap();
    assert_eq!(resolved.commit.to_string(), second);

    made.git(&["tag", "v1"]);
    hear().await;
    made.git(&["branch", "in/a/new/directory"]);
    hear().await;
    made.git(&["checkout", "-q", "--detach", "HEAD"]);
    hear().await;

    // Packing moves files and changes nothing; the event after it is the next one heard.
    made.git(&["pack-refs", "--all"]);
    made.git(&["gc", "-q"]);
    std::fs::write(made.dir().join("untracked"), "x").unwrap();
    made.git(&["branch", "last"]);
    hear().await;
    let names = repo.names(Freshness::Known).await.unwrap();
    assert!(names.branches.contains(&"last".to_owned()), "{names:?}");

    drop(watch);
    made.git(&["branch", "unheard"]);
    let resolved = repo.resolve("unheard", Freshness::Known).await;
    assert!(resolved.is_ok(), "unwatched, it is asked");
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_repository_that_is_replaced_by_another_is_read_and_followed_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = dir.path().join("repo");
    let made = Fixture::new(&place, &[("a.yaml", "1"), ("b.yaml", "of the first")]);
    let here = sources(dir.path());
    let (told, mut changes) = mpsc::unbounded_channel();
    here.on_change(Box::new(move |_| told.send(()).unwrap_or_default()));
    let repo = open(&here, &made.url());
    let _watch = here.watch(&repo).await;
    assert_eq!(&*tree_of(&repo, "main").await.read(&path("a.yaml")).expect("it is there"), b"1");

    std::fs::remove_dir_all(&place).expect("it was there");
    let other = Fixture::new(&place, &[("a.yaml", "2")]);
    let known = || async { repo.resolve("main", Freshness::Known).await };
    let mut follows = async |wanted: &str| loop {
        if known().await.is_ok_and(|resolved| resolved.commit.to_string() == wanted) {
            return;
        }
        changes.recv().await;
    };
    tokio::time::timeout(PATIENCE, follows(&other.head())).await.expect("it is found again");
    let tree = tree_of(&repo, "main").await;
    assert_eq!(&*tree.read(&path("a.yaml")).expect("it is there"), b"2");
    assert!(tree.read(&path("b.yaml")).is_err(), "that was in the other one");
}

#[tokio::test]
async fn a_repository_that_takes_the_place_of_another_is_seen_when_the_latest_is_asked_for() {
    let dir = tempfile::tempdir().expect("a directory");
    let place = dir.path().join("repo");
    let made = Fixture::new(&place, &[("a.yaml", "1")]);
    let other = Fixture::new(&dir.path().join("other"), &[("a.yaml", "2")]);
    let repo = open(&sources(dir.path()), &made.url());
    assert_eq!(commit_of(&repo, "main").await.expect("it resolves"), made.head());
    let wanted = other.head();
    std::fs::rename(&place, dir.path().join("before")).expect("it moves");
    std::fs::rename(dir.path().join("other"), &place).expect("it moves");
    assert_eq!(commit_of(&repo, "main").await.expect("it resolves"), wanted);
    assert_eq!(&*tree_of(&repo, "main").await.read(&path("a.yaml")).expect("it is there"), b"2");
}
