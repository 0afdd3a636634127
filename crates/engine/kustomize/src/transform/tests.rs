use serde_json::json;

use super::{EntriesStep, ImageStep, NamespaceStep, Subjects, hash_of, paths};
use crate::config::{FieldSpec, SharedConfig};
use crate::kustomization::Image;
use crate::node::parse_first;
use crate::resource::{Origin, Resource};

fn resource(text: &str) -> Resource {
    let node = parse_first(text.as_bytes()).unwrap().unwrap();
    Resource::new(node, Origin::default())
}

#[test]
fn an_image_rule_that_matches_its_own_work_applies_twice() {
    let image = Image { name: "nginx".into(), tag_suffix: "-x".into(), ..Image::default() };
    let config = SharedConfig::defaults();
    let step = ImageStep::new(image, paths(&config.get().images)).unwrap();
    let mut pods = [resource("kind: Pod\nspec: {containers: [{image: nginx:1}]}\n")];
    step.apply(&mut pods).unwrap();
    assert_eq!(
        pods[0].node.to_json().unwrap(),
        json!({"kind": "Pod", "spec": {"containers": [{"image": "nginx:1-x-x"}]}})
    );
}

#[test]
fn containers_that_are_null_become_a_list() {
    let config = SharedConfig::defaults();
    let image = Image { name: "nginx".into(), new_tag: "2".into(), ..Image::default() };
    let step = ImageStep::new(image, paths(&config.get().images)).unwrap();
    let mut pods = [resource("kind: Pod\nspec: {containers: ~}\n")];
    step.apply(&mut pods).unwrap();
    assert_eq!(pods[0].node.to_json().unwrap(), json!({"kind": "Pod", "spec": {"containers": []}}));
}

#[test]
fn two_objects_that_meet_in_a_namespace_conflict() {
    let step = NamespaceStep::new("b", &[], Subjects::Default, false);
    let one = resource("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n");
    let mut other = one.clone();
    other.set_namespace("x");
    assert!(step.apply(&mut [one, other]).unwrap_err().to_string().contains("ID conflict"));
}

#[test]
fn labels_are_made_where_the_kind_has_them() {
    let step = EntriesStep {
        entries: [("a".to_owned(), "1".to_owned())].into(),
        specs: paths(&[FieldSpec::anywhere("metadata/labels", true)]),
    };
    let mut pods = [resource("kind: Pod\n")];
    step.apply(&mut pods).unwrap();
    assert_eq!(
        pods[0].node.to_json().unwrap(),
        json!({"kind": "Pod", "metadata": {"labels": {"a": "1"}}})
    );
}

#[test]
fn the_hash_is_that_of_kustomize() {
    let empty = resource("kind: ConfigMap\n");
    assert_eq!(hash_of(&empty).unwrap(), "6ct58987ht");
    let one = resource("kind: ConfigMap\ndata: {one: ''}\n");
    assert_eq!(hash_of(&one).unwrap(), "9g67k2htb6");
}
