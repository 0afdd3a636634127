//! CustomResourceDefinitions: what their schemas drop, fill in and refuse.
//!
//! [`parse`] reads a definition once; each [`Version`] then answers as the API server does:
//! [`prune`](Schema::prune) drops what the schema does not know, [`default`](Schema::default)
//! fills in, [`validate`](Schema::validate) names what is wrong in the server's words, and
//! [`to_merge`](Schema::to_merge) gives the shape by which objects merge.
//!
//! Rules written in CEL (`x-kubernetes-validations`) are kept and not evaluated:
//! [`Schema::has_rules`] says so, and whoever serves the definition warns.

mod definition;
mod fill;
mod format;
mod schema;
mod shape;
mod validate;

pub use definition::{Column, Definition, Names, Version, parse};
pub use schema::Schema;

#[cfg(test)]
mod tests;
