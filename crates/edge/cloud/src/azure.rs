//! Clusters of Azure (AKS): an access token of Entra ID for the clusters' own application.

use crate::http::{Question, address, ask};
use crate::oauth::login;
use crate::surroundings::{CloudError, Login, Surroundings};

/// The application that every cluster of AKS with managed identities is.
const CLUSTERS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
/// Where metadata of a machine are served.
const MACHINE: &str = "http://169.254.169.254";
/// The kind of word that a service account's token is.
const WORD: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Returns a token for clusters of AKS. `AAD_LOGIN_METHOD` says how: `workloadidentity` (the usual
/// one where a token of a service account is mounted), `spn` or `msi`.
///
/// # Errors
///
/// Where nothing says who we are, a person would have to act, or Azure does not take it.
pub fn azure(surroundings: &Surroundings<'_>) -> Result<Login, CloudError> {
    let get = |name: &str| surroundings.get(name);
    let clusters = get("AAD_SERVER_APPLICATION_ID").unwrap_or_else(|| CLUSTERS.to_owned());
    let method = get("AAD_LOGIN_METHOD").unwrap_or_else(|| {
        let mounted = get("AZURE_FEDERATED_TOKEN_FILE").is_some();
        if mounted { "workloadidentity" } else { "devicecode" }.to_owned()
    });
    let scope = format!("{clusters}/.default");
    match method.as_str() {
        "workloadidentity" => {
            let path = surroundings.need("AZURE_FEDERATED_TOKEN_FILE")?;
            let word = surroundings.read(&path)?;
            let client = surroundings.need("AZURE_CLIENT_ID")?;
            let tenant = surroundings.need("AZURE_TENANT_ID")?;
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", client.as_str()),
                ("client_assertion_type", WORD),
                ("client_assertion", word.trim()),
                ("scope", scope.as_str()),
            ];
            token(&tenant, &fields, surroundings)
        }
        "spn" => {
            let first = |names: [&str; 2]| names.iter().find_map(|name| get(name));
            let client = first(["AAD_SERVICE_PRINCIPAL_CLIENT_ID", "AZURE_CLIENT_ID"])
                .ok_or(CloudError::Missing { what: "AAD_SERVICE_PRINCIPAL_CLIENT_ID" })?;
            let secret = first(["AAD_SERVICE_PRINCIPAL_CLIENT_SECRET", "AZURE_CLIENT_SECRET"])
                .ok_or(CloudError::Missing { what: "AAD_SERVICE_PRINCIPAL_CLIENT_SECRET" })?;
            let tenant = surroundings.need("AZURE_TENANT_ID")?;
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", client.as_str()),
                ("client_secret", secret.as_str()),
                ("scope", scope.as_str()),
            ];
            token(&tenant, &fields, surroundings)
        }
        "msi" => {
            let server = get("AZURE_POD_IDENTITY_AUTHORITY_HOST");
            let server = server.unwrap_or_else(|| MACHINE.to_owned());
            let server = server.trim_end_matches('/');
            let mut url = address(&format!("{server}/metadata/identity/oauth2/token"))?;
            url.query_pairs_mut()
                .append_pair("api-version", "2018-02-01")
                .append_pair("resource", &clusters);
            if let Some(client) = get("AZURE_CLIENT_ID") {
                url.query_pairs_mut().append_pair("client_id", &client);
            }
            login(&ask(Question::get(url).with("metadata", "true"))?, surroundings)
        }
        other => Err(CloudError::Unusable {
            what: format!("the login method `{other}`"),
            why: "it needs a person or another program; set AAD_LOGIN_METHOD to workloadidentity, spn or msi".to_owned(),
        }),
    }
}

fn token(
    tenant: &str,
    fields: &[(&str, &str)],
    surroundings: &Surroundings<'_>,
) -> Result<Login, CloudError> {
    let server = surroundings.get("AZURE_AUTHORITY_HOST");
    let server = server.unwrap_or_else(|| "https://login.microsoftonline.com/".to_owned());
    let server = server.trim_end_matches('/');
    let url = address(&format!("{server}/{tenant}/oauth2/v2.0/token"))?;
    login(&ask(Question::form(url, fields))?, surroundings)
}
