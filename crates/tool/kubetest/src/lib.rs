//! A real Kubernetes cluster for tests: etcd, kube-apiserver and, where asked for,
//! kube-controller-manager, kube-scheduler and kwok, on free ports of 127.0.0.1.
//!
//! The programs come from `make kube` (or `KUBEBUILDER_ASSETS`). Where there are none, or
//! `TIPHYS_KUBE` is `off`, [`RealCluster::start`] answers `None` and says `skipped: no kube
//! programs` on standard error, so that a test can end early on a machine without Go.
//!
//! A test that needs a whole cluster borrows one ([`Lent`]): the next test gets the same, made as it
//! was at its start, for to start one costs as much as some ten tests on it.
//!
//! Everything that was started ends with the [`RealCluster`], after a panic as well, and
//! also when the test process itself is killed: each program has a watchdog that holds the
//! other end of a pipe.

mod cluster;
mod lent;
mod process;
mod programs;
mod store;

pub use cluster::{Parts, RealCluster};
pub use lent::Lent;
pub use process::Process;
pub use programs::{program, programs_dir};

#[cfg(test)]
mod tests;
