//! Admission policies and what binds them.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::admission::{check_rule, match_conditions};
use crate::cel::{self, Variables, Wanted};
use crate::cursor::At;
use crate::names;
use crate::selector;

const ANNOTATIONS_MAX: usize = 20;
/// The expression of an audit annotation, in bytes.
const ANNOTATION_BYTES_MAX: usize = 5 * 1024;
const NO_VALIDATIONS: &str = "validations or auditAnnotations must contain at least one item";

/// A ValidatingAdmissionPolicy.
pub fn validating(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let variables = surroundings(&spec, old.as_ref(), false, errors);
    let variables = own_variables(&spec, variables, errors);
    let (validations, annotations) = (spec.at("validations"), spec.at("auditAnnotations"));
    if validations.is_empty() && annotations.is_empty() {
        errors.push(validations.required(NO_VALIDATIONS));
        errors.push(annotations.required(NO_VALIDATIONS));
        return;
    }
    validations.items().for_each(|one| validation(&one, &variables, errors));
    audit_annotations(&object, &annotations, &variables, errors);
}

/// A MutatingAdmissionPolicy.
pub fn mutating(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let variables = surroundings(&spec, old.as_ref(), true, errors).composed();
    let variables = own_variables(&spec, variables, errors);
    let mutations = spec.at("mutations");
    if mutations.is_empty() {
        errors.push(mutations.required("mutations must contain at least one item"));
    }
    mutations.items().for_each(|one| mutation(&one, &variables, errors));
    let again = spec.at("reinvocationPolicy");
    if again.is_empty() {
        errors.push(again.required(""));
    } else {
        again.one_of(&["IfNeeded", "Never"], errors);
    }
}

/// What both sorts of policies say first: when they fail, what they match.
fn surroundings(
    spec: &At<'_>,
    old: Option<&At<'_>>,
    mutates: bool,
    errors: &mut Vec<FieldError>,
) -> Variables {
    let failure = spec.at("failurePolicy");
    if failure.is_set() {
        failure.one_of(&["Fail", "Ignore"], errors);
    } else {
        errors.push(failure.required(""));
    }
    let params = spec.at("paramKind");
    if params.is_set() {
        param_kind(&params, errors);
    }
    let constraints = spec.at("matchConstraints");
    if constraints.is_set() {
        match_resources(&constraints, errors);
        let rules = constraints.at("resourceRules");
        if rules.is_empty() {
            errors.push(rules.required(""));
        }
        if mutates {
            only_mutable(&rules, errors);
        }
    } else {
        errors.push(constraints.required(""));
    }
    let same = |old: &At<'_>| {
        ["paramKind", "matchConditions"]
            .iter()
            .all(|field| spec.at(field).is_as(&old.to(&["spec", field])))
    };
    if !old.is_some_and(same) {
        match_conditions(&spec.at("matchConditions"), params.is_set(), errors);
    }
    Variables::of_requests(params.is_set())
}

/// What is gone cannot be changed.
fn only_mutable(rules: &At<'_>, errors: &mut Vec<FieldError>) {
    const OPERATIONS: [&str; 4] = ["*", "CONNECT", "CREATE", "UPDATE"];
    for operation in rules.items().flat_map(|rule| rule.at("operations").items()) {
        if !OPERATIONS.contains(&operation.text()) {
            errors.push(FieldError::not_supported(
                rules.child("operations"),
                operation.text(),
                &OPERATIONS,
            ));
        }
    }
}

fn own_variables(
    spec: &At<'_>,
    mut variables: Variables,
    errors: &mut Vec<FieldError>,
) -> Variables {
    let own = spec.at("variables");
    if !own.is_empty() {
        variables = variables.composed();
    }
    for variable in own.items() {
        let (name, expression) = (variable.at("name"), variable.at("expression"));
        if name.text().trim().is_empty() {
            errors.push(name.required("name is not specified"));
        } else if !is_identifier(name.text()) {
            errors.push(name.invalid("must be a valid CEL identifier"));
        }
        if expression.text().trim().is_empty() {
            errors.push(expression.required("expression is not specified"));
        } else {
            cel::admission(&expression, &variables, Wanted::Anything, errors);
            variables.add(name.text(), expression.text());
        }
    }
    variables
}

fn is_identifier(name: &str) -> bool {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let word = matches!(name, "true" | "false" | "null" | "in");
    letters
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !word
        && !cel::is_reserved(name)
}

fn param_kind(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let (api_version, kind) = (at.at("apiVersion"), at.at("kind"));
    let text = api_version.text();
    let wrong =
        |shown: &str, words: String| FieldError::invalid(api_version.path.clone(), shown, words);
    if text.is_empty() {
        errors.push(api_version.required(""));
    } else if text.matches('/').count() > 1 {
        errors.push(wrong(text, format!("unexpected GroupVersion string: {text}")));
    } else {
        let (group, version) = match text {
            "/" => ("", ""),
            text => text.split_once('/').unwrap_or(("", text)),
        };
        if !group.is_empty() {
            let refusals = names::subdomain(group, false);
            if !refusals.is_empty() {
                errors.push(wrong(group, refusals.join(",")));
            }
        }
        let refusals = names::label_1035(version);
        if version.is_empty() {
            errors.push(wrong(text, "version must be specified".to_owned()));
        } else if !refusals.is_empty() {
            errors.push(wrong(version, refusals.join(",")));
        }
    }
    if kind.is_empty() {
        errors.push(kind.required(""));
        return;
    }
    let refusals = names::label_1035(&kind.text().to_lowercase());
    if !refusals.is_empty() {
        let words = refusals.join(",");
        errors.push(
            kind.invalid(format!("may have mixed case, but should otherwise match: {words}")),
        );
    }
}

fn match_resources(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if !at.is_set() {
        return;
    }
    let policy = at.at("matchPolicy");
    if policy.is_set() {
        policy.one_of(&["Equivalent", "Exact"], errors);
    } else {
        errors.push(policy.required(""));
    }
    for field in ["namespaceSelector", "objectSelector"] {
        let chosen = at.at(field);
        if chosen.is_set() {
            selector::validate(&chosen, errors);
        } else {
            errors.push(chosen.required(""));
        }
    }
    for field in ["resourceRules", "excludeResourceRules"] {
        for rule in at.at(field).items() {
            let mut seen = BTreeSet::new();
            for name in rule.at("resourceNames").items() {
                name.named(names::path_segment(name.text(), false), errors);
                if !seen.insert(name.text()) {
                    errors.push(name.duplicate());
                }
            }
            check_rule(&rule, errors);
        }
    }
}

fn validation(at: &At<'_>, variables: &Variables, errors: &mut Vec<FieldError>) {
    let expression = at.at("expression");
    if expression.text().trim().is_empty() {
        errors.push(expression.required("expression is not specified"));
    } else {
        cel::admission(&expression, variables, Wanted::Boolean, errors);
    }
    let message = at.at("messageExpression");
    if !message.text().trim().is_empty() {
        cel::admission(&message, &variables.without_authorizer(), Wanted::Text, errors);
    } else if !message.is_empty() {
        errors.push(message.invalid("must be non-empty if specified"));
    }
    let message = at.at("message");
    let trimmed = message.text().trim();
    if !message.is_empty() && trimmed.is_empty() {
        errors.push(message.invalid("must be non-empty if specified"));
    } else if trimmed.contains(['\n', '\r']) {
        errors.push(message.invalid("must not contain line breaks"));
    }
    at.at("reason").one_of(&["Forbidden", "Invalid", "RequestEntityTooLarge"], errors);
}

fn audit_annotations(
    object: &At<'_>,
    annotations: &At<'_>,
    variables: &Variables,
    errors: &mut Vec<FieldError>,
) {
    if annotations.items().count() > ANNOTATIONS_MAX {
        errors.push(
            annotations
                .invalid(format!("must not have more than {ANNOTATIONS_MAX} auditAnnotations")),
        );
    }
    let name = object.to(&["metadata", "name"]);
    let mut seen = BTreeSet::new();
    for annotation in annotations.items() {
        let (key, value) = (annotation.at("key"), annotation.at("valueExpression"));
        if name.is_empty() {
            errors.push(FieldError::invalid(
                key.path.clone(),
                key.text(),
                "requires metadata.name be non-empty",
            ));
        } else {
            let whole = format!("{}/{}", name.text(), key.text());
            let refusals = names::qualified(&whole);
            errors.extend(
                refusals
                    .into_iter()
                    .map(|words| FieldError::invalid(key.path.clone(), whole.clone(), words)),
            );
        }
        let trimmed = value.text().trim();
        if trimmed.is_empty() {
            errors.push(value.required("valueExpression is not specified"));
        } else if trimmed.len() > ANNOTATION_BYTES_MAX {
            let words = format!("must not exceed {ANNOTATION_BYTES_MAX} bytes in length");
            errors.push(value.required(&words));
        } else {
            cel::admission(&value, variables, Wanted::TextOrNull, errors);
        }
        if !seen.insert(key.text()) {
            errors.push(FieldError::duplicate(key.path.clone(), key.text()));
        }
    }
}

fn mutation(at: &At<'_>, variables: &Variables, errors: &mut Vec<FieldError>) {
    const SORTS: [(&str, &str, Wanted); 2] = [
        ("JSONPatch", "jsonPatch", Wanted::Changes),
        ("ApplyConfiguration", "applyConfiguration", Wanted::Configuration),
    ];
    let kind = at.at("patchType");
    let Some((name, field, wanted)) = SORTS.into_iter().find(|(name, _, _)| *name == kind.text())
    else {
        errors.push(match kind.is_empty() {
            true => kind.required(""),
            false => kind.unsupported(&["ApplyConfiguration", "JSONPatch"]),
        });
        return;
    };
    let chosen = at.at(field);
    if chosen.is_set() {
        let expression = chosen.at("expression");
        let trimmed = expression.text().trim();
        if trimmed.is_empty() {
            errors.push(expression.required(""));
        } else {
            let trimmed = At { value: &Value::from(trimmed), path: expression.path.clone() };
            cel::admission(&trimmed, variables, wanted, errors);
        }
    } else {
        errors.push(chosen.required(&format!("must be specified when patchType is {name}")));
    }
    for (_, other, _) in SORTS.into_iter().filter(|(_, other, _)| *other != field) {
        if at.at(other).is_set() {
            errors.push(FieldError::invalid(
                at.child(other),
                format!("{{{other}}}"),
                format!("must not be specified when patchType is {name}"),
            ));
        }
    }
}

/// A ValidatingAdmissionPolicyBinding.
pub fn validating_binding(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    binding(&spec, errors);
    let actions = spec.at("validationActions");
    let mut seen = BTreeSet::new();
    for action in actions.items() {
        if !["Audit", "Deny", "Warn"].contains(&action.text()) {
            errors.push(action.unsupported(&["Audit", "Deny", "Warn"]));
        }
        if !seen.insert(action.text()) {
            errors.push(action.duplicate());
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        errors.push(actions.invalid("must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)"));
    }
    if seen.is_empty() {
        errors.push(actions.required("at least one validation action is required"));
    }
}

/// A MutatingAdmissionPolicyBinding.
pub fn mutating_binding(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    binding(&object.at("spec"), errors);
    only_mutable(&object.to(&["spec", "matchResources", "resourceRules"]), errors);
}

fn binding(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let policy = spec.at("policyName");
    if policy.is_empty() {
        errors.push(policy.required(""));
    } else {
        policy.named(names::subdomain(policy.text(), false), errors);
    }
    param_ref(&spec.at("paramRef"), errors);
    match_resources(&spec.at("matchResources"), errors);
}

fn param_ref(at: &At<'_>, errors: &mut Vec<FieldError>) {
    const BOTH: &str = "name and selector are mutually exclusive";
    if !at.is_set() {
        return;
    }
    let (name, chosen, absent) =
        (at.at("name"), at.at("selector"), at.at("parameterNotFoundAction"));
    if !name.is_empty() {
        name.named(names::path_segment(name.text(), false), errors);
        if chosen.is_set() {
            errors.push(name.forbidden(BOTH));
        }
    }
    if chosen.is_set() {
        selector::validate(&chosen, errors);
        if !name.is_empty() {
            errors.push(chosen.forbidden(BOTH));
        }
    }
    if name.is_empty() && !chosen.is_set() {
        errors.push(at.required("one of name or selector must be specified"));
    }
    if absent.is_empty() {
        errors.push(absent.required(""));
    } else {
        absent.one_of(&["Deny", "Allow"], errors);
    }
}
