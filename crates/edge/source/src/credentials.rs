//! What a repository is read with: secrets, certificates, proxies.

use std::fmt;

use ring::digest;

use crate::error::SourceError;
use crate::url::{Place, RepoUrl};

/// Everything that a repository's secrets and settings say about reaching it.
///
/// An empty value is an anonymous read with the system's certificates. Printing one shows
/// which fields are set, never what they hold.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    /// User of HTTP basic access; empty with a password set means `x-access-token`, as upstream.
    pub username: String,
    /// Password or token of HTTP basic access.
    pub password: String,
    /// Sent as `Authorization: Bearer …`; wins over user and password.
    pub bearer_token: String,
    /// PEM.
    pub tls_client_cert: String,
    /// PEM.
    pub tls_client_key: String,
    /// PEM certificates that replace the system's: authorities, or the server's own certificate.
    pub ca_certs: String,
    /// Take any TLS certificate.
    pub insecure: bool,
    /// `http://`, `https://` or `socks5://` URL, with user and password where it wants them.
    pub proxy: String,
    /// Hosts not reached through the proxy, comma separated.
    pub no_proxy: String,
    /// OpenSSH, PKCS#1 or PKCS#8 PEM, without a passphrase.
    pub ssh_private_key: String,
    /// In the format of OpenSSH's `known_hosts`.
    pub ssh_known_hosts: String,
    /// Take any SSH host key.
    pub insecure_ignore_host_key: bool,
    /// Read as a GitHub App.
    pub github_app: Option<GithubApp>,
    /// Files that Git LFS keeps are errors instead of pointers, until LFS is built.
    pub enable_lfs: bool,
    /// Commits of history that a fetch brings; `None` brings all.
    pub depth: Option<u32>,
    /// A cloud's own identity, which is not built yet.
    pub cloud_identity: Option<CloudIdentity>,
}

/// A GitHub App's identity.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct GithubApp {
    /// The App's id.
    pub id: i64,
    /// Which installation; `None` looks for the one of the repository's owner.
    pub installation_id: Option<i64>,
    /// RSA, PEM.
    pub private_key: String,
    /// REST root of an Enterprise server, as in `https://ghe.example.com/api/v3`; empty: github.com.
    pub enterprise_base_url: String,
}

/// Identities that clouds hand to workloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudIdentity {
    /// `gcpServiceAccountKey`.
    GoogleServiceAccount,
    /// `useAzureWorkloadIdentity`.
    AzureWorkloadIdentity,
    /// `azureServicePrincipalClientId` and its kin.
    AzureServicePrincipal,
}

impl Credentials {
    /// Refuses what cannot work, before anything is contacted.
    ///
    /// # Errors
    ///
    /// [`SourceError::NotBuilt`], or [`SourceError::BadCredentials`].
    pub(crate) fn check(&self, url: &RepoUrl) -> Result<(), SourceError> {
        if let Some(identity) = self.cloud_identity {
            let what = match identity {
                CloudIdentity::GoogleServiceAccount => "a Google service account",
                CloudIdentity::AzureWorkloadIdentity => "an Azure workload identity",
                CloudIdentity::AzureServicePrincipal => "an Azure service principal",
            };
            return Err(SourceError::NotBuilt { url: url.shown(), what });
        }
        let bad = |reason: &str| {
            Err(SourceError::BadCredentials { url: url.shown(), reason: reason.to_owned() })
        };
        if self.tls_client_cert.is_empty() != self.tls_client_key.is_empty() {
            return bad("a TLS client certificate and its key go together, and one is missing");
        }
        if let (Place::Ssh { .. }, Some(_)) = (url.place(), &self.github_app) {
            return bad("a GitHub App reads over https, and the URL is an ssh one");
        }
        Ok(())
    }

    /// Equal for equal credentials; tells nothing about them.
    pub(crate) fn fingerprint(&self) -> [u8; 16] {
        let app = self.github_app.clone().unwrap_or_default();
        let fields: [&str; 13] = [
            &self.username,
            &self.password,
            &self.bearer_token,
            &self.tls_client_cert,
            &self.tls_client_key,
            &self.ca_certs,
            &self.proxy,
            &self.no_proxy,
            &self.ssh_private_key,
            &self.ssh_known_hosts,
            &app.private_key,
            &app.enterprise_base_url,
            &format!(
                "{} {} {} {} {:?} {:?} {:?}",
                self.insecure,
                self.insecure_ignore_host_key,
                self.enable_lfs,
                app.id,
                app.installation_id,
                self.depth,
                self.cloud_identity
            ),
        ];
        let mut context = digest::Context::new(&digest::SHA256);
        for field in fields {
            context.update(&(field.len() as u64).to_le_bytes());
            context.update(field.as_bytes());
        }
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&context.finish().as_ref()[..16]);
        fingerprint
    }

    /// What of them another host may be told: how to trust and reach it, and no secret.
    #[must_use]
    pub fn without_secrets(&self) -> Self {
        Self {
            ca_certs: self.ca_certs.clone(),
            insecure: self.insecure,
            proxy: self.proxy.clone(),
            no_proxy: self.no_proxy.clone(),
            ssh_known_hosts: self.ssh_known_hosts.clone(),
            insecure_ignore_host_key: self.insecure_ignore_host_key,
            enable_lfs: self.enable_lfs,
            depth: self.depth,
            ..Self::default()
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = [
            ("username", !self.username.is_empty()),
            ("password", !self.password.is_empty()),
            ("bearer_token", !self.bearer_token.is_empty()),
            ("tls_client_cert", !self.tls_client_cert.is_empty()),
            ("ca_certs", !self.ca_certs.is_empty()),
            ("insecure", self.insecure),
            ("proxy", !self.proxy.is_empty()),
            ("ssh_private_key", !self.ssh_private_key.is_empty()),
            ("ssh_known_hosts", !self.ssh_known_hosts.is_empty()),
            ("insecure_ignore_host_key", self.insecure_ignore_host_key),
            ("github_app", self.github_app.is_some()),
            ("enable_lfs", self.enable_lfs),
            ("depth", self.depth.is_some()),
            ("cloud_identity", self.cloud_identity.is_some()),
        ];
        let names = set.iter().filter(|(_, set)| *set).map(|(name, _)| name);
        f.write_str("Credentials")?;
        f.debug_set().entries(names).finish()
    }
}

impl fmt::Debug for GithubApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GithubApp({}, {:?})", self.id, self.installation_id)
    }
}
