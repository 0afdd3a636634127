//! The application controller: keeps Applications as git has them.
//!
//! For each Application, whenever something changed: gather the facts, let [`reconcile::decide`]
//! decide, carry the actions out through the one gate, publish what changed of the status. The
//! rules stand in the engines; what stands here is loops, queues and what is remembered.
//!
//! It keeps nothing that it cannot find again: a killed controller goes on from what stands in the
//! Applications.
//!
//! Start at [`run`].

mod applications;
mod carry_out;
mod checks;
mod config;
mod destinations;
mod entry;
mod events;
mod gate;
mod gather;
mod judge;
mod lens;
mod metrics;
mod projects;
mod publish;
mod queue;
mod run;
mod shapes;
mod shared;
mod triggers;
mod unserved;
mod work;

pub use config::Config;
pub use metrics::Metrics;
pub use run::{Parts, RunError, run};
pub use shared::selects;

#[cfg(test)]
mod tests;
