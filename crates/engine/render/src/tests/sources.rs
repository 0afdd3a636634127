//! Types, paths, overrides, variables.

use crd::{
    Application, ApplicationSource, ApplicationSourceDirectory, ApplicationSourceHelm,
    ApplicationSourceKustomize, JsonnetVar,
};

use super::directory::{at, map, names, render_with, tree};
use crate::{BuildEnv, Need, Options, SourceType, files_have_changed, object_hash, refresh_paths};

fn outcome(files: &[(&str, &str)], source: &ApplicationSource) -> String {
    match render_with(&tree(files), source, &Options::default()) {
        Ok(rendered) => rendered.source_type.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_path_must_be_a_directory_of_the_repository() {
    let files = [("app/a.yaml", "")];
    for (path, starts) in [
        ("/app", "/app: app path is absolute;"),
        ("../x", "../x: app path outside root;"),
        ("nope", "nope: app path does not exist;"),
        ("app/a.yaml", "app/a.yaml: app path is not a directory;"),
        ("app/../app/.", "Directory"),
        ("", "Directory"),
    ] {
        assert!(outcome(&files, &at(path)).starts_with(starts), "{}", outcome(&files, &at(path)));
    }
}

const CHART: (&str, &str) = ("d/Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");
const KUSTOMIZATION: (&str, &str) =
    ("d/kustomization.yaml", "configMapGenerator: [{name: a, literals: [a=b]}]\n");

#[test]
fn the_last_telling_name_in_the_directory_decides() {
    assert_eq!(outcome(&[CHART], &at("d")), "Helm");
    assert_eq!(outcome(&[CHART, KUSTOMIZATION], &at("d")), "Kustomize");
    assert_eq!(outcome(&[("d/sub/Chart.yaml", "")], &at("d")), "Directory");
    let off = Options { helm: false, kustomize: false, ..Options::default() };
    let rendered =
        render_with(&tree(&[("Chart.yaml", ""), ("kustomization.yml", "")]), &at(""), &off);
    assert_eq!(rendered.expect("a directory").source_type, SourceType::Directory);
}

#[test]
fn a_block_decides_before_the_files_and_two_are_an_error() {
    let helm = ApplicationSource { helm: Some(Box::default()), ..at("d") };
    assert_eq!(outcome(&[CHART, KUSTOMIZATION], &helm), "Helm");
    let no_chart = outcome(&[("d/a.yaml", "")], &helm);
    assert!(no_chart.contains("Chart.yaml"), "{no_chart}");
    let both = ApplicationSource {
        kustomize: Some(Box::new(ApplicationSourceKustomize::default())),
        ..helm
    };
    assert_eq!(
        outcome(&[("d/a.yaml", "")], &both),
        "multiple application sources defined: Kustomize,Helm; keep one of them"
    );
    let plain = ApplicationSource { directory: Some(Box::default()), ..at("d") };
    assert_eq!(outcome(&[CHART], &plain), "Directory");
    let plugin = ApplicationSource { plugin: Some(Box::default()), ..at("d") };
    assert!(outcome(&[CHART], &plugin).contains("no plugin was asked"));
}

#[test]
fn a_sources_own_parameters_change_a_kustomization() {
    let json = serde_json::json!({
        "namePrefix": "p-",
        "nameSuffix": "-s",
        "namespace": "ns",
        "images": ["web=registry.example.com/web:$ARGOCD_APP_NAME"],
        "replicas": [{"name": "web", "count": "3"}],
        "commonLabels": {"app": "$ARGOCD_APP_NAME"},
        "commonAnnotations": {"by": "$ARGOCD_APP_NAME"},
        "patches": [{
            "target": {"kind": "Deployment", "name": "w.*"},
            "patch": "- {op: add, path: /spec/paused, value: true}",
        }],
    });
    let kustomize = serde_json::from_value(json).expect("a source");
    let source = ApplicationSource { kustomize: Some(Box::new(kustomize)), ..at("d") };
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: web, image: web}]}}}\n";
    let files = [("d/kustomization.yaml", "resources: [web.yaml]\n"), ("d/web.yaml", deployment)];
    let rendered = render_with(&tree(&files), &source, &Options::default()).expect("objects");
    let object = &rendered.objects[0].object;
    assert_eq!(object["metadata"]["name"], "p-web-s");
    assert_eq!(object["metadata"]["namespace"], "ns");
    assert_eq!(object["metadata"]["labels"]["app"], "shop");
    assert_eq!(object["metadata"]["annotations"]["by"], "$ARGOCD_APP_NAME");
    assert_eq!(object["spec"]["replicas"], 3);
    assert_eq!(object["spec"]["paused"], true);
    let image = &object["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "registry.example.com/web:shop");
    assert_eq!(rendered.objects[0].origin.file, "d/web.yaml");
}

#[test]
fn what_a_kustomization_needs_from_elsewhere_is_named() {
    let files =
        [("d/kustomization.yaml", "resources: ['https://example.com/org/repo//base?ref=v1']\n")];
    let error = render_with(&tree(&files), &at("d"), &Options::default()).expect_err("a need");
    let needs = vec![Need::Repository {
        url: "https://example.com/org/repo".to_owned(),
        revision: "v1".to_owned(),
    }];
    assert_eq!(error, crate::RenderError::Needs { needs });
}

#[test]
fn jsonnet_files_give_one_object_or_an_array_of_them() {
    let object = "function(name='d', n=1) { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: { n: std.toString(n), x: std.extVar('x') } }";
    let lib = "{ name: 'from-lib' }";
    let array =
        "[(import 'o.libsonnet')('a'), (import 'o.libsonnet')((import 'l.libsonnet').name)]";
    let files = [("d/o.libsonnet", object), ("libs/l.libsonnet", lib), ("d/b.jsonnet", array)];
    let variable = |name: &str, value: &str, code| JsonnetVar {
        name: name.to_owned(),
        value: value.to_owned(),
        code,
        ..JsonnetVar::default()
    };
    let mut directory = ApplicationSourceDirectory::default();
    directory.jsonnet.libs = vec!["libs".to_owned()];
    directory.jsonnet.ext_vars = vec![variable("x", "of-$ARGOCD_APP_NAME", false)];
    let source = |directory: &ApplicationSourceDirectory| ApplicationSource {
        directory: Some(Box::new(directory.clone())),
        ..at("d")
    };
    let rendered = render_with(&tree(&files), &source(&directory), &Options::default());
    let rendered = rendered.expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/a d/b.jsonnet:1", "ConfigMap/from-lib d/b.jsonnet:1"]);
    assert_eq!(rendered.objects[0].object["data"]["x"], "of-shop");

    directory.jsonnet.tlas = vec![variable("name", "t", false), variable("n", "1 + 1", true)];
    let one = [("d/a.jsonnet", object)];
    let rendered = render_with(&tree(&one), &source(&directory), &Options::default());
    let rendered = rendered.expect("objects");
    assert_eq!(rendered.objects[0].object["metadata"]["name"], "t");
    assert_eq!(rendered.objects[0].object["data"]["n"], "2");
}

#[test]
fn jsonnet_that_gives_no_object_is_an_error_with_its_place_unless_it_is_off() {
    for (text, expected) in [
        ("{", "Failed to evaluate jsonnet \"a.jsonnet\": "),
        ("error 'no'", "Failed to evaluate jsonnet \"a.jsonnet\": "),
        ("import '../../x'", "Failed to evaluate jsonnet \"a.jsonnet\": "),
        ("{ a: 1 }", "Failed to unmarshal \"a.jsonnet\": "),
        ("3", "Failed to unmarshal \"a.jsonnet\": "),
    ] {
        let said = outcome(&[("a.jsonnet", text)], &at(""));
        assert!(said.starts_with(expected), "{text}: {said}");
    }
    let off = Options { jsonnet: false, ..Options::default() };
    assert!(render_with(&tree(&[("a.jsonnet", "{")]), &at(""), &off).is_ok());
    assert_eq!(outcome(&[("a.libsonnet", "{")], &at("")), "Directory");
}

#[test]
fn overrides_beside_the_files_change_how_they_are_read() {
    let one = map("a");
    let mut files = vec![("d/a.yaml", one.as_str()), ("d/sub/b.yaml", one.as_str())];
    assert_eq!(
        render_with(&tree(&files), &at("d"), &Options::default()).expect("objects").objects.len(),
        1
    );
    files.push(("d/.argocd-source.yaml", "path: elsewhere\ndirectory: {recurse: true}\n"));
    let rendered = render_with(&tree(&files), &at("d"), &Options::default()).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/a d/a.yaml:1", "ConfigMap/a d/sub/b.yaml:1"]);
    files.push(("d/.argocd-source-shop.yaml", "directory: {recurse: null, exclude: 'a*'}\n"));
    let rendered = render_with(&tree(&files), &at("d"), &Options::default()).expect("objects");
    assert_eq!(names(&rendered), ["ConfigMap/a d/sub/b.yaml:1"]);
    files.push(("d/.argocd-source-shop.yaml", "a: b: c\n"));
    assert_eq!(
        outcome(&files, &at("d")),
        "error while parsing source parameters: d/.argocd-source-shop.yaml: yaml: mapping values are not allowed in this context; correct the file"
    );
}

#[test]
fn variables_are_replaced_as_go_does() {
    let source = ApplicationSource { repo_url: "https://x/y".to_owned(), ..at("apps/shop") };
    let env = BuildEnv::new(&source, "shop", "ns", "default", "0123456789abcdef");
    for (text, replaced) in [
        ("$ARGOCD_APP_NAME-x", "shop-x"),
        ("${ARGOCD_APP_REVISION_SHORT}/$ARGOCD_APP_REVISION_SHORT_8", "0123456/01234567"),
        ("$$ARGOCD_APP_NAME", "$ARGOCD_APP_NAME"),
        ("a$UNKNOWN b", "a b"),
        ("$", "$"),
        ("a$ b", "a$ b"),
        ("$1x", "x"),
        ("${}x", "x"),
        ("${oops", "oops"),
        ("${$}x", "$x"),
        ("$ARGOCD_APP_SOURCE_PATH", "apps/shop"),
    ] {
        assert_eq!(env.substitute(text), replaced, "{text}");
    }
}

#[test]
fn generate_paths_are_from_the_source_or_from_the_root() {
    let mut app = Application::new("argocd", "shop");
    let source = at("apps/shop");
    assert!(refresh_paths(&app, &source).is_empty());
    app.metadata.annotations.insert(
        crd::keys::MANIFEST_GENERATE_PATHS.to_owned(),
        ".; ../base;/shared/*.yaml;;".to_owned(),
    );
    let paths = refresh_paths(&app, &source);
    assert_eq!(paths, ["apps/shop", "apps/base", "shared/*.yaml"]);
    for (file, hit) in [
        ("apps/shop/a.yaml", true),
        ("apps/shop/deep/a.yaml", true),
        ("apps/shopping/a.yaml", false),
        ("apps/base/x", true),
        ("shared/a.yaml", true),
        ("shared/deep/a.yaml", false),
        ("README.md", false),
    ] {
        assert_eq!(files_have_changed(&paths, &[file.to_owned()]), hit, "{file}");
    }
    assert!(files_have_changed(&[], &["x".to_owned()]));
    assert!(files_have_changed(&paths, &[]));
}

#[test]
fn a_hash_is_of_the_content_and_never_changes() {
    let one = serde_json::json!({"b": 1, "a": [1.5, null]});
    assert_eq!(
        object_hash(&one),
        object_hash(&serde_json::from_str(r#"{"a":[1.5,null],"b":1}"#).expect("JSON"))
    );
    assert_eq!(format!("{:016x}", object_hash(&serde_json::json!({}))), "bf21a9e8fbc5a384");
    let _ = ApplicationSourceHelm::default();
}
