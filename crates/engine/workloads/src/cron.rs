//! CronJobs: a Job each time that the schedule names.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde_json::{Value, json};

use crate::outcome::{
    Context, Outcome, Write, controlled_by, delete, has_condition, number, of_kind, print_time,
    text, time,
};

/// How far ahead a time that fits is looked for, in days; a schedule such as 30 February has none.
const HORIZON_DAYS: u32 = 366 * 5;

/// Takes the next step for a CronJob.
pub fn reconcile(object: &Value, owned: &[Arc<Value>], context: &Context<'_>) -> Outcome {
    let mut outcome = Outcome::default();
    let jobs = of_kind(owned, "Job");
    let running: Vec<&Value> = jobs.iter().copied().filter(|job| !is_finished(job)).collect();
    trim_history(object, &jobs, &mut outcome);

    let mut last = time(object, "/status/lastScheduleTime");
    let suspended = object.pointer("/spec/suspend").and_then(Value::as_bool).unwrap_or(false);
    let zone = match text(object, "/spec/timeZone") {
        "" => Some(TimeZone::UTC),
        name => TimeZone::get(name).ok(),
    };
    if let (false, Some(zone), Some(schedule)) =
        (suspended, zone, Schedule::parse(text(object, "/spec/schedule")))
    {
        let since = last.or_else(|| time(object, "/metadata/creationTimestamp"));
        let since = since.unwrap_or(context.now);
        let mut due = None;
        let mut next = schedule.after(since, &zone);
        while let Some(at) = next.filter(|at| *at <= context.now) {
            due = Some(at);
            next = schedule.after(at, &zone);
        }
        if let Some(at) = due {
            let policy = text(object, "/spec/concurrencyPolicy");
            let may_start = policy != "Forbid" || running.is_empty();
            if may_start {
                if policy == "Replace" {
                    running.iter().for_each(|job| outcome.write(delete(job)));
                }
                outcome.write(Write::Create(new_job(object, at)));
                last = Some(at);
            }
        }
        if let Some(next) = next {
            outcome.again(Duration::try_from(next.duration_since(context.now)).unwrap_or_default());
        }
    }

    let mut status = json!({});
    if !running.is_empty() {
        status["active"] = running
            .iter()
            .map(|job| {
                json!({
                    "apiVersion": "batch/v1",
                    "kind": "Job",
                    "namespace": manifest::namespace(job),
                    "name": manifest::name(job),
                    "uid": manifest::uid(job),
                    "resourceVersion": manifest::resource_version(job),
                })
            })
            .collect();
    }
    if let Some(last) = last {
        status["lastScheduleTime"] = print_time(last).into();
    }
    let succeeded = jobs.iter().filter_map(|job| time(job, "/status/completionTime")).max();
    if let Some(at) = succeeded.or_else(|| time(object, "/status/lastSuccessfulTime")) {
        status["lastSuccessfulTime"] = print_time(at).into();
    }
    outcome.status(object, status);
    outcome
}

fn is_finished(job: &Value) -> bool {
    has_condition(job, "Complete") || has_condition(job, "Failed")
}

fn new_job(object: &Value, at: Timestamp) -> Value {
    let template = &object["spec"]["jobTemplate"];
    let mut job = json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": format!("{}-{}", manifest::name(object), at.as_second() / 60),
            "namespace": manifest::namespace(object),
            "ownerReferences": controlled_by(object),
            "annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": print_time(at)},
        },
        "spec": template["spec"],
    });
    let annotations = template.pointer("/metadata/annotations").and_then(Value::as_object);
    for (key, value) in annotations.into_iter().flatten() {
        manifest::set_annotation(&mut job, key, value.as_str().unwrap_or(""));
    }
    if let Some(labels) = template.pointer("/metadata/labels") {
        job["metadata"]["labels"] = labels.clone();
    }
    job
}

fn trim_history(object: &Value, jobs: &[&Value], outcome: &mut Outcome) {
    for (condition, field, default) in
        [("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)]
    {
        let limit = number(object, &format!("/spec/{field}"), default);
        let mut ended: Vec<&&Value> =
            jobs.iter().filter(|job| has_condition(job, condition)).collect();
        ended.sort_by_key(|job| time(job, "/status/startTime"));
        let surplus = ended.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        ended.iter().take(surplus).for_each(|job| outcome.write(delete(job)));
    }
}

/// A schedule of five fields: minute, hour, day of the month, month, day of the week.
struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// A field written as `*` leaves the choice of the day to the other one.
    any_day: bool,
    any_weekday: bool,
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    fn parse(text: &str) -> Option<Self> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields.as_slice() else { return None };
        let weekday_bits = bits(weekdays, 0, 7, &WEEKDAYS, 0)?;
        Some(Self {
            minutes: bits(minutes, 0, 59, &[], 0)?,
            hours: bits(hours, 0, 23, &[], 0)?,
            days: bits(days, 1, 31, &[], 0)?,
            months: bits(months, 1, 12, &MONTHS, 1)?,
            // 7 is Sunday as well.
            weekdays: (weekday_bits | (weekday_bits >> 7)) & 0x7f,
            any_day: matches!(days.chars().next(), Some('*' | '?')),
            any_weekday: matches!(weekdays.chars().next(), Some('*' | '?')),
        })
    }

    /// The first time after `since` that fits.
    fn after(&self, since: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let start = since.to_zoned(zone.clone()).checked_add(1.minute()).ok()?;
        let mut day = start.start_of_day().ok()?;
        for _ in 0..HORIZON_DAYS {
            if self.fits_day(&day) {
                for hour in (0..24_i8).filter(|hour| self.hours >> hour & 1 == 1) {
                    for minute in (0..60_i8).filter(|minute| self.minutes >> minute & 1 == 1) {
                        let at = day.date().at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?;
                        if at.timestamp() > since && at >= start.start_of_day().ok()? {
                            return Some(at.timestamp());
                        }
                    }
                }
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn fits_day(&self, day: &Zoned) -> bool {
        let in_month = self.days >> day.day() & 1 == 1;
        let in_week = self.weekdays >> day.weekday().to_sunday_zero_offset() & 1 == 1;
        let fits = match (self.any_day, self.any_weekday) {
            (false, false) => in_month || in_week,
            _ => in_month && in_week,
        };
        fits && self.months >> day.month() & 1 == 1
    }
}

/// Reads one field into a set of bits: lists, ranges, steps and names.
fn bits(field: &str, low: u32, high: u32, names: &[&str], first: u32) -> Option<u64> {
    let value = |text: &str| -> Option<u32> {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        match named {
            Some(at) => Some(u32::try_from(at).ok()? + first),
            None => text.parse().ok(),
        }
        .filter(|value| (low..=high).contains(value))
    };
    let mut set = 0_u64;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*" | "?", _) => (low, high),
            (_, Some((from, to))) => (value(from)?, value(to)?),
            (one, None) if part.contains('/') => (value(one)?, high),
            (one, None) => (value(one)?, value(one)?),
        };
        if from > to {
            return None;
        }
        (from..=to).step_by(usize::try_from(step).ok()?).for_each(|bit| set |= 1 << bit);
    }
    Some(set)
}
