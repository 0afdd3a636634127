//! Registries, as the OCI distribution specification has them: tags, manifests, blobs, tokens.

use std::collections::HashMap;
use std::fmt::Write as _;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LINK, WWW_AUTHENTICATE};
use reqwest::{Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::credentials::Credentials;
use crate::error::SourceError;
use crate::url::redact;
use crate::web::Inner;
use crate::web::download::{Bytes, accepted, authorization, body, send, within};
use crate::web::image::Image;

/// Manifests that are understood.
const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// Tokens are forgotten once there are so many; they are bought anew.
const TOKENS_MAX: usize = 1024;

/// Tokens that were bought: by scope and credentials.
pub(crate) type Tokens = HashMap<(String, [u8; 16]), HeaderValue>;

/// What an image consists of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// `sha256:…` of the manifest itself: the artifact's revision.
    pub digest: String,
    /// The artifact's own type, or its configuration's.
    pub artifact_type: String,
    /// In order.
    pub layers: Vec<Layer>,
    /// `org.opencontainers.image.…` and others.
    pub annotations: HashMap<String, String>,
}

/// One blob of an image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Layer {
    /// What it holds.
    #[serde(rename = "mediaType")]
    pub media_type: String,
    /// `sha256:…`.
    pub digest: String,
    /// In bytes.
    pub size: u64,
}

#[derive(Deserialize)]
struct ManifestAnswer {
    #[serde(default, rename = "artifactType")]
    artifact_type: String,
    config: Option<Config>,
    #[serde(default)]
    layers: Vec<Layer>,
    annotations: Option<HashMap<String, String>>,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default, rename = "mediaType")]
    media_type: String,
}

#[derive(Deserialize)]
struct TagsAnswer {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

pub(crate) async fn tags(
    inner: &Inner,
    image: &Image,
    credentials: &Credentials,
) -> Result<Vec<String>, SourceError> {
    let shown = image.to_string();
    let work = async {
        let mut all = Vec::new();
        let mut next = Some(image.url("tags/list?n=1000"));
        for _ in 0..inner.limits.tag_pages_max {
            let Some(url) = next.take() else { break };
            let response = ask(inner, image, &url, None, credentials).await?;
            next = next_page(&response, &url);
            let content = body(response, &shown, inner.limits.file_bytes_max).await?;
            let answer: TagsAnswer = parsed(&content, &shown)?;
            all.extend(answer.tags.unwrap_or_default());
        }
        Ok(all)
    };
    within(inner, &shown, work).await
}

pub(crate) async fn manifest(
    inner: &Inner,
    image: &Image,
    reference: &str,
    credentials: &Credentials,
) -> Result<Manifest, SourceError> {
    let shown = format!("{image}:{reference}");
    let work = async {
        let url = image.url(&format!("manifests/{reference}"));
        let response = ask(inner, image, &url, Some(MANIFEST_TYPES), credentials).await?;
        let content = body(response, &shown, inner.limits.file_bytes_max).await?;
        let answer: ManifestAnswer = parsed(&content, &shown)?;
        let bytes = Bytes::of(content);
        let digest = named(&bytes);
        if reference.starts_with("sha256:") && reference != digest {
            let reason = format!("the manifest that was sent is {digest}");
            return Err(SourceError::Unreachable { url: shown.clone(), reason });
        }
        let configured = answer.config.map(|config| config.media_type).unwrap_or_default();
        let own = answer.artifact_type;
        Ok(Manifest {
            digest,
            artifact_type: if own.is_empty() { configured } else { own },
            layers: answer.layers,
            annotations: answer.annotations.unwrap_or_default(),
        })
    };
    within(inner, &shown, work).await
}

pub(crate) async fn layer(
    inner: &Inner,
    image: &Image,
    layer: &Layer,
    credentials: &Credentials,
) -> Result<Bytes, SourceError> {
    let shown = format!("{image}@{}", layer.digest);
    let work = async {
        let limit_bytes = inner.limits.archive_bytes_max;
        if layer.size > limit_bytes {
            return Err(SourceError::TooLarge { url: shown.clone(), limit_bytes });
        }
        let url = image.url(&format!("blobs/{}", layer.digest));
        let response = ask(inner, image, &url, None, credentials).await?;
        let bytes = Bytes::of(body(response, &shown, limit_bytes).await?);
        if named(&bytes) != layer.digest {
            let reason = format!("the blob that was sent is {}", named(&bytes));
            return Err(SourceError::Unreachable { url: shown.clone(), reason });
        }
        Ok(bytes)
    };
    within(inner, &shown, work).await
}

fn named(bytes: &Bytes) -> String {
    let mut name = "sha256:".to_owned();
    for byte in bytes.digest {
        write!(name, "{byte:02x}").expect("memory takes text");
    }
    name
}

fn parsed<'a, T: Deserialize<'a>>(content: &'a [u8], shown: &str) -> Result<T, SourceError> {
    serde_json::from_slice(content).map_err(|error| SourceError::Unreachable {
        url: shown.to_owned(),
        reason: format!("the registry's answer is not understood: {error}"),
    })
}

/// Sends a request, and once more with a token where the registry asks for one.
async fn ask(
    inner: &Inner,
    image: &Image,
    text: &str,
    accept: Option<&'static str>,
    credentials: &Credentials,
) -> Result<Response, SourceError> {
    let bad = |reason: String| SourceError::BadUrl { url: redact(text), reason };
    let url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    let key = (format!("{}/{}", image.host(), image.path()), credentials.fingerprint());
    let mut headers = HeaderMap::new();
    if let Some(accept) = accept {
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
    }
    let bought = inner.tokens.lock().get(&key).cloned();
    if let Some(value) = bought.or_else(|| authorization(credentials)) {
        headers.insert(AUTHORIZATION, value);
    }
    let response = send(inner, &url, &headers, credentials).await?;
    if response.status() != StatusCode::UNAUTHORIZED {
        return accepted(response, &redact(text));
    }
    let challenge = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let challenge = challenge.filter_map(|value| value.to_str().ok()).find_map(Challenge::bearer);
    let Some(challenge) = challenge else { return accepted(response, &redact(text)) };
    let token = buy(inner, &challenge, image, credentials).await?;
    headers.insert(AUTHORIZATION, token.clone());
    {
        let mut tokens = inner.tokens.lock();
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        tokens.insert(key, token);
    }
    accepted(send(inner, &url, &headers, credentials).await?, &redact(text))
}

/// What a registry wants before it answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) realm: String,
    pub(crate) service: String,
    pub(crate) scope: String,
}

impl Challenge {
    /// Reads `Bearer realm="…",service="…",scope="…"`.
    pub(crate) fn bearer(header: &str) -> Option<Self> {
        let (scheme, mut rest) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let mut found = Self { realm: String::new(), service: String::new(), scope: String::new() };
        while let Some((name, after)) = rest.split_once('=') {
            let (value, behind) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(',').unwrap_or((after, "")),
            };
            let known = match name.trim().to_ascii_lowercase().as_str() {
                "realm" => Some(&mut found.realm),
                "service" => Some(&mut found.service),
                "scope" => Some(&mut found.scope),
                _ => None,
            };
            if let Some(known) = known {
                value.clone_into(known);
            }
            rest = behind.trim_start_matches([',', ' ']);
        }
        (!found.realm.is_empty()).then_some(found)
    }
}

async fn buy(
    inner: &Inner,
    challenge: &Challenge,
    image: &Image,
    credentials: &Credentials,
) -> Result<HeaderValue, SourceError> {
    let shown = redact(&challenge.realm);
    let mut url = Url::parse(&challenge.realm).map_err(|error| SourceError::Unreachable {
        url: image.to_string(),
        reason: format!("it sends to `{shown}` for a token: {error}"),
    })?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        let reason = format!("it sends to `{shown}` for a token, which is no place for one");
        return Err(SourceError::Unreachable { url: image.to_string(), reason });
    }
    let pull = format!("repository:{}:pull", image.path());
    let scope = if challenge.scope.is_empty() { &pull } else { &challenge.scope };
    {
        let mut query = url.query_pairs_mut();
        if !challenge.service.is_empty() {
            query.append_pair("service", &challenge.service);
        }
        query.append_pair("scope", scope);
    }
    let mut headers = HeaderMap::new();
    if let Some(value) = authorization(credentials) {
        headers.insert(AUTHORIZATION, value);
    }
    let response = accepted(send(inner, &url, &headers, credentials).await?, &shown)?;
    let content = body(response, &shown, inner.limits.file_bytes_max).await?;
    let answer: TokenAnswer = parsed(&content, &shown)?;
    let token = answer.token.or(answer.access_token).unwrap_or_default();
    let unusable = |_| SourceError::Unreachable {
        url: shown.clone(),
        reason: "its token cannot be sent in a header".to_owned(),
    };
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(unusable)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Where the next page of a list is: `Link: <…>; rel="next"`.
fn next_page(response: &Response, url: &str) -> Option<String> {
    let link = response.headers().get(LINK)?.to_str().ok()?;
    let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
    if !parameters.contains("next") {
        return None;
    }
    let base = Url::parse(url).ok()?;
    let next = base.join(target).ok()?;
    (next.origin() == base.origin()).then(|| next.to_string())
}
