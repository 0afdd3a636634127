//! `values.schema.json`: which values a chart takes.

mod usual;

use std::error::Error;
use std::sync::{Arc, OnceLock};

use boon::{Compiler, SchemaIndex, Schemas, UrlLoader};
use goval::Map;
use serde_json::{Number, Value};

use crate::cache::Cache;
use crate::chart::{ChartId, Charts};
use crate::complaint::describe;

/// The name under which Helm hands a schema to its library; it stands in messages.
const LOCATION: &str = "file:///values.schema.json";

/// A schema, ready to be held against values.
pub(crate) struct Schema {
    text: Arc<[u8]>,
    /// Where nothing in it is unusual: most values are right, and that is soon seen.
    usual: Option<usual::Usual>,
    /// Made when there may be something to complain about.
    whole: OnceLock<Result<Whole, String>>,
}

/// A schema with all that the standard knows.
struct Whole {
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
    /// Reads a schema.
    pub(crate) fn new(text: &Arc<[u8]>) -> Self {
        Self { text: Arc::clone(text), usual: usual::read(text), whole: OnceLock::new() }
    }

    /// What is wrong with the values, a line each, or with the schema; `None` where nothing is.
    fn complaint(&self, values: &Value) -> Option<String> {
        if self.usual.as_ref().is_some_and(|usual| usual.takes(values)) {
            return None;
        }
        match self.whole.get_or_init(|| Whole::compile(&self.text)) {
            Ok(whole) => whole.complaint(values),
            Err(problem) => Some(problem.clone()),
        }
    }
}

impl Whole {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// What is wrong with it, about as Helm's library says it.
    fn compile(text: &[u8]) -> Result<Self, String> {
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
    let schema = charts.content(chart).schema.as_ref().map(|text| cache.schema(text));
    if let Some(complaint) = schema.and_then(|schema| schema.complaint(&as_json_map(values))) {
        complaints.push_str(charts.name(chart));
        complaints.push_str(":\n");
        complaints.push_str(&complaint);
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
