//! A structural schema as a tree.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::rules::Rule;

/// One node of an `openAPIV3Schema`.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// `object`, `array`, `string`, `integer`, `number`, `boolean`, or `""`.
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) nullable: bool,
    pub(crate) default: Option<Value>,
    pub(crate) properties: BTreeMap<String, Schema>,
    /// `None`: nothing besides the properties is kept.
    pub(crate) additional: Option<Additional>,
    pub(crate) items: Option<Box<Schema>>,
    pub(crate) required: Vec<String>,
    pub(crate) int_or_string: bool,
    pub(crate) preserve_unknown: bool,
    pub(crate) embedded: bool,
    /// `set`, `map`, `atomic`, or `""`.
    pub(crate) list_type: String,
    pub(crate) list_map_keys: Vec<String>,
    pub(crate) map_atomic: bool,
    pub(crate) limits: Limits,
    pub(crate) all_of: Vec<Schema>,
    pub(crate) any_of: Vec<Schema>,
    pub(crate) one_of: Vec<Schema>,
    pub(crate) not: Option<Box<Schema>>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) holds: Holds,
}

/// What stands somewhere in a schema, at its top or below: most have none of it, and large objects
/// need not be walked through for it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Holds {
    rules: bool,
    pub embedded: bool,
    /// Lists in which nothing may stand twice.
    pub distinct: bool,
}

/// What `additionalProperties` says.
#[derive(Clone, Debug)]
pub(crate) enum Additional {
    Any,
    Schema(Box<Schema>),
}

/// What a value may be, beyond its type.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    pub values: Vec<Value>,
    pub maximum: Option<serde_json::Number>,
    pub exclusive_maximum: bool,
    pub minimum: Option<serde_json::Number>,
    pub exclusive_minimum: bool,
    pub multiple_of: Option<serde_json::Number>,
    pub max_length: Option<u64>,
    pub min_length: Option<u64>,
    pub pattern: Option<(String, Option<Regex>)>,
    pub max_items: Option<u64>,
    pub min_items: Option<u64>,
    pub unique_items: bool,
    pub max_properties: Option<u64>,
    pub min_properties: Option<u64>,
}

impl Schema {
    /// Reads a schema; what is not understood is left out.
    pub fn parse(value: &Value) -> Self {
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        let texts = |key: &str| -> Vec<String> {
            let list = value.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let several = |key: &str| -> Vec<Schema> {
            let list = value.get(key).and_then(Value::as_array).into_iter().flatten();
            list.map(Schema::parse).collect()
        };
        let one = |key: &str| value.get(key).map(|node| Box::new(Schema::parse(node)));
        let properties = value.get("properties").and_then(Value::as_object).into_iter().flatten();
        Self {
            kind: text("type"),
            format: text("format"),
            nullable: flag("nullable"),
            default: value.get("default").cloned(),
            properties: properties
                .map(|(name, node)| (name.clone(), Schema::parse(node)))
                .collect(),
            additional: match value.get("additionalProperties") {
                Some(Value::Bool(true)) => Some(Additional::Any),
                Some(node @ Value::Object(_)) => {
                    Some(Additional::Schema(Box::new(Schema::parse(node))))
                }
                _ => None,
            },
            items: one("items"),
            required: texts("required"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            preserve_unknown: flag("x-kubernetes-preserve-unknown-fields"),
            embedded: flag("x-kubernetes-embedded-resource"),
            list_type: text("x-kubernetes-list-type"),
            list_map_keys: texts("x-kubernetes-list-map-keys"),
            map_atomic: text("x-kubernetes-map-type") == "atomic",
            limits: Limits::parse(value),
            all_of: several("allOf"),
            any_of: several("anyOf"),
            one_of: several("oneOf"),
            not: one("not"),
            rules: Rule::parse_all(value),
            holds: Holds::default(),
        }
        .with_all_noted()
    }

    fn with_all_noted(mut self) -> Self {
        let additional = match &self.additional {
            Some(Additional::Schema(node)) => Some(&**node),
            Some(Additional::Any) | None => None,
        };
        let below = self.properties.values().chain(self.items.as_deref()).chain(additional);
        let below: Vec<Holds> = below.map(|node| node.holds).collect();
        self.holds = Holds {
            rules: !self.rules.is_empty()
                || self.all_of.iter().any(Schema::has_rules)
                || below.iter().any(|holds| holds.rules),
            embedded: self.embedded || below.iter().any(|holds| holds.embedded),
            distinct: ["set", "map"].contains(&self.list_type.as_str())
                || below.iter().any(|holds| holds.distinct),
        };
        self
    }

    /// Whether a rule in CEL stands anywhere in the schema.
    pub fn has_rules(&self) -> bool {
        self.holds.rules
    }

    /// Whether objects may stand within the objects.
    pub fn has_embedded(&self) -> bool {
        self.holds.embedded
    }

    /// The types as a validation error names them.
    pub(crate) fn types(&self) -> &str {
        if self.int_or_string { "integer,string" } else { &self.kind }
    }
}

impl Limits {
    fn parse(value: &Value) -> Self {
        let count = |key: &str| value.get(key).and_then(Value::as_u64);
        let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        let number = |key: &str| match value.get(key) {
            Some(Value::Number(number)) => Some(number.clone()),
            _ => None,
        };
        Self {
            values: value.get("enum").and_then(Value::as_array).cloned().unwrap_or_default(),
            maximum: number("maximum"),
            exclusive_maximum: flag("exclusiveMaximum"),
            minimum: number("minimum"),
            exclusive_minimum: flag("exclusiveMinimum"),
            multiple_of: number("multipleOf"),
            max_length: count("maxLength"),
            min_length: count("minLength"),
            // A pattern that does not compile here is kept for its words and not checked.
            pattern: value
                .get("pattern")
                .and_then(Value::as_str)
                .filter(|pattern| !pattern.is_empty())
                .map(|pattern| (pattern.to_owned(), Regex::new(pattern).ok())),
            max_items: count("maxItems"),
            min_items: count("minItems"),
            unique_items: flag("uniqueItems"),
            max_properties: count("maxProperties"),
            min_properties: count("minProperties"),
        }
    }
}
