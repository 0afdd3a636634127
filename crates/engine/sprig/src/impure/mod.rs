//! Where randomness and time come from: three ways.
//!
//! [`Stable`] gives the same values at every rendering, [`Fresh`] new ones as Helm does, and
//! [`Pinned`] fixed ones for snapshots.

mod fresh;
mod pinned;
mod stable;

pub use fresh::Fresh;
pub use pinned::Pinned;
pub use stable::{Made, Stable};
