//! Jsonnet, confined to a tree of files.
//!
//! [`evaluate`] runs one program and gives its value as JSON text. Imports come from a
//! [`filetree::FileTree`] and from nowhere else; there are no native functions. A program that
//! does not end is left when the caller's probe says so.
//!
//! The language is jrsonnet's; `library` and `rewrite` bring it to go-jsonnet's. Where it differs from go-jsonnet, which upstream uses, is
//! written in `ALLOWED_DIFFERENCES.md`.

mod error;
mod evaluate;
mod imports;
mod library;
mod rewrite;

pub use error::JsonnetError;
pub use evaluate::{Limits, Program, Variable, evaluate};

#[cfg(test)]
mod tests;
