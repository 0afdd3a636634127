//! The kinds that have actions: one file for what belongs together.

use serde_json::Value;

use crate::error::ActionError;
use crate::offer::{Action, Call};

mod argo;
mod cnpg;
mod flux;
mod keda;
mod numa;
mod operators;
mod rollout;
mod workloads;

/// Changes an object as an action wants it.
type Change = fn(&mut Value, &Call<'_>) -> Result<(), ActionError>;

/// What an action does.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// It changes the object.
    Patch(Change),
    /// It makes another object.
    Create(fn(&Value, &Call<'_>) -> Value),
}

/// The actions of one kind.
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) kind: &'static str,
    /// Which actions an object offers, as it now is.
    pub(crate) offers: fn(&Value) -> Vec<Action>,
    pub(crate) actions: &'static [(&'static str, Run)],
}

pub(crate) const KINDS: &[&[Kind]] = &[
    argo::KINDS,
    cnpg::KINDS,
    flux::KINDS,
    keda::KINDS,
    numa::KINDS,
    operators::KINDS,
    rollout::KINDS,
    workloads::KINDS,
];

/// Reads a whole number that a person gave.
fn whole_number(given: &str) -> Option<i64> {
    given.trim().parse().ok()
}

fn invalid_number(given: &str, more: &str) -> ActionError {
    ActionError::Refused(format!("invalid number: {given}{more}"))
}
