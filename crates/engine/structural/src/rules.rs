//! The rules in CEL of a schema (`x-kubernetes-validations`).
//!
//! A rule that does not parse, or that uses what [`cel`] does not evaluate, lets everything pass.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cel::{Expr, Value as Cel};
use manifest::field::{FieldError, FieldErrorKind};
use serde_json::{Map, Value};

use crate::schema::{Additional, Schema};

/// One rule.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    written: String,
    expr: Expr,
    message: String,
    message_expr: Option<Expr>,
    reason: FieldErrorKind,
    /// `.spec.x`, or `""`.
    field_path: String,
    /// Whether it speaks of what was before.
    of_change: bool,
    /// Whether what was before may be absent.
    old_optional: bool,
}

impl Rule {
    /// Reads the rules of a node.
    pub(crate) fn parse_all(node: &Value) -> Vec<Rule> {
        let list = node.get("x-kubernetes-validations").and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Rule::parse).collect()
    }

    fn parse(rule: &Value) -> Option<Rule> {
        let text = |name: &str| rule.get(name).and_then(Value::as_str).unwrap_or("").trim();
        let read = |text: &str| cel::parse(text).ok().filter(cel::is_known);
        let expr = read(text("rule"))?;
        Some(Rule {
            written: text("rule").to_owned(),
            of_change: cel::names_used(&expr, "oldSelf"),
            expr,
            message: text("message").to_owned(),
            message_expr: read(text("messageExpression")),
            reason: match text("reason") {
                "FieldValueForbidden" => FieldErrorKind::Forbidden,
                "FieldValueRequired" => FieldErrorKind::Required,
                "FieldValueDuplicate" => FieldErrorKind::Duplicate,
                _ => FieldErrorKind::Invalid,
            },
            field_path: text("fieldPath").to_owned(),
            old_optional: rule.get("optionalOldSelf").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// What the rule is called in messages.
    fn called(&self) -> &str {
        if self.message.is_empty() { &self.written } else { &self.message }
    }
}

/// What rules say of an object.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// Why it is refused.
    pub errors: Vec<FieldError>,
    /// What was wrong before and has not changed.
    pub warnings: Vec<String>,
}

impl Schema {
    /// Holds an object to the schema's rules. `wrong`: what the schema alone has to say of it; where that is
    /// a matter of types, the rules are not asked.
    pub fn follow_rules(&self, object: &Value, old: Option<&Value>, wrong: &[FieldError]) -> Said {
        let mut said = Said::default();
        if !self.has_rules() {
            return said;
        }
        let blocks = |error: &FieldError| {
            matches!(
                error.kind,
                FieldErrorKind::NotSupported
                    | FieldErrorKind::Required
                    | FieldErrorKind::TooLong
                    | FieldErrorKind::TooMany
                    | FieldErrorKind::TypeInvalid
            )
        };
        if wrong.iter().any(blocks) {
            said.errors.push(FieldError::invalid("", Value::Null, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"));
            return said;
        }
        follow(self, object, old, "", &mut said);
        said
    }
}

fn follow(schema: &Schema, value: &Value, old: Option<&Value>, path: &str, said: &mut Said) {
    if value.is_null() {
        return;
    }
    let old = old.filter(|old| !old.is_null());
    ask(schema, value, old, path, said);
    for branch in &schema.all_of {
        follow(branch, value, old, path, said);
    }
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let before = old.filter(|_| !schema.map_atomic).and_then(|old| old.get(name));
                if let Some(node) = schema.properties.get(name) {
                    let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    follow(node, field, before, &at, said);
                } else if let Some(Additional::Schema(node)) = &schema.additional {
                    follow(node, field, before, &format!("{path}[{name}]"), said);
                }
            }
        }
        Value::Array(items) => {
            let Some(node) = schema.items.as_deref() else { return };
            for (index, item) in items.iter().enumerate() {
                let before = old.and_then(|old| twin(schema, item, old));
                follow(node, item, before, &format!("{path}[{index}]"), said);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The item of an older list that has the same keys.
fn twin<'a>(schema: &Schema, item: &Value, old: &'a Value) -> Option<&'a Value> {
    if schema.list_type != "map" || schema.list_map_keys.is_empty() {
        return None;
    }
    let same = |other: &&Value| schema.list_map_keys.iter().all(|key| other[key] == item[key]);
    old.as_array()?.iter().find(same)
}

fn ask(schema: &Schema, value: &Value, old: Option<&Value>, path: &str, said: &mut Said) {
    if schema.rules.is_empty() {
        return;
    }
    let is_root = path.is_empty();
    let own = of_schema(schema, value, is_root);
    let before = old.map(|old| of_schema(schema, old, is_root));
    for rule in &schema.rules {
        if rule.of_change && before.is_none() && !rule.old_optional {
            continue;
        }
        let mut names = vec![("self", own.clone())];
        if rule.old_optional {
            names.push(("oldSelf", Cel::Optional(before.clone().map(Into::into))));
        } else if let Some(before) = &before {
            names.push(("oldSelf", before.clone()));
        }
        let kind = Value::from(schema.kind.as_str());
        match cel::eval(&rule.expr, &names) {
            Ok(Cel::Bool(true)) => {}
            Ok(_) => {
                let told = rule.message_expr.as_ref().and_then(|expr| cel::eval(expr, &names).ok());
                let told = match told {
                    Some(Cel::Text(text)) if !text.trim().is_empty() && !text.contains('\n') => {
                        text.trim().to_owned()
                    }
                    _ if rule.message.is_empty() => format!("failed rule: {}", rule.written),
                    _ => rule.message.clone(),
                };
                let error = refusal(rule, schema, value, path, told);
                if !rule.of_change && old == Some(value) {
                    said.warnings.push(error.to_string());
                } else {
                    said.errors.push(error);
                }
            }
            Err(error) if error.is_budget() => {
                let words = format!(
                    "'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {}",
                    rule.called()
                );
                said.errors.push(FieldError::invalid(path, kind, words));
                return;
            }
            Err(error) if error.0.starts_with("no such overload") => {
                let words = format!(
                    "'{error}': call arguments did not match a supported operator, function or macro signature for rule: {}",
                    rule.called()
                );
                said.errors.push(FieldError::invalid(path, kind, words));
            }
            Err(error) => {
                let words = format!("{error} evaluating rule: {}", rule.called());
                said.errors.push(FieldError::invalid(path, kind, words));
            }
        }
    }
}

fn refusal(rule: &Rule, schema: &Schema, value: &Value, path: &str, told: String) -> FieldError {
    let at = match (path, rule.field_path.trim_start_matches('.')) {
        (path, "") => path.to_owned(),
        ("", below) => below.to_owned(),
        (path, below) if below.starts_with('[') => format!("{path}{below}"),
        (path, below) => format!("{path}.{below}"),
    };
    let told = if rule.reason == FieldErrorKind::Duplicate { String::new() } else { told };
    let mut error = FieldError::new(rule.reason, at, value.clone(), told);
    if matches!(schema.kind.as_str(), "object" | "array") {
        error.value = None;
    }
    error
}

/// A value as rules see it: fields by names that CEL can say, numbers of the schema's type.
fn of_schema(schema: &Schema, value: &Value, is_root: bool) -> Cel {
    match value {
        Value::Number(number) if schema.kind == "number" => {
            Cel::Double(number.as_f64().unwrap_or(0.0))
        }
        Value::Number(number) if schema.kind == "integer" && number.is_f64() => {
            Cel::Int(number.as_f64().unwrap_or(0.0) as i64)
        }
        Value::Array(items) => Cel::list(
            items
                .iter()
                .map(|item| match schema.items.as_deref() {
                    Some(node) => of_schema(node, item, false),
                    None => Cel::of(item),
                })
                .collect(),
        ),
        Value::Object(fields) => Cel::map(of_fields(schema, fields, is_root)),
        Value::String(text) if !schema.format.is_empty() => {
            of_format(&schema.format, text).unwrap_or_else(|| Cel::text(text))
        }
        other => Cel::of(other),
    }
}

/// Times, days, spans and bytes are such, where their text is in order.
fn of_format(format: &str, text: &str) -> Option<Cel> {
    match format {
        "date" => cel::day_of(text).map(Cel::Time),
        "date-time" | "datetime" => cel::time_of(text).map(Cel::Time),
        "duration" => cel::span_of(text).map(Cel::Span),
        "byte" => STANDARD.decode(text).ok().map(|bytes| Cel::Bytes(bytes.into())),
        _ => None,
    }
}

fn of_fields(schema: &Schema, fields: &Map<String, Value>, is_root: bool) -> Vec<(Cel, Cel)> {
    let whole = is_root || schema.embedded;
    fields
        .iter()
        .filter_map(|(name, field)| {
            if whole && matches!(name.as_str(), "apiVersion" | "kind") {
                return Some((Cel::text(name), Cel::of(field)));
            }
            if whole && name == "metadata" {
                let known = ["name", "generateName"].iter().filter_map(|known| {
                    let found = field.get(known).filter(|found| found.is_string())?;
                    Some((Cel::text(known), Cel::of(found)))
                });
                return Some((Cel::text(name), Cel::map(known.collect())));
            }
            if let Some(node) = schema.properties.get(name) {
                // An absent field and one that is null are one, unless null may stand there.
                if field.is_null() && !node.nullable {
                    return None;
                }
                return Some((Cel::text(&cel::escaped(name)?), of_schema(node, field, false)));
            }
            match &schema.additional {
                Some(Additional::Schema(node)) => {
                    Some((Cel::text(name), of_schema(node, field, false)))
                }
                Some(Additional::Any) => Some((Cel::text(name), Cel::of(field))),
                None => schema.preserve_unknown.then(|| (Cel::text(name), Cel::of(field))),
            }
        })
        .collect()
}
