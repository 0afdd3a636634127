//! One source of an Application to its objects.
//!
//! The files come in as a [`filetree::FileTree`], everything else as [`Input`]; objects come
//! out in the order in which upstream gives them, each with the file and line where it was
//! written. Nothing is added to an object: tracking, namespaces and hooks are the
//! controller's.
//!
//! What a rendering asked of the tree is what it depends on: a caller who hands over a
//! [`filetree::Recording`] knows afterwards which commits change nothing. That is why a
//! directory is only ever listed here, and never asked for its content as a whole.
//!
//! Start at [`render_source`]. Rules and words are upstream's (`reposerver/repository`).

mod charts;
mod directory;
mod env;
mod error;
mod hash;
mod known;
mod kustomizations;
mod manifests;
mod needs;
mod overrides;
mod plugin;
mod programs;
mod refresh_paths;
mod run;
mod source_type;
mod text;
mod value_files;

pub use charts::{
    ChartMeans, NO_NAME, NO_NAMESPACE, READING, READING_ALONE, READING_TEXTS, one_by_one,
    plain_version, read_objects, render_chart,
};
pub use env::BuildEnv;
pub use error::RenderError;
pub use hash::{object_hash, rendering_key};
pub use known::KnownFiles;
pub use needs::{Asked, Fetched, Need, Reach};
pub use plugin::{PluginCall, plugin_call, read_plugin_output};
pub use refresh_paths::{files_have_changed, refresh_paths};
pub use run::{
    Input, Options, Printed, RenderedSource, render_printed, render_source, render_source_again,
    render_source_with,
};
pub use source_type::SourceType;

#[cfg(test)]
mod tests;
