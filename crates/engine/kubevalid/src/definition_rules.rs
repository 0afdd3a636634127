//! The rules in CEL of a definition's schema: how they are written, and whether they can be followed.
//!
//! What they would cost at most is not estimated.

use cel::{Type, names_used};
use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cel::{fields, typed};
use crate::cursor::At;

/// What can be said of rules without reading what they say. `is_read`: whether the schema can be read.
pub fn written(schema: &At<'_>, is_read: bool, errors: &mut Vec<FieldError>) {
    const REASONS: [&str; 4] =
        ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];
    let broken = |text: &str| text.contains(['\n', '\r']);
    for one in schema.at("x-kubernetes-validations").items() {
        let (rule, message) = (one.at("rule"), one.at("message"));
        let (read, told) = (rule.text().trim(), message.text().trim());
        if read.is_empty() {
            errors.push(rule.required("rule is not specified"));
        } else if !message.is_empty() && told.is_empty() {
            errors.push(message.invalid("must be non-empty if specified"));
        } else if broken(told) {
            errors.push(message.invalid("must not contain line breaks"));
        } else if broken(read) && told.is_empty() {
            errors.push(message.required("message must be specified if rule contains line breaks"));
        }
        let expression = one.at("messageExpression");
        if !expression.is_empty() && expression.text().trim().is_empty() {
            errors.push(expression.required("messageExpression must be non-empty if specified"));
        }
        one.at("reason").one_of(&REASONS, errors);
        let path = one.at("fieldPath");
        if !path.is_empty() && path.text().trim().is_empty() {
            errors.push(path.invalid("must be non-empty if specified"));
        }
        if broken(path.text()) {
            errors.push(path.invalid("must not contain line breaks"));
        }
        if is_read && !path.is_empty() && !leads_somewhere(path.text(), schema.value) {
            errors.push(path.invalid("must be a valid path"));
        }
    }
}

/// Whether a path such as `.spec.labels['a']` leads to a part of a schema.
fn leads_somewhere(path: &str, schema: &Value) -> bool {
    let (mut rest, mut at) = (path, schema);
    while !rest.is_empty() {
        let (name, after) = if let Some(quoted) = rest.strip_prefix("['") {
            let Some((name, after)) = quoted.split_once("']") else { return false };
            (name, after)
        } else if let Some(named) = rest.strip_prefix('.') {
            named.split_at(named.find(['.', '[', ']']).unwrap_or(named.len()))
        } else {
            return false;
        };
        at = match (&at["properties"], &at["additionalProperties"]) {
            (Value::Object(properties), _) => match properties.get(name) {
                Some(found) => found,
                None => return false,
            },
            (_, found @ Value::Object(_)) => found,
            (_, _) => return false,
        };
        rest = after;
    }
    true
}

/// Reads the rules of a schema that is otherwise in order.
pub fn compile(root: &At<'_>, errors: &mut Vec<FieldError>) {
    node(root, true, None, errors);
}

/// `lost`: the part around this one whose items cannot be told apart from one version to the next.
fn node(at: &At<'_>, whole: bool, lost: Option<&str>, errors: &mut Vec<FieldError>) {
    let additional = at.at("additionalProperties");
    if additional.map().is_some() {
        node(&additional, embedded(&additional), lost, errors);
    }
    let properties = at.at("properties");
    let atomic = at.at("x-kubernetes-map-type").text() == "atomic";
    let below = lost.or(atomic.then_some(at.path.as_str()));
    for (name, _) in properties.entries() {
        let property = properties.key(name);
        node(&property, embedded(&property), below, errors);
    }
    let items = at.at("items");
    if items.map().is_some() {
        let keyed = at.at("x-kubernetes-list-type").text() == "map";
        let below = lost.or((!keyed).then_some(at.path.as_str()));
        node(&items, embedded(&items), below, errors);
    }
    let list = at.at("x-kubernetes-validations");
    if list.is_empty() {
        return;
    }
    let Some(own) = type_of(at.value, whole) else { return };
    for one in list.items() {
        rule(&one, &own, lost, errors);
    }
}

fn embedded(at: &At<'_>) -> bool {
    at.at("x-kubernetes-embedded-resource").flag()
}

fn rule(one: &At<'_>, own: &Type, lost: Option<&str>, errors: &mut Vec<FieldError>) {
    let (rule, optional) = (one.at("rule"), one.at("optionalOldSelf"));
    let old = match optional.flag() {
        true => Type::Optional(Box::new(own.clone())),
        false => own.clone(),
    };
    let names = || vec![("self".to_owned(), own.clone()), ("oldSelf".to_owned(), old.clone())];
    let wrong = |at: &At<'_>, why: String| at.invalid(why).showing(shown(one.value));
    let before = errors.len();
    match typed(rule.text(), names(), false) {
        Ok(Type::Bool) => {}
        Ok(_) => errors.push(wrong(&rule, "cel expression must evaluate to a bool".to_owned())),
        Err(why) => errors.push(wrong(&rule, why)),
    }
    let message = one.at("messageExpression");
    if errors.len() == before && !message.is_empty() {
        match typed(message.text(), names(), false) {
            Ok(Type::Text) => {}
            Ok(_) => {
                let why = "messageExpression must evaluate to a string".to_owned();
                errors.push(wrong(&message, why));
            }
            Err(why) => errors.push(wrong(&message, format!("messageExpression {why}"))),
        }
    }
    let of_change = errors.len() == before || !message.is_empty();
    let of_change =
        of_change && cel::parse(rule.text()).is_ok_and(|expr| names_used(&expr, "oldSelf"));
    match lost {
        Some(within) if of_change => errors.push(rule.invalid(format!(
            "oldSelf cannot be used on the uncorrelatable portion of the schema within {within}"
        ))),
        _ if !of_change && optional.is_set() => {
            errors.push(optional.invalid("may not be set if oldSelf is not used in rule"));
        }
        _ => {}
    }
}

/// A rule as Go prints the server's own.
pub fn shown(one: &Value) -> String {
    let text = |field: &str| {
        let text = json!(one[field].as_str().unwrap_or_default()).to_string();
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
    };
    format!(
        r#"{{"Rule":{},"Message":{},"MessageExpression":{},"Reason":{},"FieldPath":{},"OptionalOldSelf":{}}}"#,
        text("rule"),
        text("message"),
        text("messageExpression"),
        one["reason"],
        text("fieldPath"),
        one["optionalOldSelf"],
    )
}

/// The type that a schema describes; `None`: rules do not see what stands there. `whole`: an object with a
/// kind and a name of its own.
fn type_of(schema: &Value, whole: bool) -> Option<Type> {
    if schema["x-kubernetes-int-or-string"] == true {
        return Some(Type::Dyn);
    }
    let below = |schema: &Value| type_of(schema, schema["x-kubernetes-embedded-resource"] == true);
    Some(match schema["type"].as_str().unwrap_or_default() {
        "array" => Type::List(Box::new(below(&schema["items"])?)),
        "object" if schema["additionalProperties"].is_object() => {
            let of = below(&schema["additionalProperties"])?;
            Type::Map(Box::new(Type::Text), Box::new(of))
        }
        "object" => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let mut known: Vec<(String, Type)> = properties
                .filter_map(|(name, property)| Some((cel::escaped(name)?, below(property)?)))
                .collect();
            if whole {
                let texts = |names: &[&str]| {
                    fields(names.iter().map(|name| ((*name).to_owned(), Type::Text)))
                };
                known.extend(["apiVersion", "kind"].map(|name| (name.to_owned(), Type::Text)));
                known.push(("metadata".to_owned(), texts(&["name", "generateName"])));
            }
            fields(known)
        }
        "string" => match schema["format"].as_str().unwrap_or_default() {
            "byte" => Type::Bytes,
            "duration" => Type::Span,
            "date" | "date-time" => Type::Time,
            _ => Type::Text,
        },
        "boolean" => Type::Bool,
        "integer" => Type::Int,
        "number" => Type::Double,
        _ => return None,
    })
}
