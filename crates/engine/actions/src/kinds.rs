//! The kinds that have actions: one file for what belongs together.

use serde_json::Value;

use crate::edit::{holds, set};
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

/// Sets `spec.suspend`, as many controllers know it.
fn suspend(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    set(object, &["spec", "suspend"], true);
    Ok(())
}

/// Takes `spec.suspend` back where it is set.
fn resume(object: &mut Value, _: &Call<'_>) -> Result<(), ActionError> {
    if holds(object, "/spec/suspend") {
        set(object, &["spec", "suspend"], false);
    }
    Ok(())
}

/// Copies a field of an owner's metadata, where it has it.
fn copy(owner: &Value, field: &str, to: &mut Value) {
    if let Some(value) = owner["metadata"].get(field).filter(|value| !value.is_null()) {
        set(to, &[field], value.clone());
    }
}

/// Reads a whole number that a person gave; `1e2` and `2.0` are such numbers, too.
fn whole_number(given: &str) -> Option<i64> {
    let given = given.trim();
    let float = || given.parse::<f64>().ok().filter(|float| float.fract() == 0.0);
    // Rust prints a float that is whole as people write whole numbers.
    given.parse().ok().or_else(|| float()?.to_string().parse().ok())
}

fn invalid_number(given: &str, more: &str) -> ActionError {
    ActionError::Refused(format!("invalid number: {given}{more}"))
}
