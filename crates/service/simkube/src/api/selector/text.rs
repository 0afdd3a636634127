//! An object's own selector as one line of text.

use serde_json::Value;

/// Returns a selector of labels (a `LabelSelector`, a plain map, or text already) as one line, its terms
/// in the order of their keys. Empty where nothing is asked.
pub fn text_of(selector: &Value) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    let is_plain = selector["matchLabels"].is_null() && selector["matchExpressions"].is_null();
    let labels = if is_plain { selector } else { &selector["matchLabels"] };
    let labels = labels.as_object().into_iter().flatten();
    let mut terms: Vec<(&str, String)> = labels
        .filter_map(|(key, value)| Some((key.as_str(), format!("{key}={}", value.as_str()?))))
        .collect();
    let rules = selector["matchExpressions"].as_array().into_iter().flatten();
    terms.extend(rules.map(|rule| {
        let key = rule["key"].as_str().unwrap_or_default();
        (key, term(key, rule))
    }));
    terms.sort_by_key(|(key, _)| *key);
    terms.into_iter().map(|(_, term)| term).collect::<Vec<_>>().join(",")
}

fn term(key: &str, rule: &Value) -> String {
    let values = rule["values"].as_array().into_iter().flatten();
    let mut values: Vec<&str> = values.filter_map(Value::as_str).collect();
    values.sort_unstable();
    let values = values.join(",");
    match rule["operator"].as_str() {
        Some("In") => format!("{key} in ({values})"),
        Some("NotIn") => format!("{key} notin ({values})"),
        Some("DoesNotExist") => format!("!{key}"),
        _ => key.to_owned(),
    }
}
