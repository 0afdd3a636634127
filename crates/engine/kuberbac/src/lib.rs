//! What roles and their bindings allow: role-based access control as the API server decides it
//! (Kubernetes 1.36).
//!
//! Begin at [`decide`]. Roles and bindings are handed in by whoever keeps them, as [`Roles`].

mod decide;
mod furniture;
mod grants;
mod rules;

#[cfg(test)]
mod tests;

pub use decide::{Asked, Decision, NoRole, Roles, Subject, decide, denied, is_master, role_rules};
pub use furniture::furniture;
pub use grants::lacking;
pub use rules::{RulesOf, rules_of, union};
