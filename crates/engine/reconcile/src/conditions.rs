//! Conditions: what is wrong with an Application, and since when.

use crd::{ApplicationCondition, ApplicationConditionType, Time};
use jiff::Timestamp;

/// What a condition is about; upstream's types.
pub type Kind = ApplicationConditionType;

/// A condition that holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is about.
    pub kind: Kind,
    /// For people: the thing, the place, the next step.
    pub message: String,
}

impl Condition {
    /// States a condition.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Puts the conditions of the evaluated types in the place of those that held before.
///
/// One that held already with the same words keeps its time. The order is upstream's: by type, then message.
pub(crate) fn set(
    held: &[ApplicationCondition],
    now_hold: &[Condition],
    evaluated: &[Kind],
    now: Timestamp,
) -> Vec<ApplicationCondition> {
    let mut conditions: Vec<ApplicationCondition> =
        held.iter().filter(|one| !evaluated.contains(&one.r#type)).cloned().collect();
    for condition in now_hold {
        let same = held
            .iter()
            .find(|one| one.r#type == condition.kind && one.message == condition.message);
        conditions.push(match same {
            Some(same) => same.clone(),
            None => ApplicationCondition {
                r#type: condition.kind.clone(),
                message: condition.message.clone(),
                last_transition_time: Some(Time::at(now)),
                ..ApplicationCondition::default()
            },
        });
    }
    conditions
        .sort_by(|a, b| (a.r#type.as_str(), &a.message).cmp(&(b.r#type.as_str(), &b.message)));
    conditions.dedup_by(|a, b| a.r#type == b.r#type && a.message == b.message);
    conditions
}
