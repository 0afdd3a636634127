//! Charts in repositories and registries, and images with manifests in them.

mod archive;
mod index;
mod trees;
mod version;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use filetree::FileTree;
use parking_lot::Mutex;
use source::{
    BadImage, Credentials, Digest256, Freshness, Image, Manifest, SourceError, Want, Web,
};
use tokio::time::Instant;

use crate::credentials::credentials_of;
use crate::pin::{Artifact, ArtifactPlace, Pin};
use crate::surroundings::Snapshot;
use index::{BadIndex, Release};
use trees::Trees;
use version::Wanted;

/// Layers with a chart in them.
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
/// Layers with plain files in them (upstream's `reposerver.oci.layer.media.types`).
const FILE_LAYERS: [&str; 2] =
    ["application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip"];
/// How long a registry's tags are believed, as long as nobody wants the newest.
const TAGS_BELIEVED: Duration = Duration::from_secs(120);
/// Images whose tags are remembered; more begins anew.
const TAGGED_MAX: usize = 1024;
/// Charts whose releases are remembered; more begins anew.
const RELEASES_MAX: usize = 1024;

/// Finds where a repository's chart, or the image that it is, lies.
///
/// An `oci://` URL is a registry, and so is a Helm repository that says so (`enableOCI`).
pub(crate) fn shelf_of(
    repository: &settings::Repository,
    chart: &str,
    pass_credentials: bool,
    snapshot: &Snapshot,
) -> Result<Shelf, ArtifactError> {
    let credentials = Arc::new(credentials_of(repository, snapshot));
    let url = repository.url.as_str();
    if repository.oci || url.starts_with("oci://") {
        let image = Image::parse(url, repository.credentials.oci_force_http)?;
        let image = if chart.is_empty() { image } else { image.join(chart)? };
        return Ok(Shelf::Registry { image, chart: !chart.is_empty(), credentials });
    }
    let (url, chart) = (url.to_owned(), chart.to_owned());
    Ok(Shelf::Repository { url, chart, credentials, pass_credentials })
}

/// Where a source's artifacts are.
#[derive(Clone, Debug)]
pub(crate) enum Shelf {
    /// A chart repository.
    Repository {
        url: String,
        chart: String,
        credentials: Arc<Credentials>,
        /// Whether charts on other hosts are told the credentials too.
        pass_credentials: bool,
    },
    /// An image in a registry, with a chart or with plain files in it.
    Registry { image: Image, chart: bool, credentials: Arc<Credentials> },
}

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArtifactError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Image(#[from] BadImage),
    #[error("the index of chart repository `{url}` cannot be used: {problem}")]
    Index { url: String, problem: BadIndex },
    #[error("chart `{chart}` is not in the index of `{url}`; check spec.source.chart")]
    NoChart { url: String, chart: String },
    #[error("`{wanted}` matches no version of {what}{hint}; check spec.source.targetRevision")]
    NoVersion { what: String, wanted: String, hint: String },
    #[error("`{what}` cannot be unpacked: {problem}")]
    Archive { what: String, problem: String },
    #[error("`{what}` is no artifact that manifests are read from: {problem}")]
    Layers { what: String, problem: String },
}

type Tags = (Instant, Arc<Vec<String>>);
type Releases = Arc<Vec<Release>>;

pub(crate) struct Artifacts {
    web: Web,
    trees: Mutex<Trees>,
    /// By the index's digest and the chart's name.
    releases: Mutex<HashMap<(Digest256, String), Releases>>,
    tags: Mutex<HashMap<Image, Tags>>,
}

impl Artifacts {
    pub(crate) fn new(web: Web) -> Self {
        Self {
            web,
            trees: Mutex::new(Trees::default()),
            releases: Mutex::default(),
            tags: Mutex::default(),
        }
    }

    /// The gate that artifacts are fetched through.
    pub(crate) fn web(&self) -> &Web {
        &self.web
    }

    /// Finds what a revision means: a version, a range of them, a tag or a digest.
    pub(crate) async fn resolve(
        &self,
        shelf: &Shelf,
        revision: &str,
        freshness: Freshness,
    ) -> Result<Pin, ArtifactError> {
        let artifact = match shelf {
            Shelf::Repository { url, chart, credentials, .. } => {
                self.chart(url, chart, credentials, revision, freshness).await?
            }
            Shelf::Registry { image, chart, credentials } => {
                self.image(image, *chart, credentials, revision, freshness).await?
            }
        };
        Ok(Pin::Artifact(Arc::new(artifact)))
    }

    async fn chart(
        &self,
        url: &str,
        chart: &str,
        credentials: &Credentials,
        revision: &str,
        freshness: Freshness,
    ) -> Result<Artifact, ArtifactError> {
        let releases = self.releases(url, chart, credentials, freshness).await?;
        if releases.is_empty() {
            return Err(ArtifactError::NoChart {
                url: source::redact(url),
                chart: chart.to_owned(),
            });
        }
        let wanted = Wanted::of(revision);
        let versions = releases.iter().map(|release| release.version.as_str());
        let found = wanted.best(versions).ok_or_else(|| ArtifactError::NoVersion {
            what: format!("chart `{chart}` in `{}`", source::redact(url)),
            wanted: revision.to_owned(),
            hint: known(releases.iter().map(|release| release.version.as_str())),
        })?;
        let release = releases
            .iter()
            .find(|release| release.version == found)
            .expect("the version is one of theirs");
        let place = absolute(url, &release.url).ok_or_else(|| ArtifactError::Index {
            url: source::redact(url),
            problem: BadIndex(format!("the URL of {chart} {found} is none")),
        })?;
        Ok(Artifact {
            revision: release.version.clone(),
            place: ArtifactPlace::File { url: place, digest: release.digest.clone() },
        })
    }

    /// All versions of a chart that a repository has.
    async fn releases(
        &self,
        url: &str,
        chart: &str,
        credentials: &Credentials,
        freshness: Freshness,
    ) -> Result<Releases, ArtifactError> {
        let place = format!("{}/index.yaml", url.trim_end_matches('/'));
        let index = self.web.get(&place, credentials, Want::Index, freshness).await?;
        let key = (index.digest, chart.to_owned());
        if let Some(known) = self.releases.lock().get(&key) {
            return Ok(known.clone());
        }
        let name = chart.to_owned();
        let read = tokio::task::spawn_blocking(move || index::releases(&index.content, &name));
        let read = read.await.unwrap_or_else(|_| Err(BadIndex("reading it broke down".to_owned())));
        let problem = |problem| ArtifactError::Index { url: source::redact(url), problem };
        let releases = Arc::new(read.map_err(problem)?);
        let mut known = self.releases.lock();
        if known.len() >= RELEASES_MAX {
            known.clear();
        }
        known.insert(key, releases.clone());
        Ok(releases)
    }

    async fn image(
        &self,
        image: &Image,
        chart: bool,
        credentials: &Credentials,
        revision: &str,
        freshness: Freshness,
    ) -> Result<Artifact, ArtifactError> {
        let wanted = Wanted::of(revision);
        let reference = match (&wanted, chart) {
            (Wanted::Exact(exact), _) => exact.clone(),
            // Without a range, an image's tag is taken as it is.
            (Wanted::Name(name), false) => name.clone(),
            _ => {
                let tags = self.tags(image, credentials, freshness).await?;
                // A tag cannot hold the `+` of a version.
                let versions: Vec<String> = tags.iter().map(|tag| tag.replace('_', "+")).collect();
                let found = wanted.best(versions.iter().map(String::as_str));
                found.map(str::to_owned).ok_or_else(|| ArtifactError::NoVersion {
                    what: format!("`{image}`"),
                    wanted: revision.to_owned(),
                    hint: known(versions.iter().map(String::as_str)),
                })?
            }
        };
        let tag = reference.replace('+', "_");
        let manifest = self.web.manifest(image, &tag, credentials).await?;
        let layer = content_layer(&manifest, chart)
            .map_err(|problem| ArtifactError::Layers { what: format!("{image}:{tag}"), problem })?;
        Ok(Artifact {
            revision: if chart { reference } else { manifest.digest.clone() },
            place: ArtifactPlace::Layer(layer),
        })
    }

    async fn tags(
        &self,
        image: &Image,
        credentials: &Credentials,
        freshness: Freshness,
    ) -> Result<Arc<Vec<String>>, ArtifactError> {
        let known = self.tags.lock().get(image).cloned();
        if let (Some((when, tags)), Freshness::Known) = (known, freshness)
            && when.elapsed() < TAGS_BELIEVED
        {
            return Ok(tags);
        }
        let tags = Arc::new(self.web.tags(image, credentials).await?);
        let mut known = self.tags.lock();
        if known.len() >= TAGGED_MAX {
            known.clear();
        }
        known.insert(image.clone(), (Instant::now(), tags.clone()));
        Ok(tags)
    }

    /// The files of an artifact, which may not be larger than the settings allow.
    pub(crate) async fn tree(
        &self,
        shelf: &Shelf,
        artifact: &Arc<Artifact>,
        settings: &settings::Rendering,
    ) -> Result<Arc<dyn FileTree>, ArtifactError> {
        let is_chart = match &artifact.place {
            ArtifactPlace::File { .. } => true,
            ArtifactPlace::Layer(layer) => layer.media_type == CHART_LAYER,
        };
        let bytes_max = match is_chart {
            true => settings.chart_bytes_max,
            false => settings.image_bytes_max,
        };
        if let Some(tree) = self.trees.lock().get(artifact, bytes_max) {
            return Ok(tree);
        }
        let bytes = self.archive(shelf, artifact).await?;
        let unpacked =
            tokio::task::spawn_blocking(move || archive::unpack(&bytes, is_chart, bytes_max));
        let unpacked = unpacked.await.unwrap_or_else(|_| Err("unpacking broke down".to_owned()));
        let (tree, size_bytes) = unpacked.map_err(|problem| ArtifactError::Archive {
            what: artifact.place.to_string(),
            problem,
        })?;
        let tree: Arc<dyn FileTree> = Arc::new(tree);
        self.trees.lock().put(artifact.clone(), tree.clone(), size_bytes);
        Ok(tree)
    }

    /// An artifact as it is sent.
    pub(crate) async fn archive(
        &self,
        shelf: &Shelf,
        artifact: &Artifact,
    ) -> Result<Arc<[u8]>, ArtifactError> {
        let broken =
            |problem| Err(ArtifactError::Archive { what: artifact.place.to_string(), problem });
        match (&artifact.place, shelf) {
            (
                ArtifactPlace::File { url, digest },
                Shelf::Repository { url: home, credentials, pass_credentials, .. },
            ) => {
                let told = if *pass_credentials || same_server(home, url) {
                    credentials.clone()
                } else {
                    Arc::new(credentials.without_secrets())
                };
                let bytes = self.web.get(url, &told, Want::Archive, Freshness::Known).await?;
                let sent = hex(&bytes.digest);
                let digest = digest.strip_prefix("sha256:").unwrap_or(digest);
                if !digest.is_empty() && !digest.eq_ignore_ascii_case(&sent) {
                    return broken(format!("its digest is {sent}, and the index says {digest}"));
                }
                Ok(bytes.content)
            }
            (ArtifactPlace::Layer(layer), Shelf::Registry { image, credentials, .. }) => {
                Ok(self.web.layer(image, layer, credentials).await?.content)
            }
            _ => broken("its place is of another kind than its repository".to_owned()),
        }
    }
}

/// The one layer that manifests are read from.
fn content_layer(manifest: &Manifest, chart: bool) -> Result<source::Layer, String> {
    let fits = |layer: &&source::Layer| {
        let kind = layer.media_type.as_str();
        kind == CHART_LAYER || (!chart && FILE_LAYERS.contains(&kind))
    };
    let fitting: Vec<&source::Layer> = manifest.layers.iter().filter(fits).collect();
    match fitting.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            let kinds: Vec<&str> =
                manifest.layers.iter().map(|layer| layer.media_type.as_str()).collect();
            Err(format!(
                "oci layer media type is not in the list of allowed media types: {kinds:?}"
            ))
        }
        several => Err(format!("expected only a single oci content layer, got {}", several.len())),
    }
}

/// A chart's URL, which may be relative to the repository's.
fn absolute(repository: &str, url: &str) -> Option<String> {
    if url.is_empty() {
        return None;
    }
    if url.contains("://") {
        return Some(url.to_owned());
    }
    match url.strip_prefix('/') {
        Some(_) => {
            let (scheme, rest) = repository.split_once("://")?;
            let host = rest.split('/').next()?;
            Some(format!("{scheme}://{host}{url}"))
        }
        None => Some(format!("{}/{url}", repository.trim_end_matches('/'))),
    }
}

fn same_server(one: &str, other: &str) -> bool {
    let server = |url: &str| {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split('/').next()?.rsplit('@').next()?;
        Some(format!("{}://{}", scheme.to_ascii_lowercase(), host.to_ascii_lowercase()))
    };
    server(one).is_some() && server(one) == server(other)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What there is instead, for an error.
fn known<'a>(versions: impl Iterator<Item = &'a str>) -> String {
    let some: Vec<&str> = versions.take(5).collect();
    match some.as_slice() {
        [] => " (there is none)".to_owned(),
        some => format!(" (there are {}, …)", some.join(", ")),
    }
}

#[cfg(test)]
pub(crate) mod tests;
