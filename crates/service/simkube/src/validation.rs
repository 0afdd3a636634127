//! What is wrong with an object: custom kinds by `structural`, built-in kinds by `kubevalid`.

use manifest::field::FieldError;
use serde_json::Value;

use crate::api::problem::Cause;
use crate::cluster::Cluster;
use crate::crds;
use crate::kinds::Kind;

/// Returns what is wrong with a new object, beyond its metadata.
pub fn create(cluster: &Cluster, kind: &Kind, object: &Value) -> Vec<Cause> {
    let _later = cluster;
    match crds::schema_of(kind) {
        Some(schema) => causes(&schema.validate(object, None)),
        None => Vec::new(),
    }
}

/// Returns what is wrong with an updated object, beyond its metadata.
pub fn update(
    cluster: &Cluster,
    kind: &Kind,
    subresource: &str,
    old: &Value,
    new: &Value,
) -> Vec<Cause> {
    let _later = (cluster, subresource);
    match crds::schema_of(kind) {
        Some(schema) => causes(&schema.validate(new, Some(old))),
        None => Vec::new(),
    }
}

/// Returns what the client is told beside the answer.
pub fn warnings(kind: &Kind, new: &Value, old: Option<&Value>) -> Vec<String> {
    let _later = (new, old);
    let Some(definition) = &kind.definition else { return Vec::new() };
    let Some(version) = definition.version(&kind.version).filter(|version| version.deprecated) else {
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
    Cause { reason: error.kind.reason().to_owned(), message: error.body(), field: error.field.clone() }
}
