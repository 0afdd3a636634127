//! One file.

use std::collections::HashMap;
use std::sync::Arc;

use reqwest::header::{
    AUTHORIZATION, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    LOCATION,
};
use reqwest::{Method, Response, StatusCode};
use ring::digest;
use tokio::time::Instant;
use url::Url;

use crate::credentials::Credentials;
use crate::error::{SourceError, chain};
use crate::repository::Freshness;
use crate::transport::http::basic;
use crate::url::redact;
use crate::web::Inner;

/// Redirects of one request.
const REDIRECTS_MAX: usize = 10;

/// What names content.
pub type Digest256 = [u8; 32];

/// A file's content.
#[derive(Clone, Debug)]
pub struct Bytes {
    /// The content.
    pub content: Arc<[u8]>,
    /// Its SHA-256.
    pub digest: Digest256,
}

impl Bytes {
    pub(crate) fn of(content: Vec<u8>) -> Self {
        let mut sha = [0; 32];
        sha.copy_from_slice(digest::digest(&digest::SHA256, &content).as_ref());
        Self { content: content.into(), digest: sha }
    }
}

/// Answers that can be asked about again.
pub(crate) struct Kept {
    bytes_max: u64,
    bytes: u64,
    clock: u64,
    answers: HashMap<(String, [u8; 16]), Answer>,
}

#[derive(Clone)]
struct Answer {
    bytes: Bytes,
    etag: Option<HeaderValue>,
    modified: Option<HeaderValue>,
    /// When the server last said that it is this.
    asked: Instant,
    used: u64,
}

impl Kept {
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, bytes: 0, clock: 0, answers: HashMap::new() }
    }

    fn get(&mut self, key: &(String, [u8; 16])) -> Option<Answer> {
        self.clock += 1;
        let answer = self.answers.get_mut(key)?;
        answer.used = self.clock;
        Some(answer.clone())
    }

    fn put(&mut self, key: (String, [u8; 16]), mut answer: Answer) {
        self.clock += 1;
        answer.used = self.clock;
        self.bytes += answer.bytes.content.len() as u64;
        if let Some(before) = self.answers.insert(key, answer) {
            self.bytes -= before.bytes.content.len() as u64;
        }
        while self.bytes > self.bytes_max {
            let oldest = self.answers.iter().min_by_key(|(_, answer)| answer.used);
            let Some(key) = oldest.map(|(key, _)| key.clone()) else { return };
            if let Some(gone) = self.answers.remove(&key) {
                self.bytes -= gone.bytes.content.len() as u64;
            }
        }
    }
}

pub(crate) async fn get(
    inner: &Inner,
    text: &str,
    credentials: &Credentials,
    bytes_max: u64,
    freshness: Freshness,
) -> Result<Bytes, SourceError> {
    let url = parse(text)?;
    let key = (url.to_string(), credentials.fingerprint());
    let known = inner.kept.lock().get(&key);
    if let (Some(known), Freshness::Known) = (&known, freshness)
        && known.asked.elapsed() < inner.limits.believed_for
    {
        return Ok(known.bytes.clone());
    }
    let mut headers = HeaderMap::new();
    if let Some(known) = &known {
        if let Some(etag) = &known.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        if let Some(modified) = &known.modified {
            headers.insert(IF_MODIFIED_SINCE, modified.clone());
        }
    }
    if let Some(value) = authorization(credentials) {
        headers.insert(AUTHORIZATION, value);
    }
    let shown = redact(text);
    let work = async {
        let response = send(inner, &url, &headers, credentials).await?;
        if let (Some(known), StatusCode::NOT_MODIFIED) = (known, response.status()) {
            let bytes = known.bytes.clone();
            inner.kept.lock().put(key, Answer { asked: Instant::now(), ..known });
            return Ok(bytes);
        }
        let response = accepted(response, &shown)?;
        let header = |name| response.headers().get(name).cloned();
        let (etag, modified) = (header(ETAG), header(LAST_MODIFIED));
        let bytes = Bytes::of(body(response, &shown, bytes_max).await?);
        let asked = Instant::now();
        let answer = Answer { bytes: bytes.clone(), etag, modified, asked, used: 0 };
        inner.kept.lock().put(key, answer);
        Ok(bytes)
    };
    within(inner, &shown, work).await
}

/// Gives a server its time.
pub(crate) async fn within<T>(
    inner: &Inner,
    shown: &str,
    work: impl Future<Output = Result<T, SourceError>>,
) -> Result<T, SourceError> {
    let limit = inner.limits.timeout;
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(SourceError::TimedOut {
            url: shown.to_owned(),
            what: "answer",
            limit_s: limit.as_secs(),
        })
    })
}

fn parse(text: &str) -> Result<Url, SourceError> {
    let bad = |reason: String| SourceError::BadUrl { url: redact(text), reason };
    let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        scheme => Err(bad(format!("`{scheme}` is nothing that files are fetched over"))),
    }
}

pub(crate) fn authorization(credentials: &Credentials) -> Option<HeaderValue> {
    let text = if !credentials.bearer_token.is_empty() {
        format!("Bearer {}", credentials.bearer_token)
    } else if !credentials.username.is_empty() || !credentials.password.is_empty() {
        basic(&credentials.username, &credentials.password)
    } else {
        return None;
    };
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Sends a GET and follows redirects; who is asked elsewhere is told no secret.
pub(crate) async fn send(
    inner: &Inner,
    url: &Url,
    headers: &HeaderMap,
    credentials: &Credentials,
) -> Result<Response, SourceError> {
    let mut url = url.clone();
    let mut headers = headers.clone();
    let mut credentials = credentials.clone();
    for _ in 0..=REDIRECTS_MAX {
        let shown = redact(url.as_str());
        let client = inner.client(&url, &credentials)?;
        let request = client.request(Method::GET, url.clone()).headers(headers.clone());
        let response = request.send().await.map_err(|error| SourceError::Unreachable {
            url: shown.clone(),
            reason: chain(&error.without_url()),
        })?;
        if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let wrong = |reason: &str| SourceError::Unreachable {
            url: shown.clone(),
            reason: format!("its redirect is not followed: {reason}"),
        };
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        let to = location
            .and_then(|location| url.join(location).ok())
            .ok_or_else(|| wrong("it leads nowhere"))?;
        if url.scheme() == "https" && to.scheme() != "https" {
            return Err(wrong("it leads from https to something else"));
        }
        if url.origin() != to.origin() {
            headers.remove(AUTHORIZATION);
            credentials = credentials.without_secrets();
        }
        url = to;
    }
    Err(SourceError::Unreachable {
        url: redact(url.as_str()),
        reason: format!("more than {REDIRECTS_MAX} redirects"),
    })
}

/// Turns an answer that is none into the error that it means.
pub(crate) fn accepted(response: Response, shown: &str) -> Result<Response, SourceError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = shown.to_owned();
    let code = status.as_u16();
    Err(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            SourceError::AccessRefused { url, reason: format!("HTTP {code}") }
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => SourceError::Absent { url, code },
        status => {
            SourceError::Unreachable { url, reason: format!("the server answered HTTP {status}") }
        }
    })
}

/// The whole body, and never more than is allowed.
pub(crate) async fn body(
    mut response: Response,
    shown: &str,
    bytes_max: u64,
) -> Result<Vec<u8>, SourceError> {
    let too_large = || SourceError::TooLarge { url: shown.to_owned(), limit_bytes: bytes_max };
    if response.content_length().is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let mut content = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|error| SourceError::Unreachable {
            url: shown.to_owned(),
            reason: chain(&error.without_url()),
        })?;
        let Some(chunk) = chunk else { return Ok(content) };
        if (content.len() + chunk.len()) as u64 > bytes_max {
            return Err(too_large());
        }
        content.extend_from_slice(&chunk);
    }
}
