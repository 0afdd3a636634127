//! What is made of the YAML that charts mostly give, without values in between.

mod freeze;
mod json;

pub(crate) use freeze::freeze;
pub(crate) use json::transcribe;
