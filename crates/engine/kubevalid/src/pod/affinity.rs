//! Where a pod wants to be.

use manifest::field::FieldError;
use serde_json::json;

use crate::cursor::At;
use crate::names;
use crate::selector;

pub fn validate(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    let node = at.at("nodeAffinity");
    let required = node.at("requiredDuringSchedulingIgnoredDuringExecution");
    if required.is_set() {
        node_selector(&required, errors);
    }
    for term in node.at("preferredDuringSchedulingIgnoredDuringExecution").items() {
        weight(&term.at("weight"), errors);
        node_term(&term.at("preference"), Values::Any, errors);
    }
    for field in ["podAffinity", "podAntiAffinity"] {
        let pods = at.at(field);
        for term in pods.at("requiredDuringSchedulingIgnoredDuringExecution").items() {
            pod_term(&term, errors);
        }
        for term in pods.at("preferredDuringSchedulingIgnoredDuringExecution").items() {
            weight(&term.at("weight"), errors);
            pod_term(&term.at("podAffinityTerm"), errors);
        }
    }
}

fn weight(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let weight = at.number().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        errors.push(FieldError::invalid(at.path.clone(), weight, "must be in the range 1-100"));
    }
}

/// Terms of which one must hold.
pub fn node_selector(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let terms = at.at("nodeSelectorTerms");
    if terms.is_empty() {
        errors.push(terms.required("must have at least one node selector term"));
    }
    terms.items().for_each(|term| node_term(&term, Values::OfLabels, errors));
}

/// What a label may be compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Any,
    /// What a label may be.
    OfLabels,
}

/// Terms as Go prints the server's own.
pub fn shown_terms(terms: &At<'_>) -> String {
    if !terms.is_set() {
        return "null".to_owned();
    }
    let terms: Vec<String> = terms
        .items()
        .map(|term| {
            let [expressions, fields] =
                ["matchExpressions", "matchFields"].map(|list| shown_requirements(&term.at(list)));
            format!(r#"{{"MatchExpressions":{expressions},"MatchFields":{fields}}}"#)
        })
        .collect();
    format!("[{}]", terms.join(","))
}

fn shown_requirements(list: &At<'_>) -> String {
    if !list.is_set() {
        return "null".to_owned();
    }
    let all: Vec<String> = list
        .items()
        .map(|one| {
            let [key, operator] =
                ["key", "operator"].map(|field| json!(one.at(field).text()).to_string());
            format!(r#"{{"Key":{key},"Operator":{operator},"Values":{}}}"#, one.at("values").value)
        })
        .collect();
    format!("[{}]", all.join(","))
}

fn node_term(term: &At<'_>, allowed: Values, errors: &mut Vec<FieldError>) {
    for expression in term.at("matchExpressions").items() {
        of_labels(&expression, errors);
        if allowed == Values::OfLabels {
            for value in expression.at("values").items() {
                value.named(names::label_value(value.text()), errors);
            }
        }
    }
    term.at("matchFields").items().for_each(|expression| of_fields(&expression, errors));
}

const NO_OPERATOR: &str = "not a valid selector operator";

fn of_labels(expression: &At<'_>, errors: &mut Vec<FieldError>) {
    let (operator, values) = (expression.at("operator"), expression.at("values"));
    match operator.text() {
        "In" | "NotIn" => {
            if values.is_empty() {
                errors
                    .push(values.required("must be specified when `operator` is 'In' or 'NotIn'"));
            }
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                errors.push(values.forbidden(
                    "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
                ));
            }
        }
        "Gt" | "Lt" => {
            if values.items().count() != 1 {
                errors
                    .push(values.required(
                        "must be specified single value when `operator` is 'Lt' or 'Gt'",
                    ));
            }
        }
        other => errors.push(FieldError::invalid(operator.path.clone(), other, NO_OPERATOR)),
    }
    let key = expression.at("key");
    key.named(names::qualified(key.text()), errors);
}

/// Of a node's fields only its name can be asked for.
fn of_fields(expression: &At<'_>, errors: &mut Vec<FieldError>) {
    let (operator, values) = (expression.at("operator"), expression.at("values"));
    if !matches!(operator.text(), "In" | "NotIn") {
        errors.push(FieldError::invalid(operator.path.clone(), operator.text(), NO_OPERATOR));
    } else if values.items().count() != 1 {
        errors.push(values.required(
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector",
        ));
    }
    let key = expression.at("key");
    if key.text() != "metadata.name" {
        let words = "not a valid field selector key";
        errors.push(FieldError::invalid(key.path.clone(), key.text(), words));
        return;
    }
    for value in values.items() {
        value.named(names::subdomain(value.text(), false), errors);
    }
}

fn pod_term(term: &At<'_>, errors: &mut Vec<FieldError>) {
    selector::validate(&term.at("labelSelector"), errors);
    selector::validate(&term.at("namespaceSelector"), errors);
    for namespace in term.at("namespaces").items() {
        let field = term.child("namespace");
        errors.extend(
            names::label(namespace.text(), false)
                .into_iter()
                .map(|words| FieldError::invalid(field.clone(), namespace.text(), words)),
        );
    }
    super::label_keys_beside(term, errors);
    let key = term.at("topologyKey");
    if key.is_empty() {
        errors.push(key.required("can not be empty"));
    }
    errors.extend(
        names::qualified(key.text())
            .into_iter()
            .map(|words| FieldError::invalid(key.path.clone(), key.text(), words)),
    );
}
