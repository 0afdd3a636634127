//! `app terminate-op`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use crd::OperationPhase;

use super::told::{Reason, tell};
use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::print;

/// Arguments of `app terminate-op`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Marks the running operation; the controller ends it.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let written = session
        .change(&name, |application| {
            let asked = application.operation.is_some();
            match application.status.operation_state.as_deref_mut() {
                Some(state) if asked || !state.phase.completed() => {
                    state.phase = OperationPhase::Terminating;
                    Ok(())
                }
                _ => bail!("Unable to terminate operation. No operation is in progress"),
            }
        })
        .await?;
    tell(session, &written, Reason::Updated, "terminated running operation").await;
    print(&format!("Application '{}' operation terminating\n", name.name))?;
    Ok(ExitCode::SUCCESS)
}
