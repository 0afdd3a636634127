//! Label selectors.

use std::collections::BTreeMap;

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::meta;
use crate::names;

/// `matchLabels` and `matchExpressions`.
pub fn validate(at: &At<'_>, errors: &mut Vec<FieldError>) {
    check(at, true, errors);
}

/// The same, where what an old object had may stay: values in expressions are not looked at.
pub fn validate_with_old_values(at: &At<'_>, errors: &mut Vec<FieldError>) {
    check(at, false, errors);
}

fn check(at: &At<'_>, values_too: bool, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    meta::labels(&at.at("matchLabels"), errors);
    for expression in at.at("matchExpressions").items() {
        let values = expression.at("values");
        let operator = expression.at("operator");
        match operator.text() {
            "In" | "NotIn" => {
                if values.is_empty() {
                    errors.push(
                        values.required("must be specified when `operator` is 'In' or 'NotIn'"),
                    );
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    errors.push(values.forbidden(
                        "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                    ));
                }
            }
            _ => errors.push(operator.invalid("not a valid selector operator")),
        }
        let key = expression.at("key");
        key.named(names::qualified(key.text()), errors);
        for value in values.items().filter(|_| values_too) {
            value.named(names::label_value(value.text()), errors);
        }
    }
}

/// A selector as the server prints it: labels first.
pub fn shown(at: &At<'_>) -> String {
    let mut parts = Vec::new();
    for field in ["matchLabels", "matchExpressions"] {
        let value = at.at(field);
        if value.is_empty() {
            continue;
        }
        let mut shown = value.value.clone();
        for expression in shown.as_array_mut().into_iter().flatten() {
            if let Some(fields) = expression.as_object_mut()
                && fields.get("values").is_some_and(|values| values == &serde_json::json!([]))
            {
                fields.remove("values");
            }
        }
        parts.push(format!("\"{field}\":{shown}"));
    }
    format!("{{{}}}", parts.join(","))
}

/// What may not change of a selector is all of it.
pub fn unchanged(at: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.is_as(old) {
        return;
    }
    let error = at.invalid("field is immutable");
    errors.push(if at.is_set() { error.showing(shown(at)) } else { error });
}

/// Whether a selector selects these labels; one that is no selector selects nothing.
pub fn matches(selector: &At<'_>, labels: &Value) -> bool {
    if !selector.is_set() {
        return false;
    }
    let empty = serde_json::Map::new();
    let labels: BTreeMap<&str, &str> = labels
        .as_object()
        .unwrap_or(&empty)
        .iter()
        .filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect();
    let equal = selector
        .at("matchLabels")
        .entries()
        .all(|(key, value)| labels.get(key).copied() == value.as_str());
    equal
        && selector.at("matchExpressions").items().all(|expression| {
            let found = labels.get(expression.at("key").text());
            let listed = expression
                .at("values")
                .items()
                .any(|value| found.is_some_and(|found| *found == value.text()));
            match expression.at("operator").text() {
                "In" => listed,
                "NotIn" => !listed,
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
}

/// Whether a selector can be asked: names, values and operators are such.
pub fn is_readable(selector: &At<'_>) -> bool {
    let mut errors = Vec::new();
    if selector.is_set() {
        validate(selector, &mut errors);
    }
    errors.is_empty()
}

/// Whether a selector says nothing.
pub fn is_empty(selector: &At<'_>) -> bool {
    selector.at("matchLabels").is_empty() && selector.at("matchExpressions").is_empty()
}
