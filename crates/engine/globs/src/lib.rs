//! Patterns for names and paths, in the three languages that users of Argo CD know.
//!
//! | language | where it is written | its `*` |
//! |---|---|---|
//! | [`Glob`] (gobwas/glob) | projects, policies, `directory.include` | crosses everything but the separators that the caller names |
//! | [`file_match`] (Go's `filepath.Match`) | `manifest-generate-paths` | crosses no `/` |
//! | [`PathGlob`] (doublestar) | value files, generators | crosses no `/`; `**` is any number of directories |
//!
//! No pattern, however odd, is slow: what can branch is one small machine that looks at each
//! character once. Where the Go library loses its way between several stars (`*b***` does not
//! match `b` there), a pattern here means what it says.

mod file;
mod gobwas;
mod machine;
mod path;

pub use file::{BadPattern, file_match};
pub use gobwas::{Glob, GlobError};
pub use path::PathGlob;

#[cfg(test)]
mod tests;
