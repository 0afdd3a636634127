//! The side that asks.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use hyper_util::rt::TokioIo;
use ring::digest;
use tokio::net::UnixStream;
use tonic::client::Grpc;
use tonic::transport::{Channel, Endpoint};
use tonic_prost::ProstCodec;

use crate::message::{
    AppStreamRequest, CheckPluginConfigurationResponse, Empty, EnvEntry, File,
    ManifestRequestMetadata, ManifestResponse, ParameterAnnouncement,
    ParametersAnnouncementResponse, Part, RepositoryResponse, path,
};

/// Bytes of one piece of the archive (upstream's `ARGOCD_CMP_CHUNK_SIZE` is 1024; a larger one
/// is understood as well and costs less).
const CHUNK_BYTES: usize = 64 << 10;
/// Bytes of one answer (upstream's `ARGOCD_GRPC_MAX_SIZE_MB`).
const ANSWER_BYTES_MAX: usize = 100 << 20;
/// To reach a socket and be told how the plugin is configured.
const CHECK_WITHIN: Duration = Duration::from_secs(10);

/// The plugins beside this process: one socket each, in one directory.
#[derive(Clone, Debug)]
pub struct Plugins {
    directory: PathBuf,
    timeout: Duration,
}

/// What a plugin is asked about.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The Application's name.
    pub app_name: String,
    /// Its path, from the archive's root.
    pub app_path: String,
    /// The files, as [`crate::archive::pack`] packs them.
    pub archive: Bytes,
    /// Variables of the commands' environment, in order.
    pub env: Vec<(String, String)>,
}

/// Why a plugin gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// There is no plugin of that name.
    #[error(
        "could not find cmp-server plugin with name {name:?} supporting the given repository: there is no socket `{socket}`; start the plugin's sidecar, or correct spec.source.plugin.name"
    )]
    Missing {
        /// The plugin.
        name: String,
        /// Where its socket would be.
        socket: String,
    },
    /// Its socket does not answer.
    #[error("plugin {name:?} does not answer at `{socket}`: {reason}")]
    Unreachable {
        /// The plugin.
        name: String,
        /// Its socket.
        socket: String,
        /// What happened.
        reason: String,
    },
    /// It answered with an error.
    #[error("plugin {name:?}: {reason}")]
    Failed {
        /// The plugin.
        name: String,
        /// Its own words.
        reason: String,
    },
}

impl Plugins {
    /// Plugins whose sockets lie in `directory`; each call may take `timeout`.
    pub fn new(directory: impl Into<PathBuf>, timeout: Duration) -> Self {
        Self { directory: directory.into(), timeout }
    }

    /// The names of all sockets, sorted; none where there is no such directory.
    pub fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| name.strip_suffix(".sock").map(str::to_owned))
            .collect();
        names.sort();
        names
    }

    /// How a plugin is configured.
    ///
    /// # Errors
    ///
    /// [`PluginError`].
    pub async fn check(&self, name: &str) -> Result<CheckPluginConfigurationResponse, PluginError> {
        let mut plugin = self.connect(name).await?;
        let codec = ProstCodec::<Empty, CheckPluginConfigurationResponse>::default();
        let mut request = tonic::Request::new(Empty {});
        request.set_timeout(CHECK_WITHIN);
        let answer = plugin.grpc.unary(request, PathAndQuery::from_static(path::CHECK), codec);
        plugin_answer(name, answer.await)
    }

    /// Whether a plugin is for these files.
    ///
    /// # Errors
    ///
    /// [`PluginError`].
    pub async fn matches(&self, name: &str, request: &Request) -> Result<bool, PluginError> {
        let answer: RepositoryResponse = self.stream(name, path::MATCH, request).await?;
        Ok(answer.is_supported)
    }

    /// The manifests that a plugin generates, a document each.
    ///
    /// # Errors
    ///
    /// [`PluginError`].
    pub async fn generate(
        &self,
        name: &str,
        request: &Request,
    ) -> Result<Vec<String>, PluginError> {
        let answer: ManifestResponse = self.stream(name, path::GENERATE, request).await?;
        Ok(answer.manifests)
    }

    /// The parameters that a plugin takes.
    ///
    /// # Errors
    ///
    /// [`PluginError`].
    pub async fn parameters(
        &self,
        name: &str,
        request: &Request,
    ) -> Result<Vec<ParameterAnnouncement>, PluginError> {
        let answer: ParametersAnnouncementResponse =
            self.stream(name, path::PARAMETERS, request).await?;
        Ok(answer.parameter_announcements)
    }

    async fn stream<Answer: prost::Message + Default + Send + Sync + 'static>(
        &self,
        name: &str,
        path: &'static str,
        request: &Request,
    ) -> Result<Answer, PluginError> {
        let mut plugin = self.connect(name).await?;
        let codec = ProstCodec::<AppStreamRequest, Answer>::default();
        let mut request = tonic::Request::new(tokio_stream::iter(pieces(request)));
        request.set_timeout(self.timeout);
        let answer = plugin.grpc.client_streaming(request, PathAndQuery::from_static(path), codec);
        plugin_answer(name, answer.await)
    }

    async fn connect(&self, name: &str) -> Result<Plugin, PluginError> {
        let socket = self.directory.join(format!("{name}.sock"));
        let missing =
            || PluginError::Missing { name: name.to_owned(), socket: socket.display().to_string() };
        // A name is a file's name, and no way to another directory.
        if name.is_empty() || Path::new(name).components().count() != 1 || name.contains("..") {
            return Err(missing());
        }
        if !socket.exists() {
            return Err(missing());
        }
        let unreachable = |reason: String| PluginError::Unreachable {
            name: name.to_owned(),
            socket: socket.display().to_string(),
            reason,
        };
        let place = socket.clone();
        let connector = tower::service_fn(move |_: http::Uri| {
            let place = place.clone();
            async move { UnixStream::connect(place).await.map(TokioIo::new) }
        });
        let channel = Endpoint::from_static("http://plugin")
            .connect_timeout(CHECK_WITHIN)
            .connect_with_connector(connector)
            .await
            .map_err(|error| unreachable(chain(&error)))?;
        let mut grpc = Grpc::new(channel)
            .max_decoding_message_size(ANSWER_BYTES_MAX)
            .max_encoding_message_size(ANSWER_BYTES_MAX);
        grpc.ready().await.map_err(|error| unreachable(chain(&error)))?;
        Ok(Plugin { grpc })
    }
}

struct Plugin {
    grpc: Grpc<Channel>,
}

fn plugin_answer<T>(
    name: &str,
    answer: Result<tonic::Response<T>, tonic::Status>,
) -> Result<T, PluginError> {
    answer.map(tonic::Response::into_inner).map_err(|status| PluginError::Failed {
        name: name.to_owned(),
        reason: match status.code() {
            tonic::Code::Unknown => status.message().to_owned(),
            code => format!("{} ({code:?})", status.message()),
        },
    })
}

fn pieces(request: &Request) -> Vec<AppStreamRequest> {
    let part = |part| AppStreamRequest { request: Some(part) };
    let mut checksum = String::new();
    for byte in digest::digest(&digest::SHA256, &request.archive).as_ref() {
        write!(checksum, "{byte:02x}").expect("memory takes text");
    }
    let env = request.env.iter();
    let env = env.map(|(name, value)| EnvEntry { name: name.clone(), value: value.clone() });
    let mut parts = vec![part(Part::Metadata(ManifestRequestMetadata {
        app_name: request.app_name.clone(),
        app_rel_path: request.app_path.clone(),
        checksum,
        size: i64::try_from(request.archive.len()).expect("it fits in memory"),
        env: env.collect(),
    }))];
    let mut rest = request.archive.clone();
    while !rest.is_empty() {
        let chunk = rest.split_to(rest.len().min(CHUNK_BYTES));
        parts.push(part(Part::File(File { chunk })));
    }
    parts
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let _ = write!(text, ": {cause}");
        next = cause.source();
    }
    text
}
