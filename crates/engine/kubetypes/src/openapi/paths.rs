//! What may be asked at which path, in both dialects.

use manifest::Gvk;
use serde_json::{Map, Value, json};

use super::custom::CustomKind;
use super::has;
use super::schemas::Dialect;
use crate::tables::{Resource, Tables, Verb};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1";

/// A resource as the documents show it.
pub(super) struct Published {
    plural: String,
    kind: Gvk,
    namespaced: bool,
    verbs: Vec<Verb>,
    /// The schema of one object.
    schema: String,
    list_schema: String,
    subresources: Vec<Below>,
    /// Custom resources take no strategic merge.
    strategic: bool,
    deletion_answers_object: bool,
}

struct Below {
    name: String,
    kind: Gvk,
    schema: String,
    verbs: Vec<Verb>,
}

impl Published {
    pub(super) fn built_in(tables: &Tables, resource: &Resource) -> Published {
        let kind = Gvk::new(resource.group, resource.version, resource.kind);
        let schema_of = |kind: &Gvk| {
            tables.struct_of(kind).map(|id| tables.get(id).name.to_owned()).unwrap_or_default()
        };
        let list = Gvk::new(resource.group, resource.version, resource.list_kind());
        Published {
            plural: resource.plural.to_owned(),
            namespaced: resource.namespaced,
            verbs: resource.verbs().collect(),
            schema: schema_of(&kind),
            list_schema: schema_of(&list),
            subresources: resource
                .subresources
                .iter()
                .map(|below| {
                    let kind = Gvk::new(below.group, below.version, below.kind);
                    Below {
                        name: below.name.to_owned(),
                        // A log is text.
                        schema: match below.name {
                            "log" => "string".to_owned(),
                            _ => schema_of(&kind),
                        },
                        kind,
                        verbs: below.verbs().collect(),
                    }
                })
                .collect(),
            kind,
            strategic: true,
            deletion_answers_object: resource.deletion_answers_object(),
        }
    }

    pub(super) fn custom(custom: &CustomKind) -> Published {
        let kind = Gvk::new(custom.group, custom.version, custom.kind);
        let mut subresources = Vec::new();
        let verbs = || vec![Verb::Get, Verb::Patch, Verb::Update];
        if custom.scale {
            subresources.push(Below {
                name: "scale".to_owned(),
                kind: Gvk::new("autoscaling", "v1", "Scale"),
                schema: "io.k8s.api.autoscaling.v1.Scale".to_owned(),
                verbs: verbs(),
            });
        }
        if custom.status {
            subresources.push(Below {
                name: "status".to_owned(),
                kind: kind.clone(),
                schema: custom.schema_name(),
                verbs: verbs(),
            });
        }
        Published {
            plural: custom.plural.to_owned(),
            kind,
            namespaced: custom.namespaced,
            verbs: Verb::ALL.to_vec(),
            schema: custom.schema_name(),
            list_schema: custom.list_schema_name(),
            subresources,
            strategic: false,
            deletion_answers_object: false,
        }
    }
}

/// One operation, in neither dialect yet.
struct Operation<'a> {
    method: &'static str,
    action: &'static str,
    /// The first word of the operation's id.
    word: &'static str,
    kind: &'a Gvk,
    /// What the id names: scope, kind, subresource.
    id: String,
    body: Option<Body<'a>>,
    parameters: &'static [(&'static str, &'static str)],
    answers: &'static [u16],
    answer: &'a str,
    /// Answers as a watch, too.
    watches: bool,
}

enum Body<'a> {
    Object(&'a str),
    Delete,
    Patch { strategic: bool },
}

const WRITE: &[(&str, &str)] =
    &[("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string")];
const APPLY: &[(&str, &str)] = &[
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
    ("force", "boolean"),
];
const DELETE: &[(&str, &str)] = &[
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    ("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];
const LIST: &[(&str, &str)] = &[
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];
const DELETE_LIST: &[(&str, &str)] = &[
    ("continue", "string"),
    ("dryRun", "string"),
    ("fieldSelector", "string"),
    ("gracePeriodSeconds", "integer"),
    ("ignoreStoreReadErrorWithClusterBreakingPotential", "boolean"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
];

/// The paths of a group and version in version 3.
pub(super) fn v3(group: &str, version: &str, resources: &[Published]) -> Map<String, Value> {
    documented(group, version, resources, Dialect::V3)
}

/// The paths of a group and version in version 2.
pub(super) fn v2(group: &str, version: &str, resources: &[Published]) -> Map<String, Value> {
    documented(group, version, resources, Dialect::V2)
}

fn documented(
    group: &str,
    version: &str,
    resources: &[Published],
    dialect: Dialect,
) -> Map<String, Value> {
    let root = match group {
        "" => format!("/api/{version}"),
        group => format!("/apis/{group}/{version}"),
    };
    let writer = Writer { dialect, group: camel(group), version: upper(version) };
    let mut paths = Map::new();
    let discovery = Gvk::default();
    let lists = format!("{META}.APIResourceList");
    let operation = Operation {
        method: "get",
        action: "",
        word: "get",
        kind: &discovery,
        id: "APIResources".to_owned(),
        body: None,
        parameters: &[],
        answers: &[200],
        answer: &lists,
        watches: false,
    };
    paths.insert(format!("{root}/"), writer.path(&[], &[], &[operation]));
    let status = format!("{META}.Status");
    for resource in resources {
        let scope = if resource.namespaced { "Namespaced" } else { "" };
        let place = match resource.namespaced {
            true => format!("{root}/namespaces/{{namespace}}/{}", resource.plural),
            false => format!("{root}/{}", resource.plural),
        };
        let holder: &[&str] = if resource.namespaced { &["namespace"] } else { &[] };
        let id = format!("{scope}{}", resource.kind.kind);
        let collection = collection(resource, &id, &status);
        if !collection.is_empty() {
            paths.insert(place.clone(), writer.path(holder, &["pretty"], &collection));
        }
        if resource.namespaced && has(&resource.verbs, Verb::List) {
            let all = format!("{}ForAllNamespaces", resource.kind.kind);
            let operation = listing(resource, all);
            let everywhere = format!("{root}/{}", resource.plural);
            paths.insert(everywhere, writer.path(&[], &["pretty"], &[operation]));
        }
        let named: Vec<&str> = ["name"].iter().chain(holder).copied().collect();
        let item = one(resource, &resource.verbs, &resource.kind, &resource.schema, &id, &status);
        if !item.is_empty() {
            paths.insert(format!("{place}/{{name}}"), writer.path(&named, &["pretty"], &item));
        }
        for below in &resource.subresources {
            let id = format!("{id}{}", upper(&below.name));
            let mut operations =
                one(resource, &below.verbs, &below.kind, &below.schema, &id, &status);
            if has(&below.verbs, Verb::Create) && !below.schema.is_empty() {
                operations.push(creating(&below.kind, &below.schema, id));
            }
            if !operations.is_empty() {
                let path = format!("{place}/{{name}}/{}", below.name);
                paths.insert(path, writer.path(&named, &["pretty"], &operations));
            }
        }
    }
    paths
}

fn collection<'a>(resource: &'a Published, id: &str, status: &'a str) -> Vec<Operation<'a>> {
    let mut operations = Vec::new();
    if has(&resource.verbs, Verb::List) {
        operations.push(listing(resource, id.to_owned()));
    }
    if has(&resource.verbs, Verb::Create) {
        operations.push(creating(&resource.kind, &resource.schema, id.to_owned()));
    }
    if has(&resource.verbs, Verb::DeleteCollection) {
        operations.push(Operation {
            method: "delete",
            action: "deletecollection",
            word: "deleteCollection",
            kind: &resource.kind,
            id: id.to_owned(),
            body: Some(Body::Delete),
            parameters: DELETE_LIST,
            answers: &[200],
            answer: status,
            watches: false,
        });
    }
    operations
}

fn listing(resource: &Published, id: String) -> Operation<'_> {
    Operation {
        method: "get",
        action: "list",
        word: "list",
        kind: &resource.kind,
        id,
        body: None,
        parameters: LIST,
        answers: &[200],
        answer: &resource.list_schema,
        watches: true,
    }
}

fn creating<'a>(kind: &'a Gvk, schema: &'a str, id: String) -> Operation<'a> {
    Operation {
        method: "post",
        action: "post",
        word: "create",
        kind,
        id,
        body: Some(Body::Object(schema)),
        parameters: WRITE,
        answers: &[200, 201, 202],
        answer: schema,
        watches: false,
    }
}

fn one<'a>(
    resource: &Published,
    verbs: &[Verb],
    kind: &'a Gvk,
    schema: &'a str,
    id: &str,
    status: &'a str,
) -> Vec<Operation<'a>> {
    let mut operations = Vec::new();
    let operation = |method, action, word, parameters, answers, answer, body| Operation {
        method,
        action,
        word,
        kind,
        id: id.to_owned(),
        body,
        parameters,
        answers,
        answer,
        watches: false,
    };
    if schema.is_empty() {
        return operations;
    }
    if has(verbs, Verb::Get) {
        operations.push(operation("get", "get", "read", &[][..], &[200][..], schema, None));
    }
    if has(verbs, Verb::Update) {
        let body = Some(Body::Object(schema));
        operations.push(operation("put", "put", "replace", WRITE, &[200, 201], schema, body));
    }
    if has(verbs, Verb::Patch) {
        let body = Some(Body::Patch { strategic: resource.strategic });
        operations.push(operation("patch", "patch", "patch", APPLY, &[200, 201], schema, body));
    }
    if has(verbs, Verb::Delete) {
        let body = Some(Body::Delete);
        let status = if resource.deletion_answers_object { schema } else { status };
        operations.push(operation("delete", "delete", "delete", DELETE, &[200, 202], status, body));
    }
    operations
}

/// Writes operations in a dialect.
struct Writer {
    dialect: Dialect,
    group: String,
    version: String,
}

const FORMS: [&str; 4] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
    "application/cbor",
];
const WATCH_FORMS: [&str; 3] = [
    "application/json;stream=watch",
    "application/vnd.kubernetes.protobuf;stream=watch",
    "application/cbor-seq",
];
const PATCHES: [&str; 5] = [
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
    "application/apply-patch+cbor",
];

impl Writer {
    fn path(&self, in_path: &[&str], in_query: &[&str], operations: &[Operation]) -> Value {
        let mut item = Map::new();
        for operation in operations {
            item.insert(operation.method.to_owned(), self.operation(operation));
        }
        let mut parameters: Vec<Value> =
            in_path.iter().map(|name| self.parameter("path", name, "string")).collect();
        parameters.extend(in_query.iter().map(|name| self.parameter("query", name, "string")));
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), Value::Array(parameters));
        }
        Value::Object(item)
    }

    fn operation(&self, operation: &Operation) -> Value {
        let (verb, collection) = match operation.word {
            "deleteCollection" => ("delete", "Collection"),
            verb => (verb, ""),
        };
        let id = format!("{verb}{}{}{collection}{}", self.group, self.version, operation.id);
        let lower = |text: &str| {
            let mut chars = text.chars();
            chars.next().map(|c| c.to_lowercase().chain(chars).collect::<String>())
        };
        let tag =
            format!("{}_{}", lower(&self.group).unwrap_or_default(), self.version.to_lowercase());
        let mut parameters: Vec<Value> = operation
            .parameters
            .iter()
            .map(|(name, kind)| self.parameter("query", name, kind))
            .collect();
        let mut out = Map::new();
        out.insert("operationId".to_owned(), id.into());
        out.insert("tags".to_owned(), json!([tag]));
        if !operation.action.is_empty() {
            out.insert("x-kubernetes-action".to_owned(), operation.action.into());
            let kind = operation.kind;
            out.insert(
                "x-kubernetes-group-version-kind".to_owned(),
                json!({"group": kind.group, "version": kind.version, "kind": kind.kind}),
            );
        }
        let mut forms: Vec<&str> = FORMS.to_vec();
        if operation.watches {
            forms.extend(WATCH_FORMS);
        }
        match self.dialect {
            Dialect::V3 => {
                if let Some(body) = self.body(operation) {
                    out.insert("requestBody".to_owned(), body);
                }
            }
            Dialect::V2 => {
                if let Some(body) = self.body(operation) {
                    parameters.insert(0, body);
                }
                out.insert("consumes".to_owned(), json!(consumed(operation)));
                out.insert("produces".to_owned(), json!(forms));
                out.insert("schemes".to_owned(), json!(["https"]));
            }
        }
        if !parameters.is_empty() {
            out.insert("parameters".to_owned(), Value::Array(parameters));
        }
        out.insert("responses".to_owned(), self.answers(operation, &forms));
        Value::Object(out)
    }

    fn answers(&self, operation: &Operation, forms: &[&str]) -> Value {
        let mut answers = Map::new();
        let schema = match operation.answer {
            "string" => json!({"type": "string"}),
            name => self.dialect.reference(name),
        };
        for code in operation.answers {
            let description = match code {
                200 => "OK",
                201 => "Created",
                _ => "Accepted",
            };
            let answer = match self.dialect {
                Dialect::V2 => json!({"description": description, "schema": schema}),
                Dialect::V3 => {
                    let content: Map<String, Value> = forms
                        .iter()
                        .map(|form| ((*form).to_owned(), json!({"schema": schema})))
                        .collect();
                    json!({"description": description, "content": content})
                }
            };
            answers.insert(code.to_string(), answer);
        }
        answers.insert("401".to_owned(), json!({"description": "Unauthorized"}));
        Value::Object(answers)
    }

    fn parameter(&self, place: &str, name: &str, kind: &str) -> Value {
        let mut parameter = json!({"in": place, "name": name});
        let object = parameter.as_object_mut().expect("the line above made an object");
        if place == "path" {
            object.insert("required".to_owned(), true.into());
        }
        match self.dialect {
            Dialect::V2 => {
                object.insert("type".to_owned(), kind.into());
                object.insert("uniqueItems".to_owned(), true.into());
            }
            Dialect::V3 => {
                object.insert("schema".to_owned(), json!({"type": kind, "uniqueItems": true}));
            }
        }
        parameter
    }

    fn body(&self, operation: &Operation) -> Option<Value> {
        let (schema, required) = match operation.body.as_ref()? {
            Body::Object(schema) => (self.dialect.reference(schema), true),
            Body::Delete => (self.dialect.reference(&format!("{META}.DeleteOptions")), false),
            Body::Patch { .. } => (self.dialect.reference(&format!("{META}.Patch")), true),
        };
        let mut body = match self.dialect {
            Dialect::V2 => json!({"in": "body", "name": "body", "schema": schema}),
            Dialect::V3 => {
                let content: Map<String, Value> = consumed(operation)
                    .into_iter()
                    .map(|form| (form.to_owned(), json!({"schema": schema})))
                    .collect();
                json!({"content": content})
            }
        };
        if required {
            body["required"] = true.into();
        }
        Some(body)
    }
}

fn consumed(operation: &Operation) -> Vec<&'static str> {
    match operation.body {
        Some(Body::Patch { strategic }) => {
            PATCHES.into_iter().filter(|form| strategic || !form.contains("strategic")).collect()
        }
        None if operation.action.is_empty() => FORMS.to_vec(),
        Some(Body::Object(_) | Body::Delete) | None => vec!["*/*"],
    }
}

/// `flowcontrol.apiserver.k8s.io` is `FlowcontrolApiserver`; foreign groups keep all their parts.
fn camel(group: &str) -> String {
    if group.is_empty() {
        return "Core".to_owned();
    }
    let own = group.strip_suffix(".k8s.io").unwrap_or(group);
    own.split(['.', '-']).map(upper).collect()
}

fn upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
