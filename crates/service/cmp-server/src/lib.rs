//! Runs a user's plugin beside the renderer: the sidecar's side of the plugin protocol.
//!
//! One of the two places where Tiphys runs a program. It holds no credentials and reaches no
//! cluster: files come in over a Unix socket, commands run on a copy of them in a directory of
//! their own, and manifests go back. Commands see this process's own environment, as upstream's
//! plugins do, and the variables of the request.
//!
//! Start at [`run`].

mod command;
mod config;
mod discover;
mod request;
mod serve;

pub use config::{BadConfig, PluginConfig};
pub use serve::{Config, ServeError, run};

#[cfg(test)]
mod tests;
