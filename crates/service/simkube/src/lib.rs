//! A simulated cluster: the Kubernetes API (1.36) with nothing behind it.
//!
//! Whoever speaks to it finds what a real API server would say: the same rules for writes
//! and field owners, the same words for what is wrong, watches, deletions, definitions of
//! their own kinds. No container runs; controllers and pods are simulated where wanted, and
//! the server says so (`/version`, the node, logs). Many clusters live in one process, by path.
//!
//! It decides nothing about merging, types or validation: `merge`, `kubetypes`, `structural`
//! and `kubevalid` do. It keeps no state but its [`store`].
//!
//! Start at [`SimKube::start`]; without sockets at [`api::answer`].

pub mod api;
mod authentic;
mod authority;
pub mod body;
mod building;
pub mod cluster;
pub mod convert;
pub mod crds;
mod flows;
pub mod kinds;
pub mod meta;
mod ownership;
mod patches;
mod serve;
pub mod store;
mod strategy;
mod tasks;
mod types;
mod validation;

pub use serve::{Config, Running, SimKube, StartError};
