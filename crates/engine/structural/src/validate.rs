//! What a schema refuses, in the API server's words.

use manifest::field::{FieldError, FieldErrorKind};
use serde_json::{Map, Number, Value};

use crate::format;
use crate::schema::{Additional, Limits, Schema};

impl Schema {
    /// Names what is wrong with objects within an object, and with lists whose items are told apart by their keys
    /// or as a whole: what is looked at whatever else is wrong.
    pub fn validate_lists(&self, object: &Value) -> Vec<FieldError> {
        let mut errors = Vec::new();
        embedded(self, object, "", false, &mut errors);
        unique(self, object, "", &mut errors);
        errors
    }

    /// Names what is wrong with a whole object, in the order of the fields.
    ///
    /// With `old`, what was wrong before and has not changed is let through
    /// (ratcheting, as the server does on updates).
    pub fn validate(&self, object: &Value, old: Option<&Value>) -> Vec<FieldError> {
        let mut result = Checked::default();
        check(self, object, old, "", &mut result);
        let mut errors = result.errors;
        embedded(self, object, "", false, &mut errors);
        self.lists_of_new(object, old, &mut errors);
        errors
    }

    /// As [`Self::validate`], where only the status is written: it is looked at as if it were the whole.
    pub fn validate_status(&self, object: &Value, old: &Value) -> Vec<FieldError> {
        let mut result = Checked::default();
        let (status, before) = (object.get("status"), old.get("status"));
        if let (Some(schema), Some(status)) = (self.properties.get("status"), status)
            && before != Some(status)
        {
            check(schema, status, before, "", &mut result);
        }
        let mut errors = result.errors;
        for error in &mut errors {
            let inside = error.field.trim_start_matches('.');
            error.field = match inside {
                "" => "status".to_owned(),
                inside => format!("status.{inside}"),
            };
        }
        self.lists_of_new(object, Some(old), &mut errors);
        errors
    }

    /// Names what stands in lists twice, unless something did before.
    fn lists_of_new(&self, object: &Value, old: Option<&Value>, errors: &mut Vec<FieldError>) {
        let twice = |object: &Value| {
            let mut errors = Vec::new();
            unique(self, object, "", &mut errors);
            errors
        };
        let found = twice(object);
        if !found.is_empty() && old.is_none_or(|old| twice(old).is_empty()) {
            errors.extend(found);
        }
    }
}

const LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

/// The longest kind, in bytes.
const KIND_BYTES_MAX: usize = 63;

/// What is said of a kind that is not `a-b` but for its large letters.
fn kind_refusal(kind: &str) -> Option<String> {
    let text = kind.to_lowercase();
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let fits = text.bytes().all(|byte| inner(byte) || byte == b'-')
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().last().is_some_and(inner);
    let mut refusals = Vec::new();
    if text.len() > KIND_BYTES_MAX {
        refusals.push(format!("must be no more than {KIND_BYTES_MAX} characters"));
    }
    if !fits {
        refusals.push(LABEL.to_owned());
    }
    let refusals = refusals.join(",");
    (!refusals.is_empty())
        .then(|| format!("may have mixed case, but should otherwise match: {refusals}"))
}

/// Objects within objects bear a kind and a version.
fn embedded(
    schema: &Schema,
    value: &Value,
    path: &str,
    inside: bool,
    errors: &mut Vec<FieldError>,
) {
    if !schema.holds.embedded {
        return;
    }
    match value {
        Value::Object(fields) => {
            if inside && schema.embedded {
                for name in ["apiVersion", "kind"] {
                    let at = format!("{path}.{name}");
                    match fields.get(name) {
                        None => errors.push(FieldError::required(at, "")),
                        Some(Value::String(text)) if text.is_empty() => {
                            errors.push(FieldError::invalid(at, "", "must not be empty"));
                        }
                        Some(Value::String(text)) if name == "apiVersion" => {
                            if text.matches('/').count() > 1 {
                                let words = format!("unexpected GroupVersion string: {text}");
                                errors.push(FieldError::invalid(at, text.as_str(), words));
                            }
                        }
                        Some(Value::String(text)) => {
                            if let Some(words) = kind_refusal(text) {
                                errors.push(FieldError::invalid(at, text.as_str(), words));
                            }
                        }
                        Some(other) => {
                            errors.push(FieldError::invalid(at, other.clone(), "must be a string"));
                        }
                    }
                }
            }
            for (name, field) in fields {
                let node = match (schema.properties.get(name), &schema.additional) {
                    (Some(node), _) => node,
                    (None, Some(Additional::Schema(node))) => node,
                    (None, _) => continue,
                };
                let at = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                embedded(node, field, &at, true, errors);
            }
        }
        Value::Array(items) => {
            let Some(node) = schema.items.as_deref() else { return };
            for (index, item) in items.iter().enumerate() {
                embedded(node, item, &format!("{path}[{index}]"), true, errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Errors, and how many checks were made: the branch of an `anyOf` that got furthest speaks.
#[derive(Default)]
struct Checked {
    errors: Vec<FieldError>,
    matched: usize,
}

impl Checked {
    fn join(&mut self, other: Checked) {
        self.errors.extend(other.errors);
        self.matched += other.matched;
    }

    fn invalid(&mut self, path: &str, value: impl Into<Value>, words: &str) {
        self.errors.push(invalid(path, value, words));
    }
}

/// An error that shows a value, floats as Go prints them.
fn invalid(path: impl Into<String>, value: impl Into<Value>, words: &str) -> FieldError {
    let value = value.into();
    match &value {
        Value::Number(number) if is_float(number) => {
            let printed = merge::values::as_v(&value);
            FieldError::invalid(path, value, words).showing(printed)
        }
        _ => FieldError::invalid(path, value, words),
    }
}

/// `spec.replicas in body`, as the checker of the server names a place.
fn place(path: &str) -> String {
    format!("{path} in body")
}

fn check(schema: &Schema, value: &Value, old: Option<&Value>, path: &str, result: &mut Checked) {
    if !path.is_empty() && old.is_some_and(|old| old == value) {
        result.matched += 1;
        return;
    }
    check_type(schema, value, path, result);
    if value.is_null() {
        return check_enum(&schema.limits, value, path, result);
    }
    check_branches(schema, value, old, path, result);
    match value {
        Value::String(text) => check_text(schema, text, path, result),
        Value::Number(number) => check_number(schema, number, path, result),
        Value::Array(items) => check_items(schema, items, old, path, result),
        Value::Object(fields) => check_fields(schema, fields, old, path, result),
        Value::Null | Value::Bool(_) => {}
    }
    check_enum(&schema.limits, value, path, result);
    result.matched += 1;
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if is_float(number) => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether Go holds a number as a float: what no 64 bits hold is one.
fn is_float(number: &Number) -> bool {
    number.as_i64().is_none()
}

/// Floats beyond this, either way, are no whole numbers to the server.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

fn check_type(schema: &Schema, value: &Value, path: &str, result: &mut Checked) {
    let wanted = schema.types();
    if wanted.is_empty() || (value.is_null() && schema.nullable) {
        return;
    }
    let actual = type_of(value);
    let whole =
        value.as_f64().is_some_and(|number| number.fract() == 0.0 && number.abs() <= WHOLE_MAX);
    let fits = wanted.split(',').any(|kind| {
        kind == actual
            || (kind == "number" && actual == "integer")
            || (kind == "integer" && actual == "number" && whole)
    });
    // Where a format is wanted, texts and lists are left to it, and others are told by theirs.
    let is_formed = !schema.format.is_empty();
    let is_numeric = wanted.split(',').any(|kind| matches!(kind, "number" | "integer"));
    let listed = matches!(value, Value::String(_) | Value::Array(_));
    let (wanted, actual) = match value {
        _ if !is_formed || listed || value.is_null() => (wanted, actual),
        Value::Number(number) if is_float(number) => (schema.format.as_str(), "float64"),
        Value::Number(_) => (schema.format.as_str(), "int64"),
        _ => (schema.format.as_str(), ""),
    };
    let is_left = is_formed && ((listed && !is_numeric) || wanted == actual);
    if !(fits || is_left) {
        let words = format!("{} must be of type {wanted}: \"{actual}\"", place(path));
        result.errors.push(FieldError::new(FieldErrorKind::TypeInvalid, path, actual, words));
    } else {
        result.matched += 1;
    }
}

fn check_enum(limits: &Limits, value: &Value, path: &str, result: &mut Checked) {
    if limits.values.is_empty() || limits.values.contains(value) {
        return;
    }
    let known: Vec<String> = limits
        .values
        .iter()
        .map(|known| known.as_str().map_or_else(|| known.to_string(), str::to_owned))
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    result.errors.push(FieldError::not_supported(path, value.clone(), &known));
}

fn check_text(schema: &Schema, text: &str, path: &str, result: &mut Checked) {
    let limits = &schema.limits;
    let length = text.chars().count() as u64;
    if let Some(limit) = limits.max_length.filter(|limit| length > *limit) {
        result.errors.push(FieldError::too_long(path, limit));
    } else if let Some(limit) = limits.min_length.filter(|limit| length < *limit) {
        let words = format!("{} should be at least {limit} chars long", place(path));
        result.invalid(path, text, &words);
    } else if let Some((written, Some(pattern))) = &limits.pattern
        && !pattern.is_match(text)
    {
        result.invalid(path, text, &format!("{} should match '{written}'", place(path)));
    }
    let typed = matches!(schema.kind.as_str(), "" | "string");
    if typed && format::holds(&schema.format, text) == Some(false) {
        let words = format!("{} must be of type {}: \"{text}\"", place(path), schema.format);
        result.errors.push(FieldError::new(FieldErrorKind::TypeInvalid, path, text, words));
    }
}

fn check_number(schema: &Schema, number: &Number, path: &str, result: &mut Checked) {
    let limits = &schema.limits;
    let value = number.as_f64().unwrap_or(f64::NAN);
    let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    if let Some(factor) = &limits.multiple_of {
        let times = value / float(factor);
        // Whole numbers are held to the whole part of the factor.
        if number.as_i64().is_some() && float(factor).abs() < 1.0 {
            let words = format!("factor MultipleOf declared for {path} must be positive: 0");
            result.invalid(path, 0, &words);
        } else if times.abs() > WHOLE_MAX || (times - times.round()).abs() > f64::EPSILON {
            let words = format!("{} should be a multiple of {}", place(path), plain(factor));
            result.invalid(path, number.clone(), &words);
        }
    }
    if let Some(limit) = &limits.maximum {
        let over =
            if limits.exclusive_maximum { value >= float(limit) } else { value > float(limit) };
        if over {
            let words =
                if limits.exclusive_maximum { "less than" } else { "less than or equal to" };
            let words = format!("{} should be {words} {}", place(path), plain(limit));
            result.invalid(path, number.clone(), &words);
        }
    }
    if let Some(limit) = &limits.minimum {
        let under =
            if limits.exclusive_minimum { value <= float(limit) } else { value < float(limit) };
        if under {
            let words =
                if limits.exclusive_minimum { "greater than" } else { "greater than or equal to" };
            let words = format!("{} should be {words} {}", place(path), plain(limit));
            result.invalid(path, number.clone(), &words);
        }
    }
    let fits = match (schema.kind.as_str(), schema.format.as_str()) {
        ("integer", "int32") => {
            let whole = |number: &f64| number.fract() == 0.0;
            let number = number.as_i64().or(number.as_f64().filter(whole).map(|n| n as i64));
            number.is_some_and(|number| i32::try_from(number).is_ok())
        }
        ("integer", _) => {
            let held = -(2_f64.powi(63))..2_f64.powi(63);
            let whole = |n: f64| n.fract() == 0.0 && held.contains(&n);
            number.as_i64().is_some() || number.as_f64().is_some_and(whole)
        }
        _ => true,
    };
    if !fits {
        let form = match schema.format.as_str() {
            "" => "(default format)".to_owned(),
            format => format!("with format {format}"),
        };
        let words = format!("Checked value must be of type {} {form} in {path}", schema.kind);
        result.invalid("<nil>", "", &words);
    }
}

/// A number as Go prints a float: no fraction where it is whole.
fn plain(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{float:.0}"),
        _ => number.to_string(),
    }
}

fn check_items(
    schema: &Schema,
    items: &[Value],
    old: Option<&Value>,
    path: &str,
    result: &mut Checked,
) {
    if let Some(node) = schema.items.as_deref() {
        let old = old.and_then(Value::as_array);
        for (index, item) in items.iter().enumerate() {
            let before = old.and_then(|old| counterpart(schema, old, index, item));
            check(node, item, before, &format!("{path}[{index}]"), result);
        }
    }
    let count = items.len() as u64;
    if let Some(limit) = schema.limits.min_items.filter(|limit| count < *limit) {
        let words = format!("{} should have at least {limit} items", place(path));
        result.invalid(path, count, &words);
    }
    if let Some(limit) = schema.limits.max_items.filter(|limit| count > *limit) {
        result.errors.push(FieldError::too_many(path, count, limit));
    }
    let repeats = items.iter().enumerate().any(|(index, item)| items[..index].contains(item));
    if schema.limits.unique_items && repeats {
        result.invalid(path, "", &format!("{} shouldn't contain duplicates", place(path)));
    }
}

/// The item of the old list that an item stands for.
fn counterpart<'a>(
    schema: &Schema,
    old: &'a [Value],
    index: usize,
    item: &Value,
) -> Option<&'a Value> {
    match schema.list_type.as_str() {
        "map" => old
            .iter()
            .find(|known| schema.list_map_keys.iter().all(|key| known.get(key) == item.get(key))),
        "set" => old.iter().find(|known| *known == item),
        _ => old.get(index),
    }
}

fn check_fields(
    schema: &Schema,
    fields: &Map<String, Value>,
    old: Option<&Value>,
    path: &str,
    result: &mut Checked,
) {
    let count = fields.len() as u64;
    if let Some(limit) = schema.limits.min_properties.filter(|limit| count < *limit) {
        let words = format!("{} should have at least {limit} properties", place(path));
        result.invalid(path, count, &words);
    }
    if let Some(limit) = schema.limits.max_properties.filter(|limit| count > *limit) {
        result.errors.push(FieldError::too_many(path, count, limit));
    }
    let child = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    for (name, field) in fields {
        let (node, at) = match (schema.properties.get(name), &schema.additional) {
            (Some(property), _) => (property, child(name)),
            (None, Some(Additional::Schema(node))) => (&**node, format!("{path}.{name}")),
            (None, Some(Additional::Any) | None) => continue,
        };
        let before = old.and_then(|old| old.get(name));
        check(node, field, before, &at, result);
    }
    for name in &schema.required {
        if !fields.contains_key(name) {
            result.errors.push(FieldError::required(child(name), ""));
        } else {
            result.matched += 1;
        }
    }
}

fn check_branches(
    schema: &Schema,
    value: &Value,
    old: Option<&Value>,
    path: &str,
    result: &mut Checked,
) {
    let run = |branch: &Schema| {
        let mut checked = Checked::default();
        check(branch, value, old, path, &mut checked);
        checked
    };
    if !schema.any_of.is_empty() {
        let mut results: Vec<Checked> = schema.any_of.iter().map(run).collect();
        match results.iter().position(|checked| checked.errors.is_empty()) {
            Some(at) => result.join(results.swap_remove(at)),
            None => {
                let words = format!("\"{path}\" must validate at least one schema (anyOf)");
                result.invalid("", "", &words);
                furthest(results, result);
            }
        }
    }
    if !schema.one_of.is_empty() {
        let results: Vec<Checked> = schema.one_of.iter().map(run).collect();
        let valid = results.iter().filter(|checked| checked.errors.is_empty()).count();
        if valid != 1 {
            let found = match valid {
                0 => "Found none valid".to_owned(),
                count => format!("Found {count} valid alternatives"),
            };
            let words =
                format!("\"{path}\" must validate one and only one schema (oneOf). {found}");
            result.invalid("", "", &words);
            if valid == 0 {
                furthest(results, result);
            }
        }
    }
    if !schema.all_of.is_empty() {
        let results: Vec<Checked> = schema.all_of.iter().map(run).collect();
        let valid = results.iter().filter(|checked| checked.errors.is_empty()).count();
        let all = results.len();
        results.into_iter().for_each(|checked| result.join(checked));
        if valid != all {
            let none = if valid == 0 { ". None validated" } else { "" };
            let words = format!("\"{path}\" must validate all the schemas (allOf){none}");
            result.invalid("", "", &words);
        }
    }
    if let Some(not) = &schema.not
        && run(not).errors.is_empty()
    {
        result.invalid("", "", &format!("\"{path}\" must not validate the schema (not)"));
    }
}

/// Of branches that all failed, the one with the most checks passed speaks; the first of equals.
fn furthest(results: Vec<Checked>, result: &mut Checked) {
    let mut best: Option<Checked> = None;
    for checked in results {
        if best.as_ref().is_none_or(|best| checked.matched > best.matched) {
            best = Some(checked);
        }
    }
    if let Some(best) = best {
        result.join(best);
    }
}

/// Items that stand twice in a set, or twice under one key in a map.
fn unique(schema: &Schema, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    if !schema.holds.distinct {
        return;
    }
    match value {
        Value::Array(items) => {
            unique_items(schema, items, path, errors);
            if let Some(node) = schema.items.as_deref() {
                for (index, item) in items.iter().enumerate() {
                    unique(node, item, &format!("{path}[{index}]"), errors);
                }
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                match (schema.properties.get(name), &schema.additional) {
                    (Some(property), _) => {
                        let dot = if path.is_empty() { "" } else { "." };
                        unique(property, field, &format!("{path}{dot}{name}"), errors);
                    }
                    (None, Some(Additional::Schema(node))) => {
                        unique(node, field, &format!("{path}[{name}]"), errors);
                    }
                    (None, Some(Additional::Any) | None) => {}
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn unique_items(schema: &Schema, items: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    let keys: Vec<Value> = match schema.list_type.as_str() {
        "set" => items.to_vec(),
        "map" => {
            let mut keys = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                if !item.is_object() && !item.is_null() {
                    let words = "must be an object for an array of list-type map";
                    errors.push(invalid(format!("{path}[{index}]"), item.clone(), words));
                    return;
                }
                let named = schema.list_map_keys.iter();
                let key: Map<String, Value> = named
                    .filter_map(|name| Some((name.clone(), item.get(name)?.clone())))
                    .collect();
                keys.push(Value::Object(key));
            }
            keys
        }
        _ => return,
    };
    for (index, key) in keys.iter().enumerate() {
        // The second of equal items is named, and no third.
        if keys[..index].iter().filter(|known| *known == key).count() == 1 {
            errors.push(FieldError::duplicate(format!("{path}[{index}]"), key.clone()));
        }
    }
}
