//! Who owns which field: `metadata.managedFields` as the API server keeps it.
//!
//! [`apply`] is server-side apply: the patch is merged, what its manager once applied and has
//! dropped is removed, and what others own and the patch would change is a conflict.
//! [`update`] is every other write: the object is as it is, and what changed in it belongs to
//! the writer. Neither knows defaults or admission; in the server they come at these places:
//!
//! - create: **update** (from nothing), admission, the kind's strategy, validation;
//! - update and patch: patched, decoded, defaulted, **update**, admission, strategy;
//! - apply: **apply**, decoded, defaulted, admission, strategy;
//! - and last, before the object is stored, [`keep_times_of_no_change`].

mod apply;
mod cap;
mod conflict;
mod filter;
mod last_applied;
mod owned;
mod predict;
mod scale;
mod text;
mod time;
mod unchanged;
mod update;
mod updater;
mod versions;

pub use apply::{Applied, AppliedApart, ApplyError, ApplyOptions, apply, apply_apart};
pub use conflict::{Conflict, Conflicts};
pub use filter::{Filter, Step};
pub use last_applied::LAST_APPLIED;
pub use owned::{BadManagedFields, FieldProblem, Operation, Owned, owners, set_owners, validate};
pub use predict::predict;
pub use scale::{ReplicasPaths, from_scale, to_scale};
pub use text::{owners_of_text, text_of_owners};
pub use time::{format_seconds, parse_seconds};
pub use unchanged::{is_same_without_owners, keep_times_of_no_change};
pub use update::{UpdateOptions, update};
pub use versions::{Context, OneVersion, Versions};

#[cfg(test)]
mod tests;
