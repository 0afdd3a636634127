//! `values.schema.json`: which values a chart takes.

use std::error::Error;

use boon::{Compiler, ErrorKind, SchemaIndex, Schemas, UrlLoader, ValidationError};
use goval::Map;
use serde_json::{Number, Value};

use crate::cache::Cache;
use crate::chart::{ChartId, Charts};

/// The name under which Helm hands a schema to its library; it stands in messages.
const LOCATION: &str = "file:///values.schema.json";

/// A schema, ready to be held against values.
pub(crate) struct Schema {
    schemas: Schemas,
    root: SchemaIndex,
}

/// Schemas from elsewhere: an unresolved URN takes everything, as in Helm; the rest needs a
/// network or a disk, which no rendering reaches for.
struct NoNetwork;

impl UrlLoader for NoNetwork {
    fn load(&self, url: &str) -> Result<Value, Box<dyn Error>> {
        if url.starts_with("urn:") {
            return Ok(Value::Bool(true));
        }
        Err(format!("schemas are not fetched from elsewhere: {url}").into())
    }
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// What is wrong with it, about as Helm's library says it.
    pub(crate) fn compile(text: &[u8]) -> Result<Self, String> {
        let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Value>();
        let schema = match values.next() {
            None => return Err("EOF".to_owned()),
            Some(Err(error)) => return Err(format!("invalid values.schema.json: {error}")),
            Some(Ok(schema)) => schema,
        };
        if values.next().is_some() {
            return Err("invalid character after top-level value".to_owned());
        }
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        compiler.use_loader(Box::new(NoNetwork));
        let described = |error: boon::CompileError| match &error {
            boon::CompileError::LoadUrlError { url, src } => {
                format!("failing loading {}: {src}", goval::quote(url))
            }
            boon::CompileError::ValidationError { url, src } => {
                format!("{} is not valid against metaschema: {}", goval::quote(url), describe(src))
            }
            boon::CompileError::InvalidRegex { url, regex, src } => {
                format!(
                    "{} is not valid regex at {}: {src}",
                    goval::quote(regex),
                    goval::quote(url)
                )
            }
            other => other.to_string(),
        };
        compiler.add_resource(LOCATION, schema).map_err(described)?;
        let root = compiler.compile(LOCATION, &mut schemas).map_err(described)?;
        Ok(Self { schemas, root })
    }

    /// What is wrong with the values, a line each; `None` where nothing is.
    fn complaint(&self, values: &Value) -> Option<String> {
        let error = self.schemas.validate(values, self.root).err()?;
        let text = describe(&error);
        let head = format!("jsonschema validation failed with '{LOCATION}#'\n");
        Some(text.strip_prefix(&head).map_or(text.clone(), str::to_owned) + "\n")
    }
}

/// Holds a chart's values against its schema, and those of its subcharts against theirs.
///
/// # Errors
///
/// All complaints, under the names of their charts.
pub(crate) fn validate(
    charts: &Charts,
    chart: ChartId,
    values: &Map,
    cache: &Cache,
) -> Result<(), String> {
    let mut complaints = String::new();
    if let Some(text) = &charts.content(chart).schema {
        let complaint = match cache.schema(text) {
            Ok(schema) => schema.complaint(&as_json_map(values)),
            Err(problem) => Some(problem),
        };
        if let Some(complaint) = complaint {
            complaints.push_str(charts.name(chart));
            complaints.push_str(":\n");
            complaints.push_str(&complaint);
        }
    }
    for sub in charts.dependencies(chart) {
        match values.get(charts.name(sub).as_bytes()) {
            None | Some(goval::Value::Nil) => {}
            Some(goval::Value::Map(values)) => {
                if let Err(more) = validate(charts, sub, &values, cache) {
                    complaints.push_str(&more);
                }
            }
            Some(other) => {
                let name = charts.name(sub);
                let got = other.type_name();
                complaints.push_str(&format!(
                    "{name}:\ninvalid type for values: expected object (map), got {got}\n"
                ));
            }
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints) }
}

/// Whether a chart or one of its subcharts has a schema.
pub(crate) fn any(charts: &Charts, chart: ChartId) -> bool {
    charts.content(chart).schema.is_some() || charts.dependencies(chart).any(|sub| any(charts, sub))
}

fn as_json_map(map: &Map) -> Value {
    let mut object = serde_json::Map::new();
    map.for_each(|key, value| {
        object.insert(key.to_text().into_owned(), as_json(value));
    });
    Value::Object(object)
}

fn as_json(value: &goval::Value) -> Value {
    match value {
        goval::Value::Nil => Value::Null,
        goval::Value::Bool(value) => Value::Bool(*value),
        goval::Value::Int(value, _) => Value::from(*value),
        goval::Value::Uint(value, _) => Value::from(*value),
        goval::Value::Float(value) => {
            let number = goyaml::json_number(*value).or_else(|| Number::from_f64(*value));
            number.map_or(Value::Null, Value::Number)
        }
        goval::Value::Str(text) | goval::Value::Bytes(text) => {
            Value::String(text.to_text().into_owned())
        }
        goval::Value::List(list) => Value::Array(list.iter().map(as_json).collect()),
        goval::Value::Map(map) => as_json_map(map),
        goval::Value::Object(object) => object.plain().map_or(Value::Null, |plain| as_json(&plain)),
    }
}

/// An error with its causes, a line each, as Helm's library prints it.
fn describe(error: &ValidationError<'_, '_>) -> String {
    let mut out = String::new();
    describe_into(error, 0, &mut out);
    out
}

fn describe_into(error: &ValidationError<'_, '_>, indent: usize, out: &mut String) {
    let passed_over = error.causes.len() == 1 && matches!(error.kind, ErrorKind::Reference { .. });
    let mut inner = indent;
    if !passed_over {
        if indent > 0 {
            out.push('\n');
            out.push_str(&"  ".repeat(indent - 1));
            out.push_str("- ");
        }
        inner += 1;
        match &error.kind {
            ErrorKind::Schema { url } => {
                out.push_str(&format!("jsonschema validation failed with {}", quoted(url)));
            }
            kind => {
                let place = error.instance_location.to_string();
                out.push_str(&format!("at {}: {}", quoted(&place), said(kind)));
            }
        }
    }
    for cause in &error.causes {
        describe_into(cause, inner, out);
    }
}

fn said(kind: &ErrorKind<'_, '_>) -> String {
    let bound = |name: &str, got: usize, want: usize| {
        format!("{name}: got {}, want {}", grouped(got), grouped(want))
    };
    let number = |name: &str, got: &Number, want: &Number| {
        format!("{name}: got {}, want {}", printed(got), printed(want))
    };
    match kind {
        ErrorKind::Group | ErrorKind::Reference { .. } => "validation failed".to_owned(),
        ErrorKind::Schema { url } => format!("jsonschema validation failed with {}", quoted(url)),
        ErrorKind::ContentSchema => "'contentSchema' failed".to_owned(),
        ErrorKind::PropertyName { prop } => format!("invalid propertyName {}", quoted(prop)),
        ErrorKind::FalseSchema => "false schema".to_owned(),
        ErrorKind::Type { got, want } => {
            let want: Vec<String> = want.iter().map(|one| one.to_string()).collect();
            format!("got {got}, want {}", want.join(" or "))
        }
        ErrorKind::Enum { want } => {
            if want.iter().any(|one| one.is_array() || one.is_object()) {
                return "'enum' failed".to_owned();
            }
            let shown: Vec<String> = want.iter().map(shown).collect();
            match shown.as_slice() {
                [one] => format!("value must be {one}"),
                several => format!("value must be one of {}", several.join(", ")),
            }
        }
        ErrorKind::Const { want } if want.is_array() || want.is_object() => {
            "'const' failed".to_owned()
        }
        ErrorKind::Const { want } => format!("value must be {}", shown(want)),
        ErrorKind::Format { got, want, err } => {
            format!("{} is not valid {want}: {err}", shown(got))
        }
        ErrorKind::MinProperties { got, want } => bound("minProperties", *got, *want),
        ErrorKind::MaxProperties { got, want } => bound("maxProperties", *got, *want),
        ErrorKind::MinItems { got, want } => bound("minItems", *got, *want),
        ErrorKind::MaxItems { got, want } => bound("maxItems", *got, *want),
        ErrorKind::MinLength { got, want } => bound("minLength", *got, *want),
        ErrorKind::MaxLength { got, want } => bound("maxLength", *got, *want),
        ErrorKind::AdditionalProperties { got } => {
            format!("additional properties {} not allowed", joined(got.iter().map(AsRef::as_ref)))
        }
        ErrorKind::Required { want } => match want.as_slice() {
            [one] => format!("missing property {}", quoted(one)),
            several => format!("missing properties {}", joined(several.iter().copied())),
        },
        ErrorKind::Dependency { prop, missing }
        | ErrorKind::DependentRequired { prop, missing } => format!(
            "properties {} required, if {} exists",
            joined(missing.iter().copied()),
            quoted(prop)
        ),
        ErrorKind::UniqueItems { got: [one, other] } => {
            format!("items at {one} and {other} are equal")
        }
        ErrorKind::AdditionalItems { got } => format!("last {got} additionalItem(s) not allowed"),
        ErrorKind::Contains => "no items match contains schema".to_owned(),
        ErrorKind::Pattern { got, want } => {
            format!("{} does not match pattern {}", quoted(got), quoted(want))
        }
        ErrorKind::Minimum { got, want } => number("minimum", got, want),
        ErrorKind::Maximum { got, want } => number("maximum", got, want),
        ErrorKind::ExclusiveMinimum { got, want } => number("exclusiveMinimum", got, want),
        ErrorKind::ExclusiveMaximum { got, want } => number("exclusiveMaximum", got, want),
        ErrorKind::MultipleOf { got, want } => number("multipleOf", got, want),
        ErrorKind::Not => "'not' failed".to_owned(),
        ErrorKind::AllOf => "'allOf' failed".to_owned(),
        ErrorKind::AnyOf => "'anyOf' failed".to_owned(),
        ErrorKind::OneOf(None) => "'oneOf' failed, none matched".to_owned(),
        ErrorKind::OneOf(Some((one, other))) => {
            format!("'oneOf' failed, subschemas {one}, {other} matched")
        }
        // Kinds that charts hardly meet say about the same in both libraries.
        ErrorKind::RefCycle { .. }
        | ErrorKind::MinContains { .. }
        | ErrorKind::MaxContains { .. }
        | ErrorKind::ContentEncoding { .. }
        | ErrorKind::ContentMediaType { .. } => kind.to_string(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) | Value::Object(_) => "value".to_owned(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(quoted).collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    let quoted = goval::quote(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &quoted[1..quoted.len() - 1])
}

/// Numbers in messages have commas: 1,024.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn printed(number: &Number) -> String {
    let value = number.as_f64().unwrap_or_default();
    let (sign, value) = if value < 0.0 { ("-", -value) } else { ("", value) };
    let text = value.to_string();
    match text.split_once('.') {
        Some((whole, fraction)) => {
            format!("{sign}{}.{fraction}", grouped(whole.parse().unwrap_or_default()))
        }
        None => match text.parse() {
            Ok(whole) => format!("{sign}{}", grouped(whole)),
            Err(_) => format!("{sign}{text}"),
        },
    }
}
