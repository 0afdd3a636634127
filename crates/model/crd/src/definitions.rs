//! The custom resource definitions of our kinds, made from the same tables as the types.

use serde_json::{Map, Value, json};

use crate::application::Application;
use crate::appset::ApplicationSet;
use crate::keys;
use crate::project::AppProject;
use crate::shape::Field;

/// One kind, as a cluster is told of it.
#[derive(Clone, Debug)]
pub struct Definition {
    /// As in `Application`.
    pub kind: &'static str,
    /// As in `applications`.
    pub plural: &'static str,
    /// As in `app`.
    pub short_names: &'static [&'static str],
    /// Columns of `kubectl get`: name, JSON path, priority (0 is always shown).
    columns: &'static [(&'static str, &'static str, u32)],
    /// `subresources`, where there is such a field. Application and AppProject have no status
    /// subresource: their status is written with the whole object.
    subresources: Option<bool>,
    /// Whether fields are described; ApplicationSet repeats so many that it would outgrow what
    /// a cluster stores.
    described: bool,
    schema: fn() -> Value,
}

/// Returns our three kinds.
pub fn definitions() -> [Definition; 3] {
    [
        Definition {
            kind: "Application",
            plural: "applications",
            short_names: &["app", "apps"],
            columns: &[
                ("Sync Status", ".status.sync.status", 0),
                ("Health Status", ".status.health.status", 0),
                ("Revision", ".status.sync.revision", 10),
                ("Project", ".spec.project", 10),
            ],
            subresources: Some(false),
            described: true,
            schema: Application::schema,
        },
        Definition {
            kind: "AppProject",
            plural: "appprojects",
            short_names: &["appproj", "appprojs"],
            columns: &[],
            subresources: None,
            described: true,
            schema: AppProject::schema,
        },
        Definition {
            kind: "ApplicationSet",
            plural: "applicationsets",
            short_names: &["appset", "appsets"],
            columns: &[],
            subresources: Some(true),
            described: false,
            schema: ApplicationSet::schema,
        },
    ]
}

impl Definition {
    /// The name of the definition: `applications.argoproj.io`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.plural, keys::GROUP)
    }

    /// The schema of the kind's objects.
    pub fn schema(&self) -> Value {
        let mut schema = (self.schema)();
        // The server checks metadata itself, and allows no more than this here.
        schema["properties"]["metadata"] = json!({"type": "object"});
        if !self.described {
            drop_descriptions(&mut schema, false);
        }
        schema
    }

    /// The whole object that is applied to a cluster.
    pub fn object(&self) -> Value {
        let mut version =
            json!({"name": "v1alpha1", "schema": {}, "served": true, "storage": true});
        // Moved to where it belongs: what `json!` is given it copies, and a schema is megabytes.
        version["schema"]["openAPIV3Schema"] = self.schema();
        if !self.columns.is_empty() {
            version["additionalPrinterColumns"] = self.columns.iter().map(column).collect();
        }
        if let Some(status) = self.subresources {
            version["subresources"] = if status { json!({"status": {}}) } else { json!({}) };
        }
        let mut object = json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": self.name(),
                "labels": {
                    "app.kubernetes.io/name": self.name(),
                    keys::LABEL_PART_OF: keys::PART_OF_ARGOCD,
                },
            },
            "spec": {
                "group": keys::GROUP,
                "names": {
                    "kind": self.kind,
                    "listKind": format!("{}List", self.kind),
                    "plural": self.plural,
                    "shortNames": self.short_names,
                    "singular": self.kind.to_lowercase(),
                },
                "scope": "Namespaced",
            },
        });
        object["spec"]["versions"] = Value::Array(vec![version]);
        object
    }
}

fn column((name, path, priority): &(&str, &str, u32)) -> Value {
    let mut column = Map::new();
    column.insert("name".into(), (*name).into());
    column.insert("type".into(), "string".into());
    column.insert("jsonPath".into(), (*path).into());
    if *priority > 0 {
        column.insert("priority".into(), (*priority).into());
    }
    Value::Object(column)
}

/// Takes descriptions out of a schema; below `properties`, `description` is a field's name.
fn drop_descriptions(schema: &mut Value, names: bool) {
    match schema {
        Value::Object(fields) => {
            if !names {
                fields.remove("description");
            }
            for (name, value) in fields {
                drop_descriptions(value, !names && name == "properties");
            }
        }
        Value::Array(items) => {
            for item in items {
                drop_descriptions(item, false);
            }
        }
        _ => {}
    }
}
