//! The small server behind the metrics and health ports.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::health::Health;
use crate::metrics::Registry;

/// Connections at the same time; a further one waits.
const CONNECTIONS_MAX: usize = 64;

/// A client that has not sent its request by then is hung up on.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);

/// What a port answers.
#[derive(Clone, Default)]
pub struct Served {
    /// Behind `/metrics`, where there is one.
    pub metrics: Option<Registry>,
    /// Behind `/healthz` and `/readyz`, where there is one.
    pub health: Option<Health>,
}

/// A running server; it ends when this is dropped.
pub struct Server {
    address: SocketAddr,
    _task: JoinSet<()>,
}

impl Server {
    /// The address that it answers at; with a port where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Answers `/metrics`, `/healthz` and `/readyz` at an address. Must be called on a tokio runtime.
///
/// # Errors
///
/// Where the address cannot be listened at.
pub async fn serve(address: SocketAddr, served: Served) -> std::io::Result<Server> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let mut task = JoinSet::new();
    task.spawn(accept(listener, served));
    Ok(Server { address, _task: task })
}

async fn accept(listener: TcpListener, served: Served) {
    let mut connections = JoinSet::new();
    loop {
        while connections.len() >= CONNECTIONS_MAX {
            connections.join_next().await;
        }
        while connections.try_join_next().is_some() {}
        // A connection that fails before it is one is the other side's affair.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let served = served.clone();
        connections.spawn(async move {
            let service = service_fn(move |request| {
                let answer = answer(&served, &request);
                async move { Ok::<_, Infallible>(answer) }
            });
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(REQUEST_WITHIN)
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer(served: &Served, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n".to_owned());
    }
    match (request.uri().path(), &served.metrics, &served.health) {
        ("/metrics", Some(metrics), _) => {
            let mut answer = text(StatusCode::OK, metrics.print());
            answer.headers_mut().insert(
                header::CONTENT_TYPE,
                header::HeaderValue::from_static(
                    "text/plain; version=0.0.4; charset=utf-8; escaping=underscores",
                ),
            );
            answer
        }
        ("/healthz" | "/livez", _, Some(health)) => match health.ill() {
            None => text(StatusCode::OK, "ok\n".to_owned()),
            Some(why) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        },
        ("/readyz", _, Some(health)) => match health.is_ready() {
            true => text(StatusCode::OK, "ok\n".to_owned()),
            false => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n".to_owned()),
        },
        _ => text(StatusCode::NOT_FOUND, "404 page not found\n".to_owned()),
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    answer
}
