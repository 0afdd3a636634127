//! `kustomize build` (5.8.1) in process.
//!
//! Users' kustomizations build here to the same objects, in the same order, as with the real
//! program. The engine reads a [`filetree::FileTree`] and nothing else: no network, no disk, no
//! programs. What it lacks (a remote base, a chart) it names, so that the caller fetches it
//! and asks again.
//!
//! Start at [`build`]. The parts: `target` (one kustomization, in kustomize's order of work),
//! `transform`, `generate`, `patch`, `replacements`, `names` (what is done to resources),
//! `resource` (an object with its past) and `node` (the one form of YAML in here).

mod build;
mod charts;
pub mod config;
pub mod edit;
pub mod error;
mod fields;
mod generate;
pub mod kustomization;
mod loader;
mod names;
pub mod node;
mod options;
mod order;
pub mod patch;
mod read;
mod remote;
pub mod replacements;
pub mod resid;
mod resmap;
pub mod resource;
pub mod scope;
pub mod selector;
mod shared;
mod target;
mod transform;
pub mod vars;

pub use build::{Built, BuiltObject, BuiltTexts, Extras, build, build_texts};
pub use charts::{ChartRequest, Charts};
pub use error::{Cause, KustomizeError, Need};
pub use loader::{Fetched, LoadRestrictor};
pub use options::{Options, Reorder};
