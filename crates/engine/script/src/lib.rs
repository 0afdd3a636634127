//! Lua that users wrote, run so that it can do nothing but answer.
//!
//! A [`Script`] is given an object and answers with a table: how well the object is, which
//! actions it offers, what an action makes of it. It reaches no file, no network, no program and
//! no clock; it may take so many steps and so much memory ([`Limits`]) and no more. What it may
//! use beside the language itself is what Argo CD lets it use ([`Libraries`]), and tables become
//! JSON by the rules that Argo CD's users know ([`Returned`]).
//!
//! The machine is LuaJIT with its compiler switched off: Lua 5.1 with `goto`, and counted.
//!
//! Start at [`Script::compile`].

mod clock;
mod error;
mod json;
mod machine;
mod meter;
mod pattern;
mod script;
mod strings;

pub use error::ScriptError;
pub use json::Returned;
pub use machine::Libraries;
pub use meter::{Limits, ShouldStop};
pub use script::{Input, Script};

#[cfg(test)]
mod tests;
