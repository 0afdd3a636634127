//! What is wrong with an object: custom kinds by `structural`, built-in kinds by `kubevalid`.

use manifest::field::FieldError;
use serde_json::Value;

use crate::api::problem::Cause;
use crate::crds;
use crate::kinds::Kind;

/// Returns what is wrong with a new object.
pub fn create(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut errors = kubevalid::create(&kind.gvk, object, kind.namespaced);
    if let Some(schema) = crds::schema_of(kind) {
        errors.extend(schema.validate(object, None));
    }
    causes(&errors)
}

/// Returns what is wrong with an updated object.
pub fn update(kind: &Kind, subresource: &str, old: &Value, new: &Value) -> Vec<Cause> {
    let mut errors = kubevalid::update(&kind.gvk, subresource, kind.namespaced, new, old);
    if let Some(schema) = crds::schema_of(kind) {
        errors.extend(schema.validate(new, Some(old)));
    }
    causes(&errors)
}

/// Returns what the client is told beside the answer.
pub fn warnings(kind: &Kind, new: &Value, old: Option<&Value>) -> Vec<String> {
    let _later = (new, old);
    let Some(definition) = &kind.definition else { return Vec::new() };
    let Some(version) = definition.version(&kind.version).filter(|version| version.deprecated)
    else {
        return Vec::new();
    };
    if version.deprecation_warning.is_empty() {
        return vec![format!("{} {} is deprecated", kind.api_version(), kind.kind)];
    }
    vec![version.deprecation_warning.clone()]
}

fn causes(errors: &[FieldError]) -> Vec<Cause> {
    errors.iter().map(cause).collect()
}

fn cause(error: &FieldError) -> Cause {
    Cause {
        reason: error.kind.reason().to_owned(),
        message: error.body(),
        field: error.field.clone(),
    }
}
