//! Questions to clouds' servers.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::blocking::{Client, Request};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::surroundings::CloudError;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may take. Where nobody serves metadata, nobody refuses either.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// The longest answer, in bytes.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// How much of a refusal is told, in characters.
const SAID_MAX: usize = 300;

/// One question.
pub(crate) struct Question<'a> {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'a str, String)>,
    pub body: String,
}

impl<'a> Question<'a> {
    pub fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), body: String::new() }
    }

    /// A form, as OAuth and AWS take it.
    pub fn form(url: Url, fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let content = ("content-type", "application/x-www-form-urlencoded".to_owned());
        Self { method: Method::POST, url, headers: vec![content], body: body.finish() }
    }

    pub fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// Reads an address that a variable or a file gives.
pub(crate) fn address(text: &str) -> Result<Url, CloudError> {
    Url::parse(text).map_err(|error| CloudError::Unusable {
        what: format!("the address `{text}`"),
        why: error.to_string(),
    })
}

/// Asks, and returns the answer's text.
pub(crate) fn ask(question: Question<'_>) -> Result<String, CloudError> {
    let server = named(&question.url);
    let unreachable = |cause: Box<dyn std::error::Error + Send + Sync>| CloudError::Unreachable {
        server: server.clone(),
        cause,
    };
    let mut request = Request::new(question.method, question.url);
    let mut headers = HeaderMap::new();
    for (name, value) in question.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| unreachable(Box::new(e)))?;
        let mut value = HeaderValue::try_from(value).map_err(|e| unreachable(Box::new(e)))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    *request.headers_mut() = headers;
    if !question.body.is_empty() {
        *request.body_mut() = Some(question.body.into());
    }
    let client = client().map_err(&unreachable)?;
    let answer = client.execute(request).map_err(|e| unreachable(Box::new(e.without_url())))?;
    let status = answer.status();
    let mut text = String::new();
    answer
        .take(ANSWER_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| unreachable(Box::new(error)))?;
    match status.is_success() {
        true => Ok(text),
        false => Err(CloudError::Refused {
            server,
            status: status.as_u16(),
            said: text.trim().chars().take(SAID_MAX).collect(),
        }),
    }
}

/// An address without what may be secret in it.
fn named(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

fn client() -> Result<Client, Box<dyn std::error::Error + Send + Sync>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    Ok(client)
}
