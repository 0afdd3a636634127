//! The server at the socket.

use std::convert::Infallible;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use plugins::message::{
    AppStreamRequest, CheckPluginConfigurationResponse, Empty, ManifestResponse,
    ParametersAnnouncementResponse, RepositoryResponse, path,
};
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::server::{ClientStreamingService, Grpc, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use crate::config::{BadConfig, PluginConfig};
use crate::request::Plugin;

/// The time between a command's end and the caller's, so that the caller hears why.
const BEFORE_DEADLINE: Duration = Duration::from_millis(100);
/// Requests whose files and commands are in work at once; others wait.
const REQUESTS_MAX: usize = 16;
/// Bytes of one message.
const MESSAGE_BYTES_MAX: usize = 100 << 20;

/// Where the plugin is configured, and where it is reached.
#[derive(Clone, Debug)]
pub struct Config {
    /// Holds `plugin.yaml`.
    pub config_dir: PathBuf,
    /// Sockets of plugins lie here.
    pub socket_dir: PathBuf,
    /// Files of requests lie here while they are in work; emptied at the start.
    pub work_dir: PathBuf,
    /// What commands may take where a request says nothing.
    pub timeout: Duration,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The plugin's configuration.
    #[error(transparent)]
    Config(#[from] BadConfig),
    /// A directory or the socket.
    #[error("{place}: {error}")]
    Io {
        /// Which.
        place: String,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Serves the plugin until `shutdown` is over; `ready` is told the socket's path.
///
/// # Errors
///
/// [`ServeError`].
pub async fn run(
    config: Config,
    ready: impl FnOnce(&std::path::Path),
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let plugin = PluginConfig::read(&config.config_dir)?;
    let at = |place: &std::path::Path| {
        let place = place.display().to_string();
        move |error| ServeError::Io { place, error }
    };
    match std::fs::remove_dir_all(&config.work_dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(at(&config.work_dir)(error));
        }
        _ => std::fs::create_dir_all(&config.work_dir).map_err(at(&config.work_dir))?,
    }
    let socket = config.socket_dir.join(format!("{}.sock", plugin.socket_name()));
    // What an earlier run left behind would be in the way.
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(at(&socket)(error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&socket).map_err(at(&socket))?;
    ready(&socket);
    let service = Service {
        plugin: Arc::new(Plugin { config: plugin, work_dir: config.work_dir }),
        timeout: config.timeout,
        permits: Arc::new(Semaphore::new(REQUESTS_MAX)),
    };
    let mut shutdown = std::pin::pin!(shutdown);
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let stream = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    tokio::task::yield_now().await;
                    continue;
                }
            },
        };
        let service = service.clone();
        connections.spawn(async move {
            let answer = hyper::service::service_fn(move |request| service.clone().answer(request));
            let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            if let Err(error) = served {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    connections.shutdown().await;
    // Somebody who looks at the directory need not try this one.
    let _ = std::fs::remove_file(&socket);
    Ok(())
}

#[derive(Clone)]
struct Service {
    plugin: Arc<Plugin>,
    timeout: Duration,
    permits: Arc<Semaphore>,
}

impl Service {
    async fn answer(
        self,
        request: http::Request<Incoming>,
    ) -> Result<http::Response<tonic::body::Body>, Infallible> {
        let within = timeout_of(&request).unwrap_or(self.timeout);
        let deadline = Instant::now() + within.saturating_sub(BEFORE_DEADLINE);
        let call = Call { service: self.clone(), deadline };
        Ok(match request.uri().path() {
            path::CHECK => {
                grpc::<Empty, CheckPluginConfigurationResponse>().unary(Check(self), request).await
            }
            path::GENERATE => grpc().client_streaming(Generate(call), request).await,
            path::MATCH => grpc().client_streaming(Match(call), request).await,
            path::PARAMETERS => grpc().client_streaming(Announce(call), request).await,
            other => Status::unimplemented(format!("unknown method {other}")).into_http(),
        })
    }
}

fn grpc<Asked, Answer>() -> Grpc<ProstCodec<Answer, Asked>>
where
    Asked: prost::Message + Default + Send + Sync + 'static,
    Answer: prost::Message + Default + Send + Sync + 'static,
{
    Grpc::new(ProstCodec::default())
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX)
}

/// The header `grpc-timeout`: digits and a unit.
fn timeout_of<B>(request: &http::Request<B>) -> Option<Duration> {
    let text = request.headers().get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(amount.saturating_mul(3600)),
        "M" => Duration::from_secs(amount.saturating_mul(60)),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

type Answering<T> = Pin<Box<dyn Future<Output = Result<Response<T>, Status>> + Send>>;

struct Check(Service);

impl UnaryService<Empty> for Check {
    type Response = CheckPluginConfigurationResponse;
    type Future = Answering<Self::Response>;

    fn call(&mut self, _: Request<Empty>) -> Self::Future {
        let config = &self.0.plugin.config;
        let answer = CheckPluginConfigurationResponse {
            is_discovery_configured: config.discovers(),
            provide_git_creds: config.spec.provide_git_creds,
        };
        Box::pin(std::future::ready(Ok(Response::new(answer))))
    }
}

/// One request with files.
#[derive(Clone)]
struct Call {
    service: Service,
    deadline: Instant,
}

impl Call {
    fn run<T, Work>(
        &self,
        request: Request<Streaming<AppStreamRequest>>,
        work: impl FnOnce(Arc<Plugin>, Streaming<AppStreamRequest>, Instant) -> Work + Send + 'static,
    ) -> Answering<T>
    where
        Work: Future<Output = Result<T, Status>> + Send,
    {
        let Self { service, deadline } = self.clone();
        Box::pin(async move {
            let permit = tokio::time::timeout_at(deadline, service.permits.acquire()).await;
            let _permit = permit
                .map_err(|_| Status::deadline_exceeded("the plugin is busy with other requests"))?
                .map_err(|_| Status::unavailable("the plugin ends"))?;
            work(service.plugin, request.into_inner(), deadline).await.map(Response::new)
        })
    }
}

struct Generate(Call);
struct Match(Call);
struct Announce(Call);

impl ClientStreamingService<AppStreamRequest> for Generate {
    type Response = ManifestResponse;
    type Future = Answering<Self::Response>;

    fn call(&mut self, request: Request<Streaming<AppStreamRequest>>) -> Self::Future {
        self.0.run(request, Plugin::generate)
    }
}

impl ClientStreamingService<AppStreamRequest> for Match {
    type Response = RepositoryResponse;
    type Future = Answering<Self::Response>;

    fn call(&mut self, request: Request<Streaming<AppStreamRequest>>) -> Self::Future {
        self.0.run(request, Plugin::matches)
    }
}

impl ClientStreamingService<AppStreamRequest> for Announce {
    type Response = ParametersAnnouncementResponse;
    type Future = Answering<Self::Response>;

    fn call(&mut self, request: Request<Streaming<AppStreamRequest>>) -> Self::Future {
        self.0.run(request, Plugin::parameters)
    }
}
