//! Clusters of Google (GKE): an access token of Google's accounts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;

use crate::http::{Question, address, ask};
use crate::oauth::login;
use crate::surroundings::{CloudError, Login, Surroundings};

/// What the token is good for, as Argo CD asks for it.
const SCOPES: &str =
    "https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/userinfo.email";
/// Where metadata of a machine are served, workload identities among them.
const MACHINE: &str = "metadata.google.internal";
/// How long an account's own word holds, in seconds: the most that Google takes.
const WORD_S: i64 = 3600;

/// The file that `GOOGLE_APPLICATION_CREDENTIALS` names.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct File {
    r#type: String,
    client_email: String,
    private_key: String,
    private_key_id: String,
    token_uri: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
}

/// Returns a token for clusters of GKE: of the account that `GOOGLE_APPLICATION_CREDENTIALS` names,
/// else of the machine's or the workload's.
///
/// # Errors
///
/// Where nothing says who we are, or Google does not take it.
pub fn google(surroundings: &Surroundings<'_>) -> Result<Login, CloudError> {
    match surroundings.get("GOOGLE_APPLICATION_CREDENTIALS") {
        Some(path) => of_file(&path, surroundings),
        None => of_machine(surroundings),
    }
}

fn of_machine(surroundings: &Surroundings<'_>) -> Result<Login, CloudError> {
    let server = surroundings.get("GCE_METADATA_HOST").unwrap_or_else(|| MACHINE.to_owned());
    let place = "computeMetadata/v1/instance/service-accounts/default/token";
    let mut url = address(&format!("http://{server}/{place}"))?;
    url.query_pairs_mut().append_pair("scopes", &SCOPES.replace(' ', ","));
    let question = Question::get(url).with("metadata-flavor", "Google");
    login(&ask(question)?, surroundings)
}

fn of_file(path: &str, surroundings: &Surroundings<'_>) -> Result<Login, CloudError> {
    let unusable = |why: String| CloudError::Unusable { what: format!("`{path}`"), why };
    let file: File = serde_json::from_str(&surroundings.read(path)?)
        .map_err(|error| unusable(format!("it is no JSON at line {}", error.line())))?;
    let server = match file.token_uri.as_str() {
        "" => "https://oauth2.googleapis.com/token",
        named => named,
    };
    let server = address(server)?;
    match file.r#type.as_str() {
        "service_account" => {
            let word = word(&file, surroundings).map_err(unusable)?;
            let fields = [
                ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                ("assertion", word.as_str()),
            ];
            login(&ask(Question::form(server, &fields))?, surroundings)
        }
        "authorized_user" => {
            let fields = [
                ("grant_type", "refresh_token"),
                ("client_id", file.client_id.as_str()),
                ("client_secret", file.client_secret.as_str()),
                ("refresh_token", file.refresh_token.as_str()),
            ];
            login(&ask(Question::form(server, &fields))?, surroundings)
        }
        other => Err(unusable(format!(
            "accounts of type `{other}` are not built; use service_account, authorized_user, or the workload's own identity"
        ))),
    }
}

/// An account's own word that it is the account, signed with its key.
fn word(file: &File, surroundings: &Surroundings<'_>) -> Result<String, String> {
    let now = surroundings.now.as_second();
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": file.private_key_id});
    let claims = json!({
        "iss": file.client_email,
        "sub": file.client_email,
        "scope": SCOPES,
        "aud": file.token_uri,
        "iat": now,
        "exp": now + WORD_S,
    });
    let encode = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let said = format!("{}.{}", encode(&head), encode(&claims));
    let key = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes())
        .map_err(|_| "its `private_key` is no PEM".to_owned())?;
    let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der())
        .map_err(|error| format!("its `private_key` is no RSA key: {error}"))?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), said.as_bytes(), &mut signature)
        .map_err(|_| "its `private_key` signs nothing".to_owned())?;
    Ok(format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
