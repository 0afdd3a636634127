//! `app wait`.

use std::process::ExitCode;

use anyhow::Result;

use super::selection::Selection;
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::name::AppName;
use crate::commands::output::check;
use crate::commands::progress::{Wait, Wants};

/// Arguments of `app wait`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The applications
    #[arg(value_name = "APPNAME")]
    apps: Vec<String>,
    /// Wait for every application with matching labels
    #[arg(short = 'l', long, value_name = "SELECTOR", default_value = "")]
    selector: String,
    /// Wait until synced
    #[arg(long)]
    sync: bool,
    /// Wait until healthy
    #[arg(long)]
    health: bool,
    /// Wait until no operation is asked for or runs
    #[arg(long)]
    operation: bool,
    /// Wait until suspended
    #[arg(long)]
    suspended: bool,
    /// Wait until degraded
    #[arg(long)]
    degraded: bool,
    /// Wait until deleted
    #[arg(long)]
    delete: bool,
    /// Wait until rendered to the branch
    #[arg(long)]
    hydrated: bool,
    /// Only for this object, as [!]GROUP:KIND:[NAMESPACE/]NAME; may be repeated
    #[arg(long = "resource", value_name = "RESOURCE")]
    resources: Vec<String>,
    /// Give up after so many seconds; 0 waits for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    timeout: u64,
    /// Output format, one of json|yaml|wide|tree|tree=detailed
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// The applications' namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Waits for Applications, one after the other.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["json", "yaml", "wide", "tree", "tree=detailed"])?;
    if arguments.apps.is_empty() && arguments.selector.is_empty() {
        return Err(refused("name the applications, or choose them with --selector"));
    }
    let selections = Selection::parse_all(&arguments.resources)?;
    let parse = |text: &String| AppName::parse(text, &arguments.app_namespace);
    let mut names: Vec<AppName> = arguments.apps.iter().map(parse).collect();
    if !arguments.selector.is_empty() {
        let found = session.applications(&arguments.app_namespace, &arguments.selector).await?;
        names.extend(found.iter().map(AppName::of));
    }
    let wants = Wants {
        sync: arguments.sync,
        health: arguments.health,
        operation: arguments.operation,
        suspended: arguments.suspended,
        degraded: arguments.degraded,
        delete: arguments.delete,
        hydrated: arguments.hydrated,
    };
    for name in names {
        Wait {
            session,
            name,
            timeout_s: arguments.timeout,
            wants: wants.or_usual(),
            selections: &selections,
            output: &arguments.output,
        }
        .run()
        .await?;
    }
    Ok(ExitCode::SUCCESS)
}
