//! One Kubernetes cluster: what it serves, what lives in it, and the one way to write to it.
//!
//! A [`Cluster`] is a cheap handle. From it come reads, a [`LiveSet`] (everything that lives in
//! the cluster, kept up by watches), a [`Writer`] (every write to a destination, each one past a
//! [`Gate`]) and a [`Home`] (writes to our own objects: Applications, Events, Leases).
//!
//! This crate decides nothing. What to track, what to leave out and what may be written it is
//! told, by a [`Lens`], a predicate and a [`Gate`]. It is the only crate that names kube, and no
//! message, log or debug output of it holds data of a Secret.
//!
//! Start at [`Cluster::connect`].

mod access;
mod begin;
mod client;
mod compact;
mod echo;
mod error;
mod follow;
mod home;
mod kinds;
mod leadership;
mod limits;
mod live;
mod redact;
mod transport;
mod watch;
mod write;
mod writer;

pub use access::{Access, ConnectError, SecretAccess};
pub use client::{Cluster, ListQuery, Question, ServerVersion};
pub use echo::Writing;
pub use error::{ApiError, Cause, Remedy};
pub use follow::FollowState;
pub use home::Home;
pub use kinds::{BrokenGroup, KindInfo, Kinds, excluded_always};
pub use leadership::{Leadership, LeaseSpec, lead};
pub use limits::{Dial, Limits};
pub use live::{
    Change, KindState, KindStatus, Lens, LiveEvent, LiveEvents, LiveObject, LiveOptions, LiveSet,
    LiveStatus, NotReady, Owner, fingerprint,
};
pub use watch::{Knows, ObjectEvent, WatchSpec, Watching};
pub use write::{
    Action, Asked, Gate, Patch, Permit, Propagation, Refusal, Validation, Write, Written,
};
pub use writer::Writer;

#[cfg(test)]
mod tests;
