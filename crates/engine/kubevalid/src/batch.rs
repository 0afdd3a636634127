//! Jobs and CronJobs.

use manifest::field::FieldError;
use serde_json::json;

use crate::cursor::At;
use crate::names;
use crate::pod;
use crate::schedule;
use crate::selector;

const INDEXED_PARALLELISM_MAX: i64 = 100_000;

pub fn job(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    generated_selector(&object, errors);
    errors.extend(whole_spec(&spec));
    let Some(old) = old else { return };
    // An update is looked at as a new one first, and then as what it is.
    errors.extend(whole_spec(&spec));
    let old = old.at("spec");
    let indexed = spec.at("completionMode").text() == "Indexed";
    if !indexed {
        spec.at("completions").unchanged(&old.at("completions"), errors);
    }
    spec.at("selector").unchanged(&old.at("selector"), errors);
    let suspended = old.at("suspend").flag();
    let (mut new_template, mut old_template) =
        (spec.at("template").value.clone(), old.at("template").value.clone());
    if suspended {
        // The scheduling directives of a Job that has not started may change.
        for template in [&mut new_template, &mut old_template] {
            for pointer in ["/spec", "/metadata"] {
                if let Some(fields) =
                    template.pointer_mut(pointer).and_then(|at| at.as_object_mut())
                {
                    for name in [
                        "affinity",
                        "nodeSelector",
                        "tolerations",
                        "schedulingGates",
                        "labels",
                        "annotations",
                    ] {
                        fields.remove(name);
                    }
                }
            }
        }
    }
    if new_template != old_template {
        let at = spec.at("template");
        errors.push(FieldError::invalid(at.path.clone(), new_template, "field is immutable"));
    }
    for field in
        ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"]
    {
        spec.at(field).unchanged(&old.at(field), errors);
    }
}

fn whole_spec(spec: &At<'_>) -> Vec<FieldError> {
    let mut found = Vec::new();
    let errors = &mut found;
    spec_of_job(spec, errors);
    let chosen = spec.at("selector");
    if !chosen.is_set() {
        errors.insert(first_after_meta(errors, spec), chosen.required(""));
    } else {
        selector::validate(&chosen, errors);
    }
    let labels = spec.to(&["template", "metadata", "labels"]);
    if !selector::matches(&chosen, labels.value) {
        let at = errors.iter().position(|error| error.field.starts_with("spec.template"));
        let error = labels.invalid("`selector` does not match template `labels`");
        match at {
            Some(at) => errors.insert(at, error),
            None => errors.push(error),
        }
    }
    found
}

fn first_after_meta(errors: &[FieldError], spec: &At<'_>) -> usize {
    errors.iter().position(|error| error.field.starts_with(&spec.path)).unwrap_or(errors.len())
}

/// The selector that the server makes itself, unless `manualSelector` says otherwise.
fn generated_selector(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    if spec.at("manualSelector").flag() {
        return;
    }
    let uid = manifest::uid(object.value);
    let chosen = spec.at("selector");
    let key = "batch.kubernetes.io/controller-uid";
    let old_key = "controller-uid";
    let labels = chosen.at("matchLabels");
    let only = |key: &str| {
        chosen.at("matchExpressions").is_empty()
            && labels.map().is_some_and(|labels| labels.len() == 1)
            && labels.at(key).text() == uid
    };
    if chosen.is_set() && !only(key) && !only(old_key) {
        errors.push(
            chosen.invalid("`selector` not auto-generated").showing(selector::shown(&chosen)),
        );
    }
}

/// A Job's spec, wherever it stands.
fn spec_of_job(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        spec.at(field).not_negative(errors);
    }
    let managed = spec.at("managedBy");
    if managed.is_set() {
        managed.named(names::domain_path(managed.text()), errors);
    }
    let mode = spec.at("completionMode");
    mode.one_of(&["NonIndexed", "Indexed"], errors);
    if mode.text() == "Indexed" {
        let completions = spec.at("completions");
        if !completions.is_set() {
            errors.push(completions.required("when completion mode is Indexed"));
        }
        let parallelism = spec.at("parallelism");
        if parallelism.number().is_some_and(|count| count > INDEXED_PARALLELISM_MAX) {
            errors.push(parallelism.invalid(format!(
                "must be less than or equal to {INDEXED_PARALLELISM_MAX} when completion mode is Indexed"
            )));
        }
    } else {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if spec.at(field).is_set() {
                errors.push(spec.at(field).invalid("requires indexed completion mode"));
            }
        }
        if spec.at("successPolicy").is_set() {
            errors.push(spec.at("successPolicy").invalid("requires indexed completion mode"));
        }
    }
    failure_policy(spec, errors);
    let replacement = spec.at("podReplacementPolicy");
    let known: &[&str] = match spec.at("podFailurePolicy").is_set() {
        true => &["Failed"],
        false => &["Failed", "TerminatingOrFailed"],
    };
    replacement.one_of(known, errors);
    pod::template(&spec.at("template"), errors);
    let restart = spec.to(&["template", "spec", "restartPolicy"]);
    if matches!(restart.text(), "" | "Always") {
        errors.push(restart.required(r#"valid values: "OnFailure", "Never""#));
    } else if !matches!(restart.text(), "OnFailure" | "Never") {
        errors.push(restart.unsupported(&["OnFailure", "Never"]));
    } else if spec.at("podFailurePolicy").is_set() && restart.text() != "Never" {
        errors.push(
            restart.invalid("only \"Never\" is supported when podFailurePolicy is specified"),
        );
    }
}

fn failure_policy(spec: &At<'_>, errors: &mut Vec<FieldError>) {
    let rules = spec.to(&["podFailurePolicy", "rules"]);
    for rule in rules.items() {
        let action = rule.at("action");
        match action.text() {
            "" => errors.push(
                action.required("valid values: \"Count\", \"FailIndex\", \"FailJob\", \"Ignore\""),
            ),
            "Count" | "FailJob" | "Ignore" | "FailIndex" => {}
            _ => errors.push(action.unsupported(&["Count", "FailIndex", "FailJob", "Ignore"])),
        }
        let (codes, conditions) = (rule.at("onExitCodes"), rule.at("onPodConditions"));
        match (codes.is_set(), conditions.is_empty()) {
            (true, false) => errors.push(bare_invalid(
                &rule,
                "specifying both OnExitCodes and OnPodConditions is not supported",
            )),
            (false, true) => errors.push(bare_invalid(
                &rule,
                "specifying one of OnExitCodes and OnPodConditions is required",
            )),
            _ => {}
        }
        if codes.is_set() {
            codes.at("operator").one_of(&["In", "NotIn"], errors);
            if codes.at("values").is_empty() {
                errors.push(codes.at("values").required("at least one value is required"));
            }
        }
    }
}

/// An error that shows no value.
fn bare_invalid(at: &At<'_>, words: &str) -> FieldError {
    let mut error = at.invalid(words);
    error.value = None;
    error
}

pub fn cron_job(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    cron_job_itself(&object, errors);
    let name = object.to(&["metadata", "name"]);
    // The Jobs' names, which are longer, have to fit.
    if old.is_none() && name.text().len() > 52 {
        errors.push(name.invalid("must be no more than 52 characters"));
    }
}

fn cron_job_itself(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let when = spec.at("schedule");
    let zone = spec.at("timeZone");
    if when.is_empty() {
        errors.push(when.required(""));
    } else if when.text().contains("TZ") {
        errors
            .push(when.invalid("cannot use TZ or CRON_TZ in schedule, use timeZone field instead"));
    } else if let Err(words) = schedule::check(when.text()) {
        errors.push(when.invalid(words));
    }
    if zone.is_set() {
        if zone.is_empty() {
            errors.push(zone.invalid("timeZone must be nil or non-empty string"));
        } else {
            if zone.text().eq_ignore_ascii_case("local") {
                errors.push(zone.invalid("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"));
            }
            if jiff::tz::TimeZone::get(zone.text()).is_err() {
                errors.push(zone.invalid(format!("unknown time zone {}", zone.text())));
            }
        }
    }
    spec.at("startingDeadlineSeconds").not_negative(errors);
    let policy = spec.at("concurrencyPolicy");
    if policy.is_empty() {
        errors.push(policy.required(""));
    } else {
        policy.one_of(&["Allow", "Forbid", "Replace"], errors);
    }
    let job = spec.to(&["jobTemplate", "spec"]);
    let mut own = Vec::new();
    if job.at("manualSelector").flag() {
        let mut error = job.at("manualSelector").unsupported(&["nil", "false"]);
        error.value = Some(json!(true));
        own.push(error);
    }
    let mut of_job = Vec::new();
    spec_of_job(&job, &mut of_job);
    errors.extend(of_job);
    errors.extend(own);
    spec.at("successfulJobsHistoryLimit").not_negative(errors);
    spec.at("failedJobsHistoryLimit").not_negative(errors);
}
