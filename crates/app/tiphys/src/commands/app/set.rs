//! `app set`.

use std::process::ExitCode;

use anyhow::Result;

use super::flags::Given;
use super::told::{Reason, tell};
use super::{create, source_position, spec};
use crate::commands::connect::Session;
use crate::commands::failure::refused;
use crate::commands::name::AppName;

/// Arguments of `app set`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The application
    #[arg(value_name = "APPNAME")]
    app: String,
    /// The application's namespace
    #[arg(short = 'N', long, value_name = "NAMESPACE", default_value = "")]
    app_namespace: String,
    /// Which of several sources is meant, counted from 1
    #[arg(long, value_name = "NUMBER")]
    source_position: Option<i64>,
    #[command(flatten)]
    checked: create::Checked,
    #[command(flatten)]
    given: Given,
}

/// Changes the Application; prints nothing, as upstream.
pub async fn run(arguments: Arguments, session: &Session) -> Result<ExitCode> {
    let given = &arguments.given;
    if given.is_empty() {
        return Err(refused("Please set at least one option to update"));
    }
    let name = AppName::parse(&arguments.app, &arguments.app_namespace);
    let source = given.has("source-name").then(|| given.text("source-name"));
    let wanted = |application: &mut crd::Application| {
        let position =
            source_position(&application.spec, arguments.source_position, source.as_deref());
        // With one source, its name is what `--source-name` sets.
        let position = match application.spec.has_multiple_sources() {
            true => position?,
            false => None,
        };
        spec::write(given, application, position)
    };
    let mut tried = session.application(&name).await?;
    wanted(&mut tried)?;
    create::check(session, &tried, arguments.checked.validate).await?;
    let written = session.change(&name, wanted).await?;
    tell(session, &written, Reason::Updated, "updated application spec").await;
    Ok(ExitCode::SUCCESS)
}
