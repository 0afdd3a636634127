//! JSON patches (RFC 6902) on resources.
//!
//! Kustomize prints the resource as JSON, patches that, and reads it back: every number
//! becomes a float on the way, and text loses how it was quoted.

use goval::{FloatBits, format_g};
use serde_json::{Map, Value};

use super::merge::raw_text;
use crate::error::KustomizeError;
use crate::node::{Entry, Mapping, Node, Scalar, Sequence, Tag, Text};
use crate::resource::Resource;

/// The operations of a patch.
#[derive(Clone, Debug)]
pub struct JsonPatch(Value);

impl JsonPatch {
    /// Reads operations from JSON or YAML; `None` where there are none.
    ///
    /// # Errors
    ///
    /// Where the text is neither, or no list of mappings.
    pub fn read(text: &[u8]) -> Result<Option<Self>, KustomizeError> {
        if text.is_empty() {
            return Err(KustomizeError::said("empty json patch operations"));
        }
        let operations = if text[0] == b'[' {
            serde_json::from_slice(text).map_err(|cause| KustomizeError::said(cause.to_string()))?
        } else {
            goyaml::to_json(text)?
        };
        let of_operation = |value: &Value| matches!(value, Value::Object(_) | Value::Null);
        let (kind, place) = match &operations {
            Value::Null => return Ok(None),
            Value::Array(items) if items.is_empty() => return Ok(None),
            Value::Array(items) => match items.iter().find(|item| !of_operation(item)) {
                None => return Ok(Some(Self(operations))),
                Some(item) => (go_kind(item), "Operation"),
            },
            other => (go_kind(other), "Patch"),
        };
        Err(KustomizeError::said(format!(
            "json: cannot unmarshal {kind} into Go value of type jsonpatch.{place}"
        )))
    }

    /// Applies the operations.
    ///
    /// # Errors
    ///
    /// In the words of evanphx' library, where an operation does not apply.
    pub fn apply(&self, resource: &mut Resource) -> Result<(), KustomizeError> {
        let own = build_annotations(resource);
        let mut document = resource.node.to_json()?;
        if !own.is_empty()
            && let Some(annotations) = annotations_of(&mut document)
        {
            for (key, value) in &own {
                annotations.insert((*key).to_owned(), Value::String(value.clone()));
            }
        }
        let patched = merge::json_patch::apply(&document, &self.0)
            .map_err(|refused| KustomizeError::said(refused.to_string()))?;
        let patched = match patched {
            Value::Object(fields) => Value::Object(fields),
            Value::Null => Value::Object(Map::new()),
            other => {
                return Err(KustomizeError::said(format!(
                    "json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
                    go_kind(&other)
                )));
            }
        };
        resource.node = node(patched);
        settle_annotations(resource, &own);
        Ok(())
    }
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

const PREVIOUS_KINDS: &str = "internal.config.kubernetes.io/previousKinds";
const PREVIOUS_NAMES: &str = "internal.config.kubernetes.io/previousNames";
const PREVIOUS_NAMESPACES: &str = "internal.config.kubernetes.io/previousNamespaces";
const PREFIXES: &str = "internal.config.kubernetes.io/prefixes";
const SUFFIXES: &str = "internal.config.kubernetes.io/suffixes";
const REF_BY: &str = "internal.config.kubernetes.io/refBy";
const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
const BEHAVIOR: &str = "internal.config.kubernetes.io/generatorBehavior";

/// The annotations that kustomize itself would have put into the object by now.
fn build_annotations(resource: &Resource) -> Vec<(&'static str, String)> {
    fn joined<'a>(texts: impl Iterator<Item = &'a Text>) -> String {
        texts.map(|text| &**text).collect::<Vec<_>>().join(",")
    }
    let previous = &resource.previous;
    let references: Vec<String> = resource.ref_by.iter().map(ToString::to_string).collect();
    let mut own = Vec::new();
    if !previous.is_empty() {
        own.push((PREVIOUS_KINDS, joined(previous.iter().map(|id| &id.kind))));
        own.push((PREVIOUS_NAMES, joined(previous.iter().map(|id| &id.name))));
        own.push((PREVIOUS_NAMESPACES, joined(previous.iter().map(|id| &id.namespace))));
    }
    for (name, texts) in [(PREFIXES, &resource.prefixes), (SUFFIXES, &resource.suffixes)] {
        if !texts.is_empty() {
            own.push((name, joined(texts.iter())));
        }
    }
    if !references.is_empty() {
        own.push((REF_BY, references.join(",")));
    }
    if resource.needs_hash {
        own.push((NEEDS_HASH, "enabled".to_owned()));
    }
    if resource.origin.generated {
        own.push((BEHAVIOR, "unspecified".to_owned()));
    }
    own
}

/// `metadata.annotations`, made where they are missing.
fn annotations_of(document: &mut Value) -> Option<&mut Map<String, Value>> {
    let mut at = document;
    for name in ["metadata", "annotations"] {
        at = at.as_object_mut()?.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if at.is_null() {
            *at = Value::Object(Map::new());
        }
    }
    at.as_object_mut()
}

/// After a JSON patch all annotations are text, and there is no empty mapping of them.
fn settle_annotations(resource: &mut Resource, own: &[(&str, String)]) {
    let Some(metadata) = resource.node.at_mut(&["metadata"]).and_then(Node::as_mapping_mut) else {
        return;
    };
    let Some(annotations) = metadata.get("annotations") else { return };
    let kept: Vec<(Text, Node)> = annotations
        .as_mapping()
        .into_iter()
        .flat_map(|annotations| annotations.iter())
        .filter(|(key, _)| !own.iter().any(|(name, _)| ***key == **name))
        .map(|(key, value)| (key.clone(), Node::string(raw_text(value).to_owned())))
        .collect();
    if kept.is_empty() {
        metadata.remove("annotations");
    } else {
        metadata.insert("annotations", Node::Mapping(kept.into_iter().collect::<Mapping>()));
    }
}

/// A JSON value as Go reads it without a type, prints it as YAML and reads that.
fn node(value: Value) -> Node {
    match value {
        Value::Null => Node::null(),
        Value::Bool(value) => {
            let text = Text::from(if value { "true" } else { "false" });
            Node::Scalar(Scalar { text, tag: Tag::Bool, quoted: false })
        }
        Value::Number(number) => {
            let value = number.as_f64().expect("every JSON number is a float to Go");
            Node::Scalar(Scalar::plain(format_g(value, FloatBits::F64)))
        }
        Value::String(text) => {
            let quoted = text.contains('\n') || Tag::of(&text) != Tag::Str;
            Node::Scalar(Scalar { text: text.into(), tag: Tag::Str, quoted })
        }
        Value::Array(items) => {
            Node::Sequence(Sequence::from(items.into_iter().map(node).collect::<Vec<_>>()))
        }
        Value::Object(fields) => {
            let entry =
                |(key, value): (String, Value)| Entry::new(Scalar::string(key), node(value));
            Node::Mapping(Mapping::from(fields.into_iter().map(entry).collect::<Vec<_>>()))
        }
    }
}
