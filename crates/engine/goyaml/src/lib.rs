//! YAML as Go programs read and write it.
//!
//! Kubernetes' tools read YAML 1.1 through two Go libraries, and users' files depend on
//! their habits: `on` is a boolean (also as a key), `0777` is 511, a date stays a string.
//! This crate reads and prints the same way, byte for byte where bytes are hashed.
//!
//! It takes bytes and gives values; it reads no file, and no input makes it panic, recurse
//! without bound or expand without bound: see [`Limits`].
//!
//! Start at [`to_json`] and [`to_yaml`] (what `sigs.k8s.io/yaml` does), [`split`] (streams of documents) and
//! [`Document`] (the nodes themselves, with their lines).

mod analysis;
mod chars;
mod decode;
mod document;
mod emit;
mod error;
mod float;
mod go_syntax;
mod input;
mod json_text;
mod order;
mod quick;
mod read_back;
mod resolve;
mod scalars;
mod scanner;
mod split;
mod timestamp;
mod token;
mod tree;

pub use decode::{Duplicates, Limits, json_number, to_json, to_json_strict, to_json_with};
pub use document::{Document, Kind, Node, NodeId, Style};
pub use emit::{to_yaml, to_yaml_of, to_yaml_pretty};
pub use error::YamlError;
pub use json_text::{JsonText, json_text_of};
pub use quick::{Make, Tree, quickly};
pub use resolve::{Dialect, Scalar, resolve};
pub use split::{Chunk, Split, split};

#[cfg(test)]
mod tests;
