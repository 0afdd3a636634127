//! Fields that an apply would change and that others own.

use std::fmt;

use crate::fields::path_string;
use crate::fields::{FieldSet, PathElement};
use crate::managed::owned::{Operation, Owned};
use crate::values;

/// One field that another manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The other manager's name.
    pub manager: String,
    /// How it writes.
    pub operation: Operation,
    /// The subresource that it writes to.
    pub subresource: String,
    /// The version at which it wrote.
    pub api_version: String,
    /// The field.
    pub path: Vec<PathElement>,
}

impl Conflict {
    /// As in `.spec.replicas`: the cause's `field`.
    pub fn field(&self) -> String {
        path_string(&self.path)
    }

    /// As in `conflict with "web" using apps/v1`: the cause's `message`. Its type is
    /// `FieldManagerConflict`.
    pub fn message(&self) -> String {
        format!("conflict with {}", self.who())
    }

    fn who(&self) -> String {
        let mut out = values::quote(&self.manager);
        if !self.subresource.is_empty() {
            out.push_str(" with subresource ");
            out.push_str(&values::quote(&self.subresource));
        }
        if self.operation == Operation::Update {
            out.push_str(" using ");
            out.push_str(&self.api_version);
        }
        out
    }
}

/// Every field that others own, by manager. The message is that of the server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflicts(pub Vec<Conflict>);

impl fmt::Display for Conflicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            let (message, field) = (only.message(), only.field());
            return write!(f, "Apply failed with 1 conflict: {message}: {field}");
        }
        write!(f, "Apply failed with {} conflicts: ", self.0.len())?;
        let mut last = String::new();
        for conflict in &self.0 {
            let who = conflict.who();
            if who != last {
                let separator = if last.is_empty() { "" } else { "\n" };
                write!(f, "{separator}conflicts with {who}:")?;
                last = who;
            }
            write!(f, "\n- {}", conflict.field())?;
        }
        Ok(())
    }
}

impl std::error::Error for Conflicts {}

impl Conflicts {
    pub(crate) fn new(mut sets: Vec<(&Owned, FieldSet)>) -> Self {
        sets.sort_by_cached_key(|(owned, _)| owned.identifier());
        let conflicts = sets.iter().flat_map(|(owned, set)| {
            set.paths().into_iter().map(|path| Conflict {
                manager: owned.manager.clone(),
                operation: owned.operation,
                subresource: owned.subresource.clone(),
                api_version: owned.api_version.clone(),
                path,
            })
        });
        Self(conflicts.collect())
    }
}
