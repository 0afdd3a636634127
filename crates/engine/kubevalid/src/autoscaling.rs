//! HorizontalPodAutoscalers, at version 2.

use kubetypes::quantity::Quantity;
use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::pod::amounts;

/// Seconds over which a recommendation is kept at most.
const WINDOW_S_MAX: i64 = 3600;
/// Seconds of a scaling policy's period at most.
const PERIOD_S_MAX: i64 = 1800;

pub fn validate(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    // Version 1 is the same object, written with fewer words.
    let spec = object.at("spec");
    let (low, high) = (spec.at("minReplicas"), spec.at("maxReplicas"));
    if low.number().is_some_and(|low| low < 1) {
        errors.push(low.invalid("must be greater than or equal to 1"));
    }
    let high_number = high.number().unwrap_or(0);
    if high_number == 0 {
        errors.push(high.required("must be set and greater than 0"));
    } else if high_number < 0 {
        errors.push(high.invalid("must be greater than or equal to 1"));
    }
    if low.number().is_some_and(|low| high_number < low) {
        errors.push(FieldError::invalid(
            high.path.clone(),
            high_number,
            "must be greater than or equal to `minReplicas`",
        ));
    }
    let target = spec.at("scaleTargetRef");
    let tolerated = old
        .as_ref()
        .is_some_and(|old| wrong_version(&old.to(&["spec", "scaleTargetRef"]), true).is_some());
    reference(&target, errors);
    if !tolerated && let Some(words) = wrong_version(&target, true) {
        let version = target.at("apiVersion");
        errors.push(FieldError::invalid(version.path.clone(), version.text(), words));
    }
    let metrics = spec.at("metrics");
    let mut scales_from_nothing = false;
    for metric in metrics.items() {
        check_metric(&metric, errors);
        scales_from_nothing |= matches!(metric.at("type").text(), "Object" | "External");
    }
    if low.number() == Some(0) && !scales_from_nothing {
        errors.push(metrics.forbidden(
            "must specify at least one Object or External metric to support scaling to zero replicas",
        ));
    }
    for direction in ["scaleUp", "scaleDown"] {
        let rules = spec.to(&["behavior", direction]);
        if rules.is_set() {
            behavior(&rules, errors);
        }
    }
}

fn reference(at: &At<'_>, errors: &mut Vec<FieldError>) {
    for field in ["kind", "name"] {
        let name = at.at(field);
        if name.is_empty() {
            errors.push(name.required(""));
        } else {
            name.named(names::path_segment(name.text(), false), errors);
        }
    }
}

/// What is wrong with the version of what an autoscaler speaks of.
fn wrong_version(at: &At<'_>, scaled: bool) -> Option<String> {
    let text = at.at("apiVersion").text();
    if text.matches('/').count() > 1 {
        return Some(format!("unexpected GroupVersion string: {text}"));
    }
    let grouped = text.split_once('/').is_some_and(|(group, _)| !group.is_empty());
    let free = !scaled || at.at("kind").text() == "ReplicationController";
    (!grouped && !free).then(|| "apiVersion must specify API group".to_owned())
}

const METRICS: [(&str, &str); 5] = [
    ("Object", "object"),
    ("External", "external"),
    ("Pods", "pods"),
    ("Resource", "resource"),
    ("ContainerResource", "containerResource"),
];

fn check_metric(metric: &At<'_>, errors: &mut Vec<FieldError>) {
    let kind = metric.at("type");
    let known = ["ContainerResource", "External", "Object", "Pods", "Resource"];
    let unsupported = || FieldError::not_supported(kind.path.clone(), kind.text(), &known);
    if kind.is_empty() {
        errors.push(kind.required("must specify a metric source type"));
    }
    let expected = METRICS.iter().find(|(name, _)| *name == kind.text()).map(|(_, field)| *field);
    if expected.is_none() {
        errors.push(unsupported());
    }
    let present = METRICS.iter().filter(|(_, field)| metric.at(field).is_set()).count();
    // Only the first source is looked into.
    let first = METRICS.iter().map(|(_, field)| *field).find(|field| metric.at(field).is_set());
    if let Some(field) = first {
        check_source(field, &metric.at(field), errors);
    }
    match expected {
        None => errors.push(unsupported()),
        Some(field) if !metric.at(field).is_set() => errors.push(
            metric.at(field).required("must populate information for the given metric source"),
        ),
        Some(_) => {}
    }
    if present != 1 {
        let others = METRICS.iter().filter(|(_, field)| Some(*field) != expected);
        for source in others.map(|(_, field)| metric.at(field)).filter(|source| source.is_set()) {
            errors.push(source.forbidden("must populate the given metric source only"));
        }
    }
}

fn check_source(field: &str, source: &At<'_>, errors: &mut Vec<FieldError>) {
    let target = source.at("target");
    match field {
        "resource" | "containerResource" => {
            if source.at("name").is_empty() {
                errors.push(source.at("name").required("must specify a resource name"));
            } else if field == "containerResource" {
                let name = source.at("name");
                amounts::name_of_container(&name, name.text(), errors);
            }
            let container = source.at("container");
            if field == "containerResource" && container.is_empty() {
                errors.push(container.required("must specify a container"));
            } else if field == "containerResource" {
                container.named(names::label(container.text(), false), errors);
            }
            target_of(&target, errors);
            let (share, value) = (target.at("averageUtilization"), target.at("averageValue"));
            if !share.is_set() && !value.is_set() {
                errors.push(
                    share.required("must set either a target raw value or a target utilization"),
                );
            }
            if share.is_set() && value.is_set() {
                errors.push(
                    value.forbidden("may not set both a target raw value and a target utilization"),
                );
            }
        }
        "object" => {
            let described = source.at("describedObject");
            reference(&described, errors);
            if let Some(words) = wrong_version(&described, false) {
                errors.push(described.at("apiVersion").invalid(words));
            }
            identifier(&source.at("metric"), errors);
            target_of(&target, errors);
            if !target.at("value").is_set() && !target.at("averageValue").is_set() {
                errors.push(
                    target
                        .at("averageValue")
                        .required("must set either a target value or averageValue"),
                );
            }
        }
        "external" => {
            identifier(&source.at("metric"), errors);
            target_of(&target, errors);
            if !target.at("value").is_set() && !target.at("averageValue").is_set() {
                errors.push(
                    target
                        .at("averageValue")
                        .required("must set either a target value for metric or a per-pod target"),
                );
            }
            if target.at("value").is_set() && target.at("averageValue").is_set() {
                errors.push(
                    target.at("value").forbidden(
                        "may not set both a target value for metric and a per-pod target",
                    ),
                );
            }
        }
        _ => {
            identifier(&source.at("metric"), errors);
            target_of(&target, errors);
            if !target.at("averageValue").is_set() {
                errors.push(
                    target
                        .at("averageValue")
                        .required("must specify a positive target averageValue"),
                );
            }
        }
    }
}

fn identifier(metric: &At<'_>, errors: &mut Vec<FieldError>) {
    let name = metric.at("name");
    if name.is_empty() {
        errors.push(name.required("must specify a metric name"));
    } else {
        name.named(names::path_segment(name.text(), false), errors);
    }
}

fn target_of(target: &At<'_>, errors: &mut Vec<FieldError>) {
    let kind = target.at("type");
    if kind.is_empty() {
        errors.push(kind.required("must specify a metric target type"));
    }
    if !["Utilization", "Value", "AverageValue"].contains(&kind.text()) {
        errors.push(kind.invalid("must be either Utilization, Value, or AverageValue"));
    }
    for field in ["value", "averageValue"] {
        let at = target.at(field);
        if Quantity::parse(at.text()).is_ok_and(|value| value.sign() != 1) {
            errors.push(at.invalid("must be positive"));
        }
    }
    let share = target.at("averageUtilization");
    if share.number().is_some_and(|share| share < 1) {
        errors.push(share.invalid("must be greater than 0"));
    }
}

fn behavior(rules: &At<'_>, errors: &mut Vec<FieldError>) {
    let window = rules.at("stabilizationWindowSeconds");
    if window.number().is_some_and(|seconds| seconds < 0) {
        errors.push(window.invalid("must be greater than or equal to zero"));
    }
    if window.number().is_some_and(|seconds| seconds > WINDOW_S_MAX) {
        errors.push(window.invalid(format!("must be less than or equal to {WINDOW_S_MAX}")));
    }
    let tolerance = rules.at("tolerance");
    if crate::pod::amounts::quantity(tolerance.value).is_some_and(|share| share.sign() < 0) {
        errors.push(tolerance.invalid("must be greater than or equal to 0"));
    }
    rules.at("selectPolicy").one_of(&["Disabled", "Max", "Min"], errors);
    let policies = rules.at("policies");
    if policies.is_empty() {
        errors.push(policies.required("must specify at least one Policy"));
    }
    for policy in policies.items() {
        policy.at("type").one_of(&["Percent", "Pods"], errors);
        let (value, period) = (policy.at("value"), policy.at("periodSeconds"));
        if value.number().unwrap_or(0) <= 0 {
            errors.push(value.invalid("must be greater than zero"));
        }
        if period.number().unwrap_or(0) <= 0 {
            errors.push(period.invalid("must be greater than zero"));
        } else if period.number().is_some_and(|seconds| seconds > PERIOD_S_MAX) {
            errors.push(period.invalid(format!("must be less than or equal to {PERIOD_S_MAX}")));
        }
    }
}
