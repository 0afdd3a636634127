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
        node_term(&term.at("preference"), errors);
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
    each_term(at, errors, node_term);
}

fn each_term(at: &At<'_>, errors: &mut Vec<FieldError>, check: fn(&At<'_>, &mut Vec<FieldError>)) {
    let terms = at.at("nodeSelectorTerms");
    if terms.is_empty() {
        errors.push(terms.required("must have at least one node selector term"));
    }
    terms.items().for_each(|term| check(&term, errors));
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

/// As [`node_selector`], where what a label is compared with is one that a label may have.
pub fn strict_node_selector(at: &At<'_>, errors: &mut Vec<FieldError>) {
    each_term(at, errors, |term, errors| {
        node_term(term, errors);
        for expression in term.at("matchExpressions").items() {
            for value in expression.at("values").items() {
                value.named(names::label_value(value.text()), errors);
            }
        }
    });
}

fn node_term(term: &At<'_>, errors: &mut Vec<FieldError>) {
    for expression in term.at("matchExpressions").items() {
        let (operator, values) = (expression.at("operator"), expression.at("values"));
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
            "Gt" | "Lt" => {
                if values.items().count() != 1 {
                    errors.push(values.required(
                        "must be specified single value when `operator` is 'Lt' or 'Gt'",
                    ));
                }
            }
            _ => errors.push(operator.invalid("not a valid selector operator")),
        }
        let key = expression.at("key");
        key.named(names::qualified(key.text()), errors);
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
