//! Go's `text/template`, as Helm uses it.
//!
//! A text is parsed once into [`Parsed`], which may be shared by threads and renderings; a
//! [`TemplateSet`] gives parsed texts names; [`execute`] runs one of a set over a value and
//! returns its text. Bytes, types and words of errors are Go's.
//!
//! Nothing here recurses with its input: parsing, executing, `include` and `tpl` nest on the
//! heap. Every execution counts its steps and bytes (`goval::Budget`).

mod ast;
mod builtin;
mod code;
mod compile;
mod constant;
mod convert;
mod error;
mod execute;
mod functions;
mod hash;
mod lexer;
mod machine;
mod parsed;
mod parser;
mod set;

pub use error::{Cause, ExecError, Leads, ParseError, Place};
pub use execute::{Hooks, NoHooks, execute, without_no_value};
pub use functions::Functions;
pub use parsed::Parsed;
pub use set::TemplateSet;

#[cfg(test)]
mod tests;
