use serde_json::json;

use crate::{Gvk, ObjectKey, annotation, gvk, key_of, set_annotation, set_label};

#[test]
fn a_core_kind_has_an_empty_group() {
    assert_eq!(gvk(&json!({"apiVersion": "v1", "kind": "Pod"})), Gvk::new("", "v1", "Pod"));
    assert_eq!(Gvk::new("", "v1", "Pod").api_version(), "v1");
    assert_eq!(Gvk::new("apps", "v1", "Deployment").api_version(), "apps/v1");
}

#[test]
fn a_key_leaves_the_version_out() {
    let object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}});
    assert_eq!(key_of(&object), ObjectKey::new("apps", "Deployment", "shop", "web"));
    assert_eq!(key_of(&object).to_string(), "apps/Deployment/shop/web");
}

#[test]
fn setting_metadata_makes_what_is_missing_and_replaces_what_is_no_map() {
    let mut object = json!({"metadata": {"annotations": null}});
    set_annotation(&mut object, "a", "1");
    set_label(&mut object, "b", "2");
    assert_eq!(annotation(&object, "a"), Some("1"));
    assert_eq!(object, json!({"metadata": {"annotations": {"a": "1"}, "labels": {"b": "2"}}}));
}

#[test]
fn what_is_no_object_reads_as_empty() {
    assert_eq!(key_of(&json!("text")), ObjectKey::default());
}
