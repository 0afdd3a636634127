//! ResourceQuotas and LimitRanges.

use std::collections::BTreeSet;

use kubetypes::quantity::Quantity;
use manifest::field::FieldError;

use crate::cursor::At;
use crate::names;
use crate::pod::amounts::{self, quantity};

const COUNTED: [&str; 9] = [
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];
const MEASURED: [&str; 11] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "storage",
];
const SCOPES: [&str; 7] = [
    "Terminating",
    "NotTerminating",
    "BestEffort",
    "NotBestEffort",
    "PriorityClass",
    "CrossNamespacePodAffinity",
    "VolumeAttributesClass",
];

/// Whether a name without a domain is one that everybody knows.
fn is_standard(name: &str) -> bool {
    let huge = ["hugepages-", "requests.hugepages-"].iter().any(|head| name.starts_with(head));
    COUNTED.contains(&name) || MEASURED.contains(&name) || huge
}

pub fn resource_quota(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    amounts(&spec.at("hard"), errors);
    scopes(&spec, errors);
    if let Some(old) = &old {
        let key = |at: &At<'_>| -> BTreeSet<String> {
            at.items().map(|scope| scope.text().to_owned()).collect()
        };
        let (new, before) = (spec.at("scopes"), old.to(&["spec", "scopes"]));
        if key(&new) != key(&before) {
            errors.push(new.invalid("field is immutable"));
        }
    }
}

/// What a quota may count, and how much of it.
pub fn amounts(hard: &At<'_>, errors: &mut Vec<FieldError>) {
    for (name, value) in hard.entries() {
        let at = hard.key(name);
        let wrong = |words: &str| FieldError::invalid(at.path.clone(), name, words);
        let refusals = names::qualified(name);
        let qualified = refusals.is_empty();
        errors.extend(refusals.iter().map(|words| wrong(words)));
        if qualified && !name.contains('/') && !is_standard(name) {
            errors.push(wrong("must be a standard resource type or fully qualified"));
        }
        if !name.contains('/') && (!is_standard(name) || name == "storage") {
            errors.push(wrong("must be a standard resource for quota"));
        }
        if let Some(size) = quantity(value) {
            if size.sign() < 0 {
                errors.push(at.invalid("must be greater than or equal to 0"));
            }
            let whole = size.milli_value() % 1000 == 0;
            let counted = COUNTED.contains(&name) || name.starts_with("count/");
            if (counted || amounts::is_extended(name)) && !whole {
                errors.push(at.invalid("must be an integer"));
            }
        }
    }
}

fn scopes(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let scopes = spec.at("scopes");
    let named: BTreeSet<&str> = scopes.items().map(|scope| scope.text()).collect();
    for scope in scopes.items() {
        let scope = scope.text();
        if !SCOPES.contains(&scope) {
            errors.push(scopes.invalid("unsupported scope"));
        }
        for _ in 0..not_counted_in(scope, spec) {
            errors.push(scopes.invalid("unsupported scope applied to resource"));
        }
    }
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if named.contains(one) && named.contains(other) {
            errors.push(scopes.invalid("conflicting scopes"));
        }
    }
    let expressions = spec.to(&["scopeSelector", "matchExpressions"]);
    for expression in expressions.items() {
        let field = |name: &str| expressions.child(name);
        let name = expression.at("scopeName").text();
        if !SCOPES.contains(&name) {
            errors.push(FieldError::invalid(field("scopeName"), name, "unsupported scope"));
        }
        for _ in 0..not_counted_in(name, spec) {
            let words = "unsupported scope applied to resource";
            errors.push(expressions.invalid(words).showing(shown_scopes(&expressions)));
        }
        let operator = expression.at("operator").text();
        if SCOPES.contains(&name)
            && !matches!(name, "PriorityClass" | "VolumeAttributesClass")
            && operator != "Exists"
        {
            let words = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
            errors.push(FieldError::invalid(field("operator"), operator, words));
        }
        let values = expression.at("values");
        match expression.at("operator").text() {
            "In" | "NotIn" => {
                if values.is_empty() {
                    errors.push(FieldError::required(
                        field("values"),
                        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
                    ));
                }
            }
            "Exists" | "DoesNotExist" => {
                if !values.is_empty() {
                    errors.push(FieldError::invalid(
                        field("values"),
                        values.value.clone(),
                        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector",
                    ));
                }
            }
            other => {
                errors.push(FieldError::invalid(
                    field("operator"),
                    other,
                    "not a valid selector operator",
                ));
            }
        }
    }
}

/// How many of the resources that a quota limits a scope does not go with.
fn not_counted_in(scope: &str, spec: &At<'_>) -> usize {
    let counts = |resource: &str| {
        let standard = is_standard(resource) && resource != "storage";
        let computed = ["cpu", "memory"].iter().any(|one| resource.ends_with(one));
        let applies = match scope {
            "BestEffort" => resource == "pods",
            "Terminating"
            | "NotTerminating"
            | "NotBestEffort"
            | "PriorityClass"
            | "CrossNamespacePodAffinity" => resource == "pods" || computed,
            "VolumeAttributesClass" => {
                matches!(resource, "persistentvolumeclaims" | "requests.storage")
            }
            _ => true,
        };
        !standard || applies
    };
    spec.at("hard").entries().filter(|(resource, _)| !counts(resource)).count()
}

/// A scope selector as Go prints it.
fn shown_scopes(expressions: &At<'_>) -> String {
    let all: Vec<String> = expressions
        .items()
        .map(|expression| {
            let text = |field: &str| manifest::field::quote(expression.at(field).text());
            format!(
                "{{\"ScopeName\":{},\"Operator\":{},\"Values\":{}}}",
                text("scopeName"),
                text("operator"),
                expression.at("values").value
            )
        })
        .collect();
    format!("{{\"MatchExpressions\":[{}]}}", all.join(","))
}

pub fn limit_range(object: At<'_>, _: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for limit in object.to(&["spec", "limits"]).items() {
        let kind = limit.at("type");
        let refusals = names::qualified(kind.text());
        let standard = ["Pod", "Container", "PersistentVolumeClaim"];
        if refusals.is_empty() && !kind.text().contains('/') && !standard.contains(&kind.text()) {
            errors.push(kind.invalid("must be a standard limit type or fully qualified"));
        }
        for words in refusals {
            errors.push(FieldError::invalid(kind.path.clone(), kind.text(), words));
        }
        if !seen.insert(kind.text()) {
            errors.push(FieldError::duplicate(kind.path.clone(), kind.text()));
        }
        limited(&limit, "max", errors);
        limited(&limit, "min", errors);
        for field in ["default", "defaultRequest"] {
            if kind.text() != "Pod" {
                limited(&limit, field, errors);
            } else if !limit.at(field).is_empty() {
                let words = "may not be specified when `type` is 'Pod'";
                errors.push(limit.at(field).forbidden(words));
            }
        }
        if kind.text() == "PersistentVolumeClaim"
            && !limit.to(&["min", "storage"]).is_set()
            && !limit.to(&["max", "storage"]).is_set()
        {
            errors.push(FieldError::required(
                limit.child("limits"),
                "either minimum or maximum storage value is required, but neither was provided",
            ));
        }
        limited(&limit, "maxLimitRequestRatio", errors);
        bounds(&limit, errors);
    }
}

/// What a limit may be about.
fn limited(limit: &At<'_>, field: &str, errors: &mut Vec<FieldError>) {
    let amounts = limit.at(field);
    let of_containers = matches!(limit.at("type").text(), "Pod" | "Container");
    for (name, _) in amounts.entries() {
        let at = amounts.key(name);
        let wrong = |words: &str| FieldError::invalid(at.path.clone(), name, words);
        let refusals = names::qualified(name);
        if refusals.is_empty() && !name.contains('/') && !is_standard(name) {
            errors.push(wrong("must be a standard resource type or fully qualified"));
        }
        errors.extend(refusals.iter().map(|words| wrong(words)));
        if !of_containers {
            continue;
        }
        let native = !name.contains('/') || name.contains("kubernetes.io/");
        if !name.contains('/') {
            let own = ["cpu", "memory", "ephemeral-storage"].contains(&name);
            if !own && !name.starts_with("hugepages-") {
                errors.push(wrong("must be a standard resource for containers"));
            }
        } else if !native
            && (name.starts_with("requests.")
                || !names::qualified(&format!("requests.{name}")).is_empty())
        {
            errors.push(wrong("doesn't follow extended resource name standard"));
        }
    }
}

fn bounds(limit: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut fields = vec!["min", "max", "maxLimitRequestRatio"];
    // Of pods these are refused, and asked no further.
    if limit.at("type").text() != "Pod" {
        fields.extend(["default", "defaultRequest"]);
    }
    let keys: BTreeSet<&str> =
        fields.iter().flat_map(|field| limit.at(field).entries().map(|(key, _)| key)).collect();
    for key in keys {
        let get = |field: &str| {
            let at = limit.at(field).key(key);
            let quantity = fields.contains(&field).then(|| quantity(at.value)).flatten();
            quantity.map(|quantity| (at.clone(), quantity))
        };
        let above = |a: &Quantity, b: &Quantity| {
            let mut difference = a.clone();
            difference.sub(b);
            difference.sign() > 0
        };
        let (min, max) = (get("min"), get("max"));
        let (request, default) = (get("defaultRequest"), get("default"));
        let ratio = get("maxLimitRequestRatio");
        // The words name one value and show another where the server does.
        let mut wrong = |at: &At<'_>, shown: &Quantity, words: String| {
            errors.push(FieldError::invalid(at.path.clone(), shown.to_string(), words));
        };
        if let (Some((at, min)), Some((_, max))) = (&min, &max)
            && above(min, max)
        {
            let words = format!("min value {} is greater than max value {}", min, max);
            wrong(at, min, words);
        }
        if let (Some((at, request)), Some((_, min))) = (&request, &min)
            && above(min, request)
        {
            let words =
                format!("min value {} is greater than default request value {}", min, request);
            wrong(at, request, words);
        }
        if let (Some((at, request)), Some((_, max))) = (&request, &max)
            && above(request, max)
        {
            let words =
                format!("default request value {} is greater than max value {}", request, max);
            wrong(at, request, words);
        }
        if let (Some((at, request)), Some((_, default))) = (&request, &default)
            && above(request, default)
        {
            let words = format!(
                "default request value {} is greater than default limit value {}",
                request, default
            );
            wrong(at, request, words);
        }
        if let (Some((at, default)), Some((_, min))) = (&default, &min)
            && above(min, default)
        {
            let words = format!("min value {} is greater than default value {}", min, default);
            wrong(at, min, words);
        }
        if let (Some((at, default)), Some((_, max))) = (&default, &max)
            && above(default, max)
        {
            let words = format!("default value {} is greater than max value {}", default, max);
            wrong(at, max, words);
        }
        if let Some((at, ratio)) = &ratio
            && ratio.milli_value() < 1000
        {
            wrong(at, ratio, format!("ratio {} is less than 1", ratio));
        }
        if let (Some((at, ratio)), Some((_, min)), Some((_, max))) = (&ratio, &min, &max) {
            let (of_ratio, of_range) = ratios(ratio, min, max);
            if of_ratio > of_range {
                let words =
                    format!("ratio {} is greater than max/min = {}", ratio, go_float(of_range));
                wrong(at, ratio, words);
            }
        }
        let native = !key.contains('/') || key.contains("kubernetes.io/");
        if let (Some((_, default)), Some((at, request))) = (&default, &request)
            && (!native || key.starts_with("hugepages-"))
            && (above(default, request) || above(request, default))
        {
            let words = format!(
                "default value {} must equal to defaultRequest value {} in {key}",
                default, request
            );
            wrong(at, request, words);
        }
    }
}

/// Above this, amounts are compared in whole units.
const MILLI_MAX: i64 = i64::MAX / 1000;

/// A ratio, and that of a range's ends.
fn ratios(ratio: &Quantity, min: &Quantity, max: &Quantity) -> (f64, f64) {
    let small = [ratio, min, max].iter().all(|amount| amount.value() < MILLI_MAX);
    let (of_ratio, least, most) = match small {
        true => (ratio.milli_value() as f64 / 1000.0, min.milli_value(), max.milli_value()),
        false => (ratio.value() as f64, min.value(), max.value()),
    };
    (of_ratio, most as f64 / least as f64)
}

/// A number as Go's `%f` prints it.
fn go_float(number: f64) -> String {
    match number {
        _ if number.is_nan() => "NaN".to_owned(),
        _ if number.is_infinite() => if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned(),
        _ => format!("{number:.6}"),
    }
}
