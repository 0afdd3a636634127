//! Actions that users wrote, as `resource.customizations.actions.<group_Kind>` holds them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use script::{Input, Libraries, Limits, Returned, Script, ScriptError, ShouldStop};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::built_in::{self, group_kind};
use crate::error::ActionError;
use crate::offer::{Action, Call, Operation, Outcome};

/// Users' actions, compiled. What a user did not define falls back to the built-in actions.
#[derive(Debug, Default)]
pub struct Custom {
    kinds: BTreeMap<String, Result<Definitions, String>>,
}

#[derive(Debug)]
struct Definitions {
    discovery: Option<Result<Script, ScriptError>>,
    actions: BTreeMap<String, Result<Script, ScriptError>>,
    /// Whether the built-in actions are offered beside these.
    merge_built_in: bool,
}

/// The same as users write it.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Written {
    #[serde(rename = "discovery.lua")]
    discovery: String,
    definitions: Vec<WrittenAction>,
    #[serde(rename = "mergeBuiltinActions")]
    merge_built_in: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct WrittenAction {
    name: String,
    #[serde(rename = "action.lua")]
    action: String,
}

impl Custom {
    /// Reads users' actions: the kind as `group/Kind`, what is written for it in YAML, and whether
    /// its scripts may use Lua's libraries. What cannot be read is told to whoever asks for it.
    pub fn read<'a>(written: impl IntoIterator<Item = (&'a str, &'a str, bool)>) -> Self {
        let kinds = written
            .into_iter()
            .filter(|(_, text, _)| !text.trim().is_empty())
            .map(|(kind, text, open)| (kind.to_owned(), Definitions::read(text, open)))
            .collect();
        Self { kinds }
    }

    /// Returns the actions that an object offers, users' first.
    ///
    /// # Errors
    ///
    /// What is wrong with what the user wrote.
    pub fn list(
        &self,
        object: &Value,
        now: Timestamp,
        should_stop: Option<ShouldStop>,
    ) -> Result<Vec<Action>, ActionError> {
        let Some(definitions) = self.of(object)? else { return Ok(built_in::list(object)) };
        let mut all = Vec::new();
        if let Some(discovery) = &definitions.discovery {
            let script = discovery.as_ref().map_err(Clone::clone)?;
            let input = Input { object, parameters: &BTreeMap::new(), now };
            all = offered(script.run(&input, should_stop)?)?;
        }
        if definitions.merge_built_in {
            for action in built_in::list(object) {
                if all.iter().all(|own| own.name != action.name) {
                    all.push(action);
                }
            }
        }
        Ok(all)
    }

    /// Runs an action: the user's of that name, else the built-in one.
    ///
    /// # Errors
    ///
    /// As [`built_in::run`], and what is wrong with what the user wrote.
    pub fn run(
        &self,
        object: &Value,
        call: &Call<'_>,
        should_stop: Option<ShouldStop>,
    ) -> Result<Vec<Outcome>, ActionError> {
        let own = self.of(object)?.and_then(|definitions| definitions.actions.get(call.action));
        let Some(own) = own else { return built_in::run(object, call) };
        let script = own.as_ref().map_err(Clone::clone)?;
        let input = Input { object, parameters: call.parameters, now: call.now };
        match script.run(&input, should_stop)? {
            // An empty table is an empty list: there is nothing to do.
            Returned::Table(Value::Array(all)) => {
                all.into_iter().map(|one| outcome(one, object)).collect()
            }
            Returned::Table(after) => Ok(vec![Outcome {
                operation: Operation::Patch,
                object: with_shapes_of(after, object),
            }]),
            other => Err(ActionError::Answer(no_table(&other))),
        }
    }

    fn of(&self, object: &Value) -> Result<Option<&Definitions>, ActionError> {
        let kind = group_kind(object);
        match self.kinds.get(&kind) {
            None => Ok(None),
            Some(Ok(definitions)) => Ok(Some(definitions)),
            Some(Err(problem)) => Err(ActionError::Unreadable { kind, problem: problem.clone() }),
        }
    }
}

impl Definitions {
    fn read(text: &str, open: bool) -> Result<Self, String> {
        let value = goyaml::to_json(text.as_bytes()).map_err(|error| error.to_string())?;
        let written = Written::deserialize(value).map_err(|error| error.to_string())?;
        let libraries = if open { Libraries::Many } else { Libraries::Few };
        let compile = |source: &str| Script::compile(source, libraries, Limits::default());
        Ok(Self {
            discovery: (!written.discovery.trim().is_empty()).then(|| compile(&written.discovery)),
            actions: written
                .definitions
                .into_iter()
                .map(|action| (action.name, compile(&action.action)))
                .collect(),
            merge_built_in: written.merge_built_in,
        })
    }
}

fn no_table(returned: &Returned) -> String {
    let got = match returned {
        Returned::Nothing => "nil",
        Returned::Other(kind) => kind,
        Returned::Table(_) => "table",
    };
    format!("expect table output from Lua script, not {got}")
}

/// What a discovery script answered: actions by name.
fn offered(returned: Returned) -> Result<Vec<Action>, ActionError> {
    let fields = match returned {
        Returned::Table(Value::Object(fields)) => fields,
        // An empty table is an empty list.
        Returned::Table(Value::Array(items)) if items.is_empty() => Map::new(),
        Returned::Table(_) => {
            let words = "expect actions by name from Lua script, not a list";
            return Err(ActionError::Answer(words.to_owned()));
        }
        other => return Err(ActionError::Answer(no_table(&other))),
    };
    fields
        .into_iter()
        .map(|(name, about)| {
            let mut action = match about {
                Value::Object(mut about) => {
                    // Here too.
                    if about.get("params").is_some_and(|params| !params.is_array()) {
                        about.remove("params");
                    }
                    Action::deserialize(Value::Object(about))
                        .map_err(|error| ActionError::Answer(format!("action {name}: {error}")))?
                }
                _ => Action::default(),
            };
            action.name = name;
            Ok(action)
        })
        .collect()
}

/// One of the operations that a script answered with.
fn outcome(one: Value, before: &Value) -> Result<Outcome, ActionError> {
    let word = one.get("operation").and_then(Value::as_str).unwrap_or("").to_owned();
    let operation = match word.as_str() {
        "create" => Operation::Create,
        "patch" => Operation::Patch,
        other => return Err(ActionError::Answer(format!("unsupported operation: {other}"))),
    };
    let Some(object) = one.get("resource").filter(|object| object.is_object()).cloned() else {
        return Err(ActionError::Answer("an operation has no resource".to_owned()));
    };
    Ok(match operation {
        Operation::Patch => Outcome { operation, object: with_shapes_of(object, before) },
        Operation::Create => Outcome { operation, object },
    })
}

/// Gives back what Lua cannot say: an empty table is an empty map where there was a map before,
/// and null where there was null.
fn with_shapes_of(after: Value, before: &Value) -> Value {
    match (after, before) {
        (Value::Object(after), Value::Object(before)) => {
            let mut shaped: Map<String, Value> = after
                .into_iter()
                .map(|(key, value)| match before.get(&key) {
                    Some(old) => (key, with_shapes_of(value, old)),
                    None => (key, value),
                })
                .collect();
            for (key, value) in before.iter().filter(|(_, value)| value.is_null()) {
                shaped.entry(key.clone()).or_insert_with(|| value.clone());
            }
            Value::Object(shaped)
        }
        (Value::Array(after), Value::Array(before)) => {
            let old = before.iter().map(Some).chain(std::iter::repeat(None));
            let shaped = after.into_iter().zip(old).map(|(value, old)| match old {
                Some(old) => with_shapes_of(value, old),
                None => value,
            });
            Value::Array(shaped.collect())
        }
        (Value::Array(after), Value::Object(_)) if after.is_empty() => Value::Object(Map::new()),
        (after, _) => after,
    }
}
