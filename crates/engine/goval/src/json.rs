//! Go's `encoding/json`.

mod read;
mod write;

pub use read::{Numbers, read};
pub use write::{Style, format_number, write};
