//! Renders Applications, each as seldom as possible.
//!
//! An answer is kept together with what it was made from: which files were read, which
//! directories listed, what was looked for and not there. A new commit that answers all of
//! that as before renders nothing, and gives the same objects under the new revision.
//! Whoever asks for the same thing at the same time waits for one rendering.
//!
//! This room knows repositories (`source`) and engines (`render`), and no cluster: settings
//! and secrets are handed to it through [`Surroundings`].
//!
//! Start at [`Rendering`]; [`render_path`] is the same for a directory on this host's disk.

mod artifacts;
mod backoff;
mod cache;
mod chance;
mod counts;
mod credentials;
mod disk;
mod failure;
mod fetching;
mod key;
mod local;
mod pin;
mod plan;
mod plugged;
mod repositories;
mod service;
mod surroundings;
mod weight;

pub use chance::{Seed, charts_time};
pub use counts::Counts;
pub use disk::DiskTree;
pub use local::{
    LocalError, place_of, render_path, render_path_as, render_path_printed, tree_around,
};
pub use service::{Config, Rendering};
pub use surroundings::{Fixed, Snapshot, Surroundings};

#[cfg(test)]
mod tests;
