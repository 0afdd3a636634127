//! What the API server knows about the built-in kinds.
//!
//! The tables of Kubernetes 1.30 to 1.36 stand in one file (`data/tables.bin.zst`), built by
//! `cargo xtask kubetypes` from the published OpenAPI, discovery and struct declarations. On
//! them stand: the schema by which objects are merged, what a decode and encode makes of an
//! object ([`roundtrip`]), the defaults that the server sets ([`default`]), quantities,
//! protobuf bodies, and the OpenAPI documents that a server publishes.
//!
//! Nothing here admits or refuses: validation and what strategies and admission add (a
//! Service's address, a Pod's service account) stand elsewhere.
//!
//! Start at [`tables`].

mod conversions;
mod defaults;
mod empties;
pub mod gotime;
mod in_place;
pub mod openapi;
pub mod protobuf;
pub mod quantity;
mod read;
pub mod roundtrip;
mod schema;
pub mod shape;
pub mod tables;
pub mod walk;

pub use defaults::default;
pub use empties::{keep, leaves_out, write};
pub use roundtrip::{
    DecodeError, Decoded, Source, from_unstructured, read, read_owned, roundtrip, roundtrip_owned,
};
pub use tables::{LATEST_MINOR, MINORS, Resource, Subresource, Tables, Verb, tables};

#[cfg(test)]
mod tests;
