//! Charts with their subcharts, as they are while one rendering works with them.
//!
//! Helm points from chart to chart and shares metadata between copies of one chart (under two
//! aliases, for one); numbers stand for its pointers here, so that what it shares is shared.

use std::sync::Arc;

use goval::Map;

use crate::archive;
use crate::cache::Cache;
use crate::content::{self, Content};
use crate::error::Failure;
use crate::file::{File, ending};
use crate::metadata::Metadata;
use crate::profile::Profile;

/// Charts inside each other.
const DEPTH_MAX: usize = 50;
/// Charts in all: copies for aliases count.
const CHARTS_MAX: usize = 2_000;

/// One chart of [`Charts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChartId(usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MetadataId(usize);

/// A chart, its subcharts and theirs.
pub(crate) struct Charts {
    charts: Vec<Chart>,
    metadata: Vec<Metadata>,
}

#[derive(Clone)]
struct Chart {
    metadata: MetadataId,
    content: Arc<Content>,
    parent: Option<ChartId>,
    dependencies: Vec<ChartId>,
    /// Its defaults; importing values replaces them.
    values: Option<Map>,
    /// Where its files lie, from the root chart's folder.
    folder: Arc<str>,
}

impl Charts {
    /// Loads a chart from its files, and all charts under its `charts/`.
    ///
    /// # Errors
    ///
    /// Helm's words.
    pub(crate) fn load(
        files: &[File],
        profile: Profile,
        cache: &Cache,
    ) -> Result<(Self, ChartId), Failure> {
        let mut charts = Self { charts: Vec::new(), metadata: Vec::new() };
        let root = charts.add(files, "", 0, profile, cache)?;
        Ok((charts, root))
    }

    fn add(
        &mut self,
        files: &[File],
        folder: &str,
        depth: usize,
        profile: Profile,
        cache: &Cache,
    ) -> Result<ChartId, Failure> {
        if depth > DEPTH_MAX {
            return Err(Failure::chart(format!("more than {DEPTH_MAX} charts inside each other")));
        }
        let (content, subcharts) = content::sort(files, profile, cache)?;
        let name = content.metadata.name.clone();
        let metadata = self.push_metadata(content.metadata.clone());
        let values = content.values.as_ref().map(|values| values.thaw_map());
        let id = self.push(Chart {
            metadata,
            content: Arc::new(content),
            parent: None,
            dependencies: Vec::new(),
            values,
            folder: folder.into(),
        })?;
        for packed in subcharts {
            if packed.name.starts_with(['_', '.']) {
                continue;
            }
            let folder = format!("{folder}charts/{}/", packed.name);
            let loaded = match ending(&packed.name) {
                ".tgz" => match packed.files.as_slice() {
                    [archive, ..] if archive.name.is_empty() => cache
                        .archive(archive.data(), archive::read)
                        .map_err(Failure::chart)
                        .and_then(|files| self.add(&files, &folder, depth + 1, profile, cache)),
                    [file, ..] => {
                        return Err(Failure::chart(format!(
                            "error unpacking subchart tar in {name}: expected {0}, got {0}/{1}",
                            packed.name, file.name
                        )));
                    }
                    [] => continue,
                },
                _ => {
                    let files: Vec<File> =
                        packed.files.into_iter().filter(|file| !file.name.is_empty()).collect();
                    self.add(&files, &folder, depth + 1, profile, cache)
                }
            };
            let sub = loaded.map_err(|failure| {
                failure
                    .inside(&folder, &format!("error unpacking subchart {} in {name}", packed.name))
            })?;
            self.adopt(id, sub);
        }
        Ok(id)
    }

    fn push(&mut self, chart: Chart) -> Result<ChartId, Failure> {
        if self.charts.len() == CHARTS_MAX {
            return Err(Failure::chart(format!("more than {CHARTS_MAX} charts together")));
        }
        self.charts.push(chart);
        Ok(ChartId(self.charts.len() - 1))
    }

    fn push_metadata(&mut self, metadata: Metadata) -> MetadataId {
        self.metadata.push(metadata);
        MetadataId(self.metadata.len() - 1)
    }

    fn adopt(&mut self, parent: ChartId, sub: ChartId) {
        self.charts[sub.0].parent = Some(parent);
        self.charts[parent.0].dependencies.push(sub);
    }

    /// The chart's subcharts are these from now on.
    pub(crate) fn set_dependencies(&mut self, chart: ChartId, subs: &[ChartId]) {
        self.charts[chart.0].dependencies.clear();
        for sub in subs {
            self.adopt(chart, *sub);
        }
    }

    /// A copy of a chart with metadata of its own; its subcharts are copied too, and share
    /// theirs.
    pub(crate) fn copy_for_parent(&mut self, chart: ChartId) -> Result<ChartId, Failure> {
        let metadata = self.metadata(chart).clone();
        let subs = self.charts[chart.0].dependencies.clone();
        let metadata = self.push_metadata(metadata);
        let mut copy = self.charts[chart.0].clone();
        copy.metadata = metadata;
        copy.dependencies.clear();
        let copy = self.push(copy)?;
        for sub in subs {
            let sub = self.charts[sub.0].clone();
            let sub = self.push(sub)?;
            self.adopt(copy, sub);
        }
        Ok(copy)
    }

    pub(crate) fn metadata(&self, chart: ChartId) -> &Metadata {
        &self.metadata[self.charts[chart.0].metadata.0]
    }

    pub(crate) fn metadata_mut(&mut self, chart: ChartId) -> &mut Metadata {
        let id = self.charts[chart.0].metadata;
        &mut self.metadata[id.0]
    }

    pub(crate) fn name(&self, chart: ChartId) -> &str {
        &self.metadata(chart).name
    }

    pub(crate) fn content(&self, chart: ChartId) -> &Arc<Content> {
        &self.charts[chart.0].content
    }

    /// Where the chart's files lie, from the root chart's folder; ends with `/`, or is empty.
    pub(crate) fn folder(&self, chart: ChartId) -> &str {
        &self.charts[chart.0].folder
    }

    pub(crate) fn values(&self, chart: ChartId) -> Option<&Map> {
        self.charts[chart.0].values.as_ref()
    }

    pub(crate) fn set_values(&mut self, chart: ChartId, values: Map) {
        self.charts[chart.0].values = Some(values);
    }

    pub(crate) fn dependencies(&self, chart: ChartId) -> impl Iterator<Item = ChartId> + '_ {
        self.charts[chart.0].dependencies.iter().copied()
    }

    pub(crate) fn has_dependency(&self, chart: ChartId, name: &[u8]) -> bool {
        self.dependencies(chart).any(|sub| self.name(sub).as_bytes() == name)
    }

    pub(crate) fn is_root(&self, chart: ChartId) -> bool {
        self.charts[chart.0].parent.is_none()
    }

    pub(crate) fn is_library(&self, chart: ChartId) -> bool {
        self.metadata(chart).kind.eq_ignore_ascii_case("library")
    }

    /// The names of the charts from the root down: `parent/charts/child`.
    pub(crate) fn full_path(&self, chart: ChartId) -> String {
        match self.charts[chart.0].parent {
            None => self.name(chart).to_owned(),
            Some(parent) => format!("{}/charts/{}", self.full_path(parent), self.name(chart)),
        }
    }
}
