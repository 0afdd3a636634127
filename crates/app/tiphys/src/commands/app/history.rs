//! `app history`.

use std::process::ExitCode;

use anyhow::Result;
use crd::{ApplicationSource, RevisionHistory};

use super::summary::{SHORT_REVISION, short};
use crate::commands::colour::Colour;
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::{check, moment, print};
use crate::commands::table::Table;

/// Arguments of `app history`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// Output format, one of wide|id
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Shows past deployments, oldest first.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["wide", "id"])?;
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let history = session.application(&name).await?.status.history;
    let text = match arguments.output.as_str() {
        "id" => history.iter().map(|one| format!("{}\n", one.id)).collect(),
        _ => table(&history).print(Colour::Off),
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// One block a repository: its URL, then the deployments from it.
pub fn table(history: &[RevisionHistory]) -> Table {
    let mut blocks: Vec<(String, Vec<[String; 3]>)> = Vec::new();
    let mut add = |one: &RevisionHistory, source: &ApplicationSource, revision: Option<&String>| {
        let mut shown = source.target_revision.clone();
        if let Some(revision) = revision.filter(|revision| revision.len() >= SHORT_REVISION) {
            shown = format!("{shown} ({})", short(revision));
        }
        let line = [one.id.to_string(), moment(&one.deployed_at), shown];
        match blocks.iter_mut().find(|(url, _)| *url == source.repo_url) {
            Some((_, lines)) => lines.push(line),
            None => blocks.push((source.repo_url.clone(), vec![line])),
        }
    };
    for one in history {
        if one.sources.is_empty() {
            add(one, &one.source, Some(&one.revision));
        }
        for (index, source) in one.sources.iter().enumerate() {
            let known = one.revisions.len() == one.sources.len();
            add(one, source, one.revisions.get(index).filter(|_| known));
        }
    }
    let mut table = Table::default();
    for (index, (url, lines)) in blocks.into_iter().enumerate() {
        if index > 0 {
            table.line([String::new()]);
        }
        table.line(["SOURCE".to_owned(), url]);
        table.line(["ID", "DATE", "REVISION"].map(str::to_owned));
        lines.into_iter().for_each(|line| table.line(line));
    }
    table
}
