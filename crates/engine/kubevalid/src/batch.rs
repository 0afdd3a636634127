//! Jobs and CronJobs.

use manifest::field::FieldError;
use serde_json::{Value, json};

use crate::cursor::At;
use crate::names;
use crate::pod;
use crate::schedule;
use crate::selector;

const INDEXED_PARALLELISM_MAX: i64 = 100_000;
/// From so many completions on, an indexed Job has lower limits.
const MANY_COMPLETIONS: i64 = 100_000;
const OF_MANY_MAX: i64 = 10_000;
const RULES_MAX: usize = 20;
const EXIT_CODES_MAX: usize = 255;
const MANAGED_BY_BYTES_MAX: usize = 63;
const INDEXES_BYTES_MAX: usize = 64 * 1024;

/// What the younger of a Job's labels begin with.
const PREFIX: &str = "batch.kubernetes.io/";

/// Whether the pods of a Job have the younger labels.
pub fn has_prefixed_labels(job: &At<'_>) -> bool {
    let labels = job.to(&["spec", "template", "metadata", "labels"]);
    labels.entries().any(|(key, _)| key.starts_with(PREFIX))
}

/// Whether a field is one of the younger labels.
pub fn is_of_prefixed_label(field: &str) -> bool {
    field.strip_prefix("spec.template.metadata.labels[").is_some_and(|key| key.starts_with(PREFIX))
}

/// Whether a Job is suspended, and runs nothing.
fn rests(job: &At<'_>) -> bool {
    let status = job.at("status");
    let is_suspended = |condition: At<'_>| {
        condition.at("type").text() == "Suspended" && condition.at("status").text() == "True"
    };
    job.to(&["spec", "suspend"]).flag()
        && (!status.at("startTime").is_set() || status.at("conditions").items().any(is_suspended))
        && status.at("active").number().unwrap_or(0) == 0
}

/// A Job's template stays, but for where the pods of one that rests will run, how they are labelled and what
/// their containers ask for.
fn template_stays(template: &At<'_>, old_job: &At<'_>, errors: &mut Vec<FieldError>) {
    const FROZEN: &str = "field is immutable";
    let before = old_job.to(&["spec", "template"]);
    if !rests(old_job) {
        if !template.is_as(&before) {
            errors.push(template.invalid(FROZEN));
        }
        return;
    }
    let spec = template.at("spec");
    let mut allowed = before.at("spec").value.clone();
    for name in ["nodeSelector", "tolerations", "schedulingGates"] {
        allowed[name] = spec.at(name).value.clone();
    }
    allow_node_affinity(&spec.at("affinity"), &mut allowed["affinity"]);
    for list in ["containers", "initContainers"] {
        allow_resources(&spec.at(list), &mut allowed[list]);
    }
    if !spec.is_as(&At::root(&allowed)) {
        errors.push(spec.invalid(FROZEN));
    }
}

fn allow_node_affinity(affinity: &At<'_>, allowed: &mut Value) {
    const NODES: &str = "nodeAffinity";
    match (affinity.is_set(), allowed.as_object_mut()) {
        (true, _) => {
            if allowed.is_null() {
                *allowed = json!({});
            }
            allowed[NODES] = affinity.at(NODES).value.clone();
        }
        (false, Some(fields)) => {
            fields.remove(NODES);
            if fields.values().all(Value::is_null) {
                *allowed = Value::Null;
            }
        }
        (false, None) => {}
    }
}

fn allow_resources(containers: &At<'_>, allowed: &mut Value) {
    let Some(list) = allowed.as_array_mut() else { return };
    if list.len() != containers.items().count() {
        return;
    }
    for (allowed, new) in list.iter_mut().zip(containers.items()) {
        if allowed["name"] == *new.at("name").value {
            allowed["resources"] = new.at("resources").value.clone();
        }
    }
}

pub fn job(object: At<'_>, old: Option<At<'_>>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let Some(old) = old else {
        generated_selector(&object, errors);
        errors.extend(whole_spec(&spec));
        names_of_pods(&object, errors);
        return;
    };
    // An update has been looked at as a new one before.
    errors.extend(whole_spec(&spec));
    let old_job = old;
    let old = old_job.at("spec");
    let (completions, before) = (spec.at("completions"), old.at("completions"));
    if spec.at("completionMode").text() != "Indexed" {
        completions.unchanged(&before, errors);
    } else if !completions.is_as(&before)
        && completions.is_set()
        && completions.number() != spec.at("parallelism").number()
    {
        errors.push(completions.invalid("can only be modified in tandem with spec.parallelism"));
    }
    selector::unchanged(&spec.at("selector"), &old.at("selector"), errors);
    template_stays(&spec.at("template"), &old_job, errors);
    for field in
        ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"]
    {
        let (new, old) = (spec.at(field), old.at(field));
        let shown: fn(&At<'_>) -> String = match field {
            "successPolicy" => shown_success_policy,
            "podFailurePolicy" => shown_failure_policy,
            _ => {
                new.unchanged(&old, errors);
                continue;
            }
        };
        if !new.is_as(&old) {
            errors.push(new.invalid("field is immutable").showing(shown(&new)));
        }
    }
}

fn whole_spec(spec: &At<'_>) -> Vec<FieldError> {
    let mut errors = Vec::new();
    spec_of_job(spec, &mut errors);
    let chosen = spec.at("selector");
    match chosen.is_set() {
        true => selector::validate(&chosen, &mut errors),
        false => errors.push(chosen.required("")),
    }
    let labels = spec.to(&["template", "metadata", "labels"]);
    if selector::is_readable(&chosen) && !selector::matches(&chosen, labels.value) {
        errors.push(labels.invalid("`selector` does not match template `labels`"));
    }
    errors
}

/// Pods of an indexed Job are called after it, with their number.
fn names_of_pods(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let count = spec.at("completions").number().unwrap_or(0);
    if spec.at("completionMode").text() != "Indexed" || count <= 0 {
        return;
    }
    let name = object.to(&["metadata", "name"]);
    let longest = format!("{}-{}", name.text(), count - 1);
    if !names::label(&longest, false).is_empty() {
        let words = format!("will not able to create pod with invalid DNS label: {longest}");
        errors.push(FieldError::invalid(name.path.clone(), name.text(), words));
    }
}

/// The selector that the server makes itself, unless `manualSelector` says otherwise.
fn generated_selector(object: &At<'_>, errors: &mut Vec<FieldError>) {
    let spec = object.at("spec");
    let chosen = spec.at("selector");
    if spec.at("manualSelector").flag() || !chosen.is_set() {
        return;
    }
    let uid = manifest::uid(object.value);
    let name = object.to(&["metadata", "name"]).text();
    let labels = spec.to(&["template", "metadata", "labels"]);
    let wanted = [
        ("controller-uid", uid),
        ("job-name", name),
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
    ];
    for (key, value) in wanted {
        let path = format!("{}[{key}]", labels.path);
        let words = format!("must be '{value}'");
        if !labels.at(key).is_set() {
            errors.push(FieldError::required(path, &words));
        } else if labels.at(key).text() != value {
            errors.push(FieldError::invalid(path, labels.value.clone(), words));
        }
    }
    let expected: serde_json::Map<String, Value> =
        wanted.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    let is_selector = selector::is_readable(&chosen);
    if is_selector && !selector::matches(&chosen, &Value::Object(expected)) {
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
    let (failed_max, per_index) = (spec.at("maxFailedIndexes"), spec.at("backoffLimitPerIndex"));
    if failed_max.is_set() && !per_index.is_set() {
        errors.push(per_index.required("when maxFailedIndexes is specified"));
    }
    let managed = spec.at("managedBy");
    if managed.is_set() {
        names::domain_path(&managed, errors);
        if managed.text().len() > MANAGED_BY_BYTES_MAX {
            errors.push(too_long(&managed, MANAGED_BY_BYTES_MAX));
        }
    }
    let mode = spec.at("completionMode");
    mode.one_of(&["NonIndexed", "Indexed"], errors);
    if mode.text() == "Indexed" {
        let completions = spec.at("completions");
        if !completions.is_set() {
            errors.push(completions.required("when completion mode is Indexed"));
        }
        let parallelism = spec.at("parallelism");
        let count = completions.number();
        if parallelism.number().is_some_and(|count| count > INDEXED_PARALLELISM_MAX) {
            errors.push(parallelism.invalid(format!(
                "must be less than or equal to {INDEXED_PARALLELISM_MAX} when completion mode is Indexed"
            )));
        }
        if let (Some(count), Some(failed)) = (count, failed_max.number())
            && failed > count
        {
            errors.push(failed_max.invalid("must be less than or equal to completions"));
        }
        if failed_max.number().is_some_and(|failed| failed > INDEXED_PARALLELISM_MAX) {
            let words = format!("must be less than or equal to {INDEXED_PARALLELISM_MAX}");
            errors.push(failed_max.invalid(words));
        }
        if count.is_some_and(|count| count > MANY_COMPLETIONS) && per_index.is_set() {
            if !failed_max.is_set() {
                let words =
                    format!("must be specified when completions is above {MANY_COMPLETIONS}");
                errors.push(failed_max.required(&words));
            }
            for at in [&parallelism, &failed_max] {
                if at.number().is_some_and(|number| number > OF_MANY_MAX) {
                    errors.push(at.invalid(format!(
                        "must be less than or equal to {OF_MANY_MAX} when completions are above {MANY_COMPLETIONS} and used with backoff limit per index"
                    )));
                }
            }
        }
    } else if matches!(mode.text(), "" | "NonIndexed") {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if spec.at(field).is_set() {
                errors.push(spec.at(field).invalid("requires indexed completion mode"));
            }
        }
    }
    failure_policy(spec, errors);
    let success = spec.at("successPolicy");
    if success.is_set() && mode.text() != "Indexed" {
        let shown = shown_success_policy(&success);
        errors.push(success.invalid("requires indexed completion mode").showing(shown));
    } else if success.is_set() {
        success_policy(spec, &success, errors);
    }
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
    too_many(&rules, RULES_MAX, errors);
    let mut containers = Vec::new();
    for list in ["containers", "initContainers"] {
        let of_template = spec.to(&["template", "spec", list]);
        containers.extend(of_template.items().map(|container| container.at("name").text()));
    }
    for rule in rules.items() {
        let action = rule.at("action");
        match action.text() {
            "" => errors.push(
                action.required("valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]"),
            ),
            "FailIndex" if !spec.at("backoffLimitPerIndex").is_set() => {
                errors.push(action.invalid("requires the backoffLimitPerIndex to be set"));
            }
            "Count" | "FailJob" | "Ignore" | "FailIndex" => {}
            _ => errors.push(action.unsupported(&["Count", "FailIndex", "FailJob", "Ignore"])),
        }
        let (codes, conditions) = (rule.at("onExitCodes"), rule.at("onPodConditions"));
        if codes.is_set() {
            exit_codes(&codes, &containers, errors);
        }
        too_many(&conditions, RULES_MAX, errors);
        for pattern in conditions.items() {
            let (kind, status) = (pattern.at("type"), pattern.at("status"));
            for words in names::qualified(kind.text()) {
                errors.push(FieldError::invalid(kind.path.clone(), kind.text(), words));
            }
            if status.is_empty() {
                errors.push(status.required("valid values: [\"False\" \"True\" \"Unknown\"]"));
            } else {
                status.one_of(&["False", "True", "Unknown"], errors);
            }
        }
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
    }
}

fn exit_codes(codes: &At<'_>, containers: &[&str], errors: &mut Vec<FieldError>) {
    let (operator, values) = (codes.at("operator"), codes.at("values"));
    if operator.is_empty() {
        errors.push(operator.required("valid values: [\"In\" \"NotIn\"]"));
    } else {
        operator.one_of(&["In", "NotIn"], errors);
    }
    let container = codes.at("containerName");
    if container.is_set() && !containers.contains(&container.text()) {
        errors
            .push(container.invalid(
                "must be one of the container or initContainer names in the pod template",
            ));
    }
    if values.is_empty() {
        errors.push(values.invalid("at least one value is required"));
    }
    too_many(&values, EXIT_CODES_MAX, errors);
    let mut seen: Vec<i64> = Vec::new();
    for one in values.items() {
        let code = one.number().unwrap_or(0);
        if operator.text() == "In" && code == 0 {
            errors.push(one.invalid("must not be 0 for the In operator"));
        }
        if seen.contains(&code) {
            errors.push(one.duplicate());
        }
        seen.push(code);
    }
    if seen.windows(2).any(|pair| pair[0] > pair[1]) {
        errors.push(values.invalid("must be ordered"));
    }
}

fn success_policy(spec: &At<'_>, policy: &At<'_>, errors: &mut Vec<FieldError>) {
    let rules = policy.at("rules");
    if rules.is_empty() {
        let words = "at least one rules must be specified when the successPolicy is specified";
        errors.push(rules.required(words));
    }
    too_many(&rules, RULES_MAX, errors);
    let completions = spec.at("completions").number().unwrap_or(0);
    for rule in rules.items() {
        let (count, indexes) = (rule.at("succeededCount"), rule.at("succeededIndexes"));
        if !count.is_set() && !indexes.is_set() {
            let words = "at least one of succeededCount or succeededIndexes must be specified";
            errors.push(rule.required(words));
        }
        let mut total = 0;
        if indexes.is_set() {
            if indexes.text().len() > INDEXES_BYTES_MAX {
                errors.push(too_long(&indexes, INDEXES_BYTES_MAX));
            }
            match indexes_in(indexes.text(), completions) {
                Ok(found) => total = found,
                Err(words) => {
                    let words = format!("error parsing succeededIndexes: {words}");
                    errors.push(indexes.invalid(words));
                }
            }
        }
        let Some(wanted) = count.number() else { continue };
        count.not_negative(errors);
        if wanted > completions {
            errors.push(count.invalid(format!(
                "must be less than or equal to {completions} (the number of specified completions)"
            )));
        }
        if indexes.is_set() && wanted > total {
            errors.push(count.invalid(format!(
                "must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            )));
        }
    }
}

/// Counts the indexes in a text such as `0,2-4`.
pub fn indexes_in(text: &str, completions: i64) -> Result<i64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let mut last: Option<i64> = None;
    let mut total = 0;
    for interval in text.split(',') {
        let (from, to) = index_interval(interval, completions)?;
        if let Some(last) = last.filter(|last| *last >= from) {
            return Err(format!("non-increasing order, previous: {last}, current: {from}"));
        }
        total += to - from + 1;
        last = Some(to);
    }
    Ok(total)
}

/// Reads one index, or the first and the last of several (`2-4`).
pub fn index_interval(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let limits: Vec<&str> = interval.split('-').collect();
    if limits.len() > 2 {
        return Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
            manifest::field::quote(interval)
        ));
    }
    let number = |text: &str| {
        text.parse::<i64>().map_err(|_| {
            format!("cannot convert string to integer for index: {}", manifest::field::quote(text))
        })
    };
    let within = |index: i64, text: &str| match index >= completions {
        true => Err(format!("too large index: {}", manifest::field::quote(text))),
        false => Ok(index),
    };
    let from = within(number(limits[0])?, limits[0])?;
    let to = match limits.get(1) {
        Some(text) => within(number(text)?, text)?,
        None => from,
    };
    if limits.len() > 1 && from >= to {
        return Err(format!("non-increasing order, previous: {from}, current: {to}"));
    }
    Ok((from, to))
}

/// A success policy as Go prints it.
fn shown_success_policy(policy: &At<'_>) -> String {
    shown_rules(policy, |rule| {
        let (indexes, count) = (rule.at("succeededIndexes"), rule.at("succeededCount"));
        format!("{{\"SucceededIndexes\":{},\"SucceededCount\":{}}}", indexes.value, count.value)
    })
}

fn shown_failure_policy(policy: &At<'_>) -> String {
    shown_rules(policy, |rule| {
        let text = |at: &At<'_>| json!(at.text()).to_string();
        let codes = rule.at("onExitCodes");
        let shown_codes = match codes.is_set() {
            true => format!(
                "{{\"ContainerName\":{},\"Operator\":{},\"Values\":{}}}",
                codes.at("containerName").value,
                text(&codes.at("operator")),
                codes.at("values").value
            ),
            false => "null".to_owned(),
        };
        let conditions = shown_list(&rule.at("onPodConditions"), |condition| {
            let (kind, status) = (condition.at("type"), condition.at("status"));
            format!("{{\"Type\":{},\"Status\":{}}}", text(&kind), text(&status))
        });
        format!(
            "{{\"Action\":{},\"OnExitCodes\":{shown_codes},\"OnPodConditions\":{conditions}}}",
            text(&rule.at("action"))
        )
    })
}

/// A policy as Go prints the server's own.
fn shown_rules(policy: &At<'_>, shown: impl Fn(&At<'_>) -> String) -> String {
    match policy.is_set() {
        true => format!("{{\"Rules\":{}}}", shown_list(&policy.at("rules"), shown)),
        false => "null".to_owned(),
    }
}

fn shown_list(list: &At<'_>, shown: impl Fn(&At<'_>) -> String) -> String {
    match list.is_set() {
        true => {
            let items: Vec<String> = list.items().map(|item| shown(&item)).collect();
            format!("[{}]", items.join(","))
        }
        false => "null".to_owned(),
    }
}

fn too_many(at: &At<'_>, most: usize, errors: &mut Vec<FieldError>) {
    let count = at.items().count();
    if count > most {
        errors.push(FieldError::too_many(at.path.clone(), count as u64, most as u64));
    }
}

fn too_long(at: &At<'_>, most: usize) -> FieldError {
    let mut error = FieldError::too_long("", most as u64);
    error.field = at.path.clone();
    error
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
            // The one name that stands for wherever the server is.
            let is_here = zone.text() == "Local";
            if !is_here && jiff::tz::TimeZone::get(zone.text()).is_err() {
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
    let chosen = job.at("selector");
    let mut own = Vec::new();
    if chosen.is_set() {
        own.push(
            chosen.invalid("`selector` will be auto-generated").showing(selector::shown(&chosen)),
        );
    }
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
