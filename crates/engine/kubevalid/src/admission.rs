//! Webhook configurations.

use std::collections::BTreeSet;

use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::selector;

const OPERATIONS: [&str; 5] = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];

pub fn webhooks(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for hook in object.at("webhooks").items() {
        let mut own = Vec::new();
        webhook(&hook, &mut own);
        errors.extend(own);
        let name = hook.at("name");
        if !name.is_empty() && !seen.insert(name.text()) {
            errors.push(name.duplicate());
        }
    }
}

fn webhook(hook: &At<'_>, errors: &mut Vec<FieldError>) {
    let name = hook.at("name");
    if name.is_empty() {
        errors.push(name.required(""));
    } else {
        let refusals = names::subdomain(name.text(), false);
        let good = refusals.is_empty();
        name.named(refusals, errors);
        if good && name.text().split('.').count() < 3 {
            errors.push(
                name.invalid("should be a domain with at least three segments separated by dots"),
            );
        }
    }
    let versions = hook.at("admissionReviewVersions");
    if versions.is_empty() {
        errors.push(versions.required("must specify one of v1, v1beta1"));
    } else if !versions.items().any(|version| matches!(version.text(), "v1" | "v1beta1")) {
        errors.push(versions.invalid("must include at least one of v1, v1beta1"));
    }
    for rule in hook.at("rules").items() {
        check_rule(&rule, errors);
    }
    hook.at("failurePolicy").one_of(&["Fail", "Ignore"], errors);
    hook.at("matchPolicy").one_of(&["Equivalent", "Exact"], errors);
    let effects = hook.at("sideEffects");
    if effects.is_empty() {
        errors.push(effects.required("must specify one of None, NoneOnDryRun"));
    } else {
        effects.one_of(&["None", "NoneOnDryRun"], errors);
    }
    let timeout = hook.at("timeoutSeconds");
    if timeout.number().is_some_and(|seconds| !(1..=30).contains(&seconds)) {
        errors.push(timeout.invalid("the timeout value must be between 1 and 30 seconds"));
    }
    selector::validate(&hook.at("namespaceSelector"), errors);
    selector::validate(&hook.at("objectSelector"), errors);
    hook.at("reinvocationPolicy").one_of(&["IfNeeded", "Never"], errors);
    client(&hook.at("clientConfig"), errors);
}

fn client(config: &At<'_>, errors: &mut Vec<FieldError>) {
    let (url, service) = (config.at("url"), config.at("service"));
    match (url.is_set(), service.is_set()) {
        (true, true) | (false, false) => {
            errors.push(config.required("exactly one of url or service is required"));
        }
        (true, false) => {
            let form = "; desired format: https://host[/path]";
            match url.text().split_once("://") {
                Some(("https", rest)) => {
                    if rest.is_empty() || rest.starts_with('/') {
                        let words = format!("host must be specified{form}");
                        errors.push(FieldError::invalid(url.path.clone(), "", words));
                    }
                }
                scheme => {
                    let scheme = scheme.map_or("", |(scheme, _)| scheme);
                    let words = format!("'https' is the only allowed URL scheme{form}");
                    errors.push(FieldError::invalid(url.path.clone(), scheme, words));
                }
            }
        }
        (false, true) => {
            for field in ["name", "namespace"] {
                let at = service.at(field);
                if at.is_empty() {
                    let words = if field == "name" {
                        "service name is required"
                    } else {
                        "service namespace is required"
                    };
                    errors.push(at.required(words));
                }
            }
            let port = service.at("port");
            if let Some(number) = port.number() {
                port.named(
                    names::port_number(number)
                        .into_iter()
                        .map(|words| format!("port is not valid: {words}"))
                        .collect(),
                    errors,
                );
            }
        }
    }
}

fn check_rule(rule: &At<'_>, errors: &mut Vec<FieldError>) {
    let all = |at: &At<'_>| at.items().any(|item| item.text() == "*") && at.items().count() > 1;
    let operations = rule.at("operations");
    if operations.is_empty() {
        errors.push(operations.required(""));
    }
    if all(&operations) {
        errors.push(operations.invalid("if '*' is present, must not specify other operations"));
    }
    for operation in operations.items() {
        if !OPERATIONS.contains(&operation.text()) {
            errors.push(operation.unsupported(&OPERATIONS));
        }
    }
    for (field, what) in [("apiGroups", "API groups"), ("apiVersions", "API versions")] {
        let at = rule.at(field);
        if at.is_empty() {
            errors.push(at.required(""));
        }
        if all(&at) {
            errors.push(at.invalid(format!("if '*' is present, must not specify other {what}")));
        }
    }
    let resources = rule.at("resources");
    if resources.is_empty() {
        errors.push(resources.required(""));
    }
    if rule.at("scope").is_set() {
        rule.at("scope").one_of(&["*", "Cluster", "Namespaced"], errors);
    }
}
