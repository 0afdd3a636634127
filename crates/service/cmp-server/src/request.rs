//! What is done for one request.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use plugins::archive::unpack;
use plugins::message::{
    AppStreamRequest, ManifestRequestMetadata, ManifestResponse, ParameterAnnouncement,
    ParametersAnnouncementResponse, Part, RepositoryResponse,
};
use ring::digest;
use tempfile::TempDir;
use tokio::time::Instant;
use tonic::{Status, Streaming};

use crate::command::{self, Run};
use crate::config::{Command, Parameter, PluginConfig};
use crate::discover;

/// An archive as it is sent, in bytes.
const ARCHIVE_BYTES_MAX: i64 = 1 << 30;
/// Its files, in bytes.
const FILES_BYTES_MAX: u64 = 4 << 30;

/// Everything that requests share.
pub(crate) struct Plugin {
    pub(crate) config: PluginConfig,
    pub(crate) work_dir: PathBuf,
}

/// A request's files in a directory of their own, which goes with this value.
struct Workplace {
    directory: TempDir,
    metadata: ManifestRequestMetadata,
}

impl Workplace {
    /// The Application's directory, which lies inside.
    fn app_directory(&self) -> Result<PathBuf, Status> {
        let root = self.directory.path();
        let path = root.join(self.metadata.app_rel_path.trim_start_matches('/'));
        let outside = || Status::unknown("illegal appPath: out of workDir bound");
        let real = path.canonicalize().map_err(|error| {
            Status::unknown(format!("appPath {}: {error}", self.metadata.app_rel_path))
        })?;
        let root = root.canonicalize().map_err(|_| outside())?;
        if real.starts_with(root) { Ok(real) } else { Err(outside()) }
    }

    fn env(&self) -> Vec<(String, String)> {
        let given = self.metadata.env.iter();
        // An empty variable is passed over, as upstream does.
        given
            .filter(|entry| !entry.name.is_empty() && !entry.value.is_empty())
            .map(|entry| (entry.name.clone(), entry.value.clone()))
            .collect()
    }
}

impl Plugin {
    pub(crate) async fn generate(
        self: Arc<Self>,
        stream: Streaming<AppStreamRequest>,
        deadline: Instant,
    ) -> Result<ManifestResponse, Status> {
        let received = self.receive(stream).await;
        let place = received.map_err(|why| {
            Status::unknown(format!("generate manifest error receiving stream: {why}"))
        })?;
        let directory = place.app_directory()?;
        let env = place.env();
        let failed = |why: String| Status::unknown(format!("error generating manifests: {why}"));
        let spec = &self.config.spec;
        if !spec.init.command.is_empty() {
            run(&spec.init, &directory, &env, deadline).await.map_err(failed)?;
        }
        let printed = run(&spec.generate, &directory, &env, deadline).await.map_err(failed)?;
        let mut manifests = Vec::new();
        for chunk in goyaml::split(printed.as_bytes()) {
            let chunk = chunk.map_err(|error| failed(error.to_string()))?;
            let text = String::from_utf8_lossy(&chunk.bytes).into_owned();
            if !text.trim().is_empty() {
                manifests.push(text);
            }
        }
        Ok(ManifestResponse { manifests, source_type: String::new() })
    }

    pub(crate) async fn matches(
        self: Arc<Self>,
        stream: Streaming<AppStreamRequest>,
        deadline: Instant,
    ) -> Result<RepositoryResponse, Status> {
        let received = self.receive(stream).await;
        let place = received.map_err(|why| {
            Status::unknown(format!("match repository error receiving stream: {why}"))
        })?;
        let directory = place.app_directory()?;
        let found = discover::is_for(&self.config, &directory, &place.env(), deadline).await;
        let is_supported =
            found.map_err(|why| Status::unknown(format!("match repository error: {why}")))?;
        Ok(RepositoryResponse { is_supported, is_discovery_enabled: self.config.discovers() })
    }

    pub(crate) async fn parameters(
        self: Arc<Self>,
        stream: Streaming<AppStreamRequest>,
        deadline: Instant,
    ) -> Result<ParametersAnnouncementResponse, Status> {
        let received = self.receive(stream).await;
        let place = received.map_err(|why| {
            Status::unknown(format!("parameters announcement error receiving stream: {why}"))
        })?;
        let directory = place.app_directory()?;
        let spec = &self.config.spec.parameters;
        let mut all = Vec::new();
        if !spec.dynamic.command.is_empty() {
            let failed =
                |why: String| Status::unknown(format!("get parameters announcement error: {why}"));
            let printed = run(&spec.dynamic, &directory, &place.env(), deadline).await;
            let printed = printed.map_err(failed)?;
            let found: Vec<Parameter> = serde_json::from_str(&printed).map_err(|error| {
                failed(format!("error unmarshaling dynamic parameter output: {error}"))
            })?;
            all.extend(found.into_iter().map(ParameterAnnouncement::from));
        }
        all.extend(spec.fixed.iter().cloned().map(ParameterAnnouncement::from));
        Ok(ParametersAnnouncementResponse { parameter_announcements: all })
    }

    /// Takes the files in.
    async fn receive(&self, mut stream: Streaming<AppStreamRequest>) -> Result<Workplace, String> {
        let first = stream.message().await.map_err(|status| status.message().to_owned())?;
        let Some(Part::Metadata(metadata)) = first.and_then(|message| message.request) else {
            return Err("the first message is not the metadata".to_owned());
        };
        if metadata.size > ARCHIVE_BYTES_MAX {
            return Err(format!("the archive has more than {ARCHIVE_BYTES_MAX} bytes"));
        }
        let io = |error: std::io::Error| error.to_string();
        let mut file = tempfile::tempfile_in(&self.work_dir).map_err(io)?;
        let mut sha = digest::Context::new(&digest::SHA256);
        let mut size = 0_i64;
        while let Some(message) =
            stream.message().await.map_err(|status| status.message().to_owned())?
        {
            let Some(Part::File(piece)) = message.request else {
                return Err("a message of the stream holds no piece of the archive".to_owned());
            };
            size += i64::try_from(piece.chunk.len()).unwrap_or(i64::MAX);
            if size > ARCHIVE_BYTES_MAX {
                return Err(format!("the archive has more than {ARCHIVE_BYTES_MAX} bytes"));
            }
            sha.update(&piece.chunk);
            file.write_all(&piece.chunk).map_err(io)?;
        }
        let mut checksum = String::new();
        for byte in sha.finish().as_ref() {
            use std::fmt::Write as _;
            write!(checksum, "{byte:02x}").expect("memory takes text");
        }
        if checksum != metadata.checksum {
            return Err("file checksum mismatch: the archive arrived damaged".to_owned());
        }
        let directory = TempDir::new_in(&self.work_dir).map_err(io)?;
        let place = directory.path().to_owned();
        let preserve = self.config.spec.preserve_file_mode;
        let unpacked = tokio::task::spawn_blocking(move || {
            use std::io::Seek as _;
            file.rewind().map_err(|error| error.to_string())?;
            let mut archive = std::io::BufReader::new(file);
            unpack(&mut archive, &place, preserve, FILES_BYTES_MAX)
                .map_err(|error| error.to_string())
        });
        unpacked.await.map_err(|error| error.to_string())??;
        Ok(Workplace { directory, metadata })
    }
}

async fn run(
    command: &Command,
    directory: &Path,
    env: &[(String, String)],
    deadline: Instant,
) -> Result<String, String> {
    let Command { command, args } = command;
    command::run(Run { command, args, directory, env, deadline }).await
}
