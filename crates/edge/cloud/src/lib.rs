//! Tokens by which the clusters of AWS, Google and Azure let a workload in.
//!
//! Who we are is found as those clouds' own tools find it: variables of the environment, files
//! that are mounted, and servers that only the workload can reach. No program is run and nothing
//! is kept: who asks keeps the token until it expires. Begin at [`aws`], [`google`] and [`azure`].

mod aws;
mod azure;
mod google;
mod http;
mod oauth;
mod profile;
mod signing;
mod surroundings;

#[cfg(test)]
mod tests;

pub use aws::{Aws, aws};
pub use azure::azure;
pub use google::google;
pub use surroundings::{CloudError, Login, Surroundings};
