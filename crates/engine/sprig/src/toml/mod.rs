//! TOML: written in the layout of the library that Helm uses, and read.

mod complaint;
mod forms;
mod reader;
mod writer;

pub(crate) use reader::read;
pub(crate) use writer::{WriteError, write};
