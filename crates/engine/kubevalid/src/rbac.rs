//! Roles and their bindings.

use manifest::field::FieldError;
use serde_json::Value;

use crate::cursor::At;
use crate::names;
use crate::selector;

const GROUP: &str = "rbac.authorization.k8s.io";

pub fn role(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    object.at("rules").items().for_each(|rule| check(&rule, true, errors));
}

pub fn cluster_role(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    object.at("rules").items().for_each(|rule| check(&rule, false, errors));
    let aggregation = object.at("aggregationRule");
    if !aggregation.is_set() {
        return;
    }
    let chosen = aggregation.at("clusterRoleSelectors");
    if chosen.is_empty() {
        errors.push(
            chosen.required(
                "at least one clusterRoleSelector required if aggregationRule is non-nil",
            ),
        );
    }
    for one in chosen.items() {
        let before = errors.len();
        selector::validate(&one, errors);
        if errors.len() > before {
            // The server shows what it could not read as nothing.
            errors.push(FieldError::invalid(
                one.path.clone(),
                Value::Null,
                "invalid label selector.",
            ));
        }
    }
}

fn check(rule: &At<'_>, namespaced: bool, errors: &mut Vec<FieldError>) {
    if rule.at("verbs").is_empty() {
        errors.push(rule.at("verbs").required("verbs must contain at least one value"));
    }
    let urls = rule.at("nonResourceURLs");
    let (groups, resources) = (rule.at("apiGroups"), rule.at("resources"));
    if !urls.is_empty() {
        if namespaced {
            errors.push(urls.invalid("namespaced rules cannot apply to non-resource URLs"));
        }
        if !groups.is_empty() || !resources.is_empty() || !rule.at("resourceNames").is_empty() {
            errors.push(
                urls.invalid("rules cannot apply to both regular resources and non-resource URLs"),
            );
        }
        return;
    }
    if groups.is_empty() {
        errors.push(groups.required("resource rules must supply at least one api group"));
    }
    if resources.is_empty() {
        errors.push(resources.required("resource rules must supply at least one resource"));
    }
}

pub fn role_binding(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    binding(&object, old, true, errors);
}

pub fn cluster_role_binding(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    binding(&object, old, false, errors);
}

fn binding(object: &At<'_>, old: Option<At<'_>>, namespaced: bool, errors: &mut Vec<FieldError>) {
    let reference = object.at("roleRef");
    if reference.at("apiGroup").text() != GROUP {
        errors.push(reference.at("apiGroup").unsupported(&[GROUP]));
    }
    let known: &[&str] = if namespaced { &["Role", "ClusterRole"] } else { &["ClusterRole"] };
    if !known.contains(&reference.at("kind").text()) {
        errors.push(reference.at("kind").unsupported(known));
    }
    let name = reference.at("name");
    if name.is_empty() {
        errors.push(name.required(""));
    } else {
        name.named(names::path_segment(name.text(), false), errors);
    }
    for subject in object.at("subjects").items() {
        check_subject(&subject, namespaced, errors);
    }
    if old.is_some_and(|old| old.at("roleRef").value != reference.value) {
        let text = |name: &str| Value::from(reference.at(name).text()).to_string();
        let shown = format!(
            r#"{{"APIGroup":{},"Kind":{},"Name":{}}}"#,
            text("apiGroup"),
            text("kind"),
            text("name")
        );
        errors.push(reference.invalid("cannot change roleRef").showing(shown));
    }
}

fn check_subject(subject: &At<'_>, namespaced: bool, errors: &mut Vec<FieldError>) {
    let (name, group) = (subject.at("name"), subject.at("apiGroup"));
    if name.is_empty() {
        errors.push(name.required(""));
    }
    match subject.at("kind").text() {
        "ServiceAccount" => {
            if !name.is_empty() {
                name.named(names::subdomain(name.text(), false), errors);
            }
            if !group.is_empty() {
                errors.push(group.unsupported(&[""]));
            }
            if !namespaced && subject.at("namespace").is_empty() {
                errors.push(subject.at("namespace").required(""));
            }
        }
        "User" | "Group" => {
            if group.text() != GROUP {
                errors.push(group.unsupported(&[GROUP]));
            }
        }
        _ => {
            let kind = subject.at("kind");
            let known = ["ServiceAccount", "User", "Group"];
            errors.push(FieldError::not_supported(kind.path.clone(), kind.text(), &known));
        }
    }
}
