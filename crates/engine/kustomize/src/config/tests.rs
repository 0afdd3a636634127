use super::{FieldSpec, SharedConfig, TransformerConfig};

#[test]
fn the_defaults_have_every_list() {
    let defaults = SharedConfig::defaults();
    let config = defaults.get();
    assert_eq!(config.name_prefix.len(), 1);
    assert_eq!(config.namespace.len(), 3);
    assert_eq!(config.common_labels.len(), 32);
    assert_eq!(config.template_labels.len(), 10);
    assert_eq!(config.common_annotations.len(), 9);
    assert_eq!(config.images.len(), 6);
    assert_eq!(config.replicas.len(), 4);
    assert_eq!(config.name_reference.len(), 16);
    assert!(config.images.iter().all(|spec| spec.create));
}

#[test]
fn a_field_that_is_covered_is_not_added_again() {
    let mut config = SharedConfig::defaults();
    let more = TransformerConfig {
        name_prefix: vec![FieldSpec::anywhere("metadata/name", false)],
        ..TransformerConfig::default()
    };
    config.merge_config(more).unwrap();
    assert_eq!(config.get().name_prefix.len(), 1);
}

#[test]
fn two_opinions_on_making_a_field_conflict() {
    let mut config = SharedConfig::defaults();
    let more = TransformerConfig {
        name_prefix: vec![FieldSpec::anywhere("metadata/name", true)],
        ..TransformerConfig::default()
    };
    assert!(config.merge_config(more).is_err());
}
