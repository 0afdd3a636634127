//! Repository secrets as the credentials that `source` takes.

use settings::Repository;
use source::{CloudIdentity, Credentials, GithubApp};

use crate::surroundings::Snapshot;

/// Makes credentials of a repository's secret and of what is known about its host.
pub(crate) fn credentials_of(repository: &Repository, snapshot: &Snapshot) -> Credentials {
    let held = &repository.credentials;
    let cloud_identity = if !held.gcp_service_account_key.is_empty() {
        Some(CloudIdentity::GoogleServiceAccount)
    } else if held.azure_workload_identity {
        Some(CloudIdentity::AzureWorkloadIdentity)
    } else if !held.azure_client_id.is_empty() {
        Some(CloudIdentity::AzureServicePrincipal)
    } else {
        None
    };
    let github_app = (!held.github_app_private_key.is_empty()).then(|| GithubApp {
        id: held.github_app_id,
        installation_id: (held.github_app_installation_id != 0)
            .then_some(held.github_app_installation_id),
        private_key: held.github_app_private_key.expose().to_owned(),
        enterprise_base_url: held.github_app_enterprise_url.clone(),
    });
    let host = match source::RepoUrl::parse(&repository.url) {
        Ok(url) => url.host().unwrap_or_default().to_owned(),
        // A registry's name need not be a URL.
        Err(_) => {
            let name = repository.url.strip_prefix("oci://").unwrap_or(&repository.url);
            name.split('/').next().unwrap_or_default().to_owned()
        }
    };
    Credentials {
        username: held.username.expose().to_owned(),
        password: held.password.expose().to_owned(),
        bearer_token: held.bearer_token.expose().to_owned(),
        tls_client_cert: held.tls_client_cert.expose().to_owned(),
        tls_client_key: held.tls_client_key.expose().to_owned(),
        ca_certs: certificates(snapshot, &host),
        insecure: repository.insecure,
        proxy: repository.proxy.clone(),
        no_proxy: repository.no_proxy.clone(),
        ssh_private_key: held.ssh_private_key.expose().to_owned(),
        ssh_known_hosts: snapshot.ssh_known_hosts.clone(),
        insecure_ignore_host_key: repository.insecure,
        github_app,
        enable_lfs: repository.lfs,
        depth: repository.depth,
        cloud_identity,
    }
}

/// The host's certificates; a name may be written with or without its port.
fn certificates(snapshot: &Snapshot, host: &str) -> String {
    let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
    [host, without_port]
        .into_iter()
        .find_map(|name| snapshot.tls_certs.get(name))
        .cloned()
        .unwrap_or_default()
}
