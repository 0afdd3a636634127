//! `cluster rm` and `cluster set`.

use anyhow::{Context as _, Result, bail};
use cluster::{Patch, Propagation};
use manifest::Gvk;
use serde_json::{Map, Value, json};
use settings::Cluster;

use super::get::find;
use crate::commands::connect::Session;
use crate::commands::input;
use crate::commands::output::print;
use crate::commands::prompt::{Answer, ask};

/// Arguments of `cluster rm`.
#[derive(Debug, clap::Args)]
pub struct Rm {
    /// The clusters, by URL or by name
    #[arg(value_name = "SERVER/NAME", required = true)]
    clusters: Vec<String>,
    /// Ask nobody
    #[arg(short = 'y', long)]
    yes: bool,
}

/// Arguments of `cluster set`.
#[derive(Debug, clap::Args)]
pub struct Set {
    /// The cluster's name
    #[arg(value_name = "NAME")]
    cluster: String,
    /// Another name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Namespace that is looked after; * stands for all; may be repeated
    #[arg(long = "namespace", value_name = "NAMESPACE")]
    namespaces: Vec<String>,
    /// Label, as key=value; may be repeated
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<String>,
    /// Annotation, as key=value; may be repeated
    #[arg(long = "annotation", value_name = "KEY=VALUE")]
    annotations: Vec<String>,
}

fn secret_kind() -> Gvk {
    Gvk::new("", "v1", "Secret")
}

/// The name of the Secret that registers a cluster.
fn secret_of(cluster: &Cluster) -> Result<&str> {
    let name = cluster.secret.rsplit('/').next().filter(|name| !name.is_empty());
    name.with_context(|| format!("cluster \"{}\" is registered by nobody", cluster.server))
}

/// Forgets clusters. What was installed in them stays.
pub async fn remove(arguments: &Rm, session: &Session) -> Result<()> {
    let several = arguments.clusters.len() > 1;
    let mut all = arguments.yes;
    for text in &arguments.clusters {
        if !all {
            let choice = if several {
                "[y/n/A] where 'A' is to remove all specified clusters without prompting. Any Apps deploying to these clusters will go to health status Unknown. "
            } else {
                "[y/n] "
            };
            let question = format!(
                "Are you sure you want to remove '{text}'? Any Apps deploying to this cluster will go to health status Unknown.{choice}"
            );
            match ask(&question, several)? {
                Answer::Yes => {}
                Answer::All => all = true,
                Answer::No => {
                    print(&format!("The command to remove '{text}' was cancelled.\n"))?;
                    continue;
                }
            }
        }
        let found = find(session, text).await?;
        let name = secret_of(&found)?;
        let background = Propagation::Background;
        session.home.delete(&secret_kind(), &session.namespace, name, background).await?;
        print(&format!("Cluster '{text}' removed\n"))?;
    }
    Ok(())
}

/// Changes what is registered of a cluster.
pub async fn set(arguments: &Set, session: &Session) -> Result<()> {
    let mut data = Map::new();
    if let Some(name) = arguments.name.as_ref().filter(|name| !name.is_empty()) {
        data.insert("name".into(), name.clone().into());
    }
    if !arguments.namespaces.is_empty() {
        let namespaces = match &arguments.namespaces[..] {
            [all] if all == "*" => String::new(),
            namespaces => namespaces.join(","),
        };
        data.insert("namespaces".into(), namespaces.into());
    }
    let mut metadata = Map::new();
    for (field, texts) in [("labels", &arguments.labels), ("annotations", &arguments.annotations)] {
        let pairs = input::pairs(texts)?;
        if !pairs.is_empty() {
            let pairs = pairs.into_iter().map(|(key, value)| (key, Value::from(value)));
            metadata.insert(field.into(), Value::Object(pairs.collect()));
        }
    }
    if data.is_empty() && metadata.is_empty() {
        return print("Specify the cluster field to be updated.\n");
    }
    let found = find(session, &arguments.cluster).await?;
    let Ok(name) = secret_of(&found) else {
        bail!(
            "cluster \"{}\" is this one, and registered by nobody; use cluster add --in-cluster",
            arguments.cluster
        );
    };
    let patch = json!({"stringData": data, "metadata": metadata});
    session.home.patch(&secret_kind(), &session.namespace, name, Patch::Merge(patch)).await?;
    print(&format!("Cluster '{}' updated.\n", arguments.cluster))
}
