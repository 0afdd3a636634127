//! Connections: TLS, HTTP/1.1 and 2, who is let in, and which cluster is meant.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::MAIN;
use super::body::AnswerBody;
use super::identity::Identity;
use crate::api;
use crate::api::problem::Problem;
use crate::api::request::{Answer, Request, Response, User};
use crate::authentic;
use crate::authority::Wish;
use crate::body::BODY_BYTES_MAX;
use crate::cluster::Cluster;

/// Connections that are served at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 8192;
/// Requests, watches among them, that one HTTP/2 connection carries at once.
const STREAMS_MAX: u32 = 4096;
/// How long a client has to finish its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a client has to send a request's headers over HTTP/1.1.
const HEADERS: Duration = Duration::from_secs(30);

/// What connections are served from.
pub(super) struct Server {
    pub(super) identity: Arc<Identity>,
    pub(super) clusters: Arc<BTreeMap<String, Arc<Cluster>>>,
    pub(super) host: String,
    pub(super) stopped: watch::Receiver<bool>,
}

/// Accepts connections until it is stopped, then ends them.
pub(super) async fn serve(listener: TcpListener, server: Arc<Server>) {
    let acceptor = TlsAcceptor::from(server.identity.tls.clone());
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut stopped = server.stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &room) => accepted,
            Some(_) = connections.join_next() => continue,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let Some((stream, permit)) = accepted else { continue };
        let (acceptor, server) = (acceptor.clone(), server.clone());
        connections.spawn(async move {
            connection(stream, acceptor, server).await;
            drop(permit);
        });
    }
    while connections.join_next().await.is_some() {}
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = room.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, permit)),
        Err(error) => {
            tracing::warn!(%error, "connection not accepted");
            // Out of file descriptors, most likely; others must end first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, acceptor: TlsAcceptor, server: Arc<Server>) {
    let mut stopped = server.stopped.clone();
    let _slower = stream.set_nodelay(true);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else {
        return;
    };
    let certified = stream.get_ref().1.peer_certificates().is_some_and(|chain| !chain.is_empty());
    let service = service_fn(move |request| {
        let server = server.clone();
        async move { Ok::<_, Infallible>(respond(&server, request, certified).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS).keep_alive(true);
    builder.http2().timer(TokioTimer::new()).max_concurrent_streams(STREAMS_MAX);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ended = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    let _ended = connection.await;
}

async fn respond(
    server: &Server,
    request: hyper::Request<Incoming>,
    certified: bool,
) -> hyper::Response<AnswerBody> {
    let (parts, body) = request.into_parts();
    let audit_id = audit_id(&parts.headers);
    let mut response = respond_to(server, parts, body, certified).await;
    response.headers_mut().insert("audit-id", audit_id);
    response
}

/// Returns what a request is called in the audit: as the client calls it, or drawn.
fn audit_id(headers: &HeaderMap) -> HeaderValue {
    let given = headers.get("audit-id").filter(|id| !id.is_empty()).cloned();
    given.unwrap_or_else(|| {
        let drawn = uuid::Uuid::new_v4().to_string();
        HeaderValue::from_maybe_shared(Bytes::from(drawn)).expect("a uuid is plain text")
    })
}

async fn respond_to(
    server: &Server,
    parts: hyper::http::request::Parts,
    body: Incoming,
    certified: bool,
) -> hyper::Response<AnswerBody> {
    let head = parts.method == hyper::Method::HEAD;
    let (cluster, path) = match find_cluster(server, parts.uri.path()) {
        Ok(found) => found,
        Err(problem) => return written(server, Answer::Response(problem.into()), false),
    };
    let mut request = Request {
        method: parts.method.as_str().to_owned(),
        path: path.to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        accept: all_values(&parts.headers, header::ACCEPT),
        content_type: text_of(&parts.headers, header::CONTENT_TYPE),
        user_agent: text_of(&parts.headers, header::USER_AGENT),
        ..Request::default()
    };
    match who(cluster, &request, &parts.headers, certified) {
        Ok(user) => request.user = user,
        Err(problem) => {
            let mut refused = Response::from(problem);
            if refused.code != 401 {
                refused = refused.unguessed();
            }
            return written(server, Answer::Response(refused), head);
        }
    }
    request.body = match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) => {
            let problem = if error.is::<LengthLimitError>() {
                Problem::new(
                    413,
                    "RequestEntityTooLarge",
                    format!("Request entity too large: limit is {BODY_BYTES_MAX}"),
                )
            } else {
                Problem::bad_request(format!("the body could not be read: {error}"))
            };
            return written(server, Answer::Response(problem.into()), head);
        }
    };
    written(server, api::answer(cluster, &request, &server.host), head)
}

fn find_cluster<'a>(
    server: &'a Server,
    path: &'a str,
) -> Result<(&'a Arc<Cluster>, &'a str), Problem> {
    let (name, rest) = match path.strip_prefix("/c/") {
        Some(below) => {
            let end = below.find('/').unwrap_or(below.len());
            (&below[..end], &below[end..])
        }
        None => (MAIN, path),
    };
    match server.clusters.get(name) {
        Some(cluster) => Ok((cluster, if rest.is_empty() { "/" } else { rest })),
        None => {
            Err(Problem::new(404, "NotFound", format!("no simulated cluster is called `{name}`")))
        }
    }
}

/// Returns who asks, or in whose name: by certificate or token; whoever shows neither is nobody.
fn who(
    cluster: &Cluster,
    request: &Request,
    headers: &HeaderMap,
    certified: bool,
) -> Result<User, Problem> {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let user = match given.and_then(|value| value.strip_prefix("Bearer ")) {
        _ if certified => User::default(),
        Some(token) => authentic::bearer(cluster, token.trim())
            .ok_or_else(|| Problem::new(401, "Unauthorized", "Unauthorized"))?,
        None => User::anonymous(),
    };
    let said =
        headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let Some(other) = authentic::lent(said)? else { return Ok(user) };
    Wish::of(request).lent(cluster, &user, &other)?;
    Ok(other)
}

fn text_of(headers: &HeaderMap, name: HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn all_values(headers: &HeaderMap, name: HeaderName) -> String {
    let values: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",")
}

fn written(server: &Server, answer: Answer, head: bool) -> hyper::Response<AnswerBody> {
    let (code, headers, body) = match answer {
        Answer::Response(response) => {
            let headers = headers_of(&response);
            let pieces = if head { Vec::new() } else { response.body };
            (response.code, headers, AnswerBody::pieces(pieces))
        }
        Answer::Watch(stream) => {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            add_warnings(&mut headers, &stream.warnings);
            (200, headers, AnswerBody::watch(stream, server.stopped.clone()))
        }
    };
    let mut response = hyper::Response::new(body);
    *response.status_mut() =
        hyper::StatusCode::from_u16(code).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
        .headers_mut()
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-cache, private"));
    response
}

fn headers_of(response: &Response) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let value = |text: &str| HeaderValue::from_maybe_shared(Bytes::from(text.to_owned()));
    if let Ok(content_type) = value(&response.content_type)
        && !content_type.is_empty()
    {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    add_warnings(&mut headers, &response.warnings);
    for (name, text) in &response.headers {
        if let Ok(text) = value(text) {
            headers.insert(HeaderName::from_static(name), text);
        }
    }
    headers
}

fn add_warnings(headers: &mut HeaderMap, warnings: &[String]) {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        let text = Bytes::from(format!("299 - \"{quoted}\""));
        if let Ok(warning) = HeaderValue::from_maybe_shared(text) {
            headers.append(header::WARNING, warning);
        }
    }
}
