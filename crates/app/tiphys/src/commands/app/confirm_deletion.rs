//! `app confirm-deletion`.

use std::process::ExitCode;

use anyhow::Result;
use crd::Time;
use jiff::Timestamp;

use crate::commands::connect::Session;
use crate::commands::name::AppName;
use crate::commands::output::print;

/// Says that somebody has agreed to what waits, and when.
const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";

/// Arguments of `app confirm-deletion`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
}

/// Agrees to what an Application waits for before it deletes.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let written = session
        .change(&name, |application| {
            let now = Time::at(Timestamp::now()).as_str().to_owned();
            application.metadata.annotations.insert(DELETION_APPROVED.to_owned(), now);
            Ok(())
        })
        .await?;
    print(&format!("Application '{}' updated successfully\n", written.metadata.name))?;
    Ok(ExitCode::SUCCESS)
}
