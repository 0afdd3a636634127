//! Charts, as a source asks for them.

use std::collections::BTreeMap;

use crd::{ApplicationSource, ApplicationSourceHelm, HelmFileParameter, HelmParameter};
use filetree::{FileTree, MapTree};
use serde_json::{Value, json};

use super::directory::tree;
use crate::{Input, Need, Options, Reach, RenderError, RenderedSource, render_source};

/// A chart that prints its values, and what it knows of its release.
const FILES: &[(&str, &str)] = &[
    ("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n"),
    ("app/values.yaml", "from: chart\n"),
    (
        "app/templates/values.yaml",
        "kind: Values\napiVersion: v1\nvalues: {{ .Values | toJson }}\nrelease: {{ .Release.Name }}/{{ .Release.Namespace }}\nkube: {{ .Capabilities.KubeVersion.Version }}\nmonitoring: {{ .Capabilities.APIVersions.Has \"monitoring.coreos.com/v1\" }}\n",
    ),
    (
        "app/templates/test.yaml",
        "kind: Pod\napiVersion: v1\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n",
    ),
    ("app/crds/one.yaml", "kind: CustomResourceDefinition\napiVersion: apiextensions.k8s.io/v1\n"),
    ("app/a.yaml", "from: a\na: 1\n"),
    ("app/envs/z.yaml", "order: z\n"),
    ("app/envs/deep/a.yaml", "order: deep\n"),
    ("app/text.txt", "a text, with a comma"),
    ("root.yaml", "from: root\n"),
    ("other/team.yaml", "from: team\n"),
];

fn ask(helm: ApplicationSourceHelm, reach: &Reach<'_>) -> Result<RenderedSource, RenderError> {
    let source = ApplicationSource {
        path: "app".to_owned(),
        helm: Some(Box::new(helm)),
        ..ApplicationSource::default()
    };
    let input = Input {
        source: &source,
        source_index: 0,
        app_name: "team_web",
        namespace: "shop",
        project: "default",
        revision: "0123456789abcdef",
        kube_version: "v1.33.4-gke.5",
        api_versions: &["monitoring.coreos.com/v1".to_owned()],
        options: &Options::default(),
        reach,
    };
    render_source(&tree(FILES), &input)
}

fn rendered(helm: ApplicationSourceHelm) -> Result<Value, String> {
    let rendered = ask(helm, &Reach::default()).map_err(|error| error.to_string())?;
    let object = rendered.objects.iter().find(|made| made.object["kind"] == "Values");
    Ok(object.expect("the chart has it").object.as_ref().clone())
}

fn values(files: &[&str]) -> Result<Value, String> {
    let value_files = files.iter().map(|file| (*file).to_owned()).collect();
    let helm = ApplicationSourceHelm { value_files, ..ApplicationSourceHelm::default() };
    Ok(rendered(helm)?["values"].clone())
}

#[test]
fn a_release_is_called_as_the_application_and_sees_its_destination() {
    let object = rendered(ApplicationSourceHelm::default()).unwrap();
    assert_eq!(object["release"], "web/shop");
    assert_eq!(object["kube"], "v1.33.4");
    assert_eq!(object["monitoring"], true);
    let own = rendered(ApplicationSourceHelm {
        release_name: "own".to_owned(),
        namespace: "elsewhere".to_owned(),
        kube_version: "1.30".to_owned(),
        api_versions: vec!["a/v1,b/v1".to_owned()],
        ..ApplicationSourceHelm::default()
    })
    .unwrap();
    assert_eq!(own["release"], "own/elsewhere");
    assert_eq!(own["kube"], "v1.30");
    assert_eq!(own["monitoring"], false);
}

#[test]
fn value_files_are_found_from_the_chart_and_from_the_root() {
    assert_eq!(values(&[]), Ok(json!({"from": "chart"})));
    assert_eq!(values(&["a.yaml", "/root.yaml"]), Ok(json!({"from": "root", "a": 1})));
    assert_eq!(values(&["/root.yaml", "a.yaml"]), Ok(json!({"from": "a", "a": 1})));
    assert_eq!(values(&["../root.yaml"]), Ok(json!({"from": "root"})));
    let missing = values(&["none.yaml"]).unwrap_err();
    assert_eq!(missing, "open app/none.yaml: no such file or directory");
    let outside = values(&["../../x.yaml"]).unwrap_err();
    assert!(
        outside.ends_with("file '../../x.yaml' resolved to outside repository root"),
        "{outside}"
    );
    let ignored = rendered(ApplicationSourceHelm {
        value_files: vec!["none.yaml".to_owned(), "no/*.yaml".to_owned()],
        ignore_missing_value_files: true,
        ..ApplicationSourceHelm::default()
    });
    assert!(ignored.is_ok());
}

#[test]
fn a_pattern_stands_for_files_of_a_directory_before_those_below_it() {
    assert_eq!(values(&["envs/**/*.yaml"]).unwrap()["order"], "deep");
    assert_eq!(values(&["envs/**/*.yaml", "envs/z.yaml"]).unwrap()["order"], "z");
    assert_eq!(values(&["envs/*.yaml"]).unwrap()["order"], "z");
    let none = values(&["no/*.yaml"]).unwrap_err();
    assert!(none.ends_with(r#"values file glob "no/*.yaml" matched no files"#), "{none}");
}

#[test]
fn files_of_other_sources_and_of_the_network_are_asked_for() {
    let other: MapTree = tree(&[("envs/prod.yaml", "from: other\n")]);
    let mut reach = Reach {
        refs: BTreeMap::from([("ref".to_owned(), &other as &dyn FileTree)]),
        ..Reach::default()
    };
    let helm = ApplicationSourceHelm {
        value_files: vec![
            "$ref/envs/prod.yaml".to_owned(),
            "https://example.com/v.yaml".to_owned(),
        ],
        ..ApplicationSourceHelm::default()
    };
    let need = Need::ValueFile { url: "https://example.com/v.yaml".to_owned() };
    match ask(helm.clone(), &reach) {
        Err(RenderError::Needs { needs }) => assert_eq!(needs, std::slice::from_ref(&need)),
        other => panic!("{other:?}"),
    }
    reach.fetched.add_file(need, b"more: 1\n"[..].into());
    let made = ask(helm, &reach).unwrap();
    let object = made.objects.iter().find(|made| made.object["kind"] == "Values").unwrap();
    assert_eq!(object.object["values"], json!({"from": "other", "more": 1}));
}

#[test]
fn parameters_win_and_their_commas_are_text() {
    let parameter = |name: &str, value: &str, force_string| HelmParameter {
        name: name.to_owned(),
        value: value.to_owned(),
        force_string,
        ..HelmParameter::default()
    };
    let object = rendered(ApplicationSourceHelm {
        values: "from: source\nonly: here\n".to_owned(),
        parameters: vec![
            parameter("from", "$ARGOCD_APP_NAME", false),
            parameter("number", "5", false),
            parameter("text", "5", true),
            parameter("comma", r"a,b\,c", false),
            parameter("list", "{a,b}", false),
            parameter("deep.er", "true", false),
        ],
        file_parameters: vec![HelmFileParameter {
            name: "file".to_owned(),
            path: "text.txt".to_owned(),
            ..HelmFileParameter::default()
        }],
        ..ApplicationSourceHelm::default()
    })
    .unwrap();
    assert_eq!(
        object["values"],
        json!({"from": "team_web", "only": "here", "number": 5, "text": "5", "comma": "a,b,c",
            "list": ["a", "b"], "deep": {"er": true}, "file": "a text, with a comma"})
    );
}

#[test]
fn an_object_of_values_wins_over_a_text() {
    let object = rendered(ApplicationSourceHelm {
        values: "from: text\n".to_owned(),
        values_object: Some(json!({"from": "object", "yes": "y"})),
        ..ApplicationSourceHelm::default()
    })
    .unwrap();
    assert_eq!(object["values"], json!({"from": "object", "yes": "y"}));
}

#[test]
fn definitions_come_first_and_tests_can_be_left_out() {
    let kinds = |helm| -> Vec<String> {
        let rendered = ask(helm, &Reach::default()).unwrap();
        let kinds =
            rendered.objects.iter().map(|made| made.object["kind"].as_str().unwrap().to_owned());
        kinds.collect()
    };
    let plain = ApplicationSourceHelm::default();
    assert_eq!(kinds(plain.clone()), ["CustomResourceDefinition", "Values", "Pod"]);
    let skipped = ApplicationSourceHelm { skip_crds: true, skip_tests: true, ..plain };
    assert_eq!(kinds(skipped), ["Values"]);
}

#[test]
fn only_what_was_asked_of_the_destination_is_noted() {
    let asked = ask(ApplicationSourceHelm::default(), &Reach::default()).unwrap().asked;
    assert!(asked.kube_version && !asked.all_api_versions);
    assert_eq!(asked.api_versions, BTreeMap::from([("monitoring.coreos.com/v1".to_owned(), true)]));
}

#[test]
fn a_kubernetes_version_is_its_numbers_as_they_were_given() {
    for (given, plain) in [
        ("1.33", "1.33"),
        ("v1.33.0", "1.33.0"),
        (" v1.33.4-gke.5", "1.33.4"),
        ("1.33.1+k3s1", "1.33.1"),
        ("1.33.x", "1.33"),
        ("1.033", "1.33"),
        ("1.2.3.4", "1.2.3.4"),
        ("0.9", "0.9"),
        // None of these is a version.
        ("01.2", "01.2"),
        ("vv1.2", "vv1.2"),
        ("1", "1"),
        ("v", "v"),
        ("", ""),
    ] {
        assert_eq!(crate::plain_version(given), plain, "{given}");
    }
}
