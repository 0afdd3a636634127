//! Pod security standards: what a namespace's labels ask of pods, and what a pod breaks of it.
//!
//! As the API server's admission plugin PodSecurity decides (Kubernetes 1.36). Begin at [`Policy::of`] and
//! [`violations`].

mod checks;
mod policy;

#[cfg(test)]
mod tests;

pub use checks::{Violation, reasons, told, violations};
pub use policy::{BadLabel, LABELS, Level, Policy, Standard};
