//! Mirrors.
pub(crate) struct Mirror;
