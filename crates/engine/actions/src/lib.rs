//! What can be done to an object, beside syncing it: restart, pause, scale, promote.
//!
//! [`list`] says which actions an object offers, and which of them make no sense now; [`run`]
//! answers with what to write for one of them: the object as it should be afterwards, or another
//! object to create. Users' actions, written in Lua, come before the built-in ones of the same
//! name ([`Custom`]).
//!
//! Nothing here writes to a cluster or asks for the time: the caller does both.
//!
//! To see what there is, read the files in `kinds`, and the cases in `tests/data`.

mod built_in;
mod custom;
mod edit;
mod error;
mod kinds;
mod offer;

pub use built_in::{list, run};
pub use custom::Custom;
pub use error::ActionError;
pub use offer::{Action, Call, Operation, Outcome, Parameter};

#[cfg(test)]
mod tests;
