//! Git repositories as file trees; files and artifacts from other servers.
//!
//! An Application names a repository, a revision and a path. This room finds the commit that
//! the revision means, sees to it that its objects are on this disk, and answers with its files
//! as a [`filetree::FileTree`], read from the object database and never checked out. A
//! repository is fetched once however many Applications use it; one on this host is read where
//! it lies. Whoever watches a repository is told when its names point elsewhere.
//!
//! It runs no program: neither `git` nor `ssh`. It decides nothing about Applications, and
//! writes nowhere but in its own mirrors.
//!
//! Start at [`Sources`], then [`Repository`].

mod cache;
mod commit;
mod config;
mod core;
mod credentials;
mod error;
mod github;
mod known_hosts;
mod local;
mod mirror;
mod observer;
mod poll;
mod ref_files;
mod refs;
mod remote;
mod repository;
mod seed;
pub mod semver;
mod sources;
mod store;
mod submodules;
mod transport;
mod tree;
mod url;
mod watch;
mod web;

pub use crate::core::Listener;
pub use commit::{CommitId, CommitMetadata, NoCommitId};
pub use config::{Config, Limits, Live, Retry};
pub use credentials::{CloudIdentity, Credentials, GithubApp};
pub use error::{Remedy, SourceError};
pub use observer::{Observer, RequestKind};
pub use refs::Revision;
pub use repository::{Freshness, Names, Repository, Resolved};
pub use seed::{SeedError, seed};
pub use sources::{Sources, Watch};
pub use submodules::{CredentialsFor, TreeOptions};
pub use url::{Place, RepoUrl, redact};
pub use web::{BadImage, Bytes, Digest256, Image, Layer, Manifest, Want, Web, WebLimits};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
