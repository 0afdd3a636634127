//! `k8s-auth`: logs in at a cloud's cluster, and prints the token as Kubernetes' clients want it from a
//! credential plugin. The same when the program is called `argocd-k8s-auth`.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use cloud::{Aws, Login, Surroundings};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::output::print;

/// Whose cluster it is.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// A cluster of AWS (EKS)
    Aws(AwsArguments),
    /// A cluster of Google (GKE)
    Gcp,
    /// A cluster of Azure (AKS); AAD_LOGIN_METHOD says how: workloadidentity, spn or msi
    Azure,
}

/// Arguments of `k8s-auth aws`.
#[derive(Debug, clap::Args)]
pub struct AwsArguments {
    /// The cluster's name
    #[arg(long, value_name = "NAME")]
    cluster_name: String,
    /// Role to take on
    #[arg(long, value_name = "ARN", default_value = "")]
    role_arn: String,
    /// Profile to begin with
    #[arg(long, value_name = "NAME", default_value = "")]
    profile: String,
}

/// Logs in and prints the token.
pub fn run(command: Command) -> Result<ExitCode> {
    let variable = |name: &str| std::env::var(name).ok();
    let here = Surroundings { variable: &variable, now: Timestamp::now() };
    let login = match command {
        Command::Aws(arguments) => {
            let AwsArguments { cluster_name: cluster, role_arn, profile } = arguments;
            cloud::aws(&Aws { cluster, role_arn, profile }, &here)
        }
        Command::Gcp => cloud::google(&here),
        Command::Azure => cloud::azure(&here),
    };
    print(&format!("{}\n", credential(&login?, variable("KUBERNETES_EXEC_INFO").as_deref())))?;
    Ok(ExitCode::SUCCESS)
}

/// A token as a client's plugin tells it, in the version in which the client asked.
fn credential(login: &Login, asked: Option<&str>) -> Value {
    let asked: Option<Value> = asked.and_then(|text| serde_json::from_str(text).ok());
    let version = asked.as_ref().and_then(|info| info.get("apiVersion")).and_then(Value::as_str);
    json!({
        "apiVersion": version.unwrap_or("client.authentication.k8s.io/v1beta1"),
        "kind": "ExecCredential",
        "status": {"expirationTimestamp": login.expires.to_string(), "token": login.token},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_answered_in_the_version_in_which_it_asked() {
        let expires = "2026-11-22T12:14:00Z".parse().expect("a time");
        let login = Login { token: "t".to_owned(), expires };
        let told = credential(&login, Some(r#"{"apiVersion": "client.authentication.k8s.io/v1"}"#));
        assert_eq!(
            told,
            json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                "status": {"token": "t", "expirationTimestamp": "2026-11-22T12:14:00Z"}})
        );
        let unasked = credential(&login, None);
        assert_eq!(unasked["apiVersion"], "client.authentication.k8s.io/v1beta1");
    }
}
