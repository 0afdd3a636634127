//! What may be said of a Job. Rules about what did not change are not asked: a controller mends that later.

use std::collections::BTreeSet;

use manifest::field::FieldError;
use serde_json::Value;

use crate::batch::{index_interval, indexes_in};
use crate::cursor::At;

/// Names what is wrong with a Job's status.
pub fn validate(job: &At<'_>, old: &At<'_>, errors: &mut Vec<FieldError>) {
    let (spec, status, before) = (job.at("spec"), job.at("status"), old.at("status"));
    let (is, was) = (Told::of(&status), Told::of(&before));
    let changed = |field: &str| !status.at(field).is_as(&before.at(field));
    for field in ["active", "succeeded", "failed", "ready", "terminating"] {
        status.at(field).not_negative(errors);
    }
    uncounted(&status.at("uncountedTerminatedPods"), errors);
    let mut conditions = |refused: bool, words: &str| {
        if refused {
            errors.push(of_conditions(&status, words));
        }
    };
    let (complete_changed, failed_changed) = (is.complete != was.complete, is.failed != was.failed);
    conditions(
        (complete_changed || failed_changed) && is.complete && is.failed,
        "cannot set Complete=True and Failed=true conditions",
    );
    conditions(
        (complete_changed || is.failing != was.failing) && is.complete && is.failing,
        "cannot set Complete=True and FailureTarget=true conditions",
    );
    times(&status, &before, complete_changed, is.complete, errors);
    let mut conditions = |refused: bool, words: &str| {
        if refused {
            errors.push(of_conditions(&status, words));
        }
    };
    conditions(
        (failed_changed || changed("failedIndexes")) && is.failed && !is.failing,
        "cannot set Failed=True condition without the FailureTarget=true condition",
    );
    conditions(
        (complete_changed || is.succeeding != was.succeeding) && is.complete && !is.succeeding,
        "cannot set Complete=True condition without the SuccessCriteriaMet=true condition",
    );
    finished(&spec, &status, &before, errors);
    indexes(&spec, &status, &before, errors);
    let finish_changed = is.finished() != was.finished();
    let terminating = status.at("terminating");
    if (finish_changed || changed("terminating"))
        && terminating.number().is_some_and(|count| count > 0)
        && is.finished()
    {
        errors.push(terminating.invalid("terminating>0 is invalid for finished job"));
    }
    let (ready, active) = (status.at("ready"), status.at("active").number().unwrap_or(0));
    if (changed("ready") || count(&status, "active") != count(&before, "active"))
        && ready.number().is_some_and(|ready| ready > active)
    {
        errors.push(ready.invalid("cannot set more ready pods than active"));
    }
    let mut conditions = |refused: bool, words: &str| {
        if refused {
            errors.push(of_conditions(&status, words));
        }
    };
    conditions(
        is.succeeding && is.failed,
        "cannot set SuccessCriteriaMet=True and Failed=true conditions",
    );
    conditions(
        is.succeeding && is.failing,
        "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions",
    );
    conditions(
        spec.at("successPolicy").is_set() && !is.succeeding && is.complete,
        "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True",
    );
    against(&spec, &status, &before, &is, &was, errors);
}

fn of_conditions(status: &At<'_>, words: &str) -> FieldError {
    let mut error = FieldError::invalid(status.child("conditions"), Value::Null, words);
    error.value = None;
    error
}

fn count(status: &At<'_>, field: &str) -> i64 {
    status.at(field).number().unwrap_or(0)
}

/// What a status says became of a Job.
struct Told {
    complete: bool,
    failed: bool,
    failing: bool,
    succeeding: bool,
}

impl Told {
    fn of(status: &At<'_>) -> Told {
        let is = |kind: &str| holds(status, kind, "True");
        Told {
            complete: is("Complete"),
            failed: is("Failed"),
            failing: is("FailureTarget"),
            succeeding: is("SuccessCriteriaMet"),
        }
    }

    fn finished(&self) -> bool {
        self.complete || self.failed
    }
}

fn holds(status: &At<'_>, kind: &str, value: &str) -> bool {
    status
        .at("conditions")
        .items()
        .any(|one| one.at("type").text() == kind && one.at("status").text() == value)
}

fn uncounted(pods: &At<'_>, errors: &mut Vec<FieldError>) {
    let mut seen = BTreeSet::new();
    for list in ["succeeded", "failed"] {
        for uid in pods.at(list).items() {
            if uid.is_empty() {
                errors.push(uid.invalid("must not be empty"));
            } else if !seen.insert(uid.text()) {
                errors.push(uid.duplicate());
            }
        }
    }
}

/// When a Job began and ended. Times are texts of one form, which sort as they follow each other.
fn times(
    status: &At<'_>,
    before: &At<'_>,
    complete_changed: bool,
    complete: bool,
    errors: &mut Vec<FieldError>,
) {
    let (start, end) = (status.at("startTime"), status.at("completionTime"));
    let end_changed = !end.is_as(&before.at("completionTime"));
    if complete_changed || end_changed {
        if end.is_set() && !complete {
            errors.push(
                end.invalid("cannot set completionTime when there is no Complete=True condition"),
            );
        }
        if !end.is_set() && complete {
            errors.push(end.required("completionTime is required for Complete jobs"));
        }
    }
    let start_changed = !start.is_as(&before.at("startTime"));
    if (start_changed || end_changed) && start.is_set() && end.is_set() && end.text() < start.text()
    {
        errors.push(end.invalid("must be equal to or after `startTime`"));
    }
}

fn finished(spec: &At<'_>, status: &At<'_>, before: &At<'_>, errors: &mut Vec<FieldError>) {
    let is_finished = Told::of(status).finished();
    let changed = is_finished != Told::of(before).finished();
    if !is_finished {
        return;
    }
    let (active, start) = (status.at("active"), status.at("startTime"));
    if (changed || count(status, "active") != count(before, "active"))
        && count(status, "active") > 0
    {
        errors.push(active.invalid("active>0 is invalid for finished job"));
    }
    let empty = spec.at("suspend").flag() && spec.at("completions").number() == Some(0);
    if (changed || !start.is_as(&before.at("startTime"))) && !empty && !start.is_set() {
        errors.push(start.required("startTime is required for finished job"));
    }
    let pods = status.at("uncountedTerminatedPods");
    let some = !pods.at("succeeded").is_empty() || !pods.at("failed").is_empty();
    if (changed || !pods.is_as(&before.at("uncountedTerminatedPods"))) && some {
        let shown = format!(
            "{{\"Succeeded\":{},\"Failed\":{}}}",
            pods.at("succeeded").value,
            pods.at("failed").value
        );
        errors.push(pods.invalid("must be empty for finished job").showing(shown));
    }
}

fn indexes(spec: &At<'_>, status: &At<'_>, before: &At<'_>, errors: &mut Vec<FieldError>) {
    let (done, failed) = (status.at("completedIndexes"), status.at("failedIndexes"));
    let done_changed = done.text() != before.at("completedIndexes").text();
    let failed_changed = !failed.is_as(&before.at("failedIndexes"));
    let completions = spec.at("completions").number();
    let per_index = spec.at("backoffLimitPerIndex").is_set();
    if let (true, Some(completions)) = (done_changed, completions)
        && let Err(why) = indexes_in(done.text(), completions)
    {
        errors.push(done.invalid(format!("error parsing completedIndexes: {why}")));
    }
    if let (true, true, Some(completions)) =
        (failed_changed && failed.is_set(), per_index, completions)
        && let Err(why) = indexes_in(failed.text(), completions)
    {
        errors.push(failed.invalid(format!("error parsing failedIndexes: {why}")));
    }
    if done_changed && !done.is_empty() && spec.at("completionMode").text() != "Indexed" {
        let words = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.push(done.invalid(words));
    }
    if failed_changed && failed.is_set() && !per_index {
        let words = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.push(failed.invalid(words));
    }
    if let (true, true, Some(completions)) =
        (failed_changed || done_changed, failed.is_set(), completions)
        && let Some(at) = overlap(done.text(), failed.text(), completions)
    {
        let words = format!("failedIndexes and completedIndexes overlap at index: {at}");
        errors.push(failed.invalid(words));
    }
}

/// The first index that is both done and failed; what cannot be read is left out.
fn overlap(done: &str, failed: &str, completions: i64) -> Option<i64> {
    let intervals = |text: &str| -> Vec<(i64, i64)> {
        text.split(',').filter_map(|one| index_interval(one, completions).ok()).collect()
    };
    let failed = intervals(failed);
    let overlaps = intervals(done).into_iter().flat_map(|(from, to)| {
        let both = |(other_from, other_to): &(i64, i64)| from <= *other_to && *other_from <= to;
        let shared: Vec<i64> =
            failed.iter().filter(|other| both(other)).map(|other| from.max(other.0)).collect();
        shared
    });
    overlaps.min()
}

/// What may not be taken back.
fn against(
    spec: &At<'_>,
    status: &At<'_>,
    before: &At<'_>,
    is: &Told,
    was: &Told,
    errors: &mut Vec<FieldError>,
) {
    for (name, now, then) in [
        ("Failed", is.failed, was.failed),
        ("Complete", is.complete, was.complete),
        ("FailureTarget", is.failing, was.failing),
    ] {
        if then && !now {
            let words = format!("cannot disable the terminal {name}=True condition");
            errors.push(of_conditions(status, &words));
        }
    }
    let scales = spec.at("completionMode").text() == "Indexed"
        && spec.at("completions").number() == spec.at("parallelism").number();
    for (field, words, asked) in [
        ("failed", "cannot decrease the failed counter", true),
        ("succeeded", "cannot decrease the succeeded counter", !scales),
    ] {
        if asked && count(status, field) < count(before, field) {
            let now = count(status, field);
            errors.push(FieldError::invalid(status.child(field), now, words));
        }
    }
    let (end, ended) = (status.at("completionTime"), before.at("completionTime"));
    if end.is_set() && ended.is_set() && !end.is_as(&ended) {
        errors.push(end.invalid("field is immutable"));
    }
    let (start, started) = (status.at("startTime"), before.at("startTime"));
    let resumed = holds(before, "Suspended", "True") && holds(status, "Suspended", "False");
    if started.is_set() && !resumed && !start.is_as(&started) && !spec.at("suspend").flag() {
        errors.push(start.invalid("field is immutable for unsuspended job once set"));
    }
    if was.succeeding && !is.succeeding {
        errors.push(of_conditions(status, "cannot disable the SuccessCriteriaMet=True condition"));
    }
    if was.complete && !was.succeeding && is.succeeding {
        errors.push(of_conditions(
            status,
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions",
        ));
    }
}
