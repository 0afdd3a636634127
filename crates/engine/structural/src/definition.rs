//! A CustomResourceDefinition, read once.

use serde_json::Value;

use crate::schema::Schema;

/// What a custom kind is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// As in URLs.
    pub plural: String,
    /// One of them; the kind in lower case where the definition says nothing.
    pub singular: String,
    /// The kind.
    pub kind: String,
    /// The kind of a list of them.
    pub list_kind: String,
    /// What kubectl also understands.
    pub short_names: Vec<String>,
    /// Groups of kinds, as in `all`.
    pub categories: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean`, `date`.
    pub kind: String,
    /// `""` where the definition says nothing.
    pub format: String,
    /// For people.
    pub description: String,
    /// 0 is always shown; more is for wide tables.
    pub priority: i64,
    /// Where the value stands, as in `.spec.replicas`.
    pub json_path: String,
}

/// One version of a custom kind.
#[derive(Clone, Debug)]
pub struct Version {
    /// As in `v1alpha1`.
    pub name: String,
    /// Whether it is offered.
    pub served: bool,
    /// Whether it is the one that is stored.
    pub storage: bool,
    /// Whether it is on its way out.
    pub deprecated: bool,
    /// What clients of it are told, where it is on its way out.
    pub deprecation_warning: String,
    /// The schema; an empty one where the definition has none.
    pub schema: Schema,
    /// The schema as it was written, for OpenAPI documents.
    pub schema_text: Value,
    /// The columns of tables, in order.
    pub columns: Vec<Column>,
    /// Whether the status is written by itself.
    pub has_status: bool,
    /// Where the replicas stand, where the kind scales.
    pub scale: Option<Scale>,
    /// JSON paths that field selectors may ask for.
    pub selectable: Vec<String>,
}

/// Where a kind that scales keeps its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    /// As in `.spec.replicas`.
    pub spec_path: String,
    /// As in `.status.replicas`.
    pub status_path: String,
    /// Where the selector stands as text; `""` for nowhere.
    pub selector_path: String,
}

/// A custom kind.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The API group.
    pub group: String,
    /// What it is called.
    pub names: Names,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// In the order of the definition.
    pub versions: Vec<Version>,
}

impl Definition {
    /// The version that is stored.
    pub fn storage(&self) -> Option<&Version> {
        self.versions.iter().find(|version| version.storage)
    }

    /// A version by its name, served or not.
    pub fn version(&self, name: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.name == name)
    }
}

/// Reads a definition (`apiextensions.k8s.io/v1`); what is missing reads as empty.
pub fn parse(definition: &Value) -> Definition {
    let spec = &definition["spec"];
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let texts = |value: &Value, key: &str| -> Vec<String> {
        let list = value.get(key).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let or = |text: String, other: String| if text.is_empty() { other } else { text };
    let names = &spec["names"];
    let kind = text(names, "kind");
    Definition {
        group: text(spec, "group"),
        names: Names {
            plural: text(names, "plural"),
            singular: or(text(names, "singular"), kind.to_lowercase()),
            list_kind: or(text(names, "listKind"), format!("{kind}List")),
            short_names: texts(names, "shortNames"),
            categories: texts(names, "categories"),
            kind,
        },
        namespaced: text(spec, "scope") == "Namespaced",
        versions: spec["versions"].as_array().into_iter().flatten().map(version).collect(),
    }
}

fn version(value: &Value) -> Version {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or("").to_owned();
    let flag = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let schema_text = value.pointer("/schema/openAPIV3Schema").cloned().unwrap_or(Value::Null);
    let columns = value.get("additionalPrinterColumns").and_then(Value::as_array);
    let selectable = value.get("selectableFields").and_then(Value::as_array);
    Version {
        name: text(value, "name"),
        served: flag("served"),
        storage: flag("storage"),
        deprecated: flag("deprecated"),
        deprecation_warning: text(value, "deprecationWarning"),
        schema: Schema::parse(&schema_text),
        schema_text,
        columns: columns
            .into_iter()
            .flatten()
            .map(|column| Column {
                name: text(column, "name"),
                kind: text(column, "type"),
                format: text(column, "format"),
                description: text(column, "description"),
                priority: column.get("priority").and_then(Value::as_i64).unwrap_or(0),
                json_path: text(column, "jsonPath"),
            })
            .collect(),
        has_status: value.pointer("/subresources/status").is_some(),
        scale: value.pointer("/subresources/scale").map(|scale| Scale {
            spec_path: text(scale, "specReplicasPath"),
            status_path: text(scale, "statusReplicasPath"),
            selector_path: text(scale, "labelSelectorPath"),
        }),
        selectable: selectable.into_iter().flatten().map(|field| text(field, "jsonPath")).collect(),
    }
}
