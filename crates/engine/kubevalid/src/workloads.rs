//! Deployments, ReplicaSets, StatefulSets and DaemonSets.

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cursor::At;
use crate::meta;
use crate::names;
use crate::pod;
use crate::selector;
use crate::storage;

/// A count or a share; share means percent.
pub fn count_or_share(at: &At<'_>, errors: &mut Vec<FieldError>) {
    match at.value {
        Value::String(text) => {
            if let Err(words) = names::percent(text) {
                errors.push(at.invalid(words));
            }
        }
        _ => at.not_negative(errors),
    }
}

/// A share must not be more than everything.
pub fn at_most_everything(at: &At<'_>, errors: &mut Vec<FieldError>) {
    if at.value.as_str().is_some_and(|text| names::percent(text).is_ok_and(|share| share > 100)) {
        errors.push(at.invalid("must not be greater than 100%"));
    }
}

/// How much a count or share is, where 0 is what matters.
fn is_zero(at: &At<'_>) -> bool {
    match at.value {
        Value::String(text) => names::percent(text) == Ok(0),
        _ => at.number().unwrap_or(0) == 0,
    }
}

/// Whether a text is neither a number nor a share: it counts as nothing.
fn is_no_amount(at: &At<'_>) -> bool {
    at.value
        .as_str()
        .is_some_and(|text| names::percent(text).is_err() && text.parse::<i64>().unwrap_or(0) == 0)
}

struct Template<'a> {
    /// As the words name it.
    owner: &'a str,
    /// Whether an unreadable selector is an error of its own, and with which words.
    bad_selector: Option<&'a str>,
}

/// The selector and the template of a workload that keeps pods running.
fn selector_and_template(
    spec: &At<'_>,
    kind: &Template<'_>,
    empty_words: &str,
    errors: &mut Vec<FieldError>,
) {
    let chosen = spec.at("selector");
    let mut readable = true;
    if !chosen.is_set() {
        if kind.owner != "DaemonSet" {
            errors.push(chosen.required(""));
        }
    } else {
        let mut own = Vec::new();
        selector::validate(&chosen, &mut own);
        readable = own.is_empty();
        errors.extend(own);
        if selector::is_empty(&chosen) {
            let value = json!({});
            errors.push(FieldError::invalid(
                chosen.path.clone(),
                value,
                format!("empty selector is invalid for {empty_words}"),
            ));
            readable = false;
        }
    }
    let template = spec.at("template");
    if !readable {
        if let (Some(words), false) = (kind.bad_selector, selector::is_empty(&chosen)) {
            errors.push(chosen.invalid(words).showing(selector::shown(&chosen)));
        }
        if selector::is_empty(&chosen) || kind.owner == "DaemonSet" {
            rest_of_template(&template, kind, errors);
        } else if kind.owner == "StatefulSet" {
            always_runs(&template, kind, errors);
        }
        return;
    }
    let labels = template.to(&["metadata", "labels"]);
    if !selector::matches(&chosen, labels.value) {
        errors.push(labels.invalid("`selector` does not match template `labels`"));
    }
    rest_of_template(&template, kind, errors);
}

fn rest_of_template(template: &At<'_>, kind: &Template<'_>, errors: &mut Vec<FieldError>) {
    pod::template(template, errors);
    if kind.owner == "StatefulSet" {
        // Of these the server asks twice.
        let metadata = template.at("metadata");
        let moved =
            |field: &str| At { value: metadata.at(field).value, path: template.child(field) };
        meta::labels(&moved("labels"), errors);
        meta::annotations(&moved("annotations"), errors);
    }
    always_runs(template, kind, errors);
}

/// What a workload keeps running neither ends nor gives up.
fn always_runs(template: &At<'_>, kind: &Template<'_>, errors: &mut Vec<FieldError>) {
    let spec = template.at("spec");
    let restart = spec.at("restartPolicy");
    if restart.is_set() && restart.text() != "Always" {
        errors.push(restart.unsupported(&["Always"]));
    }
    let deadline = spec.at("activeDeadlineSeconds");
    if deadline.is_set() {
        errors.push(
            deadline
                .forbidden(&format!("activeDeadlineSeconds in {} is not Supported", kind.owner)),
        );
    }
}

pub fn deployment(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    spec.at("replicas").not_negative(errors);
    let kind = Template { owner: "ReplicaSet", bad_selector: Some("invalid label selector") };
    selector_and_template(&spec, &kind, "deployment", errors);
    strategy(&spec.at("strategy"), errors);
    let ready = spec.at("minReadySeconds");
    ready.not_negative(errors);
    spec.at("revisionHistoryLimit").not_negative(errors);
    let deadline = spec.at("progressDeadlineSeconds");
    if let Some(seconds) = deadline.number() {
        deadline.not_negative(errors);
        if seconds <= ready.number().unwrap_or(0) {
            errors.push(deadline.invalid("must be greater than minReadySeconds"));
        }
    }
    if let Some(old) = old {
        selector::unchanged(&spec.at("selector"), &old.to(&["spec", "selector"]), errors);
    }
}

fn strategy(at: &At<'_>, errors: &mut Vec<FieldError>) {
    let rolling = at.at("rollingUpdate");
    match at.at("type").text() {
        "Recreate" => {
            if rolling.is_set() {
                errors.push(
                    rolling.forbidden("may not be specified when strategy `type` is 'Recreate'"),
                );
            }
        }
        "RollingUpdate" => {
            if !rolling.is_set() {
                errors.push(rolling.required("this should be defaulted and never be nil"));
                return;
            }
            let (missing, surge) = (rolling.at("maxUnavailable"), rolling.at("maxSurge"));
            count_or_share(&missing, errors);
            count_or_share(&surge, errors);
            if is_zero(&missing) && is_zero(&surge) {
                errors.push(missing.invalid("may not be 0 when `maxSurge` is 0"));
            }
            at_most_everything(&missing, errors);
        }
        _ => {
            let error = at.unsupported(&["Recreate", "RollingUpdate"]);
            errors.push(error.showing(unknown_strategy(at, BOTH)));
        }
    }
}

/// A struct as the server prints it: its fields in their own order.
fn ordered(shown: &Value, order: &[&str]) -> String {
    let fields: Vec<String> =
        order.iter().map(|name| format!("\"{name}\":{}", shown[*name])).collect();
    format!("{{{}}}", fields.join(","))
}

/// An update strategy of a type that nobody knows, as the server prints it.
fn unknown_strategy(at: &At<'_>, fields: &[(&str, &str)]) -> String {
    let rolling = at.at("rollingUpdate");
    let shown: Vec<String> = fields
        .iter()
        .map(|(name, field)| {
            let value = rolling.at(field);
            let shown = match value.is_set() || *name == POINTER {
                true => value.value.to_string(),
                false => "0".to_owned(),
            };
            format!("\"{}\":{shown}", if *name == POINTER { "MaxUnavailable" } else { name })
        })
        .collect();
    let rolling = match rolling.is_set() {
        true => format!("{{{}}}", shown.join(",")),
        false => "null".to_owned(),
    };
    format!("{{\"Type\":{},\"RollingUpdate\":{rolling}}}", json!(at.at("type").text()))
}

const BOTH: &[(&str, &str)] = &[("MaxUnavailable", "maxUnavailable"), ("MaxSurge", "maxSurge")];
/// Stands for the one field that is null where nobody says it.
const POINTER: &str = "*MaxUnavailable";
const OF_STATEFUL_SETS: &[(&str, &str)] =
    &[("Partition", "partition"), (POINTER, "maxUnavailable")];

pub fn replica_set(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    spec.at("replicas").not_negative(errors);
    spec.at("minReadySeconds").not_negative(errors);
    let kind = Template { owner: "ReplicaSet", bad_selector: Some("invalid label selector") };
    selector_and_template(&spec, &kind, "deployment", errors);
    if let Some(old) = old {
        selector::unchanged(&spec.at("selector"), &old.to(&["spec", "selector"]), errors);
    }
}

pub fn stateful_set(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let management = spec.at("podManagementPolicy");
    match management.text() {
        "" => errors.push(management.required("")),
        "OrderedReady" | "Parallel" => {}
        _ => errors.push(management.invalid("must be 'OrderedReady' or 'Parallel'")),
    }
    let update = spec.at("updateStrategy");
    let rolling = update.at("rollingUpdate");
    match update.at("type").text() {
        "" => errors.push(update.required("")),
        "OnDelete" => {
            if rolling.is_set() {
                let shown = json!({
                    "Partition": rolling.at("partition").number().unwrap_or(0),
                    "MaxUnavailable": rolling.at("maxUnavailable").value,
                });
                let error = rolling.invalid("only allowed for updateStrategy 'RollingUpdate'");
                errors.push(error.showing(ordered(&shown, &["Partition", "MaxUnavailable"])));
            }
        }
        "RollingUpdate" => {
            rolling.at("partition").not_negative(errors);
            let missing = rolling.at("maxUnavailable");
            if missing.is_set() {
                count_or_share(&missing, errors);
                if is_zero(&missing) {
                    errors.push(missing.invalid("cannot be 0"));
                }
                at_most_everything(&missing, errors);
            }
        }
        _ => {
            let error = update.invalid("must be 'RollingUpdate' or 'OnDelete'");
            errors.push(error.showing(unknown_strategy(&update, OF_STATEFUL_SETS)));
        }
    }
    let kept = spec.at("persistentVolumeClaimRetentionPolicy");
    for field in ["whenDeleted", "whenScaled"] {
        kept.at(field).one_of(&["Retain", "Delete"], errors);
    }
    if old.is_none() {
        for claim in spec.at("volumeClaimTemplates").items() {
            storage::claim_spec(&claim.at("spec"), errors);
        }
    }
    spec.at("replicas").not_negative(errors);
    spec.at("minReadySeconds").not_negative(errors);
    spec.to(&["ordinals", "start"]).not_negative(errors);
    let service = spec.at("serviceName");
    if old.is_none() && !service.is_empty() {
        service.named(names::label(service.text(), false), errors);
    }
    let kind = Template { owner: "StatefulSet", bad_selector: Some("") };
    let made = with_claims(spec.value);
    let made = At { value: made.as_ref().unwrap_or(spec.value), path: spec.path.clone() };
    selector_and_template(&made, &kind, "statefulset", errors);
    if let Some(old) = old {
        frozen(&spec, &old.at("spec"), errors);
    }
}

/// A StatefulSet's spec with the template of which its pods are made: a volume for each claim, which
/// hides a volume of the same name, and a host name of its own. `None`: the template is that already.
fn with_claims(spec: &Value) -> Option<Value> {
    let claims = spec["volumeClaimTemplates"].as_array().filter(|claims| !claims.is_empty());
    let template = &spec["template"]["spec"];
    let names_itself = ["hostname", "subdomain"].iter().any(|field| !template[*field].is_null());
    if !template.is_object() || (claims.is_none() && !names_itself) {
        return None;
    }
    let mut made = spec.clone();
    let fields = made["template"]["spec"].as_object_mut()?;
    fields.remove("hostname");
    fields.remove("subdomain");
    let mut names: Vec<&Value> = Vec::new();
    for name in claims.into_iter().flatten().map(|claim| &claim["metadata"]["name"]) {
        // Claims of one name are one volume.
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if !names.is_empty() {
        let of_claims = names
            .iter()
            .map(|name| json!({"name": name, "persistentVolumeClaim": {"claimName": name}}));
        let own = template["volumes"].as_array().into_iter().flatten();
        let others = own.filter(|volume| !names.contains(&&volume["name"])).cloned();
        fields.insert("volumes".to_owned(), of_claims.chain(others).collect());
    }
    Some(made)
}

const STATEFUL_SET_MAY_CHANGE: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

fn frozen(new: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let rest = |at: &At<'_>| {
        let mut fields = at.map().cloned().unwrap_or_default();
        fields.retain(|name, _| !STATEFUL_SET_MAY_CHANGE.contains(&name.as_str()));
        Value::Object(fields)
    };
    if !At::root(&rest(new)).is_as(&At::root(&rest(old))) {
        errors.push(new.forbidden(
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ));
    }
}

pub fn daemon_set(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    if let Some(old) = &old {
        selector::unchanged(&spec.at("selector"), &old.to(&["spec", "selector"]), errors);
    }
    let kind = Template { owner: "DaemonSet", bad_selector: None };
    selector_and_template(&spec, &kind, "daemonset", errors);
    spec.at("minReadySeconds").not_negative(errors);
    let update = spec.at("updateStrategy");
    let rolling = update.at("rollingUpdate");
    match update.at("type").text() {
        "OnDelete" => {}
        "RollingUpdate" => {
            let (missing, surge) = (rolling.at("maxUnavailable"), rolling.at("maxSurge"));
            count_or_share(&missing, errors);
            count_or_share(&surge, errors);
            at_most_everything(&missing, errors);
            at_most_everything(&surge, errors);
            let none = |at: &At<'_>| !at.is_set() || is_zero(at) || is_no_amount(at);
            match (none(&missing), none(&surge)) {
                (true, true) => {
                    errors.push(missing.required("cannot be 0 when maxSurge is 0"));
                }
                (false, false) => {
                    errors.push(surge.invalid("may not be set when maxUnavailable is non-zero"));
                }
                _ => {}
            }
        }
        _ => {
            let error = update.unsupported(&["RollingUpdate", "OnDelete"]);
            errors.push(error.showing(unknown_strategy(&update, BOTH)));
        }
    }
    spec.at("revisionHistoryLimit").not_negative(errors);
}
