//! What the process tells about itself: numbers, health, and log lines.
//!
//! A [`Registry`] holds the numbers and prints them as upstream's processes do (Prometheus text,
//! the same names and labels). [`serve`] answers `/metrics`, `/healthz` and `/readyz`.
//! [`init_log`] sets up the log; its format is known nowhere else.
//!
//! Nothing here decides or measures by itself: services count, and this room prints.

mod controller;
mod health;
mod layout;
mod log;
mod metrics;
mod process;
mod repo;
mod server;
mod span;

pub use controller::ControllerMetrics;
pub use health::Health;
pub use log::{Log, LogError, LogFormat, LogOptions, init_log};
pub use metrics::{Counter, Gauge, Histogram, Registry, label_name};
pub use process::register_process;
pub use repo::RepoMetrics;
pub use server::{Served, Server, serve};
pub use span::{operation_span, refresh_span};

#[cfg(test)]
mod tests;
