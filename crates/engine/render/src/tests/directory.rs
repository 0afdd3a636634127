//! Directory sources. Answers are what upstream's repo-server gives.

use std::sync::Arc;

use crd::{ApplicationSource, ApplicationSourceDirectory};
use filetree::{
    ContentId, Entry, EntryKind, FileTree, Listed, MapTree, Recording, TreeError, TreePath,
};
use serde_json::{Value, json};

use crate::{Input, Options, Reach, RenderError, RenderedSource, render_source};

pub(crate) fn tree(files: &[(&str, &str)]) -> MapTree {
    files.iter().fold(MapTree::new(), |tree, (path, content)| {
        tree.with(&TreePath::parse(path).expect("inside"), content)
    })
}

pub(crate) fn render_with(
    tree: &dyn FileTree,
    source: &ApplicationSource,
    options: &Options,
) -> Result<RenderedSource, RenderError> {
    render_source(tree, &input(source, options, &Reach::default()))
}

pub(crate) fn input<'a>(
    source: &'a ApplicationSource,
    options: &'a Options,
    reach: &'a Reach<'a>,
) -> Input<'a> {
    Input {
        source,
        source_index: 0,
        app_name: "shop",
        namespace: "shop",
        project: "default",
        revision: "0123456789abcdef",
        kube_version: "1.36",
        api_versions: &[],
        options,
        reach,
    }
}

pub(crate) fn at(path: &str) -> ApplicationSource {
    ApplicationSource { path: path.to_owned(), ..ApplicationSource::default() }
}

pub(crate) fn with_directory(
    path: &str,
    directory: ApplicationSourceDirectory,
) -> ApplicationSource {
    ApplicationSource { directory: Some(Box::new(directory)), ..at(path) }
}

fn render(
    files: &[(&str, &str)],
    source: &ApplicationSource,
) -> Result<RenderedSource, RenderError> {
    render_with(&tree(files), source, &Options::default())
}

/// `kind/name file:line` of each object.
pub(crate) fn names(rendered: &RenderedSource) -> Vec<String> {
    let name = |object: &Value| format!("{}/{}", manifest::kind(object), manifest::name(object));
    rendered
        .objects
        .iter()
        .map(|desired| {
            format!("{} {}:{}", name(&desired.object), desired.origin.file, desired.origin.line)
        })
        .collect()
}

pub(crate) fn map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}

fn refusal(files: &[(&str, &str)], source: &ApplicationSource) -> String {
    render(files, source).expect_err("no objects").to_string()
}

#[test]
fn files_come_in_the_order_of_a_walk_and_documents_in_theirs() {
    let files = [
        ("app/b.yaml", format!("# first\n{}---\n# nothing\n---\n\n{}", map("b1"), map("b2"))),
        ("app/a.yml", map("a")),
        ("app/c.txt", map("text")),
        ("app/sub/d.yaml", map("d")),
        ("other/e.yaml", map("e")),
    ];
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let flat = render(&files, &at("app")).expect("objects");
    assert_eq!(
        names(&flat),
        ["ConfigMap/a app/a.yml:1", "ConfigMap/b1 app/b.yaml:2", "ConfigMap/b2 app/b.yaml:10"]
    );
    let deep = ApplicationSourceDirectory { recurse: true, ..Default::default() };
    let all = render(&files, &with_directory("", deep)).expect("objects");
    assert_eq!(all.objects.len(), 5);
    assert_eq!(all.objects[3].origin.file, "app/sub/d.yaml");
}

#[test]
fn globs_see_paths_from_the_sources_directory_and_exclude_wins() {
    let files = ["app/x/a.yaml", "app/x/b.yaml", "app/y/a.yaml", "app/c.yaml"];
    let texts: Vec<String> = files.iter().map(|path| map(&path.replace('/', "-"))).collect();
    let files: Vec<(&str, &str)> =
        files.iter().zip(&texts).map(|(path, text)| (*path, text.as_str())).collect();
    let pick = |include: &str, exclude: &str| {
        let directory = ApplicationSourceDirectory {
            recurse: true,
            include: include.to_owned(),
            exclude: exclude.to_owned(),
            ..Default::default()
        };
        let rendered = render(&files, &with_directory("app", directory)).expect("objects");
        rendered.objects.iter().map(|object| object.origin.file.clone()).collect::<Vec<_>>()
    };
    assert_eq!(pick("*a.yaml", ""), ["app/x/a.yaml", "app/y/a.yaml"]);
    assert_eq!(pick("{x/*,c.yaml}", "x/b*"), ["app/c.yaml", "app/x/a.yaml"]);
    assert_eq!(pick("[", ""), [""; 0]);
    assert_eq!(pick("", "[").len(), 4);
}

#[test]
fn any_extension_is_read_where_the_filter_is_off() {
    let files = [("app/a", &*map("a")), ("app/README.md", "# Words\n\nmore: than: words\n")];
    let directory =
        ApplicationSourceDirectory { disable_extension_filter: true, ..Default::default() };
    let rendered = render(&files, &with_directory("app", directory)).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/a app/a:1"]);
    assert!(rendered.notes[0].starts_with("disableExtensionFilter is enabled"));
}

#[test]
fn a_list_stands_for_its_items_and_an_empty_one_for_none() {
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: b}\n---\napiVersion: v1\nkind: ConfigMapList\nitems: null\n---\napiVersion: x/v1\nkind: Thing\nitems: null\nspec: {}\n";
    let rendered = render(&[("a.yaml", list)], &at(".")).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/a a.yaml:4", "Secret/b a.yaml:7", "Thing/ a.yaml:15"]);
    assert_eq!(
        refusal(&[("a.yaml", "apiVersion: v1\nkind: List\nitems: [1]\n")], &at("")),
        "Failed to unmarshal \"a.yaml\": items member is not an object: map[string]interface {} (a.yaml:3:1); a manifest is a map; exclude the file if it is none"
    );
}

#[test]
fn yaml_is_read_as_kubernetes_reads_it() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  on: yes\n  mode: 0644\n  half: 1.0\n  many: 18446744073709551615\n  date: 2020-01-02\n  big: 1e3\n";
    let rendered = render(&[("a.yaml", text)], &at("")).expect("objects");
    assert_eq!(
        rendered.objects[0].object["data"],
        json!({"true": true, "mode": 420, "half": 1, "many": 18446744073709551615.0, "date": "2020-01-02", "big": 1000})
    );
    assert!(rendered.objects[0].object["data"]["many"].is_f64());
}

#[test]
fn a_json_file_holds_one_object_and_a_yaml_file_may_hold_json() {
    let one = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "n": 1.0}}"#;
    let rendered = render(&[("a.json", one)], &at("")).expect("objects");
    assert_eq!(rendered.objects[0].object["metadata"]["n"], json!(1));
    let several = format!("{one}\n{one}");
    assert_eq!(
        refusal(&[("d/a.json", &several)], &at("d")),
        "Found multiple objects in \"a.json\". Only single objects are allowed in JSON files. (d/a.json); make it a List, or one file an object"
    );
    let rendered = render(&[("a.yaml", &several)], &at("")).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/a a.yaml:1", "ConfigMap/a a.yaml:2"]);
    let mixed = format!("{one}\n---\n{}", map("b"));
    let rendered = render(&[("a.yaml", &mixed)], &at("")).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/a a.yaml:1", "ConfigMap/b a.yaml:3"]);
    let flow = "{apiVersion: v1, kind: ConfigMap, metadata: {name: flow}}\n";
    let rendered = render(&[("a.yaml", flow)], &at("")).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/flow a.yaml:1"]);
    let image = r#"{"schemaVersion": 2, "config": {}, "layers": []}"#;
    assert_eq!(render(&[("a.json", image)], &at("")).expect("nothing").objects.len(), 0);
    assert!(
        refusal(&[("a.json", "{\"a\": }")], &at(""))
            .contains("(a.json:1:7); correct the JSON there")
    );
}

#[test]
fn what_was_not_meant_as_a_manifest_is_passed_over() {
    for text in
        ["values: [1\n", "just words", "on: push\njobs: {}\n", "- a\n- b\n", "{{ .Values.x }}\n"]
    {
        let rendered =
            render(&[("a.yaml", text)], &at("")).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rendered.objects.len(), 0, "{text}");
    }
}

#[test]
fn what_was_meant_is_an_error_with_file_line_and_next_step() {
    let broken = "# app\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n data: {}\n";
    assert_eq!(
        refusal(&[("d/a.yaml", broken)], &at("d")),
        "Failed to unmarshal \"a.yaml\": failed to unmarshal manifest: error converting YAML to JSON: yaml: line 5: did not find expected key (d/a.yaml:6:2); correct the YAML there"
    );
    let second = format!("{}---\na: b: c\n", map("a"));
    assert_eq!(
        refusal(&[("a.yaml", &second)], &at("")),
        "Failed to unmarshal \"a.yaml\": failed to unmarshal manifest: error converting YAML to JSON: yaml: mapping values are not allowed in this context (a.yaml:6:5); correct the YAML there"
    );
    let no_kind = format!("{}---\n\nmetadata:\n  name: x\n", map("a"));
    assert_eq!(
        refusal(&[("a.yaml", &no_kind)], &at("")),
        "Failed to unmarshal \"a.yaml\": failed to unmarshal manifest: error unmarshaling JSON: while decoding JSON: Object 'Kind' is missing in an object with the fields 'metadata' (a.yaml:7:1); every manifest needs apiVersion and kind; exclude the file if it is none"
    );
    let separator = format!("{}--- data: x\n", map("a"));
    assert_eq!(
        refusal(&[("a.yaml", &separator)], &at("")),
        "Failed to unmarshal \"a.yaml\": failed to unmarshal manifest: invalid Yaml document separator: data: x (a.yaml:5:1); write nothing but a comment behind ---"
    );
}

#[test]
fn a_file_that_asks_for_it_is_skipped() {
    let text = format!("# +argocd:skip-file-rendering\n{}", map("a"));
    assert_eq!(render(&[("a.yaml", &text)], &at("")).expect("nothing").objects.len(), 0);
}

#[test]
fn other_encodings_are_read() {
    let utf16: Vec<u8> =
        [0xFEFFu16].into_iter().chain(map("é").encode_utf16()).flat_map(u16::to_be_bytes).collect();
    let tree = MapTree::new().with(&TreePath::parse("a.yaml").expect("inside"), utf16);
    let rendered = render_with(&tree, &at(""), &Options::default()).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/é a.yaml:1"]);
}

#[test]
fn what_is_too_large_together_names_the_bound() {
    let options = Options { combined_bytes_max: Some(100), ..Options::default() };
    let one = map("a");
    let files = [("d/a.yaml", one.as_str()), ("d/b.yaml", one.as_str()), ("d/c.txt", one.as_str())];
    assert_eq!(
        render_with(&tree(&files), &at("d"), &options).expect_err("too large").to_string(),
        "failed to get potentially valid manifests: exceeded max combined manifest file size (100 bytes, reached at d/b.yaml); exclude files that are no manifests, or raise reposerver.max.combined.directory.manifests.size"
    );
    let unlimited = Options { combined_bytes_max: None, ..Options::default() };
    assert!(render_with(&tree(&files), &at("d"), &unlimited).is_ok());
}

#[test]
fn an_alias_bomb_is_a_refusal() {
    let mut bomb = map("a") + "data:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("  a{level}: &a{level} [{items}]\n"));
    }
    assert!(
        refusal(&[("a.yaml", &bomb)], &at(""))
            .contains("yaml: document contains excessive aliasing (a.yaml:")
    );
}

#[test]
fn a_rendering_depends_on_what_it_read_and_on_nothing_else() {
    let one = map("a");
    let before = tree(&[
        ("app/a.yaml", &one),
        ("app/skip.yaml", &one),
        ("app/README", "x"),
        ("other/b.yaml", &one),
    ]);
    let recording = Recording::new(Arc::new(before.clone()));
    let directory =
        ApplicationSourceDirectory { exclude: "skip*".to_owned(), ..Default::default() };
    render_with(&recording, &with_directory("app", directory), &Options::default())
        .expect("objects");
    let seen = recording.read_set();
    let path = |text| TreePath::parse(text).expect("inside");
    for (file, still) in [
        ("other/b.yaml", true),
        ("other/c.yaml", true),
        ("app/README", true),
        ("app/skip.yaml", true),
        ("app/a.yaml", false),
        ("app/new.yaml", false),
        ("app/.argocd-source.yaml", false),
    ] {
        assert_eq!(seen.holds_in(&before.clone().with(&path(file), "changed")), still, "{file}");
    }
}

/// A tree with links: to a file inside, to nothing, out of the tree, and to a directory.
struct Linked(MapTree);

impl FileTree for Linked {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        match path.as_str() {
            "d/out.yaml" => Err(TreeError::Link { path: path.to_string() }),
            "d/none.yaml" => Ok(None),
            "d/dir.yaml" => Ok(Some(Entry { kind: EntryKind::Directory, id: ContentId([0; 20]) })),
            "d/in.yaml" => self.0.entry(&TreePath::parse("real.yaml").expect("inside")),
            _ => self.0.entry(path),
        }
    }

    fn read(&self, path: &TreePath) -> Result<Arc<[u8]>, TreeError> {
        match path.as_str() {
            "d/in.yaml" => self.0.read(&TreePath::parse("real.yaml").expect("inside")),
            _ => self.0.read(path),
        }
    }

    fn list(&self, path: &TreePath) -> Result<Option<Vec<Listed>>, TreeError> {
        let mut listed = self.0.list(path)?;
        for entry in listed.iter_mut().flatten() {
            entry.link = true;
            entry.kind = self
                .entry(&path.join(&entry.name).expect("inside"))
                .ok()
                .flatten()
                .map(|entry| entry.kind);
        }
        Ok(listed)
    }
}

#[test]
fn a_link_is_followed_inside_passed_over_where_it_dangles_and_refused_outside() {
    let one = map("real");
    let inside =
        tree(&[("real.yaml", &one), ("d/in.yaml", ""), ("d/none.yaml", ""), ("d/dir.yaml", "")]);
    let rendered =
        render_with(&Linked(inside.clone()), &at("d"), &Options::default()).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/real d/in.yaml:1"]);
    assert_eq!(rendered.notes.len(), 2);
    let outside = Linked(inside.with(&TreePath::parse("d/out.yaml").expect("inside"), ""));
    let error = render_with(&outside, &at("d"), &Options::default()).expect_err("refused");
    assert!(matches!(error, RenderError::BadLink { file } if file == "d/out.yaml"));
}

#[test]
fn an_empty_list_shows_that_a_file_was_meant() {
    let text = "kind: L\nitems: []\n---\na: b: c\n";
    assert!(refusal(&[("a.yaml", text)], &at("")).contains("(a.yaml:4:5)"));
}

#[test]
fn broken_json_is_named_in_gos_words() {
    for (text, words) in [
        ("{\"a\": }", "invalid character '}' looking for beginning of value"),
        ("{a: 1}", "invalid character 'a' looking for beginning of object key string"),
        ("{\"a\" 1}", "invalid character '1' after object key"),
        ("{\"a\": 1 \"b\"}", "invalid character '\"' after object key:value pair"),
        ("[1 2]", "invalid character '2' after array element"),
        ("{\"a\": 1", "unexpected EOF"),
    ] {
        let said = refusal(&[("a.json", text)], &at(""));
        assert!(
            said.starts_with(&format!("Failed to unmarshal \"a.json\": {words} (a.json:1:")),
            "{said}"
        );
    }
}
