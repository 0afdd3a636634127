//! Priority and fairness: flow schemas and priority levels.

use std::collections::BTreeSet;

use manifest::field::{FieldError, FieldErrorKind};
use serde_json::{Value, json};

use crate::cursor::At;
use crate::names;

/// Verbs that a flow may name.
const VERBS: [&str; 9] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

/// The last place in the order of matching.
const PRECEDENCE_MAX: i64 = 10_000;
const QUEUES_MAX: i64 = 10_000_000;
/// Bits that the shuffling of queues has to go by.
const HASH_BITS_MAX: i64 = 60;

/// A FlowSchema.
pub fn flow_schema(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let name = object.to(&["metadata", "name"]);
    let precedence = spec.at("matchingPrecedence");
    let number = precedence.number().unwrap_or(0);
    let mut wrong = |words: String| {
        errors.push(FieldError::invalid(precedence.path.clone(), number, words));
    };
    if number <= 0 {
        wrong("must be a positive value".to_owned());
    }
    if number > PRECEDENCE_MAX {
        wrong(format!("must not be greater than {PRECEDENCE_MAX}"));
    }
    if number == 1 && name.text() != "exempt" {
        wrong("only the schema named 'exempt' may have matchingPrecedence 1".to_owned());
    }
    let method = spec.at("distinguisherMethod");
    let kind = method.at("type");
    if method.is_set() && !["ByNamespace", "ByUser"].contains(&kind.text()) {
        let shown = json!({"Type": kind.text()});
        errors.push(FieldError::not_supported(
            kind.path.clone(),
            shown,
            &["ByNamespace", "ByUser"],
        ));
    }
    let level = spec.to(&["priorityLevelConfiguration", "name"]);
    if level.is_empty() {
        errors.push(level.required("must reference a priority level"));
    } else {
        level.named(names::subdomain(level.text(), false), errors);
    }
    spec.at("rules").items().for_each(|rule| policy_rule(&rule, errors));
    mandatory_flow(&spec, name.text(), errors);
    conditions(&object, errors);
}

/// What is said of conditions: each type once, and none without a type.
pub fn conditions(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for condition in object.to(&["status", "conditions"]).items() {
        let kind = condition.at("type");
        if !seen.insert(kind.text()) {
            errors.push(FieldError::duplicate(kind.path.clone(), kind.text()));
        }
        if kind.is_empty() {
            errors.push(kind.required(""));
        }
    }
}

fn mandatory_flow(spec: &At<'_>, name: &str, errors: &mut Vec<FieldError>) {
    let (level, precedence) = match name {
        "exempt" => ("exempt", 1),
        "catch-all" => ("catch-all", PRECEDENCE_MAX),
        _ => return,
    };
    let fixed = spec.to(&["priorityLevelConfiguration", "name"]).text() == level
        && spec.at("matchingPrecedence").number() == Some(precedence);
    if !fixed {
        errors.push(spec.invalid(format!("spec of '{name}' must equal the fixed value")));
    }
}

fn policy_rule(rule: &At<'_>, errors: &mut Vec<FieldError>) {
    let subjects = rule.at("subjects");
    if subjects.is_empty() {
        errors.push(subjects.required("subjects must contain at least one value"));
    }
    subjects.items().for_each(|one| subject(&one, errors));
    let (resources, others) = (rule.at("resourceRules"), rule.at("nonResourceRules"));
    if resources.is_empty() && others.is_empty() {
        errors.push(
            rule.required("at least one of resourceRules and nonResourceRules has to be non-empty"),
        );
    }
    resources.items().for_each(|one| resource_rule(&one, errors));
    others.items().for_each(|one| other_rule(&one, errors));
}

fn subject(subject: &At<'_>, errors: &mut Vec<FieldError>) {
    const FIELDS: [(&str, &str); 3] =
        [("serviceAccount", "ServiceAccount"), ("user", "User"), ("group", "Group")];
    let kind = subject.at("kind");
    let Some((field, _)) = FIELDS.into_iter().find(|(_, known)| *known == kind.text()) else {
        let value = kind.text();
        errors.push(FieldError::not_supported(
            kind.path.clone(),
            value,
            &["Group", "ServiceAccount", "User"],
        ));
        return;
    };
    let named = subject.at(field);
    if named.is_set() {
        let name = named.at("name");
        if name.is_empty() {
            errors.push(name.required(""));
        } else if field == "serviceAccount" && name.text() != "*" {
            name.named(names::subdomain(name.text(), false), errors);
        }
        if field == "serviceAccount" {
            let namespace = named.at("namespace");
            if namespace.is_empty() {
                errors.push(namespace.required("must specify namespace for service account"));
            } else {
                namespace.named(names::label(namespace.text(), false), errors);
            }
        }
    } else {
        errors.push(
            named.required(&format!("{field} is required when subject kind is '{}'", kind.text())),
        );
    }
    for (other, known) in FIELDS {
        if other != field && subject.at(other).is_set() {
            let words = format!("{other} is forbidden when subject kind is not '{known}'");
            errors.push(subject.at(other).forbidden(&words));
        }
    }
}

fn has_wildcard(at: &At<'_>) -> bool {
    at.items().any(|item| item.text() == "*")
}

fn verbs(rule: &At<'_>, errors: &mut Vec<FieldError>) {
    let verbs = rule.at("verbs");
    if verbs.is_empty() {
        errors.push(verbs.required("verbs must contain at least one value"));
    } else if has_wildcard(&verbs) {
        if verbs.items().count() > 1 {
            errors.push(verbs.invalid("if '*' is present, must not specify other verbs"));
        }
    } else if !verbs.items().all(|verb| VERBS.contains(&verb.text())) {
        errors.push(verbs.unsupported(&VERBS));
    }
}

fn resource_rule(rule: &At<'_>, errors: &mut Vec<FieldError>) {
    verbs(rule, errors);
    for (field, missing, what) in [
        ("apiGroups", "resource rules must supply at least one api group", "api groups"),
        ("resources", "resource rules must supply at least one resource", "resources"),
    ] {
        let at = rule.at(field);
        if at.is_empty() {
            errors.push(at.required(missing));
        } else if at.items().count() > 1 && has_wildcard(&at) {
            errors.push(at.invalid(format!("if '*' is present, must not specify other {what}")));
        }
    }
    let namespaces = rule.at("namespaces");
    if namespaces.is_empty() && !rule.at("clusterScope").flag() {
        errors.push(namespaces.required(
            "resource rules that are not cluster scoped must supply at least one namespace",
        ));
    } else if has_wildcard(&namespaces) {
        if namespaces.items().count() > 1 {
            errors.push(namespaces.invalid("if '*' is present, must not specify other namespaces"));
        }
    } else {
        for namespace in namespaces.items() {
            for words in names::label(namespace.text(), false) {
                errors.push(namespace.invalid(format!(
                    "each member of this list must be '*' or a DNS-1123 label; {words}"
                )));
            }
        }
    }
}

fn other_rule(rule: &At<'_>, errors: &mut Vec<FieldError>) {
    verbs(rule, errors);
    let urls = rule.at("nonResourceURLs");
    if urls.is_empty() {
        errors.push(urls.required("nonResourceURLs must contain at least one value"));
    } else if has_wildcard(&urls) {
        if urls.items().count() > 1 {
            errors
                .push(urls.invalid("if '*' is present, must not specify other non-resource URLs"));
        }
    } else {
        errors.extend(urls.items().filter_map(|url| Some(url.invalid(wrong_url(url.text())?))));
    }
}

fn wrong_url(url: &str) -> Option<&'static str> {
    match url {
        "" => Some("must not be empty"),
        "/" => None,
        _ if !url.starts_with('/') => Some("must start with slash"),
        _ if url.contains(' ') => Some("must not contain white-space"),
        _ if url.contains("//") => Some("must not contain double slash"),
        _ if url.matches('*').count() > 1 || (url.contains('*') && !url.ends_with("/*")) => {
            Some("wildcard can only do suffix matching")
        }
        _ => None,
    }
}

/// A PriorityLevelConfiguration.
pub fn priority_level(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    const KEPT_ZERO: &str = "flowcontrol.k8s.io/concurrency-shares-defaults-to-zero";
    let annotations = object.to(&["metadata", "annotations"]);
    if annotations.at(KEPT_ZERO).is_set() {
        errors.push(annotations.forbidden(&format!("annotation '{KEPT_ZERO}' is forbidden")));
    }
    let spec = object.at("spec");
    let (kind, limited, exempt) = (spec.at("type"), spec.at("limited"), spec.at("exempt"));
    let name = object.to(&["metadata", "name"]);
    if (name.text() == "exempt") != (kind.text() == "Exempt") {
        errors.push(FieldError::invalid(
            kind.path.clone(),
            kind.text(),
            "must be 'Exempt' if and only if `name` is 'exempt'",
        ));
    }
    match kind.text() {
        "Exempt" => {
            if limited.is_set() {
                errors.push(limited.forbidden("must be nil if the type is not Limited"));
            }
            shares(&exempt, errors);
            lendable(&exempt, errors);
        }
        "Limited" => {
            if exempt.is_set() {
                errors.push(exempt.forbidden("must be nil if the type is Limited"));
            }
            if limited.is_set() {
                limits(&limited, errors);
            } else {
                errors.push(limited.required("must not be empty when type is Limited"));
            }
        }
        "" => errors.push(kind.required("")),
        _ => errors.push(kind.unsupported(&["Exempt", "Limited"])),
    }
    conditions(&object, errors);
}

fn shares(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let shares = at.at("nominalConcurrencyShares");
    if shares.number().is_some_and(|number| number < 0) {
        errors.push(shares.invalid("must be a non-negative integer"));
    }
}

fn lendable(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let percent = at.at("lendablePercent");
    if percent.number().is_some_and(|number| !(0..=100).contains(&number)) {
        errors.push(percent.invalid("must be between 0 and 100, inclusive"));
    }
}

fn limits(limited: &At<'_>, errors: &mut Vec<FieldError>) {
    shares(limited, errors);
    let response = limited.at("limitResponse");
    let (kind, queuing) = (response.at("type"), response.at("queuing"));
    match kind.text() {
        "Reject" => {
            if queuing.is_set() {
                errors.push(
                    queuing.forbidden("must be nil if limited.limitResponse.type is not Limited"),
                );
            }
        }
        "Queue" => {
            if queuing.is_set() {
                queues(&queuing, errors);
            } else {
                errors.push(
                    queuing.required("must not be empty if limited.limitResponse.type is Limited"),
                );
            }
        }
        "" => errors.push(kind.required("")),
        _ => errors.push(kind.unsupported(&["Queue", "Reject"])),
    }
    lendable(limited, errors);
    let borrowing = limited.at("borrowingLimitPercent");
    if borrowing.number().is_some_and(|number| number < 0) {
        errors.push(borrowing.invalid("if specified, must be a non-negative integer"));
    }
}

fn queues(queuing: &At<'_>, errors: &mut Vec<FieldError>) {
    let number = |field: &str| queuing.at(field).number().unwrap_or(0);
    let mut wrong = |field: &str, words: String| {
        let value: Value = json!(number(field));
        errors.push(FieldError::new(FieldErrorKind::Invalid, queuing.child(field), value, words));
    };
    let (length, queues, hand) = (number("queueLengthLimit"), number("queues"), number("handSize"));
    if length <= 0 {
        wrong("queueLengthLimit", "must be positive".to_owned());
    }
    if queues <= 0 {
        wrong("queues", "must be positive".to_owned());
    } else if queues > QUEUES_MAX {
        wrong("queues", format!("must not be greater than {QUEUES_MAX}"));
    }
    // How many bits it takes to draw a hand from the queues.
    let bits = ((queues.max(1) as f64).log2() * hand as f64).ceil() as i64;
    if hand <= 0 {
        wrong("handSize", "must be positive".to_owned());
    } else if hand > queues {
        wrong("handSize", format!("should not be greater than queues ({queues})"));
    } else if bits > HASH_BITS_MAX {
        wrong(
            "handSize",
            format!(
                "required entropy bits of deckSize {queues} and handSize {hand} should not be greater than {HASH_BITS_MAX}"
            ),
        );
    }
}
