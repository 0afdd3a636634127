//! The objects that Argo CD's users write: Application, AppProject, ApplicationSet.
//!
//! What is read is printed again with nothing lost, fields of newer versions included
//! (`shape` says how). This crate reads and names; it decides nothing and asks nobody.
//!
//! Start at [`Application`]. Names of annotations and labels stand in [`keys`].

mod application;
mod appset;
mod definitions;
mod duration;
mod generators;
pub mod keys;
mod metadata;
mod operation;
mod project;
mod reading;
mod repo_url;
mod shape;
mod shared;
mod source;
mod status;
mod tracking;
mod values;

pub use application::*;
pub use appset::*;
pub use definitions::{Definition, definitions};
pub use duration::{BadDuration, format_go_duration, parse_duration_or_seconds, parse_go_duration};
pub use generators::*;
pub use metadata::*;
pub use operation::*;
pub use project::*;
pub use reading::{
    AUTOMATED_RETRY_LIMIT, BadDestination, DestinationCluster, Propagation, REVISION_HISTORY_LIMIT,
    RefreshType, RetryWaits, is_true, option_value,
};
pub use repo_url::{is_ssh_url, normalize_repo_url, same_repo_url, ssh_user};
pub use shared::Shared;
pub use source::*;
pub use status::*;
pub use tracking::{BadTrackingId, TrackingId, TrackingMethod, label_value};
pub use values::*;

#[cfg(test)]
mod tests;
