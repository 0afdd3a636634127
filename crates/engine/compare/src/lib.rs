//! Whether an object is as git wants it.
//!
//! The question is not whether two objects are equal: the cluster adds defaults, addresses and
//! a status, and others own fields of their own. The question is what an apply would change.
//! So the apply is predicted here, as the API server would carry it out, and what it would
//! leave behind is compared with what is there.
//!
//! Where the local answer may be wrong (a kind of which only its CRD's schema is known, an
//! object of another version), [`Comparison::certain`] says so, and whoever calls asks the
//! server with a dry run; [`compare_dry_run`] reads its answer. Of the others a [`Sampler`] chooses
//! some that are held to the server's word all the same, see [`check()`].
//!
//! Start at [`compare`].

mod check;
mod client_side;
mod compare;
mod explain;
mod ignore;
mod jq;
mod known;
mod normalize;
mod respect;
mod rules;
mod secrets;
mod server_side;

pub use check::{Finding, Sampler, Share, check};
pub use compare::{CompareError, Comparison, Sides, compare, compare_dry_run};
pub use explain::{Cause, Evidence, FieldDifference, Owner, differences};
pub use ignore::{Compiled, IgnoreRules};
pub use known::{KnownField, KnownTypes};
pub use respect::respect_ignored;
pub use rules::{Mode, Rules};
pub use secrets::{Masked, mask_secrets};

#[cfg(test)]
mod tests;
