//! `cluster list`.

use std::time::Duration;

use anyhow::Result;
use cluster::{Access, Limits, SecretAccess};
use futures::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::commands::colour::Colour;
use crate::commands::connect::{Session, secret_text};
use crate::commands::output::{check, print, print_as};
use crate::commands::table::Table;

/// How long a cluster may take to tell its version.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Arguments of `cluster list`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Output format, one of json|yaml|wide|server
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
}

/// One cluster, and whether it answers.
pub struct Row {
    /// As it is registered.
    pub cluster: settings::Cluster,
    /// Its version, or why it did not tell.
    pub answer: Result<String, String>,
}

/// Lists clusters, each asked for its version.
pub async fn run(arguments: &Arguments, session: &Session) -> Result<()> {
    check(&arguments.output, &["json", "yaml", "wide", "server"])?;
    let clusters = session.clusters().await?;
    if arguments.output == "server" {
        let servers = clusters.list().iter().map(|one| one.server.clone() + "\n");
        return print(&servers.collect::<String>());
    }
    let rows = asked(session, clusters.list()).await?;
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => print_as(format, &rows.iter().map(shown).collect::<Vec<_>>()),
        _ => print(&table(&rows).print(Colour::Off)),
    }
}

/// Asks clusters for their versions.
pub async fn asked(session: &Session, clusters: &[settings::Cluster]) -> Result<Vec<Row>> {
    let secrets = session.secrets("cluster").await?;
    let rows = clusters.iter().map(async |cluster| Row {
        cluster: cluster.clone(),
        answer: match timeout(ANSWER_MAX, version(session, cluster, &secrets)).await {
            Ok(answer) => answer.map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("no answer in {} s", ANSWER_MAX.as_secs())),
        },
    });
    Ok(join_all(rows).await)
}

async fn version(
    session: &Session,
    cluster: &settings::Cluster,
    secrets: &[Value],
) -> Result<String> {
    if !cluster.broken.is_empty() {
        anyhow::bail!(cluster.broken.clone());
    }
    if cluster.is_in_cluster() {
        return Ok(session.cluster.version().await?.git_version);
    }
    let config = secrets
        .iter()
        .find(|secret| cluster.secret.rsplit('/').next() == Some(manifest::name(secret)))
        .map(|secret| secret_text(secret, "config"));
    let access =
        SecretAccess { server: cluster.server.clone(), config: config.unwrap_or_default() };
    let there = cluster::Cluster::connect(&Access::Secret(access), Limits::default()).await?;
    Ok(there.version().await?.git_version)
}

fn status(row: &Row) -> (&'static str, &str) {
    match &row.answer {
        Ok(_) => ("Successful", ""),
        Err(message) => ("Failed", message),
    }
}

/// `1.36` of `v1.36.2`.
pub fn short_version(version: &str) -> String {
    let mut numbers = version.trim_start_matches('v').split('.');
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
        _ => version.to_owned(),
    }
}

/// A cluster as others may see it: nothing secret.
pub fn shown(row: &Row) -> Value {
    let (status, message) = status(row);
    let cluster = &row.cluster;
    let mut shown = json!({
        "server": cluster.server,
        "name": cluster.name,
        "config": {"tlsClientConfig": {"insecure": cluster.config.tls.insecure}},
        "connectionState": {"status": status, "message": message},
    });
    if let Ok(version) = &row.answer {
        shown["serverVersion"] = short_version(version).into();
    }
    if !cluster.namespaces.is_empty() {
        shown["namespaces"] = json!(cluster.namespaces);
        shown["clusterResources"] = json!(cluster.cluster_resources);
    }
    for (field, value) in [("labels", &cluster.labels), ("annotations", &cluster.annotations)] {
        if !value.is_empty() {
            shown[field] = json!(value);
        }
    }
    if !cluster.project.is_empty() {
        shown["project"] = json!(cluster.project);
    }
    shown
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::headed(&["SERVER", "NAME", "VERSION", "STATUS", "MESSAGE", "PROJECT"]);
    for row in rows {
        let (status, message) = status(row);
        let cluster = &row.cluster;
        let server = match cluster.namespaces.len() {
            0 => cluster.server.clone(),
            count => format!("{} ({count} namespaces)", cluster.server),
        };
        table.line([
            server,
            cluster.name.clone(),
            row.answer.as_deref().map(short_version).unwrap_or_default(),
            status.to_owned(),
            message.to_owned(),
            cluster.project.clone(),
        ]);
    }
    table
}
