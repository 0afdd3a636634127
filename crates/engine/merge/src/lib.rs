//! Every way in which Kubernetes merges.
//!
//! To be written; `schema` is fixed.

pub mod schema;
