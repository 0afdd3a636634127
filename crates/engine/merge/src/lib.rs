//! Every way in which Kubernetes merges.
//!
//! An object is changed by many hands: people apply, controllers update, tools patch. Who
//! owns which field, and what becomes of a field that its owner drops, is decided here, as
//! the API server decides it: server-side apply with its field managers, strategic merge
//! patch, JSON merge patch and JSON patch, in both directions where there are two.
//!
//! Everything takes values and gives values. No cluster, no clock: times are arguments. No
//! defaults either: what a kind's fields default to is known by `kubetypes`.
//!
//! Start at [`managed::apply`]; what a list or a map is to a merge stands in [`schema`].

pub mod csa_upgrade;
pub mod fields;
pub mod json_merge;
pub mod json_patch;
pub mod managed;
pub mod schema;
pub mod strategic;
pub mod typed;
pub mod values;
