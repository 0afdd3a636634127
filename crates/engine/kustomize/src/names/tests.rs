use super::fix_references;
use crate::config::SharedConfig;
use crate::node::{Node, parse_first};
use crate::resource::{Origin, Resource};

fn resource(text: &str) -> Resource {
    let node = parse_first(text.as_bytes()).unwrap().unwrap();
    Resource::new(node, Origin::default())
}

fn map(name: &str, namespace: &str) -> Resource {
    let metadata = format!("{{name: {name}, namespace: {namespace}}}");
    resource(&format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {metadata}\n"))
}

fn pod(namespace: &str, volume: &str) -> Resource {
    resource(&format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: pod, namespace: {namespace}}}\nspec:\n  \
         volumes: [{{configMap: {{name: {volume}}}}}]\n"
    ))
}

fn renamed(mut resource: Resource, name: &str) -> Resource {
    resource.store_previous_id();
    resource.set_name(name.to_owned());
    resource
}

fn fix(resources: &mut [Resource]) -> Result<(), String> {
    let config = SharedConfig::defaults();
    fix_references(resources, config.get()).map_err(|error| error.to_string())
}

fn volume(pod: &Resource) -> &str {
    let volumes = pod.node.at(&["spec", "volumes"]).and_then(Node::as_sequence).unwrap();
    volumes.items()[0].at(&["configMap", "name"]).and_then(Node::text).unwrap()
}

#[test]
fn a_reference_follows_the_object_of_its_namespace() {
    let mut all =
        [renamed(map("one", "a"), "one-a"), renamed(map("one", "b"), "one-b"), pod("b", "one")];
    fix(&mut all).unwrap();
    assert_eq!(volume(&all[2]), "one-b");
}

#[test]
fn a_reference_to_what_was_never_renamed_stays() {
    let mut all = [map("one", "a"), pod("a", "one")];
    fix(&mut all).unwrap();
    assert_eq!(volume(&all[1]), "one");
}

#[test]
fn two_that_could_be_meant_are_an_error_that_names_them() {
    let mut all =
        [renamed(map("one", "a"), "x-one"), renamed(map("one", "a"), "y-one"), pod("a", "one")];
    let error = fix(&mut all).unwrap_err();
    assert!(error.contains("found multiple possible referrals"), "{error}");
    assert!(error.contains("x-one") && error.contains("y-one"), "{error}");
}

#[test]
fn a_subject_without_a_name_is_refused_though_nothing_was_renamed() {
    let binding = "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\n\
                   metadata: {name: b}\nsubjects: [{kind: User}]\n";
    let error = fix(&mut [resource(binding)]).unwrap_err();
    assert!(error.contains("no 'name' field in node"), "{error}");
}
