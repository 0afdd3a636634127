//! The form in which most rules are written: steps, of which the first that fits answers.
//!
//! What a controller reports is nearly always a condition, a phase or a generation. A rule is
//! then data: "where `Ready` is False, it is Degraded, in the words of the condition". What does
//! not fit the form is code beside the data, in the same file.

use crd::HealthStatusCode;
use serde_json::Value;

use crate::assess::Health;
use crate::object::{condition, conditions, lookup, stale, text, word};

/// When a step answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// The first condition of this type has this status.
    Is(&'static str, &'static str),
    /// The first condition of this type has a status, whatever it is.
    Reports(&'static str),
    /// The first condition of this type has one of these reasons, and this status.
    Because(&'static str, &'static str, &'static [&'static str]),
    /// What stands at the JSON pointer is one of these words.
    At(&'static str, &'static [&'static str]),
    /// Something stands at the JSON pointer: not null, `""`, `[]` or `{}`.
    Present(&'static str),
    /// Nothing stands at the JSON pointer.
    Absent(&'static str),
    /// `status.observedGeneration` is there, and is not the object's generation.
    Stale,
    /// Always.
    Otherwise,
}

/// When, how the object then is, and why in words for people.
///
/// The words may hold `{kind}`, `{value}` (what [`When::At`] met), `{message}`, `{reason}` (of
/// the condition that was met) and any JSON pointer, as in `{/status/phase}`.
pub(crate) type Step = (When, Verdict, &'static str);

/// How an object is: [`HealthStatusCode`], as it stands in tables.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verdict {
    /// It runs as it should.
    Healthy,
    /// Somebody stopped it on purpose.
    Suspended,
    /// It may still become well by itself.
    Progressing,
    /// What it stands for is not there.
    Missing,
    /// It failed.
    Degraded,
    /// It cannot be told.
    Unknown,
}

impl From<Verdict> for HealthStatusCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Healthy => Self::Healthy,
            Verdict::Suspended => Self::Suspended,
            Verdict::Progressing => Self::Progressing,
            Verdict::Missing => Self::Missing,
            Verdict::Degraded => Self::Degraded,
            Verdict::Unknown => Self::Unknown,
        }
    }
}

/// Answers with the first step that fits; none fits where a rule has no [`When::Otherwise`].
pub(crate) fn first(steps: &[Step], object: &Value) -> Option<Health> {
    steps.iter().find_map(|(when, status, words)| {
        let met = when.met(object)?;
        Some(Health::new((*status).into(), fill(words, object, met)))
    })
}

/// Answers as conditions stand in their list: the first condition that fits any of the steps
/// decides, by the first step that it fits.
///
/// Steps about anything else come before the list where they stand before the first step about
/// a condition, and after it where they stand behind.
pub(crate) fn listed(steps: &[Step], object: &Value) -> Option<Health> {
    let start = steps.iter().position(|step| step.0.is_about_conditions()).unwrap_or(steps.len());
    let (before, rest) = steps.split_at(start);
    let said = |one: &Value| {
        rest.iter()
            .find(|step| step.0.fits(one))
            .map(|(_, status, words)| Health::new((*status).into(), fill(words, object, one)))
    };
    let after = || {
        let others = rest.iter().filter(|step| !step.0.is_about_conditions());
        others.copied().find_map(|step| first(&[step], object))
    };
    first(before, object).or_else(|| conditions(object).find_map(said)).or_else(after)
}

impl When {
    fn is_about_conditions(&self) -> bool {
        matches!(self, When::Is(..) | When::Reports(..) | When::Because(..))
    }

    /// Whether a step about conditions is about this one.
    fn fits(&self, condition: &Value) -> bool {
        let of = |kind: &str| text(condition, "/type") == kind;
        let is = |status: &str| word(&condition["status"]) == status;
        match self {
            When::Is(kind, status) => of(kind) && is(status),
            When::Reports(kind) => of(kind),
            When::Because(kind, status, reasons) => {
                of(kind) && is(status) && reasons.contains(&text(condition, "/reason"))
            }
            When::At(..) | When::Present(..) | When::Absent(..) | When::Stale | When::Otherwise => {
                false
            }
        }
    }

    /// What made the step fit: a condition, a value, or the object itself.
    fn met<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        let of = |kind: &str, status: &str| {
            condition(object, kind).filter(|met| word(&met["status"]) == status)
        };
        match self {
            When::Is(kind, status) => of(kind, status),
            When::Reports(kind) => condition(object, kind),
            When::Because(kind, status, reasons) => {
                of(kind, status).filter(|met| reasons.contains(&text(met, "/reason")))
            }
            When::At(pointer, words) => {
                lookup(object, pointer).filter(|value| words.contains(&word(value).as_ref()))
            }
            When::Present(pointer) => lookup(object, pointer).filter(|value| !is_empty(value)),
            When::Absent(pointer) => lookup(object, pointer).is_none_or(is_empty).then_some(object),
            When::Stale => stale(object).then_some(object),
            When::Otherwise => Some(object),
        }
    }
}

/// Whether a controller that has not looked yet would have left it so.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Puts the object's own words into a step's words.
fn fill(words: &str, object: &Value, met: &Value) -> String {
    let mut filled = String::new();
    let mut rest = words;
    while let Some((before, name, after)) = next_name(rest) {
        filled.push_str(before);
        match name {
            "kind" => filled.push_str(text(object, "/kind")),
            "value" => filled.push_str(&word(met)),
            "message" | "reason" | "type" => filled.push_str(&word(&met[name])),
            pointer => {
                filled.push_str(&lookup(object, pointer).map(word).unwrap_or_default());
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn next_name(words: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = words.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

/// Whether the controller has not yet judged the newest spec, as the condition says.
pub(crate) fn condition_is_stale(object: &Value, condition: &Value) -> bool {
    let generation = manifest::generation(object);
    let observed = condition["observedGeneration"].as_i64();
    generation != 0 && observed.is_some_and(|observed| observed != generation)
}
