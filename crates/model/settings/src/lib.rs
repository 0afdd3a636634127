//! Settings: what users write in Argo CD's ConfigMaps, Secrets and environment variables.
//!
//! One table ([`keys`]) names every setting, its kind and its default; validation and the
//! documentation read it. [`Settings::read`] turns what stands there into one value by topic and
//! a list of [`Problem`]s: an unknown key, one in the wrong place, a value of the wrong kind.
//! Nothing is read from the world here, and no secret value is ever shown.
//!
//! Start at [`Settings`]; repositories and clusters are [`Repositories`] and [`Clusters`].

mod cluster;
mod docs;
mod initial;
mod key;
pub mod keys;
mod problem;
mod raw;
mod repository;
mod resources;
mod secret;
mod slips;
mod snapshot;
mod trust;

pub use cluster::{
    AwsAuth, Cluster, ClusterConfig, ClusterError, Clusters, ExecProvider, TlsConfig,
};
pub use docs::page as docs_page;
pub use initial::initial_objects;
pub use key::{Key, Kind, Place, State};
pub use problem::{Fault, Problem};
pub use raw::{RawSettings, ReadYaml};
pub use repository::{Credentials, Repositories, Repository, RepositoryError, RepositoryType};
pub use resources::{
    CompareOptions, FilteredResource, IgnoreRules, IgnoreStatus, KnownTypeField, ResourceFilter,
    ResourceOverride, ResourceSettings, RespectRbac,
};
pub use secret::{
    SecretText, SecretType, cluster_secret_name, repo_creds_secret_name, repository_secret_name,
};
pub use slips::mend_project;
pub use snapshot::{
    Account, ClusterClient, Controller, Git, GlobalProject, Log, Reconciliation, Rendering,
    SelfHeal, Settings, SyncSettings, Tracking,
};
pub use trust::Trust;

#[cfg(test)]
mod tests;
