//! The objects that Argo CD's users write: Application, AppProject, ApplicationSet.
//!
//! What is read is printed again with nothing lost, fields of newer versions included
//! (`shape` says how). This crate reads and names; it decides nothing and asks nobody.
//!
//! Start at [`Application`].

mod application;
mod metadata;
mod operation;
mod project;
mod shape;
mod source;
mod status;
mod values;

pub use application::*;
pub use metadata::*;
pub use operation::*;
pub use project::*;
pub use source::*;
pub use status::*;
pub use values::*;
