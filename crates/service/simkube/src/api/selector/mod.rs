//! Label and field selectors.

mod labels;
mod text;

pub use self::text::text_of;

use serde_json::Value;

use self::labels::Operator;
use crate::api::problem::Problem;
use crate::kinds::Kind;
use crate::store::{Entry, Meta};

/// What an object must be for a list or a watch to show it.
#[derive(Clone, Debug, Default)]
pub struct Selector {
    labels: Vec<LabelRule>,
    fields: Vec<FieldRule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LabelRule {
    key: String,
    test: LabelTest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum LabelTest {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    Absent,
    Greater(i64),
    Less(i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldRule {
    path: String,
    value: String,
    equal: bool,
}

impl Selector {
    /// Reads `labelSelector` and `fieldSelector`.
    ///
    /// # Errors
    ///
    /// 400 where one does not parse, or names a field that the kind cannot be selected by.
    pub fn parse(labels: &str, fields: &str, kind: &Kind) -> Result<Selector, Problem> {
        let Selector { labels, fields } = Selector::read(labels, fields)?;
        for rule in &fields {
            if !selectable(kind, &rule.path) {
                return Err(Problem::bad_request(unsupported(kind, &rule.path)));
            }
        }
        Ok(Selector { labels, fields })
    }

    /// Reads `labelSelector` and `fieldSelector`, whatever the kind.
    ///
    /// # Errors
    ///
    /// 400 where one does not parse.
    pub fn read(labels: &str, fields: &str) -> Result<Selector, Problem> {
        let labels = parse_labels(labels).map_err(Problem::bad_request)?;
        let fields = parse_fields(fields).map_err(Problem::bad_request)?;
        Ok(Selector { labels, fields })
    }

    /// Returns whether everything is shown.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    /// Returns the one name that is asked for, where that is so.
    pub fn name(&self) -> Option<&str> {
        let rule = self.fields.iter().find(|rule| rule.equal && rule.path == "metadata.name")?;
        Some(&rule.value)
    }

    /// Returns whether an object at rest is shown. `key` is where it is kept.
    pub fn shows(&self, kind: &Kind, key: &str, entry: &Entry) -> bool {
        self.labels.iter().all(|rule| rule.holds(&entry.meta)) && self.fields_hold(kind, key, entry)
    }

    fn fields_hold(&self, kind: &Kind, key: &str, entry: &Entry) -> bool {
        let (namespace, name) = key.split_once('/').unwrap_or(("", key));
        let mut parsed: Option<Value> = None;
        self.fields.iter().all(|rule| {
            let holds = match rule.path.as_str() {
                "metadata.name" => name == rule.value,
                "metadata.namespace" => namespace == rule.value,
                path => {
                    let object = parsed.get_or_insert_with(|| entry.value());
                    field_value(kind, object, path) == rule.value
                }
            };
            holds == rule.equal
        })
    }
}

impl LabelRule {
    fn of(rule: labels::Rule) -> LabelRule {
        let bound = || rule.values.first().and_then(|value| value.parse().ok()).unwrap_or(0);
        let test = match rule.operator {
            Operator::Exists => LabelTest::Exists,
            Operator::DoesNotExist => LabelTest::Absent,
            Operator::In => LabelTest::In(rule.values),
            Operator::NotIn => LabelTest::NotIn(rule.values),
            Operator::Greater => LabelTest::Greater(bound()),
            Operator::Less => LabelTest::Less(bound()),
        };
        LabelRule { key: rule.key, test }
    }

    fn holds(&self, meta: &Meta) -> bool {
        let value =
            meta.labels.iter().find(|(key, _)| **key == *self.key).map(|(_, value)| &**value);
        match (&self.test, value) {
            (LabelTest::In(values), Some(value)) => values.iter().any(|one| one == value),
            (LabelTest::NotIn(values), Some(value)) => values.iter().all(|one| one != value),
            (LabelTest::Exists, value) => value.is_some(),
            (LabelTest::Absent, value) => value.is_none(),
            (LabelTest::Greater(bound), Some(value)) => {
                value.parse().is_ok_and(|n: i64| n > *bound)
            }
            (LabelTest::Less(bound), Some(value)) => value.parse().is_ok_and(|n: i64| n < *bound),
            (LabelTest::NotIn(_), None) => true,
            (LabelTest::In(_) | LabelTest::Greater(_) | LabelTest::Less(_), None) => false,
        }
    }
}

fn parse_labels(text: &str) -> Result<Vec<LabelRule>, String> {
    let rules = labels::parse(text)?;
    Ok(rules.into_iter().map(LabelRule::of).collect())
}

fn parse_fields(text: &str) -> Result<Vec<FieldRule>, String> {
    let mut terms = split_escaped(text);
    terms.sort();
    let mut rules = Vec::new();
    for term in terms.iter().filter(|term| !term.is_empty()) {
        let Some((path, equal, value)) = split_term(term) else {
            return Err(format!("invalid selector: '{text}'; can't understand '{term}'"));
        };
        let value = unescape(value)?;
        // Nothing that is nothing says nothing.
        if !path.is_empty() || !value.is_empty() {
            rules.push(FieldRule { path: path.to_owned(), value, equal });
        }
    }
    Ok(rules)
}

/// Takes a term apart at its first operator: the field, whether it must be equal, the value.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    term.char_indices().find_map(|(at, _)| {
        let (path, rest) = term.split_at(at);
        let operators = [("!=", false), ("==", true), ("=", true)];
        operators
            .into_iter()
            .find_map(|(sign, equal)| Some((path, equal, rest.strip_prefix(sign)?)))
    })
}

fn split_escaped(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == ',' && !escaped {
            parts.push(String::new());
            continue;
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn unescape(value: &str) -> Result<String, String> {
    const WRONG: &str = "invalid field selector:";
    let mut plain = String::new();
    let mut escaped = false;
    for sign in value.chars() {
        match (escaped, sign) {
            (true, '\\' | ',' | '=') => {
                plain.push(sign);
                escaped = false;
            }
            (true, _) => return Err(format!("{WRONG} invalid escape sequence: \\{sign}")),
            (false, '\\') => escaped = true,
            (false, ',' | '=') => {
                return Err(format!("{WRONG} unescaped character in value: {}", sign as u32));
            }
            (false, _) => plain.push(sign),
        }
    }
    if escaped { Err(format!("{WRONG} invalid escape sequence: \\")) } else { Ok(plain) }
}

fn unsupported(kind: &Kind, path: &str) -> String {
    if kind.is("batch", "Job") {
        return format!("field label \"{path}\" not supported for Job");
    }
    if kind.is("resource.k8s.io", "ResourceSlice") {
        return format!(
            "field label not supported for {}, Kind={}: {path}",
            kind.api_version(),
            kind.kind
        );
    }
    let own = SELECTABLE.iter().any(|(group, name, _)| kind.is(group, name));
    if own || kind.is("", "Event") {
        return format!("field label not supported: {path}");
    }
    if !kind.built_in() {
        return format!("field label not supported: {path}");
    }
    format!(
        "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    )
}

/// Fields beyond name and namespace that a built-in kind can be selected by, with the place where they stand.
const SELECTABLE: &[(&str, &str, &[&str])] = &[
    (
        "",
        "Pod",
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.podIPs",
            "status.nominatedNodeName",
        ],
    ),
    (
        "",
        "Event",
        &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
    ),
    (
        "events.k8s.io",
        "Event",
        &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "regarding.apiVersion",
            "regarding.resourceVersion",
            "regarding.fieldPath",
            "reason",
            "reportingController",
            "type",
        ],
    ),
    ("", "Secret", &["type"]),
    ("", "Namespace", &["name", "status.phase"]),
    ("", "Node", &["spec.unschedulable"]),
    ("", "Service", &["spec.clusterIP", "spec.type"]),
    ("", "ReplicationController", &["status.replicas"]),
    ("batch", "Job", &["status.successful"]),
    ("certificates.k8s.io", "CertificateSigningRequest", &["spec.signerName"]),
    ("resource.k8s.io", "ResourceSlice", &["spec.driver", "spec.nodeName"]),
];

fn selectable(kind: &Kind, path: &str) -> bool {
    if path == "metadata.name" || path == "metadata.namespace" {
        return true;
    }
    match &kind.definition {
        Some(definition) => definition.selectable(&kind.version).any(|field| field == path),
        None => SELECTABLE
            .iter()
            .any(|(group, name, paths)| kind.is(group, name) && paths.contains(&path)),
    }
}

fn field_value(kind: &Kind, object: &Value, path: &str) -> String {
    let path = match (kind.kind.as_str(), path) {
        ("Namespace" | "PersistentVolume" | "PersistentVolumeClaim", "name") => "metadata.name",
        ("Job", "status.successful") => "status.succeeded",
        ("Pod", "status.podIPs") => "status.podIP",
        ("Event", "source") => "source.component",
        (_, path) => path,
    };
    // Events are kept as core events, whatever group serves them.
    let path = match path.strip_prefix("regarding.") {
        Some(rest) => format!("involvedObject.{rest}"),
        None if path == "reportingController" => "reportingComponent".to_owned(),
        None => path.to_owned(),
    };
    let found = path.split('.').try_fold(object, |at, step| at.get(step));
    match found {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => absent(&path).to_owned(),
        Some(other) => other.to_string(),
    }
}

/// What an absent field is compared as.
fn absent(path: &str) -> &'static str {
    match path {
        "spec.unschedulable" | "spec.hostNetwork" => "false",
        "status.succeeded" | "status.replicas" => "0",
        _ => "",
    }
}
