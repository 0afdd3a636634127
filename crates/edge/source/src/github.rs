//! Reading as a GitHub App: a signed claim buys a token for an hour.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;

use crate::credentials::{Credentials, GithubApp};
use crate::transport::{Failure, http};

/// A token is renewed this long before it ends: a fetch must not outlive it.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);
/// A claim is good for so long; GitHub takes at most ten minutes.
const CLAIM_LIVES_S: u64 = 120;
/// Clocks may differ by so much.
const CLAIM_BACKDATED_S: u64 = 60;
/// Pages of a hundred installations each.
const PAGES_MAX: usize = 100;

/// Tokens that were bought, and who is installed where.
#[derive(Default)]
pub(crate) struct GithubTokens {
    known: tokio::sync::Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// By App, its key, server and installation.
    tokens: HashMap<String, Token>,
    /// By App, server and owner.
    installations: HashMap<String, i64>,
}

#[derive(Clone)]
struct Token {
    text: String,
    bought: SystemTime,
    ends: SystemTime,
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: String,
    expires_at: Option<String>,
}

#[derive(Deserialize)]
struct Installation {
    id: i64,
    account: Option<Account>,
}

#[derive(Deserialize)]
struct Account {
    login: Option<String>,
}

impl GithubTokens {
    /// Returns a token that is good for some minutes at least.
    ///
    /// `owner` is the repository's, lower case; it is asked for where the App's installation is
    /// not given. A token that was bought longer ago than `age_max` is not used again.
    pub(crate) async fn token(
        &self,
        credentials: &Credentials,
        app: &GithubApp,
        owner: Option<&str>,
        age_max: Duration,
    ) -> Result<String, Failure> {
        // Held while it asks: many repositories of one App ask once.
        let mut known = self.known.lock().await;
        let api = Api::new(credentials, app)?;
        let installation = match app.installation_id {
            Some(id) => id,
            None => known.installation(&api, owner).await?,
        };
        let key = digest::digest(&digest::SHA256, app.private_key.as_bytes());
        let key = format!("{} {} {installation} {:?}", app.id, api.base, key.as_ref());
        let now = SystemTime::now();
        if let Some(token) = known.tokens.get(&key)
            && now + RENEWED_BEFORE < token.ends
            && now < token.bought + age_max
        {
            return Ok(token.text.clone());
        }
        let token = api.buy(installation, now).await?;
        known.tokens.retain(|_, token| token.ends > now);
        known.tokens.insert(key, token.clone());
        Ok(token.text)
    }

    /// Forgets all tokens, because one of them was refused.
    pub(crate) async fn forget(&self) {
        self.known.lock().await.tokens.clear();
    }
}

impl Known {
    async fn installation(&mut self, api: &Api<'_>, owner: Option<&str>) -> Result<i64, Failure> {
        let bad = |reason: String| Failure::BadCredentials(reason);
        let owner = owner.ok_or_else(|| {
            bad("the GitHub App's installation id is not given, and the URL names no owner to \
                 find it by"
                .to_owned())
        })?;
        let key = |owner: &str| format!("{} {} {owner}", api.app.id, api.base);
        if let Some(id) = self.installations.get(&key(owner)) {
            return Ok(*id);
        }
        for installation in api.installations().await? {
            if let Some(login) = installation.account.and_then(|account| account.login) {
                self.installations.insert(key(&login.to_lowercase()), installation.id);
            }
        }
        self.installations.get(&key(owner)).copied().ok_or_else(|| {
            bad(format!(
                "GitHub App {} is not installed for `{owner}`: install it there, or give the \
                 installation id",
                api.app.id
            ))
        })
    }
}

/// GitHub's REST interface, as far as it is needed.
struct Api<'a> {
    client: reqwest::Client,
    app: &'a GithubApp,
    /// Without a slash at its end.
    base: String,
}

impl<'a> Api<'a> {
    fn new(credentials: &Credentials, app: &'a GithubApp) -> Result<Self, Failure> {
        let bad = |reason: String| Failure::BadCredentials(reason);
        let given = app.enterprise_base_url.trim_end_matches('/');
        let base = if given.is_empty() { "https://api.github.com" } else { given };
        let url = url::Url::parse(base)
            .map_err(|error| bad(format!("githubAppEnterpriseBaseUrl is no URL: {error}")))?;
        let client = http::client(credentials, &url).map_err(bad)?;
        Ok(Self { client, app, base: base.to_owned() })
    }

    async fn buy(&self, installation: i64, now: SystemTime) -> Result<Token, Failure> {
        let url = format!("{}/app/installations/{installation}/access_tokens", self.base);
        let answer = self.ask(self.client.post(url)).await?;
        let answer: TokenAnswer = parsed(&answer)?;
        // GitHub's tokens live for an hour.
        let hour = Duration::from_secs(3600);
        let ends = answer
            .expires_at
            .and_then(|text| text.parse::<jiff::Timestamp>().ok())
            .map_or(now + hour, SystemTime::from);
        Ok(Token { text: answer.token, bought: now, ends })
    }

    async fn installations(&self) -> Result<Vec<Installation>, Failure> {
        // Where the library that upstream uses looks on an Enterprise server.
        let host = self.base.split_once("://").map_or("", |(_, rest)| rest);
        let has_root = self.base.ends_with("/api/v3") || host.starts_with("api.");
        let root = if has_root { "" } else { "/api/v3" };
        let mut all = Vec::new();
        for page in 1..=PAGES_MAX {
            let url = format!("{}{root}/app/installations?per_page=100&page={page}", self.base);
            let answer = self.ask(self.client.get(url)).await?;
            let some: Vec<Installation> = parsed(&answer)?;
            let last = some.len() < 100;
            all.extend(some);
            if last {
                break;
            }
        }
        Ok(all)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Vec<u8>, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let claim = claim(self.app, now.as_secs()).map_err(Failure::BadCredentials)?;
        let failed = |error: reqwest::Error| {
            let reason = crate::error::chain(&error.without_url());
            Failure::Unreachable(format!("GitHub at {}: {reason}", self.base))
        };
        let answer = request
            .bearer_auth(claim)
            .header("Accept", "application/vnd.github+json")
            .header("User-Agent", "tiphys")
            .send()
            .await
            .map_err(failed)?;
        let status = answer.status();
        let refused = |what: &str| {
            Failure::AccessRefused(format!(
                "GitHub at {} {what} for App {} (HTTP {})",
                self.base,
                self.app.id,
                status.as_u16()
            ))
        };
        match status.as_u16() {
            200..=299 => answer.bytes().await.map(|bytes| bytes.to_vec()).map_err(failed),
            404 => Err(refused("knows no such installation")),
            401 | 403 => Err(refused("gives no token")),
            code => Err(Failure::Unreachable(format!("GitHub at {}: HTTP {code}", self.base))),
        }
    }
}

fn parsed<T: serde::de::DeserializeOwned>(answer: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(answer)
        .map_err(|error| Failure::Unreachable(format!("GitHub's answer is none: {error}")))
}

/// Signs that this is the App (RFC 7519, `RS256`).
fn claim(app: &GithubApp, now_s: u64) -> Result<String, String> {
    let unusable = |error: String| format!("the GitHub App's private key cannot be used: {error}");
    let key = PrivateKeyDer::from_pem_slice(app.private_key.as_bytes())
        .map_err(|error| unusable(error.to_string()))?;
    let key = match &key {
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
        _ => return Err(unusable("it is no RSA key".to_owned())),
    };
    let key = key.map_err(|error| unusable(error.to_string()))?;
    let issued = now_s.saturating_sub(CLAIM_BACKDATED_S);
    let claims = serde_json::json!({
        "iat": issued,
        "exp": now_s + CLAIM_LIVES_S,
        "iss": app.id.to_string(),
    });
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let mut text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| unusable("it does not sign".to_owned()))?;
    text.push('.');
    text.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(text)
}
