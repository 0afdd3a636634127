//! Disruption budgets, priority classes and leases.

use manifest::field::FieldError;

use crate::cursor::At;
use crate::selector;
use crate::workloads::{at_most_everything, count_or_share};

/// The highest priority that is not the system's.
const USER_PRIORITY_MAX: i64 = 1_000_000_000;
const SYSTEM_CLASSES: [&str; 2] = ["system-node-critical", "system-cluster-critical"];

/// A selector as Go prints it: labels first.
fn shown_selector(selector: &At<'_>) -> String {
    let fields: Vec<String> = ["matchLabels", "matchExpressions"]
        .iter()
        .filter(|field| !selector.at(field).is_empty())
        .map(|field| format!(r#""{field}":{}"#, selector.at(field).value))
        .collect();
    match selector.is_set() {
        true => format!("{{{}}}", fields.join(",")),
        false => "null".to_owned(),
    }
}

pub fn disruption_budget(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let (low, high) = (spec.at("minAvailable"), spec.at("maxUnavailable"));
    if low.is_set() && high.is_set() {
        let shown = format!(
            r#"{{"MinAvailable":{},"Selector":{},"MaxUnavailable":{},"UnhealthyPodEvictionPolicy":{}}}"#,
            low.value,
            shown_selector(&spec.at("selector")),
            high.value,
            spec.at("unhealthyPodEvictionPolicy").value
        );
        let words = "minAvailable and maxUnavailable cannot be both set";
        errors.push(spec.invalid(words).showing(shown));
    }
    for bound in [&low, &high] {
        if bound.is_set() {
            count_or_share(bound, errors);
            at_most_everything(bound, errors);
        }
    }
    selector::validate(&spec.at("selector"), errors);
    spec.at("unhealthyPodEvictionPolicy").one_of(&["AlwaysAllow", "IfHealthyBudget"], errors);
}

pub fn priority_class(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let (value, policy) = (object.at("value"), object.at("preemptionPolicy"));
    if let Some(old) = old {
        if value.value != old.at("value").value {
            errors.push(value.forbidden("may not be changed in an update."));
        }
        policy.unchanged(&old.at("preemptionPolicy"), errors);
        return;
    }
    let name = manifest::name(object.value);
    if name.starts_with("system-") {
        if !SYSTEM_CLASSES.contains(&name) {
            errors.push(FieldError::forbidden(
                "metadata.name",
                format!("priority class names with 'system-' prefix are reserved for system use only. error: {name} is not a known system priority class"),
            ));
        }
    } else if value.number().is_some_and(|value| value > USER_PRIORITY_MAX) {
        errors.push(value.forbidden(&format!(
            "maximum allowed value of a user defined priority is {USER_PRIORITY_MAX}"
        )));
    }
    if policy.is_set() && policy.is_empty() {
        errors.push(policy.required(""));
    } else {
        policy.one_of(&["PreemptLowerPriority", "Never"], errors);
    }
}

pub fn lease(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let duration = spec.at("leaseDurationSeconds");
    if duration.number().is_some_and(|seconds| seconds <= 0) {
        errors.push(duration.invalid("must be greater than 0"));
    }
    spec.at("leaseTransitions").not_negative(errors);
}
