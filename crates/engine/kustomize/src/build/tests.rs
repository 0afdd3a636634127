use std::sync::{Arc, Mutex};

use filetree::{MapTree, TreePath};
use serde_json::json;

use super::{Built, Extras, build};
use crate::charts::{ChartRequest, Charts};
use crate::error::{KustomizeError, Need};
use crate::options::Options;

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map}\n";

fn tree(files: &[(&str, &str)]) -> MapTree {
    files.iter().fold(MapTree::new(), |tree, (path, content)| {
        tree.with(&TreePath::parse(path).unwrap(), content)
    })
}

fn run(files: &[(&str, &str)], dir: &str, extras: &Extras) -> Result<Built, KustomizeError> {
    run_with(files, dir, "", extras)
}

fn run_with(
    files: &[(&str, &str)],
    dir: &str,
    flags: &str,
    extras: &Extras,
) -> Result<Built, KustomizeError> {
    let options = Options::parse(flags)?;
    build(&tree(files), &TreePath::parse(dir).unwrap(), &options, extras)
}

fn refused(files: &[(&str, &str)], dir: &str) -> String {
    run(files, dir, &Extras::default()).expect_err("it must be refused").to_string()
}

fn names(built: &Built) -> Vec<String> {
    let name = |value: &serde_json::Value| {
        format!(
            "{}/{}",
            value["kind"].as_str().unwrap(),
            value["metadata"]["name"].as_str().unwrap()
        )
    };
    built.objects.iter().map(|object| name(&object.value)).collect()
}

#[test]
fn a_directory_outside_is_reached_and_a_file_outside_is_not() {
    let files = [
        ("base/kustomization.yaml", "resources: [map.yaml]\n"),
        ("base/map.yaml", MAP),
        ("over/kustomization.yaml", "resources: [../base]\nnamePrefix: p-\n"),
        ("bad/kustomization.yaml", "resources: [../base/map.yaml]\n"),
    ];
    let built = run(&files, "over", &Extras::default()).unwrap();
    assert_eq!(names(&built), ["ConfigMap/p-map"]);
    assert_eq!(built.objects[0].file, "base/map.yaml");
    assert!(refused(&files, "bad").contains("is not in or below 'bad'"));
    let flags = "--load-restrictor LoadRestrictionsNone";
    assert!(run_with(&files, "bad", flags, &Extras::default()).is_ok());
}

#[test]
fn kustomizations_that_name_each_other_are_a_cycle() {
    let files = [
        ("a/kustomization.yaml", "resources: [../b]\n"),
        ("b/kustomization.yaml", "resources: [../a]\n"),
    ];
    let error = refused(&files, "a");
    assert!(
        error.contains("cycle detected: candidate root 'a' contains visited root 'a'"),
        "{error}"
    );
}

#[test]
fn an_error_names_the_kustomization_and_the_patch() {
    let patch = "patches:\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}'\n";
    let base = format!("resources: [map.yaml]\n{patch}");
    let files = [
        ("base/kustomization.yaml", &*base),
        ("base/map.yaml", MAP),
        ("over/kustomization.yaml", "resources: [../base]\n"),
    ];
    let error = refused(&files, "over");
    for part in ["recursed accumulation of path 'base'", "base/kustomization.yaml", "other", "map"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn all_that_must_be_fetched_is_asked_for_at_once() {
    let kustomization =
        "resources:\n- github.com/o/r//dir?ref=v1\n- sub\n- https://example.com/a.yaml\n";
    let files = [
        ("kustomization.yaml", kustomization),
        ("sub/kustomization.yaml", "resources: ['git@example.com:o/s.git']\n"),
    ];
    let error = run(&files, "", &Extras::default()).unwrap_err();
    let repository = |url: &str, reference: Option<&str>| Need::Repository {
        url: url.to_owned(),
        reference: reference.map(str::to_owned),
        submodules: true,
    };
    let hub = repository("https://github.com/o/r", Some("v1"));
    let own = repository("git@example.com:o/s.git", None);
    let file = Need::File { url: "https://example.com/a.yaml".to_owned() };
    let mut wanted = vec![hub.clone(), own.clone(), file.clone()];
    wanted.sort();
    assert_eq!(error.needs(), wanted);

    let mut extras = Extras::default();
    let map = |name: &str| MAP.replace("map", name);
    let there =
        tree(&[("dir/kustomization.yaml", "resources: [a.yaml]\n"), ("dir/a.yaml", &map("a"))]);
    extras.fetched.repositories.insert(hub, Arc::new(there));
    let there = tree(&[("kustomization.yaml", "resources: [b.yaml]\n"), ("b.yaml", &map("b"))]);
    extras.fetched.repositories.insert(own, Arc::new(there));
    extras.fetched.files.insert(file, map("c").into_bytes().into());
    let built = run(&files, "", &extras).unwrap();
    assert_eq!(names(&built), ["ConfigMap/a", "ConfigMap/b", "ConfigMap/c"]);
}

/// Says what it was asked for, as an object.
#[derive(Default)]
struct Fake {
    values: Mutex<Vec<String>>,
}

impl Charts for Fake {
    fn template(&self, request: &ChartRequest<'_>) -> Result<String, String> {
        let values = request.values.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        self.values.lock().unwrap().extend(values);
        let namespace = request.namespace.unwrap_or("-");
        let name = request.release_name.unwrap_or("-");
        let chart = &request.chart;
        let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\n";
        Ok(format!("---\n{map}data: {{namespace: {namespace}, name: {name}, chart: {chart}}}\n"))
    }
}

#[test]
fn charts_are_rendered_by_whoever_was_given() {
    let kustomization = "namespace: ns\nhelmCharts:\n- name: web\n  releaseName: rel\n  \
                         valuesInline: {a: {b: 1}}\n";
    let files = [
        ("app/kustomization.yaml", kustomization),
        ("app/charts/web/Chart.yaml", "name: web\n"),
        ("app/charts/web/values.yaml", "a: {c: 2}\nd: [1]\n"),
    ];
    let without = run(&files, "app", &Extras::default()).unwrap_err().to_string();
    assert!(without.contains("must specify --enable-helm"), "{without}");
    let fake = Arc::new(Fake::default());
    let extras = Extras { charts: Some(fake.clone()), ..Extras::default() };
    let built = run_with(&files, "app", "--enable-helm", &extras).unwrap();
    assert_eq!(
        built.objects[0].value,
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"},
               "data": {"namespace": "ns", "name": "rel", "chart": "app/charts/web"}})
    );
    assert_eq!(*fake.values.lock().unwrap(), [r#"{"a":{"b":1,"c":2},"d":[1]}"#]);
}

#[test]
fn a_chart_that_is_not_there_is_asked_for() {
    let files = [(
        "kustomization.yaml",
        "helmCharts: [{name: web, repo: 'https://example.com/charts', version: 1.2.3}]\n",
    )];
    let error = run_with(&files, "", "--enable-helm", &Extras::default()).unwrap_err();
    let need = Need::Chart {
        name: "web".to_owned(),
        repository: "https://example.com/charts".to_owned(),
        version: Some("1.2.3".to_owned()),
    };
    assert_eq!(error.needs(), [need]);
}

#[test]
fn functions_are_refused_with_a_reason() {
    let function = "apiVersion: example.com/v1\nkind: Fn\nmetadata:\n  name: fn\n  annotations:\n    \
                    config.kubernetes.io/function: 'exec: {path: ./x}'\n";
    let files = [("kustomization.yaml", "transformers: [fn.yaml]\n"), ("fn.yaml", function)];
    let error = refused(&files, "");
    assert!(error.contains("unable to load external plugin 'Fn'"), "{error}");
    assert!(error.contains("programs or containers"), "{error}");
}

#[test]
fn kustomizations_do_not_lie_in_each_other_without_end() {
    let files: Vec<(String, String)> = (0..150)
        .map(|at| (format!("k{at}/kustomization.yaml"), format!("resources: [../k{}]\n", at + 1)))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    assert!(refused(&files, "k0").contains("more than 100 kustomizations inside each other"));
}

const MANY_FIELDS: &str = "\
resources: [a.yaml, base]
components: [comp]
namePrefix: p-
nameSuffix: -s
namespace: ns
labels: [{pairs: {a: b}, includeSelectors: true, fields: [{path: spec/x, create: true}]}]
commonAnnotations: {c: d}
images: [{name: nginx, newTag: '2', digest: x}]
replicas: [{name: web, count: 3}]
configMapGenerator: [{name: map, behavior: merge, literals: [a=b, c='d']}]
secretGenerator: [{name: s, files: [k=a.yaml], envs: [e.env]}]
patches:
- patch: '[{\"op\": \"replace\", \"path\": \"/spec/replicas\", \"value\": 4}]'
  target: {kind: Dep.*, labelSelector: 'a in (b), !c'}
- patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: web}, spec: {$patch: merge}}'
replacements:
- source: {kind: ConfigMap, name: map, fieldPath: data.a}
  targets: [{select: {kind: Deployment}, fieldPaths: ['spec.template.spec.containers.[name=c].image']}]
vars: [{name: V, objref: {kind: Deployment, name: web, apiVersion: apps/v1}}]
sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Secret], orderLast: []}}
buildMetadata: [originAnnotations, transformerAnnotations, managedByLabel]
";

const MANY_OBJECTS: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {a: b}}
spec:
  replicas: 1
  template:
    spec:
      containers: [{name: c, image: 'nginx:1', args: [$(V)], envFrom: [{configMapRef: {name: map}}]}]
---
apiVersion: v1
kind: List
items: [{apiVersion: v1, kind: Service, metadata: {name: svc}, spec: {selector: &x {a: b}, more: *x}}]
";

/// Whatever the files hold, a build ends with objects or with an error.
#[test]
fn spoiled_files_never_panic() {
    let base = format!("{MAP}data: {{a: b}}\n");
    let files = [
        ("kustomization.yaml", MANY_FIELDS),
        ("a.yaml", MANY_OBJECTS),
        ("e.env", "A=B\n"),
        ("base/kustomization.yaml", "configMapGenerator: [{name: map, literals: [x=y]}]\n"),
        (
            "comp/kustomization.yaml",
            "kind: Component\napiVersion: kustomize.config.k8s.io/v1alpha1\nnamePrefix: c-\n",
        ),
        ("base/unused.yaml", &*base),
    ];
    run(&files, "", &Extras::default()).expect("nothing is spoiled yet");
    let mut state = 88_172_645_463_325_252_u64;
    let mut number = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let pieces = [
        "", " ", ":", "-", "{}", "[]", "~", "'", "\n", "*x", "[a", "/", "1", "true", "$patch", "é",
        "\\", "]", "}",
    ];
    for _ in 0..1_500 {
        let mut spoiled = files.map(|(path, text)| (path, text.to_owned()));
        for _ in 0..=number(3) {
            let text = &mut spoiled[number(2)].1;
            let mut at = number(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = (at + number(6)).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(at..end, pieces[number(pieces.len())]);
        }
        let spoiled: Vec<(&str, &str)> =
            spoiled.iter().map(|(path, text)| (*path, &**text)).collect();
        if let Err(error) = run(&spoiled, "", &Extras::default()) {
            assert!(!error.to_string().is_empty());
        }
    }
}
