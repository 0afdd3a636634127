//! Jobs: pods until enough have succeeded, or too many have failed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::outcome::{
    Condition, Context, LastUpdate, Outcome, Write, conditions, delete, has_condition, number,
    of_kind, print_time, remaining, set_condition, text, time,
};
use crate::template::{is_active, is_ready, phase, pod};

/// Takes the next step for a Job.
pub fn reconcile(object: &Value, owned: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    if has_condition(object, "Complete") || has_condition(object, "Failed") {
        expire(object, context, &mut outcome);
        return outcome;
    }
    let pods = of_kind(owned, "Pod");
    let in_phase = |wanted: &str| pods.iter().filter(|pod| phase(pod) == wanted).count();
    let active: Vec<&Value> = pods.iter().copied().filter(|pod| is_active(pod)).collect();
    let (succeeded, failed) = (in_phase("Succeeded"), in_phase("Failed"));
    let count = |pointer: &str, default: i64| {
        usize::try_from(number(object, pointer, default)).unwrap_or(0)
    };
    let parallelism = count("/spec/parallelism", 1);
    // No number of completions: one success is enough.
    let completions =
        object.pointer("/spec/completions").map_or(1, |_| count("/spec/completions", 1));
    let suspended = object.pointer("/spec/suspend").and_then(Value::as_bool).unwrap_or(false);
    let started = time(object, "/status/startTime");
    let late = number(object, "/spec/activeDeadlineSeconds", 0);
    let out_of_time = started.filter(|_| late > 0).is_some_and(|started| {
        let limit = Duration::from_secs(u64::try_from(late).unwrap_or(0));
        match remaining(started, limit, context.now) {
            Some(left) => {
                outcome.again(left);
                false
            }
            None => true,
        }
    });

    let mut list = conditions(object);
    let mut set = |kind: &str, reason: &str, message: &str| {
        let condition = Condition { kind, status: "True", reason, message: message.to_owned() };
        set_condition(&mut list, &condition, context.now, LastUpdate::None);
        if let Some(condition) = list.iter_mut().find(|known| text(known, "/type") == kind) {
            condition["lastProbeTime"] = print_time(context.now).into();
        }
    };
    let mut end = None;
    if succeeded >= completions {
        let message = "Reached expected number of succeeded pods";
        set("SuccessCriteriaMet", "CompletionsReached", message);
        set("Complete", "CompletionsReached", message);
        end = Some(true);
    } else if failed > count("/spec/backoffLimit", 6) {
        let message = "Job has reached the specified backoff limit";
        set("FailureTarget", "BackoffLimitExceeded", message);
        set("Failed", "BackoffLimitExceeded", message);
        end = Some(false);
    } else if out_of_time {
        let message = "Job was active longer than specified deadline";
        set("FailureTarget", "DeadlineExceeded", message);
        set("Failed", "DeadlineExceeded", message);
        end = Some(false);
    } else if suspended {
        set("Suspended", "JobSuspended", "Job suspended");
    } else if has_condition(object, "Suspended") {
        let condition = Condition {
            kind: "Suspended",
            status: "False",
            reason: "JobResumed",
            message: "Job resumed".into(),
        };
        set_condition(&mut list, &condition, context.now, LastUpdate::None);
    }

    let wanted = match end {
        Some(_) => 0,
        None if suspended => 0,
        None => parallelism.min(completions - succeeded),
    };
    for surplus in active.iter().skip(wanted) {
        outcome.write(delete(surplus));
    }
    for number in active.len()..wanted {
        outcome.write(Write::Create(new_pod(object, succeeded + failed + number)));
    }

    let running = active.len().min(wanted);
    let mut status = json!({
        "ready": active.iter().take(wanted).filter(|pod| is_ready(pod)).count(),
        "terminating": 0,
        "uncountedTerminatedPods": {},
    });
    for (field, count) in [("active", running), ("succeeded", succeeded), ("failed", failed)] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    if !list.is_empty() {
        status["conditions"] = list.into();
    }
    if !suspended {
        let since = started.unwrap_or(context.now);
        status["startTime"] = print_time(since).into();
    }
    if end == Some(true) {
        status["completionTime"] = print_time(context.now).into();
    }
    outcome.status(object, status);
    outcome
}

fn new_pod(object: &Value, number: usize) -> Value {
    let uid = manifest::uid(object);
    let name = manifest::name(object);
    let labels = [
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("controller-uid", uid),
        ("job-name", name),
    ];
    let mut made = pod(object, None, &labels);
    if text(object, "/spec/completionMode") == "Indexed" {
        let index = number.to_string();
        manifest::set_annotation(&mut made, "batch.kubernetes.io/job-completion-index", &index);
        manifest::set_label(&mut made, "batch.kubernetes.io/job-completion-index", &index);
        made["metadata"]["generateName"] = format!("{name}-{index}-").into();
    }
    made
}

fn expire(object: &Value, context: &Context<'_>, outcome: &mut Outcome) {
    let Some(seconds) = object.pointer("/spec/ttlSecondsAfterFinished").and_then(Value::as_u64)
    else {
        return;
    };
    let ended = conditions(object)
        .iter()
        .filter(|condition| matches!(text(condition, "/type"), "Complete" | "Failed"))
        .filter_map(|condition| time(condition, "/lastTransitionTime"))
        .max();
    match ended.and_then(|at| remaining(at, Duration::from_secs(seconds), context.now)) {
        Some(left) => outcome.again(left),
        None => outcome.write(delete(object)),
    }
}
