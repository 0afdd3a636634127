//! What `kustomize edit` makes of a file.

use std::collections::BTreeMap;

use filetree::{MapTree, TreePath};

use super::*;
use crate::kustomization::Image;

fn tree() -> MapTree {
    let file = |path: &str| TreePath::parse(path).expect("a path");
    MapTree::new()
        .with(&file("app/kustomization.yaml"), "")
        .with(&file("app/parts/one/kustomization.yaml"), "")
        .with(&file("app/parts/two/kustomization.yaml"), "")
        .with(&file("shared/kustomization.yaml"), "")
}

fn applied(before: &str, overlay: &Overlay) -> Result<(Kustomization, Vec<String>), String> {
    let said = |error: KustomizeError| error.to_string();
    let mut kustomization =
        Kustomization::read(before.as_bytes(), "app", &mut Vec::new()).map_err(said)?;
    let directory = TreePath::parse("app").expect("a path");
    let tree = tree();
    let place = Place { tree: &tree, directory: &directory };
    let commands = overlay.apply(&mut kustomization, place).map_err(said)?;
    Ok((kustomization, commands))
}

fn images(before: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    let overlay = Overlay { images: arguments, ..Overlay::default() };
    let shown = |image: &Image| {
        format!("{}|{}|{}|{}", image.name, image.new_name, image.new_tag, image.digest)
    };
    Ok(applied(before, &overlay)?.0.images.iter().map(shown).collect())
}

#[test]
fn images_are_read_as_a_command_line_writes_them() {
    let before = "namePrefix: x";
    for (argument, want) in [
        ("nginx:1", "nginx||1|"),
        ("nginx@sha256:a", "nginx|||sha256:a"),
        ("nginx:1@sha256:a", "nginx||1|sha256:a"),
        ("nginx=other", "nginx|other||"),
        ("nginx=reg:5000/other", "nginx|reg:5000/other||"),
        ("nginx=reg:5000/other:2", "nginx|reg:5000/other|2|"),
        ("reg:5000/x:2", "reg:5000/x||2|"),
        ("a=b=c:1", "a|b=c|1|"),
        ("nginx=*:2", "nginx||2|"),
    ] {
        assert_eq!(images(before, &[argument]), Ok(vec![want.to_owned()]), "{argument}");
    }
    let refused = images(before, &["nginx"]).expect_err("it says nothing to change");
    assert!(refused.starts_with("invalid format of image, use one of the following options:"));
}

#[test]
fn images_come_together_by_name() {
    let before = "images: [{name: z, newTag: '1'}, {name: a, newName: b, newTag: '1', digest: d}, {name: z, newTag: '2'}]";
    let want = ["a|b|9|d", "m||1|", "z||1|"].map(str::to_owned).to_vec();
    assert_eq!(images(before, &["m:1", "a=*:9@*"]), Ok(want));
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_label_that_is_there_needs_force() {
    let before = "commonLabels: {app: a}";
    let mut overlay = Overlay { common_labels: labels(&[("app", "b")]), ..Overlay::default() };
    let refused = applied(before, &overlay).expect_err("it is there");
    assert_eq!(refused, "label app already in kustomization file. Use --force to override.");
    overlay.force_common_labels = true;
    let (forced, commands) = applied(before, &overlay).expect("it is forced");
    assert_eq!(forced.common_labels, Some(labels(&[("app", "b")])));
    assert_eq!(commands, ["kustomize edit add label --force app:b"]);
}

#[test]
fn labels_without_selectors_join_those_of_the_same_settings() {
    let before = "labels: [{pairs: {a: x}, includeSelectors: true}, {pairs: {b: z}}]";
    let overlay = Overlay {
        common_labels: labels(&[("c", "\"quoted\""), ("d", "e:f")]),
        label_without_selector: true,
        ..Overlay::default()
    };
    let (made, _) = applied(before, &overlay).expect("it applies");
    assert_eq!(made.labels.len(), 2);
    assert_eq!(made.labels[1].pairs, labels(&[("b", "z"), ("c", "quoted"), ("d", "e:f")]));
    let overlay = Overlay { label_include_templates: true, ..overlay };
    let (made, _) = applied(before, &overlay).expect("it applies");
    assert_eq!(made.labels.len(), 3);
    let overlay = Overlay { label_without_selector: false, ..overlay };
    let refused = applied(before, &overlay).expect_err("templates need it");
    assert_eq!(
        refused,
        "--without-selector flag must be specified for --include-templates to work"
    );
}

#[test]
fn an_annotation_that_is_there_needs_force() {
    let overlay = Overlay { common_annotations: labels(&[("note", "b")]), ..Overlay::default() };
    let refused = applied("commonAnnotations: {note: a}", &overlay).expect_err("it is there");
    assert_eq!(refused, "annotation note already in kustomization file. Use --force to override.");
}

#[test]
fn replicas_come_together_by_name() {
    let replicas = vec![("b".to_owned(), 1), ("b".to_owned(), 2)];
    let overlay = Overlay { replicas, ..Overlay::default() };
    let (made, commands) =
        applied("replicas: [{name: c, count: 3}, {name: b, count: 9}]", &overlay)
            .expect("it applies");
    let shown: Vec<(&str, i64)> = made.replicas.iter().map(|one| (&*one.name, one.count)).collect();
    assert_eq!(shown, [("b", 2), ("c", 3)]);
    assert_eq!(commands, ["kustomize edit set replicas b=1 b=2"]);
}

fn components(before: &str, wanted: &[&str], ignore: bool) -> Result<Vec<String>, String> {
    let overlay = Overlay {
        components: wanted.iter().map(|one| (*one).to_owned()).collect(),
        ignore_missing_components: ignore,
        ..Overlay::default()
    };
    Ok(applied(before, &overlay)?.0.components)
}

#[test]
fn components_may_be_patterns_and_are_added_once() {
    let before = "components: [parts/one]";
    let want = |all: &[&str]| Ok(all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>());
    assert_eq!(
        components(before, &["parts/*", "../shared"], false),
        want(&["parts/one", "parts/two", "../shared"])
    );
    assert_eq!(components(before, &["./parts/one"], false), want(&["parts/one", "./parts/one"]));
    assert_eq!(
        components(before, &["parts/none", "parts/two"], true),
        want(&["parts/one", "parts/two"])
    );
    let refused = components(before, &["parts/none"], false).expect_err("it is nowhere");
    assert!(refused.starts_with("parts/none has no match: "), "{refused}");
}

#[test]
fn patches_that_are_null_take_none_unless_a_command_wrote_the_file() {
    let overlay = Overlay { patches: vec![Patch::default()], ..Overlay::default() };
    let refused = applied("patches: null\nnamespace: x", &overlay).expect_err("as Argo CD");
    assert!(refused.ends_with("to be []any, but got <nil>"), "{refused}");
    let overlay = Overlay { name_prefix: "p-".to_owned(), ..overlay };
    assert_eq!(
        applied("patches: null\nnamespace: x", &overlay).expect("it was written").0.patches.len(),
        1
    );
}

#[test]
fn an_overlay_of_switches_alone_changes_nothing() {
    let switches = Overlay {
        force_common_labels: true,
        ignore_missing_components: true,
        ..Overlay::default()
    };
    assert!(switches.is_empty());
    assert!(!Overlay { namespace: "x".to_owned(), ..Overlay::default() }.is_empty());
}
