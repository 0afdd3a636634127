//! Charts to manifests, as Helm gives them to Argo CD.
//!
//! A chart (a directory of a [`filetree::FileTree`], or an archive), values and what is known
//! of the cluster go in; documents in Helm's order come out, hooks included, each with its
//! objects. Subcharts, their conditions and aliases, values, globals, schemas and templates
//! work as in Helm 4.2, or 3.19 where [`Profile`] says so.
//!
//! Nothing is fetched and nothing is written. A chart that is not there is an answer
//! ([`HelmError::Needs`]); chance and time come in as [`Chance`]; what was asked of the
//! cluster comes out as [`Asked`], so that a caller knows when the answer holds again. What was
//! parsed is kept in a [`Cache`] that the caller owns.
//!
//! Start at [`render`].

mod archive;
mod asked;
mod cache;
mod capabilities;
mod chart;
mod coalesce;
mod complaint;
mod content;
mod dependencies;
mod directory;
mod document;
mod engine;
mod error;
mod file;
mod files;
mod frozen;
mod functions;
mod head;
mod hints;
mod ignore;
mod impure;
mod memo;
mod metadata;
mod order;
mod origin;
mod profile;
mod quick;
mod record;
mod release_name;
mod render;
mod request;
mod root_object;
mod schema;
mod split;
mod store;
mod strvals;
mod tables;
mod typed;
mod values;
mod versions;

pub use asked::Asked;
pub use cache::Cache;
pub use document::{Contents, Object, ReadObjects, Reading, StandsAlone};
pub use error::{Failure, Fault, Frame, HelmError, NeededChart, Place};
pub use impure::Chance;
pub use profile::Profile;
pub use render::{TemplateText, render, render_texts};
pub use request::{
    ChartSource, Document, Limits, Part, ReadFile, Rendering, Request, ValuesFile, Vendored,
};

#[cfg(test)]
mod tests;
