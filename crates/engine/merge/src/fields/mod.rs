//! Which fields: paths, sets of paths, and the form in which the API server writes them.
//!
//! A field manager owns a [`FieldSet`]. Sets are trees, so that a whole manager costs about
//! as much memory as the object that it manages, and every operation on two sets is one walk.

mod element;
mod set;
mod v1;

pub use element::{KeyField, PathElement, path_string};
pub use set::{FieldSet, Node};
pub use v1::FieldsError;

#[cfg(test)]
mod tests;
