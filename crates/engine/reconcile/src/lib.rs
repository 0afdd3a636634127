//! The whole decision of the Application controller: [`Facts`] in, [`Verdict`] out.
//!
//! [`decide`] looks at one Application at one moment: what it wants, what is there, what its
//! project allows, how far its operation is. It answers with what to write, what to apply, what
//! to tell, and when to look again. A bug report can be a file of facts.
//!
//! Nothing here asks a cluster or a repository. Whoever calls gathers: [`prepare`] turns rendered
//! objects into what the Application wants, [`see`] keeps of a live object what decisions ask.
//!
//! To see what follows from what, read the cases in `tests/data`.

mod automated;
mod compared;
mod conditions;
mod decide;
mod deletion;
mod deletion_hooks;
mod facts;
mod guard;
mod health;
mod impersonation;
mod names;
mod operation;
mod patch;
mod preflight;
mod prepare;
mod resting;
mod rows;
mod said;
mod scope;
mod seen;
mod target;
mod urls;
mod waits;

pub use conditions::{Condition, Kind};
pub use decide::{Event, Next, REFRESH, SKIP_RECONCILE, Verdict, decide};
pub use deletion::{RESOURCES_FINALIZER, cascade, deletion_runs_hooks};
pub use facts::{Facts, Guard, Impersonation, OperationFacts, Pair, Rules, Seen, Side, Unserved};
pub use impersonation::account;
pub use names::{DEFAULT_PROJECT, instance_name, project_name, qualified_name};
pub use operation::{OperationRequest, current, deletes, request};
pub use patch::merge_patch;
pub use preflight::{Ground, preflight};
pub use prepare::{Destination, Prepared, prepare};
pub use resting::Resting;
pub use said::Said;
pub use scope::outside;
pub use seen::{Judged, see};
pub use target::Target;
pub use waits::{Waits, waits};

#[cfg(test)]
mod tests;
