//! Git's smart HTTP protocol over a client of our own.
//!
//! The git library has an HTTP client too. It refuses basic access over plain `http://`, which
//! users in closed networks have, and gives no say in limits; so it is handed this one.

use std::any::Any;
use std::io::{self, BufRead, Read, Write};
use std::sync::Arc;

use gix::protocol::transport::client::blocking_io::http::{
    GetResponse, Http, PostBodyDataKind, PostResponse, Transport,
};
use parking_lot::Mutex;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use tokio::runtime::Handle;

use crate::credentials::Credentials;
use crate::transport::proxy::{Way, way_to};
use crate::transport::{Budget, Failure, GitTransport, tls};

/// Redirects of one request; git follows as many, and only the first request's.
const REDIRECTS_MAX: usize = 10;

/// Makes a client that reaches a server as the credentials say. The error says what is wrong.
pub(crate) fn client(credentials: &Credentials, url: &url::Url) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::client_config(credentials)?)
        .redirect(reqwest::redirect::Policy::none())
        .pool_idle_timeout(std::time::Duration::from_secs(30))
        .http1_only();
    let host = url.host_str().unwrap_or("");
    builder = match way_to(credentials, host, url.port_or_known_default().unwrap_or(0))? {
        Way::Environment => builder,
        Way::Direct => builder.no_proxy(),
        // The client would have to be built with it; ssh repositories are reached so.
        Way::Through(proxy) if proxy.scheme().starts_with("socks") => {
            return Err("a SOCKS proxy for http repositories is not built yet".to_owned());
        }
        Way::Through(proxy) => {
            let proxy = reqwest::Proxy::all(proxy)
                .map_err(|error| format!("the proxy cannot be used: {error}"))?;
            builder.no_proxy().proxy(proxy)
        }
    };
    builder.build().map_err(|error| crate::error::chain(&error))
}

/// The value of an `Authorization` header for a user and a password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    use base64::Engine;
    let pair = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

/// Git's protocol to `url`, which has no user in it.
pub(crate) fn transport(
    client: reqwest::Client,
    url: &url::Url,
    authorization: Option<&str>,
    budget: Arc<Budget>,
) -> Result<GitTransport, gix::Error> {
    let authorization = authorization.and_then(|text| {
        let mut value = HeaderValue::from_str(text).ok()?;
        value.set_sensitive(true);
        Some(value)
    });
    let server =
        Server { client, runtime: Handle::current(), authorization, budget, moved_to: None };
    let url = gix::url::parse(gix::bstr::BStr::new(url.as_str()))?;
    let version = gix::protocol::transport::Protocol::V2;
    Ok(Box::new(Transport::new_http(server, url, version, false)))
}

struct Server {
    client: reqwest::Client,
    runtime: Handle,
    authorization: Option<HeaderValue>,
    budget: Arc<Budget>,
    /// Where a redirect led, in place of the base of the URL.
    moved_to: Option<String>,
}

impl Server {
    fn request(
        &self,
        method: Method,
        url: &str,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> io::Result<reqwest::Response> {
        let mut request = self.client.request(method, url).headers(headers.clone()).body(body);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        let sent = self.budget.wait(&self.runtime, request.send())?;
        sent.map_err(|error| {
            // The URL may be somebody else's; the reason alone says enough.
            self.budget.fail(Failure::Unreachable(crate::error::chain(&error.without_url())))
        })
    }

    /// Turns an answer that is none into the failure that it means.
    fn accepted(&self, response: reqwest::Response) -> io::Result<reqwest::Response> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let failure = match status {
            StatusCode::UNAUTHORIZED if self.authorization.is_none() => {
                Failure::AccessRefused("authentication required (HTTP 401)".to_owned())
            }
            StatusCode::UNAUTHORIZED => {
                Failure::AccessRefused("authentication failed (HTTP 401)".to_owned())
            }
            StatusCode::FORBIDDEN => {
                Failure::AccessRefused("authorization failed (HTTP 403)".to_owned())
            }
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                Failure::AccessRefused("the proxy wants other credentials (HTTP 407)".to_owned())
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => {
                Failure::NotFound(format!("repository not found (HTTP {})", status.as_u16()))
            }
            status => Failure::Unreachable(format!("the server answered HTTP {status}")),
        };
        Err(self.budget.fail(failure))
    }

    /// Follows redirects of a first request; what is behind one keeps the request's tail.
    fn get_following(
        &mut self,
        url: &str,
        tail: &str,
        headers: &HeaderMap,
    ) -> io::Result<reqwest::Response> {
        let mut url = url.to_owned();
        for _ in 0..REDIRECTS_MAX {
            let response = self.request(Method::GET, &url, headers, Vec::new())?;
            if !response.status().is_redirection() {
                return self.accepted(response);
            }
            let wrong = |reason: &str| {
                self.budget
                    .fail(Failure::Unreachable(format!("its redirect is not followed: {reason}")))
            };
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let from = response.url().clone();
            let to = location
                .and_then(|location| from.join(location).ok())
                .ok_or_else(|| wrong("it leads nowhere"))?;
            if from.scheme() == "https" && to.scheme() != "https" {
                return Err(wrong("it leads from https to http"));
            }
            let base = to.as_str().strip_suffix(tail).map(str::to_owned);
            let base = base.ok_or_else(|| wrong("it leads to something else than a repository"))?;
            if from.origin() != to.origin() {
                self.authorization = None;
            }
            self.moved_to = Some(base);
            url = to.into();
        }
        let reason = format!("more than {REDIRECTS_MAX} redirects");
        Err(self.budget.fail(Failure::Unreachable(reason)))
    }

    fn place(&self, url: &str, base_url: &str) -> (String, String) {
        let tail = url.strip_prefix(base_url).unwrap_or(url).to_owned();
        let base = self.moved_to.as_deref().unwrap_or(base_url);
        (format!("{base}{tail}"), tail)
    }
}

impl Http for Server {
    type Headers = HeaderLines;
    type ResponseBody = Body;
    type PostBody = Posted;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<HeaderLines, Body>> {
        let (url, tail) = self.place(url, base_url);
        let response = self
            .get_following(&url, &tail, &header_map(headers))
            .map_err(gix::Error::from_error)?;
        let exchange = Exchange::answered(self.runtime.clone(), self.budget.clone(), response);
        Ok(GetResponse { headers: HeaderLines::of(&exchange), body: Body::of(exchange) })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        _: PostBodyDataKind,
    ) -> gix::Result<PostResponse<HeaderLines, Body, Posted>> {
        let (url, _) = self.place(url, base_url);
        let server = Self {
            client: self.client.clone(),
            runtime: self.runtime.clone(),
            authorization: self.authorization.clone(),
            budget: self.budget.clone(),
            moved_to: None,
        };
        let exchange = Exchange {
            runtime: self.runtime.clone(),
            budget: self.budget.clone(),
            state: Arc::new(Mutex::new(State::Asking {
                server,
                url,
                headers: header_map(headers),
                body: Vec::new(),
            })),
        };
        Ok(PostResponse {
            post_body: Posted(exchange.state.clone()),
            headers: HeaderLines::of(&exchange),
            body: Body::of(exchange),
        })
    }

    fn configure(&mut self, _: &dyn Any) -> gix::Result<()> {
        // What git's configuration says about HTTP: here the credentials say it.
        Ok(())
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.moved_to.clone()
    }
}

fn header_map(lines: impl IntoIterator<Item = impl AsRef<str>>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some((name, value)) = line.as_ref().split_once(':') else { continue };
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.trim()), HeaderValue::try_from(value.trim()))
        {
            headers.insert(name, value);
        }
    }
    headers
}

/// One request and its answer; sent when somebody reads.
#[derive(Clone)]
struct Exchange {
    runtime: Handle,
    budget: Arc<Budget>,
    state: Arc<Mutex<State>>,
}

enum State {
    Asking {
        server: Server,
        url: String,
        headers: HeaderMap,
        body: Vec<u8>,
    },
    Answered(reqwest::Response),
    /// It could not be sent, or is being.
    Over,
}

impl Exchange {
    fn answered(runtime: Handle, budget: Arc<Budget>, response: reqwest::Response) -> Self {
        Self { runtime, budget, state: Arc::new(Mutex::new(State::Answered(response))) }
    }

    fn with_answer<T>(
        &self,
        read: impl FnOnce(&mut reqwest::Response) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.state.lock();
        if let State::Asking { .. } = &*state
            && let State::Asking { server, url, headers, body } =
                std::mem::replace(&mut *state, State::Over)
        {
            let response = server.request(Method::POST, &url, &headers, body)?;
            *state = State::Answered(server.accepted(response)?);
        }
        match &mut *state {
            State::Answered(response) => read(response),
            State::Asking { .. } | State::Over => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn next_chunk(&self) -> io::Result<Option<Vec<u8>>> {
        self.with_answer(|response| {
            let chunk = self.budget.wait(&self.runtime, response.chunk())?.map_err(|error| {
                let reason = crate::error::chain(&error.without_url());
                self.budget.fail(Failure::Unreachable(reason))
            })?;
            let chunk = chunk.map(Vec::from);
            self.budget.spend(chunk.as_ref().map_or(0, Vec::len))?;
            Ok(chunk)
        })
    }
}

/// Collects what is to be posted.
struct Posted(Arc<Mutex<State>>);

impl Write for Posted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *self.0.lock() {
            State::Asking { body, .. } => {
                body.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            State::Answered(_) | State::Over => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The answer's headers that git's protocol looks at, as lines.
struct HeaderLines {
    exchange: Exchange,
    lines: Option<io::Cursor<Vec<u8>>>,
}

impl HeaderLines {
    fn of(exchange: &Exchange) -> Self {
        Self { exchange: exchange.clone(), lines: None }
    }

    fn lines(&mut self) -> io::Result<&mut io::Cursor<Vec<u8>>> {
        if self.lines.is_none() {
            let text = self.exchange.with_answer(|response| {
                let kind = response.headers().get(CONTENT_TYPE);
                let kind = kind.and_then(|value| value.to_str().ok()).unwrap_or("");
                Ok(format!("content-type: {kind}\n"))
            })?;
            self.lines = Some(io::Cursor::new(text.into_bytes()));
        }
        Ok(self.lines.as_mut().expect("it was set above"))
    }
}

impl Read for HeaderLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.lines()?.read(buffer)
    }
}

impl BufRead for HeaderLines {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.lines()?.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        if let Some(lines) = &mut self.lines {
            lines.consume(amount);
        }
    }
}

/// The answer's body, chunk by chunk.
struct Body {
    exchange: Exchange,
    chunk: io::Cursor<Vec<u8>>,
    ended: bool,
}

impl Body {
    fn of(exchange: Exchange) -> Self {
        Self { exchange, chunk: io::Cursor::default(), ended: false }
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(buffer.len());
        buffer[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while !self.ended && self.chunk.position() == self.chunk.get_ref().len() as u64 {
            match self.exchange.next_chunk()? {
                Some(chunk) => self.chunk = io::Cursor::new(chunk),
                None => self.ended = true,
            }
        }
        self.chunk.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.chunk.consume(amount);
    }
}
