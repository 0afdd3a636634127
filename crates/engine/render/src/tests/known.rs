//! Directories of which files are known: what is shared, and that the answer is the same.

use std::sync::{Arc, Mutex};

use crd::ApplicationSourceDirectory;
use filetree::{ContentId, Entry, FileTree, Listed, MapTree, TreeError, TreePath};

use super::directory::{at, input, map, names, render_with, tree, with_directory};
use crate::{
    ChartMeans, KnownFiles, Options, Reach, RenderError, RenderedSource, render_source_again,
};

/// A tree that notes which files are read.
struct Noting {
    files: MapTree,
    read: Mutex<Vec<String>>,
}

impl FileTree for Noting {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        self.files.entry(path)
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        self.read.lock().expect("no reader panics").push(path.to_string());
        self.files.read(path)
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        self.files.list(path)
    }
}

fn everything() -> crd::ApplicationSource {
    let recurse = ApplicationSourceDirectory { recurse: true, ..Default::default() };
    with_directory("app", recurse)
}

/// Renders `after` with what `before` gave; answers, what was read, and of each object whether it
/// is one of those before.
fn again(
    before: &MapTree,
    after: &MapTree,
    source: &crd::ApplicationSource,
    options: &Options,
) -> (Result<RenderedSource, RenderError>, Vec<String>, Vec<bool>) {
    let first = render_with(before, source, options).expect("objects");
    let content_of = |file: &str| -> Option<ContentId> {
        let path = TreePath::parse(file).expect("inside");
        before.entry(&path).expect("a map answers").map(|entry| entry.id)
    };
    let known = KnownFiles::of_directory(&first.objects, content_of);
    let noting = Noting { files: after.clone(), read: Mutex::default() };
    let means = ChartMeans {
        cache: &helm::Cache::default(),
        profile: helm::Profile::default(),
        chance: &mut sprig::Stable::new([7; 32], 0),
        should_stop: &mut || false,
        limits: helm::Limits::default(),
    };
    let reach = Reach::default();
    let second = render_source_again(&noting, &input(source, options, &reach), means, &known);
    let plain = render_with(after, source, options);
    match (&second, &plain) {
        (Ok(second), Ok(plain)) => {
            let told = |one: &RenderedSource| {
                let objects = one.objects.iter().map(|one| (one.object.clone(), one.hash));
                (objects.collect::<Vec<_>>(), names(one), one.notes.clone())
            };
            assert_eq!(told(second), told(plain));
        }
        (Err(second), Err(plain)) => assert_eq!(second.to_string(), plain.to_string()),
        _ => panic!("{second:?}\n{plain:?}"),
    }
    let shared = |one: &desired::DesiredObject| {
        first.objects.iter().any(|known| Arc::ptr_eq(&known.object, &one.object))
    };
    let objects = second.as_ref().map(|second| second.objects.as_slice()).unwrap_or_default();
    let shared = objects.iter().map(shared).collect();
    let read = noting.read.into_inner().expect("no reader panics");
    (second, read, shared)
}

#[test]
fn a_changed_file_is_read_and_the_others_are_not() {
    let two = format!("{}---\n{}", map("b1"), map("b2"));
    let before =
        tree(&[("app/a.yaml", &map("a")), ("app/b.yaml", &two), ("app/sub/c.yml", &map("c"))]);
    let after = before.clone().with(&TreePath::parse("app/a.yaml").expect("inside"), map("new"));
    let (rendered, read, shared) = again(&before, &after, &everything(), &Options::default());
    assert_eq!(read, ["app/a.yaml"]);
    assert_eq!(shared, [false, true, true, true]);
    assert_eq!(names(&rendered.expect("objects"))[0], "ConfigMap/new app/a.yaml:1");
}

#[test]
fn a_removed_file_is_gone_and_a_renamed_one_says_its_new_name() {
    let before = tree(&[("app/a.yaml", &map("a")), ("app/b.yaml", &map("b"))]);
    let after = tree(&[("app/sub/z.yaml", &map("a"))]);
    let (rendered, read, shared) = again(&before, &after, &everything(), &Options::default());
    assert_eq!((read.len(), shared), (0, vec![true]));
    assert_eq!(names(&rendered.expect("objects")), ["ConfigMap/a app/sub/z.yaml:1"]);
}

#[test]
fn the_same_content_in_two_files_is_there_twice() {
    let before = tree(&[("app/a.yaml", &map("a"))]);
    let after = tree(&[("app/a.yaml", &map("a")), ("app/b.yaml", &map("a"))]);
    let (rendered, read, _) = again(&before, &after, &everything(), &Options::default());
    assert_eq!(read.len(), 0);
    let names = names(&rendered.expect("objects"));
    assert_eq!(names, ["ConfigMap/a app/a.yaml:1", "ConfigMap/a app/b.yaml:1"]);
}

#[test]
fn a_file_that_patterns_leave_out_is_not_there_though_it_is_known() {
    let before = tree(&[("app/a.yaml", &map("a")), ("app/b.yaml", &map("b"))]);
    let after = tree(&[("app/a.yaml", &map("a")), ("app/not/b.yaml", &map("b"))]);
    let directory = ApplicationSourceDirectory {
        recurse: true,
        include: "{*.yaml,a*}".to_owned(),
        exclude: "not/*".to_owned(),
        ..Default::default()
    };
    let source = with_directory("app", directory);
    let (rendered, read, _) = again(&before, &after, &source, &Options::default());
    assert_eq!(read.len(), 0);
    assert_eq!(names(&rendered.expect("objects")), ["ConfigMap/a app/a.yaml:1"]);
}

#[test]
fn another_ending_reads_the_same_bytes_otherwise() {
    let one = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}"#;
    let two = format!("{one}\n{one}");
    let before = tree(&[("app/a.yaml", &two)]);
    let after = tree(&[("app/a.json", &two)]);
    let (refused, read, _) = again(&before, &after, &everything(), &Options::default());
    assert_eq!(read, ["app/a.json"]);
    assert!(refused.is_err(), "a JSON file holds one object");
}

#[test]
fn a_program_runs_each_time_since_it_reads_other_files() {
    let program = r#"{apiVersion: "v1", kind: "ConfigMap", metadata: {name: importstr "n.txt"}}"#;
    let before =
        tree(&[("app/a.yaml", &map("a")), ("app/p.jsonnet", program), ("app/n.txt", "one")]);
    let after = before.clone().with(&TreePath::parse("app/n.txt").expect("inside"), "two");
    let (rendered, read, _) = again(&before, &after, &everything(), &Options::default());
    assert!(read.contains(&"app/p.jsonnet".to_owned()) && !read.contains(&"app/a.yaml".to_owned()));
    assert_eq!(names(&rendered.expect("objects"))[1], "ConfigMap/two app/p.jsonnet:1");
}

#[test]
fn what_gave_nothing_is_looked_at_again_and_what_is_known_counts_for_the_bound() {
    let skipped = format!("# +argocd:skip-file-rendering\n{}", map("s"));
    let (a, b) = (map("a"), map("b"));
    let before = tree(&[("app/a.yaml", &a), ("app/s.yaml", &skipped)]);
    let after = tree(&[("app/a.yaml", &a), ("app/b.yaml", &b), ("app/s.yaml", &skipped)]);
    let bytes =
        |bound: usize| Options { combined_bytes_max: Some(bound as u64), ..Options::default() };
    let (rendered, read, _) = again(&before, &after, &at("app"), &bytes(a.len() + b.len()));
    assert_eq!(read, ["app/b.yaml", "app/s.yaml"]);
    assert_eq!(rendered.expect("objects").objects.len(), 2);
    let (refused, ..) = again(&before, &after, &at("app"), &bytes(a.len() + b.len() - 1));
    assert!(matches!(refused, Err(RenderError::TooLarge { file, .. }) if file == "app/b.yaml"));
}
