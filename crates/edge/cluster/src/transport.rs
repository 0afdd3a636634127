//! Requests and answers: connections, limits, waits, and what an answer that is no success means.
//!
//! Calls share one HTTP/2 connection; watches are spread over others, [`STREAMS_PER_CONNECTION`]
//! on each, since a server lets no more than 100 or so run on one.

use std::borrow::Cow;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper_rustls::{FixedServerNameResolver, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connect, HttpConnector};
use hyper_util::client::legacy::{Client as HyperClient, Error as HyperError, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ConfigExt};
use kube::{Client, Config};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::{BoxError, Service, ServiceBuilder};

use crate::access::{ConnectError, without_output};
use crate::error::{ApiError, Status};
use crate::limits::{Bucket, Dial, Limits, Places, some};

/// Watches that share one connection.
const STREAMS_PER_CONNECTION: usize = 80;

/// Watches that may be opened at the same time, so that a first connection is shared instead of
/// opened once for each.
const STREAMS_OPENING_MAX: usize = 4;

/// Times that a throttled request (429) is sent again.
const THROTTLED_RETRIES_MAX: u32 = 4;

/// The longest wait between two of them.
const THROTTLED_WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest wait before a failed request is sent again.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(10);

/// The longest line of a watch: an object of a server that allows 3 MB, with room.
const LINE_BYTES_MAX: usize = 32 << 20;

/// The longest answer: a page of 500 large objects.
const ANSWER_BYTES_MAX: usize = 512 << 20;

/// One request.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// From the server's root, with its query.
    pub(crate) path: String,
    pub(crate) accept: &'static str,
    pub(crate) if_none_match: Option<String>,
    pub(crate) content_type: Option<&'static str>,
    /// As whom the server is to take the request; `None`: as who is connected.
    pub(crate) acting_as: Option<HeaderValue>,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            accept: "application/json",
            if_none_match: None,
            content_type: None,
            acting_as: None,
            body: Bytes::new(),
        }
    }

    /// Makes the request; `within` is what the server is told that it may take.
    fn request(&self, gzip: bool, within: Option<Duration>) -> Result<Request<Body>, ApiError> {
        let path = match within {
            None => Cow::Borrowed(&self.path),
            Some(within) => {
                let more = if self.path.contains('?') { '&' } else { '?' };
                Cow::Owned(format!("{}{more}timeout={}ms", self.path, within.as_millis()))
            }
        };
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(path.as_str())
            .header(header::ACCEPT, self.accept)
            .header(header::USER_AGENT, USER_AGENT);
        if gzip {
            request = request.header(header::ACCEPT_ENCODING, "gzip");
        }
        if let Some(tag) = &self.if_none_match {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        if let Some(content_type) = self.content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(user) = &self.acting_as {
            request = request.header("Impersonate-User", user);
        }
        request.body(Body::from(self.body.clone())).map_err(|error| ApiError::Malformed {
            what: format!("`{}` is no path: {error}", self.path),
        })
    }
}

const USER_AGENT: &str = concat!("tiphys/", env!("CARGO_PKG_VERSION"));

/// One answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// Returns the body, or what the server says instead.
    pub(crate) fn success(self) -> Result<Self, ApiError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let status = serde_json::from_slice::<Status>(&self.body)
            .ok()
            .filter(|status| !status.message.is_empty() || !status.reason.is_empty())
            .unwrap_or_else(|| Status {
                message: String::from_utf8_lossy(&self.body)
                    .trim()
                    .chars()
                    .take(1000)
                    .collect::<String>(),
                ..Status::default()
            });
        let mut error = ApiError::from_status(self.status, status);
        if let ApiError::Throttled { retry_after, .. } = &mut error {
            *retry_after = retry_after.or(self.retry_after());
        }
        Err(error)
    }

    fn retry_after(&self) -> Option<Duration> {
        let text = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?;
        text.parse().ok().map(Duration::from_secs)
    }
}

/// What the server warns of (RFC 7234's `Warning`, as Kubernetes uses it), in its words.
pub(crate) fn warnings(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::WARNING)
        .iter()
        .filter_map(|value| {
            let text = value.to_str().ok()?;
            let quoted = &text[text.find('"')? + 1..text.rfind('"')?];
            Some(quoted.replace("\\\"", "\"").replace("\\\\", "\\"))
        })
        .collect()
}

/// The way to one cluster.
pub(crate) struct Transport {
    pub(crate) server: String,
    config: Config,
    client: RwLock<Client>,
    limits: RwLock<Limits>,
    gzip: bool,
    bucket: RwLock<Option<Arc<Bucket>>>,
    pub(crate) writes: Places,
    pub(crate) lists: Places,
    opening: Semaphore,
    lanes: Arc<Mutex<Vec<usize>>>,
}

impl Transport {
    /// Makes a client. Runs a credential plugin where there is one; asks the server nothing.
    pub(crate) async fn open(config: Config, limits: Limits) -> Result<Self, ConnectError> {
        install_crypto();
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let gzip = !config.disable_compression;
        let client = dial(&config, limits.dial, &server).await?;
        Ok(Self {
            server,
            config,
            client: RwLock::new(client),
            gzip,
            bucket: RwLock::new(Bucket::of(&limits)),
            writes: Places::new(limits.writes_at_once.unwrap_or(usize::MAX)),
            lists: Places::new(limits.lists_at_once),
            opening: Semaphore::new(STREAMS_OPENING_MAX),
            lanes: Arc::new(Mutex::new(Vec::new())),
            limits: RwLock::new(limits),
        })
    }

    pub(crate) fn limits(&self) -> Limits {
        *self.limits.read()
    }

    /// Takes other limits. What is under way goes on as it began.
    pub(crate) async fn limit(&self, new: Limits) -> Result<(), ConnectError> {
        let old = self.limits();
        if old.dial != new.dial {
            let client = dial(&self.config, new.dial, &self.server).await?;
            *self.client.write() = client;
        }
        if (old.requests_per_s, old.burst) != (new.requests_per_s, new.burst) {
            *self.bucket.write() = Bucket::of(&new);
        }
        self.writes.resize(new.writes_at_once.unwrap_or(usize::MAX));
        self.lists.resize(new.lists_at_once);
        *self.limits.write() = new;
        Ok(())
    }

    /// Sends one request and waits for its whole answer, which may be no success.
    ///
    /// A throttled request is sent again after the time that the server asks for; a read whose
    /// connection broke is sent again once. Whatever else fails is as often sent again as the
    /// limits say.
    pub(crate) async fn call(&self, call: Call) -> Result<Answer, ApiError> {
        let (mut throttled, mut retried) = (0, 0);
        let mut broken = false;
        loop {
            let limits = self.limits();
            let bucket = self.bucket.read().clone();
            if let Some(bucket) = bucket {
                bucket.take().await;
            }
            match self.call_once(&call, &limits).await {
                Ok(answer)
                    if answer.status == StatusCode::TOO_MANY_REQUESTS
                        && throttled < THROTTLED_RETRIES_MAX =>
                {
                    throttled += 1;
                    let wait = answer.retry_after().unwrap_or(Duration::from_secs(1));
                    sleep(wait.min(THROTTLED_WAIT_MAX)).await;
                }
                Err(ApiError::Unreachable { .. }) if call.method == Method::GET && !broken => {
                    broken = true;
                }
                other if retried < limits.retries_max && may_pass(&other) => {
                    let times = 2_u32.saturating_pow(u32::try_from(retried).unwrap_or(u32::MAX));
                    retried += 1;
                    sleep(limits.retry_first.saturating_mul(times).min(RETRY_WAIT_MAX)).await;
                }
                other => return other,
            }
        }
    }

    async fn call_once(&self, call: &Call, limits: &Limits) -> Result<Answer, ApiError> {
        let request = call.request(self.gzip, limits.server_side_timeout)?;
        let client = self.client.read().clone();
        let exchange = async {
            let answer = client.send(request).await.map_err(|e| self.unreachable(e))?;
            let (parts, body) = answer.into_parts();
            let body = http_body_util::Limited::new(body, ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|cause| ApiError::Unreachable { server: self.server.clone(), cause })?
                .to_bytes();
            let zipped =
                parts.headers.get(header::CONTENT_ENCODING).is_some_and(|how| how == "gzip");
            let body = if zipped { unzip(&body)? } else { body };
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        match timeout(limits.request_timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(self.timed_out(limits.request_timeout)),
        }
    }

    /// Opens a watch. `quiet` is how long it may say nothing before it counts as broken.
    pub(crate) async fn stream(&self, path: &str, quiet: Duration) -> Result<Lines, ApiError> {
        let lane = Lane::take(&self.lanes);
        let mut request = Call::get(path).request(false, None)?;
        request.extensions_mut().insert(LaneNumber(lane.number));
        let client = self.client.read().clone();
        let headers = async {
            let _one_of_few = self.opening.acquire().await.expect("it is never closed");
            client.send(request).await.map_err(|error| self.unreachable(error))
        };
        let patience = self.limits().request_timeout;
        let answer = timeout(patience, headers).await.map_err(|_| self.timed_out(patience))??;
        let (parts, body) = answer.into_parts();
        let mut lines = Lines {
            body,
            frame: Bytes::new(),
            partial: Vec::new(),
            quiet,
            server: self.server.clone(),
            _lane: lane,
        };
        if !parts.status.is_success() {
            let body = lines.rest().await?;
            Answer { status: parts.status, headers: parts.headers, body }.success()?;
        }
        Ok(lines)
    }

    fn unreachable(&self, error: kube::Error) -> ApiError {
        ApiError::Unreachable { server: self.server.clone(), cause: without_output(error) }
    }

    fn timed_out(&self, waited: Duration) -> ApiError {
        ApiError::Timeout { server: self.server.clone(), waited_s: waited.as_secs() }
    }
}

/// Whether the same request may have better luck.
fn may_pass(answer: &Result<Answer, ApiError>) -> bool {
    match answer {
        Ok(answer) => {
            let status = answer.status;
            status == StatusCode::TOO_MANY_REQUESTS
                || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
        }
        Err(error) => error.is_connection(),
    }
}

/// Makes a client. A credential plugin is waited for while its layers are made.
async fn dial(config: &Config, dial: Dial, server: &str) -> Result<Client, ConnectError> {
    let config = config.clone();
    let made = tokio::task::spawn_blocking(move || stack(config, dial)).await;
    let failed = |cause| ConnectError::Client { server: server.to_owned(), cause };
    let stack = made
        .map_err(|error| failed(Box::new(error)))?
        .map_err(|error| failed(without_output(error)))?;
    Ok(Client::new(stack, "default"))
}

fn unzip(body: &[u8]) -> Result<Bytes, ApiError> {
    let mut plain = Vec::with_capacity(body.len() * 4);
    flate2::read::MultiGzDecoder::new(body)
        .take(ANSWER_BYTES_MAX as u64)
        .read_to_end(&mut plain)
        .map_err(|error| ApiError::Malformed { what: format!("the answer is no gzip: {error}") })?;
    Ok(plain.into())
}

/// Installs the process's crypto provider, once; one that is there already stays.
fn install_crypto() {
    // The only error is that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The answer's body, line by line.
pub(crate) struct Lines {
    body: Body,
    frame: Bytes,
    partial: Vec<u8>,
    quiet: Duration,
    server: String,
    _lane: Lane,
}

impl Lines {
    /// Returns the next line without its end; `None` when the server has said all.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or is silent for too long.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            if let Some(end) = self.frame.iter().position(|byte| *byte == b'\n') {
                let line = self.frame.split_to(end + 1).slice(..end);
                if self.partial.is_empty() {
                    return Ok(Some(line));
                }
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(&line);
                return Ok(Some(whole.into()));
            }
            self.partial.extend_from_slice(&self.frame);
            self.frame = Bytes::new();
            if self.partial.len() > LINE_BYTES_MAX {
                return Err(ApiError::Malformed {
                    what: format!("an event of the watch is longer than {LINE_BYTES_MAX} bytes"),
                });
            }
            match self.frame().await? {
                Some(frame) => self.frame = frame,
                // What was begun and not ended is no event.
                None => return Ok(None),
            }
        }
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let frame = timeout(self.quiet, self.body.frame()).await.map_err(|_| {
                ApiError::Timeout { server: self.server.clone(), waited_s: self.quiet.as_secs() }
            })?;
            match frame {
                None => return Ok(None),
                Some(Err(error)) => {
                    return Err(ApiError::Unreachable {
                        server: self.server.clone(),
                        cause: without_output(error),
                    });
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    async fn rest(&mut self) -> Result<Bytes, ApiError> {
        let mut all = Vec::new();
        while let Some(frame) = self.frame().await? {
            all.extend_from_slice(&frame);
            if all.len() > LINE_BYTES_MAX {
                break;
            }
        }
        Ok(all.into())
    }
}

/// A place on one of the connections for watches; given back when dropped.
struct Lane {
    number: usize,
    lanes: Arc<Mutex<Vec<usize>>>,
}

impl Lane {
    fn take(lanes: &Arc<Mutex<Vec<usize>>>) -> Self {
        let mut used = lanes.lock();
        let free = used.iter().position(|streams| *streams < STREAMS_PER_CONNECTION);
        let index = free.unwrap_or_else(|| {
            used.push(0);
            used.len() - 1
        });
        used[index] += 1;
        // Number 0 is the connection for calls.
        Self { number: index + 1, lanes: lanes.clone() }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.lanes.lock()[self.number - 1] -= 1;
    }
}

#[derive(Clone, Copy)]
struct LaneNumber(usize);

type Stack = tower::util::BoxService<Request<Body>, Response<hyper::body::Incoming>, BoxError>;

/// Stacks address, credentials and connections.
fn stack(config: Config, dial: Dial) -> Result<Stack, kube::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(some(dial.connect_timeout));
    tcp.set_keepalive(some(dial.keepalive));
    tcp.set_keepalive_interval(some(dial.keepalive / 3));
    match config.proxy_url.clone() {
        None => with_connector(config, dial, tcp),
        Some(proxy) if proxy.scheme_str() == Some("socks5") => {
            with_connector(config, dial, SocksV5::new(proxy, tcp))
        }
        Some(proxy) if proxy.scheme_str() == Some("http") => {
            let mut tunnel = Tunnel::new(proxy.clone(), tcp);
            if let Some(login) = proxy_login(&proxy) {
                tunnel = tunnel.with_auth(login);
            }
            with_connector(config, dial, tunnel)
        }
        Some(proxy) => Err(kube::Error::ProxyProtocolUnsupported {
            proxy_url: Box::new(without_login(&proxy)),
        }),
    }
}

/// `Proxy-Authorization` for the user and password in a proxy's URL.
fn proxy_login(proxy: &http::Uri) -> Option<HeaderValue> {
    use base64::Engine;
    let (login, _) = proxy.authority()?.as_str().rsplit_once('@')?;
    let plain = unescape(login);
    let mut value = HeaderValue::from_str(&format!(
        "Basic {}",
        base64::engine::general_purpose::STANDARD.encode(plain)
    ))
    .ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = pair
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    out
}

fn without_login(proxy: &http::Uri) -> http::Uri {
    let host = proxy.host().unwrap_or("proxy");
    let scheme = proxy.scheme_str().unwrap_or("http");
    format!("{scheme}://{host}").parse().unwrap_or_default()
}

fn with_connector<C>(config: Config, dial: Dial, connector: C) -> Result<Stack, kube::Error>
where
    C: Service<http::Uri> + Clone + Send + Sync + 'static,
    C::Response: hyper::rt::Read
        + hyper::rt::Write
        + hyper_util::client::legacy::connect::Connection
        + Send
        + Unpin
        + 'static,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    let mut tls = HttpsConnectorBuilder::new()
        .with_tls_config(config.rustls_client_config()?)
        .https_or_http();
    if let Some(name) = &config.tls_server_name {
        let name = name.clone().try_into().map_err(|error| {
            kube::Error::RustlsTls(kube::client::RustlsTlsError::InvalidServerName(error))
        })?;
        tls = tls.with_server_name_resolver(FixedServerNameResolver::new(name));
    }
    let limit = match (some(dial.connect_timeout), some(dial.handshake_timeout)) {
        (Some(connect), Some(handshake)) => Some(connect + handshake),
        _ => None,
    };
    let connector = tls.enable_all_versions().wrap_connector(connector);
    let pool = Pool::new(Within { connector, limit }, dial);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(pool);
    Ok(tower::util::BoxService::new(service))
}

/// Connects within a time, the handshake included.
#[derive(Clone)]
struct Within<C> {
    connector: C,
    limit: Option<Duration>,
}

impl<C> Service<http::Uri> for Within<C>
where
    C: Service<http::Uri>,
    C::Future: Send + 'static,
    C::Error: Into<BoxError>,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.connector.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, uri: http::Uri) -> Self::Future {
        let (connecting, limit) = (self.connector.call(uri), self.limit);
        Box::pin(async move {
            let Some(limit) = limit else { return connecting.await.map_err(Into::into) };
            match timeout(limit, connecting).await {
                Ok(connected) => connected.map_err(Into::into),
                Err(_) => {
                    let limit_s = limit.as_secs_f64();
                    Err(format!("no connection and TLS handshake within {limit_s} s").into())
                }
            }
        })
    }
}

/// One client a lane, so that each has its own connection.
struct Pool<C> {
    connector: C,
    dial: Dial,
    clients: Arc<RwLock<Vec<HyperClient<C, Body>>>>,
}

impl<C: Clone> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self { connector: self.connector.clone(), dial: self.dial, clients: self.clients.clone() }
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> Pool<C> {
    fn new(connector: C, dial: Dial) -> Self {
        Self { connector, dial, clients: Arc::new(RwLock::new(Vec::new())) }
    }

    fn client(&self, lane: usize) -> HyperClient<C, Body> {
        if let Some(client) = self.clients.read().get(lane) {
            return client.clone();
        }
        let idle_max = match self.dial.idle_connections_max {
            0 => usize::MAX,
            max => max,
        };
        let mut clients = self.clients.write();
        while clients.len() <= lane {
            clients.push(
                HyperClient::builder(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .pool_timer(TokioTimer::new())
                    .pool_idle_timeout(some(self.dial.idle_timeout))
                    .pool_max_idle_per_host(idle_max)
                    // A connection whose other end has gone is noticed 15 s after it is tried.
                    .http2_keep_alive_interval(some(self.dial.keepalive))
                    .http2_keep_alive_timeout(Duration::from_secs(15))
                    .http2_keep_alive_while_idle(true)
                    .http2_initial_stream_window_size(1 << 20)
                    .http2_initial_connection_window_size(8 << 20)
                    .build(self.connector.clone()),
            );
        }
        clients[lane].clone()
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> Service<Request<Body>> for Pool<C> {
    type Response = Response<hyper::body::Incoming>;
    type Error = HyperError;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HyperError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> ResponseFuture {
        let lane = request.extensions().get::<LaneNumber>().map_or(0, |lane| lane.0);
        self.client(lane).request(request)
    }
}
