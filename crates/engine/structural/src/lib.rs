//! CustomResourceDefinitions: what their schemas drop, fill in and refuse.
//!
//! [`parse`] reads a definition once; each [`Version`] then answers as the API server does:
//! [`prune`](Schema::prune) drops what the schema does not know, [`default`](Schema::default)
//! fills in, [`validate`](Schema::validate) names what is wrong in the server's words, and
//! [`to_merge`](Schema::to_merge) gives the shape by which objects merge.
//!
//! [`follow_rules`](Schema::follow_rules) holds objects to the rules written in CEL.

mod definition;
mod fill;
mod format;
mod inside;
mod rules;
mod schema;
mod shape;
mod validate;

pub use definition::{Column, Definition, Names, Version, parse};
pub use rules::Said;
pub use schema::Schema;

#[cfg(test)]
mod tests;
