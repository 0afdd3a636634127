//! `kustomize build` (5.8.1) in process.
//!
//! Users' kustomizations build here to the same objects, in the same order, as with the real
//! program. The engine reads a [`filetree::FileTree`] and nothing else: no network, no disk, no
//! programs. What it lacks (a remote base, a chart) it names, so that the caller fetches it
//! and asks again.
//!
//! Start at `node` (the one form of YAML in here) and `resource` (an object with its past).

pub mod error;
pub mod node;
pub mod resid;
pub mod resource;
pub mod scope;

pub use error::{Cause, KustomizeError, Need};
