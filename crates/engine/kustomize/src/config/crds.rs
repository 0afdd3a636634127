//! Files that `crds` names: OpenAPI definitions whose hints say which fields are names,
//! labels and annotations.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{FieldSpec, NameReference, TransformerConfig, merge_one};
use crate::error::KustomizeError;
use crate::kustomization::Problem;
use crate::resid::Gvk;

/// Definitions inside each other that are followed; a definition that refers to itself never
/// ends for kustomize.
const DEPTH_MAX: usize = 32;

/// Reads a file of definitions.
///
/// # Errors
///
/// For what is no YAML or JSON, and for fields that conflict.
pub(crate) fn from_crds(bytes: &[u8], path: &str) -> Result<TransformerConfig, KustomizeError> {
    let unreadable = |error: KustomizeError| {
        error.inside(format!("unable to parse open API definition from '{path}'"))
    };
    if bytes.is_empty() {
        return Err(unreadable(KustomizeError::said("it is empty")));
    }
    let value = goyaml::to_json(bytes).map_err(|error| unreadable(error.into()))?;
    let definitions = match value {
        Value::Object(definitions) => definitions,
        Value::Null => Map::new(),
        _ => return Err(unreadable(KustomizeError::said("definitions must be an object"))),
    };
    if definitions.values().any(|one| !matches!(one, Value::Object(_) | Value::Null)) {
        return Err(unreadable(KustomizeError::said("a definition must be an object")));
    }
    let definitions: BTreeMap<String, Value> = definitions.into_iter().collect();
    let mut config = TransformerConfig::default();
    for name in definitions.keys() {
        let Some(properties) = properties(&definitions, name) else { continue };
        if ["kind", "apiVersion", "metadata"].iter().any(|field| !properties.contains_key(*field)) {
            continue;
        }
        let kind = name.rsplit('.').next().unwrap_or(name);
        let gvk = Gvk { kind: kind.to_owned().into(), ..Gvk::default() };
        add(&mut config, &gvk, &definitions, name, &mut Vec::new())
            .map_err(KustomizeError::said)?;
    }
    config.sort();
    Ok(config)
}

fn properties<'a>(
    definitions: &'a BTreeMap<String, Value>,
    name: &str,
) -> Option<&'a Map<String, Value>> {
    let definition = definitions.get(name)?.as_object()?;
    let folded = definition.iter().find(|(key, _)| key.eq_ignore_ascii_case("schema"));
    folded?.1.get("properties")?.as_object()
}

fn add(
    config: &mut TransformerConfig,
    gvk: &Gvk,
    definitions: &BTreeMap<String, Value>,
    name: &str,
    path: &mut Vec<String>,
) -> Result<(), Problem> {
    let Some(properties) = properties(definitions, name) else { return Ok(()) };
    if path.len() > DEPTH_MAX {
        return Err(format!("definition `{name}` refers to itself"));
    }
    for (property, schema) in properties {
        path.push(property.clone());
        let spec = |path: &[String]| FieldSpec {
            gvk: gvk.clone(),
            path: path.join("/").into(),
            create: false,
        };
        let hint = |name: &str| schema.get(name).and_then(Value::as_str);
        if hint("x-kubernetes-annotation").is_some() {
            merge_one(&mut config.common_annotations, spec(path))?;
        }
        if hint("x-kubernetes-label-selector").is_some() {
            merge_one(&mut config.common_labels, spec(path))?;
        }
        if hint("x-kubernetes-identity").is_some() {
            merge_one(&mut config.name_prefix, spec(path))?;
        }
        let version = hint("x-kubernetes-object-ref-api-version");
        let kind = hint("x-kubernetes-object-ref-kind");
        if let (Some(version), Some(kind)) = (version, kind) {
            path.push(hint("x-kubernetes-object-ref-name-key").unwrap_or("name").to_owned());
            let target = Gvk {
                version: version.to_owned().into(),
                kind: kind.to_owned().into(),
                ..Gvk::default()
            };
            config.add_reference(NameReference { target, referrers: vec![spec(path)] })?;
            path.pop();
        }
        if let Some(reference) = hint("$ref") {
            add(config, gvk, definitions, reference, path)?;
        }
        path.pop();
    }
    Ok(())
}
