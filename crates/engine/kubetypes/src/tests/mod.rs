mod goldens;
mod openapi;
mod protobuf;
mod quantities;
mod times;

use manifest::Gvk;
use merge::schema::{ListKind, Type};
use serde_json::json;

use crate::{LATEST_MINOR, MINORS, tables};

#[test]
fn every_minor_loads_and_knows_deployments() {
    for minor in MINORS {
        let tables = tables(minor);
        assert_eq!(tables.minor(), minor);
        assert!(tables.release().starts_with(&format!("v1.{minor}.")));
        let kind = Gvk::new("apps", "v1", "Deployment");
        let resource = tables.resource_of(&kind).expect("deployments are a resource");
        assert_eq!((resource.plural, resource.namespaced), ("deployments", true));
        assert_eq!(&*resource.short_names, ["deploy"]);
        assert_eq!(resource.subresource("scale").map(|s| s.kind), Some("Scale"));
        assert!(tables.type_of(&kind).is_some());
    }
}

#[test]
fn container_ports_are_keyed_by_port_and_protocol_which_has_a_default() {
    let tables = tables(LATEST_MINOR);
    let id = tables.struct_named("io.k8s.api.core.v1.Container").expect("a published type");
    let schema = tables.schema();
    let Type::Map(container) = &schema.types[id.0 as usize] else { panic!("a struct is a map") };
    let ports = container.field("ports").expect("containers have ports");
    assert!(ports.patch.merge);
    assert_eq!(ports.patch.merge_key.as_deref(), Some("containerPort"));
    let Type::List(list) = schema.get(ports.type_id) else { panic!("ports are a list") };
    assert_eq!(list.kind, ListKind::Map(vec!["containerPort".into(), "protocol".into()]));
    let Type::Map(port) = schema.get(list.element) else { panic!("a port is a struct") };
    assert_eq!(port.field("protocol").and_then(|f| f.default.clone()), Some("TCP".into()));
}

#[test]
fn a_volume_has_the_fields_of_the_source_inlined_in_it() {
    let tables = tables(LATEST_MINOR);
    let id = tables.struct_named("io.k8s.api.core.v1.Volume").expect("a published type");
    assert_eq!(tables.field(id, "configMap").map(|field| field.go_name), Some("ConfigMap"));
    assert!(tables.field(id, "nothing").is_none());
}

#[test]
fn a_map_that_patches_replace_is_replaced_as_a_whole() {
    let tables = tables(LATEST_MINOR);
    let kind = Gvk {
        group: "policy".to_owned(),
        version: "v1".to_owned(),
        kind: "PodDisruptionBudget".to_owned(),
    };
    let id = tables.type_of(&kind).unwrap();
    let live = json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"a": "b"}}}});
    let patch = json!({"spec": {"selector": {"matchLabels": {"c": "d"}}}});
    let patched = merge::strategic::apply(&live, &patch, tables.schema(), id).unwrap();
    assert_eq!(
        patched,
        json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"c": "d"}}}})
    );
}
