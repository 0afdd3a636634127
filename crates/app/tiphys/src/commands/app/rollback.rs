//! `app rollback`.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use crd::{
    Application, ApplicationSource, Operation, RevisionHistory, SyncOperation, SyncStrategy,
    SyncStrategyApply,
};

use super::operation::{ask, initiator};
use super::told::{Reason, tell};
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::check;
use crate::commands::progress::{Wait, Wants};

/// Arguments of `app rollback`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The deployment, as `app history` numbers it
    #[arg(value_name = "ID", allow_negative_numbers = true)]
    id: Option<String>,
    /// Delete what was not there then
    #[arg(long)]
    prune: bool,
    /// Give up waiting after so many seconds; 0 waits for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    timeout: u64,
    /// Output format, one of json|yaml|wide|tree|tree=detailed
    #[arg(short, long, value_name = "FORMAT", default_value = "wide")]
    output: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Syncs to an earlier deployment, and waits for the end.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    check(&arguments.output, &["json", "yaml", "wide", "tree", "tree=detailed"])?;
    let id = arguments
        .id
        .as_ref()
        .map(|id| id.parse::<i64>().with_context(|| format!("`{id}` is no deployment's ID")));
    let id = id.transpose()?.filter(|id| *id != -1);
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let id = deployment(&session.application(&name).await?, id)?.id;
    let asked =
        ask(session, &name, |application| operation(application, id, arguments.prune)).await?;
    tell(session, &asked, Reason::OperationStarted, &format!("initiated rollback to {id}")).await;
    Wait {
        session,
        name,
        timeout_s: arguments.timeout,
        wants: Wants { operation: true, ..Wants::default() },
        selections: &[],
        output: &arguments.output,
    }
    .run()
    .await?;
    Ok(ExitCode::SUCCESS)
}

/// The deployment with an ID, or the last but one.
fn deployment(application: &Application, id: Option<i64>) -> Result<&RevisionHistory> {
    let (name, history) = (&application.metadata.name, &application.status.history);
    match id {
        None if history.len() < 2 => {
            bail!("application '{name}' should have at least two successful deployments")
        }
        None => Ok(&history[history.len() - 2]),
        Some(id) => history.iter().find(|one| one.id == id).with_context(|| {
            format!("application '{name}' does not have deployment id '{id}' in history")
        }),
    }
}

/// The operation that goes back to a deployment.
pub fn operation(application: &Application, id: i64, prune: bool) -> Result<Operation> {
    if application.spec.automated().is_some() {
        bail!("rollback cannot be initiated when auto-sync is enabled");
    }
    let deployed = deployment(application, Some(id))?;
    let has_source = deployed.source != ApplicationSource::default();
    if !has_source && deployed.sources.is_empty() {
        bail!(
            "cannot rollback to revision deployed with Argo CD v0.11 or lower. sync to revision \
             instead."
        );
    }
    Ok(Operation {
        sync: Some(SyncOperation {
            revision: deployed.revision.clone(),
            revisions: deployed.revisions.clone(),
            source: has_source.then(|| deployed.source.clone()),
            sources: deployed.sources.clone(),
            prune,
            sync_options: application.spec.sync_options().to_vec(),
            sync_strategy: Some(SyncStrategy {
                apply: Some(SyncStrategyApply::default()),
                ..SyncStrategy::default()
            }),
            ..SyncOperation::default()
        }),
        initiated_by: initiator(),
        ..Operation::default()
    })
}
