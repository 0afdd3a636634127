//! Go's values as text: what Go prints for a number or a string.
//!
//! Templates, YAML and error messages carry text that Go made, and some of it is hashed. The
//! functions here give the same bytes; they know no type of their own.

mod float;
mod quote;

pub use float::{FloatBits, format_g};
pub use quote::{quote, text_of};

#[cfg(test)]
mod tests;
