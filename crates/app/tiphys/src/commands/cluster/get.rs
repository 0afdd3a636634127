//! `cluster get`.

use anyhow::{Result, bail};
use settings::Cluster;

use super::list::{Row, asked, short_version, shown};
use crate::commands::connect::Session;
use crate::commands::output::{check, print, print_as};

/// Arguments of `cluster get`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The clusters, by URL or by name
    #[arg(value_name = "SERVER/NAME", required = true)]
    clusters: Vec<String>,
    /// Output format, one of json|yaml|wide|server
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    output: String,
}

/// Shows clusters, each asked for its version.
pub async fn run(arguments: &Arguments, session: &Session) -> Result<()> {
    check(&arguments.output, &["json", "yaml", "wide", "server"])?;
    let mut found = Vec::new();
    for text in &arguments.clusters {
        found.push(find(session, text).await?);
    }
    let rows = asked(session, &found).await?;
    match arguments.output.as_str() {
        format @ ("json" | "yaml") => match &rows[..] {
            [one] => print_as(format, &shown(one)),
            rows => print_as(format, &rows.iter().map(shown).collect::<Vec<_>>()),
        },
        "server" => print(&found.iter().map(|one| one.server.clone() + "\n").collect::<String>()),
        _ => print(&rows.iter().map(details).collect::<String>()),
    }
}

/// Finds a cluster by its URL or its name.
pub async fn find(session: &Session, text: &str) -> Result<Cluster> {
    let clusters = session.clusters().await?;
    let is = |one: &&Cluster| {
        one.name == text || one.server.trim_end_matches('/') == text.trim_end_matches('/')
    };
    match clusters.list().iter().find(is) {
        Some(found) => Ok(found.clone()),
        None => bail!("cluster \"{text}\" not found"),
    }
}

fn details(row: &Row) -> String {
    let cluster = &row.cluster;
    let config = &cluster.config;
    let name = if cluster.name.is_empty() { "-" } else { &cluster.name };
    let version = row.answer.as_deref().map(short_version).unwrap_or_default();
    let namespaces = match cluster.namespaces.len() {
        0 => "*".to_owned(),
        _ => cluster.namespaces.join(", "),
    };
    format!(
        "Cluster information

  Server URL:            {}
  Server Name:           {name}
  Server Version:        {version}
  Namespaces:        \t {namespaces}

TLS configuration

  Client cert:           {}
  Cert validation:       {}

Authentication

  Basic authentication:  {}
  oAuth authentication:  {}
  AWS authentication:    {}

Disable compression: {}

Use proxy: {}

",
        cluster.server,
        !config.tls.cert.is_empty(),
        !config.tls.insecure,
        !config.username.is_empty(),
        !config.bearer_token.is_empty(),
        config.aws.is_some(),
        config.disable_compression,
        !config.proxy_url.is_empty(),
    )
}
