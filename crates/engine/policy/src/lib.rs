//! What a project allows its Applications: sources, destinations, kinds, and when to sync.
//!
//! [`Project`] is read once and asked often; [`Project::check_write`] is the question that the
//! one choke point of writes asks for each object. Words are upstream's, since users search
//! for them.
//!
//! Nothing here knows a cluster or a repository: both come in by name.

mod account;
mod cluster;
mod orphans;
mod pattern;
mod project;
mod spec;
mod windows;

pub use account::service_account;
pub use cluster::{Cluster, IN_CLUSTER_NAME, IN_CLUSTER_SERVER, resolve};
pub use orphans::ignores_orphan;
pub use project::Project;
pub use spec::{check, not_built};
pub use windows::{SyncAsked, concerning, is_open, windows_permit};

#[cfg(test)]
mod tests;
