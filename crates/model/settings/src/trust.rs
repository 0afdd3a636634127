//! Which servers are believed: certificates and SSH host keys (REP-04).

use std::collections::BTreeMap;

/// What ConfigMaps `argocd-tls-certs-cm` and `argocd-ssh-known-hosts-cm` hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Certificates in PEM, by host without a port.
    pub tls_certs: BTreeMap<String, String>,
    /// Host keys, in OpenSSH's `known_hosts` format.
    pub ssh_known_hosts: String,
}

impl Trust {
    /// The certificates for a host, in PEM; with them, no others are believed. A port is passed over.
    pub fn certificates_of(&self, host: &str) -> Option<&str> {
        let name = match host.strip_prefix('[') {
            Some(address) => address.split(']').next().unwrap_or(address),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        let certificates = self.tls_certs.get(name).or_else(|| self.tls_certs.get(host));
        certificates.map(String::as_str).filter(|text| !text.trim().is_empty())
    }
}
