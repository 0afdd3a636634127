//! Who the server is, and whom it lets in: its authority, its certificate, the token.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;

use super::{StartError, write_whole};

/// The server's authority, its keys and the token.
pub struct Identity {
    pub(super) ca_pem: String,
    pub(super) client_cert_pem: String,
    pub(super) client_key_pem: String,
    pub(super) token: String,
    pub(super) tls: Arc<rustls::ServerConfig>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

impl Identity {
    /// Returns what is kept in `dir`, made where it is missing; without `dir` nothing is kept.
    ///
    /// The authority and the token last, so that clients of an earlier run are let in again; the
    /// server's own certificate is new with every start.
    pub(super) fn load_or_make(dir: Option<&Path>, ip: IpAddr) -> Result<Identity, StartError> {
        let bad = |error: rcgen::Error| StartError::Certificate(error.to_string());
        let ca_key = match kept(dir, "ca.key")? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(bad)?,
            None => KeyPair::generate().map_err(bad)?,
        };
        let ca_params = authority();
        let ca_pem = match kept(dir, "ca.crt")? {
            Some(pem) => pem,
            None => ca_params.self_signed(&ca_key).map_err(bad)?.pem(),
        };
        let token = match kept(dir, "token")? {
            Some(token) => token.trim().to_owned(),
            None => new_token(),
        };
        keep(dir, "ca.key", &ca_key.serialize_pem())?;
        keep(dir, "ca.crt", &ca_pem)?;
        keep(dir, "token", &token)?;
        let issuer = Issuer::new(ca_params, ca_key);
        let server_key = KeyPair::generate().map_err(bad)?;
        let server = server_params(ip).signed_by(&server_key, &issuer).map_err(bad)?;
        let client_key = KeyPair::generate().map_err(bad)?;
        let client = client_params().signed_by(&client_key, &issuer).map_err(bad)?;
        let tls = tls_config(&ca_pem, server.der().clone(), &server_key)?;
        Ok(Identity {
            ca_pem,
            client_cert_pem: client.pem(),
            client_key_pem: client_key.serialize_pem(),
            token,
            tls: Arc::new(tls),
        })
    }
}

fn tls_config(
    ca_pem: &str,
    certificate: CertificateDer<'static>,
    key: &KeyPair,
) -> Result<rustls::ServerConfig, StartError> {
    let bad = |error: &dyn std::error::Error| StartError::Certificate(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(|error| bad(&error))?;
    roots.add(ca).map_err(|error| bad(&error))?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .map_err(|error| bad(&error))?;
    let key = PrivateKeyDer::try_from(key.serialize_der())
        .map_err(|error| StartError::Certificate(error.to_owned()))?;
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(&error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate], key)
        .map_err(|error| bad(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "tiphys simulated cluster");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn server_params(ip: IpAddr) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "kube-apiserver");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let mut names = vec![SanType::IpAddress(IpAddr::from([127, 0, 0, 1]))];
    if !ip.is_loopback() && !ip.is_unspecified() {
        names.push(SanType::IpAddress(ip));
    }
    let dns = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"];
    names.extend(dns.iter().filter_map(|name| (*name).try_into().ok().map(SanType::DnsName)));
    params.subject_alt_names = names;
    params
}

fn client_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "kubernetes-admin");
    params.distinguished_name.push(DnType::OrganizationName, "system:masters");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

fn new_token() -> String {
    let parts = [uuid::Uuid::new_v4(), uuid::Uuid::new_v4()];
    parts.map(|part| part.simple().to_string()).concat()
}

fn kept(dir: Option<&Path>, name: &str) -> Result<Option<String>, StartError> {
    let Some(dir) = dir else { return Ok(None) };
    let path = dir.join("pki").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(StartError::File { path, cause }),
    }
}

fn keep(dir: Option<&Path>, name: &str, text: &str) -> Result<(), StartError> {
    let Some(dir) = dir else { return Ok(()) };
    let dir = dir.join("pki");
    std::fs::create_dir_all(&dir).map_err(|cause| StartError::File { path: dir.clone(), cause })?;
    let path = dir.join(name);
    if path.exists() {
        return Ok(());
    }
    write_whole(&path, text.as_bytes())
}
