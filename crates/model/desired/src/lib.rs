//! What should be in a cluster: the request for a rendering, and its answer.
//!
//! Services do not know each other. Whoever needs manifests (the controller, the CLI)
//! holds a [`Renderer`]; the roof hands it one that renders in this process or asks another.
//! Everything here is a value but the trait itself, which is written with nothing but `std`.

mod answer;
mod request;

pub use answer::{DesiredObject, Origin, Remedy, RenderFailure, Rendered, SourceRevision};
pub use request::{Freshness, RenderRequest, Renderer, RepoChange, RepoListener};

/// A future that may move between threads, as the trait's methods return it.
pub type BoxFuture<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;
