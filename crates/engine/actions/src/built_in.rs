//! The actions that everybody has, found by group and kind.

use serde_json::Value;

use crate::error::ActionError;
use crate::kinds::{KINDS, Kind, Run};
use crate::offer::{Action, Call, Operation, Outcome};

/// Returns the built-in actions of an object; none where its kind has none.
pub fn list(object: &Value) -> Vec<Action> {
    of(object).map(|kind| (kind.offers)(object)).unwrap_or_default()
}

/// Runs a built-in action. It runs also where [`list`] calls it disabled: that is advice to
/// people, and the object may have changed since they looked.
///
/// # Errors
///
/// [`ActionError::NoSuchAction`] where the kind has none of that name;
/// [`ActionError::Refused`] where a parameter makes no sense.
pub fn run(object: &Value, call: &Call<'_>) -> Result<Vec<Outcome>, ActionError> {
    let found = of(object)
        .and_then(|kind| kind.actions.iter().find(|(name, _)| *name == call.action))
        .ok_or_else(|| ActionError::NoSuchAction {
            kind: group_kind(object),
            action: call.action.to_owned(),
        })?;
    Ok(match found.1 {
        Run::Patch(change) => {
            let mut after = object.clone();
            change(&mut after, call)?;
            vec![Outcome { operation: Operation::Patch, object: after }]
        }
        Run::Create(make) => {
            vec![Outcome { operation: Operation::Create, object: make(object, call) }]
        }
    })
}

fn of(object: &Value) -> Option<&'static Kind> {
    let gvk = manifest::gvk(object);
    KINDS.iter().copied().flatten().find(|kind| kind.group == gvk.group && kind.kind == gvk.kind)
}

/// `group/Kind`, or the kind alone where the group is empty, as settings name kinds.
pub(crate) fn group_kind(object: &Value) -> String {
    let gvk = manifest::gvk(object);
    if gvk.group.is_empty() { gvk.kind } else { format!("{}/{}", gvk.group, gvk.kind) }
}
