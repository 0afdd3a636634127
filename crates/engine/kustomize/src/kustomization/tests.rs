use super::Kustomization;

fn refused(text: &str) -> String {
    let error = Kustomization::read(text.as_bytes(), "dir", &mut Vec::new()).unwrap_err();
    error.to_string()
}

fn read(text: &str) -> (Kustomization, Vec<String>) {
    let mut warnings = Vec::new();
    let read = Kustomization::read(text.as_bytes(), "dir", &mut warnings).expect("it is good");
    (read, warnings)
}

#[test]
fn unknown_fields_are_refused() {
    assert_eq!(
        refused("resource: [a]\n"),
        "invalid Kustomization: json: unknown field \"resource\""
    );
    assert!(refused("images: [{nam: a}]\n").contains("unknown field \"nam\""));
}

#[test]
fn names_match_in_any_case() {
    assert_eq!(read("nameprefix: a-\n").0.name_prefix, "a-");
}

#[test]
fn values_of_another_type_are_refused() {
    let error = refused("labels: [{pairs: {x: y}}]\n");
    assert!(error.contains("cannot unmarshal bool"), "{error}");
}

#[test]
fn an_empty_file_is_refused_but_not_an_empty_list() {
    assert_eq!(refused(""), "kustomization.yaml is empty");
    assert_eq!(refused("kind: Kustomization\nnamePrefix: ''\n"), "kustomization.yaml is empty");
    assert!(read("resources: []\n").0.resources.is_empty());
}

#[test]
fn deprecated_fields_move_with_a_warning() {
    let (read, warnings) = read("bases: [b]\nresources: [a]\nimageTags: [{name: i}]\n");
    assert_eq!(read.resources, ["a", "b"]);
    assert_eq!(read.images.len(), 1);
    assert_eq!(warnings.len(), 2);
    assert!(warnings[0].starts_with("# Warning: 'bases' is deprecated."), "{warnings:?}");
}

#[test]
fn kind_and_version_must_fit() {
    let error = refused("kind: Deployment\nnamePrefix: a\n");
    assert!(error.contains("kind should be Kustomization or Component"), "{error}");
    assert!(refused("apiVersion: v1\nnamePrefix: a\n").contains("apiVersion for Kustomization"));
}
