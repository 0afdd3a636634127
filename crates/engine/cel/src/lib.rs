//! The Common Expression Language, as Kubernetes speaks it.
//!
//! [`parse`] reads an expression, [`Scope::check`] says of which type it is and what in it is not
//! there, [`eval`] what it comes to. Nothing is cached and nothing outside of the arguments is looked
//! at. [`is_known`] says beforehand whether an expression can be evaluated.

mod check;
mod eval;
mod functions;
mod known;
mod parse;
mod times;
mod value;
mod versions;

pub use check::{Field, Scope, Type};
pub use eval::{EvalError, eval};
pub use known::{escaped, is_known, names_used};
pub use parse::{Expr, Fault, Node, is_reserved, parse};
pub use times::{day_of, span_of, time_of};
pub use value::Value;

#[cfg(test)]
mod tests;
