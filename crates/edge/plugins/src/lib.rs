//! Config management plugins: the protocol that users' sidecars speak.
//!
//! A plugin is a gRPC server at a Unix socket (`plugin.ConfigManagementPluginService`). It is
//! sent a revision's files as an archive and answers with manifests. [`Plugins`] is the side
//! that asks; [`message`] and [`archive`] are what both sides share.
//!
//! Nothing here runs a program, and nothing but the archive and the variables that the caller
//! names goes to a plugin: no credentials.

pub mod archive;
mod client;
pub mod message;

pub use client::{PluginError, Plugins, Request};

#[cfg(test)]
mod tests;
