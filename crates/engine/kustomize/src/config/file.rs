//! Files that `configurations` names.

use serde_json::Value;

use super::{FieldSpec, NameReference, TransformerConfig};
use crate::error::KustomizeError;
use crate::kustomization::{Fields, Problem};

/// Reads a configuration file.
///
/// # Errors
///
/// For what is no YAML, an unknown field, or a value of the wrong type.
pub(crate) fn from_file(bytes: &[u8]) -> Result<TransformerConfig, KustomizeError> {
    let value = goyaml::to_json_strict(bytes)?;
    read(value).map_err(|problem| {
        KustomizeError::said(format!("error unmarshaling JSON: while decoding JSON: {problem}"))
    })
}

fn read(value: Value) -> Result<TransformerConfig, Problem> {
    let mut fields = Fields::of("TransformerConfig", value)?;
    let mut config = TransformerConfig::default();
    for (name, list) in config.lists_mut() {
        *list = fields.list(name, FieldSpec::of)?;
    }
    config.name_reference = fields.list("nameReference", |value| {
        let mut fields = Fields::of("NameBackReferences", value)?;
        let target = crate::kustomization::gvk(&mut fields)?;
        let referrers = fields.list("fieldSpecs", FieldSpec::of)?;
        fields.end().map(|()| NameReference { target, referrers })
    })?;
    fields.end()?;
    config.sort();
    Ok(config)
}
