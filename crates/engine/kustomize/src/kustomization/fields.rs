//! JSON objects to structs, as Go's decoder fills them: names match in any case, `null` is
//! nothing, and a field that nobody knows is an error.

use std::collections::BTreeMap;

use goval::{FloatBits, format_g};
use serde_json::{Map, Value};

/// Why a value does not fit.
pub(crate) type Problem = String;

/// Fields that hold something else than text, or structs in which that library does not look,
/// wherever they stand.
const NO_TEXTS: [&str; 22] = [
    "allowKindChange",
    "allowNameChange",
    "count",
    "create",
    "debug",
    "devel",
    "disableNameSuffixHash",
    "filePathPosition",
    "immutable",
    "includeCRDs",
    "includeSelectors",
    "includeTemplates",
    "index",
    "reject",
    "replacements",
    "select",
    "selector",
    "skipHooks",
    "skipTests",
    "target",
    "unsetOnly",
    "valuesInline",
];

/// Makes text of numbers and booleans where a field holds text, as Kubernetes' YAML library does in
/// every file that is read straight into structs: configurations of transformers, replacements.
/// The kustomization itself is none of these.
pub(crate) fn with_texts(value: Value) -> Value {
    match value {
        Value::Bool(value) => Value::String(value.to_string()),
        Value::Number(number) => Value::String(match number.as_f64() {
            Some(value) if number.is_f64() => format_g(value, FloatBits::F32),
            _ => number.to_string(),
        }),
        Value::Array(items) => Value::Array(items.into_iter().map(with_texts).collect()),
        Value::Object(fields) => {
            let is = |name: &str, known: &str| name.eq_ignore_ascii_case(known);
            let fields = fields.into_iter().map(|(name, value)| {
                let value = match value {
                    // Here names are the user's own.
                    Value::Object(texts) if is(&name, "labels") || is(&name, "annotations") => {
                        let texts = texts.into_iter().map(|(key, text)| (key, with_texts(text)));
                        Value::Object(texts.collect())
                    }
                    // Of the id's parts it does not know that they are texts.
                    Value::Object(source) if is(&name, "source") => {
                        let of_id = ["group", "version", "kind", "name", "namespace"];
                        let fields = source.into_iter().map(|(key, value)| match &*key {
                            key_of_id if of_id.contains(&key_of_id) => (key, value),
                            _ => (key, with_texts(value)),
                        });
                        Value::Object(fields.collect())
                    }
                    value if NO_TEXTS.iter().any(|no| is(&name, no)) => value,
                    value => with_texts(value),
                };
                (name, value)
            });
            Value::Object(fields.collect())
        }
        Value::Null | Value::String(_) => value,
    }
}

/// The fields of one object that are not taken yet.
pub(crate) struct Fields {
    /// The name of the struct that Go's messages would name.
    what: &'static str,
    left: Map<String, Value>,
    strict: bool,
}

impl Fields {
    /// Takes an object apart; `null` has no fields.
    pub(crate) fn of(what: &'static str, value: Value) -> Result<Self, Problem> {
        let left = match value {
            Value::Object(fields) => fields,
            Value::Null => Map::new(),
            other => return Err(no_fit(&other, what, "", what)),
        };
        Ok(Self { what, left, strict: true })
    }

    /// As [`Fields::of`]; fields that nobody knows are left alone.
    pub(crate) fn lax(what: &'static str, value: Value) -> Result<Self, Problem> {
        Ok(Self { strict: false, ..Self::of(what, value)? })
    }

    fn take(&mut self, name: &str) -> Value {
        if let Some(value) = self.left.remove(name) {
            return value;
        }
        let folded = self.left.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
        folded.and_then(|key| self.left.remove(&key)).unwrap_or(Value::Null)
    }

    /// Whether a field is there and not null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.left.iter().any(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null())
    }

    /// Whether a field is there, and null.
    pub(crate) fn is_null(&self, name: &str) -> bool {
        self.left.get(name).is_some_and(Value::is_null)
    }

    /// Whether nothing is written but what Go holds as its zero: null and `""`, and lists that
    /// are `appended` to others when they are empty.
    pub(crate) fn hold_nothing(&self, besides: &[&str], appended: &[&str]) -> bool {
        self.left.iter().all(|(key, value)| match value {
            _ if besides.iter().any(|name| key.eq_ignore_ascii_case(name)) => true,
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) if items.is_empty() => {
                appended.iter().any(|name| key.eq_ignore_ascii_case(name))
            }
            _ => false,
        })
    }

    /// Takes a field as it is.
    pub(crate) fn value(&mut self, name: &str) -> Value {
        self.take(name)
    }

    /// Takes text; `""` where there is none.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, Problem> {
        match self.take(name) {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text),
            other => Err(no_fit(&other, self.what, name, "string")),
        }
    }

    /// Takes a boolean; false where there is none.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, Problem> {
        match self.take(name) {
            Value::Null => Ok(false),
            Value::Bool(value) => Ok(value),
            other => Err(no_fit(&other, self.what, name, "bool")),
        }
    }

    /// Takes a whole number; 0 where there is none.
    pub(crate) fn number(&mut self, name: &str) -> Result<i64, Problem> {
        match self.take(name) {
            Value::Null => Ok(0),
            Value::Number(number) if number.is_i64() => {
                Ok(number.as_i64().expect("it was asked whether it is one"))
            }
            other => Err(no_fit(&other, self.what, name, "int64")),
        }
    }

    /// Takes a list of texts.
    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>, Problem> {
        let what = self.what;
        self.list(name, |item| match item {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text),
            other => Err(no_fit(&other, what, name, "string")),
        })
    }

    /// Takes a map of texts; `None` where there is none.
    pub(crate) fn map(&mut self, name: &str) -> Result<Option<BTreeMap<String, String>>, Problem> {
        let fields = match self.take(name) {
            Value::Null => return Ok(None),
            Value::Object(fields) => fields,
            other => return Err(no_fit(&other, self.what, name, "map[string]string")),
        };
        let mut map = BTreeMap::new();
        for (key, value) in fields {
            let value = match value {
                Value::Null => String::new(),
                Value::String(text) => text,
                other => return Err(no_fit(&other, self.what, name, "string")),
            };
            map.insert(key, value);
        }
        Ok(Some(map))
    }

    /// Takes a list.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        read: impl Fn(Value) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Problem> {
        match self.take(name) {
            Value::Null => Ok(Vec::new()),
            Value::Array(items) => items.into_iter().map(read).collect(),
            other => Err(no_fit(&other, self.what, name, "list")),
        }
    }

    /// Takes an object; `None` where there is none.
    pub(crate) fn object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(Value) -> Result<T, Problem>,
    ) -> Result<Option<T>, Problem> {
        match self.take(name) {
            Value::Null => Ok(None),
            value => read(value).map(Some),
        }
    }

    /// Ends: what is left is an error.
    pub(crate) fn end(self) -> Result<(), Problem> {
        match self.left.into_iter().next() {
            Some((name, _)) if self.strict => Err(format!("json: unknown field {name:?}")),
            _ => Ok(()),
        }
    }
}

fn no_fit(value: &Value, what: &str, field: &str, wanted: &str) -> Problem {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let place = if field.is_empty() {
        String::new()
    } else {
        format!(" Go struct field {what}.{field} of type")
    };
    format!("json: cannot unmarshal {found} into{place} {wanted}")
}
