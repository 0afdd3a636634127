//! How the single objects of an Application are: what it knows of them, and of the last operation.

use std::collections::BTreeMap;

use crd::{Application, ResourceStatus};

use super::selection::{Selection, selects};
use crate::commands::table::Table;

/// One object's state, as tables show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceState {
    /// API group.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Sync status; of a hook, its phase.
    pub status: String,
    /// Health; of what the last operation alone knows, the result.
    pub health: String,
    /// When a hook runs.
    pub hook: String,
    /// What the last operation said.
    pub message: String,
}

/// What an object is known by.
pub type StateKey = (String, String, String, String);

impl ResourceState {
    /// What the object is known by.
    pub fn key(&self) -> StateKey {
        (self.group.clone(), self.kind.clone(), self.namespace.clone(), self.name.clone())
    }

    /// The cells of a table's line.
    pub fn cells(&self) -> [String; 8] {
        [
            &self.group,
            &self.kind,
            &self.namespace,
            &self.name,
            &self.status,
            &self.health,
            &self.hook,
            &self.message,
        ]
        .map(Clone::clone)
    }

    /// Takes over what a newer state says, and keeps what it leaves open. Answers whether
    /// anything changed.
    pub fn merge(&mut self, newer: &Self) -> bool {
        let mut changed = false;
        for (have, new) in [
            (&mut self.status, &newer.status),
            (&mut self.health, &newer.health),
            (&mut self.hook, &newer.hook),
            (&mut self.message, &newer.message),
        ] {
            if !new.is_empty() && have != new {
                have.clone_from(new);
                changed = true;
            }
        }
        changed
    }
}

/// The states of an Application's objects: those of its last operation in that operation's
/// order, then the others by name.
pub fn resource_states(application: &Application, selections: &[Selection]) -> Vec<ResourceState> {
    let key = |one: &ResourceStatus| {
        (one.group.clone(), one.kind.clone(), one.namespace.clone(), one.name.clone())
    };
    let health = |one: &ResourceStatus| {
        one.health.as_ref().map(|health| health.status.as_str().to_owned()).unwrap_or_default()
    };
    let mut known: BTreeMap<StateKey, &ResourceStatus> =
        application.status.resources.iter().map(|one| (key(one), one)).collect();
    let mut states = Vec::new();
    let operation = application.status.operation_state.as_ref();
    let results = operation.and_then(|state| state.sync_result.as_ref());
    for result in results.into_iter().flat_map(|result| &result.resources) {
        let mut state = ResourceState {
            group: result.group.clone(),
            kind: result.kind.clone(),
            namespace: result.namespace.clone(),
            name: result.name.clone(),
            status: result.hook_phase.as_str().to_owned(),
            health: result.status.as_str().to_owned(),
            hook: result.hook_type.as_str().to_owned(),
            message: result.message.clone(),
        };
        if let Some(resource) = known.remove(&state.key())
            && state.hook.is_empty()
        {
            state.status = resource.status.as_str().to_owned();
            state.health = health(resource);
        } else if state.hook.is_empty() {
            // What the operation alone knows (a namespace that it made) has no health, and its phase
            // says nothing any more.
            state.status = std::mem::take(&mut state.health);
        }
        states.push(state);
    }
    states.extend(known.into_values().map(|resource| ResourceState {
        group: resource.group.clone(),
        kind: resource.kind.clone(),
        namespace: resource.namespace.clone(),
        name: resource.name.clone(),
        status: resource.status.as_str().to_owned(),
        health: health(resource),
        ..ResourceState::default()
    }));
    if !selections.is_empty() {
        states.retain(|one| selects(selections, &one.group, &one.kind, &one.namespace, &one.name));
    }
    states
}

/// The states by object; of one that stands there twice, both merged.
pub fn states_by_object(application: &Application, selections: &[Selection]) -> Vec<ResourceState> {
    let mut merged: Vec<ResourceState> = Vec::new();
    for state in resource_states(application, selections) {
        match merged.iter_mut().find(|have| have.key() == state.key()) {
            Some(have) => {
                have.merge(&state);
            }
            None => merged.push(state),
        }
    }
    merged
}

/// The table that `app get` ends with.
pub fn resource_table(application: &Application) -> Table {
    let headings = ["GROUP", "KIND", "NAMESPACE", "NAME", "STATUS", "HEALTH", "HOOK", "MESSAGE"];
    let mut table = Table::headed(&headings);
    for state in resource_states(application, &[]) {
        table.line(state.cells());
    }
    table
}
